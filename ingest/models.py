"""What readers hand on: pages of canonical text with their blocks marked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["heading", "text", "list_item", "table_row", "header", "footer"]


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch `text[start:end]` of its page: a heading, paragraph, list item or table row.

    Blocks of a page are in reading order, do not overlap, and are stripped of outer whitespace.
    `header` and `footer` are running lines, kept in the page text but never in passages.
    """

    start: int
    end: int
    kind: BlockKind = "text"
    level: int = 0
    """Depth of a heading, from 1; 0 for everything else."""
    cells: tuple[tuple[int, int], ...] = ()
    """Of a table row: where its cells stand in the page's text, half-open, one for each column from
    the left. An empty cell is `(at, at)`, also one that a wider or taller neighbour covers. The
    cells together hold all but blanks of the block. Empty when the columns are not known."""
    header: bool = False
    """Whether a table row names the columns of the rows that follow."""


@dataclass(frozen=True, slots=True)
class SourcePage:
    """Canonical text of a page (see ingest/cleaning.py) and its blocks."""

    number: int
    text: str
    blocks: tuple[Block, ...]
    printed_label: str | None = None


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A file as read: pages, and what the file says about itself."""

    pages: tuple[SourcePage, ...]
    media_type: str
    title: str | None = None
    """From the file's metadata or its first heading; None when it has neither."""
    metadata: dict[str, str] = field(default_factory=dict)
    """The file's own metadata, keys in lower case: author, subject, keywords, date, url …"""
    notes: tuple[str, ...] = ()
    """What went less than well, in Italian: pages without text, doubtful encoding …"""

    @property
    def pages_without_text(self) -> tuple[int, ...]:
        return tuple(page.number for page in self.pages if not page.text.strip())
