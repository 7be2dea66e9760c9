"""Blocks of a whole document in reading order, each under its headings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from assistant.italian.sentences import runs_on, split_sentences
from ingest.models import Block, BlockKind, SourceDocument, SourcePage

MAX_HEADING_CHARS = 250
"""A longer "heading" is a paragraph set in large type: it is read as text."""
MAX_SECTION_NAME_CHARS = 200

LONG_HEADING_CHARS = 60
MIN_SENTENCE_WORDS = 5
"""A long heading in which another sentence begins after these is a piece of a paragraph."""
_JOINING = re.compile(
    r"(?:^|[\s'’])(?:(?:d|n)?(?:a|e)(?:ll?|lla|lle|llo|i|gli)|su(?:ll?|i|gli|lla|lle|llo)?|[adeiol]|ad|con"
    r"|d[ai]|ed|fra|gli|il|in|la|le|lo|per|tra|una?)['’]?$|,$",
    re.IGNORECASE,
)
"""Words that no heading ends with: one that does goes on in the next block."""

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
    cells: tuple[tuple[int, int], ...] = ()
    """As in `Block`: page offsets of a table row's cells, column by column."""
    header: bool = False
    """As in `Block`: whether a table row names the columns of those that follow."""


def place_blocks(
    source: SourceDocument, promoted: Mapping[tuple[int, int], int] | None = None
) -> tuple[Placed, ...]:
    """Every block but running lines and blank ones, with its section path.

    Levels may skip: a heading closes all headings of its own level or deeper. `promoted` maps
    `(page number, block start)` to the level that a block gets as a heading, whatever it was.
    """
    promoted = promoted or {}
    stack: list[tuple[int, str]] = []
    path: tuple[str, ...] = ()
    placed: list[Placed] = []
    for page in source.pages:
        for at, block in enumerate(page.blocks):
            if block.kind in RUNNING:
                continue
            text = page.text[block.start : block.end]
            if not text.strip():
                continue
            raised = promoted.get((page.number, block.start))
            kind, level, name = block.kind, block.level, text
            if kind == "heading" or raised is not None:
                rest = _continuation(page, at, text)
                reads_on = rest.rstrip().endswith((".", ";"))
                if raised is None and (reads_on or not _reads_as_heading(text)):
                    kind, level = "text", 0
                else:
                    kind, level, name = "heading", raised or max(1, level), f"{text} {rest}"
            if kind == "heading":
                while stack and stack[-1][0] >= level:
                    stack.pop()
                stack.append((level, section_name(name)))
                path = tuple(name for _, name in stack)
            placed.append(
                Placed(
                    page.number, block.start, block.end, kind, level, text, path,
                    block.cells, block.header,
                )
            )  # fmt: skip
    return tuple(placed)


def _continuation(page: SourcePage, at: int, heading: str) -> str:
    """The next block's text when a heading was broken off in mid-phrase, else nothing."""
    following: Block | None = page.blocks[at + 1] if at + 1 < len(page.blocks) else None
    if following is None or following.kind != "text":
        return ""
    text = page.text[following.start : following.end]
    broken = _JOINING.search(heading)
    if (broken or len(heading) > LONG_HEADING_CHARS) and runs_on(heading, text):
        return text
    return ""


def section_name(heading: str) -> str:
    """A heading on one line, as it appears in a section path."""
    name = " ".join(heading.split())
    if len(name) > MAX_SECTION_NAME_CHARS:
        name = name[: MAX_SECTION_NAME_CHARS - 1].rstrip() + "…"
    return name


def _reads_as_heading(text: str) -> bool:
    if len(text) > MAX_HEADING_CHARS or not any(map(str.isalnum, text)):
        return False
    if len(text) <= LONG_HEADING_CHARS:
        return True
    first, *others = split_sentences(text)
    return not others or len(text[slice(*first)].split()) < MIN_SENTENCE_WORDS
