"""The words of one ODT paragraph, and what hangs on it: notes and text boxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest.formats.odt_styles import NS, Styles

MAX_SPACES = 100
"""Blanks believed of one `text:s`; they become a single one anyway."""


_BREAKS = {f"{NS.TEXT}tab": " ", f"{NS.TEXT}line-break": "\n"}
_LEFT_OUT = frozenset(
    {
        f"{NS.TEXT}tracked-changes",
        f"{NS.TEXT}note",  # a block of its own, after the paragraph
        f"{NS.TEXT}hidden-text",
        f"{NS.TEXT}ruby-text",
        f"{NS.OFFICE}annotation",
        f"{NS.OFFICE}annotation-end",
        f"{NS.OFFICE}forms",
        f"{NS.OFFICE}event-listeners",
        f"{NS.TEXT}toc-mark",
        f"{NS.TEXT}alphabetical-index-mark",
        f"{NS.TEXT}user-index-mark",
        f"{NS.TEXT}script",
    }
)


def text_of(paragraph: Any, styles: Styles) -> str:
    """Text as accepted and shown: insertions in; notes, comments, drawings, hidden text out."""
    parts: list[str] = []
    if _hidden(paragraph, styles):
        return ""
    # Each entry is an element to open, or text that follows one that is closed.
    stack: list[Any] = [*reversed(paragraph)]
    parts.append(paragraph.text or "")
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            parts.append(node)
            continue
        if node.tail:
            stack.append(node.tail)
        tag = node.tag
        if not isinstance(tag, str) or tag in _LEFT_OUT or tag.startswith(NS.DRAW):
            continue
        if tag in _BREAKS:
            parts.append(_BREAKS[tag])
        elif tag == f"{NS.TEXT}s":
            count = node.get(f"{NS.TEXT}c") or "1"
            parts.append(" " * min(int(count) if count.isdecimal() else 1, MAX_SPACES))
        elif not _hidden(node, styles):
            parts.append(node.text or "")
            stack.extend(reversed(node))
    return "".join(parts)


def notes_of(paragraph: Any, styles: Styles) -> Iterator[tuple[str, Any]]:
    """The mark and the body of each footnote and endnote called in a paragraph."""
    for note in paragraph.iter(f"{NS.TEXT}note"):
        if any(_hidden(above, styles) for above in note.iterancestors(f"{NS.TEXT}span")):
            continue
        body = note.find(f"{NS.TEXT}note-body")
        citation = note.find(f"{NS.TEXT}note-citation")
        if body is not None:
            yield (citation.text or "") if citation is not None else "", body


def drawings_of(paragraph: Any) -> Iterator[Any]:
    """Outermost frames and shapes anchored in a paragraph: they may hold text of their own."""
    stack = [*reversed(paragraph)]
    while stack:
        node = stack.pop()
        if not isinstance(node.tag, str) or node.tag in _LEFT_OUT:
            continue
        if node.tag.startswith(NS.DRAW):
            yield node
        else:
            stack.extend(reversed(node))


def words_of(container: Any, styles: Styles) -> str:
    """All that is shown in a cell, a note or a running line, blocks inside it joined by a space."""
    return " ".join(text for text in _shown(container, styles) if text.strip())


def is_section_hidden(element: Any) -> bool:
    display = element.get(f"{NS.TEXT}display")
    hidden = bool(element.get(f"{NS.TEXT}is-hidden") == "true")
    return bool(display == "none") or (display == "condition" and hidden)


def _shown(container: Any, styles: Styles) -> Iterator[str]:
    for child in container:
        if not isinstance(child.tag, str) or child.tag in _LEFT_OUT or is_section_hidden(child):
            continue
        if child.tag not in (f"{NS.TEXT}p", f"{NS.TEXT}h"):
            yield from _shown(child, styles)
            continue
        yield text_of(child, styles)
        for drawing in drawings_of(child):
            yield from _shown(drawing, styles)
        for mark, body in notes_of(child, styles):
            yield f"{mark} {words_of(body, styles)}"


def _hidden(element: Any, styles: Styles) -> bool:
    """By its style, or by a mark inside it that hides the whole paragraph."""
    marks = element.iterchildren(f"{NS.TEXT}hidden-paragraph")
    if any(mark.get(f"{NS.TEXT}is-hidden") == "true" for mark in marks):
        return True
    return styles.is_hidden(element.get(f"{NS.TEXT}style-name") or "")
