"""What a built document truly says, and on which page: what readers are measured against.

The pages come from the writer that drew them (corpus/pdf.py), never from a reader of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from corpus.blocks import Block, Heading, ListItem, Paragraph, Runs, Table, plain
from corpus.pdf import Drawn, trace_pdf
from corpus.records import SheetSource
from corpus.script import Script, read_script
from corpus.sheets import LAYOUTS, TITLE
from corpus.sources import DEMONSTRATION, Source, read_sources

ItemKind = Literal["heading", "text", "list_item", "cell"]
_LETTER = re.compile(r"\w")


class Part(NamedTuple):
    """Words of an item that stand on one page (from 1)."""

    page: int
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """A heading, paragraph, list item or table cell, whole; `parts` tell its pages in order."""

    kind: ItemKind
    text: str
    parts: tuple[Part, ...]

    def page_of(self, offset: int) -> int:
        """The page on which the character `text[offset]` stands.

        Letters and digits are counted, because a line break adds blanks and hyphens to a part.
        """
        before = len(_LETTER.findall(self.text[: offset + 1]))
        for part in self.parts:
            before -= len(_LETTER.findall(part.text))
            if before <= 0:
                return part.page
        return self.parts[-1].page


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table with the column names above it, and the page where it begins."""

    head: tuple[str, ...]
    cells: tuple[str, ...]
    page: int


@dataclass(frozen=True, slots=True)
class SheetTruth:
    """A sheet, the texts of its fields as the layout gives them, and the pages it covers."""

    sheet: SheetSource
    layout: str
    title: str
    page_start: int
    page_end: int
    fields: dict[str, str]
    """By field name; paragraphs and items are parted by a newline. Tables are left to `sheet`."""
    tables: frozenset[str]
    """Names of the fields that are given as a table."""


@dataclass(frozen=True, slots=True)
class Truth:
    filename: str
    format: str
    scanned: bool
    page_count: int
    items: tuple[Item, ...]
    """In reading order; words in running lines are not among them."""
    rows: tuple[Row, ...]
    running: tuple[str, ...]
    """Texts of the running lines; `#` stands for the page's label."""
    sheets: tuple[SheetTruth, ...]


@cache
def truths() -> tuple[Truth, ...]:
    """Of every bundled document, in name order; builds the PDFs again, which takes a while."""
    return tuple(truth_of(source) for source in read_sources())


def truth_of(source: Source) -> Truth:
    script = read_script(source)
    if source.format == "pdf":
        drawn: Sequence[Drawn] = trace_pdf(source, script).drawn
        running = [source.header or source.title, "Pagina #"]
        if source.demonstration:
            running.append(DEMONSTRATION)
    else:
        drawn, running = tuple(_on_one_page(script, source.notice)), []
    parts: dict[tuple[int, int, int], list[Part]] = {}
    for one in drawn:
        parts.setdefault(one[:3], []).append(Part(one.page, one.text))
    texts = {place: _text(script, place, source.notice) for place in parts}
    items = [
        Item(_kind(script, place), texts[place], tuple(found))
        for place, found in parts.items()
        if texts[place].strip()
    ]
    return Truth(
        source.filename,
        source.format,
        bool(source.options.get("pagine")),
        max(one.page for one in drawn),
        tuple(items),
        tuple(_rows(script, parts)),
        tuple(running),
        tuple(_sheets(script, parts)),
    )


def _on_one_page(script: Script, notice: str) -> Iterator[Drawn]:
    for number, line in enumerate(script.lines):
        for row, column, runs in _cells(line.block):
            yield Drawn(number, row, column, 1, plain(runs))
        if number == 0:
            yield Drawn(-1, 0, 0, 1, notice)


def _cells(block: Block) -> Iterator[tuple[int, int, Runs]]:
    match block:
        case Table(head, rows):
            for i, row in enumerate((head, *rows) if head else rows):
                for j, cell in enumerate(row):
                    yield i, j, cell
        case Heading(_, runs) | Paragraph(runs) | ListItem(runs):
            yield 0, 0, runs


def _text(script: Script, place: tuple[int, int, int], notice: str) -> str:
    line, row, column = place
    if line < 0:
        return notice
    return plain(next(c for i, j, c in _cells(script.lines[line].block) if (i, j) == (row, column)))


def _kind(script: Script, place: tuple[int, int, int]) -> ItemKind:
    match script.lines[place[0]].block if place[0] >= 0 else None:
        case Heading():
            return "heading"
        case ListItem():
            return "list_item"
        case Table():
            return "cell"
    return "text"


def _rows(script: Script, parts: dict[tuple[int, int, int], list[Part]]) -> Iterator[Row]:
    for number, line in enumerate(script.lines):
        match line.block:
            case Table(head, rows):
                names = tuple(plain(cell) for cell in head)
                for i, row in enumerate(rows, start=1 if head else 0):
                    pages = [parts[number, i, j][0].page for j in range(len(row))
                             if (number, i, j) in parts]  # fmt: skip
                    if pages:
                        yield Row(names, tuple(plain(cell) for cell in row), min(pages))


def _sheets(script: Script, parts: dict[tuple[int, int, int], list[Part]]) -> Iterator[SheetTruth]:
    for position, sheet in enumerate(script.sheets):
        lines = [(n, line) for n, line in enumerate(script.lines) if line.sheet == position]
        numbers = {n for n, _ in lines}
        pages = [part.page for place, found in parts.items() if place[0] in numbers
                 for part in found]  # fmt: skip
        fields: dict[str, list[str]] = {}
        tables: set[str] = set()
        title = ""
        for _, line in lines:
            match line.block:
                case Heading(_, runs) if line.name == TITLE:
                    title = plain(runs)
                case Table(_, rows) if line.row_fields:
                    for name, row in zip(line.row_fields, rows, strict=True):
                        fields.setdefault(name, []).append(plain(row[1]))
                case Table() if line.name:
                    tables.add(line.name)
                case Paragraph(runs) | ListItem(runs) if line.name:
                    text = plain(runs)
                    if line.name not in fields and isinstance(line.block, Paragraph):
                        text = _without_label(runs, script.layouts[position], line.name)
                    fields.setdefault(line.name, []).append(text)
        texts = {name: "\n".join(found) for name, found in fields.items()}
        yield SheetTruth(
            sheet, script.layouts[position], title, min(pages), max(pages), texts,
            frozenset(tables),
        )  # fmt: skip


def _without_label(runs: Runs, layout: str, name: str) -> str:
    return plain(runs).removeprefix(f"{LAYOUTS[layout].label(name)}:").lstrip()
