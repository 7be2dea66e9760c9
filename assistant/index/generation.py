"""The data directory: immutable generations, one in use, one writer at a time."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from assistant.errors import AssistantError, CorruptIndexError, NoIndexError, NotFoundError
from assistant.index.backend import CATALOG, CHROMA, EXACT_ROWS, EmbeddedBackend, Prefer
from assistant.index.catalog_writer import check_stored_passages
from assistant.index.chroma import drop_from_server
from assistant.index.files import disk_bytes, sync_folder, write_atomically
from assistant.index.lock import current_writer, writer_lock
from assistant.index.manifest import (
    IndexProfile,
    check_hashes,
    check_profile,
    check_texts,
    read_manifest,
)
from assistant.index.protocol import Manifest
from assistant.index.staging import Staging
from assistant.models import Status
from assistant.settings import Settings

logger = logging.getLogger(__name__)

_STAGING = ".staging-"
_GENERATION_ID = re.compile(r"\d{8}T\d{12}-[0-9a-f]{6}")
_DOCUMENT_ID = re.compile(r"[0-9a-f]{64}")


class GenerationStore:
    """Reads from any number of threads and processes; writes through `writer` only."""

    def __init__(
        self,
        settings: Settings,
        profile: Callable[[], IndexProfile] | None = None,
        *,
        prefer: Prefer = "exact",
        exact_rows: int = EXACT_ROWS,
    ) -> None:
        """`profile` tells, when first needed, what today's settings ask of an index.

        Without it, generations can be written, listed, verified and rolled back, but not opened.
        """
        self.settings = settings
        self.data_dir = settings.data_dir
        self.folder = self.data_dir / "generations"
        self.originals = self.data_dir / "originals"
        self._profile = profile
        self._prefer: Prefer = prefer
        self._exact_rows = exact_rows

    def current_id(self) -> str | None:
        """The generation in use; None before the first ingest. Reads one small file."""
        try:
            text = (self.data_dir / "current").read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise CorruptIndexError(
                f"Il file {self.data_dir / 'current'} non si legge ({error}).",
                remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
            ) from error
        if not _GENERATION_ID.fullmatch(text):
            raise CorruptIndexError(
                f"Il file {self.data_dir / 'current'} non nomina un indice: {text[:60]!r}.",
                remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
            )
        return text

    def generation_ids(self) -> list[str]:
        """All generations on disk, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(p.name for p in self.folder.iterdir() if _GENERATION_ID.fullmatch(p.name))

    def manifest(self) -> Manifest:
        """Of the generation in use; raises NoIndexError, CorruptIndexError, IndexMismatchError."""
        return read_manifest(self.folder / self._require_current())

    def open_current(self) -> EmbeddedBackend:
        """Raises NoIndexError, IndexMismatchError, CorruptIndexError."""
        generation = self._require_current()
        folder = self.folder / generation
        manifest = read_manifest(folder)
        if self._profile is None:
            raise TypeError("this store was made without a profile")
        check_profile(manifest, replace(self._profile(), passage_settings=None))
        return EmbeddedBackend(
            folder,
            manifest,
            prefer=self._prefer,
            chroma_url=self.settings.chroma_url,
            exact_rows=self._exact_rows,
        )

    def original(self, document_id: str) -> Path:
        """The file as it was ingested; raises NotFoundError."""
        if _DOCUMENT_ID.fullmatch(document_id):
            found = sorted(self.originals.glob(f"{document_id}*"))
            if found:
                return found[0]
        raise NotFoundError(
            f"L'originale del documento {document_id[:80]!r} non c'è.",
            remedy="Gli identificativi sono nell'elenco dei documenti.",
        )

    def original_ids(self) -> set[str]:
        """The documents of which a copy is kept."""
        return {path.name.partition(".")[0] for path in self.originals.iterdir()}

    def verify(self) -> Manifest:
        """Reads the whole generation in use; raises CorruptIndexError when a byte is not right."""
        generation = self._require_current()
        folder = self.folder / generation
        manifest = read_manifest(folder)
        check_hashes(folder, manifest)
        check_stored_passages(folder / CATALOG)
        if manifest.chroma == "embedded" and not (folder / CHROMA).is_dir():
            raise CorruptIndexError(
                f"L'indice {generation} è danneggiato: manca la cartella {CHROMA}.",
                remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
            )
        return manifest

    def status(self) -> Status:
        """Cheap: a manifest and the sizes of files."""
        generation = self.current_id()
        manifest = self.manifest() if generation is not None else None
        counts = manifest.counts if manifest is not None else {}
        return Status(
            generation=generation,
            documents=counts.get("documents", 0),
            pages=counts.get("pages", 0),
            passages=counts.get("passages", 0),
            schede=counts.get("schede", 0),
            interventi=counts.get("interventi", 0),
            embedding=manifest.embedding_model if manifest is not None else None,
            writer=current_writer(self.data_dir),
            data_dir=str(self.data_dir),
            disk_bytes=disk_bytes(self.data_dir) if self.data_dir.is_dir() else 0,
            chat_model=self.settings.chat_model or None,
            vector_search=self._vector_search(counts["passages"]) if counts else None,
        )

    def rollback(self) -> str:
        """Goes back to the generation that the current one was made from; returns its id.

        Raises:
            NoIndexError: there is none to go back to.
            WriterBusyError: an ingest is running.
        """
        with writer_lock(self.data_dir):
            present = self.generation_ids()
            try:
                current = self._require_current()
            except CorruptIndexError:
                # The pointer itself is damaged: the newest generation is the one it meant.
                candidates = present
            else:
                parent = self._parent(current)
                candidates = [g for g in present if g < current]
                candidates = [parent] if parent in present else candidates
            if not candidates:
                raise NoIndexError(
                    "Non c'è un indice precedente a cui tornare.",
                    remedy="Esegui `piano ingest` per crearne uno nuovo.",
                )
            previous = str(candidates[-1])
            read_manifest(self.folder / previous)
            write_atomically(self.data_dir / "current", f"{previous}\n".encode())
            return previous

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        """The right to write.

        Whatever happens inside, the generation in use stays as it is until `Writer.publish`.

        Raises:
            WriterBusyError: another process is writing; says which.
            AssistantError: the disk is full or the folder may not be written.
        """
        try:
            with writer_lock(self.data_dir):
                self.folder.mkdir(exist_ok=True)
                self.originals.mkdir(exist_ok=True)
                self._clean_up()
                writer = Writer(self)
                try:
                    yield writer
                finally:
                    writer.discard()
        except (OSError, sqlite3.Error) as error:
            raise AssistantError(
                f"Non si riesce a scrivere in {self.data_dir} ({error}).",
                remedy="Controlla lo spazio su disco e i permessi. L'indice di prima resta in uso.",
            ) from error

    def publish(self, staging: Staging, manifest: Manifest) -> None:
        """Gives the finished folder its name, points `current` at it, and prunes old ones."""
        staging.folder.rename(self.folder / manifest.generation)
        sync_folder(self.folder)
        write_atomically(self.data_dir / "current", f"{manifest.generation}\n".encode())
        self.prune()

    def prune(self) -> None:
        """Deletes generations beyond `keep_generations`, and originals that none of them holds."""
        keep: list[str] = []
        generation: str | None = self.current_id()
        present = self.generation_ids()
        while generation in present and generation not in keep:
            keep.append(generation)
            generation = self._parent(generation)
        # After the line of descent, whatever else is newest: what a rollback left aside.
        keep += [g for g in reversed(present) if g not in keep]
        for old in keep[max(1, self.settings.keep_generations) :]:
            self._delete(old)
        self._prune_originals()

    def newest_known(self) -> str | None:
        """Where a rollback of a rebuild goes: the one in use, or the newest if nobody can say."""
        try:
            return self.current_id()
        except CorruptIndexError:
            return next(reversed(self.generation_ids()), None)

    def _delete(self, generation: str) -> None:
        """Renamed first, so that a half-deleted generation is never taken for a whole one.

        Readers that have it open keep their files: the system frees them at the last close.
        """
        try:
            chroma = read_manifest(self.folder / generation).chroma
        except AssistantError:
            chroma = "embedded"
        doomed = self.folder / f"{_STAGING}{generation}"
        (self.folder / generation).rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
        if chroma != "embedded":
            self._drop_collection(chroma, generation)

    def _prune_originals(self) -> None:
        held: set[str] = set()
        for generation in self.generation_ids():
            try:
                held.update(read_manifest(self.folder / generation).document_ids)
            except AssistantError:
                logger.warning("no original is deleted: generation %s is unreadable", generation)
                return
        for path in self.originals.iterdir():
            if path.name.partition(".")[0] not in held:
                path.unlink()

    def _clean_up(self) -> None:
        """Removes what a writer that was killed left behind."""
        for path in self.folder.glob(f"{_STAGING}*"):
            shutil.rmtree(path, ignore_errors=True)
            generation = path.name.removeprefix(_STAGING)
            if self.settings.chroma_url and _GENERATION_ID.fullmatch(generation):
                self._drop_collection(self.settings.chroma_url, generation)
        for path in [*self.originals.glob(".*"), *self.data_dir.glob(".current.*.tmp")]:
            path.unlink()

    def _drop_collection(self, url: str, generation: str) -> None:
        try:
            drop_from_server(url, generation)
        except AssistantError:
            logger.warning("collection of generation %s stays on %s", generation, url)

    def _parent(self, generation: str) -> str | None:
        try:
            return read_manifest(self.folder / generation).parent
        except AssistantError:
            return None

    def _require_current(self) -> str:
        generation = self.current_id()
        if generation is None:
            raise NoIndexError(
                "Non c'è ancora nessun documento indicizzato.",
                remedy="Esegui `piano ingest` per caricare i documenti.",
            )
        if not (self.folder / generation).is_dir():
            raise CorruptIndexError(
                f"L'indice in uso, {generation}, non c'è più.",
                remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
            )
        return generation

    def _vector_search(self, rows: int) -> str:
        large = bool(self.settings.chroma_url) or rows > self._exact_rows
        return "chroma" if self._prefer == "chroma" and large else "exact"


class Writer:
    """What the holder of the lock can do; made by `GenerationStore.writer`."""

    def __init__(self, store: GenerationStore) -> None:
        self._store = store
        self._staging: Staging | None = None

    def stage(
        self, profile: IndexProfile, *, fresh: bool = False, keep_vectors: bool = True
    ) -> Staging:
        """A copy of the generation in use to be changed, or with `fresh` an empty one.

        `profile` says, with the passage settings, what the additions will be made with. Without
        `keep_vectors` the copy has none, and those of any model may be added.

        Raises:
            IndexMismatchError: the generation in use was made with other settings.
        """
        store = self._store
        generation = new_generation_id()
        current = None
        base = None
        if fresh:
            current = store.newest_known()
        elif (current := store.current_id()) is not None:
            base = store.folder / current
            check = check_profile if keep_vectors else check_texts
            check(store.manifest(), profile)
        self._staging = Staging(
            store.folder / f"{_STAGING}{generation}",
            generation,
            profile,
            base=base,
            parent=current,
            chroma_url=store.settings.chroma_url,
            keep_vectors=keep_vectors,
        )
        return self._staging

    def keep_original(self, document_id: str, suffix: str, data: bytes) -> None:
        """Stores a copy named by its content; one that is already there is left alone."""
        safe = suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", suffix) else ""
        if not any(self._store.originals.glob(f"{document_id}*")):
            write_atomically(self._store.originals / f"{document_id}{safe}", data)

    def publish(self, staging: Staging, manifest: Manifest) -> str:
        """Makes a finished staging the generation in use."""
        self._store.publish(staging, manifest)
        self._staging = None
        return manifest.generation

    def discard(self) -> None:
        if self._staging is not None:
            self._staging.discard()
            self._staging = None


def new_generation_id() -> str:
    """UTC time to the microsecond, so that ids sort by age, and some chance."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f") + "-" + secrets.token_hex(3)
