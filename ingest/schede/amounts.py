"""Amounts of money as offices print them: € 120.000,00, 120 mila euro, 1,2 milioni, 1.250,50."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

_MULTIPLIERS = {
    "mila": 10**3, "k": 10**3, "mln": 10**6, "milioni": 10**6, "milione": 10**6,
    "mld": 10**9, "miliardi": 10**9, "miliardo": 10**9,
}  # fmt: skip

AMOUNT = re.compile(
    r"(?P<sign>(?<!\w)(?:€|euro|eur)\s*[.:]?\s*)?"
    r"(?<![\w/])(?<!\d[.,])"
    r"(?P<digits>\d{1,3}(?:[.']\d{3})+(?:,\d{1,2})?(?![.,]?\d)"
    r"|\d{1,3}(?: \d{3})+(?:,\d{1,2})?(?![.,]?\d)"
    r"|\d+(?:[.,]\d+)?(?![.,]?\d))"
    r"(?:[.,][-=–]{1,2})?"
    r"(?:\s*(?P<multiplier>mila|mln|milion[ei]|mld|miliard[oi]|k(?=\s*(?:€|eur)))(?!\w)\.?)?"
    r"(?P<unit>\s*(?:di\s+)?(?:euro|eur|€)(?!\w))?"
    r"(?![\w/%])(?!\s*(?:%|per\s?cento))",
    re.IGNORECASE,
)
_LAW = re.compile(
    r"(?:\b(?:n|nn|art|artt|legge|leggi|l|l\.?\s?r|d\.?\s?lgs|d\.?\s?g\.?\s?r|d\.?a\.?l|dgr|dal|pg|prot"
    r"|delibera|avviso|misura|azione|asse|scheda)\s*\.?\s*(?:n\s*[.°]?\s*)?|°\s*)$",
    re.IGNORECASE,
)
_ONLY = re.compile(
    r"\s*(?:(?:circa|pari a|fino a|max\.?|massimo|ca\.?|importo)\s+)?(?P<amount>.+?)\s*[.;*]?\s*",
    re.IGNORECASE,
)


class Money(NamedTuple):
    """An amount inside a text: `cents` of euro, None when the digits can mean two things."""

    cents: int | None
    marked: bool
    """Whether it says that it is money, by its currency or a multiplier."""
    grouped: bool
    """Whether its thousands are parted."""
    start: int
    end: int


def find_money(text: str) -> list[Money]:
    """Numbers that may be amounts, left to right; years and numbers of acts are left out."""
    found: list[Money] = []
    at = 0
    while match := AMOUNT.search(text, at):
        at = match.end()
        digits = match["digits"]
        if _year_like(digits) and not match["sign"] and re.match(r"\s*\d", text[match.end() :]):
            at = match.end("digits")  # "totale 2018 euro 14.200": the currency is the next one's
            continue
        marked = bool(match["sign"] or match["unit"] or match["multiplier"])
        if " " in digits and not marked:
            continue
        named = _LAW.search(text, max(0, match.start() - 24), match.start())
        if not marked and (_year_like(digits) or named):
            continue
        start = match.start("sign") if match["sign"] else match.start("digits")
        end = match.end("unit") if match["unit"] else match.end()
        grouped = bool(re.match(r"\d{1,3}[.']\d{3}", digits))
        found.append(Money(_cents(digits, match["multiplier"]), marked, grouped, start, end))
    return found


def only_money(text: str) -> Money | None:
    """The amount that a cell is, when it is nothing else."""
    match = _ONLY.fullmatch(text)
    if match is None:
        return None
    whole = AMOUNT.fullmatch(match["amount"])
    if whole is None:
        return None
    marked = bool(whole["sign"] or whole["unit"] or whole["multiplier"])
    base = match.start("amount")
    return Money(
        _cents(whole["digits"], whole["multiplier"]), marked,
        "." in whole["digits"], base, match.end("amount"),
    )  # fmt: skip


def _year_like(digits: str) -> bool:
    return len(digits) == 4 and digits.isdigit() and 1990 <= int(digits) <= 2100


def _cents(digits: str, multiplier: str | None) -> int | None:
    factor = _MULTIPLIERS[multiplier.lower()] if multiplier else 1
    if re.fullmatch(r"\d{1,3}(?:[.' ]\d{3})+(?:,\d{1,2})?", digits):
        value = Decimal(re.sub(r"[.' ]", "", digits).replace(",", "."))
    elif digits.isdigit():
        value = Decimal(digits)
    elif re.fullmatch(r"\d+[.,]\d{1,2}" if factor == 1 else r"\d+[.,]\d+", digits):
        value = Decimal(digits.replace(",", "."))
    else:
        return None  # 120,000 and 1234.567 mean one thing in Italy, another elsewhere
    cents = value * factor * 100
    return int(cents) if cents == cents.to_integral_value() else None
