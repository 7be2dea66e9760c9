"""The seam between retrieval and storage: what any search backend must do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from assistant.index.analysed import Analysed
from assistant.index.entries import RecordEntry
from assistant.models import Document, Filters, Page, Passage
from assistant.record_models import Intervento, Record, Scheda

Vectors = npt.NDArray[np.float32]


Alternative = tuple[tuple[str, ...], float]
"""A form's terms, all of which must be there, and what each of them counts."""


class Scored(NamedTuple):
    """A passage id and its score in one ranker's own scale; higher is better."""

    passage_id: str
    score: float


class Placed(NamedTuple):
    """The same by row, the number of a passage inside its generation."""

    row: int
    score: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was made with; opening it with other settings is an error."""

    generation: str
    created: str
    """ISO 8601, UTC."""
    code_version: str
    schema_version: int
    embedding_model: str
    embedding_fingerprint: str
    embedding_dimension: int
    analyser: str
    passage_settings: str
    document_ids: tuple[str, ...]
    counts: dict[str, int]
    """documents, pages, passages, schede, interventi."""
    files: dict[str, str]
    """SHA-256 of each file of the generation, but for files that a reader's opening touches."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes of the same files: checked at each opening, which hashes would make slow."""
    parent: str | None = None
    """The generation that this one was made from; where a rollback goes."""
    chroma: str = "embedded"
    """`embedded`, or the address of the Chroma server that holds the collection."""
    query_prefix: str = ""
    passage_prefix: str = ""
    """What was put before each passage, and is before each query, when it is embedded."""


class SearchBackend(Protocol):
    """One opened generation, read-only and safe to use from several threads."""

    @property
    def manifest(self) -> Manifest: ...

    @property
    def vector_search(self) -> str:
        """`exact` or `chroma`."""
        ...

    def lexical(
        self,
        terms: Sequence[str],
        k: int,
        filters: Filters,
        others: Sequence[Sequence[Alternative]] = (),
    ) -> list[Scored]:
        """BM25 over analysed terms (assistant.italian.analysis.terms), best first; ties by id.

        Each group of `others` holds alternatives for a part of the query; the best of them counts.
        """
        ...

    def characters(self, text: str, k: int, filters: Filters) -> list[Scored]:
        """BM25 over character 5-grams of the folded text, in the same order: forgives typos."""
        ...

    def nearest(self, vector: Vectors, k: int, filters: Filters) -> list[Scored]:
        """Cosine of `vector` (shape `(dimension,)`, unit length), best first; ties by id."""
        ...

    def gram_frequency(self, gram: str) -> int:
        """Passages whose folded text holds a character 5-gram."""
        ...

    def analysed(self, ids: Sequence[str]) -> list[Analysed]:
        """Terms of the passages, sentence by sentence, in the order of `ids`."""
        ...

    def document_frequency(self, term: str) -> int:
        """Number of passages that hold an analysed term (title and section not counted)."""
        ...

    def passages(self, ids: Sequence[str]) -> list[Passage]:
        """Passages in the order of `ids`; raises CorruptIndexError for an unknown id."""
        ...

    def document_passages(self, document_id: str) -> list[Passage]: ...

    def documents(self) -> list[Document]:
        """All documents, by title."""
        ...

    def distretti(self) -> list[str]:
        """Names of the districts that documents are of, each once, in a fixed order."""
        ...

    def document(self, document_id: str) -> Document:
        """Raises NotFoundError."""
        ...

    def page(self, document_id: str, number: int) -> Page:
        """Raises NotFoundError."""
        ...

    def schede(self) -> list[Scheda]: ...

    def interventi(self) -> list[Intervento]: ...

    def record_entries(self) -> list[RecordEntry]:
        """All schede, then all interventi, in short."""
        ...

    def records(self, ids: Sequence[str]) -> list[Record]:
        """Schede and interventi in the order of `ids`; raises NotFoundError for an unknown id."""
        ...

    def close(self) -> None: ...
