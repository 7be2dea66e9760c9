"""The reading order of a PDF page: columns one after the other, between what spans them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ingest.formats.pdf_lines import Line
from ingest.formats.pdf_tables import Table, find_tables, visual_rows

Item = Line | Table

_MIN_LINES = 4
_PROSE_CHARS, _FILLED = 16, 0.5
_SAME_EDGE = 3.0
_MIN_GUTTER = 5.0
_MAX_DEPTH = 4
_CANDIDATES = 4
_BREAK = 1.4
_LEVEL, _SMALL_SHARE = 0.6, 0.15
_MIN_BREAKS = 3


def reading_order(items: Sequence[Item]) -> list[list[Item]]:
    """The page's regions in reading order, the items of each from the top.

    A line that the content stream drew across two columns comes as one line for each.
    """
    return _ordered(list(items), 0)


def _ordered(items: list[Item], depth: int) -> list[list[Item]]:
    band = _find_band(items) if depth < _MAX_DEPTH else None
    if band is None:
        return [_from_the_top(items)] if items else []
    regions: list[list[Item]] = []
    for part in (band.above, band.left, band.right, band.below):
        regions += _ordered(part, depth + 1)
    return regions


def _from_the_top(items: Sequence[Item]) -> list[Item]:
    """Drawn tables at their height; the lines between them read as tables where they are such."""
    tables = sorted((i for i in items if isinstance(i, Table)), key=lambda table: -table.top)
    lines = [item for item in items if isinstance(item, Line)]
    ordered: list[Item] = []
    for table in tables:
        middle = (table.top + table.bottom) / 2
        ordered += find_tables([line for line in lines if line.middle > middle])
        lines = [line for line in lines if line.middle <= middle]
        ordered.append(table)
    return ordered + find_tables(lines)


@dataclass(frozen=True, slots=True)
class _Band:
    above: list[Item]
    left: list[Item]
    right: list[Item]
    below: list[Item]


def _find_band(items: Sequence[Item]) -> _Band | None:
    """The tallest part of the page that a gutter parts into two columns."""
    pieces = [p for i in items if isinstance(i, Line) for p in (i.parts or (i,))]
    tables = [item for item in items if isinstance(item, Table)]
    if len(pieces) + sum(len(table.rows) for table in tables) < 2 * _MIN_LINES:
        return None
    best: _Band | None = None
    most = 0
    for edge in _edges(pieces, tables):
        top, bottom, count = _tallest(edge, pieces, tables)
        if count > most and (band := _split(items, edge, top, bottom)) is not None:
            best, most = band, count
    return best


def _edges(pieces: Sequence[Line], tables: Sequence[Table]) -> list[float]:
    """Left edges that many lines share, with other lines to their left at the same height."""
    found: Counter[int] = Counter()
    rows = visual_rows(pieces)
    leftmost = min((p.left for p in pieces), default=0.0)
    for at, row in enumerate(rows):
        near = [p for other in rows[max(0, at - 1) : at + 2] for p in other]
        for piece in row:
            if any(
                other.right < piece.left and abs(other.baseline - piece.baseline) < piece.size
                for other in near
            ):
                found[round(piece.left / _SAME_EDGE)] += 1
    lefts = [table.left for table in tables if table.left > leftmost + 100]
    shared = [edge * _SAME_EDGE for edge, count in found.most_common(_CANDIDATES) if count >= 3]
    return shared + lefts[:2]


def _tallest(
    edge: float, pieces: Sequence[Line], tables: Sequence[Table]
) -> tuple[float, float, int]:
    """Top, bottom and lines on the lesser side of the tallest stretch that nothing crosses."""
    marks = [(p.middle, p.middle, p.left, p.right, 1) for p in pieces]
    marks += [(t.top, t.bottom, t.left, t.right, len(t.rows)) for t in tables]
    best = (0.0, 0.0, 0)
    sides = [0, 0]
    top = bottom = None
    for high, low, left, right, count in (*sorted(marks, key=lambda m: -m[0]), (0, 0, 0, 0, 0)):
        if not count or (left < edge - 2 * _SAME_EDGE and right > edge - _SAME_EDGE):
            if top is not None and bottom is not None and min(sides) > best[2]:
                best = (top, bottom, min(sides))
            sides, top, bottom = [0, 0], None, None
            continue
        sides[left >= edge - 2 * _SAME_EDGE] += count
        top = high if top is None else top
        bottom = low if bottom is None else min(bottom, low)
    return best


def _split(items: Sequence[Item], edge: float, top: float, bottom: float) -> _Band | None:
    band = _Band([], [], [], [])
    for item in items:
        high, low = (item.middle,) * 2 if isinstance(item, Line) else (item.top, item.bottom)
        if low > top:
            band.above.append(item)
        elif high < bottom:
            band.below.append(item)
        else:
            parts = item.parts if isinstance(item, Line) and item.parts else (item,)
            whole = {part.left >= edge - 2 * _SAME_EDGE for part in parts}
            for part in (item,) if len(whole) == 1 else parts:
                right = part.left >= edge - 2 * _SAME_EDGE
                (band.right if right else band.left).append(part)
    return band if _is_set_in_columns(band.left, band.right, edge) else None


def _is_set_in_columns(left: Sequence[Item], right: Sequence[Item], edge: float) -> bool:
    """Whether both sides are running text, and their lines no cells of common rows."""
    if not left or not right:
        return False
    reach = max(item.right for item in left)
    if edge - reach < _MIN_GUTTER - 2 * _SAME_EDGE:
        return False
    for side in (left, right):
        lines = [item for item in side if isinstance(item, Line)]
        count = len(lines) + sum(len(item.rows) for item in side if isinstance(item, Table))
        if count < _MIN_LINES:
            return False
        if len(lines) < count / 2:
            continue  # mostly a drawn table
        start, end = min(item.left for item in side), max(item.right for item in side)
        if median(len(line.words) for line in lines) < _PROSE_CHARS:
            return False
        heights = len(visual_rows(lines))
        if sum(line.right - line.left for line in lines) < _FILLED * heights * (end - start):
            return False
    return not _in_common_rows(left, right)


def _in_common_rows(left: Sequence[Item], right: Sequence[Item]) -> bool:
    """Whether what stands side by side are cells.

    Their lines share their heights, and either begin no lower-case words, as prose does, or most of
    the spaces on one side have one at the same height on the other.
    """
    heights = [line.baseline for line in right if isinstance(line, Line)]
    lines = [line for line in left if isinstance(line, Line)]
    level = sum(any(abs(line.baseline - other) < 1.0 for other in heights) for line in lines)
    if lines and level > _LEVEL * len(lines) and min(_small(left), _small(right)) < _SMALL_SHARE:
        return True
    ours, theirs = _after_breaks(left), _after_breaks(right)
    if min(len(ours), len(theirs)) < _MIN_BREAKS:
        return False
    fewer, more = sorted((ours, theirs), key=len)
    alike = sum(any(abs(one - other) < _SAME_EDGE for other in more) for one in fewer)
    return alike > 0.6 * len(fewer)


def _small(side: Sequence[Item]) -> float:
    """Share of lines that begin with a small letter; 1 where there are none."""
    lines = [item for item in side if isinstance(item, Line)]
    return sum(line.words[:1].islower() for line in lines) / len(lines) if lines else 1.0


def _after_breaks(side: Sequence[Item]) -> list[float]:
    """Heights of the lines that a space wider than usual parts from the line above."""
    heights = sorted((i.baseline for i in side if isinstance(i, Line)), reverse=True)
    gaps = [above - below for above, below in pairwise(heights)]
    gaps = [gap for gap in gaps if gap > 1]
    if not gaps:
        return []
    usual = median(gaps)
    return [below for above, below in pairwise(heights) if above - below > _BREAK * usual]
