"""Laws, dates, years and quantities in Italian text, each in one canonical form.

Forms that mean the same compare equal: "L.R. 30 luglio 2015, n. 14" and "legge regionale 14/2015"
are `lr:14/2015`; "12/07/2017" and "12 luglio 2017" are `2017-07-12`; "1,6 miliardi" is
`1600000000`; "64,7 per cento" is `64.7%`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from assistant.italian.figures import MONTHS
from assistant.italian.laws import law_references
from assistant.italian.numerals import QUANTITY, Quantity, read_quantity

_MONTH = "|".join(MONTHS)
_YEAR = r"(?:19[4-9]\d|20\d\d)"
_N = r"(?:(?:nn?\.?°?|nr\.?|num\.|numero|numeri)\s*)?"

_DATE_FORMS = re.compile(
    rf"\b(?P<day>1°|1º|\d{{1,2}})\s+(?P<month>{_MONTH})(?:\s+(?:del\s+)?(?P<year>{_YEAR}))?\b"
    rf"|(?<![\d/.,-])(?P<d>\d{{1,2}})(?P<sep>[./-])(?P<m>\d{{1,2}})(?P=sep)"
    rf"(?P<y>19[4-9]\d|20\d\d|\d\d)(?![\d/])(?!-\d)"
    rf"|\b(?P<only_month>{_MONTH})\s+(?:del\s+)?(?P<only_year>{_YEAR})\b"
    rf"|(?<![\d/.])(?P<mm>0\d)/(?P<yyyy>{_YEAR})(?![\d/])",
    re.IGNORECASE,
)
_YEAR_RANGE = re.compile(
    rf"(?<![\d/.,])(?P<first>{_YEAR})\s*(?:[-–—/]|\s(?:al|a|e)\s(?=\s*{_YEAR}))\s*"
    rf"(?P<last>{_YEAR}|\d\d)(?![\d/])(?![.,]\d)",
)
_ONE_YEAR = re.compile(rf"(?<![\d/.,-])(?<!n\. ){_YEAR}(?![\d/%])(?![.,]\d)")
_BARE_ACT = re.compile(
    rf"(?<![\d/.,-])(?P<before>(?:[1-9]\d{{0,3}}(?:,\s?|\se\s)){{0,4}})"
    rf"(?P<n>[1-9]\d{{0,3}})\s?/\s?(?P<y>{_YEAR})(?![\d/])"
)
_MORE = re.compile(rf"\s*(?:,|;|\be\b|\bed\b)\s*{_N}(?P<n>\d{{1,4}})\s?/\s?(?P<y>{_YEAR})(?![\d/])")


class Mention(NamedTuple):
    """A canonical form and where it stands: `text[start:end]`."""

    canonical: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything checkable in a text, each stretch of it read once and as one thing only."""

    references: tuple[Mention, ...]
    dates: tuple[Mention, ...]
    years: tuple[Mention, ...]
    """A range is one mention, `2017-2019`."""
    quantities: tuple[Quantity, ...]


def facts(text: str) -> Facts:
    """Read acts first, then dates, years, quantities: what one took the next does not see."""
    rest = _Masked(text)
    return Facts(
        tuple(_references(rest)),
        tuple(_dates(rest)),
        tuple(_years(rest)),
        tuple(_quantities(rest)),
    )


def references(text: str) -> set[str]:
    """Acts cited, as `kind:number/year`; the year is left out when the text has none."""
    return {mention.canonical for mention in facts(text).references}


def dates(text: str) -> set[str]:
    """`2017-07-12`, `2017-07` when there is no day, `--07-12` when there is no year."""
    return {mention.canonical for mention in facts(text).dates}


def years(text: str) -> set[int]:
    """Years spoken of, ranges filled in ("2017-2019" gives three), dates included, acts not."""
    found: set[int] = set()
    read = facts(text)
    for mention in read.years:
        first, _, last = mention.canonical.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    found.update(
        int(mention.canonical[:4]) for mention in read.dates if mention.canonical[0] != "-"
    )
    return found


def numbers(text: str) -> set[str]:
    """Quantities outside acts, dates and years, as plain decimals: `1776`, `3.5`, `64.7%`."""
    return {quantity.canonical for quantity in facts(text).quantities}


def cites(wanted: str, found: Collection[str]) -> bool:
    """Whether an act is among `found`; a missing kind (`atto`) or year stands for any."""
    kind, number, year = _parts(wanted)
    for other in found:
        other_kind, other_number, other_year = _parts(other)
        if number != other_number or (year and other_year and year != other_year):
            continue
        if kind == other_kind or "atto" in (kind, other_kind):
            return True
    return False


def _parts(canonical: str) -> tuple[str, str, str]:
    kind, _, rest = canonical.partition(":")
    number, _, year = rest.partition("/")
    return kind, number, year


class _Masked:
    """A text whose read stretches are blanked, so that offsets stay."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._taken: list[tuple[int, int]] = []

    @property
    def text(self) -> str:
        """What is left; asked for once per kind of thing read, as it costs a pass."""
        if self._taken:
            parts, position = [], 0
            for start, end in sorted(self._taken):
                # No pattern crosses a NUL, so that what stood on either side does not join.
                parts += [self._text[position:start], "\x00" * (end - start)]
                position = end
            self._text = "".join([*parts, self._text[position:]])
            self._taken.clear()
        return self._text

    def take(self, start: int, end: int) -> None:
        self._taken.append((start, end))


def _references(rest: _Masked) -> Iterator[Mention]:
    text = rest.text
    for act in law_references(text):
        end = act.end
        yield Mention(*act)
        kind = act.term.partition(":")[0]
        while following := _MORE.match(text, end):
            end = following.end()
            canonical = f"{kind}:{int(following['n'])}/{following['y']}"
            yield Mention(canonical, following.start("n"), end)
        rest.take(act.start, end)
    for match in _BARE_ACT.finditer(rest.text):
        if re.fullmatch(_YEAR, match["n"]):
            continue
        for number in [*re.findall(r"\d+", match["before"]), match["n"]]:
            yield Mention(f"atto:{int(number)}/{match['y']}", match.start(), match.end())
        rest.take(match.start(), match.end())


def _full_year(digits: str) -> str:
    return digits if len(digits) == 4 else str((1900 if int(digits) > 45 else 2000) + int(digits))


def _dates(rest: _Masked) -> Iterator[Mention]:
    for match in _DATE_FORMS.finditer(rest.text):
        day = match["day"] or match["d"]
        month_name = match["month"] or match["only_month"]
        month = (
            MONTHS.index(month_name.lower()) + 1 if month_name else int(match["m"] or match["mm"])
        )
        year = match["year"] or match["y"] or match["only_year"] or match["yyyy"]
        number = int(day.rstrip("°º")) if day else None
        if not 1 <= month <= 12 or (number is not None and not 1 <= number <= 31):
            continue
        canonical = (_full_year(year) if year else "-") + f"-{month:02}"
        if number is not None:
            canonical += f"-{number:02}"
        yield Mention(canonical, match.start(), match.end())
        rest.take(match.start(), match.end())


def _years(rest: _Masked) -> Iterator[Mention]:
    for match in _YEAR_RANGE.finditer(rest.text):
        first, last = match["first"], match["last"]
        last = last if len(last) == 4 else first[:2] + last
        if not 0 < int(last) - int(first) <= 30:
            continue
        yield Mention(f"{first}-{last}", match.start(), match.end())
        rest.take(match.start(), match.end())
    for match in _ONE_YEAR.finditer(rest.text):
        yield Mention(match.group(), match.start(), match.end())
        rest.take(match.start(), match.end())


def _quantities(rest: _Masked) -> Iterator[Quantity]:
    for match in QUANTITY.finditer(rest.text):
        quantity = read_quantity(match)
        if quantity is not None:
            yield quantity
