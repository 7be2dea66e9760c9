"""From the hOCR that tesseract writes to lines with their place, type size and confidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ingest.models import OcrCell, OcrLine

_LINES = frozenset({"ocr_line", "ocr_header", "ocr_caption", "ocr_textfloat"})
_POINTS = 72.0
_CELL_GAP = 1.6
"""In heights of the line: wider than the space between two words, even in justified lines."""
_STRAY_CHARS, _STRAY_CONFIDENCE = 3, 75.0
_STRAY_LINES, _STRAY_SHARE = 5, 0.3
_PROSE_CHARS = 20
_MANY_LINES, _MANY_SHARE = 6, 0.3


class HocrError(ValueError):
    """What tesseract printed is not the hOCR that it should be."""


class _Word(NamedTuple):
    text: str
    left: float
    right: float
    confidence: float


class Hocr(NamedTuple):
    lines: tuple[OcrLine, ...]
    """In reading order; lengths in points."""
    text_from: int
    """Column of dots before which there is only what a stamp in the margin was taken for; or 0."""
    text_to: int | None
    """The same on the right; None when nothing stands there."""


def read_hocr(hocr: bytes, dpi: float) -> Hocr:
    """Raises HocrError."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(hocr, parser)
    except etree.XMLSyntaxError as error:
        raise HocrError(str(error)) from error
    page = next((e for e in root.iter("{*}div") if e.get("class") == "ocr_page"), None)
    box = _numbers(page, "bbox") if page is not None else ()
    if page is None or len(box) != 4:
        raise HocrError("no page")
    lines: list[OcrLine] = []
    upright: list[list[_Word]] = []
    for number, paragraph in enumerate(e for e in page.iter() if e.get("class") == "ocr_par"):
        for element in paragraph.iter("{*}span"):
            words = list(_words(element)) if element.get("class") in _LINES else []
            if words:
                lines.append(_line(element, words, number, box[3], _POINTS / dpi))
                if lines[-1].upright:
                    upright.append(words)
    mirrored = [[_mirror(word) for word in reversed(words)] for words in upright]
    end = _stray_edge(mirrored)
    return Hocr(
        tuple(lines), round(_stray_edge(upright) or 0), None if end is None else -round(end)
    )


def _stray_edge(lines: Sequence[Sequence[_Word]]) -> float | None:
    """Where text begins when short, doubtful words stand before it on many lines; else None.

    So looks a stamp that runs up the margin, read across: the words of a numbered list are sure.
    """
    strays = [
        words
        for words in lines
        if len(words) > 2
        and len(words[0].text) <= _STRAY_CHARS
        and words[1].left - words[0].right
        > 0.3 * (words[1].right - words[1].left) / len(words[1].text)
    ]
    if len(strays) < max(_STRAY_LINES, _STRAY_SHARE * len(lines)):
        return None
    if sum(words[0].confidence for words in strays) / len(strays) >= _STRAY_CONFIDENCE:
        return None
    starts = sorted(words[1].left for words in strays)
    edge = starts[len(starts) // 10]
    ends = sorted(words[0].right for words in strays if words[0].right < edge)
    return (ends[-1] + edge) / 2 if ends else None


def _mirror(word: _Word) -> _Word:
    return _Word(word.text, -word.right, -word.left, word.confidence)


def set_in_columns(lines: Sequence[OcrLine]) -> bool:
    """Whether lines read straight across the page run through columns of prose.

    Rows of a table have gaps as well, but short cells.
    """
    prose = [line for line in lines if line.upright and len(line.text) > _PROSE_CHARS]
    across = sum(len(line.cells) == 2 and _both_run(line.cells) for line in prose)
    return across >= _MANY_LINES and across >= _MANY_SHARE * len(prose)


def _both_run(cells: Sequence[OcrCell]) -> bool:
    return all(len(c.text) >= _PROSE_CHARS and c.text.count(" ") >= 2 for c in cells)


def _line(
    element: Any, words: Sequence[_Word], paragraph: int, height: float, scale: float
) -> OcrLine:
    box = _numbers(element, "bbox")
    if len(box) != 4:
        raise HocrError("a line without a box")
    size = (_numbers(element, "x_size") or (box[3] - box[1],))[0]
    upright = not _numbers(element, "textangle")
    # The baseline's offset is from the lower left corner of the box; its slope is a scan's skew.
    offset = (_numbers(element, "baseline") or (0.0, 0.0))[-1]
    baseline = height - box[3] - offset if abs(offset) < size else height - box[3]
    letters = sum(len(word.text) for word in words)
    cells = _cells(words, size, scale) if upright else ()
    return OcrLine(
        text=" ".join(word.text for word in words),
        left=round(box[0] * scale, 2),
        right=round(box[2] * scale, 2),
        baseline=round(baseline * scale, 2),
        size=round(max(size * scale, 1.0), 2),
        confidence=round(sum(w.confidence * len(w.text) for w in words) / letters, 1),
        paragraph=paragraph,
        cells=cells if len(cells) > 1 else (),
        upright=upright,
    )


def _cells(words: Sequence[_Word], size: float, scale: float) -> tuple[OcrCell, ...]:
    cells = [[words[0]]]
    for before, word in pairwise(words):
        if word.left - before.right > _CELL_GAP * size:
            cells.append([])
        cells[-1].append(word)
    return tuple(
        OcrCell(
            " ".join(word.text for word in cell),
            round(cell[0].left * scale, 2),
            round(cell[-1].right * scale, 2),
        )
        for cell in cells
    )


def _words(line: Any) -> Iterator[_Word]:
    for element in line.iter("{*}span"):
        if element.get("class") == "ocrx_word":
            text = " ".join("".join(element.itertext()).split())
            box = _numbers(element, "bbox")
            if text and len(box) == 4:
                confidence = (_numbers(element, "x_wconf") or (0.0,))[0]
                yield _Word(text, box[0], box[2], confidence)


def _numbers(element: Any, name: str) -> tuple[float, ...]:
    """The numbers after `name` in the properties of an element."""
    found = re.search(rf"\b{name}((?: -?[\d.]+)+)", element.get("title") or "")
    try:
        return tuple(float(number) for number in found[1].split()) if found else ()
    except ValueError as error:
        raise HocrError(f"{name} without numbers") from error
