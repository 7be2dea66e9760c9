"""Known field labels of schede (schede.toml), and where they stand in a line."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

from assistant.italian.distretti import fold_name

_PARENTHESIS = re.compile(r"\([^)]*\)")
_ORDINAL = re.compile(r"^\W*(?:\d{1,2}(?:\.\d{1,2})*\s*[.)\-–]?|[a-zA-Z][.)])\s+")
_SEPARATOR = re.compile(r"\s*(?:[:|\t]|\s[-–—]\s|\s{3,})\s*")
_FIRST_WORD = re.compile(r"[^\W\d_]{2,}")
_BLANK = re.compile(r"\s+")
_MAX_LABEL_CHARS = 80
_MAX_LABEL_WORDS = 10


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    only: str | None = None
    """`intervento` when regional schede have no such field."""


class LabelHit(NamedTuple):
    label: Label
    value_start: int
    """Offset in the line behind the label and its separator; the line's length for no value."""


@cache
def _first_words() -> frozenset[str]:
    return frozenset(form.split()[0] for form in _labels())


@lru_cache(maxsize=8192)
def _opens_label(word: str) -> bool:
    return fold_name(word).partition(" ")[0] in _first_words()


@cache
def _labels() -> dict[str, Label]:
    file = resources.files("ingest").joinpath("schede.toml")
    labels: dict[str, Label] = {}
    for entry in tomllib.loads(file.read_text(encoding="utf-8"))["field"]:
        label = Label(entry["name"], entry.get("only"))
        for form in entry["labels"]:
            labels[_fold(form)] = label
    return labels


def _fold(text: str) -> str:
    folded = fold_name(_PARENTHESIS.sub(" ", text))
    return re.sub(r"\b\d{4}\b", "0000", folded)


def label_of(text: str) -> Label | None:
    """The label that a text is, when it is nothing else."""
    if len(text) > _MAX_LABEL_CHARS:
        return None
    return _labels().get(_fold(text)) or _labels().get(_fold(_ORDINAL.sub("", text)))


def find_label(line: str, *, row: bool = False) -> LabelHit | None:
    """A label alone on the line, or before a colon, a cell border or a dash.

    The cells of a table `row` may be parted by nothing but a blank: there a label may also simply
    come first, the longest one that fits.
    """
    head = line[: _MAX_LABEL_CHARS + 20]
    word = _FIRST_WORD.search(head)
    if word is None or not _opens_label(word.group()):
        return None
    for separator in _SEPARATOR.finditer(head):
        if separator.start() and (label := label_of(head[: separator.start()])):
            return LabelHit(label, separator.end())
    if whole := label_of(line):
        return LabelHit(whole, len(line))
    if row and not line[:1].islower():
        ends = [blank.start() for blank in _BLANK.finditer(head)][:_MAX_LABEL_WORDS]
        for end in reversed(ends):
            if label := label_of(head[:end]):
                return LabelHit(label, end)
    return None
