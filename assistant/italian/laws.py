"""References to laws and deliberations, however they are written: `L.R. 14/15` is `lr:14/2015`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

_MONTHS = (
    "gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|dicembre"
)
_BOARD = r"delib(?:era(?:zion[ei])?|ere|\.)"
# The order matters: a longer way to write a type stands before its own beginning.
_KINDS = {
    "lr": r"l\.?[ ]?r\.?|l\.[ ]?reg\.|legg[ei]\s+regional[ei]",
    "dlgs": r"d\.?[ ]?lgs\.?(?:[ ]?vo)?|d\.[ ]?leg(?:\.vo|\.)|decret[oi]\s+legislativ[oi]",
    "dpcm": r"d\.?p\.?c\.?m\.?",
    "dpr": r"d\.?p\.?r\.?|decreto\s+del\s+presidente\s+della\s+repubblica",
    "dl": r"d\.?l\.?|decret[oi](?:\s|-)legge",
    "dm": r"d\.?m\.?|decret[oi]\s+ministerial[ei]",
    "dgr": r"d\.?g\.?r\.?|" + _BOARD + r"\s+(?:di|della)\s+(?:giunta(?:\s+regionale)?|g\.?r\.?)",
    # `dal` in small letters is a preposition: "dal 12/2017".
    "dal": r"(?-i:DAL|D\.A\.L\.?)|" + _BOARD + r"\s+(?:dell['’]\s?)assemblea(?:\s+legislativa)?"
    r"|" + _BOARD + r"\s+assembleare",
    "dcr": r"d\.?c\.?r\.?|" + _BOARD + r"\s+(?:di|del)\s+consiglio\s+regionale",
    "l": r"legg[ei](?:\s+(?:nazional[ei]|statal[ei]|quadro))?|l\.|(?-i:L)",
    "delibera": _BOARD,
}
_NUMBER_SIGN = r"(?:n(?:\.|°|º|r\.?|um\.|umero)?\s*)?"
_DATE = rf"\d{{1,2}}[°º]?(?:\s+(?:{_MONTHS})\s+|[./-]\d{{1,2}}[./-])"
_REFERENCE = re.compile(
    r"(?<![^\W_])(?<![^\W_]\.)(?:"
    + "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items())
    + r")(?![^\W\d_])"
    + r"(?:\s+(?:della\s+regione\s+)?emilia[\s-]romagna)?,?\s*(?:"
    # legge regionale 12 marzo 2003, n. 2
    + rf"(?:del\s+)?{_DATE}(?P<year_a>\d{{4}}),?\s*n[.°ºr]*\s*(?P<number_a>\d{{1,5}})(?!\d)|"
    # n. 14/2015, 14/15
    + rf"{_NUMBER_SIGN}(?P<number_b>\d{{1,5}})\s?/\s?(?P<year_b>\d{{4}}|\d{{2}})(?![\d/])|"
    # n. 14 del 2015, n. 1423 del 2 ottobre 2017
    + rf"{_NUMBER_SIGN}(?P<number_c>\d{{1,5}}),?\s+del(?:l['’]\s?anno)?\s+(?:{_DATE})?"
    + r"(?P<year_c>\d{4})(?!\d)|"
    # legge 104: only an act of the list is sure to be one
    + rf"{_NUMBER_SIGN}(?P<number_d>\d{{1,5}})(?![\d/])(?![.,]\d)"
    + rf"(?!\s+(?:{_MONTHS})))",
    re.IGNORECASE,
)
_ANY_DIGIT = re.compile(r"\d")
_HINTS = ("legg", "decret", "delib", "l.", "d.", "lr", "dl", "dm", "dp", "dg", "dcr")
"""A text in small letters without any of these names no act; nor does one without DAL or L."""
_OLDEST_SHORT_YEAR = 40
"""Two-digit years from here on are of the twentieth century: 92 is 1992, 15 is 2015."""


class LawReference(NamedTuple):
    """An act named in `text[start:end]`; `term` is its one canonical form, e.g. `lr:14/2015`."""

    term: str
    start: int
    end: int


def law_references(text: str) -> list[LawReference]:
    """Acts named with number and year, in the order of the text.

    An act named without its year, or a bare "delibera", counts when laws.txt knows it; otherwise
    a bare "delibera" with its year is the Giunta's, the body that writes most of them.
    """
    if not _may_name_acts(text):
        return []
    found = []
    for match in _REFERENCE.finditer(text):
        parts = match.groupdict()
        kind = next(name for name in _KINDS if parts[name] is not None)
        number = next(parts[f"number_{form}"] for form in "abcd" if parts[f"number_{form}"])
        year = next((parts[f"year_{form}"] for form in "abc" if parts[f"year_{form}"]), None)
        term = _canonical(kind, int(number), None if year is None else _full_year(year))
        if term is not None:
            found.append(LawReference(term, match.start(), match.end()))
    return found


def _may_name_acts(text: str) -> bool:
    """A cheap look before the long expression: most passages name no act."""
    if not _ANY_DIGIT.search(text):
        return False
    if "DAL" in text or "L " in text or "L\u00a0" in text or "D.A.L" in text:
        return True
    small = text.lower()
    return any(hint in small for hint in _HINTS)


def _canonical(kind: str, number: int, year: int | None) -> str | None:
    known = _known_acts()
    kinds = ("dal", "dgr", "dcr") if kind == "delibera" else (kind,)
    for candidate in kinds:
        listed = known.get((candidate, number))
        if listed is not None and year in (None, listed):
            return f"{candidate}:{number}/{listed}"
    if year is None:
        return None
    return f"{'dgr' if kind == 'delibera' else kind}:{number}/{year}"


def _full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (1900 if year >= _OLDEST_SHORT_YEAR else 2000)


@cache
def _known_acts() -> dict[tuple[str, int], int]:
    acts = {}
    lines = (Path(__file__).parent / "laws.txt").read_text("utf-8").splitlines()
    for line in lines:
        entry = line.partition("#")[0].split()
        if entry:
            number, year = entry[1].split("/")
            acts[entry[0], int(number)] = int(year)
    return acts
