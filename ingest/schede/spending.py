"""A sheet's estimate: which source pays how much, and the total as printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from assistant.italian.distretti import fold_name
from assistant.record_models import Amount, Spending
from ingest.schede.amounts import Money, find_money, only_money
from ingest.schede.flow import Flow, Row, Source, joined

_MAX_SOURCE_CHARS = 160
_TOTAL = re.compile(
    r"(?:(?:importo|costo|spesa|preventivo|budget|valore|somma)\s+)?(?:totale|complessiv[oa]|tot)\b"
    r"(?:\s+(?:generale|complessiv[oa]|preventivo|preventivato|spesa|spese|costi|costo|intervento|progetto"
    r"|previsto|prevista|risorse|finanziamento|finanziamenti|euro|di|del|della|dell|per|l|anno|in"
    r"|(?:19|20)\d\d))*"
)
_YEAR = re.compile(r"\b((?:19|20)\d\d)\b")
_BREAK = re.compile(r"[;\n]|\.(?=\s+\D)|,(?!\d)|\s(?=e\s)")
_UNKNOWN = re.compile(
    r"(?:da\s+\w+(?:\s+\w+){0,3}|n\.?\s?d\.?|n\.?\s?q\.?|in\s+(?:corso|fase|via)\s+di\s+\w+"
    r"|non\s+\w+(?:\s+\w+){0,2}|nessun[oa]?(?:\s+\w+){0,2}|senza\s+\w+(?:\s+\w+){0,2})",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^[\s,;:.•·–—-]*(?:(?:e|ed|più|di\s+cui|così\s+(?:ripartit|suddivis)\w*"
    r"|(?:a\s+carico\s+)?d(?:a|al|alla|ai|alle|agli|el|ella|ei|elle|egli)|.{0,60}\bfinanziat\w*\s+da\w*)\s+"
    r"|(?:a\s+carico\s+d|(?:.{0,60}\bfinanziat\w*\s+)?d)(?:all|ell)'\s*)*[\s,;:•·–—-]*",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[\s,;:=(–—-]*(?:\b(?:per|pari\s+a|circa|ca\.?|fino\s+a|importo|di|con|max)\s*)*[\s,;:.=(–—-]*$",
    re.IGNORECASE,
)
_OF_WHICH = re.compile(r"\bdi\s+cui\b", re.IGNORECASE)
_AMOUNT_HEAD = re.compile(
    r"euro|eur|import|spes|cost|ammontar|preventiv|stanziament|quota|quote|valor|finanziat|risors|budget|\b(?:19|20)\d\d\b"
)
_SOURCE_HEAD = re.compile(
    r"font|soggett|ent[ei]\b|voc[ei]|provenienz|finanziator|tipolog|descrizion"
)
_IGNORED_HEAD = re.compile(r"perc|note|atto|%|\bn\b")


class _Found(NamedTuple):
    amount: Amount
    total: bool


def read_spending(rows: Sequence[Row], source: Source) -> Spending | None:
    """The amounts in the rows of the fields about money; None when they say nothing."""
    found: list[_Found] = []
    text_rows: list[Flow] = []
    head: _Head | None = None

    def read_texts() -> None:
        if text_rows:
            found.extend(_from_text(joined(text_rows, source)))
            text_rows.clear()

    for row in rows:
        if row.table and len(row.cells) > 1:
            if (named := _head_of(row)) is not None:
                read_texts()
                head = named
                continue
            if (cells := list(_from_cells(row, head))) or head is not None:
                read_texts()
                found += cells
                continue
        text_rows.append(joined(row.cells, source))
    read_texts()
    return _summary(found, joined([cell for row in rows for cell in row.cells], source))


def _summary(found: Sequence[_Found], flow: Flow) -> Spending | None:
    amounts = [one.amount for one in found if not one.total and one.amount.source]
    totals = [one.amount for one in found if one.total]
    bare = [one.amount for one in found if not one.total and not one.amount.source]
    if not totals:
        totals = bare[:1]
    if not amounts and not totals:
        if not flow or len(flow.text) > _MAX_SOURCE_CHARS:
            return Spending(()) if flow else None
        return Spending((), Amount("", None, flow.text, flow.quotes()))
    if not amounts and len(totals) == 1:
        return Spending((), totals[0])
    years = {total.year for total in totals}
    total: Amount | None = None
    by_year: tuple[Amount, ...] = ()
    if len(totals) == 1:
        total = totals[0]
    elif totals:
        overall = [one for one in totals if one.year is None]
        total = overall[-1] if overall else None
        if len(years - {None}) == len(totals) - len(overall):
            by_year = tuple(one for one in totals if one.year is not None)
    return Spending(tuple(amounts), total, by_year, _adds_up(amounts, total, by_year))


def _adds_up(
    amounts: Sequence[Amount], total: Amount | None, by_year: Sequence[Amount]
) -> bool | None:
    printed = [total] if total is not None else list(by_year)
    known = [one.cents for one in (*amounts, *printed)]
    if not amounts or not printed or None in known:
        return None
    parts = sum(one.cents or 0 for one in amounts)
    return parts == sum(one.cents or 0 for one in printed)


def euro(cents: int) -> str:
    """12345650 → "123.456,50"; whole euro lose their cents."""
    whole, rest = divmod(cents, 100)
    text = f"{whole:,}".replace(",", ".")
    return f"{text},{rest:02d}" if rest else text


def spending_note(spending: Spending | None) -> str | None:
    """What to tell a reader when the sources do not give the printed total."""
    if spending is None or spending.adds_up is not False:
        return None
    parts = sum(one.cents or 0 for one in spending.amounts)
    printed = (
        spending.total.cents or 0
        if spending.total is not None
        else sum(one.cents or 0 for one in spending.totals_by_year)
    )
    return (
        f"Il totale stampato ({euro(printed)} euro) non è la somma delle fonti"
        f" ({euro(parts)} euro): i numeri sono riportati come nel documento."
    )


# tables


class _Head(NamedTuple):
    source: int
    amounts: tuple[tuple[int, int | None], ...]
    """Columns with amounts, each with its year."""
    total: int | None
    """A column that adds up the years of its row."""


def _head_of(row: Row) -> _Head | None:
    """The columns that a row names; None when it is a row like the others."""
    folded = [fold_name(text.replace("€", " euro ")) for text in row.texts]
    if any(only_money(text) and not _YEAR.fullmatch(text.strip()) for text in row.texts):
        return None
    columns = [
        at
        for at, name in enumerate(folded)
        if _AMOUNT_HEAD.search(name)
        and not _SOURCE_HEAD.match(name)
        and not _IGNORED_HEAD.match(name)
    ]
    totals = [at for at, name in enumerate(folded) if name.startswith("total")]
    sources = [at for at, name in enumerate(folded) if _SOURCE_HEAD.search(name)]
    if not sources:
        sources = [at for at in range(len(folded)) if at not in columns and at not in totals]
    if not sources or not (columns or totals):
        return None
    if not row.header and not any(
        _SOURCE_HEAD.search(name) or name in ("euro", "importo", "importi") for name in folded
    ):
        return None
    columns = [at for at in columns if at != sources[0]]
    if not (columns or totals):
        return None
    with_years = [(at, _year(folded[at])) for at in columns if at not in totals]
    if not with_years:
        return _Head(sources[0], tuple((at, None) for at in totals), None)
    return _Head(sources[0], tuple(with_years), totals[0] if totals else None)


def _year(text: str) -> int | None:
    found = _YEAR.findall(text)
    return int(found[0]) if len(found) == 1 else None


def _from_cells(row: Row, head: _Head | None) -> Iterator[_Found]:
    if head is not None and max(head.source, *(at for at, _ in head.amounts)) < len(row.cells):
        name = row.cells[head.source]
        columns = list(head.amounts)
    else:
        money = [at for at, text in enumerate(row.texts) if _amount_cell(text)]
        names = [at for at, cell in enumerate(row.cells) if cell and at not in money]
        if not money or not names:
            return
        name = row.cells[names[0]]
        year = next((int(text) for text in row.texts if _YEAR.fullmatch(text.strip())), None)
        columns = [(at, year) for at in money]
        values = [only_money(row.texts[at]) for at in money]
        known = [value.cents or 0 for value in values if value]
        if len(known) > 2 and known[-1] == sum(known[:-1]):
            columns.pop()
    for at, year in columns:
        cell = row.cells[at]
        if not cell or not re.search(r"\w", cell.text):
            continue
        yield _made(name, cell, year)


def _amount_cell(text: str) -> bool:
    return only_money(text) is not None and not _YEAR.fullmatch(text.strip())


def _made(name: Flow, cell: Flow, year: int | None) -> _Found:
    money = only_money(cell.text)
    label = " ".join(name.text.split()).rstrip(" :")
    total = _is_total(label)
    if year is None and total:
        year = _year(label)
    amount = Amount(
        label, money.cents if money else None, cell.text, (*name.quotes(), *cell.quotes()), year
    )
    return _Found(amount, total)


def _is_total(words: str) -> bool:
    folded = fold_name(words)
    return bool(folded) and bool(_TOTAL.fullmatch(folded))


# running text


def _from_text(flow: Flow) -> Iterator[_Found]:
    text = flow.text
    money = _amounts_of(text)
    yield from _unknown(flow)
    if not money:
        return
    edge = 0
    skipping = previous_total = False
    behind = _sources_follow(text, money)
    for at, one in enumerate(money):
        if behind:
            limit = money[at + 1].start if at + 1 < len(money) else len(text)
            start, end = _source_after(text, one.end, limit)
        else:
            start, end = _source_before(text, edge, one.start)
        between = text[edge : one.start]
        if skipping and re.search(r"[;\n]|\.\s", between):
            skipping = False
        clause = re.split(r"[;\n]|\.\s", between)[-1]
        if not skipping and at and _OF_WHICH.search(clause) and not previous_total:
            skipping = True
        name = " ".join(text[start:end].split())
        total = _is_total(name)
        previous_total = total or (not name and at == 0)
        edge = one.end
        if skipping:
            continue
        words = text[one.start : one.end]
        quotes = (*flow.quotes(start, end), *flow.quotes(one.start, one.end))
        year = _year(name) if total else None
        yield _Found(Amount(name, one.cents, words, quotes, year), total)


def _amounts_of(text: str) -> list[Money]:
    """Numbers that are money: those that say so, and others that stand where an amount would."""
    found = find_money(text)
    marked = any(one.marked for one in found)
    taken: list[Money] = []
    for one in found:
        before = text[: one.start].rstrip()
        after = text[one.end :].lstrip(" ")
        closes = not after or after[0] in ";\n.,)" or after.startswith(("e ", "("))
        if (
            one.marked
            or (one.grouped and (closes or not marked))
            or (closes and not marked and before and not before[-1].isdigit())
        ):
            taken.append(one)
    return taken


def _sources_follow(text: str, money: Sequence[Money]) -> bool:
    """Whether each amount comes before its source: "120.000 euro FRNA, 20.000 euro Comuni"."""
    if text[: money[0].start].strip(" ,;:.-–•"):
        return False
    names = 0
    for at, one in enumerate(money):
        limit = money[at + 1].start if at + 1 < len(money) else len(text)
        start, end = _source_after(text, one.end, limit)
        if start < end and len(text[start:end].split()) <= 8:
            names += 1
    return names == len(money)


def _source_after(text: str, start: int, limit: int) -> tuple[int, int]:
    piece = text[start:limit]
    stop = re.search(r"[;\n]|,(?!\d)|\.(?:\s|$)|\s(?:e|ed|più)\s*$", piece)
    end = start + (stop.start() if stop else len(piece))
    lead = _LEAD.match(text[start:end].lstrip("( "))
    start += len(text[start:end]) - len(text[start:end].lstrip("( ")) + (lead.end() if lead else 0)
    while end > start and text[end - 1] in " ,;:)–-":
        end -= 1
    return (start, end) if start < end else (start, start)


def _source_before(text: str, edge: int, end: int) -> tuple[int, int]:
    """The words between the amount before and this one that name who pays this one."""
    start = edge
    aside = bool(edge) and text[edge:end].lstrip().startswith("(")
    for stop in re.finditer(r"[;]|\.(?=\s+\D)|\n|\)", text[edge:end]):
        if stop.group() == ")":
            # What follows an amount in parentheses still speaks of it: "20.000 (quota 2018), FRNA".
            if aside:
                start, aside = edge + stop.end(), False
            continue
        following = text[edge + stop.end() : end].lstrip()
        if not following or (stop.group() == "\n" and following[:1].islower()):
            continue
        if stop.group() == "." and re.search(r"\b[^\W\d_]{1,4}$", text[edge : edge + stop.start()]):
            continue  # an abbreviation: "Az. Usl"
        start = edge + stop.end()
    if edge == 0 and start == 0 and (colon := _sentence_colon(text[:end])):
        start = colon
    lead = _LEAD.match(text[start:end])
    start += lead.end() if lead else 0
    tail = _TAIL.search(text[start:end])
    end = start + tail.start() if tail else end
    while end > start and text[end - 1] in " :,;":
        end -= 1
    if end - start > _MAX_SOURCE_CHARS:
        return end, end
    return (start, end) if start < end else (end, end)


def _sentence_colon(text: str) -> int | None:
    """Behind the colon of words that only introduce: "L'intervento è finanziato con: FRNA"."""
    found = re.search(r":\s*(?=\S[^:]*[^:\s]\s*:?\s*$)", text)
    if found and len(text[: found.start()].split()) >= 4:
        return found.end()
    return None


def _unknown(flow: Flow) -> Iterator[_Found]:
    """Sources whose amount is still to come: "FRNA: da definire"."""
    for match in re.finditer(r"(?P<name>[^;:\n]{2,60}):\s*(?P<words>[^;:\n\d]{2,60})", flow.text):
        words = match["words"].rstrip(" .")
        if _UNKNOWN.fullmatch(words):
            name = match["name"].strip(" •–-")
            quotes = (*flow.quotes(*match.span("name")), *flow.quotes(*match.span("words")))
            yield _Found(Amount(name, None, words, quotes), _is_total(name))
