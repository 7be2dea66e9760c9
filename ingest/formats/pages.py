"""From pieces of raw text in reading order to a page of canonical text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.cleaning import flow
from ingest.models import Block, BlockKind, SourcePage

_TIGHT: frozenset[BlockKind] = frozenset({"list_item", "table_row"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A future block: text as the file gives it, line breaks included."""

    text: str
    kind: BlockKind = "text"
    level: int = 0
    cells: tuple[str, ...] = ()
    """Of a table row: the text of each of its columns; `text` is then made of them."""
    header: bool = False
    guessed: bool = False
    """Whether `header` comes from how the row reads, not from the file."""


def row_piece(cells: Sequence[str], *, header: bool = False) -> Piece:
    """A table row; one column alone is no table."""
    text = " ".join(cell for cell in cells if cell.strip())
    return Piece(text, "table_row", cells=tuple(cells) if len(cells) > 1 else (), header=header)


def build_page(
    number: int,
    pieces: Iterable[Piece],
    label: str | None = None,
    *,
    ocr_confidence: float | None = None,
) -> SourcePage:
    """Clean each piece and lay them one under the other: rows and items a line apart, the rest two.

    Running headers come first and footers last, wherever the file keeps them. Pieces that are
    empty once cleaned are dropped.
    """
    cleaned = [(flow(piece.text), piece) for piece in pieces]
    cleaned = [(text, piece) for text, piece in cleaned if text]
    order = {"header": 0, "footer": 2}
    cleaned.sort(key=lambda entry: order.get(entry[1].kind, 1))
    parts: list[str] = []
    blocks: list[Block] = []
    offset = 0
    previous: BlockKind | None = None
    for text, piece in cleaned:
        if previous is not None:
            # A hyphen at the end of a row must not be taken for a broken word.
            tight = piece.kind == previous and piece.kind in _TIGHT and not parts[-1].endswith("-")
            gap = "\n" if tight else "\n\n"
            parts.append(gap)
            offset += len(gap)
        level = max(1, piece.level) if piece.kind == "heading" else 0
        cells = _cell_offsets(piece.cells, text, offset)
        header = piece.header and piece.kind == "table_row"
        blocks.append(Block(offset, offset + len(text), piece.kind, level, cells, header))
        parts.append(text)
        offset += len(text)
        previous = piece.kind
    return SourcePage(number, "".join(parts), tuple(blocks), label, ocr_confidence)


def _cell_offsets(cells: Sequence[str], text: str, offset: int) -> tuple[tuple[int, int], ...]:
    """Where each cell stands when the row's `text` begins at `offset`; () when they do not match.

    Cleaning a row may join what cleaning its cells one by one would not.
    """
    found: list[tuple[int, int]] = []
    at = 0
    for cell in map(flow, cells):
        if cell and found and at:
            at += 1
        if text[at : at + len(cell)] != cell:
            return ()
        found.append((offset + at, offset + at + len(cell)))
        at += len(cell)
    return tuple(found) if at == len(text) else ()


def first_heading(pages: Iterable[SourcePage]) -> str | None:
    """Text of the first heading, which serves as a title when the metadata has none."""
    for page in pages:
        for block in page.blocks:
            if block.kind == "heading":
                return page.text[block.start : block.end]
    return None
