"""The collections that questions are asked of: the documents, alone or with others among them.

A world is the documents plus what could mislead: hostile ones (eval/hostile), or noise up to
a share of the whole (eval/noise.py). The document ids are hashes of bytes, so that a gold quote
stands at the same place in every world.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import UsageError
from assistant.index.manifest import read_manifest
from assistant.settings import Settings
from eval.noise import write_noise
from eval.system import System, assistant_over, ingest_into

HOSTILE = "ostili"
HOSTILE_DOCUMENTS = Path(__file__).parent / "hostile" / "documents"
NOISE = {"rumore-20": 0.2, "rumore-40": 0.4, "rumore-60": 0.6, "rumore-80": 0.8}
"""Share of the collection's documents that is noise."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A system under test and what it was asked of, for the run's config."""

    system: System
    about: dict[str, Any]


Worlds = Callable[[str], AbstractContextManager[Collection]]
"""Name of a world (empty: the documents alone) → the system over it, opened."""


def worlds_over(settings: Settings, data_dir: Path) -> Worlds:
    """The worlds made from the documents of an index; `data_dir` itself is never changed."""

    @contextmanager
    def open_world(name: str) -> Iterator[Collection]:
        if not name:
            with assistant_over(settings, data_dir) as system:
                yield Collection(system, about(data_dir))
            return
        with tempfile.TemporaryDirectory(prefix="piano-eval-") as folder:
            copy, added = Path(folder) / "data", Path(folder) / "added"
            _copy_current(data_dir, copy)
            ingest_into(copy, _added_documents(name, data_dir, added))
            with assistant_over(settings, copy) as system:
                yield Collection(system, about(copy))

    return open_world


def only(system: System) -> Worlds:
    """A single collection, whatever it is: for systems that have no data directory."""

    @contextmanager
    def open_world(name: str) -> Iterator[Collection]:
        if name:
            raise _unknown(name)
        yield Collection(system, {"documents": len(system.documents())})

    return open_world


def about(data_dir: Path) -> dict[str, Any]:
    """What the manifest of the generation in use says, in short."""
    generation = (data_dir / "current").read_text("utf-8").strip()
    manifest = read_manifest(data_dir / "generations" / generation)
    ids = "\n".join(sorted(manifest.document_ids))
    return {
        "generation": generation,
        "corpus": hashlib.sha256(ids.encode()).hexdigest(),
        "counts": manifest.counts,
        "code_version": manifest.code_version,
        "embedding": f"{manifest.embedding_model} ({manifest.embedding_dimension})",
        "analyser": manifest.analyser,
        "passages": manifest.passage_settings,
    }


def _copy_current(data_dir: Path, copy: Path) -> None:
    """The generation in use and the originals; never conversations, runs or older generations."""
    generation = (data_dir / "current").read_text("utf-8").strip()
    shutil.copytree(data_dir / "generations" / generation, copy / "generations" / generation)
    shutil.copytree(data_dir / "originals", copy / "originals")
    (copy / "current").write_text(generation, encoding="utf-8")


def _added_documents(name: str, data_dir: Path, folder: Path) -> Path:
    if name == HOSTILE:
        return HOSTILE_DOCUMENTS
    if name not in NOISE:
        raise _unknown(name)
    documents = int(about(data_dir)["counts"]["documents"])
    share = NOISE[name]
    write_noise(folder, round(documents * share / (1 - share)))
    return folder


def _unknown(name: str) -> UsageError:
    return UsageError(
        f"La raccolta {name!r} non esiste.", remedy=f"Sono: {', '.join([HOSTILE, *NOISE])}."
    )
