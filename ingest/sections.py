"""Blocks of a whole document in reading order, each under the headings that it stands under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.models import BlockKind, SourceDocument

MAX_HEADING_CHARS = 250
"""A longer "heading" is a paragraph set in large type: it is read as text."""
MAX_SECTION_NAME_CHARS = 200

RUNNING: frozenset[str] = frozenset({"header", "footer"})


@dataclass(frozen=True, slots=True)
class Placed:
    """A block with its page and section; offsets refer to the page's canonical text."""

    page: int
    start: int
    end: int
    kind: BlockKind
    level: int
    text: str
    section: tuple[str, ...]
    """Headings from the outermost to the nearest; a heading's own name is the last."""


def place_blocks(
    source: SourceDocument, promoted: Mapping[tuple[int, int], int] | None = None
) -> tuple[Placed, ...]:
    """Every block but running lines and blank ones, with its section path.

    Levels may skip: a heading closes all headings of its own level or deeper. `promoted` maps
    `(page number, block start)` to the level of a text block that is to be read as a heading.
    """
    promoted = promoted or {}
    stack: list[tuple[int, str]] = []
    path: tuple[str, ...] = ()
    placed: list[Placed] = []
    for page in source.pages:
        for block in page.blocks:
            if block.kind in RUNNING:
                continue
            text = page.text[block.start : block.end]
            if not text.strip():
                continue
            kind, level = block.kind, block.level
            raised = promoted.get((page.number, block.start))
            if raised is not None:
                kind, level = "heading", raised
            elif kind == "heading" and not _reads_as_heading(text):
                kind, level = "text", 0
            if kind == "heading":
                level = max(1, level)
                while stack and stack[-1][0] >= level:
                    stack.pop()
                stack.append((level, section_name(text)))
                path = tuple(name for _, name in stack)
            placed.append(Placed(page.number, block.start, block.end, kind, level, text, path))
    return tuple(placed)


def section_name(heading: str) -> str:
    """A heading on one line, as it appears in a section path."""
    name = " ".join(heading.split())
    if len(name) > MAX_SECTION_NAME_CHARS:
        name = name[: MAX_SECTION_NAME_CHARS - 1].rstrip() + "…"
    return name


def _reads_as_heading(text: str) -> bool:
    return len(text) <= MAX_HEADING_CHARS and any(map(str.isalnum, text))
