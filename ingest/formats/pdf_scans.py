"""PDF pages whose words stand in an image: which they are, their dots, their recognised lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ingest.formats.pdf_lines import Line
from ingest.formats.pdf_running import PageLines
from ingest.models import OcrLine, OcrPage, Recognition
from ingest.ocr.engine import DPI, MAX_PIXELS, Image

if TYPE_CHECKING:
    import pypdfium2

MIN_CONFIDENCE = 50.0
"""Mean under which a page counts as unread: its words would be quoted wrongly."""
_NOISE_CONFIDENCE = 40.0
"""A paragraph below it is a stamp, a signature or a stain. Lines are never dropped one by one: the
words around the gap would read as one sentence."""
_COVERED_SHARE = 0.7
_MARGIN_SHARE = 0.18
_STAMP_CHARS = 400
_ODD_SHARE, _CONSONANT_SHARE, _MIN_WORDS = 0.15, 0.5, 20
_GAIN = 1.5
_SIZE_DOUBT = 0.25
_WORD = re.compile(r"[^\W\d_]{4,}")
_VOWEL = re.compile(r"[aeiouyàèéìíòóùú]", re.IGNORECASE)
_LETTER = re.compile(r"[^\W_]")


class Recognised(NamedTuple):
    """The pages of a PDF with recognised lines in the place of missing ones."""

    pages: list[PageLines]
    aside: Mapping[int, str]
    """By page: words that run up or down its margin."""
    confidence: Mapping[int, float]
    """By page: mean confidence, 0-100, of those that were recognised."""
    images: list[int]
    """Pages whose words stand in an image."""
    poor: Mapping[int, float]
    """By page: the confidence with which it was not recognised well enough; 0 for no words."""


def stands_in_image(page: pypdfium2.PdfPage, lines: Sequence[Line]) -> bool:
    """Whether the page's words are in an image: no text, only a stamp upon it, or not words."""
    if not lines:
        return next(page.get_objects(max_depth=3), None) is not None
    if is_garbage(" ".join(line.text for line in lines)):
        return True
    height = page.get_height() or 1.0
    inner = [
        y for line in lines if _MARGIN_SHARE < (y := line.baseline / height) < 1 - _MARGIN_SHARE
    ]
    if inner or sum(len(line.words) for line in lines) > _STAMP_CHARS:
        return False
    return _image_share(page) >= _COVERED_SHARE


def is_garbage(text: str) -> bool:
    """Whether a text layer is no text: codes of a font that does not say what its signs are."""
    counts = {c: text.count(c) for c in set(text) if not c.isspace() and c not in "\x02\ufffe"}
    signs = sum(counts.values())
    odd = sum(
        count
        for c, count in counts.items()
        if unicodedata.category(c) in ("Cc", "Co", "Cn") or c == "\ufffd"
    )
    if odd > _ODD_SHARE * signs:
        return signs >= _MIN_WORDS
    words = _WORD.findall(text)
    mute = sum(not _VOWEL.search(word) for word in words)
    return len(words) >= _MIN_WORDS and mute > _CONSONANT_SHARE * len(words)


def render(page: pypdfium2.PdfPage) -> tuple[Image, float]:
    """The page in grey and its dots per inch: 300, fewer for very large pages."""
    width, height = page.get_width(), page.get_height()
    scale = DPI / 72
    pixels = max(1.0, width * height * scale**2)
    if pixels > MAX_PIXELS:
        scale *= (MAX_PIXELS / pixels) ** 0.5
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        import numpy as np  # only scans need it

        image = np.array(bitmap.to_numpy(), dtype=np.uint8)  # a copy: the bitmap's memory goes
    finally:
        bitmap.close()
    return image.reshape(image.shape[:2]), scale * 72


def put_recognised(
    pages: Sequence[PageLines], images: Sequence[int], recognition: Recognition
) -> Recognised:
    """Recognised lines for the pages in `images`, where they say more than the text layer."""
    found = list(pages)
    aside: dict[int, str] = {}
    confidences: dict[int, float] = {}
    poor: dict[int, float] = {}
    left: list[int] = []
    for number in images:
        layer = pages[number - 1]
        if is_garbage(" ".join(line.text for line in layer.lines)):
            layer = PageLines(number, layer.height, [])
        found[number - 1] = layer
        seen = recognition.pages.get(number)
        if seen is None:
            left.append(number)
            continue
        clear = clear_lines(seen)
        sure = mean_confidence(clear)
        if clear and sure >= MIN_CONFIDENCE and _says_more(clear, layer.lines):
            upright = [line for line in clear if line.upright]
            lying = " ".join(line.text for line in clear if not line.upright)
            body = _body_size(upright)
            found[number - 1] = PageLines(number, seen.height, [_line(o, body) for o in upright])
            aside |= {number: lying} if lying else {}
            confidences[number] = round(sure, 1)
            left.append(number)
        elif not layer.lines:
            poor[number] = round(sure, 1)
            left.append(number)
    return Recognised(found, aside, confidences, left, poor)


def clear_lines(page: OcrPage) -> list[OcrLine]:
    """The lines of every paragraph that holds words and was read with some confidence."""
    paragraphs: dict[tuple[int, bool], list[OcrLine]] = {}
    for line in page.lines:
        paragraphs.setdefault((line.paragraph, line.upright), []).append(line)
    kept = {key for key, lines in paragraphs.items() if _is_clear(lines)}
    return [line for line in page.lines if (line.paragraph, line.upright) in kept]


def mean_confidence(lines: Sequence[OcrLine]) -> float:
    """Over the letters of upright lines, of all when none is; 0 without lines."""
    counted = [line for line in lines if line.upright] or list(lines)
    letters = sum(len(line.text) for line in counted)
    return sum(line.confidence * len(line.text) for line in counted) / letters if letters else 0.0


def _is_clear(lines: Sequence[OcrLine]) -> bool:
    if mean_confidence(lines) < _NOISE_CONFIDENCE:
        return False
    text = "".join(line.text for line in lines)
    return len(_LETTER.findall(text)) >= (2 if lines[0].upright else 12)


def _says_more(seen: Sequence[OcrLine], layer: Sequence[Line]) -> bool:
    """A text layer is exact, so that recognition must find half as much again to take its place."""
    read = sum(len(line.words) for line in layer)
    return sum(len(line.text) for line in seen) > _GAIN * read


def _body_size(lines: Sequence[OcrLine]) -> float:
    """Median over the letters, in points; 0 without lines."""
    sizes = sorted((line.size, len(line.text)) for line in lines)
    half = sum(length for _, length in sizes) / 2
    for size, length in sizes:
        half -= length
        if half <= 0:
            return size
    return 0.0


def _line(seen: OcrLine, body: float) -> Line:
    """Measured sizes waver with the letters of a line: only a clear difference is believed."""
    size = body if abs(seen.size - body) < _SIZE_DOUBT * body else seen.size
    at = (seen.baseline, size, False)
    parts = tuple(Line(cell.text, cell.left, cell.right, *at) for cell in seen.cells)
    columns = max(1, len(parts))
    return Line(seen.text, seen.left, seen.right, *at, columns=columns, parts=parts)


def _image_share(page: pypdfium2.PdfPage) -> float:
    """Share of the page that images cover; a scan may be cut into strips."""
    from pypdfium2 import PdfiumError, raw

    area = (page.get_width() * page.get_height()) or 1.0
    covered = 0.0
    for found in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        try:
            left, bottom, right, top = found.get_bounds()
        except PdfiumError:
            continue
        covered += max(0.0, right - left) * max(0.0, top - bottom)
    return covered / area
