"""Known field labels of schede (schede.toml), and where they stand in a line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

from assistant.italian.distretti import fold_name
from assistant.record_models import RecordKind

_PARENTHESIS = re.compile(r"\([^)]*\)")
_ORDINAL = re.compile(r"^\W*(?:\d{1,2}(?:\.\d{1,2})*\s*[.)\-–]?|[a-zA-Z][.)])\s+")
_SEPARATOR = re.compile(r"\s*(?:[:|\t]|\s[-–—]\s|\s{3,})\s*")
_FIRST_WORD = re.compile(r"[^\W\d_]{2,}")
_BLANK = re.compile(r"\s+")
_ENDING = re.compile(r"[aeiou]+$")
_OPENING = re.compile(r"[^\w(]*(?:[A-ZÀ-Ý]|\d{1,2}[.)]|[a-z][.)]\s+[A-ZÀ-Ý])")
_STARTS_VALUE = re.compile(r"[A-ZÀ-Ý«\"€\d(•–-]")
_AREA_LETTER = re.compile(r"[A-E](?![\w'])")
_MAX_LABEL_CHARS = 80
_MAX_LABEL_WORDS = 10


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    only: str | None = None
    """`intervento` when regional schede have no such field."""
    expected: frozenset[str] = frozenset()
    """The templates in which its absence is a gap."""
    instead: str | None = None
    """The field whose absence this one makes up for."""
    aside: bool = False
    """Whether its labels are ordinary titles too."""


class LabelHit(NamedTuple):
    label: Label
    label_start: int
    label_end: int
    """Where the label stands in the line, its separator left out."""
    value_start: int
    """Offset in the line behind the label and its separator; the line's length for no value."""


class _Book(NamedTuple):
    """schede.toml, looked up by what is compared: folded words."""

    fields: tuple[Label, ...]
    by_form: dict[str, Label]
    by_core: dict[frozenset[str], Label]
    first_words: frozenset[str]
    generic: frozenset[str]
    never_bare: frozenset[str]


@cache
def _book() -> _Book:
    file = resources.files("ingest.schede").joinpath("schede.toml")
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    generic = frozenset(map(fold_name, data["generic"]))
    fields: list[Label] = []
    forms: dict[str, Label] = {}
    cores: dict[frozenset[str], Label | None] = {}
    for entry in data["field"]:
        expected = frozenset(entry.get("expected", ()))
        aside = entry.get("aside", False)
        label = Label(entry["name"], entry.get("only"), expected, entry.get("instead"), aside)
        fields.append(label)
        for form in map(_fold, entry["labels"]):
            forms[form] = label
            core = _core(form, generic)
            if form.split()[0] not in generic and not aside and min(map(len, core)) > 1:
                # A core that two fields share tells neither.
                cores[core] = label if cores.get(core, label) == label else None
    known = {core: label for core, label in cores.items() if label is not None}
    return _Book(
        tuple(fields), forms, known,
        frozenset(_stem(form.split()[0]) for form in forms) | frozenset(map(_stem, generic)),
        generic, frozenset(map(fold_name, data["never_bare"])),
    )  # fmt: skip


def expected_fields(kind: RecordKind) -> tuple[Label, ...]:
    """The fields that the template of `kind` has, in its order."""
    return tuple(label for label in _book().fields if kind in label.expected)


def stand_ins(name: str) -> frozenset[str]:
    """Names of the fields that make up for the absence of `name`."""
    return frozenset(label.name for label in _book().fields if label.instead == name)


def _stem(word: str) -> str:
    return _ENDING.sub("", word) or word


def _core(folded: str, generic: frozenset[str]) -> frozenset[str]:
    return frozenset(_stem(word) for word in folded.split() if word not in generic)


@lru_cache(maxsize=8192)
def _opens_label(word: str) -> bool:
    return _stem(fold_name(word).partition(" ")[0]) in _book().first_words


@lru_cache(maxsize=8192)
def _fold(text: str) -> str:
    folded = fold_name(_PARENTHESIS.sub(" ", text))
    return re.sub(r"\b\d{4}\b", "0000", folded)


@lru_cache(maxsize=8192)
def label_of(text: str) -> Label | None:
    """The label that a text is, when it is nothing else."""
    if len(text) > _MAX_LABEL_CHARS or not text.strip():
        return None
    word = _FIRST_WORD.search(text)
    if word is None or not _opens_label(word.group()):
        return None
    folded = _fold(text)
    book = _book()
    found = book.by_form.get(folded) or book.by_form.get(_fold(_ORDINAL.sub("", text)))
    if found is None and _OPENING.match(text) and len(text.split()) <= _MAX_LABEL_WORDS:
        found = book.by_core.get(_core(_fold(_ORDINAL.sub("", text)), book.generic))
    return found


def find_label(line: str, *, row: bool = False, bare: bool = False) -> LabelHit | None:
    """A label alone on the line, or before a colon, a cell border or a dash.

    The cells of a table `row` may be parted by nothing but a blank: there a label may also simply
    come first, the longest one that fits. `bare` allows the same of other lines, when what follows
    begins like a value.
    """
    head = line[: _MAX_LABEL_CHARS + 20]
    word = _FIRST_WORD.search(head)
    if word is None or not _opens_label(word.group()):
        return None
    bare_hit = None
    if (row or bare) and not line[:1].islower():
        bare_hit = _find_bare(line, head, row=row)
    for separator in _SEPARATOR.finditer(head):
        if separator.start() and (label := label_of(head[: separator.start()])):
            if bare_hit and not _is_form(head[: separator.start()]):
                return bare_hit  # "Preventivo di spesa Totale 2018: …" loses its label alone
            return LabelHit(label, 0, separator.start(), separator.end())
    if whole := label_of(line.rstrip(" .")):
        return LabelHit(whole, 0, len(line.rstrip()), len(line))
    return bare_hit


def _is_form(text: str) -> bool:
    """Whether a label is written as schede.toml has it, not in a variant."""
    forms = _book().by_form
    return _fold(text) in forms or _fold(_ORDINAL.sub("", text)) in forms


def _find_bare(line: str, head: str, *, row: bool) -> LabelHit | None:
    book = _book()
    ends = [blank.span() for blank in _BLANK.finditer(head)][:_MAX_LABEL_WORDS]
    for end, begin in reversed(ends):
        folded = _fold(head[:end])
        label = book.by_form.get(folded)
        if label is None or (not row and not _STARTS_VALUE.match(line, begin)):
            continue
        if folded.endswith(" totale"):
            continue  # it is the value's: "Preventivo di spesa | Totale 2018: 140.000 euro"
        if folded in book.never_bare and not (
            label.name == "Area" and _AREA_LETTER.match(line, begin)
        ):
            continue
        return LabelHit(label, 0, end, begin)
    return None


def inner_labels(text: str) -> Iterator[LabelHit]:
    """Labels with a colon inside a text, where line breaks between fields were lost.

    Only whole known forms with a capital count, at the beginning of a word.
    """
    book = _book()
    at = text.find(":")
    while at >= 0:
        words = [match.start() for match in re.finditer(r"(?<!\S)\S", text[max(0, at - 90) : at])]
        base = max(0, at - 90)
        for start in words[-_MAX_LABEL_WORDS:]:
            begin = base + start
            if not text[begin].isupper():
                continue
            if label := book.by_form.get(_fold(text[begin:at])):
                after = at + 1
                while after < len(text) and text[after].isspace():
                    after += 1
                yield LabelHit(label, begin, at, after)
                break
        at = text.find(":", at + 1)
