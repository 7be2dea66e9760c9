"""The manifest of a generation: written last, read first, compared."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from assistant.embedding.protocol import Embedder
from assistant.errors import CorruptIndexError, IndexMismatchError
from assistant.index.catalog import SCHEMA_VERSION
from assistant.index.files import sha256, walk, write_atomically
from assistant.index.protocol import Manifest
from assistant.italian.analysis import ANALYSER_VERSION

MANIFEST = "manifest.json"

# Even for a reader Chroma changes a few bytes of its database, and tantivy makes locks.
_CHANGED_BY_READERS = ("chroma.sqlite3", ".tantivy-")

REBUILD = "Esegui `piano ingest --rebuild`, oppure torna alle impostazioni di prima."
REINDEX = (
    "Esegui `piano reindex`, che rifà i vettori senza rileggere i documenti, oppure usa le "
    "impostazioni con cui l'indice è nato."
)


@dataclass(frozen=True, slots=True)
class IndexProfile:
    """What an index must have been made with to be used with today's settings."""

    embedding_model: str
    embedding_fingerprint: str
    embedding_dimension: int
    passage_settings: str | None = None
    """None for readers: how passages were cut matters only to who adds more of them."""
    analyser: str = ANALYSER_VERSION
    query_prefix: str = ""
    passage_prefix: str = ""

    @classmethod
    def of(cls, embedder: Embedder, passage_settings: str | None = None) -> IndexProfile:
        return cls(
            embedder.name,
            embedder.fingerprint,
            embedder.dimension,
            passage_settings,
            query_prefix=embedder.prefixes.query,
            passage_prefix=embedder.prefixes.passage,
        )


def read_manifest(folder: Path) -> Manifest:
    """Raises CorruptIndexError or IndexMismatchError (a schema that this version cannot read)."""
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_bytes())
        schema = int(values["schema_version"])
        known = {field.name for field in fields(Manifest)}
        values["document_ids"] = tuple(values["document_ids"])
        manifest = Manifest(**{name: value for name, value in values.items() if name in known})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptIndexError(
            f"Il manifesto {path} manca o non si legge ({error}).",
            remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
        ) from error
    if schema != SCHEMA_VERSION:
        raise IndexMismatchError(
            f"L'indice {folder.name} ha lo schema {schema}, questa versione usa {SCHEMA_VERSION}.",
            remedy="Esegui `piano ingest --rebuild`.",
        )
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    write_atomically(folder / MANIFEST, text.encode())


def describe_files(folder: Path) -> tuple[dict[str, str], dict[str, int]]:
    """Hash and size of each file of a generation that readers leave as it is."""
    hashes: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for path in walk(folder):
        name = path.relative_to(folder).as_posix()
        if name != MANIFEST and not path.name.startswith(_CHANGED_BY_READERS):
            hashes[name] = sha256(path)
            sizes[name] = path.stat().st_size
    return hashes, sizes


def check_sizes(folder: Path, manifest: Manifest) -> None:
    """The cheap check of every opening; raises CorruptIndexError."""
    for name, size in manifest.sizes.items():
        try:
            found = (folder / name).stat().st_size
        except OSError as error:
            raise _damaged(folder, name, "manca") from error
        if found != size:
            raise _damaged(folder, name, f"ha {found} byte invece di {size}")


def check_hashes(folder: Path, manifest: Manifest) -> None:
    """The whole check, which reads every byte; raises CorruptIndexError."""
    check_sizes(folder, manifest)
    for name, expected in manifest.files.items():
        if sha256(folder / name) != expected:
            raise _damaged(folder, name, "è stato modificato")


def check_profile(manifest: Manifest, profile: IndexProfile) -> None:
    """Raises IndexMismatchError naming everything that differs, and what is enough to mend it."""
    texts = _different_texts(manifest, profile)
    different = _different_vectors(manifest, profile) + texts
    if different:
        raise _mismatch(different, REBUILD if texts else REINDEX)


def check_texts(manifest: Manifest, profile: IndexProfile) -> None:
    """The same, but for vectors: those that `profile` makes may go with the words there are."""
    if different := _different_texts(manifest, profile):
        raise _mismatch(different, REBUILD)


def _different_vectors(manifest: Manifest, profile: IndexProfile) -> list[str]:
    pairs: list[tuple[str, object, object]] = [
        ("modello di embedding", manifest.embedding_model, profile.embedding_model),
        ("dimensione dei vettori", manifest.embedding_dimension, profile.embedding_dimension),
    ]
    if manifest.embedding_model == profile.embedding_model:
        old, new = manifest.embedding_fingerprint, profile.embedding_fingerprint
        pairs.append(("versione del modello di embedding", old[:12], new[:12]))
        if old != new:  # older manifests do not tell their prefixes
            pairs += [
                ("prefisso delle domande", repr(manifest.query_prefix), repr(profile.query_prefix)),
                ("prefisso dei brani", repr(manifest.passage_prefix), repr(profile.passage_prefix)),
            ]
    return _told(pairs)


def _different_texts(manifest: Manifest, profile: IndexProfile) -> list[str]:
    pairs: list[tuple[str, object, object]] = [
        ("analisi delle parole", manifest.analyser, profile.analyser)
    ]
    if profile.passage_settings is not None:
        pairs.append(("taglio dei brani", manifest.passage_settings, profile.passage_settings))
    return _told(pairs)


def _told(pairs: Iterable[tuple[str, object, object]]) -> list[str]:
    return [f"{name}: {old} → {new}" for name, old, new in pairs if old != new]


def _mismatch(different: list[str], remedy: str) -> IndexMismatchError:
    return IndexMismatchError(
        "L'indice è stato creato con altre impostazioni (" + "; ".join(different) + ").",
        remedy=remedy,
    )


def _damaged(folder: Path, name: str, what: str) -> CorruptIndexError:
    return CorruptIndexError(
        f"L'indice {folder.name} è danneggiato: il file {name} {what}.",
        remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
    )
