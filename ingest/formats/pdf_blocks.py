"""From the lines of PDF pages to headings, paragraphs, list items and table rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.cleaning import flow
from ingest.formats.marks import (
    CONTENTS,
    LONE_MARK,
    ends_sentence,
    numbering_depth,
    opens_item,
    shouts,
)
from ingest.formats.pages import Piece
from ingest.formats.pdf_lines import Line
from ingest.models import BlockKind

_HEADING_CHARS = 160
_MERGED_HEADING_CHARS = 300
_MAX_LEVEL = 6
_LARGER = 1.12
_SAME_SIZE = 0.12
_LINE_GAP = 1.9
"""Widest distance of two baselines inside a paragraph, in font sizes: 1.5 line spacing and a bit."""
_SHORT_LINE = 0.12
_NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class DocumentStyle:
    """What body text looks like in this document, and how its headings rank."""

    body_size: float
    body_bold: bool
    heading_looks: Sequence[tuple[float, bool]]
    """(size, bold) of the headings, the most imposing first; cover pages left out."""
    outline: Mapping[str, int]
    """Titles of the outline, flattened and in lower case, with their depth from 1."""


def document_style(pages: Iterable[Sequence[Line]], outline: Mapping[str, int]) -> DocumentStyle:
    sizes: Counter[float] = Counter()
    bold = total = 0
    all_pages = list(pages)
    for line in (line for page in all_pages for line in page):
        sizes[_half_point(line.size)] += len(line.text)
        total += len(line.text)
        bold += len(line.text) * line.bold
    body = sizes.most_common(1)[0][0] if sizes else 10.0
    style = DocumentStyle(body, bold > total / 2, (), outline)
    # The words of a cover are larger than any heading and would push them all down.
    inner = all_pages[1:] if len(all_pages) > 3 else all_pages
    looks = {_look(line) for page in inner for line in page if _is_heading(line, style)}
    return DocumentStyle(body, style.body_bold, sorted(looks, reverse=True), outline)


def page_pieces(
    lines: Sequence[Line], running: Mapping[int, BlockKind], style: DocumentStyle
) -> list[Piece]:
    """The page's pieces in reading order, running lines included."""
    pieces = [Piece(lines[i].text, kind) for i, kind in sorted(running.items())]
    content = [line for i, line in enumerate(lines) if i not in running]
    ordered = _reading_order(content)
    group: list[Line] = []
    kind: BlockKind = "text"
    for i, line in enumerate(ordered):
        line_kind = _kind(ordered, i, style)
        if group and _continues(group, kind, line, line_kind, _right_edge(ordered, i)):
            group.append(line)
            continue
        if group:
            pieces.append(_piece(group, kind, style))
        group, kind = [line], line_kind
    if group:
        pieces.append(_piece(group, kind, style))
    return pieces


def _look(line: Line) -> tuple[float, bool]:
    return _half_point(line.size), line.bold


def _half_point(size: float) -> float:
    return round(size * 2) / 2


def _reading_order(lines: list[Line]) -> list[Line]:
    """Top to bottom when no two lines stand side by side; else as the content stream has them.

    The stream keeps columns and table cells together, which sorting by height would interleave.
    """
    ordered = sorted(lines, key=lambda line: -line.baseline)
    for above, below in zip(ordered, ordered[1:], strict=False):
        if above.baseline - below.baseline < 0.6 * min(above.size, below.size):
            return lines
    return ordered


def _is_heading(line: Line, style: DocumentStyle) -> bool:
    text = line.words
    if len(text) > _HEADING_CHARS or sum(c.isalpha() for c in text) < 2:
        return False
    if CONTENTS.search(text):
        return False
    if style.outline and flow(text).lower() in style.outline:
        return True
    larger = line.size >= style.body_size * _LARGER
    numbered = numbering_depth(text)
    if line.columns > 1 and not (larger and (numbered or line.bold)):
        return False
    if text.endswith((",", ";")) or text[0].islower():
        return False
    if larger:
        return not (opens_item(text) and not line.bold and not numbered)
    smaller = line.size < style.body_size * 0.85
    if text.endswith(".") and not (line.bold and numbered):
        return False
    if line.bold and not style.body_bold:
        return not smaller
    if smaller or len(text) > 100 or text.endswith((".", ":")):
        return False
    return bool(numbered and (shouts(text) or numbered > 1)) or (shouts(text) and " " in text)


def _kind(lines: Sequence[Line], i: int, style: DocumentStyle) -> BlockKind:
    line = lines[i]
    text = line.words
    if CONTENTS.search(text):
        return "table_row"
    if _is_heading(line, style) and _stands_apart(lines, i):
        return "heading"
    if line.columns >= 3 or (line.columns == 2 and _in_table(lines, i)):
        return "table_row"
    previous = lines[i - 1].words if i else ""
    # A dash may also open a wrapped line of prose: it needs a sentence that has ended before it.
    if opens_item(text, dash=not previous or ends_sentence(previous)):
        return "list_item"
    if LONE_MARK.fullmatch(text) and i + 1 < len(lines) and _beside(line, lines[i + 1]):
        return "list_item"
    return "text"


def _stands_apart(lines: Sequence[Line], i: int) -> bool:
    """A bold or capital line amid lines of one paragraph is emphasis, not a heading."""
    line = lines[i]
    if i and not ends_sentence(lines[i - 1].words):
        above = lines[i - 1]
        close = 0 < above.baseline - line.baseline < 1.5 * line.size
        same = abs(above.size - line.size) < _SAME_SIZE * line.size and above.bold == line.bold
        full = above.right > line.right + 2 * line.size
        if close and same and full and not line.bold and not shouts(above.words):
            return False
    if i + 1 < len(lines):
        below = lines[i + 1]
        close = 0 < line.baseline - below.baseline < 1.5 * line.size
        if close and line.bold and not below.bold and below.words[:1].islower():
            return False
    return True


def _in_table(lines: Sequence[Line], i: int) -> bool:
    return any(
        0 <= j < len(lines) and lines[j].columns > 1 for j in (i - 2, i - 1, i + 1, i + 2)
    ) or any(c.isdigit() for c in lines[i].words[-8:])


def _beside(mark: Line, line: Line) -> bool:
    return line.left > mark.left and abs(line.baseline - mark.baseline) < 2 * line.size


def _right_edge(lines: Sequence[Line], i: int) -> float:
    """Where full lines end around line `i`, in its column."""
    line = lines[i]
    near = lines[max(0, i - _NEIGHBOURS) : i + _NEIGHBOURS]
    return max(
        (other.right for other in near if abs(other.left - line.left) < 4 * line.size),
        default=line.right,
    )


def _continues(
    group: Sequence[Line], kind: BlockKind, line: Line, line_kind: BlockKind, edge: float
) -> bool:
    """Whether `line` goes on with the block that `group` has begun."""
    above = group[-1]
    if kind == "heading" or line_kind == "heading":
        return kind == line_kind and _heading_goes_on(group, line, edge)
    if LONE_MARK.fullmatch(above.words) and len(group) == 1 and kind == "list_item":
        return line_kind == "text" and _beside(above, line)
    if kind == "table_row" or line_kind != "text":
        return False
    broken = above.text.rstrip(" ").endswith(("\x02", "\ufffe"))
    open_sentence = line.words[:1].islower() and not ends_sentence(above.words)
    if line.baseline > above.baseline + above.size:  # the next column
        return broken or open_sentence
    if abs(line.size - above.size) > _SAME_SIZE * above.size and not open_sentence:
        return False
    if above.baseline - line.baseline > _LINE_GAP * max(line.size, above.size):
        return broken
    if broken:
        return True
    text = above.words
    short = above.right < edge - _SHORT_LINE * (edge - min(above.left, line.left))
    if line.left > above.left + 0.8 * line.size and kind == "text" and ends_sentence(text):
        return False  # first line of an indented paragraph
    if line.left < group[0].left - 2 * line.size and kind == "list_item" and ends_sentence(text):
        return False  # back to the margin after a list
    if short and ends_sentence(text):
        return False
    return not (short and not line.words[:1].islower() and above.right < edge - 0.35 * edge)


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
    if line.words[:1].islower():
        return True
    centred = abs((above.left + above.right) - (line.left + line.right)) < 2 * line.size
    return (centred and abs(above.left - line.left) > line.size) or (
        above.right >= edge - _SHORT_LINE * edge and above.right > line.right
    )


def _piece(group: Sequence[Line], kind: BlockKind, style: DocumentStyle) -> Piece:
    text = "\n".join(line.text for line in group)
    if kind != "heading":
        return Piece(text, kind)
    first = group[0]
    level = style.outline.get(flow(text).lower()) or style.outline.get(flow(first.text).lower())
    if level is None:
        rank = 1 + sum(look > _look(first) for look in style.heading_looks)
        level = max(rank, numbering_depth(first.words))
    return Piece(text, kind, min(level, _MAX_LEVEL))
