"""Passages: stretches of a document that can be found, read and quoted on their own.

A section's blocks are cut where it hurts least: between paragraphs rather than between list items
or table rows, between those rather than inside a paragraph, and there only between sentences.
Headings open the passage that they introduce. A short run of headings with no text of its own
goes before the next passage; at the end of a document or scheda it is left out, unless it is all
there is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from itertools import pairwise

from assistant.italian.sentences import runs_on, split_sentences
from assistant.models import Passage, Quote, Span
from ingest.models import BlockKind, SourceDocument
from ingest.sections import Placed, place_blocks

PASSAGE_ALGORITHM = 1
"""To be raised when the same settings give other passages than before."""

BREAK_PARAGRAPH, BREAK_LIST, BREAK_TABLE, BREAK_SENTENCE = 0.0, 30.0, 60.0, 45.0
BREAK_LABEL, BREAK_CLAUSE, BREAK_GLUED = 50.0, 120.0, 400.0
"""Costs of ending a passage there; BREAK_GLUED parts what should be read together."""


@dataclass(frozen=True, slots=True)
class PassageSettings:
    """Sizes in characters of canonical text."""

    target_chars: int = 750
    """The size that passages tend to."""
    max_chars: int = 900
    """Exceeded only to keep together what is read together."""
    min_chars: int = 200
    """A shorter rest of a section joins its neighbour when it can."""
    stray_chars: int = 120
    """Headings without text longer than this, together, are a passage of their own."""
    max_units: int = 64
    """Most blocks or sentences in one passage; bounds the work on tables of tiny rows."""

    @property
    def fingerprint(self) -> str:
        """Goes into the manifest: generations with other passages must not be mixed."""
        return "v{}-{}-{}-{}-{}-{}".format(PASSAGE_ALGORITHM, *astuple(self))


@dataclass(frozen=True, slots=True)
class SheetRange:
    """Positions `first..last` (half-open, in `place_blocks` order) of one scheda or intervento."""

    first: int
    last: int
    reference: str


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut: a block, or a sentence of a long one."""

    page: int
    start: int
    end: int
    kind: BlockKind
    cut_after: float
    """Cost of ending a passage behind this unit."""


def make_passages(
    document_id: str,
    source: SourceDocument,
    settings: PassageSettings | None = None,
    blocks: Sequence[Placed] | None = None,
    sheets: Sequence[SheetRange] = (),
) -> list[Passage]:
    """The passages of a document in reading order.

    Every block but headings and running lines is in exactly one passage, whole but for outer
    blanks. `blocks` spares a second call of `place_blocks`.
    """
    settings = settings or PassageSettings()
    blocks = place_blocks(source) if blocks is None else blocks
    texts = {page.number: page.text for page in source.pages}
    passages: list[Passage] = []
    for group in _groups(blocks, sheets, settings):
        units = _units(group.blocks, settings)
        for first, last in _best_cuts(units, settings):
            spans = join_spans(((u.page, u.start, u.end) for u in units[first:last]), texts)
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


def passage_id(document_id: str, spans: Iterable[Span]) -> str:
    """16 hexadecimal digits that depend on the document's bytes and the place alone."""
    places = ";".join(f"{s.page}:{s.start}-{s.end}" for s in spans)
    return hashlib.sha256(f"{document_id}|{places}".encode()).hexdigest()[:16]


def join_spans(
    stretches: Iterable[tuple[int, int, int]], texts: Mapping[int, str]
) -> tuple[Span, ...]:
    """Stretches `(page, start, end)` as spans, neighbours joined over blanks only."""
    spans: list[Span] = []
    for page, start, end in stretches:
        if spans and spans[-1].page == page and not texts[page][spans[-1].end : start].strip():
            spans[-1] = Span(page, spans[-1].start, end)
        else:
            spans.append(Span(page, start, end))
    return tuple(spans)


def collect_quotes(
    document_id: str, stretches: Iterable[tuple[int, int, int]], texts: Mapping[int, str]
) -> tuple[Quote, ...]:
    """Exact quotes of stretches `(page, start, end)`, one for each span they join to."""
    return tuple(
        Quote(document_id, s.page, s.start, s.end, texts[s.page][s.start : s.end])
        for s in join_spans(stretches, texts)
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Blocks that may share passages: one section of one scheda, headings first."""

    section: tuple[str, ...]
    reference: str | None
    blocks: tuple[Placed, ...]


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

    def close(reference: str | None, *, last: bool) -> None:
        nonlocal headings, body
        if body:
            stray, lead = _part_headings(headings, settings)
            if stray:
                groups.append(_Group(stray[0].section[:-1], reference, tuple(stray)))
            groups.append(_Group(body[0].section, reference, (*lead, *body)))
            headings, body = [], []
        elif last:
            if headings and (_size(headings) > settings.stray_chars or not groups):
                groups.append(_Group(headings[0].section[:-1], reference, tuple(headings)))
            headings = []

    for at, block in enumerate(blocks):
        if at and sheet_of[at] != sheet_of[at - 1]:
            close(references[at - 1], last=True)
        if block.kind == "heading":
            close(references[at], last=False)
            headings.append(block)
        else:
            body.append(block)
    if blocks:
        close(references[-1], last=True)
    return groups


def _part_headings(
    headings: list[Placed], settings: PassageSettings
) -> tuple[list[Placed], list[Placed]]:
    """Headings that only precede, when they are much text, and those of the section itself."""
    first = len(headings)
    while first and (first == len(headings) or headings[first - 1].level < headings[first].level):
        first -= 1
    if _size(headings[:first]) > settings.stray_chars:
        return headings[:first], headings[first:]
    return [], headings


def _size(blocks: Iterable[Placed]) -> int:
    return sum(block.end - block.start for block in blocks)


def _units(blocks: Sequence[Placed], settings: PassageSettings) -> list[_Unit]:
    units: list[_Unit] = []
    for at, block in enumerate(blocks):
        following = blocks[at + 1] if at + 1 < len(blocks) else None
        opens_table = at == 0 or blocks[at - 1].kind != "table_row"
        cut = _cut_cost(block, following, opens_table=opens_table)
        pieces = _pieces(block, settings)
        for start, end, inner_cut in pieces[:-1]:
            units.append(_Unit(block.page, start, end, block.kind, inner_cut))
        start, end, _ = pieces[-1]
        units.append(_Unit(block.page, start, end, block.kind, cut))
    return units


def _cut_cost(block: Placed, following: Placed | None, *, opens_table: bool) -> float:
    if following is None:
        return 0.0
    if block.kind == "heading":
        return BREAK_GLUED * 10
    introduces = block.kind == "text" and block.text.rstrip().endswith(":")
    if introduces or runs_on(block.text, following.text):
        if block.kind == following.kind == "list_item":
            return BREAK_LIST
        return BREAK_GLUED if introduces or block.kind == "text" else BREAK_SENTENCE
    if following.kind == "table_row":
        if block.kind != "table_row":
            return BREAK_TABLE if len(block.text) < MAX_CAPTION_CHARS else BREAK_PARAGRAPH
        return BREAK_GLUED if opens_table else BREAK_TABLE
    if block.kind == following.kind == "list_item":
        return BREAK_LIST
    if block.kind == "text" and len(block.text) < MAX_LABEL_CHARS and block.text[-1].isalnum():
        return BREAK_LABEL
    return BREAK_PARAGRAPH


MAX_LABEL_CHARS = 60
"""A shorter paragraph without a closing mark is taken for the label of what follows."""
MAX_CAPTION_CHARS = 160
"""A shorter paragraph just before a table is taken for its caption."""


def _pieces(block: Placed, settings: PassageSettings) -> list[tuple[int, int, float]]:
    """`(start, end, cost of a cut behind it)`; together they hold all but blanks of the block."""
    lead = len(block.text) - len(block.text.lstrip())
    start, text = block.start + lead, block.text.strip()
    if len(text) <= settings.target_chars or block.kind == "heading":
        return [(start, start + len(text), 0.0)]
    begins = [0, *(first for first, _ in split_sentences(text)[1:]), len(text)]
    pieces: list[tuple[int, int, float]] = []
    for first, last in pairwise(begins):
        for low, high in _clauses(text, first, last, settings.max_chars):
            pieces.append((start + low, start + high, BREAK_CLAUSE))
        if pieces:
            pieces[-1] = (*pieces[-1][:2], BREAK_SENTENCE)
    return pieces


def _clauses(text: str, first: int, last: int, longest: int) -> list[tuple[int, int]]:
    """A sentence whole, or cut at the best mark so that no part exceeds `longest`."""
    parts: list[tuple[int, int]] = []
    while last - first > longest:
        half, limit = first + longest // 2, first + longest
        at = max(text.rfind(mark, half, limit) for mark in ("; ", ": ", "\n"))
        if at < 0:
            at = text.rfind(", ", half, limit)
        if at < 0:
            at = text.rfind(" ", half, limit - 1)
        at = limit if at < 0 else at + 1
        parts.append((first, at))
        first = at
    parts.append((first, last))
    stripped = []
    for low, high in parts:
        piece = text[low:high]
        if piece.strip():
            low += len(piece) - len(piece.lstrip())
            stripped.append((low, low + len(piece.strip())))
    return stripped


def _best_cuts(units: Sequence[_Unit], settings: PassageSettings) -> list[tuple[int, int]]:
    """Ranges of units with the lowest total cost of sizes and cuts (dynamic programming)."""
    sizes = [unit.end - unit.start + 1 for unit in units]
    count = len(units)
    if sum(sizes) <= settings.max_chars:
        return [(0, count)]
    size_costs = _size_costs(settings)
    ceiling = len(size_costs) - 1
    best = [0.0] + [float("inf")] * count
    origin = [0] * (count + 1)
    for last in range(1, count + 1):
        cut = units[last - 1].cut_after if last < count else 0.0
        size = -1
        for first in range(last - 1, max(-1, last - 1 - settings.max_units), -1):
            size += sizes[first]
            if size > ceiling:
                if first < last - 1:
                    break
                size = ceiling
            cost = best[first] + cut + size_costs[size]
            if cost < best[last]:
                best[last], origin[last] = cost, first
    cuts: list[tuple[int, int]] = []
    last = count
    while last:
        cuts.append((origin[last], last))
        last = origin[last]
    return cuts[::-1]


@cache
def _size_costs(settings: PassageSettings) -> tuple[float, ...]:
    """Cost of a passage by its size, up to one and a half times the longest wanted."""
    target, longest = settings.target_chars, settings.max_chars
    costs = []
    for size in range(longest * 3 // 2 + 1):
        if size > longest:
            costs.append(20.0 + size - longest)
        elif size >= target:
            costs.append(20.0 * (size - target) / (longest - target + 1))
        else:
            shortfall = (target - size) / target
            costs.append(100.0 * shortfall**2 + (60.0 if size < settings.min_chars else 0.0))
    return tuple(costs)
