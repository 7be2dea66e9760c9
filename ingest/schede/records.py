"""Records inside documents: regional schede and the intervention sheets of district plans.

A sheet starts at its title ("Scheda 5 – …", "Intervento 3 – …"), in a heading or in a line that is
nothing but the title, and ends before the next sheet or the next heading of its own level or above
that is no field label. A title followed by no known field (an index, a mention) is no sheet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assistant.models import Document
from assistant.record_models import Field, Intervento, RecordKind, Scheda
from ingest.models import SourceDocument
from ingest.passages import SheetRange
from ingest.schede.fields import BULLET, FieldDraft, read_fields
from ingest.schede.flow import Flow, Source, Stretch
from ingest.schede.gaps import find_gaps
from ingest.schede.labels import find_label, label_of
from ingest.schede.starts import MAX_TITLE_CHARS, Start, find_starts
from ingest.schede.typed import Typed, read_typed
from ingest.sections import Placed

_CHAPTER_NUMBER = re.compile(r"\s*\d{1,2}(?:\.\d{1,2})*[.)]?\s+\S")
MIN_LABELS = 3
"""Fewer different labels in a whole document are taken for ordinary words."""
MIN_SHEET_LABELS = 2
"""A sheet with fewer is one only when its title is a heading."""


@dataclass(frozen=True, slots=True)
class Records:
    schede: tuple[Scheda, ...] = ()
    interventi: tuple[Intervento, ...] = ()
    ranges: tuple[SheetRange, ...] = ()
    promoted: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """For `place_blocks`: levels that put each sheet's title above its fields."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    start: Start
    last: int
    """Position behind its last block."""
    drafts: tuple[FieldDraft, ...]

    @property
    def filled(self) -> tuple[FieldDraft, ...]:
        return tuple(draft for draft in self.drafts if draft.rows)


def find_records(document: Document, source: SourceDocument, blocks: Sequence[Placed]) -> Records:
    """The sheets of a document; ranges count positions in `blocks`."""
    origin = Source(document.id, {page.number: page.text for page in source.pages})
    sheets = _without_echoes(_sheets(blocks, origin), blocks)
    if len({draft.label.name for sheet in sheets for draft in sheet.filled}) < MIN_LABELS:
        return Records()
    empty_pages = frozenset(source.pages_without_text)
    schede: list[Scheda] = []
    interventi: list[Intervento] = []
    ranges: list[SheetRange] = []
    promoted: dict[tuple[int, int], int] = {}
    for sheet in sheets:
        start = sheet.start
        record = _record(document, sheet, blocks, origin, empty_pages)
        if isinstance(record, Intervento):
            interventi.append(record)
            reference = f"Intervento {record.number}" if record.number else record.title[:60]
        else:
            schede.append(record)
            reference = record.number or record.title[:60]
        ranges.append(SheetRange(start.at, sheet.last, reference))
        promoted[blocks[start.at].page, blocks[start.at].start] = start.level
        for block in blocks[start.at + 1 : sheet.last]:
            if block.kind == "heading" and block.level <= start.level:
                promoted[block.page, block.start] = start.level + 1
    return Records(tuple(schede), tuple(interventi), tuple(ranges), promoted)


def _sheets(blocks: Sequence[Placed], origin: Source) -> list[_Sheet]:
    starts = find_starts(blocks)
    sheets: list[_Sheet] = []
    for number, start in enumerate(starts):
        limit = starts[number + 1].at if number + 1 < len(starts) else len(blocks)
        last = _end(blocks, start, limit)
        first = start.at if not start.named and label_row(blocks[start.at]) else start.at + 1
        drafts = tuple(read_fields(blocks[first:last], origin))
        sheet = _Sheet(start, last, drafts)
        if sheet.filled:
            sheets.append(sheet)
    return sheets


def label_row(block: Placed) -> bool:
    """Whether the block that begins a sheet is its first field too."""
    hit = find_label(block.text, row=block.kind == "table_row")
    return hit is not None and hit.label.name == "Titolo"


def _without_echoes(sheets: Sequence[_Sheet], blocks: Sequence[Placed]) -> list[_Sheet]:
    """Leaves out mentions that a few ordinary words made look like sheets.

    These are titles that the document has again with more fields below, and lines with a single
    field below.
    """
    best: dict[tuple[bool, str], int] = {}
    for sheet in sheets:
        if sheet.start.number:
            key = (sheet.start.intervento, sheet.start.number.lower())
            best[key] = max(best.get(key, 0), len(sheet.filled))
    kept: list[_Sheet] = []
    for sheet in sheets:
        fields, number = len(sheet.filled), sheet.start.number
        again = best[sheet.start.intervento, number.lower()] if number else 0
        if fields < MIN_LABELS and again > fields:
            continue
        if fields < MIN_SHEET_LABELS and blocks[sheet.start.at].kind != "heading":
            continue
        kept.append(sheet)
    return kept


def _record(
    document: Document,
    sheet: _Sheet,
    blocks: Sequence[Placed],
    origin: Source,
    empty_pages: frozenset[int],
) -> Scheda | Intervento:
    start, filled = sheet.start, sheet.filled
    first, last = blocks[start.at], blocks[sheet.last - 1]
    intervento = (
        start.intervento
        or document.kind == "piano_di_zona"
        or any(draft.label.only == "intervento" for draft in filled)
    )
    kind: RecordKind = "intervento" if intervento else "scheda"
    typed: Typed = read_typed(kind, filled, origin)
    fields = tuple(_field(draft, origin) for draft in filled)
    number = start.number or _number_field(fields)
    title = _full_title(start, blocks, sheet.last, fields)
    identity = _record_id(document.id, first, kind)
    gaps = find_gaps(kind, sheet.drafts, first.page, last.page, empty_pages)
    if kind == "scheda":
        return Scheda(
            identity, document.id, number, title, first.page, last.page, fields,
            typed.areas, typed.targets, typed.indicators, gaps, typed.notes,
        )  # fmt: skip
    return Intervento(
        identity, document.id, number, title, first.page, last.page, document.distretto, fields,
        document.year_from, document.year_to, typed.capofila, typed.continuity, typed.ambito,
        typed.references, typed.areas, typed.targets, typed.spending, typed.indicators, gaps,
        typed.notes,
    )  # fmt: skip


def _field(draft: FieldDraft, origin: Source) -> Field:
    flow: Flow = draft.flow(origin)
    quotes = tuple(map(origin.quote, _joined(flow.stretches, origin)))
    printed = origin.text(draft.printed)
    return Field(draft.label.name, "\n".join(quote.text for quote in quotes), quotes, printed)


def _joined(stretches: Sequence[Stretch], origin: Source) -> list[Stretch]:
    """Neighbours with only blanks between made one; items of a list within a line stay apart."""
    found: list[Stretch] = []
    for stretch in stretches:
        if found and found[-1].page == stretch.page:
            gap = origin.texts[stretch.page][found[-1].end : stretch.start]
            item = BULLET.match(origin.text(stretch))
            if not gap.strip() and ("\n" in gap or not item):
                found[-1] = Stretch(stretch.page, found[-1].start, stretch.end)
                continue
        found.append(stretch)
    return found


def _number_field(fields: Sequence[Field]) -> str | None:
    text = next((entry.text for entry in fields if entry.name == "Numero"), "")
    return " ".join(text.split()) if 0 < len(text) <= 12 else None


def _record_id(document_id: str, block: Placed, kind: RecordKind) -> str:
    place = f"{document_id}|{kind}|{block.page}:{block.start}"
    return hashlib.sha256(place.encode()).hexdigest()[:16]


def _end(blocks: Sequence[Placed], start: Start, limit: int) -> int:
    """First position behind the sheet."""
    title_pending = not start.title
    for at in range(start.at + 1, limit):
        block = blocks[at]
        if block.kind != "heading":
            continue
        if block.level < start.level and _CHAPTER_NUMBER.match(block.text):
            return at  # "6. Le risorse" above the sheet is a chapter, whatever its words
        label = label_of(block.text)
        if label is not None and not label.aside:
            continue
        if (label is None and find_label(block.text)) or (title_pending and at == start.at + 1):
            continue
        if block.level <= start.level and not _goes_on(blocks, start, at, limit):
            return at
    return limit


def _goes_on(blocks: Sequence[Placed], start: Start, at: int, limit: int) -> bool:
    """Whether a heading as high as the title still is inside the sheet.

    It is when headings that are labels stand as high too, and more of them follow: an unknown
    label among known ones.
    """
    before = {
        label.name
        for block in blocks[start.at + 1 : at]
        if block.kind == "heading" and block.level == blocks[at].level
        and (label := label_of(block.text)) is not None
    }  # fmt: skip
    if not before:
        return False
    for block in blocks[at + 1 : limit]:
        if block.kind == "heading":
            label = label_of(block.text)
            return label is not None and label.name not in before
    return False


def _full_title(start: Start, blocks: Sequence[Placed], last: int, fields: Sequence[Field]) -> str:
    if start.title:
        return start.title
    for entry in fields:
        if entry.name == "Titolo":
            return " ".join(entry.text.split())
    if start.at + 1 < last:
        following = blocks[start.at + 1]
        if len(following.text) <= MAX_TITLE_CHARS and find_label(following.text) is None:
            return " ".join(following.text.split())
    return " ".join(blocks[start.at].text.split())
