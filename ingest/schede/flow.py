"""The words of a field as one text, each character of which still knows its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from assistant.models import Quote


class Stretch(NamedTuple):
    """`page.text[start:end]` of one page."""

    page: int
    start: int
    end: int


class Source(NamedTuple):
    """Where stretches are cut from: a document and the canonical text of its pages."""

    document_id: str
    texts: Mapping[int, str]

    def text(self, stretch: Stretch) -> str:
        return self.texts[stretch.page][stretch.start : stretch.end]

    def quote(self, stretch: Stretch) -> Quote:
        return Quote(self.document_id, *stretch, self.text(stretch))

    def strip(self, page: int, start: int, end: int) -> Stretch | None:
        """The stretch without outer blanks; None when nothing is left."""
        text = self.texts[page][start:end]
        words = text.strip()
        if not words:
            return None
        start += len(text) - len(text.lstrip())
        return Stretch(page, start, start + len(words))


@dataclass(frozen=True)
class Flow:
    """Stretches one after the other, joined by newlines."""

    source: Source
    stretches: tuple[Stretch, ...]

    @cached_property
    def text(self) -> str:
        return "\n".join(map(self.source.text, self.stretches))

    def __bool__(self) -> bool:
        return bool(self.stretches)

    def part(self, start: int, end: int) -> tuple[Stretch, ...]:
        """The stretches behind `text[start:end]`, outer blanks left out."""
        found: list[Stretch] = []
        offset = 0
        for page, first, last in self.stretches:
            length = last - first
            low, high = max(start, offset), min(end, offset + length)
            if low < high:
                cut = self.source.strip(page, first + low - offset, first + high - offset)
                found += [cut] if cut else []
            offset += length + 1
        return tuple(found)

    def quotes(self, start: int = 0, end: int | None = None) -> tuple[Quote, ...]:
        """The exact words of `text[start:end]`, a quote for each stretch it touches."""
        return self.source_quotes(self.part(start, len(self.text) if end is None else end))

    def source_quotes(self, stretches: Sequence[Stretch]) -> tuple[Quote, ...]:
        return tuple(map(self.source.quote, stretches))


@dataclass(frozen=True)
class Row:
    """A block of a field: a paragraph or item (one cell), or a table row (a cell for each column).

    Cells without words are empty flows.
    """

    cells: tuple[Flow, ...]
    table: bool = False
    header: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(cell.text for cell in self.cells)


def joined(flows: Sequence[Flow], source: Source) -> Flow:
    return Flow(source, tuple(stretch for flow in flows for stretch in flow.stretches))
