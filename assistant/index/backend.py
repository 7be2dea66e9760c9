"""One opened generation: catalogue, words, vectors behind the SearchBackend seam."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Literal

from assistant.errors import CorruptIndexError, IndexMismatchError
from assistant.index.analysed import Analysed
from assistant.index.catalog import Catalog, Source
from assistant.index.chroma import ChromaVectors
from assistant.index.entries import RecordEntry
from assistant.index.lexical import LexicalIndex
from assistant.index.manifest import REBUILD, check_sizes
from assistant.index.matrix import ExactMatrix
from assistant.index.protocol import Alternative, Manifest, Placed, Scored, Vectors
from assistant.index.selection import Selection
from assistant.models import Document, Filters, Page, Passage
from assistant.record_models import Intervento, Record, Scheda

CATALOG, LEXICAL, VECTORS = "catalog.sqlite", "lexical", "vectors"
MATRIX, CHROMA = f"{VECTORS}/matrix.npy", f"{VECTORS}/chroma"

Prefer = Literal["exact", "chroma"]

EXACT_ROWS = 100_000
"""Up to here the exact matrix is as fast as Chroma's index and never misses, so it answers."""

_REMEMBERED_FILTERS = 64
"""Each takes a byte for each passage."""


class EmbeddedBackend:
    """Read-only, safe to use from several threads; see SearchBackend for the methods."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        *,
        prefer: Prefer = "exact",
        chroma_url: str = "",
        exact_rows: int = EXACT_ROWS,
    ) -> None:
        """`prefer="chroma"` uses Chroma for unfiltered searches over more than `exact_rows` rows.

        With a Chroma server it is used whatever the size. Filtered searches are always exact.

        Raises:
            CorruptIndexError: a file is missing, has another size, or cannot be opened.
            IndexMismatchError: the vectors are on another Chroma server than the settings say.
        """
        check_sizes(folder, manifest)
        self._manifest = manifest
        self._catalog = Catalog(folder / CATALOG)
        self._lexical = LexicalIndex(folder / LEXICAL)
        self._matrix = ExactMatrix(folder / MATRIX)
        self._chroma: ChromaVectors | None = None
        self._selections: dict[Filters, Selection] = {}
        self._lock = Lock()
        counts = (self._lexical.count, self._matrix.count)
        if counts != (manifest.counts["passages"],) * 2:
            raise CorruptIndexError(
                f"L'indice {manifest.generation} non torna: {manifest.counts['passages']} brani"
                f" nel catalogo, {counts[0]} nell'indice delle parole, {counts[1]} vettori.",
                remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
            )
        if prefer == "chroma" and (chroma_url or self._matrix.count > exact_rows):
            self._chroma = _open_chroma(folder, manifest, chroma_url)

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    @property
    def vector_search(self) -> str:
        return "exact" if self._chroma is None else "chroma"

    def lexical(
        self,
        terms: Sequence[str],
        k: int,
        filters: Filters,
        others: Sequence[Sequence[Alternative]] = (),
    ) -> list[Scored]:
        return self._named(self._lexical.words(terms, k, self._selection(filters), others), k)

    def characters(self, text: str, k: int, filters: Filters) -> list[Scored]:
        return self._named(self._lexical.characters(text, k, self._selection(filters)), k)

    def nearest(self, vector: Vectors, k: int, filters: Filters) -> list[Scored]:
        if not vector.any():
            return []
        if self._chroma is not None and not filters:
            return self._chroma.nearest(vector, k)
        return self._named(self._matrix.nearest(vector, k, self._selection(filters)), k)

    def document_frequency(self, term: str) -> int:
        return self._lexical.document_frequency(term)

    def gram_frequency(self, gram: str) -> int:
        return self._lexical.gram_frequency(gram)

    def analysed(self, ids: Sequence[str]) -> list[Analysed]:
        return [Analysed(text) for text in self._catalog.analysed(ids)]

    def passages(self, ids: Sequence[str]) -> list[Passage]:
        return self._catalog.passages(ids)

    def document_passages(self, document_id: str) -> list[Passage]:
        return self._catalog.document_passages(document_id)

    def documents(self) -> list[Document]:
        return self._catalog.documents()

    def distretti(self) -> list[str]:
        return self._catalog.distretti()

    def document(self, document_id: str) -> Document:
        return self._catalog.document(document_id)

    def page(self, document_id: str, number: int) -> Page:
        return self._catalog.page(document_id, number)

    def schede(self) -> list[Scheda]:
        return self._catalog.schede()

    def interventi(self) -> list[Intervento]:
        return self._catalog.interventi()

    def record_entries(self) -> list[RecordEntry]:
        return self._catalog.record_entries()

    def records(self, ids: Sequence[str]) -> list[Record]:
        return self._catalog.records(ids)

    def sources(self) -> list[Source]:
        return self._catalog.sources()

    def close(self) -> None:
        self._catalog.close()
        if self._chroma is not None:
            self._chroma.close()

    def _named(self, found: Sequence[Placed], k: int) -> list[Scored]:
        """The `k` best by id, which breaks ties: rows depend on the order of ingestion."""
        ids = self._catalog.passage_ids([one.row for one in found])
        scored = [Scored(identity, one.score) for identity, one in zip(ids, found, strict=True)]
        return sorted(scored, key=lambda item: (-item.score, item.passage_id))[:k]

    def _selection(self, filters: Filters) -> Selection | None:
        """What the filters keep, remembered: the data cannot change."""
        if not filters:
            return None
        with self._lock:
            if filters in self._selections:
                return self._selections[filters]
        found = self._catalog.select(filters)
        with self._lock:
            if len(self._selections) >= _REMEMBERED_FILTERS:
                self._selections.clear()
            self._selections[filters] = found
        return found


def _open_chroma(folder: Path, manifest: Manifest, chroma_url: str) -> ChromaVectors:
    if manifest.chroma != (chroma_url or "embedded"):
        raise IndexMismatchError(
            f"I vettori dell'indice sono in Chroma «{manifest.chroma}»,"
            f" le impostazioni dicono «{chroma_url or 'embedded'}».",
            remedy=REBUILD,
        )
    if chroma_url:
        chroma = ChromaVectors.on_server(chroma_url, manifest.generation)
    else:
        chroma = ChromaVectors.in_folder(folder / CHROMA)
    if chroma.count != manifest.counts["passages"]:
        found = chroma.count
        chroma.close()
        raise CorruptIndexError(
            f"Chroma ha {found} vettori, il catalogo {manifest.counts['passages']} brani.",
            remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
        )
    return chroma
