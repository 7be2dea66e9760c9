"""The models that travel: frozen dataclasses shared by every part.

Pages and ranks start at 1. Offsets count Unicode code points of the canonical page text and are
half-open: `page.text[start:end]`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

DocumentKind = Literal["piano", "scheda", "linea_guida", "piano_di_zona", "atto", "pagina", "altro"]
DocumentStatus = Literal["in_force", "superseded", "unknown"]
FilteredStatus = Literal["in_force", "superseded"]
"""By which a search is restricted: what is not known to be superseded counts as in force."""
RelationKind = Literal["superseded_by", "updated_by", "near_duplicate"]
AnswerStatus = Literal["answered", "partial", "not_found", "clarify", "out_of_scope"]
Verdict = Literal["verbatim", "supported", "unsupported"]
Mode = Literal["extractive", "generative"]
PinKey = Literal["distretto", "anno", "scheda", "atto", "tipo"]
FeedbackReason = Literal["utile", "pagina_sbagliata", "incompleta", "non_trovata", "errata"]

KINDS: tuple[str, ...] = get_args(DocumentKind)
PIN_KEYS: tuple[str, ...] = get_args(PinKey)


@dataclass(frozen=True, slots=True)
class Document:
    """One ingested file or page; `id` is the SHA-256 (hex) of its bytes."""

    id: str
    title: str
    kind: DocumentKind
    source: str
    """Path as given at ingest, or URL."""
    media_type: str
    page_count: int
    distretto: str | None = None
    ausl: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    official: bool = False
    demonstration: bool = False
    status: DocumentStatus = "unknown"
    superseded_by: str | None = None
    """Title of the document that takes its place, or the words with which it is named."""
    superseded_by_id: str | None = None
    """Its id, when it is in the index too."""
    updated_by: tuple[str, ...] = ()
    """Ids of its yearly updates."""
    near_duplicates: tuple[str, ...] = ()
    """Ids of documents with nearly the same text."""
    also_at: tuple[str, ...] = ()
    """Other sources from which the very same content was read."""
    notes: tuple[str, ...] = ()
    """What a reader should know of the quality, in Italian."""
    pages_without_text: tuple[int, ...] = ()
    """Blank pages, and images of which no text could be recognised."""
    ocr_pages: tuple[int, ...] = ()
    """Pages whose text was recognised in an image."""
    ocr_engine: str = ""
    """Program, version and language that recognised them, or would have; empty without one."""


@dataclass(frozen=True, slots=True)
class Relation:
    """How a document stands to another one of the index; `why` is Italian."""

    kind: RelationKind
    document_id: str
    other_id: str
    why: str
    share: float | None = None
    """For near duplicates, the share of common text, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page and its canonical text, the one every offset refers to."""

    document_id: str
    number: int
    text: str
    printed_label: str | None = None
    ocr_confidence: float | None = None
    """Mean confidence (0-100) of a text recognised in an image; None for a text that was read."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Words that stand in a page: `text == page.text[start:end]`."""

    document_id: str
    page: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one page's canonical text."""

    page: int
    start: int
    end: int
    lead: bool = False
    """Whether it introduces a passage from elsewhere: the caption and the column names of a table
    that began before, the line above a list, a heading at the foot of an earlier page."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrievable unit: consecutive spans of one document, inside one section and one scheda.

    `text` is the spans' texts joined by a newline, so each offset in it maps back to a page. Spans
    that lead in come first, may stand anywhere before, and are no part of the passage's place.
    """

    id: str
    document_id: str
    ordinal: int
    """Position in the document, from 0."""
    text: str
    section: tuple[str, ...]
    """Headings from the outermost to the nearest."""
    spans: tuple[Span, ...]
    scheda: str | None = None
    """Reference of the scheda or intervento it belongs to, e.g. "5" or "Intervento 12"."""

    @property
    def page_start(self) -> int:
        return self._first.page

    @property
    def page_end(self) -> int:
        return self.spans[-1].page

    @property
    def start(self) -> int:
        return self._first.start

    @property
    def end(self) -> int:
        return self.spans[-1].end

    @property
    def _first(self) -> Span:
        return next((span for span in self.spans if not span.lead), self.spans[0])

    def quotes(self, start: int, end: int) -> tuple[Quote, ...]:
        """The exact quotes behind `text[start:end]`, one for each page span it touches."""
        found: list[Quote] = []
        offset = 0
        for span in self.spans:
            length = span.end - span.start
            low, high = max(start, offset), min(end, offset + length)
            if low < high:
                first = span.start + low - offset
                found.append(
                    Quote(
                        self.document_id, span.page, first, first + high - low, self.text[low:high]
                    )
                )
            offset += length + 1
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query; `score` is higher for better, comparable inside one query."""

    rank: int
    score: float
    passage: Passage
    document: Document
    parts: dict[str, float] = field(default_factory=dict)
    """What the legs and a cross-encoder say of it."""


@dataclass(frozen=True, slots=True)
class Pin:
    """What the words of a question pin down, and the ranking prefers until it is taken away."""

    key: PinKey
    value: str
    """As a filter takes it; a range of years is `2017-2019`, an act `dgr:1423/2017`."""
    label: str
    """The value as people say it, in Italian."""


@dataclass(frozen=True, slots=True)
class Understood:
    """How a text was searched, beyond its own words."""

    also_searched: tuple[str, ...] = ()
    """Other words, the plans' own."""
    corrections: tuple[tuple[str, str], ...] = ()
    """Words as written, and what they were read as."""
    translated: str = ""
    """The Italian text that was searched for a question in English; else empty."""
    pins: tuple[Pin, ...] = ()
    exact: bool = False
    """Whether only the user's own words were to be searched."""
    ignored: tuple[PinKey, ...] = ()
    """Pins that the user took away."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote shown with its number and with what a reader needs to find it."""

    n: int
    document_id: str
    title: str
    kind: DocumentKind
    distretto: str | None
    year: int | None
    source: str
    page: int
    section: str
    start: int
    end: int
    quote: str
    demonstration: bool = False
    printed_label: str | None = None
    status: DocumentStatus = "unknown"
    superseded_by: str | None = None
    """Title of the text in force, when the cited one is superseded."""
    ocr_confidence: float | None = None
    """Mean confidence (0-100) of the page when its text was recognised in an image."""


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence of an answer with the numbers of its citations; `why` explains the verdict."""

    text: str
    verdict: Verdict
    citations: tuple[int, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class AnswerHit:
    """A hit as it travels in an answer: where it is, not its text."""

    rank: int
    document_id: str
    source: str
    page: int
    score: float
    passage_id: str
    title: str = ""

    @classmethod
    def of(cls, hit: Hit) -> AnswerHit:
        return cls(
            rank=hit.rank,
            document_id=hit.document.id,
            source=hit.document.source,
            page=hit.passage.page_start,
            score=hit.score,
            passage_id=hit.passage.id,
            title=hit.document.title,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, what was understood, and the sentences that answer, or a typed silence."""

    question: str
    understood_as: str
    status: AnswerStatus
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    notices: tuple[str, ...]
    hits: tuple[AnswerHit, ...]
    mode: Mode
    model: str
    """Embedding model, cross-encoder when one put the hits in order, chat model when one wrote."""
    generation: str
    timings_ms: dict[str, float] = field(default_factory=dict)
    understood: Understood = Understood()
    """Of the search that the answer rests on."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the work, told to whoever is waiting; `label` is Italian."""

    name: Literal["understand", "search", "read", "write", "check"]
    label: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    query: str
    hits: tuple[Hit, ...]
    generation: str
    timings_ms: dict[str, float] = field(default_factory=dict)
    understood: Understood = Understood()
    model: str = ""
    """Embedding model, and cross-encoder when one put the hits in order."""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """Restrictions on a search: values of one field are alternatives, fields add up."""

    distretto: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    year: tuple[int, ...] = ()
    scheda: tuple[str, ...] = ()
    document: tuple[str, ...] = ()
    status: tuple[FilteredStatus, ...] = ()

    def __bool__(self) -> bool:
        return any((self.distretto, self.kind, self.year, self.scheda, self.document, self.status))


@dataclass(frozen=True, slots=True)
class Status:
    """What `piano status` tells; `generation` is None before the first ingest."""

    generation: str | None
    documents: int
    pages: int
    passages: int
    schede: int
    interventi: int
    embedding: str | None
    writer: dict[str, str] | None
    data_dir: str
    disk_bytes: int
    chat_model: str | None = None
    vector_search: str | None = None
    """"exact" (memory-mapped matrix) or "chroma" (HNSW index or server)."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat kept on this machine; times are ISO 8601, UTC."""

    id: str
    title: str
    """Given by the user, else the first question; empty before it."""
    created: str
    updated: str
    messages: int
    """How many questions were asked in it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A question and its answer, as kept in a conversation."""

    id: str
    conversation_id: str
    created: str
    answer: Answer

    @property
    def question(self) -> str:
        return self.answer.question


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a user says of one answer."""

    id: str
    message_id: str
    created: str
    reason: FeedbackReason
    comment: str


@dataclass(frozen=True, slots=True)
class ConversationWithMessages:
    conversation: Conversation
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class MessageKept:
    """The last event of a stream inside a conversation: where the answer was kept."""

    id: str
    conversation_id: str
    created: str


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """A page with its document and its neighbours; `previous` and `next` are page numbers."""

    document: Document
    number: int
    label: str | None
    """As printed on the page."""
    text: str
    previous: int | None
    next: int | None
    ocr_confidence: float | None = None
    """Mean confidence (0-100) of a text recognised in an image; None for a text that was read."""

    @classmethod
    def of(cls, document: Document, page: Page) -> DocumentPage:
        return cls(
            document=document,
            number=page.number,
            label=page.printed_label,
            text=page.text,
            previous=page.number - 1 if page.number > 1 else None,
            next=page.number + 1 if page.number < document.page_count else None,
            ocr_confidence=page.ocr_confidence,
        )
