"""Indicators of a sheet: names with values, years and units, from tables and running text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from assistant.italian.distretti import fold_name
from assistant.models import Quote
from assistant.record_models import (
    Indicator,
    IndicatorLevel,
    IndicatorUnit,
    IndicatorValue,
    ValueKind,
)
from ingest.schede.flow import Flow, Row, Source, joined

_NUMBER = r"\d{1,3}(?:\.\d{3})+(?:,\d+)?(?![.,]?\d)|\d+(?:[.,]\d+)?(?![.,]?\d)"
_VALUE = (
    r"(?:(?:circa|almeno|oltre|fino a|non meno di|minimo|max\.?|min\.?|n\.|nr\.)\s*|[<>≥≤=+~]\s*)*"
    rf"(?:(?<!\w)(?:{_NUMBER})(?:\s*(?:%|per\s?cento\b))?(?![\w/])"
    r"|(?<!\w)(?:S[IÌì]|sì|NO|No|no|Si(?=\s*(?:[,;.(]|$)))(?![\w/']))"
)
_YEAR = r"(?:19|20)\d\d"
_TAG = (
    rf"(?:\s*\(\s*(?:anno\s+|nel\s+|entro\s+il\s+|al\s+)?(?P<year_in>{_YEAR})\s*\)"
    rf"|\s+(?:nel|per\s+il|entro\s+il|entro|al|a\s+fine|anno|nell'anno|sul)\s+(?P<year_by>{_YEAR})(?!\d))"
)
_KIND = (
    r"(?P<kind>(?:(?:il\s+)?(?:valor[ei]|risultat[oi]|dat[oi]|obiettiv[oi])\s+(?:\w+\s+)?)?"
    r"(?:(?P<reached>raggiunt[oi]|conseguit[oi]|realizzat[oi]|ottenut[oi]|rilevat[oi]"
    r"|effettiv[oi]"
    r"|a\s+consuntivo|consuntivo)|(?:attes[oi]|previst[oi]|programmat[oi]|target|obiettiv[oi]))\b)"
)
_TAG_AHEAD = _TAG.replace("year_in", "year_in2").replace("year_by", "year_by2")
_ITEM = re.compile(
    rf"(?:{_KIND}\s*"
    rf"(?:(?:per\s+il|nel|al|anno|entro\s+il)?\s*(?P<year_kind>{_YEAR})(?!\d))?\s*[:=]?\s*)?"
    rf"(?:(?:anno\s+|nel\s+|per\s+il\s+|al\s+)?(?P<year_first>{_YEAR})\s*(?:[:=→]|\s[–-]\s)\s*)?"
    rf"(?P<value>{_VALUE})"
    rf"(?:{_TAG}|(?P<unit>(?:\s+(?!e\b|nel\b|entro\b|raggiunt|attes|previst)[a-zà-ù'/]+){{1,4}}?)"
    rf"(?={_TAG_AHEAD}|\s*(?:[;,.)\n]|$)))?",
)
_TAG_ONLY = re.compile(_TAG)
_BOUNDARY = re.compile(r":|,|=|\s[–-]\s|\n|;|\.\s+(?=[A-ZÀ-Ý])|$")
_BULLET = re.compile(r"^[\s•▪◦·*–—-]+")
_JUNK = re.compile(r"[\s,;.•·]+|\s[–-]\s|(?:e|ed)\s+(?=\d)")
_NAME_YEAR = re.compile(rf"(?:\s*\(\s*({_YEAR})\s*\)|\s+(?:nel|entro il|al)\s+({_YEAR}))\s*$")
_NAME_KIND = re.compile(rf"[\s,–(-]*\b{_KIND.replace('?P<kind>', '?:', 1)}\s*\)?\s*$")
_PERCENT_NAME = re.compile(
    r"\b(?:in\s+percentuale|percentual[ei]|per\s?cento|tasso|quota\s+percentuale)\b|%",
    re.IGNORECASE,
)
_YES_NO_NAME = re.compile(r"\bs[iì]\s*/\s*no\b", re.IGNORECASE)
_EMPTY = re.compile(r"[\s\-–—_.…/]*")
_MAX_NAME_CHARS = 400
"""A longer name is a paragraph, and is kept as it is."""
_NAME_HEAD = re.compile(r"indicator|risultat|descrizion|denominazion|obiettiv")
_UNIT_HEAD = re.compile(r"unita|u m\b|um\b|misura|tipo")
_REACHED_HEAD = re.compile(
    r"raggiunt|conseguit|realizzat|ottenut|rilevat|consuntiv|effettiv|partenza|inizial|base"
)
_EXPECTED_HEAD = re.compile(r"attes|previst|programmat|target|obiettiv|valor|risultat|dato|numer")
_IGNORED_HEAD = re.compile(r"note|fonte|modalita|strument|responsab|periodicit")
_HEAD_WORDS = re.compile(
    rf"(?P<name>indicator[ei]|risultat[oi])\b(?P<years>(?:\D{{0,30}}{_YEAR})+)\s*", re.IGNORECASE
)


@dataclass(eq=False)
class _Draft:
    name: str
    quotes: tuple[Quote, ...]
    values: list[IndicatorValue] = field(default_factory=list)
    unit: IndicatorUnit | None = None

    def done(self, level: IndicatorLevel) -> Indicator:
        unit = self.unit or _unit_of(self.name, self.values)
        return Indicator(self.name, unit, level, tuple(self.values), self.quotes)


def read_indicators(
    rows: Sequence[Row], source: Source, level: IndicatorLevel
) -> tuple[Indicator, ...]:
    """The indicators in the rows of one field, in order."""
    drafts: list[_Draft] = []
    told: list[_Draft] = []
    text_rows: list[Flow] = []
    head: _Head | None = None
    flat_years: tuple[int, ...] = ()

    def read_texts() -> None:
        if text_rows:
            found = list(_from_text(joined(text_rows, source)))
            told.extend(found)
            drafts.extend(found)
            text_rows.clear()

    for row in rows:
        if row.table and sum(map(bool, row.cells)) == 0:
            continue
        if row.table and len(row.cells) > 1:
            if (named := _head_of(row)) is not None:
                read_texts()
                head = named
                continue
            if head is not None or _looks_tabular(row):
                read_texts()
                _from_cells(row, head, drafts)
                continue
        whole = joined(row.cells, source)
        if row.table:
            if found := _HEAD_WORDS.fullmatch(whole.text):
                read_texts()
                flat_years = tuple(map(int, re.findall(_YEAR, found["years"])))
                continue
            if flat_years and (draft := _from_flat(whole, flat_years)):
                read_texts()
                drafts.append(draft)
                continue
        text_rows.append(whole)
    read_texts()
    if len(told) < len(drafts):
        # Beside a table, sentences without a value introduce or explain it.
        for draft in told:
            if all(value.value is None for value in draft.values):
                drafts.remove(draft)
    return tuple(draft.done(level) for draft in drafts)


# values


def _read_value(words: str) -> bool | int | float | None:
    """A number, SI or NO; None for anything else."""
    text = words.strip().rstrip(".;,")
    if re.fullmatch(r"s[iì]'?", text, re.IGNORECASE):
        return True
    if re.fullmatch("no", text, re.IGNORECASE):
        return False
    found = re.search(_NUMBER, text)
    if found is None:
        return None
    digits = found.group()
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", digits):
        digits = digits.replace(".", "")
    value = float(digits.replace(",", "."))
    return int(value) if value.is_integer() and "," not in digits else value


def _unit_of(name: str, values: Sequence[IndicatorValue]) -> IndicatorUnit | None:
    known = [value for value in values if value.value is not None]
    if any(_is_percent(value.words) for value in known):
        return "percentuale"
    if any(isinstance(value.value, bool) for value in known):
        return "si_no"
    if _PERCENT_NAME.search(name):
        return "percentuale"
    if known:
        return "numero"
    return "si_no" if _YES_NO_NAME.search(name) else None


def _is_percent(words: str) -> bool:
    return bool(re.search(r"%|per\s?cento", words, re.IGNORECASE))


# tables


class _Head(NamedTuple):
    name: int
    year: int | None
    unit: int | None
    values: tuple[tuple[int, ValueKind, int | None], ...]
    """Columns with values: what they are, and their year when the name of the column says it."""


def _head_of(row: Row) -> _Head | None:
    folded = [fold_name(text) for text in row.texts]
    if any(len(text) > 90 for text in row.texts) or not any(folded):
        return None
    names = [at for at, name in enumerate(folded) if _NAME_HEAD.match(name)]
    years = [at for at, name in enumerate(folded) if re.match(r"ann[oi]\b|annualita|periodo", name)
             and not re.search(_YEAR, name)]  # fmt: skip
    if not row.header and not (names and names[0] == 0):
        return None
    name = names[0] if names else 0
    unit: int | None = None
    values: list[tuple[int, ValueKind, int | None]] = []
    for at, text in enumerate(folded):
        if at == name or at in years or _IGNORED_HEAD.match(text) or not text:
            continue
        found = re.findall(_YEAR, text)
        if _UNIT_HEAD.match(text) and not found:
            unit = at
            continue
        if found or _REACHED_HEAD.search(text) or _EXPECTED_HEAD.search(text):
            kind: ValueKind = "raggiunto" if _REACHED_HEAD.search(text) else "atteso"
            values.append((at, kind, int(found[0]) if len(found) == 1 else None))
    if not values:
        return None
    return _Head(name, years[0] if years else None, unit, tuple(values))


def _looks_tabular(row: Row) -> bool:
    """Whether a row without column names still is a name beside values."""
    texts = [text for text in row.texts if text.strip()]
    return len(texts) > 1 and all(_ITEM.fullmatch(text.strip()) or _EMPTY.fullmatch(text)
                                  for text in texts[1:])  # fmt: skip


def _from_cells(row: Row, head: _Head | None, drafts: list[_Draft]) -> None:
    texts = row.texts
    year: int | None = None
    if head is not None and head.name < len(texts):
        at_name, columns = head.name, [one for one in head.values if one[0] < len(texts)]
        if head.year is not None and head.year < len(texts):
            found = re.findall(_YEAR, texts[head.year])
            year = int(found[0]) if len(found) == 1 else None
    else:
        filled = [at for at, text in enumerate(texts) if text.strip()]
        at_name, rest = filled[0], filled[1:]
        if len(rest) > 1 and re.fullmatch(_YEAR, texts[rest[0]].strip()):
            year, rest = int(texts[rest[0]]), rest[1:]
        kinds: tuple[ValueKind, ...] = ("atteso", "raggiunto")
        columns = [(at, kind, None) for at, kind in zip(rest, kinds, strict=False)]
    cell = row.cells[at_name]
    name = _clean_name(cell.text)
    if not name and not drafts:
        return
    if not name or (drafts and fold_name(drafts[-1].name) == fold_name(name)):
        draft = drafts[-1]
    else:
        draft = _Draft(name, cell.quotes())
        drafts.append(draft)
    if head is not None and head.unit is not None and head.unit < len(texts):
        draft.unit = draft.unit or _read_unit(texts[head.unit])
    for at, kind, column_year in columns:
        value = row.cells[at]
        if value and not _EMPTY.fullmatch(value.text):
            draft.values += _cell_values(value, kind, column_year or year)


def _read_unit(text: str) -> IndicatorUnit | None:
    folded = fold_name(text)
    if "%" in text or "percent" in folded:
        return "percentuale"
    if re.match(r"s[iì]\s*/?\s*no", text.strip(), re.IGNORECASE):
        return "si_no"
    return "numero" if folded in ("numero", "n", "nr", "numerico", "valore assoluto") else None


def _cell_values(cell: Flow, kind: ValueKind, year: int | None) -> Iterator[IndicatorValue]:
    text = cell.text
    items = list(_items(text, 0))
    if items and not text[items[-1].end :].strip(" ;.,"):
        for item in items:
            told: ValueKind = "raggiunto" if item.reached else kind
            quotes = cell.quotes(item.start, item.end)
            words = " ".join(text[item.start : item.value_end].split())
            yield IndicatorValue(words, item.value, item.year or year, told, quotes)
        return
    yield IndicatorValue(text, None, year, kind, cell.quotes())


def _from_flat(whole: Flow, years: Sequence[int]) -> _Draft | None:
    """A row whose columns are not known, below a row that named years."""
    cell = rf"(?:{_VALUE}|[-–])"
    found = re.fullmatch(rf"(?P<name>\S.*?)(?P<values>(?:\s+{cell}){{{len(years)}}})", whole.text)
    if found is None:
        return None
    draft = _Draft(_clean_name(found["name"]), whole.quotes(0, found.end("name")))
    base = found.start("values")
    for match, year in zip(re.finditer(cell, found["values"]), years, strict=False):
        if not _EMPTY.fullmatch(match.group()):
            start, end = base + match.start(), base + match.end()
            words = match.group().strip()
            value = _read_value(words)
            draft.values.append(
                IndicatorValue(words, value, year, "atteso", whole.quotes(start, end))
            )
    return draft


# running text


class _Item(NamedTuple):
    value: bool | int | float | None
    year: int | None
    reached: bool | None
    """None when the words do not say whether it was expected or reached."""
    start: int
    end: int
    value_end: int
    """Where the value with its own words ends, before its year."""


def _item(match: re.Match[str]) -> _Item:
    year = match["year_in"] or match["year_by"] or match["year_first"] or match["year_kind"]
    end = match.end()
    value_end = match.end("unit") if match["unit"] else match.end("value")
    if not (match["year_in"] or match["year_by"]) and (tag := _TAG_ONLY.match(match.string, end)):
        year, end = tag["year_in"] or tag["year_by"], tag.end()
    reached = bool(match["reached"]) if match["kind"] else None
    return _Item(
        _read_value(match["value"]), int(year) if year else None, reached,
        match.start("value"), end, value_end,
    )  # fmt: skip


def _items(text: str, at: int) -> Iterator[_Item]:
    """Values one after the other from `text[at]`, as far as they go."""
    kind: bool | None = None
    while True:
        if junk := _JUNK.match(text, at):
            at = junk.end()
        match = _ITEM.match(text, at)
        if match is None:
            return
        item = _item(match)
        if match["kind"] is not None:
            kind = item.reached
        yield item._replace(reached=kind)
        at = item.end


def _from_text(flow: Flow) -> Iterator[_Draft]:
    text = flow.text
    at = 0
    draft: _Draft | None = None
    while at < len(text):
        if lead := re.compile(r"[\s,;.•▪◦·*]+|[–—-]\s+|(?:e|ed)\s+(?=\d)").match(text, at):
            at = lead.end()
            continue
        match = _ITEM.match(text, at)
        if match and draft is not None and _continues(match):
            at = _take(flow, draft, at, reached=None)
            continue
        name_end, values_at = _name(text, at)
        if draft is not None:
            yield draft
        name, year = _clean_name(text[at:name_end]), None
        reached: bool | None = None
        told = _NAME_KIND.search(name) if len(name) <= _MAX_NAME_CHARS else None
        if told and name[: told.start()].strip():
            reached = bool(told["reached"])
            name = name[: told.start()].rstrip(" ,(–-")
        dated = _NAME_YEAR.search(name) if len(name) <= _MAX_NAME_CHARS else None
        if dated:
            year = int(dated[1] or dated[2])
            name = name[: dated.start()]
        start = at + max(0, text[at:name_end].find(name))
        draft = _Draft(name, flow.quotes(start, start + len(name)))
        if values_at is None:
            at = _words_only(flow, draft, name_end, year)
        else:
            at = _take(flow, draft, values_at, reached=reached, year=year)
    if draft is not None:
        yield draft


def _continues(match: re.Match[str]) -> bool:
    """Whether a value that no name precedes belongs to the indicator before."""
    tagged = match["year_in"] or match["year_by"] or match["year_first"]
    return bool(match["kind"] or tagged or _TAG_ONLY.match(match.string, match.end()))


def _take(
    flow: Flow, draft: _Draft, at: int, *, reached: bool | None, year: int | None = None
) -> int:
    """Adds the values that stand from `at` on; returns the offset behind the last one."""
    text, end = flow.text, at
    for item in _items(text, at):
        if "\n" in text[end : item.start] and end != at and item.year is None:
            break
        told = item.reached if item.reached is not None else reached
        start = item.start
        words = " ".join(text[start : item.value_end].split())
        draft.values.append(
            IndicatorValue(
                words, item.value, item.year or year, "raggiunto" if told else "atteso",
                flow.quotes(start, item.end),
            )
        )  # fmt: skip
        end = item.end
    return max(end, at + 1)


def _name(text: str, at: int) -> tuple[int, int | None]:
    """Where the name that begins at `at` ends, and where its values begin, if it has any."""
    hard = len(text)
    for stop in _BOUNDARY.finditer(text, at):
        mark = stop.group()
        if mark in ("\n", ";", "") or mark.startswith("."):
            following = text[stop.end() : stop.end() + 8].lstrip()
            if mark == "\n" and following[:1].islower():
                continue
            if mark.startswith(".") and re.search(
                r"(?<!\w)[A-Za-z]$", text[max(at, stop.start() - 2) : stop.start()]
            ):
                continue  # "N. famiglie", "es. Gruppi"
            hard = stop.start()
            break
        begin = stop.end()
        while begin < len(text) and text[begin] in " \n":
            begin += 1
        match = _ITEM.match(text, begin)
        if match is None:
            continue
        item = _item(match)
        closed = re.match(r"\s*(?:[;,.\n)]|$|\s[A-ZÀ-Ý(]|\s(?:e|raggiunt|attes))", text[item.end :])
        if mark in (",", "=") and not closed:
            continue
        if stop.start() > at and (closed or mark == ":"):
            return stop.start(), begin
    for match in _ITEM.finditer(text, at, hard):
        item = _item(match)
        if match.start() > at and item.year is not None and text[match.start() - 1] == " ":
            return match.start(), match.start()
    return hard, None


def _words_only(flow: Flow, draft: _Draft, end: int, year: int | None) -> int:
    """An indicator whose value is words, or which has none: "Sportelli: da definire"."""
    colon = draft.name.find(": ")
    if colon > 0 and len(draft.name) - colon < 82:
        words = draft.name[colon + 2 :].strip(" .")
        name = draft.name[:colon].rstrip()
        text = flow.text
        start = text.rfind(words, 0, end + 1) if words else -1
        if words and start >= 0:
            at = text.rfind(name, 0, start)
            draft.name, draft.quotes = name, flow.quotes(at, at + len(name))
            draft.values.append(
                IndicatorValue(words, None, year, "atteso", flow.quotes(start, start + len(words)))
            )
    return end + 1


def _clean_name(text: str) -> str:
    return _BULLET.sub("", text).strip().rstrip(" :;,.–-")
