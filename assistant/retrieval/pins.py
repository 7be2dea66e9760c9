"""How a query was read, as users are told it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from assistant.italian.analysis import fold
from assistant.italian.distretti import canonical
from assistant.models import DocumentKind, Filters, Pin, Understood
from assistant.retrieval.filters import parse_ignored
from assistant.retrieval.query import Query

KIND_LABELS: dict[DocumentKind, str] = {
    "piano_di_zona": "piano di zona",
    "piano": "piano regionale",
    "scheda": "scheda attuativa",
    "linea_guida": "linee guida",
    "atto": "delibera o altro atto",
    "pagina": "pagina web",
}
_BEFORE_MARK = re.compile(r"\s+(?=[?!.,;:])")
_ACTS = {
    "lr": "legge regionale",
    "l": "legge",
    "dlgs": "decreto legislativo",
    "dl": "decreto-legge",
    "dm": "decreto ministeriale",
    "dpcm": "DPCM",
    "dpr": "DPR",
    "dgr": "delibera",
    "dal": "delibera",
    "dcr": "delibera",
}


def understood(query: Query, distretti: Collection[str], filters: Filters) -> Understood:
    """What to tell of a query over documents of `distretti`; a filter takes its pin's place."""
    return Understood(
        also_searched=query.also_searched,
        corrections=query.corrections,
        translated=_BEFORE_MARK.sub("", query.searched) if query.translated else "",
        pins=tuple(_pins(query, distretti, filters)),
        exact=query.exact,
        ignored=parse_ignored(sorted(query.ignore)),
    )


def _pins(query: Query, distretti: Collection[str], filters: Filters) -> Iterator[Pin]:
    if not filters.distretto:
        own = {fold(name): name for name in distretti}
        for folded in sorted(query.distretti(distretti)):
            name = own.get(folded) or canonical(folded) or folded.title()
            yield Pin("distretto", name, name)
    if not filters.year:
        for value in _ranges(query.years):
            yield Pin("anno", value, value)
    if not filters.scheda:
        for number in sorted(query.schede):
            yield Pin("scheda", number, number)
    for act in sorted(query.acts):
        kind, _, number = act.partition(":")
        yield Pin("atto", act, f"{_ACTS.get(kind, 'atto')} {number}")
    if not filters.kind:
        for one in query.kinds:
            yield Pin("tipo", one, KIND_LABELS[one])


def _ranges(years: Iterable[int]) -> Iterator[str]:
    """Years in a row as one range."""
    first = last = 0
    for year in [*sorted(years), 0]:
        if first and year != last + 1:
            yield str(first) if first == last else f"{first}-{last}"
        if year != last + 1:
            first = year
        last = year
