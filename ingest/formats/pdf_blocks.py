"""From the lines of PDF pages to headings, paragraphs, list items and table rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from ingest.cleaning import flow
from ingest.formats.marks import (
    LONE_MARK,
    ends_sentence,
    has_leaders,
    numbering_depth,
    opens_item,
    shouts,
)
from ingest.formats.pages import Piece, row_piece
from ingest.formats.pdf_columns import Item, reading_order
from ingest.formats.pdf_lines import Line
from ingest.formats.pdf_rules import Box, Grid
from ingest.formats.pdf_style import LARGER, PLAIN_HEADING_CHARS, DocumentStyle, is_heading, look
from ingest.formats.pdf_tables import read_grid, visual_rows
from ingest.formats.tables import table_pieces
from ingest.models import BlockKind
from ingest.schede.labels import label_of

_MERGED_HEADING_CHARS = 300
_MAX_LEVEL, _MAX_RANK = 6, 4
_SMALL_HEADING_CHARS = 60
_SAME_SIZE = 0.12
_LINE_GAP = 1.9
"""Widest distance of two baselines inside a paragraph, in font sizes: a bit over 1.5 spacing."""
_SHORT_LINE = 0.12
_NEIGHBOURS = 5
_CELL_CHARS = 30
_ROW_CELL_CHARS, _ROW_CHARS = 60, 240
_WRAPPED = re.compile(r"\d{1,3}[.)]\s")


def page_pieces(
    lines: Sequence[Line],
    grids: Sequence[Grid],
    running: Mapping[int, BlockKind],
    style: DocumentStyle,
) -> list[Piece]:
    """The page's pieces in reading order, running lines included."""
    pieces = [Piece(lines[i].text, kind) for i, kind in sorted(running.items())]
    content = [line for i, line in enumerate(lines) if i not in running and line.upright]
    aside = [line for i, line in enumerate(lines) if i not in running and not line.upright]
    prose: list[Line] = []
    for item in _arranged(content, grids):
        if isinstance(item, Line):
            prose.append(item)
            continue
        pieces += _prose_pieces(prose, style)
        prose = []
        pieces += table_pieces(item.rows, headers=item.headers)
    return [*pieces, *_prose_pieces(prose, style), *(Piece(line.text) for line in aside)]


def _arranged(lines: Sequence[Line], grids: Sequence[Grid]) -> Iterator[Item]:
    """Lines and tables in reading order."""
    items: list[Item] = []
    left = list(lines)
    for grid in sorted(grids, key=_area, reverse=True):
        inside = [line for line in left if _is_inside(line, grid.box)]
        table = read_grid(grid, inside)
        if table is not None:
            items.append(table)
            left = [line for line in left if not _is_inside(line, grid.box)]
    for region in reading_order([*left, *items]):
        yield from region


def _area(grid: Grid) -> float:
    left, bottom, right, top = grid.box
    return (right - left) * (top - bottom)


def _is_inside(line: Line, box: Box) -> bool:
    left, bottom, right, top = box
    return bottom <= line.middle <= top and left <= (line.left + line.right) / 2 <= right


def _prose_pieces(ordered: Sequence[Line], style: DocumentStyle) -> list[Piece]:
    """Pieces of lines that stand in no table, in reading order."""
    pieces: list[Piece] = []
    cells = _table_cells(ordered)
    group: list[Line] = []
    kind: BlockKind = "text"
    for i, line in enumerate(ordered):
        line_kind = _kind(ordered, i, style, cells)
        if group and kind != "heading" and _same_row(group, kind, ordered, i):
            group.append(line)
            kind = "table_row"
            continue
        if kind == "heading" and line_kind == "text" and look(line) == look(group[-1]):
            line_kind = _rest_of_heading(line, style)
        if group and _continues(group, kind, line, line_kind, _right_edge(ordered, i)):
            group.append(line)
            continue
        if group:
            pieces.append(_piece(group, kind, style))
        group, kind = [line], line_kind
    if group:
        pieces.append(_piece(group, kind, style))
    return pieces


def _table_cells(lines: Sequence[Line]) -> frozenset[int]:
    """Indexes of the lines that have a neighbour at their height, where these are cells.

    In a page set in columns neighbours are long lines of prose; in a table they are short. Where
    cells crowd the page, the short lines among them are taken for cells too.
    """
    order = sorted(range(len(lines)), key=lambda i: lines[i].baseline)
    beside: set[int] = set()
    for i, j in pairwise(order):
        if lines[j].baseline - lines[i].baseline < 0.9 * min(lines[i].size, lines[j].size):
            beside |= {i, j}
    lengths = sorted(len(lines[i].words) for i in beside)
    if not lengths or lengths[len(lengths) // 2] > _CELL_CHARS:
        return frozenset()
    if len(beside) > 0.4 * len(lines):
        beside |= {i for i, line in enumerate(lines) if len(line.words) <= _CELL_CHARS}
    return frozenset(beside)


def _kind(lines: Sequence[Line], i: int, style: DocumentStyle, cells: frozenset[int]) -> BlockKind:
    line = lines[i]
    text = line.words
    if has_leaders(text):
        return "table_row"
    cell = i in cells and line.size < style.body_size * LARGER
    if not cell and is_heading(line, style) and _stands_apart(lines, i):
        return "heading"
    previous = lines[i - 1].words if i else ""
    begins = not previous or ends_sentence(previous)
    # A dash may also open a wrapped line of prose: it needs a sentence that has ended before it.
    item = opens_item(text, dash=begins) and not _wrapped_number(lines, i)
    if line.columns > 1 and not item and _in_table(lines, i):
        return "table_row"
    if item or (LONE_MARK.fullmatch(text) and i + 1 < len(lines) and _beside(line, lines[i + 1])):
        return "list_item"
    if begins and not cell and _is_small_heading(lines, i, style):
        return "heading"
    return "text"


def _in_paragraph(lines: Sequence[Line], i: int) -> bool:
    """Whether an emphasised line is one of several that make a sentence, closed by its stop."""
    first = last = i
    while first and _runs_into(lines, first - 1):
        first -= 1
    while last + 1 < len(lines) and _runs_into(lines, last):
        last += 1
    length = sum(len(line.words) for line in lines[first : last + 1])
    return last - first > 0 and length > PLAIN_HEADING_CHARS and lines[last].words[-1] in ".;"


def _runs_into(lines: Sequence[Line], i: int) -> bool:
    """Whether a full line goes on in the next one, of its size and at its margin."""
    line, below = lines[i], lines[i + 1]
    return (
        _close(line, below)
        and abs(line.size - below.size) < 0.05 * line.size
        and abs(line.left - below.left) < 0.5 * line.size
        and line.right > _right_edge(lines, i) - 3 * line.size
        and not ends_sentence(line.words)
    )


def _in_contents(lines: Sequence[Line], i: int) -> bool:
    """Whether a line stands among entries with leaders: the rest of one that wraps."""
    around = (lines[max(0, i - 2) : i], lines[i + 1 : i + 3])
    return all(any(has_leaders(line.words) for line in side) for side in around)


def _wrapped_number(lines: Sequence[Line], i: int) -> bool:
    """Whether a number that a list could begin with ends the sentence above ("with / 31. It")."""
    if not i or not _WRAPPED.match(lines[i].words) or ends_sentence(lines[i - 1].words):
        return False
    line, above = lines[i], lines[i - 1]
    full = above.right > _right_edge(lines, i) - 2 * line.size
    return full and _close(above, line) and abs(above.left - line.left) < 0.5 * line.size


def _stands_apart(lines: Sequence[Line], i: int) -> bool:
    """A bold or capital line amid lines of one paragraph is emphasis, not a heading."""
    line = lines[i]
    if _in_contents(lines, i) or _in_paragraph(lines, i):
        return False
    if i and not ends_sentence(lines[i - 1].words):
        above = lines[i - 1]
        same = abs(above.size - line.size) < _SAME_SIZE * line.size and above.bold == line.bold
        # Capitals amid a justified paragraph reach as far as the line above does.
        full = above.right > line.right + 2 * line.size or (
            above.right > _right_edge(lines, i) - line.size
            and abs(above.left - line.left) < 0.5 * line.size
        )
        if _close(above, line) and same and full and not line.bold and not shouts(above.words):
            return False
    if i + 1 < len(lines) and line.bold and not lines[i + 1].bold and not ends_sentence(line.words):
        below = lines[i + 1]
        same = abs(below.size - line.size) < _SAME_SIZE * line.size
        full = not _ends_early(line, below, _right_edge(lines, i)) and line.right > below.right
        if _close(line, below) and same and (below.words[:1].islower() or full):
            return False
    return True


def _is_small_heading(lines: Sequence[Line], i: int, style: DocumentStyle) -> bool:
    """A short plain line that opens a full paragraph: a heading in italics or underlined."""
    line = lines[i]
    text = line.words
    if i + 1 >= len(lines) or not 3 < len(text) <= _SMALL_HEADING_CHARS or line.columns > 1:
        return False
    if not text[0].isupper() or not text[-1].isalpha() or abs(line.size - style.body_size) > 1:
        return False
    below = lines[i + 1]
    edge = _right_edge(lines, i)
    width = edge - line.left
    return (
        line.right < line.left + 0.7 * width
        and below.right > edge - 0.1 * width
        and abs(below.left - line.left) < 3 * line.size
        and 0 < line.baseline - below.baseline < 3 * line.size
        and len(below.words) > _SMALL_HEADING_CHARS
        and below.words[0].isupper()
    )


def _in_table(lines: Sequence[Line], i: int) -> bool:
    near = (lines[j] for j in (i - 1, i + 1) if 0 <= j < len(lines))
    return any(line.columns > 1 for line in near) or any(c.isdigit() for c in lines[i].words[-8:])


def _close(above: Line, below: Line) -> bool:
    return 0 < above.baseline - below.baseline < 1.5 * below.size


def _ends_early(line: Line, below: Line, edge: float) -> bool:
    """Whether the first word of `below` would have fitted on `line`: the break is meant."""
    word = below.words.split(" ", 1)[0]
    character = (line.right - line.left) / max(1, len(line.words))
    return line.right + (len(word) + 1) * character < edge - 0.5 * line.size


def _beside(mark: Line, line: Line) -> bool:
    return line.left > mark.left and abs(line.baseline - mark.baseline) < 2 * line.size


def _right_edge(lines: Sequence[Line], i: int) -> float:
    """Where full lines end around line `i`, in its column."""
    left, reach = lines[i].left, 4 * lines[i].size
    near = lines[max(0, i - _NEIGHBOURS) : i + _NEIGHBOURS]
    return max(other.right for other in near if -reach < other.left - left < reach)


def _same_row(group: Sequence[Line], kind: BlockKind, lines: Sequence[Line], i: int) -> bool:
    """Whether line `i` is a further cell of the row that `group` has begun, or wraps inside one."""
    above, line = group[-1], lines[i]
    if len(line.words) > _ROW_CELL_CHARS or sum(len(part.words) for part in group) > _ROW_CHARS:
        return False
    if _cell_after(group, line):
        return True
    if not _close(above, line) or line.size > above.size * (1 + _SAME_SIZE):
        return False
    if kind == "table_row" and line.left > group[0].left + 2 * above.size:
        return True  # a new row would start where this one did
    wraps = abs(line.left - group[0].left) < 0.2 * line.size
    return wraps and any(_cell_after([*group, line], later) for later in lines[i + 1 : i + 4])


def _cell_after(group: Sequence[Line], line: Line) -> bool:
    """Whether `line` stands to the right of `group`, at the height of one of its lines."""
    level = any(abs(part.baseline - line.baseline) < 0.4 * line.size for part in group)
    return level and line.left > max(part.right for part in group) + 0.5 * line.size


def _rest_of_heading(line: Line, style: DocumentStyle) -> BlockKind:
    """A heading may wrap onto a line that, alone, begins like prose."""
    emphasised = line.bold and not style.body_bold
    return "heading" if emphasised or line.size >= style.body_size * LARGER else "text"


def _continues(
    group: Sequence[Line], kind: BlockKind, line: Line, line_kind: BlockKind, edge: float
) -> bool:
    """Whether `line` goes on with the block that `group` has begun."""
    above = group[-1]
    if above.broken and line_kind != "table_row":
        return True
    if kind == "heading" or line_kind == "heading":
        return kind == line_kind and _heading_goes_on(group, line, edge)
    if LONE_MARK.fullmatch(above.words) and len(group) == 1 and kind == "list_item":
        return line_kind == "text" and _beside(above, line)
    if kind == "table_row" or line_kind != "text":
        return False
    open_sentence = line.words[:1].islower() and not ends_sentence(above.words)
    if line.baseline > above.baseline + above.size:  # the next column
        return open_sentence
    if abs(line.size - above.size) > _SAME_SIZE * above.size and not open_sentence:
        return False
    if above.baseline - line.baseline > _LINE_GAP * max(line.size, above.size):
        return False
    ended = ends_sentence(above.words)
    if line.left > above.left + 0.8 * line.size and kind == "text" and ended:
        return False  # first line of an indented paragraph
    if line.left < group[0].left - 2 * line.size and kind == "list_item" and ended:
        return False  # back to the margin after a list
    return not (_ends_early(above, line, edge) and (ended or not line.words[:1].islower()))


def _heading_goes_on(group: Sequence[Line], line: Line, edge: float) -> bool:
    above = group[-1]
    if abs(line.size - above.size) > 0.05 * above.size or line.bold != above.bold:
        return False
    if not 0 < above.baseline - line.baseline < _LINE_GAP * line.size:
        return False
    if sum(len(part.text) for part in group) + len(line.text) > _MERGED_HEADING_CHARS:
        return False
    if numbering_depth(line.words) or opens_item(line.words, dash=False):
        return False
    if label_of(line.words) is not None:
        return False  # a sheet's first label under its title
    if line.words[:1].islower():
        return True
    centred = abs((above.left + above.right) - (line.left + line.right)) < 2 * line.size
    return (centred and abs(above.left - line.left) > line.size) or (
        above.right >= edge - _SHORT_LINE * edge and not _ends_early(above, line, edge)
    )


def _piece(group: Sequence[Line], kind: BlockKind, style: DocumentStyle) -> Piece:
    text = "\n".join(line.text for line in group)
    if kind == "table_row" and not has_leaders(text):
        parts = [part for line in group for part in (line.parts or (line,))]
        if len(visual_rows(parts)) == 1:
            return row_piece([part.text for part in parts])
    if kind != "heading":
        return Piece(text, kind)
    first = group[0]
    level = style.outline.get(flow(text).lower()) or style.outline.get(flow(first.text).lower())
    if level is None:
        rank = 1 + sum(other > look(first) for other in style.heading_looks)
        depth = numbering_depth(first.words) or 1
        level = min(rank, _MAX_RANK) + max(0, depth - style.shallowest.get(look(first), 1))
    return Piece(text, kind, min(level, _MAX_LEVEL))
