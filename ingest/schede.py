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

from assistant.models import Document, Field, Intervento, Scheda
from ingest.labels import Label, find_label, label_of
from ingest.models import SourceDocument
from ingest.passages import SheetRange, collect_quotes
from ingest.sections import Placed

MIN_LABELS = 3
"""Fewer different labels in a whole document are taken for ordinary words."""
MAX_TITLE_CHARS = 250

_NUMBER = (
    r"(?:n(?:um(?:ero)?|r)?\s*[.°º]?\s*)?"
    r"(?P<number>(?:[A-Z]{1,2}\s?[-.]?\s?)?\d{1,4}(?:[./]\d{1,3})?(?:\s*(?:bis|ter))?)"
)
_TITLE = r"\s*(?:[-–—:.)|]\s*(?P<title>\S.*?))?\s*"
_INTERVENTO = re.compile(
    r"(?:scheda\s+(?:(?:di|d['’])\s*)?|progetto\s+)?intervento\s+" + _NUMBER + _TITLE,
    re.IGNORECASE | re.DOTALL,
)
_SCHEDA = re.compile(
    r"scheda\s+(?:(?:attuativa|regionale|dimostrativa|tematica)\s+){0,2}"
    r"(?:(?:di|d['’])\s*intervento\s+)?" + _NUMBER + _TITLE,
    re.IGNORECASE | re.DOTALL,
)
_SCHEDA_UNNUMBERED = re.compile(
    r"scheda\s+attuativa\s*[-–—:]\s*(?P<title>\S.*?)\s*", re.IGNORECASE | re.DOTALL
)
_CONTENTS_ENTRY = re.compile(r"(?:\.{3,}|…|\t|\s{2,})\s*\d+\s*$")


@dataclass(frozen=True, slots=True)
class Records:
    schede: tuple[Scheda, ...] = ()
    interventi: tuple[Intervento, ...] = ()
    ranges: tuple[SheetRange, ...] = ()
    promoted: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """For `place_blocks`: levels that put each sheet's title above its fields."""


@dataclass(frozen=True, slots=True)
class _Start:
    at: int
    intervento: bool
    number: str | None
    title: str
    level: int
    """Level of the title, or the one it gets when it is an ordinary line."""


def find_records(document: Document, source: SourceDocument, blocks: Sequence[Placed]) -> Records:
    """The sheets of a document; ranges count positions in `blocks`."""
    texts = {page.number: page.text for page in source.pages}
    schede: list[Scheda] = []
    interventi: list[Intervento] = []
    ranges: list[SheetRange] = []
    promoted: dict[tuple[int, int], int] = {}
    labels_found: set[str] = set()
    starts = _starts(blocks)
    for number, start in enumerate(starts):
        limit = starts[number + 1].at if number + 1 < len(starts) else len(blocks)
        last = _end(blocks, start, limit)
        stretches = _stretches(blocks[start.at + 1 : last])
        if not stretches:
            continue
        labels_found.update(label.name for label in stretches)
        intervento = (
            start.intervento
            or document.kind == "piano_di_zona"
            or any(label.only == "intervento" for label in stretches)
        )
        fields = tuple(
            Field(label.name, "\n".join(q.text for q in quotes), quotes)
            for label, places in stretches.items()
            if (quotes := collect_quotes(document.id, places, texts))
        )
        title = _full_title(start, blocks, last, fields)
        first_block, last_block = blocks[start.at], blocks[last - 1]
        record_id = _record_id(document.id, first_block, intervento=intervento)
        if intervento:
            interventi.append(
                Intervento(
                    record_id, document.id, start.number, title,
                    first_block.page, last_block.page, document.distretto, fields,
                )
            )  # fmt: skip
            reference = f"Intervento {start.number}"
        else:
            schede.append(
                Scheda(
                    record_id, document.id, start.number, title,
                    first_block.page, last_block.page, fields,
                )
            )  # fmt: skip
            reference = start.number or title[:60]
        ranges.append(SheetRange(start.at, last, reference))
        promoted[first_block.page, first_block.start] = start.level
        for block in blocks[start.at + 1 : last]:
            if block.kind == "heading" and block.level <= start.level:
                promoted[block.page, block.start] = start.level + 1
    if len(labels_found) < MIN_LABELS:
        return Records()
    return Records(tuple(schede), tuple(interventi), tuple(ranges), promoted)


def _record_id(document_id: str, block: Placed, *, intervento: bool) -> str:
    kind = "intervento" if intervento else "scheda"
    place = f"{document_id}|{kind}|{block.page}:{block.start}"
    return hashlib.sha256(place.encode()).hexdigest()[:16]


def _starts(blocks: Sequence[Placed]) -> list[_Start]:
    starts: list[_Start] = []
    above = 0
    for at, block in enumerate(blocks):
        if block.kind == "heading" and label_of(block.text) is None:
            above = block.level
        if block.kind not in ("heading", "text") or len(block.text) > MAX_TITLE_CHARS:
            continue
        level = block.level if block.kind == "heading" else above + 1
        title = block.section[-1] if block.kind == "heading" else " ".join(block.text.split())
        start = _read_start(at, title, level)
        if start is None or (block.kind == "text" and start.title.endswith((".", ";", ","))):
            continue
        previous = starts[-1] if starts else None
        repeated = (
            previous
            and previous.number
            and (
                (previous.number, previous.intervento) == (start.number, start.intervento)
                and start.title in ("", previous.title)
            )
        )
        if not repeated:
            starts.append(start)
            if block.kind == "heading":
                above = block.level
    return starts


def _read_start(at: int, text: str, level: int) -> _Start | None:
    if _CONTENTS_ENTRY.search(text):
        return None
    for pattern, intervento in ((_INTERVENTO, True), (_SCHEDA, False)):
        if found := pattern.fullmatch(text):
            title = " ".join((found["title"] or "").split())
            return _Start(at, intervento, found["number"], title, level)
    if found := _SCHEDA_UNNUMBERED.fullmatch(text):
        return _Start(at, False, None, " ".join(found["title"].split()), level)
    return None


def _end(blocks: Sequence[Placed], start: _Start, limit: int) -> int:
    """First position behind the sheet."""
    title_pending = not start.title
    for at in range(start.at + 1, limit):
        block = blocks[at]
        if block.kind == "heading" and label_of(block.text) is None:
            if title_pending and at == start.at + 1:
                continue
            if block.level <= start.level:
                return at
    return limit


def _full_title(start: _Start, blocks: Sequence[Placed], last: int, fields: Sequence[Field]) -> str:
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


def _stretches(blocks: Sequence[Placed]) -> dict[Label, list[tuple[int, int, int]]]:
    """For each label found, the stretches `(page, start, end)` of its value, in order."""
    found: dict[Label, list[tuple[int, int, int]]] = {}
    current: list[tuple[int, int, int]] | None = None
    label_level = 0
    for block in blocks:
        if block.kind == "heading":
            label = label_of(block.text)
            if label is not None:
                current, label_level = found.setdefault(label, []), block.level
                continue
            if block.level <= label_level or not label_level:
                current = None
        offset = block.start
        for line in block.text.split("\n"):
            start, offset = offset, offset + len(line) + 1
            hit = None
            if block.kind != "heading":
                hit = find_label(line, row=block.kind == "table_row")
            if hit is not None:
                current = found.setdefault(hit.label, [])
                start += hit.value_start
                line = line[hit.value_start :]
            stripped = line.strip()
            if current is not None and stripped:
                start += len(line) - len(line.lstrip())
                current.append((block.page, start, start + len(stripped)))
    return {label: places for label, places in found.items() if places}
