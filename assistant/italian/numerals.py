"""Quantities as Italians write them: 1.776, 3,5, 435,45 mln, 35 mila, 64,7 per cento, dodici."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

_SMALL = {
    "due": 2, "tre": 3, "tré": 3, "quattro": 4, "cinque": 5, "sei": 6, "sette": 7, "otto": 8,
    "nove": 9, "dieci": 10, "undici": 11, "dodici": 12, "tredici": 13, "quattordici": 14,
    "quindici": 15, "sedici": 16, "diciassette": 17, "diciotto": 18, "diciannove": 19,
}  # fmt: skip
_TENS = {
    "venti": 20, "trenta": 30, "quaranta": 40, "cinquanta": 50, "sessanta": 60,
    "settanta": 70, "ottanta": 80, "novanta": 90,
}  # fmt: skip
MULTIPLIERS = {
    "mila": 10**3,
    "mln": 10**6,
    "milione": 10**6,
    "milioni": 10**6,
    "mld": 10**9,
    "miliardo": 10**9,
    "miliardi": 10**9,
}


def _below_hundred() -> dict[str, int]:
    words = dict(_SMALL)
    for tens, value in _TENS.items():
        words[tens] = value
        for unit, more in {"uno": 1, **_SMALL}.items():
            if more < 10:
                # venti + uno → ventuno, venti + otto → ventotto: the tens lose their vowel
                joined = (tens[:-1] if unit[0] in "uo" else tens) + unit
                words[joined] = value + more
    return words


_WORDS = _below_hundred()
_HUNDREDS = {"cento": 100} | {
    f"{word}cento": value * 100 for word, value in _SMALL.items() if value < 10
}
_WORDS |= _HUNDREDS | {"mille": 1000}
_WORDS |= {f"{word}mila": value * 1000 for word, value in _WORDS.items() if value < 1000}

_DIGITS = r"\d{1,3}(?:[.\u00a0\u202f'’]\d{3})+(?:,\d+)?(?!\d)|\d+(?:[.,]\d+)*"
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_MULTIPLIER = "|".join(sorted(MULTIPLIERS, key=len, reverse=True))

QUANTITY = re.compile(
    rf"(?P<sign>€\s*)?(?<![\w.,])(?:(?P<digits>{_DIGITS})|(?P<word>{_WORD})(?!\w)"
    rf"|(?P<one>uno?)(?=\s+(?:milione|miliardo)\b))"
    rf"(?:\s*(?P<multiplier>{_MULTIPLIER})\b\.?)?"
    rf"(?P<unit>\s*%|\s*per\s*cento\b|\s*(?:di\s+)?(?:euro\b|€|eur\b))?",
    re.IGNORECASE,
)


class Quantity(NamedTuple):
    """A value and where it stands; `canonical` is a plain decimal, with `%` for percentages."""

    canonical: str
    euro: bool
    start: int
    end: int


def read_quantity(match: re.Match[str]) -> Quantity | None:
    """The quantity in a match of `QUANTITY`; None for digits that are no number."""
    value = _value(match)
    if value is None:
        return None
    if multiplier := match["multiplier"]:
        value *= MULTIPLIERS[multiplier.lower()]
    unit = (match["unit"] or "").strip().lower()
    percent = unit.startswith(("%", "per"))
    euro = bool(match["sign"]) or unit.endswith(("euro", "€", "eur"))
    plain = format(value.normalize(), "f")
    return Quantity(plain + ("%" if percent else ""), euro, match.start(), match.end())


def _value(match: re.Match[str]) -> Decimal | None:
    if match["one"]:
        return Decimal(1)
    if match["word"]:
        return Decimal(_WORDS[match["word"].lower()])
    digits: str = match["digits"]
    if re.fullmatch(r"\d{1,3}(?:[.\u00a0\u202f'’]\d{3})+(?:,\d+)?", digits):
        whole, _, decimals = digits.partition(",")
        return Decimal(re.sub(r"\D", "", whole) + (f".{decimals}" if decimals else ""))
    if re.fullmatch(r"\d+(?:[.,]\d+)?", digits):
        return Decimal(digits.replace(",", "."))
    return Decimal(re.sub(r"\D", "", digits))  # 1.2.3: a section number, compared as it stands
