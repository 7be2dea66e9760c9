"""Blocks → Markdown text, and → plain text as somebody types it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from itertools import zip_longest

from corpus.blocks import Block, Break, Heading, ListItem, Paragraph, Run, Runs, Table, plain
from corpus.script import Line, read_script, with_notice
from corpus.sources import Source, SourceError

WIDTH = 78
"""Characters in a line of plain text."""


def expanded_body(source: Source) -> str:
    """The source's Markdown; where it has marks for sheets, these are written out."""
    if "<!-- schede:" not in source.body:
        return source.body
    return "\n\n".join(_markdown(line.block) for line in read_script(source).lines) + "\n"


def render_text(source: Source) -> bytes:
    """Underlined headings, wrapped paragraphs, tables as aligned columns; UTF-8."""
    notice = (Run(source.notice),)
    return ("\n".join(_typed(with_notice(read_script(source), notice))).strip() + "\n").encode()


def _markdown(block: Block) -> str:
    match block:
        case Heading(level, runs):
            return f"{'#' * level} {_inline(runs)}"
        case Paragraph(runs, quoted):
            return f"{'> ' if quoted else ''}{_inline(runs)}"
        case ListItem(runs, marker, depth):
            return f"{'  ' * (depth - 1)}{'-' if marker == '•' else marker} {_inline(runs)}"
        case Table(head, rows):
            columns = len(rows[0])
            lines = [
                _row(head or ((),) * columns),
                "|" + "---|" * columns,
                *(_row(row) for row in rows),
            ]
            return "\n".join(lines)
        case Break():
            return ""
    raise SourceError(f"no Markdown for {block!r}")


def _row(cells: Iterable[Runs]) -> str:
    return "| " + " | ".join(_inline(cell).replace("\n", "<br>") for cell in cells) + " |"


def _inline(runs: Runs) -> str:
    parts = []
    for run in runs:
        mark = ("**" if run.bold else "") + ("*" if run.italic else "")
        parts.append(f"{mark}{run.text}{mark[::-1]}")
    return "".join(parts)


def _typed(lines: Iterable[Line]) -> Iterable[str]:
    in_list = False
    for line in lines:
        item = isinstance(line.block, ListItem)
        if in_list and not item:
            yield ""
        in_list = item
        match line.block:
            case Heading(level, runs):
                title = plain(runs)
                yield from ("", title)
                yield from (("=" if level == 1 else "-") * min(len(title), WIDTH), "")
            case Paragraph(runs):
                yield from (*textwrap.wrap(plain(runs), WIDTH, break_long_words=False), "")
            case ListItem(runs, marker, depth):
                indent = "  " * depth
                mark = "-" if marker == "•" else marker
                yield from textwrap.wrap(
                    plain(runs), WIDTH, initial_indent=f"{indent}{mark} ",
                    subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False,
                )  # fmt: skip
            case Table(head, rows):
                rows_of_lines = [
                    [plain(cell).split("\n") for cell in row]
                    for row in ((head, *rows) if head else rows)
                ]
                widths = [
                    max(len(line) for row in rows_of_lines for line in row[i])
                    for i in range(len(rows_of_lines[0]))
                ]
                for row in rows_of_lines:
                    # A cell of several lines goes on below, in its own column.
                    for parts in zip_longest(*row, fillvalue=""):
                        cells = (p.ljust(width) for p, width in zip(parts, widths, strict=True))
                        yield "   ".join(cells).rstrip()
                yield ""
            case Break():
                pass
