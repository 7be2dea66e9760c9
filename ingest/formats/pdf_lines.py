"""Lines of a PDF page with their geometry, read through PDFium's text page.

Lengths are in points; y grows upwards, as in the PDF. Foreign calls are the cost here, so geometry
is asked for two characters of each line, and inside a line only where columns are likely.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pypdfium2

_BREAK = re.compile("(?:\r\n|[\r\n]|(?<=[\x02\ufffe]))")
_BOLD_NAME = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
_BOLD_WEIGHT = 600
_BLANKS = " \xa0\t\x02\ufffe"
# Ordinary Italian prose measures 0.42-0.52 em a character, spaces included.
_WIDE_EM_PER_CHARACTER = 0.58
_COLUMN_GAP_EM = 1.6
_SPARSE_ROW_GAP_EM = 3.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text and where it stands; `columns` is the number of cells seen in it."""

    text: str
    left: float
    right: float
    baseline: float
    size: float
    bold: bool
    columns: int = 1
    words: str = field(init=False)
    """The text without outer blanks and hyphen marks."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", self.text.strip(_BLANKS))

    @property
    def broken(self) -> bool:
        """Whether it ends inside a word, on PDFium's hyphen mark."""
        return self.text.rstrip(" ").endswith(("\x02", "\ufffe"))


def read_lines(page: pypdfium2.PdfPage) -> list[Line]:
    """The page's lines in the order of its content stream; line-end hyphen marks are kept."""
    text_page = page.get_textpage()
    try:
        text = text_page.get_text_range()
        if not text or text.isspace():
            return []
        probe = _Probe(text_page.raw)
        lines: list[Line] = []
        start = 0
        # PDFium counts UTF-16 units; letters outside the BMP are all but unknown in these texts,
        # and would only shift the geometry that is asked for, never the text.
        for match in _BREAK.finditer(text):
            _append(lines, probe, text[start : match.start()], start)
            start = match.end()
        _append(lines, probe, text[start:], start)
        return lines
    finally:
        text_page.close()


def _append(lines: list[Line], probe: _Probe, raw: str, start: int) -> None:
    if raw and not raw.isspace():
        lines.append(probe.line(raw, start))


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

    def line(self, text: str, start: int) -> Line:
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
        columns = 1
        if (right - left) > _WIDE_EM_PER_CHARACTER * size * (len(body) - lead):
            columns = self._columns(body, lead, start, size)
        return Line(text, left, right, baseline, size, bold, columns)

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

    def _columns(self, body: str, lead: int, start: int, size: float) -> int:
        """Number of cells: stretches of text kept apart by a gap wider than any word space."""
        gaps: list[float] = []
        for match in re.finditer(r"[ \xa0\t]+", body[lead:]):
            before = self._index(self._handle, start + lead + match.start() - 1)
            after = self._index(self._handle, start + lead + match.end())
            if self._char_box(self._handle, before, *self._refs):
                end = self._box[1].value
                if self._char_box(self._handle, after, *self._refs):
                    gaps.append((self._box[0].value - end) / size)
        if not gaps:
            return 1
        usual = sorted(gaps)[len(gaps) // 2]
        limit = _COLUMN_GAP_EM
        if len(gaps) > 3 and usual < _SPARSE_ROW_GAP_EM:
            limit = max(1.2, 2.2 * usual)  # a justified or letter-spaced line is no table row
        return 1 + sum(gap > limit for gap in gaps)
