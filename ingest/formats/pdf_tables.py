"""Tables of a PDF page: cells from the grid drawn around them, or from how lines stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ingest.cleaning import flow
from ingest.formats.marks import LONE_MARK, has_leaders
from ingest.formats.pdf_lines import Line
from ingest.formats.pdf_rules import Grid
from ingest.formats.tables import is_figure

_LONG_CELL = 400
"""One row of cells that are longer is a page set in columns, inside a frame."""
_CELL_CHARS = 45
_RUN_GAP, _TIGHT = 3.5, 1.6
"""Distances of baselines, in font sizes: between rows of one table, between lines of one cell."""
_NUMBERING = re.compile(r"(?:\d{1,2}|[A-Z])(?:\.\d{1,2})*\.?\)?")

Cells = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows from the top; `bold` says of each whether all its words are."""

    rows: tuple[Cells, ...]
    bold: tuple[bool, ...]
    left: float
    right: float
    top: float
    bottom: float

    @property
    def headers(self) -> int:
        """Opening rows that are set apart from the others by being bold."""
        if len(self.rows) < 2 or not self.bold[0]:
            return 0
        below = 1
        while self.rows[below - 1].count(None) and below < len(self.rows) and self.bold[below]:
            below += 1
        return below if below < len(self.rows) and not self.bold[below] else 0


def visual_rows(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines at one height together, from the left; the heights from the top."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: -line.baseline):
        above = rows[-1][0] if rows else None
        if above and above.baseline - line.baseline < 0.5 * min(above.size, line.size):
            rows[-1].append(line)
        else:
            rows.append([line])
    for row in rows:
        row.sort(key=lambda line: line.left)
    return rows


def read_grid(grid: Grid, lines: Sequence[Line]) -> Table | None:
    """The table that `grid` makes of the lines inside it; None when it makes none."""
    if not lines:
        return None
    rows = _by_grid(grid, lines)
    if not rows or _is_poor(rows):
        rows = _by_bands(grid, lines) or rows
    if not rows:
        return None
    cells = [[_text(cell) if cell is not None else None for cell in row] for row in rows]
    if len(cells) == 1 and min(len(cell or "") for cell in cells[0]) > _LONG_CELL:
        return None
    bold = [all(line.bold for cell in row if cell for line in cell) for row in rows]
    left, bottom, right, top = grid.box
    return Table(tuple(map(tuple, cells)), tuple(bold), left, right, top, bottom)


_Cell = list[Line] | None


def _is_poor(rows: Sequence[Sequence[_Cell]]) -> bool:
    """Whether words stand side by side inside the drawn cells: columns that are not drawn."""
    heights = [row for cells in rows for cell in cells if cell for row in visual_rows(cell)]
    return sum(len(_pieces(row)) > 1 for row in heights) > 0.4 * len(heights)


def _by_grid(grid: Grid, lines: Sequence[Line]) -> list[list[_Cell]]:
    """Cells between the drawn lines; None where a cell begins further up or to the left."""
    height, width = len(grid.ys) - 1, len(grid.xs) - 1
    origin = _origins(grid, height, width)
    held: dict[tuple[int, int], list[Line]] = {}
    for line in lines:
        height_at = max(grid.row_at(line.middle), 0)
        place = origin[height_at][grid.column_at((line.left + line.right) / 2)]
        held.setdefault(place, []).append(line)
    used = [c for c in range(width) if any(column == c for _, column in held)]
    if len(used) < 2:
        return []
    rows: list[list[_Cell]] = []
    for r in range(height):
        row: list[_Cell] = [held.get((r, c), []) if origin[r][c] == (r, c) else None for c in used]
        if any(row):
            rows += _by_figures(row)
    return rows


def _origins(grid: Grid, height: int, width: int) -> list[list[tuple[int, int]]]:
    """For each place of the grid, the upper left place of the cell that covers it."""
    origin = [[(r, c) for c in range(width)] for r in range(height)]
    for r in range(height):
        for c in range(width):
            if c and not grid.parted_down(r, c - 1):
                origin[r][c] = origin[r][c - 1]
            elif r and not grid.parted_across(r - 1, c):
                origin[r][c] = origin[r - 1][c]
    return origin


def _by_figures(row: list[_Cell]) -> list[list[_Cell]]:
    """A drawn row that holds several: a column of figures tells where each begins."""
    anchors: list[Line] = max(
        (cell for cell in row if cell and all(is_figure(flow(line.text)) for line in cell)),
        key=len,
        default=[],
    )
    first = next((cell for cell in row if cell), None)
    if len(anchors) < 2 or first is None or len(first) < len(anchors) or None in row:
        return [row]
    starts = sorted((line.middle + 0.5 * line.size for line in anchors), reverse=True)
    parts: list[list[_Cell]] = [[[] for _ in row] for _ in starts]
    for c, cell in enumerate(row):
        for line in cell or ():
            place = sum(start > line.middle for start in starts) - 1
            part = parts[max(place, 0)][c]
            assert part is not None
            part.append(line)
    return parts


def _by_bands(grid: Grid, lines: Sequence[Line]) -> list[list[_Cell]]:
    """Rows between lines drawn across, columns from where the words stand."""
    pieces = [part for line in lines for part in (line.parts or (line,))]
    columns = _columns([row for row in visual_rows(pieces) if len(row) > 1])
    if len(columns) < 2:
        return []
    bands: dict[int, list[Line]] = {}
    for piece in pieces:
        bands.setdefault(max(grid.row_at(piece.middle), 0), []).append(piece)
    if len(bands) < 4:
        return _grouped(visual_rows(pieces), columns)
    return [_spread(bands[row], columns) for row in sorted(bands)]


def find_tables(lines: Sequence[Line]) -> list[Line | Table]:
    """Lines from the top, those that stand like a table's cells made into tables."""
    rows = visual_rows(lines)
    items: list[Line | Table] = []
    at = 0
    while at < len(rows):
        run = _run(rows, at)
        if run:
            pieces = [_pieces(row) for row in rows[at : at + run]]
            columns = _columns([row for row in pieces if len(row) > 1])
            grouped = _grouped(pieces, columns)
            items.append(_table(grouped, [line for row in pieces for line in row]))
            at += run
        else:
            items += rows[at]
            at += 1
    return items


def _table(rows: Sequence[Sequence[_Cell]], lines: Sequence[Line]) -> Table:
    cells = tuple(tuple(_text(cell or []) for cell in row) for row in rows)
    bold = tuple(all(line.bold for cell in row if cell for line in cell) for row in rows)
    return Table(
        cells,
        bold,
        min(line.left for line in lines),
        max(line.right for line in lines),
        max(line.baseline + line.size for line in lines),
        min(line.baseline for line in lines),
    )


def _pieces(row: Sequence[Line]) -> list[Line]:
    return [part for line in row for part in _parts(line)]


def _parts(line: Line) -> tuple[Line, ...]:
    """The cells of a line; a mark or a number before its text is none."""
    marked = line.parts and (
        LONE_MARK.fullmatch(line.parts[0].words) or _NUMBERING.fullmatch(line.parts[0].words)
    )
    return (line,) if marked or not line.parts or has_leaders(line.words) else line.parts


def _is_multiple(row: Sequence[Line]) -> bool:
    if any(has_leaders(line.words) for line in row):
        return False
    pieces = _pieces(row)
    return len(pieces) > 1 and not (len(pieces) == 2 and LONE_MARK.fullmatch(pieces[0].words))


def _run(rows: Sequence[Sequence[Line]], first: int) -> int:
    """How many rows from `first` stand like those of one table; 0 for none."""
    if not _is_multiple(rows[first]):
        return 0
    multiple = [_pieces(rows[first])]
    last = first
    for at in range(first + 1, len(rows)):
        above, row = rows[at - 1], rows[at]
        gap = above[0].baseline - row[0].baseline
        if gap > _RUN_GAP * max(above[0].size, row[0].size):
            break
        if _is_multiple(row):
            if len(_columns([*multiple, _pieces(row)])) < 2:
                break
            multiple.append(_pieces(row))
            last = at
        elif len(row) > 1 or not _fits(row[0], _columns(multiple)):
            break
        elif gap <= _TIGHT * row[0].size:
            last = at
    columns = _columns(multiple)
    lengths = [len(piece.words) for row in multiple for piece in row]
    if len(multiple) < 2 or len(columns) < 2 or median(lengths) > _CELL_CHARS:
        return 0
    return last - first + 1


def _fits(line: Line, columns: Sequence[tuple[float, float]]) -> bool:
    """Whether a line that stands alone may be the rest of one cell."""
    slack = line.size
    for i, (left, right) in enumerate(columns):
        if left - slack < line.left < right:
            edge = columns[i + 1][0] if i + 1 < len(columns) else right + 4 * slack
            return line.right < edge - 0.3 * slack
    return False


def _columns(rows: Sequence[Sequence[Line]]) -> list[tuple[float, float]]:
    """Left and right edges of the columns that the fullest rows show."""
    if not rows:
        return []
    most = max(map(len, rows))
    fullest = [row for row in rows if len(row) == most]
    edges: list[tuple[float, float]] = []
    held: list[int] = []
    for piece in sorted((piece for row in fullest for piece in row), key=lambda piece: piece.left):
        if edges and piece.left < edges[-1][1] + 0.4 * piece.size:
            edges[-1] = (edges[-1][0], max(edges[-1][1], piece.right))
            held[-1] += 1
        else:
            edges.append((piece.left, piece.right))
            held.append(1)
    if len(edges) > most and len(fullest) > 3:  # a name set in the middle of a wide column
        edges = [edge for edge, count in zip(edges, held, strict=True) if count > 1]
    return edges


def _grouped(
    rows: Sequence[Sequence[Line]], columns: Sequence[tuple[float, float]]
) -> list[list[_Cell]]:
    """Visual rows put together where cells wrap."""
    spread = [_spread(row, columns) for row in rows]
    limit = _row_gap(rows)
    if limit is not None:
        grouped = _merge(spread, [a[0].baseline - b[0].baseline > limit for a, b in pairwise(rows)])
        if not any(_holds_figures(cell) for row in grouped for cell in row):
            return grouped
    starts = []
    for above, below in pairwise(zip(spread, rows, strict=True)):
        tight = above[1][0].baseline - below[1][0].baseline <= _TIGHT * below[1][0].size
        starts.append(not (tight and _wraps(below[0])))
    return _merge(spread, starts)


def _holds_figures(cell: _Cell) -> bool:
    lines = cell or []
    return len(lines) > 1 and all(is_figure(flow(line.text)) for line in lines)


def _row_gap(rows: Sequence[Sequence[Line]]) -> float | None:
    """The distance of baselines above which a new row begins, when there are two sorts of them."""
    gaps = sorted(above[0].baseline - below[0].baseline for above, below in pairwise(rows))
    jumps = [(b / a, (a + b) / 2) for a, b in pairwise(gaps) if a > 0]
    ratio, limit = max(jumps, default=(1.0, 0.0))
    tight = bool(gaps) and gaps[0] <= _TIGHT * rows[0][0].size
    return limit if ratio >= 1.25 and tight else None


def _wraps(row: Sequence[_Cell]) -> bool:
    """Whether a visual row holds only the rest of cells begun above."""
    filled = [(c, cell) for c, cell in enumerate(row) if cell]
    if any(is_figure(flow(line.text)) for _, cell in filled for line in cell):
        return False
    if all(c > 0 for c, _ in filled):
        return True
    return len(filled) < len(row) and all(
        cell[0].words[:1].islower() or cell[0].words[:1] in "(," for _, cell in filled
    )


def _merge(spread: Sequence[list[_Cell]], starts: Sequence[bool]) -> list[list[_Cell]]:
    merged = [[list(cell or []) for cell in spread[0]]]
    for row, begins in zip(spread[1:], starts, strict=True):
        if begins:
            merged.append([list(cell or []) for cell in row])
        else:
            for held, cell in zip(merged[-1], row, strict=True):
                held.extend(cell or [])
    return [list(row) for row in merged]


def _spread(lines: Sequence[Line], columns: Sequence[tuple[float, float]]) -> list[_Cell]:
    """Each piece in the column whose middle is nearest to its own, or that it overlaps most."""
    row: list[list[Line]] = [[] for _ in columns]
    for line in lines:
        overlaps = [min(line.right, right) - max(line.left, left) for left, right in columns]
        row[max(range(len(columns)), key=overlaps.__getitem__)].append(line)
    return list(row)


def _text(cell: Sequence[Line]) -> str:
    return "\n".join(_ordered_text(cell))


def _ordered_text(cell: Sequence[Line]) -> Iterator[str]:
    for row in visual_rows(cell):
        yield " ".join(line.text for line in row)
