"""What readers hand on: pages of canonical text with their blocks marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

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
    ocr_confidence: float | None = None
    """Mean confidence (0-100) of a text that was recognised in an image; None for a text read."""


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
    images: tuple[int, ...] = ()
    """Pages whose words, but for a stamp at most, stand in an image: for optical recognition."""
    ocr_engine: str = ""
    """Program, version and language that recognised the images, or would have; empty is none."""

    @property
    def ocr_pages(self) -> tuple[int, ...]:
        return tuple(page.number for page in self.pages if page.ocr_confidence is not None)

    @property
    def pages_without_text(self) -> tuple[int, ...]:
        """Pages that nobody could read: blank, or images of which no text was recognised."""
        unread = set(self.images).difference(self.ocr_pages)
        return tuple(p.number for p in self.pages if p.number in unread or not p.text.strip())


class OcrCell(NamedTuple):
    """A stretch of a recognised line; places in points."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class OcrLine:
    """A line recognised in the image of a page; lengths in points, y grows upwards."""

    text: str
    left: float
    right: float
    baseline: float
    size: float
    """Height of the line from descenders to ascenders, close to the size of its type."""
    confidence: float
    """Mean of its letters, 0-100."""
    paragraph: int
    """Lines that the engine found in one paragraph have the same number."""
    cells: tuple[OcrCell, ...] = ()
    """When gaps wider than any word space part it: the stretches of words between them."""
    upright: bool = True
    """False for words that run up or down the page, as stamps in a margin do."""


@dataclass(frozen=True, slots=True)
class OcrPage:
    """What the engine saw in one page, noise included; width and height in points."""

    width: float
    height: float
    lines: tuple[OcrLine, ...]


@dataclass(frozen=True, slots=True)
class Recognition:
    """What optical recognition has to say of one document."""

    engine: str = ""
    """Empty when there is none."""
    remedy: str = ""
    """Without an engine: what to do to have one, in Italian."""
    pages: Mapping[int, OcrPage] = field(default_factory=dict)
    failed: Mapping[int, str] = field(default_factory=dict)
    """Why a page could not be recognised, in Italian, without its number."""
