"""Markdown, lightly read: its marks leave the canonical text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from ingest.cleaning import flow
from ingest.formats.encoding import decode
from ingest.formats.pages import Piece, build_page, first_heading, row_piece
from ingest.models import SourceDocument

MEDIA_TYPE = "text/markdown"
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"([A-Za-zÀ-ÿ_][\w -]{0,60}?)\s*:\s*(.*)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])[ \t]+(.*)")
_ORDERED = re.compile(r"\s*(\d{1,9}[.)])[ \t]+")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_DEFINITION = re.compile(r" {0,3}\[[^\]]+\]:\s+\S+.*")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_SHELTER = 0xE000
"""Private use area, which canonical text never holds: escaped marks wait there."""
_SHELTERED = re.compile("[\ue000-\ue07f]")
_INLINE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"!\[([^\]]*)\]\([^()]*(?:\([^()]*\)[^()]*)*\)"), r"\1"),
    (re.compile(r"\[([^\[\]]*)\]\([^()]*(?:\([^()]*\)[^()]*)*\)"), r"\1"),
    (re.compile(r"\[([^\[\]]+)\]\[[^\]]*\]"), r"\1"),
    (re.compile(r"<((?:https?|mailto)[^ >]+)>"), r"\1"),
    (re.compile(r"<br\s*/?>", re.IGNORECASE), " "),
    (re.compile(r"</?[A-Za-z][^<>]*>"), ""),
    (re.compile(r"(`+)(.+?)\1"), r"\2"),
    (re.compile(r"(?<![\w*])(\*{1,3})(?=\S)(.+?)(?<=\S)\1(?![\w*])"), r"\2"),
    (re.compile(r"(?<!\w)(_{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"\1"),
)


def read(data: bytes, name: str) -> SourceDocument:
    text, notes = decode(data, name)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    metadata: dict[str, str] = {}
    if front := _FRONT_MATTER.match(text):
        metadata = _front_matter(front[1])
        text = text[front.end() :]
    page = build_page(1, _pieces(_COMMENT.sub("", text).split("\n")))
    title = metadata.get("title") or metadata.get("titolo") or first_heading([page])
    return SourceDocument((page,), MEDIA_TYPE, title, metadata, notes)


def _front_matter(text: str) -> dict[str, str]:
    """`key: value` lines; a list under a key, one dash a line or in brackets, becomes a series."""
    found: dict[str, str] = {}
    key = ""
    for line in text.split("\n"):
        if match := _FIELD.fullmatch(line):
            key = match[1].strip().lower()
            value = match[2].strip()
            if value[:1] + value[-1:] == "[]":
                value = ", ".join(part.strip().strip("\"'") for part in value[1:-1].split(","))
            found[key] = flow(value.strip("\"'"))
        elif key and (item := re.fullmatch(r"\s+(?:-\s+)?(.*)|-\s+(.*)", line)):
            value = flow((item[1] or item[2] or "").strip("\"'"))
            found[key] = f"{found[key]}, {value}" if found[key] else value
    return {key: value for key, value in found.items() if value}


def _inline(text: str) -> str:
    """The words of a text without its marks; a mark escaped by a backslash is a word."""
    text = _ESCAPED.sub(lambda m: chr(_SHELTER + ord(m[1])), text)
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return _SHELTERED.sub(lambda m: chr(ord(m[0]) - _SHELTER), html.unescape(text))


def _pieces(lines: list[str]) -> Iterator[Piece]:
    """Blocks of the text in order; a paragraph or item runs until a blank or another block."""
    paragraph: list[str] = []
    item = False

    def flush() -> Iterator[Piece]:
        nonlocal item
        if paragraph:
            yield Piece(_inline("\n".join(paragraph)), "list_item" if item else "text")
        paragraph.clear()
        item = False

    fence = ""
    table = False
    for i, raw in enumerate(lines):
        line = re.sub(r"^(?: {0,3}>[ \t]?)+", "", raw)
        if fence:
            if line.strip().startswith(fence):
                fence = ""
            elif line.strip():
                yield Piece(line)
            continue
        following = lines[i + 1] if i + 1 < len(lines) else ""
        table = table and "|" in line
        if not line.strip() or _DEFINITION.fullmatch(line):
            yield from flush()
        elif opening := _FENCE.fullmatch(line):
            yield from flush()
            fence = opening[1]
        elif heading := _ATX.fullmatch(line):
            yield from flush()
            yield Piece(_inline(heading[2]), "heading", len(heading[1]))
        elif len(paragraph) == 1 and not item and (under := _SETEXT.fullmatch(line)):
            yield Piece(_inline(paragraph.pop()), "heading", 1 if under[1][0] == "=" else 2)
        elif _RULE.fullmatch(line):
            yield from flush()
        elif "|" in line and (table or ("|" in following and _TABLE_RULE.fullmatch(following))):
            yield from flush()
            if not (table and _TABLE_RULE.fullmatch(line)):
                yield row_piece(_row(line), header=not table)
            table = True
        elif entry := _ITEM.fullmatch(line):
            yield from flush()
            number = _ORDERED.match(line)
            paragraph.append(f"{number[1]} {entry[1]}" if number else entry[1])
            item = True
        else:
            paragraph.append(line)
    yield from flush()


def _row(line: str) -> list[str]:
    inner = re.sub(r"(?<!\\)\|\Z", "", line.strip().removeprefix("|"))
    return [_inline(cell.strip()) for cell in re.split(r"(?<!\\)\|", inner)]
