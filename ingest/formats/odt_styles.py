"""What the styles of an ODT say of text: hidden, or a heading of some depth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_HEADING_NAME = re.compile(r"(?:heading|titolo|intestazione)[\s_]*(?:20_)?(\d)", re.IGNORECASE)
_TITLE_NAME = re.compile(r"(?:title|titolo)", re.IGNORECASE)
_MAX_PARENTS = 10


_ODF = "{urn:oasis:names:tc:opendocument:xmlns:"


class NS:
    """Namespaces, in the braces that lxml wants."""

    OFFICE = _ODF + "office:1.0}"
    TEXT = _ODF + "text:1.0}"
    TABLE = _ODF + "table:1.0}"
    DRAW = _ODF + "drawing:1.0}"
    STYLE = _ODF + "style:1.0}"
    META = _ODF + "meta:1.0}"
    DC = "{http://purl.org/dc/elements/1.1/}"


class Styles:
    """Styles by name; those of later parts win, as automatic styles do."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self._styles: dict[str, Any] = {}
        for part in parts:
            for style in part.iter(f"{NS.STYLE}style"):
                name = style.get(f"{NS.STYLE}name")
                if name and style.get(f"{NS.STYLE}family") in ("paragraph", "text"):
                    self._styles[name] = style
        self._hidden: dict[str, bool] = {}
        self._levels: dict[str, int] = {}

    def is_hidden(self, name: str) -> bool:
        """Whether text in this style is not shown; a style may say so for its descendants."""
        if name not in self._hidden:
            self._hidden[name] = self._find_hidden(name)
        return self._hidden[name]

    def heading_level(self, name: str) -> int:
        """Depth of the heading that a paragraph style stands for, 0 for none."""
        if name not in self._levels:
            self._levels[name] = self._find_level(name)
        return self._levels[name]

    def _find_hidden(self, name: str) -> bool:
        for style in self._ancestry(name):
            display = next(
                (
                    properties.get(f"{NS.TEXT}display")
                    for properties in style.iterchildren(f"{NS.STYLE}text-properties")
                    if properties.get(f"{NS.TEXT}display")
                ),
                None,
            )
            if display is not None:
                return bool(display == "none")
        return False

    def _find_level(self, name: str) -> int:
        ancestry = self._ancestry(name)
        if not ancestry:  # some converters name styles that they do not define
            return _level_by_name(name)
        for style in ancestry:
            outline = style.get(f"{NS.STYLE}default-outline-level") or ""
            if outline.isascii() and outline.isdecimal():
                return min(int(outline), 6)
            shown = style.get(f"{NS.STYLE}display-name") or style.get(f"{NS.STYLE}name") or ""
            if level := _level_by_name(shown):
                return level
        return 0

    def _ancestry(self, name: str) -> list[Any]:
        found: list[Any] = []
        while name in self._styles and len(found) < _MAX_PARENTS:
            found.append(self._styles[name])
            name = self._styles[name].get(f"{NS.STYLE}parent-style-name") or ""
        return found


def _level_by_name(name: str) -> int:
    if match := _HEADING_NAME.fullmatch(name):
        return min(int(match[1]) or 1, 6)
    return 1 if _TITLE_NAME.fullmatch(name) else 0
