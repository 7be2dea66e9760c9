"""Tables of plain text: cells one below the other, kept apart by runs of blanks or tabs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_TAB = 8
_CELL = re.compile(r"\S(?:.*?\S)??(?= {3,}|$)")
_MIN_ROWS = 2


class _Cell(NamedTuple):
    start: int
    """Column of characters, from 0."""
    text: str


def aligned_rows(lines: Sequence[str]) -> list[list[str]]:
    """The rows of lines that are a table, each with as many cells; nothing when they are none.

    Every line must have cells at the columns where the fullest line has them, and most lines more
    than one. A cell that is empty leaves its place; where there are two columns, a line without a
    first cell goes on with the row above.
    """
    rows = [_cells(line.expandtabs(_TAB).rstrip()) for line in lines]
    widest = max(rows, key=len)
    columns = [cell.start for cell in widest]
    goes_on = [len(columns) == 2 and row[0].start == columns[1] for row in rows]
    parted = sum(len(row) > 1 or more for row, more in zip(rows, goes_on, strict=True))
    if len(rows) < _MIN_ROWS or len(columns) < 2 or parted < max(_MIN_ROWS, 0.6 * len(rows)):
        return []
    table: list[list[str]] = []
    for row, more in zip(rows, goes_on, strict=True):
        if any(cell.start not in columns for cell in row):
            return []
        if more and table:
            table[-1][1] = f"{table[-1][1]}\n{row[0].text}".strip()
            continue
        cells = [""] * len(columns)
        for cell in row:
            cells[columns.index(cell.start)] = cell.text
        table.append(cells)
    return table


def _cells(line: str) -> list[_Cell]:
    return [_Cell(found.start(), found.group()) for found in _CELL.finditer(line)]
