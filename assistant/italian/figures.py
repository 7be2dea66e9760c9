"""Dates and large amounts as single terms: "12/07/2017" and "12 luglio 2017" are one thing.

Beside the one term come the words that a question may hold alone: the month, the year, "milioni".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from assistant.italian.numerals import MULTIPLIERS

MONTHS = (
    "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno",
    "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre",
)  # fmt: skip

_YEAR = r"(?:19[4-9]\d|20\d\d)"
_DATE = re.compile(
    rf"\b(?P<day>1°|1º|\d{{1,2}})\s+(?P<month>{'|'.join(MONTHS)})\s+(?:del\s+)?(?P<year>{_YEAR})\b"
    rf"|(?<![\d/.,-])(?P<d>\d{{1,2}})(?P<sep>[./-])(?P<m>\d{{1,2}})(?P=sep)(?P<y>{_YEAR})(?![\d/])(?!-\d)",
    re.IGNORECASE,
)
_MULTIPLIED = re.compile(
    r"(?<![\w.,])(?P<digits>\d{1,3}(?:\.\d{3})*(?:,\d{1,3})?|\d+(?:,\d{1,3})?)\s*"
    rf"(?P<multiplier>{'|'.join(sorted(MULTIPLIERS, key=len, reverse=True))})\b",
    re.IGNORECASE,
)
_MAY_HOLD = re.compile(r"\d(?:[./-]\d{1,2}[./-]\d|[°º]?\s+[gfmaslond]|m)", re.IGNORECASE)
_COUNTED = {10**6: "milioni", 10**9: "miliardi"}


class Figure(NamedTuple):
    """A date or amount at `text[start:end]`: its one term, and words that it is also found by."""

    term: str
    words: tuple[str, ...]
    start: int
    end: int


def figures(text: str) -> list[Figure]:
    """Whole dates (`2017-07-12`) and multiplied amounts (`1200000`), in no particular order."""
    if not _MAY_HOLD.search(text):  # most passages hold neither
        return []
    found = []
    for match in _DATE.finditer(text):
        day = int((match["day"] or match["d"]).rstrip("°º"))
        month = MONTHS.index(match["month"].lower()) + 1 if match["month"] else int(match["m"])
        year = match["year"] or match["y"]
        if 1 <= month <= 12 and 1 <= day <= 31:
            words = (str(day), MONTHS[month - 1], year)
            term = f"{year}-{month:02}-{day:02}"
            found.append(Figure(term, words, match.start(), match.end()))
    for match in _MULTIPLIED.finditer(text):
        factor = MULTIPLIERS[match["multiplier"].lower()]
        whole, _, decimals = match["digits"].replace(".", "").partition(",")
        value = int(whole + decimals) * factor // 10 ** len(decimals)
        counted = (_COUNTED[factor],) if factor in _COUNTED else ()
        found.append(Figure(str(value), counted, match.start(), match.end()))
    return found
