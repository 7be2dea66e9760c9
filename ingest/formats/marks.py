"""Marks that open a list item, a heading or a line of contents in any format."""

from __future__ import annotations

import re

BULLETS = "•◦▪▫■□●○‣⁃∙·➢➤►▸✓✔❖❑❒Ǧ"  # Ǧ: what Symbol's dash becomes in some official PDFs
BULLETS += "\uf02d\uf06c\uf06e\uf06f\uf071\uf075\uf076\uf0a7\uf0a8\uf0b7\uf0d8\uf0fc\uf0fe"
_BULLET = re.compile(rf"[{BULLETS}]")
_DASH = re.compile(r"(?:[-–—*]|o)\s+\S")
_ENUMERATOR = re.compile(r"\(?(?:\d{1,2}|[a-z]|[ivx]{1,5})\)\s*\S|\d{1,2}\.\s+\S|[a-m]\.\s+\S")
LONE_MARK = re.compile(rf"(?:[{BULLETS}]|\(?(?:\d{{1,3}}|[a-z])[.)]|\d{{1,2}})")
NUMBERING = re.compile(
    r"(\d{1,2}(?:\.\d{1,2})*)\.?\)?\s+[A-ZÀ-Ý«“\"]|([A-Z](?:\.\d{1,2})+)\.?\s+\S"
)
# Words that open the title of a numbered record.
RECORD = re.compile(r"(?:scheda|intervento|allegato|capitolo|parte|sezione|art)\b", re.IGNORECASE)
_LEADERS = ("." * 5, ". " * 5, "…" * 3, "_" * 12)
_LETTER = re.compile(r"[^\W\d_]")
SENTENCE_END = (".", ";", ":", "!", "?", ".»", ".”", '."', ".)")


def opens_item(text: str, *, dash: bool = True) -> bool:
    """Whether a line starts a list item; `dash`: a dash or a lone "o" counts as a bullet too."""
    return bool(_BULLET.match(text) or _ENUMERATOR.match(text) or (dash and _DASH.match(text)))


def numbering_depth(text: str) -> int:
    """Depth of a heading's number ("2.3 Risorse" is 2); 0 when it carries none."""
    match = NUMBERING.match(text)
    return len((match[1] or match[2]).split(".")) if match else 0


def ends_sentence(text: str) -> bool:
    return text.rstrip().endswith(SENTENCE_END)


def has_leaders(text: str) -> bool:
    """Whether dots or underscores lead across the line: a table of contents, a blank to fill."""
    return any(leader in text for leader in _LEADERS)


def shouts(text: str) -> bool:
    """Whether every letter is a capital and there are enough of them to mean it."""
    return text.isupper() and len(_LETTER.findall(text)) >= 5
