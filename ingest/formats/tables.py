"""Rows of tables, alike for every format: cells by column, and the row that names the columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ingest.cleaning import flow
from ingest.formats.pages import Piece, row_piece

_NAME_CHARS = 80
"""A longer cell is a value, not the name of a column."""
_FIGURE_CHARS = 40
_FIGURE = re.compile(
    r"\W*(?:(?:euro|eur|nr?\.?)\s*)?\d[\d.,/%\s€+-]*(?:euro|mesi|ore)?\W*", re.IGNORECASE
)
_YEAR = re.compile(r"\W*(?:(?:19|20)\d\d(?:\s*[-–/]\s*(?:19|20)?\d\d)?)\W*")


MAX_SPAN = 60
"""Widest cell believed, in columns or rows."""

Row = Sequence[str | None]
"""Cells by column; None where a wider or taller neighbour covers the place."""


def table_pieces(rows: Sequence[Row], *, headers: int = 0) -> Iterator[Piece]:
    """Pieces of one table, top to bottom, blank rows left out.

    The first `headers` rows are column names by the file's own word; when it says nothing, the
    first row is taken for one if it reads like one. Opening rows of one cell as wide as the table
    are its caption.
    """
    blank = [not any((cell or "").strip() for cell in row) for row in rows]
    headers -= sum(blank[:headers])
    filled = [row for row, empty in zip(rows, blank, strict=True) if not empty]
    while filled and _is_caption(filled[0]) and any(len(row) > 1 for row in filled):
        yield Piece(filled.pop(0)[0] or "")
        headers -= 1
    if any((cell or "").rstrip().endswith(":") for row in filled[:headers] for cell in row):
        headers = 0  # labels beside their values
    guessed = headers < 1
    if guessed:
        headers = int(names_columns(filled))
    for at, row in enumerate(filled):
        header = at < headers < len(filled)
        piece = row_piece([cell or "" for cell in row], header=header)
        yield replace(piece, guessed=header and guessed)


def _is_caption(row: Row) -> bool:
    return all(cell is None for cell in row[1:])


def join_tables(pages: Iterable[Sequence[Piece]]) -> Iterator[list[Piece]]:
    """The pages' pieces, rows that go on with the table before no longer taken for column names.

    A table that runs over a page or a column has as many columns there. Its first row names them
    only if it says so, or says again what named them before.
    """
    before: Piece | None = None
    names: list[str] = []
    for page in pages:
        pieces: list[Piece] = []
        for piece in page:
            if piece.kind in ("header", "footer"):
                pieces.append(piece)
                continue
            goes_on = before is not None and len(before.cells) == len(piece.cells) > 1
            if goes_on and piece.guessed and piece.text not in names:
                piece = replace(piece, header=False, guessed=False)
            if before is None or (piece.header and not before.header):
                names = []
            if piece.header:
                names.append(piece.text)
            before = piece if piece.kind == "table_row" else None
            pieces.append(piece)
        yield pieces


def spread(
    texts: Sequence[Sequence[str]], spans: Sequence[Sequence[tuple[int, int]]]
) -> list[list[str | None]]:
    """Rows by column, from the cells of each row and the `(columns, rows)` that each covers."""
    taller: dict[int, int] = {}  # column: rows still covered from above
    rows: list[list[str | None]] = []
    for cells, sizes in zip(texts, spans, strict=True):
        row: list[str | None] = []
        below: dict[int, int] = {}
        for text, (columns, height) in zip(cells, sizes, strict=True):
            while taller.get(len(row), 0):
                row.append(None)
            below.update(dict.fromkeys(range(len(row), len(row) + columns), height - 1))
            row.extend([text, *[None] * (columns - 1)])
        while taller.get(len(row), 0):
            row.append(None)
        taller = {column: left - 1 for column, left in taller.items() if left > 1} | {
            column: left for column, left in below.items() if left
        }
        rows.append(row)
    return rows


def names_columns(rows: Sequence[Row]) -> bool:
    """Whether the first row reads like the names of the columns below it.

    Each of its cells is short and differs from the others, and it names a column of figures, or
    three columns and more. A sheet of two columns, names beside their values, has no such row.
    """
    if len(rows) < 2:
        return False
    first = [flow(cell or "") for cell in rows[0]]
    named = [cell for cell in first if cell]
    if len(named) < 2 or len(first) - len(named) > 1 or len(set(named)) < len(named):
        return False
    if any(len(cell) > _NAME_CHARS or cell.endswith((".", ";", ":")) for cell in named):
        return False
    if any(is_figure(cell) and not is_year(cell) for cell in named) or all(map(is_year, named)):
        return False
    if len(named) > 2:
        return True
    below = [flow(row[-1] or "") for row in rows[1:]]
    below = [cell for cell in below if cell]
    figures = sum(map(is_figure, below))
    return bool(below) and not is_figure(first[-1]) and figures >= 0.6 * len(below)


def is_figure(cell: str) -> bool:
    """Whether a cell holds an amount, a count, a share or a year, and nothing else."""
    return len(cell) <= _FIGURE_CHARS and bool(_FIGURE.fullmatch(cell))


def is_year(cell: str) -> bool:
    return bool(_YEAR.fullmatch(cell))
