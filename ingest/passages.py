"""Passages: stretches of a document that can be found, read and quoted on their own.

A section's blocks are cut where it hurts least (ingest/units.py, ingest/cuts.py). Headings open the
passage that they introduce. A short run of headings with no text of its own goes before the next
passage, and is left out at the end of a document or scheda; a long one is read as text. Short
fields of one scheda share a passage, each under its label.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.models import Passage, Quote, Span
from ingest.cuts import PassageSettings as PassageSettings
from ingest.cuts import Stretch, Unit, best_cuts
from ingest.models import SourceDocument
from ingest.sections import Placed, place_blocks
from ingest.units import make_units


@dataclass(frozen=True, slots=True)
class SheetRange:
    """Positions `first..last` (half-open, in `place_blocks` order) of one scheda or intervento."""

    first: int
    last: int
    reference: str


def make_passages(
    document_id: str,
    source: SourceDocument,
    settings: PassageSettings | None = None,
    blocks: Sequence[Placed] | None = None,
    sheets: Sequence[SheetRange] = (),
) -> list[Passage]:
    """The passages of a document in reading order.

    Every block but headings and running lines is in exactly one passage, whole but for outer
    blanks; others may repeat it to lead in. `blocks` spares a second call of `place_blocks`.
    """
    settings = settings or PassageSettings()
    blocks = place_blocks(source) if blocks is None else blocks
    texts = {page.number: page.text for page in source.pages}
    passages: list[Passage] = []
    for group in _groups(blocks, sheets, settings):
        units = make_units(group.blocks, settings)
        for first, last in best_cuts(units, settings):
            spans = _spans(units[first:last], texts)
            passages.append(
                Passage(
                    id=passage_id(document_id, spans),
                    document_id=document_id,
                    ordinal=len(passages),
                    text="\n".join(texts[s.page][s.start : s.end] for s in spans),
                    section=group.section,
                    spans=spans,
                    scheda=group.reference,
                )
            )
    return passages


def _spans(units: Sequence[Unit], texts: Mapping[int, str]) -> tuple[Span, ...]:
    """The spans of one passage, what leads into it first."""
    body = next((at for at, unit in enumerate(units) if unit.kind != "heading"), 0)
    # A heading at the foot of a page introduces what stands on the next.
    away = [unit for unit in units[:body] if unit.page != units[body].page]
    lead = [*units[0].lead, *((u.page, u.start, u.end) for u in away)]
    rest = ((u.page, u.start, u.end) for u in units[len(away) :])
    led = (replace(span, lead=True) for span in join_spans(lead, texts))
    return (*led, *join_spans(rest, texts))


def passage_id(document_id: str, spans: Iterable[Span]) -> str:
    """16 hexadecimal digits that depend on the document's bytes and the place alone."""
    places = ";".join(f"{s.page}:{s.start}-{s.end}" for s in spans)
    return hashlib.sha256(f"{document_id}|{places}".encode()).hexdigest()[:16]


def join_spans(stretches: Iterable[Stretch], texts: Mapping[int, str]) -> tuple[Span, ...]:
    """Stretches `(page, start, end)` as spans, neighbours joined over blanks only."""
    spans: list[Span] = []
    for page, start, end in stretches:
        last = spans[-1] if spans else None
        joins = last is not None and last.page == page and last.end <= start
        if last is not None and joins and not texts[page][last.end : start].strip():
            spans[-1] = Span(page, last.start, end)
        else:
            spans.append(Span(page, start, end))
    return tuple(spans)


def collect_quotes(
    document_id: str, stretches: Iterable[Stretch], texts: Mapping[int, str]
) -> tuple[Quote, ...]:
    """Exact quotes of stretches `(page, start, end)`, one for each span they join to."""
    return tuple(
        Quote(document_id, s.page, s.start, s.end, texts[s.page][s.start : s.end])
        for s in join_spans(stretches, texts)
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Blocks that may share passages: one section, or short fields of one scheda."""

    section: tuple[str, ...]
    reference: str | None
    blocks: tuple[Placed, ...]
    sheet: int = -1
    """Which scheda of the document it belongs to; -1 for none."""


def _groups(
    blocks: Sequence[Placed], sheets: Sequence[SheetRange], settings: PassageSettings
) -> list[_Group]:
    references: list[str | None] = [None] * len(blocks)
    sheet_of = [-1] * len(blocks)
    for number, sheet in enumerate(sheets):
        for at in range(sheet.first, sheet.last):
            references[at], sheet_of[at] = sheet.reference, number
    groups: list[_Group] = []
    headings: list[Placed] = []
    body: list[Placed] = []

    def close(at: int, *, last: bool) -> None:
        nonlocal headings, body
        reference, sheet = references[at], sheet_of[at]
        if body:
            stray, lead = _part_headings(headings, settings)
            if stray:
                groups.append(_read_as_text(stray, reference, sheet))
            groups.append(_Group(body[0].section, reference, (*lead, *body), sheet))
            headings, body = [], []
        elif last:
            if headings and (_size(headings) > settings.stray_chars or not groups):
                groups.append(_read_as_text(headings, reference, sheet))
            headings = []

    for at, block in enumerate(blocks):
        if at and sheet_of[at] != sheet_of[at - 1]:
            close(at - 1, last=True)
        if block.kind == "heading":
            close(at, last=False)
            headings.append(block)
        else:
            body.append(block)
    if blocks:
        close(len(blocks) - 1, last=True)
    return _join_fields(groups, settings)


def _join_fields(groups: Sequence[_Group], settings: PassageSettings) -> list[_Group]:
    """Short fields of one scheda together: "Scheda prevalente: 26" says nothing by itself.

    A joined group stands under the headings that its fields have in common.
    """
    joined: list[_Group] = []
    for group in groups:
        last = joined[-1] if joined else None
        if last is not None and group.sheet >= 0 and last.sheet == group.sheet:
            sizes = _size(last.blocks), _size(group.blocks)
            if min(sizes) < settings.min_chars and sum(sizes) <= settings.target_chars:
                common = tuple(
                    name
                    for i, name in enumerate(last.section)
                    if group.section[: i + 1] == last.section[: i + 1]
                )
                joined[-1] = replace(last, section=common, blocks=(*last.blocks, *group.blocks))
                continue
        joined.append(group)
    return joined


def _read_as_text(headings: Sequence[Placed], reference: str | None, sheet: int) -> _Group:
    blocks = tuple(replace(block, kind="text") for block in headings)
    return _Group(headings[0].section[:-1], reference, blocks, sheet)


def _part_headings(
    headings: list[Placed], settings: PassageSettings
) -> tuple[list[Placed], list[Placed]]:
    """Headings that only precede, when several make much text, and those of the section itself."""
    first = len(headings)
    while first and (first == len(headings) or headings[first - 1].level < headings[first].level):
        first -= 1
    if first > 1 and _size(headings[:first]) > settings.stray_chars:
        return headings[:first], headings[first:]
    return [], headings


def _size(blocks: Iterable[Placed]) -> int:
    return sum(block.end - block.start for block in blocks)
