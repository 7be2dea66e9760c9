"""What a document says from first to last: its blocks, with sheets put in from their records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from corpus.blocks import Block, Heading, Paragraph, Runs, Sheets, parse_blocks
from corpus.records import RECORDS, SheetSource, read_records
from corpus.sheets import sheet_blocks
from corpus.sources import Source, SourceError

_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Line:
    """A block with the sheet it belongs to (position in `Script.sheets`) and the field it shows."""

    block: Block
    sheet: int | None = None
    name: str = ""
    row_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    lines: tuple[Line, ...]
    sheets: tuple[SheetSource, ...]
    layouts: tuple[str, ...]
    """Of each sheet."""


def read_script(source: Source, records: Path = RECORDS) -> Script:
    """Raises SourceError when a mark names records or numbers that are not there."""
    lines: list[Line] = []
    sheets: list[SheetSource] = []
    layouts: list[str] = []
    level = 1
    for block in parse_blocks(source.body):
        if isinstance(block, Heading):
            level = block.level
        if not isinstance(block, Sheets):
            lines.append(Line(block))
            continue
        for sheet in _chosen(block, read_records(block.records, records)):
            lines.extend(
                Line(part.block, len(sheets), part.name, part.row_fields)
                for part in sheet_blocks(sheet, block.layout, min(level + 1, 4))
            )
            sheets.append(sheet)
            layouts.append(block.layout)
    return Script(tuple(lines), tuple(sheets), tuple(layouts))


def _chosen(mark: Sheets, sheets: tuple[SheetSource, ...]) -> list[SheetSource]:
    if not mark.numbers:
        return list(sheets)
    chosen: list[SheetSource] = []
    for wanted in mark.numbers:
        found = [sheet for sheet in sheets if sheet.numero == wanted]
        if not found and (limits := _RANGE.fullmatch(wanted)):
            first, last = int(limits[1]), int(limits[2])
            found = [sheet for sheet in sheets if first <= _leading(sheet.numero) <= last]
        if not found:
            raise SourceError(f"{mark.records}: no scheda has numero {wanted!r}")
        chosen.extend(found)
    return chosen


def _leading(numero: str) -> int:
    digits = re.match(r"\d+", numero)
    return int(digits[0]) if digits else -1


def with_notice(script: Script, notice: Runs) -> list[Line]:
    """The lines with the notice under the title, as most formats show it."""
    first, *rest = script.lines
    return [first, Line(Paragraph(notice)), *rest]
