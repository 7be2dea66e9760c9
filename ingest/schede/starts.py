"""Where sheets begin: their titles, among headings, lines and rows of a document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.schede.labels import find_label, label_of
from ingest.sections import Placed

MAX_TITLE_CHARS = 250
NEAR_BLOCKS = 14
"""How far behind a title without a sheet's name its labels are looked for."""
NEAR_LABELS = 3
FAR_BLOCKS = 400
"""How far behind a title another one is compared with its labels."""

_NUMBER = (
    r"(?:n(?:um(?:ero)?|r)?\s*[.°º]?\s*)?"
    r"(?P<number>(?:[A-Z]{1,2}\s?[-.]?\s?)?\d{1,4}(?:[./]\d{1,3})?"
    r"(?:\s*(?:bis|ter|quater)\b|\s?/?[a-zA-Z](?![\w'’.]))?)"
)
_TITLE = r"\s*(?:[-–—:.)|]+\s*(?P<title>\S.*?))?\s*"
_BARE_TITLE = r"\s+(?P<title>[A-ZÀ-Ý«\"].*?)\s*"
_NAMES = (
    (r"(?:scheda\s+(?:(?:di|d['’])\s*)?|progetto\s+)?intervento\s+", True),
    (
        r"scheda\s+(?:(?:attuativa|regionale|dimostrativa|tematica)\s+){0,2}"
        r"(?:(?:di|d['’])\s*intervento\s+)?",
        False,
    ),
)
_TITLED = tuple(
    (re.compile(name + _NUMBER + _TITLE, re.IGNORECASE | re.DOTALL), intervento)
    for name, intervento in _NAMES
)
_BARE_TITLED = tuple(
    (re.compile(f"(?i:{name}{_NUMBER}){_BARE_TITLE}", re.DOTALL), intervento)
    for name, intervento in _NAMES
)
_UNNUMBERED = re.compile(
    r"scheda\s+(?:(?P<regional>attuativa(?:\s+regionale)?)|(?:(?:di|d['’])\s*)?intervento"
    r"(?:\s+(?:di|del)\s+piano\s+di\s+zona)?)\s*(?:[-–—:]\s*(?P<title>\S.*?))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN = re.compile(
    r"(?P<number>\d{1,3}(?:\s*(?:bis|ter|quater))?)\s*[.)–—:-]\s*(?P<title>[^\W\d_].*)", re.DOTALL
)
_CHAPTER = re.compile(
    r"\b(?:schede\b.{0,40}|elenco\s+degli\s+|gli\s+)?interventi\b|\bschede\s+(?:di\s+|d['’]\s*)?(?:intervento"
    r"|attuative|regionali)|\bschede\b",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*[-=_*~]{4,}\s*$")
"""The line drawn under a title in plain text."""
_NAMED_LABEL = re.compile(r"(?:titolo|denominazione|nome)\b", re.IGNORECASE)
_HEAD = frozenset({"Titolo", "Numero", "Ordine", "Distretto"})
"""Fields that say which sheet it is."""
_CONTENTS_ENTRY = re.compile(r"(?:\.{3,}|(?:\.\s){3,}|…|\t|\s{2,})\s*\d+\s*$")


@dataclass(frozen=True, slots=True)
class Start:
    at: int
    """Position of the title among the document's blocks."""
    intervento: bool
    number: str | None
    title: str
    level: int
    """Level of the title, or the one it gets when it is an ordinary line."""
    named: bool = True
    """Whether it says of itself that it is a scheda or an intervento."""


def find_starts(blocks: Sequence[Placed]) -> list[Start]:
    """Titles of sheets in reading order; whether fields follow is for the caller to see."""
    starts: list[Start] = []
    above = 0
    in_reference = False
    openings: dict[int, list[tuple[int, str]]] = {}
    for at, block in enumerate(blocks):
        label = label_of(block.text) if block.kind == "heading" else None
        if block.kind == "heading" and label is None:
            above = block.level
        start = _start_at(blocks, at, above)
        if start is not None and in_reference and _may_be_a_value(start, block):
            continue
        if start is None:
            in_reference = _still_in_reference(block, in_reference)
            continue
        in_reference = False
        if not _repeats(starts[-1] if starts else None, start, blocks, openings):
            starts.append(start)
            if block.kind == "heading":
                above = block.level
    return starts


def _start_at(blocks: Sequence[Placed], at: int, above: int) -> Start | None:
    block = blocks[at]
    if len(block.text) > MAX_TITLE_CHARS or block.kind == "list_item":
        return None
    if block.kind == "table_row" and sum(end > start for start, end in block.cells) > 2:
        return None
    heading = block.kind == "heading"
    level = block.level if heading else above + 1
    title = block.section[-1] if heading else " ".join(block.text.split())
    title = _RULE.sub("", title)
    if _CONTENTS_ENTRY.search(title):
        return None
    start = _named(at, title, level, loose=block.kind != "text")
    if start is not None:
        sentence = block.kind == "text" and start.title.endswith((".", ";", ","))
        return None if sentence else start
    if block.kind == "table_row":
        return _titolo_row(blocks, at, level)
    if label_of(title) is None and _NAMED_LABEL.match(title):
        return _titolo_row(blocks, at, level)
    return _unnamed(blocks, at, title, level)


def _named(at: int, text: str, level: int, *, loose: bool) -> Start | None:
    """A title that begins with what the sheet is: "Scheda intervento n. 3: …"."""
    if not re.match(r"(?:scheda|intervento|progetto)\b", text, re.IGNORECASE):
        return None
    for patterns in (_TITLED, _BARE_TITLED) if loose else (_TITLED,):
        for pattern, intervento in patterns:
            if found := pattern.fullmatch(text):
                number = " ".join(found["number"].split())
                return Start(at, intervento, number, _clean(found["title"]), level)
    if found := _UNNUMBERED.fullmatch(text):
        return Start(at, not found["regional"], None, _clean(found["title"]), level)
    return None


def _unnamed(blocks: Sequence[Placed], at: int, text: str, level: int) -> Start | None:
    """A title that stands where sheets do, with a sheet's labels right behind it."""
    block = blocks[at]
    heading = block.kind == "heading"
    if label_of(text) is not None or (not heading and text.endswith((".", ";", ",", ":"))):
        return None
    plain = _PLAIN.fullmatch(text)
    outer = block.section[:-1] if heading else block.section
    in_chapter = any(map(_CHAPTER.search, outer))
    if not heading and not (plain and in_chapter):
        return None
    found = _labels_behind(blocks, at)
    if len({label for label, _ in found}) < NEAR_LABELS:
        return None
    district = any(only for _, only in found)
    if not (district or (plain and in_chapter)):
        return None
    if plain is None and _CHAPTER.fullmatch(text):
        return None
    number = " ".join(plain["number"].split()) if plain else None
    title = _clean(plain["title"]) if plain else _clean(text)
    return Start(at, district, number, title, level, named=False)


def _titolo_row(blocks: Sequence[Placed], at: int, level: int) -> Start | None:
    """A form that opens with the field "Titolo" is a sheet from there on."""
    block = blocks[at]
    hit = find_label(block.text, row=block.kind == "table_row")
    if hit is None or hit.label.name != "Titolo" or not block.text[hit.value_start :].strip():
        return None
    found = _labels_behind(blocks, at)
    if len({label for label, _ in found}) < NEAR_LABELS or not any(only for _, only in found):
        return None
    title = _clean(block.text[hit.value_start :])
    return Start(at, True, None, title, level, named=False)


def _labels_behind(blocks: Sequence[Placed], at: int) -> list[tuple[str, bool]]:
    """Names of the labels right behind a title, and whether only interventions have them.

    The first must come at once, or behind one line of introduction.
    """
    found: list[tuple[str, bool]] = []
    for distance, block in enumerate(blocks[at + 1 : at + 1 + NEAR_BLOCKS]):
        if block.kind == "heading":
            label = label_of(block.text)
            if label is None:
                break
            found.append((label.name, label.only is not None))
            continue
        hit = find_label(block.text, row=block.kind == "table_row", bare=True)
        if hit is not None:
            found.append((hit.label.name, hit.label.only is not None))
        elif distance > 1 and not found:
            break
    return found


def _clean(title: str | None) -> str:
    return " ".join((title or "").split())


def _may_be_a_value(start: Start, block: Placed) -> bool:
    """ "Scheda 5 – …" below "Riferimento scheda regionale" is what an intervention refers to."""
    return start.named and not start.intervento and block.kind != "heading"


def _still_in_reference(block: Placed, inside: bool) -> bool:
    label = label_of(block.text)
    if label is None and block.kind != "heading":
        hit = find_label(block.text, row=block.kind == "table_row", bare=True)
        label = hit.label if hit else None
    if label is not None:
        return label.name.startswith("Riferimento scheda")
    return inside and block.kind != "heading"


def _repeats(
    previous: Start | None,
    start: Start,
    blocks: Sequence[Placed],
    openings: dict[int, list[tuple[int, str]]],
) -> bool:
    """Whether a title only comes back, at the top of the sheet's next page.

    `openings` remembers the labels that each title has below it.
    """
    if previous is None:
        return False
    if start.number is not None:
        same = (previous.number, previous.intervento) == (start.number, start.intervento)
        return same and start.title in ("", previous.title)
    if previous.at not in openings:
        openings[previous.at] = list(_label_names(blocks, previous.at))
    between = [name for at, name in openings[previous.at] if at < start.at and name not in _HEAD]
    after = [name for name, _ in _labels_behind(blocks, start.at) if name not in _HEAD]
    if not between:
        # The name of the form, its number, its title: one sheet that says so three times.
        return bool(_NAMED_LABEL.match(blocks[start.at].text))
    if start.named and start.title:
        return False
    return not any(name in between[:3] for name in after[:4])


def _label_names(blocks: Sequence[Placed], first: int) -> Iterator[tuple[int, str]]:
    """Position and name of the labels in the blocks from `first` on, as far as a sheet may go."""
    for at in range(first, min(len(blocks), first + FAR_BLOCKS)):
        block = blocks[at]
        if block.kind == "heading":
            label = label_of(block.text)
            if label is not None:
                yield at, label.name
        elif hit := find_label(block.text, row=block.kind == "table_row", bare=True):
            yield at, hit.label.name
