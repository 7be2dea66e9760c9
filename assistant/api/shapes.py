"""What goes in and out over HTTP, beyond the models that travel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Protocol, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from assistant.models import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    FeedbackReason,
    Filters,
    Page,
    PinKey,
    SearchResult,
    Stage,
    Status,
    Understood,
)
from assistant.record_models import Intervento, Record, RecordKind, Scheda
from assistant.retrieval.filters import parse_filters, parse_ignored
from assistant.schede.filters import RecordFilters, make_filters
from assistant.schede.finder import RecordList

MAX_QUESTION = 2_000
"""Longest question, in characters."""
MAX_HISTORY = 50
"""Most earlier questions in one request."""
MAX_RECORDS = 5_000
"""Most schede or interventi asked for at once."""

QuestionText = Annotated[str, Field(max_length=MAX_QUESTION)]
Identifier = Annotated[str, Field(max_length=200)]
Title = Annotated[str, Field(max_length=200)]
Exact = Annotated[
    bool,
    Field(
        description="Cerca solo le parole della domanda, come sono scritte: niente altre parole, "
        "correzioni o traduzioni."
    ),
]
Ignore = Annotated[
    tuple[Annotated[str, Field(max_length=40)], ...],
    Field(
        max_length=20,
        description="Quello che la domanda nomina e che la ricerca non deve preferire: distretto, "
        "anno, scheda, atto, tipo.",
    ),
]
Event = Stage | Citation | AnswerSentence | Answer

_CLOSED = ConfigDict(extra="forbid")


class Service(Protocol):
    """What the API needs of assistant.service.Assistant."""

    def search(
        self,
        query: str,
        *,
        k: int = ...,
        filters: Filters = ...,
        expand: bool = ...,
        ignore: Sequence[str] = ...,
    ) -> SearchResult: ...
    def ask(
        self,
        question: str,
        *,
        filters: Filters = ...,
        history: Sequence[str] = ...,
        expand: bool = ...,
        ignore: Sequence[str] = ...,
    ) -> Answer: ...
    def stream(
        self,
        question: str,
        *,
        filters: Filters = ...,
        history: Sequence[str] = ...,
        expand: bool = ...,
        ignore: Sequence[str] = ...,
    ) -> Iterator[Event]: ...
    def documents(self) -> list[Document]: ...
    def document(self, document_id: str, /) -> Document: ...
    def page(self, document_id: str, number: int, /) -> Page: ...
    def schede(self) -> list[Scheda]: ...
    def interventi(self) -> list[Intervento]: ...
    def list_records(
        self, filters: RecordFilters, /, *, offset: int = ..., limit: int | None = ...
    ) -> RecordList: ...
    def record(self, identity: str, /) -> Record: ...
    def status(self) -> Status: ...
    def original(self, document_id: str, /) -> Path: ...
    def ready(self) -> bool: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class AskBody:
    """A question; `history` holds the earlier ones, oldest first, or comes from a conversation."""

    __pydantic_config__ = _CLOSED

    question: QuestionText
    filters: dict[str, Any] = field(default_factory=dict)
    """Keys distretto, tipo, anno, stato, scheda, documento; values a text, a number or a list."""
    history: Annotated[tuple[QuestionText, ...], Field(max_length=MAX_HISTORY)] = ()
    conversation_id: Identifier | None = None
    exact: Exact = False
    ignore: Ignore = ()


@dataclass(frozen=True, slots=True)
class MessageBody:
    """A question asked inside a conversation, whose earlier questions are its history."""

    __pydantic_config__ = _CLOSED

    question: QuestionText
    filters: dict[str, Any] = field(default_factory=dict)
    exact: Exact = False
    ignore: Ignore = ()


class Asked(TypedDict):
    """What the service is asked with, beside the text."""

    filters: Filters
    history: tuple[str, ...]
    expand: bool
    ignore: tuple[PinKey, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What a request asks, checked, with what was asked before it."""

    text: str
    asked: Asked

    @classmethod
    def of(cls, body: AskBody | MessageBody, history: Sequence[str]) -> Question:
        """Raises UsageError."""
        asked = Asked(
            filters=parse_filters(body.filters),
            history=tuple(history),
            expand=not body.exact,
            ignore=parse_ignored(body.ignore),
        )
        return cls(body.question, asked)


@dataclass(frozen=True, slots=True)
class ConversationBody:
    __pydantic_config__ = _CLOSED

    title: Title = ""


@dataclass(frozen=True, slots=True)
class RenameBody:
    __pydantic_config__ = _CLOSED

    title: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


@dataclass(frozen=True, slots=True)
class FeedbackBody:
    __pydantic_config__ = _CLOSED

    message_id: Identifier
    reason: FeedbackReason
    comment: Annotated[str, Field(max_length=4_000)] = ""


class DocumentsQuery(BaseModel):
    """Filters in a query string; a field may be repeated. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    distretto: list[str] = []
    tipo: list[str] = []
    anno: list[str] = []
    stato: list[str] = []

    def chosen(self) -> dict[str, Any]:
        """What `parse_filters` reads."""
        names = ("distretto", "tipo", "anno", "stato", "scheda", "documento")
        return {name: found for name in names if (found := getattr(self, name, None))}


class FilterQuery(DocumentsQuery):
    scheda: list[str] = []
    documento: list[str] = []


class SearchQuery(FilterQuery):
    q: QuestionText
    k: Annotated[int, Field(ge=1, le=100)] = 10
    exact: Exact = False
    ignore: Ignore = ()


class ConversationsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    q: Title = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 200
    empty: bool = True


class RecordsQuery(BaseModel):
    """Which records, and which stretch of the list; a repeated field offers alternatives."""

    model_config = ConfigDict(extra="forbid")

    q: Title = ""
    numero: list[Title] = []
    area: list[Title] = []
    destinatari: list[Title] = []
    distretto: list[Title] = []
    anno: list[Title] = []
    documento: list[Identifier] = []
    senza: list[Title] = []
    limit: Annotated[int, Field(ge=1, le=MAX_RECORDS)] | None = None
    """None for all of them."""
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0

    def filters(self, kind: RecordKind) -> RecordFilters:
        """Raises UsageError."""
        return make_filters(
            self.q, kind=kind, years=self.anno, number=self.numero, area=self.area,
            audience=self.destinatari, distretto=self.distretto, document=self.documento,
            without=self.senza, **self._of_kind(),
        )  # fmt: skip

    def _of_kind(self) -> dict[str, list[str]]:
        return {}


class InterventiQuery(RecordsQuery):
    """Also what only interventions have; `scheda` is the number of a regional one."""

    scheda: list[Title] = []
    capofila: list[Title] = []
    fonte: list[Title] = []

    def _of_kind(self) -> dict[str, list[str]]:
        return {"reference": self.scheda, "capofila": self.capofila, "source": self.fonte}


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A hit with its text, as assistant.wire writes it."""

    rank: int
    passage_id: str
    document_id: str
    title: str
    source: str
    page: int
    section: str
    score: float
    text: str
    page_end: int
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class Found:
    query: str
    hits: tuple[FoundPassage, ...]
    timings_ms: dict[str, float]
    generation: str
    understood: Understood = field(default_factory=Understood)
    """How the query was searched."""
    model: str = ""
    notices: tuple[str, ...] = ()
