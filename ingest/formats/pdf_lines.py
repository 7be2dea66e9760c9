"""Lines of a PDF page with their geometry, read through PDFium's text page.

Lengths are in points; y grows upwards, as in the PDF. Foreign calls are the cost here, so geometry
is asked for two characters of each line, and inside a line only where columns are likely.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from ingest.formats.pdf_rules import Grid, find_grids

if TYPE_CHECKING:
    import pypdfium2

_BREAK = re.compile("(?:\r\n|[\r\n]|(?<=[\x02\ufffe]))")
_BOLD_NAME = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
_BOLD_WEIGHT = 600
_BLANKS = " \xa0\t\x02\ufffe"
_BLANK_RUN = re.compile(r"[ \xa0\t]+")
# Ordinary Italian prose measures 0.42-0.52 em a character, spaces included.
_WIDE_EM_PER_CHARACTER = 0.58
_NARROW_EM_PER_CHARACTER = 0.2
"""A line that is narrower for its words goes back to the left somewhere."""
_MIN_GAP_EM = 1.1
_SPARSE_ROW_GAP_EM = 3.0
_PARTED_FROM = 150.0
"""A narrower line is not looked into for gaps, unless it is wide for its words."""
_MAX_RECTS = 80
_TURNED_SINE = 0.5
_OVER = 2.0
"""How far a word may reach over the edge of its cell, in points."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text and where it stands; `columns` is the number of cells seen in it.

    `parts` are these cells, where they are known: what gaps wider than a space part it into.
    """

    text: str
    left: float
    right: float
    baseline: float
    size: float
    bold: bool
    columns: int = 1
    upright: bool = True
    parts: tuple[Line, ...] = ()
    words: str = field(init=False)
    """The text without outer blanks and hyphen marks."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", self.text.strip(_BLANKS))

    @property
    def middle(self) -> float:
        """Height of the middle of its small letters."""
        return self.baseline + 0.3 * self.size

    @property
    def broken(self) -> bool:
        """Whether it ends inside a word, on PDFium's hyphen mark."""
        return self.text.rstrip(" ").endswith(("\x02", "\ufffe"))


def read_lines(page: pypdfium2.PdfPage) -> tuple[list[Line], list[Grid]]:
    """The page's lines in the order of its content stream, and the grids drawn around them.

    Line-end hyphen marks are kept. A line that runs over several cells of a grid comes cell by
    cell. Grids are looked for only where lines stand side by side.
    """
    text_page = page.get_textpage()
    try:
        text = text_page.get_text_range()
        if not text or text.isspace():
            return [], []
        probe = _Probe(text_page.raw)
        lines: list[Line] = []
        starts: list[int] = []
        start = 0
        # PDFium counts UTF-16 units; letters outside the BMP are all but unknown in these texts,
        # and would only shift the geometry that is asked for, never the text.
        for match in (*_BREAK.finditer(text), None):
            raw = text[start : match.start() if match else len(text)]
            if raw and not raw.isspace():
                lines.append(probe.line(raw, start))
                starts.append(start)
            start = match.end() if match else len(text)
        if sum(not line.upright for line in lines) > len(lines) / 2:  # a page to be turned
            lines = [replace(line, upright=True) for line in lines]
        grids = find_grids(page) if _side_by_side(lines) else []
        if grids:
            cells = (probe.by_cell(line, at, grids) for line, at in zip(lines, starts, strict=True))
            lines = [part for parts in cells for part in parts]
        return lines, grids
    finally:
        text_page.close()


def _side_by_side(lines: list[Line]) -> bool:
    if any(line.parts for line in lines):
        return True
    ordered = sorted(lines, key=lambda line: -line.baseline)
    return any(
        above.baseline - below.baseline < 0.9 * min(above.size, below.size)
        for above, below in pairwise(ordered)
    )


class _Probe:
    """Asks PDFium for boxes and fonts of one text page, reusing the same out-parameters."""

    def __init__(self, handle: object) -> None:
        import pypdfium2.raw as raw

        self._handle = handle
        self._index = raw.FPDFText_GetCharIndexFromTextIndex
        self._origin = raw.FPDFText_GetCharOrigin
        self._char_box = raw.FPDFText_GetCharBox
        self._font_size = raw.FPDFText_GetFontSize
        self._font_info = raw.FPDFText_GetFontInfo
        self._font_weight = raw.FPDFText_GetFontWeight
        self._char_matrix = raw.FPDFText_GetMatrix
        self._box = [ctypes.c_double() for _ in range(4)]
        self._refs = [ctypes.byref(value) for value in self._box]
        self._name = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()
        self._matrix = raw.FS_MATRIX()
        self._char_angle = raw.FPDFText_GetCharAngle
        self._count_rects = raw.FPDFText_CountRects
        self._rect = raw.FPDFText_GetRect

    def line(self, text: str, start: int) -> Line:
        """The line at `start` of the page's text, with its parts when gaps part it."""
        whole = self._plain(text, start)
        wide = whole.right - whole.left
        ems = whole.size * len(whole.words)
        if wide < _NARROW_EM_PER_CHARACTER * ems and self._is_turned(start):
            return replace(whole, upright=False)
        odd = not _NARROW_EM_PER_CHARACTER * ems < wide < _WIDE_EM_PER_CHARACTER * ems
        if odd or (wide > _PARTED_FROM and self._has_gap(whole, start)):
            parts = _cut(whole, self._wide_gaps(whole, start))
            if len(parts) > 1:
                return replace(whole, columns=len(parts), parts=parts)
        return whole

    def by_cell(self, line: Line, start: int, grids: Sequence[Grid]) -> Sequence[Line]:
        """The line as it is, or cut where the upright lines of a grid part its words."""
        for grid in grids:
            row = grid.row_at(line.middle)
            if row < 0 or line.right < grid.xs[0] or line.left > grid.xs[-1]:
                continue
            first, last = grid.column_at(line.left), grid.column_at(line.right)
            if line.parts:  # whose order may be another than from the left
                first = min(grid.column_at(part.left) for part in line.parts)
                last = max(grid.column_at(part.right) for part in line.parts)
            edges = [grid.xs[c + 1] for c in range(first, last) if grid.parted_down(row, c)]
            if not edges:
                return line.parts if line.parts and not grid.down else (line,)
            cuts = [
                gap
                for gap in self._gaps(line.text, start)
                if gap.width < -line.size
                or any(gap.left - _OVER <= edge <= gap.right + _OVER for edge in edges)
            ]
            return _cut(line, cuts)
        return (line,)

    def _plain(self, text: str, start: int) -> Line:
        body = text.rstrip(_BLANKS) or text
        lead = len(body) - len(body.lstrip(_BLANKS))
        first = self._index(self._handle, start + lead)
        last = self._index(self._handle, start + len(body) - 1)
        left, baseline = 0.0, 0.0
        if self._origin(self._handle, first, self._refs[0], self._refs[1]):
            left, baseline = self._box[0].value, self._box[1].value
        right = left
        if self._char_box(self._handle, last, *self._refs):
            right = max(left, self._box[1].value)
        middle = (lead + len(body)) // 2
        while body[middle].isspace():  # a space that PDFium made up has no size
            middle += 1
        size = self._size(self._index(self._handle, start + middle))
        bold = self._bold(first) and self._bold(last)
        return Line(text, left, right, baseline, size, bold)

    def _is_turned(self, start: int) -> bool:
        angle: float = self._char_angle(self._handle, self._index(self._handle, start))
        return abs(math.sin(angle)) > _TURNED_SINE

    def _has_gap(self, line: Line, start: int) -> bool:
        """Whether two of the line's pieces stand further apart than words do."""
        first = self._index(self._handle, start)
        last = self._index(self._handle, start + len(line.text) - 1)
        count = self._count_rects(self._handle, first, last - first + 1)
        if not 1 < count <= _MAX_RECTS:
            return False
        reach: float | None = None
        for i in range(count):
            self._rect(self._handle, i, self._refs[0], self._refs[1], self._refs[2], self._refs[3])
            left, right = self._box[0].value, self._box[2].value
            if reach is not None and not -line.size < left - reach < _MIN_GAP_EM * line.size:
                return True
            reach = right
        return False

    def _size(self, index: int) -> float:
        """Size in points as it stands on the page: many producers scale a font of size 1."""
        size: float = self._font_size(self._handle, index) or 1.0
        if self._char_matrix(self._handle, index, ctypes.byref(self._matrix)):
            scale: float = (self._matrix.c**2 + self._matrix.d**2) ** 0.5
            size *= scale or 1.0
        return max(size, 1.0)

    def _bold(self, index: int) -> bool:
        if self._font_weight(self._handle, index) >= _BOLD_WEIGHT:
            return True
        flags = ctypes.byref(self._flags)
        length = self._font_info(self._handle, index, self._name, len(self._name), flags)
        return bool(_BOLD_NAME.search(self._name.raw[: max(0, min(length, 128) - 1)]))

    def _gaps(self, text: str, start: int) -> Iterator[_Gap]:
        body = text.rstrip(_BLANKS)
        lead = len(body) - len(body.lstrip(_BLANKS))
        for match in _BLANK_RUN.finditer(body, lead):
            before = self._index(self._handle, start + match.start() - 1)
            after = self._index(self._handle, start + match.end())
            if self._char_box(self._handle, before, *self._refs):
                end = self._box[1].value
                if self._char_box(self._handle, after, *self._refs):
                    yield _Gap(match.start(), match.end(), end, self._box[0].value)

    def _wide_gaps(self, line: Line, start: int) -> list[_Gap]:
        """The gaps that part cells or columns: wider than any space between words."""
        gaps = list(self._gaps(line.text, start))
        if not gaps:
            return []
        usual = sorted(gap.width for gap in gaps)[len(gaps) // 2] / line.size
        limit = _MIN_GAP_EM
        if len(gaps) > 3 and usual < _SPARSE_ROW_GAP_EM:
            limit = max(_MIN_GAP_EM, 2.2 * usual)  # a justified or spaced line is no table row
        return [gap for gap in gaps if not -line.size < gap.width <= limit * line.size]


class _Gap(NamedTuple):
    """A run of blanks `text[begin:end]` of a line, and the edges of the words around it."""

    begin: int
    end: int
    left: float
    right: float

    @property
    def width(self) -> float:
        """Negative when the words behind it stand further to the left."""
        return self.right - self.left


def _cut(line: Line, gaps: Sequence[_Gap]) -> tuple[Line, ...]:
    """The line's words between the gaps, each where it stands."""
    parts: list[Line] = []
    begin, left = 0, line.left
    for gap in (*gaps, _Gap(len(line.text), len(line.text), line.right, 0.0)):
        text = line.text[begin : gap.begin]
        if text.strip(_BLANKS):
            right = max(left, gap.left)
            parts.append(Line(text, left, right, line.baseline, line.size, line.bold))
        begin, left = gap.end, gap.right
    return tuple(parts)
