"""Marks that open a list item, a numbered heading or a line of contents, alike in every format."""

from __future__ import annotations

import re

BULLETS = "•◦▪▫■□●○‣⁃∙·➢➤►▸✓✔❖❑❒"
BULLETS += "\uf02d\uf06c\uf06e\uf06f\uf071\uf075\uf076\uf0a7\uf0a8\uf0b7\uf0d8\uf0fc\uf0fe"
_BULLET = re.compile(rf"[{BULLETS}]|o\s(?=\S{{2}})")
_DASH = re.compile(r"[-–—*]\s+\S")
_ENUMERATOR = re.compile(r"\(?(?:\d{1,2}|[a-z]{1,2}|[ivx]{1,5})[.)]\s+\S|\d{1,2}[)]\S")
LONE_MARK = re.compile(rf"(?:[{BULLETS}]|\(?(?:\d{{1,3}}|[a-z])[.)]|\d{{1,2}})")
NUMBERING = re.compile(
    r"(\d{1,2}(?:\.\d{1,2})*)\.?\)?\s+[A-ZÀ-Ý«“\"]|([A-Z](?:\.\d{1,2})+)\.?\s+\S"
)
CONTENTS = re.compile(r"\.{5,}|(?:\. ){5,}|…{3,}|_{12,}")
SENTENCE_END = (".", ";", ":", "!", "?", ".»", ".”", '."', ".)")


def opens_item(text: str, *, dash: bool = True) -> bool:
    """Whether a line starts a list item; a dash is doubtful where prose may wrap onto one."""
    return bool(_BULLET.match(text) or _ENUMERATOR.match(text) or (dash and _DASH.match(text)))


def numbering_depth(text: str) -> int:
    """Depth of a heading's number ("2.3 Risorse" is 2); 0 when it carries none."""
    match = NUMBERING.match(text)
    return len((match[1] or match[2]).split(".")) if match else 0


def ends_sentence(text: str) -> bool:
    return text.rstrip().endswith(SENTENCE_END)


def shouts(text: str) -> bool:
    """Whether every letter is a capital and there are enough of them to mean it."""
    letters = [c for c in text if c.isalpha()]
    return len(letters) >= 5 and all(c.isupper() for c in letters)
