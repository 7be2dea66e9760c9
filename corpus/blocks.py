"""Markdown → the few kinds of block that the PDF and DOCX writers know."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from corpus.sources import SourceError

Mark = Literal["pagina", "indice", "corpo"]
MARKS: dict[str, Mark] = {
    "<!-- pagina -->": "pagina",
    "<!-- indice -->": "indice",
    "<!-- corpo -->": "corpo",
}
"""`pagina` starts a page, `indice` is a table of contents, `corpo` ends the pages i, ii, iii."""


_SHEETS = re.compile(
    r"<!-- schede: (?P<records>[\w-]+); modello: (?P<layout>\w+)"
    r"(?:; numeri: (?P<numbers>[\w, -]+?))? -->"
)


@dataclass(frozen=True, slots=True)
class Run:
    text: str
    bold: bool = False
    italic: bool = False


Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    runs: Runs


@dataclass(frozen=True, slots=True)
class Paragraph:
    runs: Runs
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class ListItem:
    runs: Runs
    marker: str
    """"•" or the number with its full stop."""
    depth: int


@dataclass(frozen=True, slots=True)
class Table:
    """`head` is empty for a table of fields, whose first column holds the labels."""

    head: tuple[Runs, ...]
    rows: tuple[tuple[Runs, ...], ...]


@dataclass(frozen=True, slots=True)
class Break:
    mark: Mark


@dataclass(frozen=True, slots=True)
class Sheets:
    """Where sheets of a record file stand; `numbers` are theirs ("12 bis", "3-6"), none for all."""

    records: str
    layout: str
    numbers: tuple[str, ...] = ()


Block = Heading | Paragraph | ListItem | Table | Break | Sheets


def plain(runs: Runs) -> str:
    return "".join(run.text for run in runs)


def parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable("table")


def parse_blocks(markdown: str) -> list[Block]:
    """Blocks in reading order; raises SourceError on Markdown that the writers do not know."""
    tokens = parser().parse(markdown)
    blocks: list[Block] = []
    lists: list[list[int | None]] = []
    quoted = 0
    marker = ""
    position = 0
    while position < len(tokens):
        token = tokens[position]
        match token.type:
            case "heading_open":
                blocks.append(Heading(int(token.tag[1]), _runs(tokens[position + 1])))
            case "paragraph_open":
                runs = _runs(tokens[position + 1])
                if lists:
                    blocks.append(ListItem(runs, marker, len(lists)))
                    marker = ""
                else:
                    blocks.append(Paragraph(runs, quoted > 0))
            case "blockquote_open":
                quoted += 1
            case "blockquote_close":
                quoted -= 1
            case "bullet_list_open":
                lists.append([None])
            case "ordered_list_open":
                lists.append([int(token.attrs.get("start", 1))])
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                marker = _next_marker(lists[-1])
            case "table_open":
                end = _closing(tokens, position)
                blocks.append(_table(tokens[position:end]))
                position = end
            case "html_block":
                blocks.append(_mark(token))
            case "inline" | "heading_close" | "paragraph_close" | "list_item_close":
                pass
            case other:
                raise SourceError(f"Markdown not known to the writers: {other} {token.content!r}")
        position += 1
    return blocks


def _next_marker(counter: list[int | None]) -> str:
    number = counter[0]
    if number is None:
        return "•"
    counter[0] = number + 1
    return f"{number}."


def _mark(token: Token) -> Break | Sheets:
    if found := _SHEETS.fullmatch(token.content.strip()):
        numbers = filter(None, (part.strip() for part in (found["numbers"] or "").split(",")))
        return Sheets(found["records"], found["layout"], tuple(numbers))
    try:
        return Break(MARKS[token.content.strip()])
    except KeyError:
        raise SourceError(f"unknown mark {token.content!r}; known: {sorted(MARKS)}") from None


def _closing(tokens: Sequence[Token], position: int) -> int:
    return next(i for i in range(position, len(tokens)) if tokens[i].type == "table_close")


def _table(tokens: Sequence[Token]) -> Table:
    rows: list[tuple[Runs, ...]] = []
    cells: list[Runs] = []
    for token in tokens:
        if token.type == "tr_open":
            cells = []
        elif token.type == "inline":
            cells.append(_runs(token))
        elif token.type == "tr_close":
            rows.append(tuple(cells))
    head = rows[0] if any(plain(cell) for cell in rows[0]) else ()
    return Table(head, tuple(rows[1:]))


def _runs(inline: Token) -> Runs:
    runs: list[Run] = []
    bold = italic = False
    for child in inline.children or []:
        match child.type:
            case "text" | "code_inline":
                if child.content:
                    runs.append(Run(child.content, bold, italic))
            case "softbreak" | "hardbreak":
                runs.append(Run(" " if child.type == "softbreak" else "\n", bold, italic))
            case "strong_open" | "strong_close":
                bold = child.type == "strong_open"
            case "em_open" | "em_close":
                italic = child.type == "em_open"
            case "link_open" | "link_close":
                pass
            case other:
                raise SourceError(f"inline Markdown not known to the writers: {other}")
    return tuple(runs)
