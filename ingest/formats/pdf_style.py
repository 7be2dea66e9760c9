"""What the text of a PDF looks like, and which of its lines look like headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ingest.cleaning import flow
from ingest.formats.marks import RECORD, has_leaders, numbering_depth, opens_item, shouts
from ingest.formats.pdf_lines import Line

LARGER, _SMALLER = 1.12, 0.85
"""Sizes of headings and of notes, in sizes of the text."""
PLAIN_HEADING_CHARS = 100
_HEADING_CHARS = 160
_PARAGRAPH_LINES, _PARAGRAPH_CHARS, _BODY_SHARE = 3, 50, 0.08
"""Lines of one look and letters in each that make a paragraph; their least share of the text."""
_AMOUNT = re.compile(r"\s(?!(?:19|20)\d\d$)[\d.,]+\W*$")
_TWO_LETTERS = re.compile(r"[^\W\d_].*[^\W\d_]")


@dataclass(frozen=True, slots=True)
class DocumentStyle:
    """What body text looks like in this document, and how its headings rank."""

    body_size: float
    body_bold: bool
    heading_looks: Sequence[tuple[float, bool]]
    """(size, bold) of the headings, the most imposing first; cover pages left out."""
    shallowest: Mapping[tuple[float, bool], int]
    """For each look, the depth of the numbering of its outermost headings."""
    outline: Mapping[str, int]
    """Titles of the outline, flattened and in lower case, with their depth from 1."""


def document_style(pages: Iterable[Sequence[Line]], outline: Mapping[str, int]) -> DocumentStyle:
    all_pages = list(pages)
    lines = [line for page in all_pages for line in page]
    total = sum(len(line.words) for line in lines)
    bold = sum(len(line.words) for line in lines if line.bold)
    body = _body_size(lines, total)
    style = DocumentStyle(body, bold > total / 2, (), {}, outline)
    # The words of a cover are larger than any heading and would push them all down.
    inner = all_pages[1:] if len(all_pages) > 3 else all_pages
    depths: dict[tuple[float, bool], list[int]] = {(body, style.body_bold): []}
    for line in (line for page in inner for line in page):
        if (line.bold or line.size > body) and is_heading(line, style):
            depths.setdefault(look(line), []).append(numbering_depth(line.words) or 1)
    # A look met once (a logo, a stamp) is no level of the document.
    looks = sorted((one for one, found in depths.items() if len(found) != 1), reverse=True)
    shallowest = {one: min(found, default=1) for one, found in depths.items()}
    return DocumentStyle(body, style.body_bold, looks, shallowest, outline)


def _body_size(lines: Sequence[Line], total: int) -> float:
    """The largest size that paragraphs are set in, in half points.

    Not the commonest: tables are often set smaller than the text, and may hold more of the words.
    """
    sizes: Counter[float] = Counter()
    in_paragraphs: Counter[float] = Counter()
    for (size, bold), run in groupby(lines, key=look):
        lengths = [len(line.words) for line in run]
        sizes[size] += sum(lengths)
        if len(lengths) >= _PARAGRAPH_LINES and not bold:
            in_paragraphs[size] += sum(n for n in lengths if n >= _PARAGRAPH_CHARS)
    body = max((s for s, held in in_paragraphs.items() if held > _BODY_SHARE * total), default=0.0)
    return body or (sizes.most_common(1)[0][0] if sizes else 10.0)


def look(line: Line) -> tuple[float, bool]:
    return _half_point(line.size), line.bold


def _half_point(size: float) -> float:
    return round(size * 2) / 2


def is_heading(line: Line, style: DocumentStyle) -> bool:
    """Whether the words and the look of a line, by themselves, are a heading's."""
    text = line.words
    if len(text) > _HEADING_CHARS or not _TWO_LETTERS.search(text) or has_leaders(text):
        return False
    if style.outline and flow(text).lower() in style.outline:
        return True
    larger = line.size >= style.body_size * LARGER
    emphasised = line.bold and not style.body_bold
    if not (larger or emphasised) and (len(text) > PLAIN_HEADING_CHARS or text.endswith(".")):
        return False
    if text[0].islower() or text.endswith((",", ";")):
        return False
    numbered = numbering_depth(text)
    if line.columns > 1 and not (larger and (numbered or line.bold)):
        return False
    if not numbered and not RECORD.match(text) and _AMOUNT.search(text):
        return False  # a total or a row's value
    if larger:
        return bool(line.bold or numbered or not opens_item(text))
    if line.size < style.body_size * _SMALLER or text.endswith(".") > bool(numbered):
        return False
    if emphasised:
        return True
    if text.endswith(":"):
        return False
    return (shouts(text) and (numbered > 0 or " " in text)) or numbered > 1
