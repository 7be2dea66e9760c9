"""What a section's passages are made of: blocks, sentences of long ones, and what leads into them.

A cut costs least between paragraphs, more between list items or table rows, more inside a paragraph
and there only between sentences. At the end of a page it is welcome, so that a passage has one
page. A row of a table that began before repeats its caption and its column names, an item of a list
the line above the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from assistant.italian.sentences import runs_on, split_sentences
from ingest.cuts import PassageSettings, Stretch, Unit
from ingest.sections import Placed

BREAK_PARAGRAPH, BREAK_LIST, BREAK_TABLE, BREAK_SENTENCE = 0.0, 30.0, 60.0, 45.0
BREAK_LABEL, BREAK_CLAUSE, BREAK_GLUED = 50.0, 120.0, 400.0
"""Costs of ending a passage there; BREAK_GLUED parts what should be read together."""
PAGE_END = 400.0
"""What a cut costs less at the end of a page: more than two small passages cost by their size."""
MAX_LABEL_CHARS = 60
"""A shorter paragraph without a closing mark is taken for the label of what follows."""
MAX_CAPTION_CHARS = 160
"""A shorter paragraph just before a table is taken for its caption."""
MAX_LEAD_CHARS = 300
"""Column names, or a line above a list, that are longer are not repeated."""


def make_units(blocks: Sequence[Placed], settings: PassageSettings) -> list[Unit]:
    units: list[Unit] = []
    leads = _leads(blocks)
    for at, block in enumerate(blocks):
        before = blocks[at - 1] if at else None
        following = blocks[at + 1] if at + 1 < len(blocks) else None
        opens_table = before is None or before.kind != "table_row"
        cut = _cut_cost(block, following, opens_table=opens_table)
        if following is not None and _page_end(block, following, cut):
            cut = min(cut, BREAK_LABEL) - PAGE_END
        # A sentence that ends on this page ends the passage of the page before.
        ends_there = (
            before is not None
            and before.page != block.page
            and block.kind == "text"
            and runs_on(before.text, block.text)
        )
        pieces = _pieces(block, settings, by_sentence=ends_there)
        if ends_there and len(pieces) > 1:
            pieces[0] = (*pieces[0][:2], BREAK_PARAGRAPH - PAGE_END)
        for start, end, inner_cut in pieces[:-1]:
            units.append(Unit(block.page, start, end, block.kind, inner_cut, leads[at]))
        start, end, _ = pieces[-1]
        units.append(Unit(block.page, start, end, block.kind, cut, leads[at]))
    return units


def _page_end(block: Placed, following: Placed, cut: float) -> bool:
    """Whether a passage had better end here with its page."""
    if following.page == block.page or block.kind == "heading":
        return False
    # What the next page's list or table takes from this page, it repeats.
    return cut < BREAK_GLUED or following.kind in ("list_item", "table_row")


def _leads(blocks: Sequence[Placed]) -> list[tuple[Stretch, ...]]:
    """For each block, what a passage that opens with it repeats."""
    leads: list[tuple[Stretch, ...]] = []
    above: list[Placed] = []  # the caption or the line above a list
    names: list[Placed] = []
    for at, block in enumerate(blocks):
        before = blocks[at - 1] if at else None
        if before is None or before.kind != block.kind:
            above, names = _introduction(before, block), []
        if block.kind == "table_row":
            if block.header:
                if before is not None and before.kind == "table_row" and not before.header:
                    again = [row.text for row in names][:1] == [block.text]
                    above, names = (above if again else []), []
                leads.append(_stretches(above, names))
                names.append(block)
            else:
                leads.append(_stretches(above, names))
        else:
            leads.append(_stretches(above, []))
    return leads


def _introduction(before: Placed | None, block: Placed) -> list[Placed]:
    if before is None or before.kind not in ("text", "heading"):
        return []
    if block.kind == "table_row" and len(before.text) < MAX_CAPTION_CHARS:
        return [before]
    introduces = before.text.rstrip().endswith(":") and len(before.text) < MAX_LEAD_CHARS
    return [before] if block.kind == "list_item" and introduces else []


def _stretches(above: Sequence[Placed], names: Sequence[Placed]) -> tuple[Stretch, ...]:
    if sum(len(row.text) for row in names) > MAX_LEAD_CHARS:
        names = ()
    return tuple(_stripped(block) for block in (*above, *names))


def _stripped(block: Placed) -> Stretch:
    lead = len(block.text) - len(block.text.lstrip())
    return block.page, block.start + lead, block.start + lead + len(block.text.strip())


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
        return (
            BREAK_GLUED if opens_table or (block.header and not following.header) else BREAK_TABLE
        )
    if block.kind == following.kind == "list_item":
        return BREAK_LIST
    if block.kind == "text" and len(block.text) < MAX_LABEL_CHARS and block.text[-1].isalnum():
        return BREAK_LABEL
    return BREAK_PARAGRAPH


def _pieces(
    block: Placed, settings: PassageSettings, *, by_sentence: bool
) -> list[tuple[int, int, float]]:
    """`(start, end, cost of a cut behind it)`; together they hold all but blanks of the block."""
    lead = len(block.text) - len(block.text.lstrip())
    start, text = block.start + lead, block.text.strip()
    short = len(text) <= settings.target_chars and not by_sentence
    if short or block.kind == "heading":
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
