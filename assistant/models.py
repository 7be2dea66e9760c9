"""The models that travel: frozen dataclasses shared by every part.

Pages and ranks start at 1. Offsets count Unicode code points of the canonical page text and are
half-open: `page.text[start:end]`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

DocumentKind = Literal["piano", "scheda", "linea_guida", "piano_di_zona", "atto", "pagina", "altro"]
DocumentStatus = Literal["in_force", "superseded", "unknown"]
RelationKind = Literal["superseded_by", "updated_by", "near_duplicate"]
AnswerStatus = Literal["answered", "partial", "not_found", "clarify", "out_of_scope"]
Verdict = Literal["verbatim", "supported", "unsupported"]
Mode = Literal["extractive", "generative"]
FeedbackReason = Literal["utile", "pagina_sbagliata", "incompleta", "non_trovata", "errata"]
RecordKind = Literal["scheda", "intervento"]
CapofilaKind = Literal["comune", "unione", "ausl", "asp", "altro"]
AmbitoKind = Literal["distrettuale", "sub-distrettuale", "sovra-distrettuale"]
IndicatorUnit = Literal["numero", "percentuale", "si_no"]
IndicatorLevel = Literal["distrettuale", "regionale"]
ValueKind = Literal["atteso", "raggiunto"]

KINDS: tuple[str, ...] = get_args(DocumentKind)


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
    """What the score is made of: lexical, characters, dense."""


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
    """Embedding model, and chat model when one wrote the sentences."""
    generation: str
    timings_ms: dict[str, float] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record: its words and where they stand (several quotes when over pages)."""

    name: str
    text: str
    quotes: tuple[Quote, ...]
    label: str = ""
    """The label as printed in this document; empty when it stands nowhere on its own."""


@dataclass(frozen=True, slots=True)
class Area:
    """An area of the regional plan; `letter` is None when only its name is printed."""

    letter: str | None
    words: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """One group that a sheet is meant for, as printed."""

    words: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """Money from one source; `cents` (of euro) is None when the words are no amount."""

    source: str
    """Who pays, as printed; for a total, how it is called."""
    cents: int | None
    words: str
    quotes: tuple[Quote, ...]
    """Of the source and of the amount."""
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """The estimate of a sheet: amounts by source and the total as printed, never computed."""

    amounts: tuple[Amount, ...]
    total: Amount | None = None
    totals_by_year: tuple[Amount, ...] = ()
    adds_up: bool | None = None
    """Whether the sources give the printed total; None when it cannot be told."""


@dataclass(frozen=True, slots=True)
class IndicatorValue:
    """What an indicator is to be, or was, in a year; `value` is None when words are no value."""

    words: str
    value: bool | int | float | None
    """SI and NO are booleans; 45% is 45 with the indicator's unit `percentuale`."""
    year: int | None
    kind: ValueKind
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Indicator:
    name: str
    unit: IndicatorUnit | None
    level: IndicatorLevel
    values: tuple[IndicatorValue, ...]
    quotes: tuple[Quote, ...]
    """Of the name."""


@dataclass(frozen=True, slots=True)
class SchedaReference:
    """A regional scheda that an intervention refers to."""

    number: str
    title: str
    """As printed beside the number; often empty."""
    main: bool
    """Whether the sheet says that this is the prevailing one."""
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Capofila:
    """Who leads an intervention; `kind` is read from the name."""

    name: str
    kind: CapofilaKind
    detail: str
    """The sheet's `Specifica del soggetto capofila`, often an office."""
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Ambito:
    """Where an intervention takes place; `kind` is None when the words say none of the three."""

    kind: AmbitoKind | None
    detail: str
    words: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Continuity:
    """Whether an intervention goes on from the years before; None when it is neither yes nor no."""

    value: bool | None
    words: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A field that its template expects and that was not read; `text` tells it in Italian."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Scheda:
    """A scheda attuativa of the regional plan."""

    id: str
    document_id: str
    number: str | None
    title: str
    page_start: int
    page_end: int
    fields: tuple[Field, ...]
    areas: tuple[Area, ...] = ()
    targets: tuple[Target, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader should know of the sheet, in Italian."""


@dataclass(frozen=True, slots=True)
class Intervento:
    """A scheda intervento of a district's Piano di zona."""

    id: str
    document_id: str
    number: str | None
    title: str
    page_start: int
    page_end: int
    distretto: str | None
    fields: tuple[Field, ...]
    year_from: int | None = None
    """Years of its document."""
    year_to: int | None = None
    capofila: Capofila | None = None
    continuity: Continuity | None = None
    ambito: Ambito | None = None
    references: tuple[SchedaReference, ...] = ()
    areas: tuple[Area, ...] = ()
    targets: tuple[Target, ...] = ()
    spending: Spending | None = None
    indicators: tuple[Indicator, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader should know of the sheet, in Italian."""


Record = Scheda | Intervento


@dataclass(frozen=True, slots=True)
class Filters:
    """Restrictions on a search: values of one field are alternatives, fields add up."""

    distretto: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    year: tuple[int, ...] = ()
    scheda: tuple[str, ...] = ()
    document: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.distretto, self.kind, self.year, self.scheda, self.document))


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
