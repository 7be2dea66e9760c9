"""Plain text: paragraphs, bullets, headings, tables in aligned columns, saved web pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.cleaning import flow, normalise
from ingest.formats.encoding import decode
from ingest.formats.furniture import furniture_kind, page_date
from ingest.formats.marks import LONE_MARK, ends_sentence, numbering_depth, opens_item, shouts
from ingest.formats.pages import Piece, build_page
from ingest.formats.tables import table_pieces
from ingest.formats.text_tables import aligned_rows
from ingest.models import SourceDocument, SourcePage

MEDIA_TYPE = "text/plain"
_HEADING_CHARS = 100
_HEADING_WORDS = 14
_TITLE_WITHIN = 3
_LINE_BREAK = re.compile("\r\n?|[\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_RULE = re.compile(r"=+|-{3,}|~{3,}|_{3,}|\*{3,}")
_WRAPPED_AT = (40, 130)
"""Shortest and longest usual line, in characters, of a text wrapped by hand."""


def read(data: bytes, name: str) -> SourceDocument:
    text, notes = decode(data, name)
    pieces = list(_pieces(text))
    page = build_page(1, pieces)
    metadata = {"date": date} if (date := page_date(page.text)) else {}
    return SourceDocument((page,), MEDIA_TYPE, _title(page), metadata, notes)


def _title(page: SourcePage) -> str | None:
    """The heading among the first lines; one further down names a part, not the document."""
    content = [block for block in page.blocks if block.kind not in ("header", "footer")]
    for block in content[:_TITLE_WITHIN]:
        if block.kind == "heading":
            return page.text[block.start : block.end]
    return None


def _pieces(text: str) -> Iterator[Piece]:
    raw = list(_raw_paragraphs(text))
    paragraphs = [[normalise(line) for line in lines] for lines in raw]
    wrapped = _is_wrapped("\n".join(line for lines in paragraphs for line in lines))
    # Whoever underlines headings leaves no others to be guessed.
    marked = any(len(lines) > 1 and _underlined(lines) for lines in paragraphs)
    seen_heading = False
    i = 0
    while i < len(paragraphs):
        lines = paragraphs[i]
        i += 1
        if len(lines) > 1 and (level := _underlined(lines)):
            yield Piece(lines[0], "heading", level)
            seen_heading = True
            lines = lines[2:]
            if not lines:
                continue
        elif rows := aligned_rows(raw[i - 1]):
            yield from table_pieces(rows)
            continue
        if len(lines) == 1:
            line = lines[0]
            if kind := furniture_kind(line):
                yield Piece(line, kind)
                continue
            following = paragraphs[i] if i < len(paragraphs) else None
            if LONE_MARK.fullmatch(line) and following and following[0][:1].islower():
                # "1", blank line, "la lotta…": the number belongs to what follows.
                yield Piece("\n".join([line, *following]), "list_item")
                i += 1
                continue
            plain = marked and not (numbering_depth(line) or shouts(line))
            if following is not None and not plain and _is_heading(line):
                yield Piece(line, "heading", _level(line, seen_heading))
                seen_heading = True
                continue
        yield from _paragraph(lines, wrapped)


def _raw_paragraphs(text: str) -> Iterator[list[str]]:
    """Lines without a blank one between them, with their runs of blanks."""
    lines: list[str] = []
    for line in _LINE_BREAK.split(text):
        if normalise(line):
            lines.append(line)
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


def _underlined(lines: list[str]) -> int:
    """Level of a first line that the second underlines: 1 for "=", 2 for others, 0 for none."""
    if len(lines[0]) > _HEADING_CHARS * 2 or not _RULE.fullmatch(lines[1]):
        return 0
    return 1 if lines[1].startswith("=") else 2


def _is_wrapped(text: str) -> bool:
    """Whether lines were broken at a column, so that a break inside a paragraph means nothing."""
    lengths = sorted(len(line) for line in text.split("\n") if len(line) > 20)
    if len(lengths) < 4:
        return False
    usual = lengths[int(len(lengths) * 0.75)]
    return _WRAPPED_AT[0] <= usual <= _WRAPPED_AT[1] and lengths[-1] <= usual * 1.4


def _paragraph(lines: list[str], wrapped: bool) -> Iterator[Piece]:
    """Lines without a blank between them: joined where a sentence runs on, else apart."""
    group: list[str] = []
    for line in lines:
        if group and not _runs_on(group[-1], line, wrapped):
            yield _piece(group)
            group = []
        if kind := furniture_kind(line):
            if group:
                yield _piece(group)
                group = []
            yield Piece(line, kind)
            continue
        group.append(line)
    if group:
        yield _piece(group)


def _runs_on(above: str, line: str, wrapped: bool) -> bool:
    if opens_item(line):
        return False
    if line[:1].islower() and not ends_sentence(above):
        return True
    return wrapped and len(above) >= _WRAPPED_AT[0]


def _piece(group: list[str]) -> Piece:
    return Piece("\n".join(group), "list_item" if opens_item(group[0]) else "text")


def _is_heading(line: str) -> bool:
    """A short line of its own, in capitals or numbered or without a sentence's end."""
    if len(line) > _HEADING_CHARS or len(line.split()) > _HEADING_WORDS or opens_item(line):
        return bool(len(line) <= _HEADING_CHARS and numbering_depth(line) and shouts(line))
    if line.endswith((".", ",", ";", ":")) or (not line[0].isupper() and not numbering_depth(line)):
        return False
    if re.match(r"\w+: ", line):
        return False  # a label and its value
    if "@" in line or "://" in line or sum(c.isdigit() for c in line) > len(line) / 4:
        return False
    return sum(c.isalpha() for c in line) >= 3


def _level(line: str, seen_heading: bool) -> int:
    if depth := numbering_depth(flow(line)):
        return depth + 1
    return 2 if seen_heading else 1
