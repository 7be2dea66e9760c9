"""Grids drawn on a PDF page: the rules and edges that make tables, by PDFium's page objects.

Lengths are in points; y grows upwards.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pypdfium2

_THIN = 3.0
"""A narrower path is a rule, not an area."""
_TOUCH = 3.0
_SAME = 6.0
"""Lines nearer to each other are one edge of cells."""
_MIN_ACROSS, _MIN_DOWN = 10.0, 6.0
_MAX_OBJECTS, _MAX_DEPTH, _MAX_SEGMENTS = 6_000, 3, 600
_MAX_RULES = 250
_PAGE_SHARE = 0.97

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line at `at`, from `low` to `high` along the other axis."""

    at: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Grid:
    """A drawn table: its lines across and down; `xs` from the left, `ys` from the top."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    across: tuple[Rule, ...]
    down: tuple[Rule, ...]

    @property
    def box(self) -> Box:
        return self.xs[0], self.ys[-1], self.xs[-1], self.ys[0]

    def row_at(self, y: float) -> int:
        """Index of the row that holds height `y`; -1 outside."""
        if not self.ys[-1] <= y <= self.ys[0]:
            return -1
        return min(bisect_right([-edge for edge in self.ys], -y), len(self.ys) - 1) - 1

    def column_at(self, x: float) -> int:
        """Index of the column that holds `x`, the nearest one when outside."""
        return min(max(bisect_right(self.xs, x), 1), len(self.xs) - 1) - 1

    def parted_down(self, row: int, column: int) -> bool:
        """Whether a line stands between `column` and the next one in `row`."""
        x, y = self.xs[column + 1], (self.ys[row] + self.ys[row + 1]) / 2
        return any(
            abs(rule.at - x) <= _SAME and rule.low - _TOUCH <= y <= rule.high + _TOUCH
            for rule in self.down
        )

    def parted_across(self, row: int, column: int) -> bool:
        """Whether a line stands between `row` and the next one in `column`."""
        y, x = self.ys[row + 1], (self.xs[column] + self.xs[column + 1]) / 2
        return any(
            abs(rule.at - y) <= _SAME and rule.low - _TOUCH <= x <= rule.high + _TOUCH
            for rule in self.across
        )


def find_grids(page: pypdfium2.PdfPage) -> list[Grid]:
    """The grids of at least two rows or columns, from the top of the page."""
    rules: list[Box] = []
    areas: list[Box] = []
    width, height = page.get_width(), page.get_height()
    for box, drawn in _Paths(page).boxes():
        left, bottom, right, top = box
        if min(right - left, top - bottom) <= _THIN:
            rules.append(box)
        elif right - left < _PAGE_SHARE * width or top - bottom < _PAGE_SHARE * height:
            if drawn:
                rules += _edges(box)
            else:
                areas.append(box)
    grids = _grids(rules)
    # Cells are often shaded, and no further than their words: only where nothing is drawn does a
    # shade tell the cells.
    free = [area for area in areas if not any(_overlap(area, grid.box) for grid in grids)]
    for shaded in _grids([edge for area in free for edge in _edges(area)]):
        ruled = next((grid for grid in grids if _overlap(shaded.box, grid.box)), None)
        if ruled is None:
            grids.append(shaded)
        elif not ruled.down:  # column names shaded above rows that lines part
            grids.remove(ruled)
            ys = tuple(reversed(_distinct([*ruled.ys, *shaded.ys])))
            grids.append(Grid(ruled.xs, ys, (*ruled.across, *shaded.across), ()))
    return sorted(grids, key=lambda grid: -grid.ys[0])


def _edges(box: Box) -> list[Box]:
    left, bottom, right, top = box
    return [
        (left, bottom, right, bottom),
        (left, top, right, top),
        (left, bottom, left, top),
        (right, bottom, right, top),
    ]


def _overlap(one: Box, other: Box) -> bool:
    return (
        one[0] < other[2] - _TOUCH
        and other[0] < one[2] - _TOUCH
        and one[1] < other[3] - _TOUCH
        and other[1] < one[3] - _TOUCH
    )


def _grids(rules: Sequence[Box]) -> list[Grid]:
    across: list[Rule] = []
    down: list[Rule] = []
    for left, bottom, right, top in rules:
        if right - left >= top - bottom:
            across.append(Rule((top + bottom) / 2, left, right))
        else:
            down.append(Rule((left + right) / 2, bottom, top))
    across = [rule for rule in _merged(across) if rule.high - rule.low >= _MIN_ACROSS]
    down = [rule for rule in _merged(down) if rule.high - rule.low >= _MIN_DOWN]
    if not across or len(across) > _MAX_RULES or len(down) > _MAX_RULES:
        return []
    return [grid for part in _components(across, down) if (grid := _grid(*part)) is not None]


def _merged(rules: Sequence[Rule]) -> list[Rule]:
    """Rules in one line joined where they touch; borders come cell by cell."""
    merged: list[Rule] = []
    level: list[Rule] = []

    def close() -> None:
        at = sum(rule.at for rule in level) / len(level)
        low = high = None
        for rule in sorted(level, key=lambda rule: rule.low):
            if low is None or high is None or rule.low > high + _TOUCH:
                if low is not None and high is not None:
                    merged.append(Rule(at, low, high))
                low, high = rule.low, rule.high
            else:
                high = max(high, rule.high)
        if low is not None and high is not None:
            merged.append(Rule(at, low, high))

    for rule in sorted(rules, key=lambda rule: rule.at):
        if level and rule.at - level[0].at > _TOUCH:
            close()
            level = []
        level.append(rule)
    if level:
        close()
    return merged


def _components(
    across: Sequence[Rule], down: Sequence[Rule]
) -> Iterator[tuple[list[Rule], list[Rule]]]:
    """Rules that touch; those across alone go together when they begin and end alike."""
    parent = list(range(len(across) + len(down)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, flat in enumerate(across):
        for j, tall in enumerate(down, start=len(across)):
            if (
                flat.low - _TOUCH <= tall.at <= flat.high + _TOUCH
                and tall.low - _TOUCH <= flat.at <= tall.high + _TOUCH
            ):
                parent[root(i)] = root(j)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for i, rule in enumerate((*across, *down)):
        flats, talls = groups.setdefault(root(i), ([], []))
        (flats if i < len(across) else talls).append(rule)
    alone: dict[tuple[int, int], list[Rule]] = {}
    for flats, talls in groups.values():
        if talls:
            yield flats, talls
        else:
            for rule in flats:
                alone.setdefault((round(rule.low / 6), round(rule.high / 6)), []).append(rule)
    for flats in alone.values():
        if len(flats) >= 3:
            yield flats, []


def _grid(across: list[Rule], down: list[Rule]) -> Grid | None:
    if not across:
        return None
    ys = _distinct([rule.at for rule in across] + [y for r in down for y in (r.low, r.high)])
    xs = _distinct([rule.at for rule in down] + [x for r in across for x in (r.low, r.high)])
    if len(xs) < 2 or len(ys) < 2 or (len(xs) == 2 and len(ys) < 4):
        return None
    return Grid(tuple(xs), tuple(reversed(ys)), tuple(across), tuple(down))


def _distinct(values: Sequence[float]) -> list[float]:
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > _SAME:
            found.append(value)
    return found


class _Paths:
    """Boxes of the straight strokes and areas of a page, and whether their outline is drawn."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        import pypdfium2.raw as raw

        self._raw = raw
        self._page = page.raw
        self._objects = 0
        self._values = [ctypes.c_float() for _ in range(4)]
        self._refs = [ctypes.byref(value) for value in self._values]

    def boxes(self) -> Iterator[tuple[Box, bool]]:
        raw = self._raw
        self._objects = 0
        for i in range(min(raw.FPDFPage_CountObjects(self._page), _MAX_OBJECTS)):
            yield from self._object(raw.FPDFPage_GetObject(self._page, i), (1, 0, 0, 1, 0, 0), 0)

    def _object(
        self, item: object, matrix: tuple[float, ...], depth: int
    ) -> Iterator[tuple[Box, bool]]:
        raw = self._raw
        self._objects += 1
        kind = raw.FPDFPageObj_GetType(item)
        if self._objects > _MAX_OBJECTS:
            return
        if kind == raw.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
            inner = _product(self._matrix(item), matrix)
            for i in range(min(max(raw.FPDFFormObj_CountObjects(item), 0), _MAX_OBJECTS)):
                yield from self._object(raw.FPDFFormObj_GetObject(item, i), inner, depth + 1)
        elif kind == raw.FPDF_PAGEOBJ_PATH:
            if not raw.FPDFPageObj_GetBounds(item, *self._refs):
                return
            left, bottom, right, top = (value.value for value in self._values)
            thin = right - left <= _THIN or top - bottom <= _THIN
            if thin or raw.FPDFPath_CountSegments(item) <= 5:
                yield _moved((left, bottom, right, top), matrix), not thin and self._drawn(item)
            else:
                inner = _product(self._matrix(item), matrix)
                yield from ((stroke, True) for stroke in self._strokes(item, inner))

    def _drawn(self, item: object) -> bool:
        stroke = ctypes.c_int()
        fill = ctypes.c_int()
        found = self._raw.FPDFPath_GetDrawMode(item, ctypes.byref(fill), ctypes.byref(stroke))
        return bool(found and stroke.value)

    def _matrix(self, item: object) -> tuple[float, ...]:
        found = self._raw.FS_MATRIX()
        if not self._raw.FPDFPageObj_GetMatrix(item, ctypes.byref(found)):
            return (1, 0, 0, 1, 0, 0)
        return (found.a, found.b, found.c, found.d, found.e, found.f)

    def _strokes(self, item: object, matrix: tuple[float, ...]) -> Iterator[Box]:
        """Each straight stroke of one path, as a box without thickness."""
        raw = self._raw
        x, y = self._values[0], self._values[1]
        before: tuple[float, float] | None = None
        for i in range(min(raw.FPDFPath_CountSegments(item), _MAX_SEGMENTS)):
            segment = raw.FPDFPath_GetPathSegment(item, i)
            if not raw.FPDFPathSegment_GetPoint(segment, self._refs[0], self._refs[1]):
                return
            point = (x.value, y.value)
            if (
                before is not None
                and raw.FPDFPathSegment_GetType(segment) == raw.FPDF_SEGMENT_LINETO
            ):
                yield _moved((*before, *point), matrix)
            before = point


def _product(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, ...]:
    return (
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    )


def _moved(box: Box, m: tuple[float, ...]) -> Box:
    (x0, y0), (x1, y1) = (
        (m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5])
        for x, y in ((box[0], box[1]), (box[2], box[3]))
    )
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
