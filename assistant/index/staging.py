"""A generation being written, in a folder that no reader looks into."""

from __future__ import annotations

import importlib.metadata
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from assistant.errors import CorruptIndexError
from assistant.index.analysed import analyse
from assistant.index.backend import CATALOG, CHROMA, LEXICAL, MATRIX, VECTORS
from assistant.index.catalog import SCHEMA_VERSION, Source
from assistant.index.catalog_writer import CatalogWriter, Parts, check_stored_passages
from assistant.index.chroma import ChromaVectors
from assistant.index.chroma_feed import ChromaFeed
from assistant.index.files import link_or_copy, sync_tree, walk
from assistant.index.lexical import LexicalIndex, LexicalWriter
from assistant.index.manifest import IndexProfile, describe_files, write_manifest
from assistant.index.matrix import ExactMatrix, check_vectors, write_matrix
from assistant.index.progress import Progress
from assistant.index.protocol import Manifest, Vectors
from assistant.index.selection import Rows

_NEW_ROWS = "new-rows.f32"
_CHROMA_DATABASE = "chroma.sqlite3"


class Staging:
    """Additions as they come, removals at the end; then `finish` checks it all."""

    def __init__(
        self,
        folder: Path,
        generation: str,
        profile: IndexProfile,
        *,
        base: Path | None = None,
        parent: str | None = None,
        chroma_url: str = "",
        keep_vectors: bool = True,
    ) -> None:
        """`base` is the folder of the generation to start from; None starts from nothing.

        Without `keep_vectors` it comes without its own: `add_vectors` gives each passage a new one.
        """
        self.folder = folder
        self.generation = generation
        self._profile = profile
        self._parent = parent
        self._chroma_url = chroma_url
        (folder / VECTORS).mkdir(parents=True)
        if base is not None:
            _copy_base(base, folder, with_chroma=keep_vectors and not chroma_url)
        kept = base if keep_vectors else None
        self._base_matrix = ExactMatrix(kept / MATRIX) if kept is not None else None
        self._catalog = CatalogWriter(folder / CATALOG)
        self._lexical = LexicalWriter(folder / LEXICAL)
        self._new_rows = (folder / _NEW_ROWS).open("wb")
        self._removed: set[str] = set()
        self._lost: tuple[list[Rows], list[str]] | None = None
        self._feed = None if chroma_url else ChromaFeed(self._open_embedded)

    def add(self, parts: Parts, vectors: Vectors) -> None:
        """`vectors` has shape `(len(parts.passages), dimension)`, unit rows or zeros.

        Raises:
            CorruptIndexError: a passage that does not agree with its pages.
            EmbeddingError: vectors of another shape, or not finite.
        """
        dimension = self._profile.embedding_dimension
        vectors = check_vectors(vectors, len(parts.passages), dimension)
        analysed = [analyse(passage.text) for passage in parts.passages]
        first = self._catalog.add(parts, analysed)
        self._lexical.add(parts.document, parts.passages, analysed, first)
        self.add_vectors([passage.id for passage in parts.passages], vectors)

    def add_vectors(self, passage_ids: Sequence[str], vectors: Vectors) -> None:
        """The vectors of passages that are in the catalogue: all that lack one, in row order.

        Raises:
            EmbeddingError: vectors of another shape, or not finite.
        """
        dimension = self._profile.embedding_dimension
        vectors = check_vectors(vectors, len(passage_ids), dimension)
        self._new_rows.write(vectors.tobytes())
        if self._feed is not None:
            self._feed.add(passage_ids, vectors)

    def remove(self, document_ids: Iterable[str]) -> None:
        """Documents of the base that `finish` takes out."""
        self._removed.update(document_ids)

    def set_sources(self, sources: Iterable[Source], gone: Iterable[str] = ()) -> None:
        """Records where documents were read, and forgets the locations in `gone`."""
        self._catalog.set_sources(sources, gone)

    def rename(self, document_id: str, source: str) -> None:
        """Says under which source a document is shown from now on."""
        self._catalog.rename(document_id, source)

    def settled_catalog(self) -> CatalogWriter:
        """The catalogue once everything is added and what is removed is out of it."""
        self._apply_removals()
        return self._catalog

    def finish(self, progress: Progress) -> Manifest:
        """Closes every file, checks that the parts agree, and makes the folder durable.

        Raises:
            CorruptIndexError: the parts do not agree; nothing may be published.
        """
        progress.stage("Scrittura dell'indice", None)
        self._new_rows.close()
        rows, removed_ids = self._apply_removals()
        self._finish_lexical(rebuild=bool(rows))
        count = write_matrix(
            self.folder / MATRIX,
            self._base_matrix,
            rows,
            self.folder / _NEW_ROWS,
            self._profile.embedding_dimension,
        )
        (self.folder / _NEW_ROWS).unlink()
        chroma_count = self._finish_chroma(removed_ids, rows, progress)
        counts = self._catalog.counts()
        document_ids = self._catalog.document_ids()
        self._catalog.close(commit=True)
        progress.stage("Controllo dell'indice", None)
        self._check(counts["passages"], count, chroma_count)
        hashes, sizes = describe_files(self.folder)
        manifest = Manifest(
            generation=self.generation,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            code_version=importlib.metadata.version("piano"),
            schema_version=SCHEMA_VERSION,
            embedding_model=self._profile.embedding_model,
            embedding_fingerprint=self._profile.embedding_fingerprint,
            embedding_dimension=self._profile.embedding_dimension,
            analyser=self._profile.analyser,
            passage_settings=self._profile.passage_settings or "",
            document_ids=document_ids,
            counts=counts,
            files=hashes,
            sizes=sizes,
            parent=self._parent,
            chroma=self._chroma_url or "embedded",
            query_prefix=self._profile.query_prefix,
            passage_prefix=self._profile.passage_prefix,
        )
        write_manifest(self.folder, manifest)
        sync_tree(self.folder)
        return manifest

    def discard(self) -> None:
        """Throws everything away; the current generation was never touched."""
        self._new_rows.close()
        self._catalog.close(commit=False)
        self._lexical.close(commit=False)
        if self._feed is not None:
            self._feed.abandon()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _apply_removals(self) -> tuple[list[Rows], list[str]]:
        """Rows and passage ids that the catalogue loses; done once, remembered after."""
        if self._lost is None:
            rows = self._catalog.rows_of(self._removed)
            ids = [i for stretch in rows for i in self._catalog.passage_ids(stretch)]
            self._catalog.remove(self._removed)
            self._lost = (rows, ids)
        return self._lost

    def _finish_lexical(self, *, rebuild: bool) -> None:
        """Writes the words; with removals from nothing.

        A tantivy index counts deleted passages in its statistics until it merges, so the same
        documents would score differently depending on how they came to be there. And rows move.
        """
        self._lexical.close(commit=not rebuild)
        if rebuild:
            shutil.rmtree(self.folder / LEXICAL)
            self._lexical = LexicalWriter(self.folder / LEXICAL)
            for row, (document, passage, analysed) in enumerate(self._catalog.passages()):
                self._lexical.add(document, [passage], [analysed], row)
            self._lexical.close(commit=True)

    def _finish_chroma(
        self, removed_ids: Sequence[str], rows: Sequence[Rows], progress: Progress
    ) -> int:
        """Returns how many vectors Chroma holds."""
        if self._feed is not None:
            chroma = self._feed.finish()
            chroma.remove(removed_ids)
        else:
            chroma = ChromaVectors.on_server(self._chroma_url, self.generation, create=True)
            matrix = ExactMatrix(self.folder / MATRIX).rows
            ids = self._catalog.passage_ids(Rows(0, len(matrix)))
            progress.stage("Vettori al server Chroma", len(ids))
            for done in chroma.add(ids, matrix):
                progress.advance(done)
        try:
            return chroma.count
        finally:
            chroma.close()

    def _open_embedded(self) -> ChromaVectors:
        folder = self.folder / CHROMA
        return ChromaVectors.in_folder(folder, create=not folder.exists())

    def _check(self, passages: int, rows: int, chroma: int) -> None:
        words = LexicalIndex(self.folder / LEXICAL).count
        if not passages == rows == chroma == words:
            raise CorruptIndexError(
                f"Il nuovo indice non torna: {passages} brani, {words} nell'indice delle parole,"
                f" {rows} vettori, {chroma} in Chroma. L'indice di prima resta in uso.",
                remedy="Esegui `piano ingest --rebuild`.",
            )
        check_stored_passages(self.folder / CATALOG)


def _copy_base(base: Path, folder: Path, *, with_chroma: bool) -> None:
    """Links what is written once, copies what this generation will change; the matrix is remade."""
    shutil.copyfile(base / CATALOG, folder / CATALOG)
    (folder / LEXICAL).mkdir()
    for path in walk(base / LEXICAL):
        # tantivy never changes a segment's file; it replaces the lists of them, and locks.
        copy = shutil.copyfile if path.name.startswith((".", "meta")) else link_or_copy
        copy(path, folder / LEXICAL / path.name)
    if not with_chroma:
        return
    for path in walk(base / CHROMA):
        target = folder / CHROMA / path.relative_to(base / CHROMA)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.name == _CHROMA_DATABASE:
            _copy_database(path, target)
        elif not path.name.startswith(_CHROMA_DATABASE):
            shutil.copyfile(path, target)


def _copy_database(source: Path, target: Path) -> None:
    """A consistent copy even while a reader's opening changes a few bytes of the original."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
