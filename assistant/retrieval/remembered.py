"""A generation read through a memory: what it says never changes, so it is read once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

from assistant.index.analysed import Analysed
from assistant.index.entries import RecordEntry
from assistant.index.protocol import Alternative, Manifest, Scored, SearchBackend, Vectors
from assistant.models import Document, Filters, Page, Passage
from assistant.record_models import Intervento, Record, Scheda

TERMS = 50_000
"""Frequencies kept."""

DOCUMENTS = 4_096
"""Documents kept: a few hundred bytes each."""

PASSAGES = 8_192
"""Passages kept: about a kilobyte each, and the same objects that the answer path keeps read."""

RECORDS = 2_048
"""Schede and interventi kept whole: some 40 kB each."""


class Remembered:
    """A SearchBackend in front of another; safe to use from several threads."""

    def __init__(self, backend: SearchBackend) -> None:
        self._backend = backend
        self._document = lru_cache(DOCUMENTS)(backend.document)
        self._gram_frequency = lru_cache(TERMS)(backend.gram_frequency)
        self._frequency = lru_cache(TERMS)(backend.document_frequency)
        # Filled by hand, because passages are read many at a time.
        self._passages: dict[str, Passage] = {}
        self._analysed: dict[str, Analysed] = {}
        self._records: dict[str, Record] = {}

    @property
    def manifest(self) -> Manifest:
        return self._backend.manifest

    @property
    def vector_search(self) -> str:
        return self._backend.vector_search

    def lexical(
        self,
        terms: Sequence[str],
        k: int,
        filters: Filters,
        others: Sequence[Sequence[Alternative]] = (),
    ) -> list[Scored]:
        return self._backend.lexical(terms, k, filters, others)

    def characters(self, text: str, k: int, filters: Filters) -> list[Scored]:
        return self._backend.characters(text, k, filters)

    def nearest(self, vector: Vectors, k: int, filters: Filters) -> list[Scored]:
        return self._backend.nearest(vector, k, filters)

    def gram_frequency(self, gram: str) -> int:
        return self._gram_frequency(gram)

    def analysed(self, ids: Sequence[str]) -> list[Analysed]:
        known = self._analysed
        unknown = [identity for identity in ids if identity not in known]
        if unknown:
            read = dict(zip(unknown, self._backend.analysed(unknown), strict=True))
            known = {**known, **read}
            self._analysed = known if len(known) <= PASSAGES else read
        return [known[identity] for identity in ids]

    def document_frequency(self, term: str) -> int:
        return self._frequency(term)

    def passages(self, ids: Sequence[str]) -> list[Passage]:
        known = self._passages
        found = {identity: known[identity] for identity in ids if identity in known}
        unknown = [identity for identity in ids if identity not in found]
        if unknown:
            read = {passage.id: passage for passage in self._backend.passages(unknown)}
            found.update(read)
            # A new dictionary: another thread may be reading the old one.
            self._passages = {**known, **read} if len(known) < PASSAGES else read
        return [found[identity] for identity in ids]

    def document_passages(self, document_id: str) -> list[Passage]:
        return self._backend.document_passages(document_id)

    def documents(self) -> list[Document]:
        return list(self._documents)

    def distretti(self) -> list[str]:
        return list(self._distretti)

    def document(self, document_id: str) -> Document:
        return self._document(document_id)

    def page(self, document_id: str, number: int) -> Page:
        return self._backend.page(document_id, number)

    def schede(self) -> list[Scheda]:
        return self._backend.schede()

    def interventi(self) -> list[Intervento]:
        return self._backend.interventi()

    def record_entries(self) -> list[RecordEntry]:
        return list(self._entries)

    def records(self, ids: Sequence[str]) -> list[Record]:
        known = self._records
        unknown = [identity for identity in ids if identity not in known]
        if unknown:
            read = {record.id: record for record in self._backend.records(unknown)}
            known = {**known, **read}
            self._records = known if len(known) <= RECORDS else read
        return [known[identity] for identity in ids]

    def close(self) -> None:
        self._backend.close()

    @cached_property
    def _entries(self) -> tuple[RecordEntry, ...]:
        return tuple(self._backend.record_entries())

    @cached_property
    def _distretti(self) -> tuple[str, ...]:
        return tuple(self._backend.distretti())

    @cached_property
    def _documents(self) -> tuple[Document, ...]:
        return tuple(self._backend.documents())
