"""The records that fulfil filters, all of them: the same code for the command line and the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from assistant.errors import UsageError
from assistant.index.entries import RecordEntry, distretto_key
from assistant.index.records import name_key, scheda_key
from assistant.italian.acronyms import stands_in
from assistant.italian.analysis import terms
from assistant.record_models import Record
from assistant.schede.filters import RecordFilters

MIN_ID_PREFIX = 6
CAPOFILA_KINDS = frozenset({"comune", "unione", "ausl", "asp", "altro"})

_Test = Callable[[RecordEntry], bool]


class RecordList(NamedTuple):
    """A stretch of the records found: `total` counts all of them."""

    total: int
    entries: list[RecordEntry]
    records: list[Record]


def find(entries: Sequence[RecordEntry], filters: RecordFilters) -> list[RecordEntry]:
    """Entries in their order; raises UsageError for `without` a field that no record has."""
    found = list(entries)
    for test in _tests(entries, filters):
        found = [entry for entry in found if test(entry)]
    return found


def _tests(entries: Sequence[RecordEntry], filters: RecordFilters) -> list[_Test]:
    """One test for each filter in use, the cheapest first."""
    tests: list[_Test] = []
    if filters.kind:
        tests.append(lambda entry: entry.kind == filters.kind)
    if filters.distretto:
        districts = frozenset(map(distretto_key, filters.distretto))
        tests.append(lambda entry: entry.distretto_key in districts)
    if filters.year:
        tests.append(lambda entry: any(_covers(entry, year) for year in filters.year))
    if filters.number:
        numbers = frozenset(map(scheda_key, filters.number))
        tests.append(lambda entry: entry.number_key in numbers)
    if filters.reference:
        schede = frozenset(map(scheda_key, filters.reference))
        tests.append(lambda entry: not schede.isdisjoint(entry.references))
    if filters.document:
        tests.append(lambda entry: any(_is_document(entry, one) for one in filters.document))
    if filters.area:
        tests.append(_any(filters.area, _area))
    if filters.capofila:
        tests.append(_any(filters.capofila, _capofila))
    if filters.source:
        tests.append(_any(filters.source, _source))
    if filters.audience:
        tests.append(_any(filters.audience, _words_in("audience")))
    if filters.without:
        names = [_field_name(entries, wanted) for wanted in filters.without]
        kinds = {name: {e.kind for e in entries if name in e.fields or name in e.gaps}
                 for name in names}  # fmt: skip
        tests.append(
            lambda entry: any(
                name in entry.gaps or (entry.kind in kinds[name] and name not in entry.fields)
                for name in names
            )
        )
    if filters.text:
        tests.append(_text(filters.text))
    return tests


def _any(values: Iterable[str], test_of: Callable[[str], _Test]) -> _Test:
    tests = [test_of(value) for value in values]
    return lambda entry: any(test(entry) for test in tests)


def _words_in(name: str) -> Callable[[str], _Test]:
    """All the value's words are among the entry's terms; nothing has words that are no terms."""

    def test_of(value: str) -> _Test:
        wanted = [f" {term} " for term in dict.fromkeys(terms(value))]
        if not wanted:
            return lambda entry: False
        return lambda entry: all(term in getattr(entry, name) for term in wanted)

    return test_of


def _text(value: str) -> _Test:
    """The words are among all of the record's, or pieces of its number and title."""
    in_words = _words_in("words")(value)
    pieces = name_key(value).split()

    def test(entry: RecordEntry) -> bool:
        if in_words(entry):
            return True
        called = name_key(f"{entry.number or ''} {entry.title}")
        return bool(pieces) and all(piece in called for piece in pieces)

    return test


def _covers(entry: RecordEntry, year: int) -> bool:
    if entry.year_from is None or entry.year_to is None:
        return False
    return entry.year_from <= year <= entry.year_to


def _is_document(entry: RecordEntry, wanted: str) -> bool:
    lowered = wanted.lower()
    if len(wanted) >= MIN_ID_PREFIX and entry.document_id.startswith(lowered):
        return True
    source = entry.document_source
    if wanted in (source, source.replace("\\", "/").rpartition("/")[2]):
        return True
    return name_key(wanted) == name_key(entry.document_title)


def _area(value: str) -> _Test:
    letter = name_key(value).removeprefix("area").strip().upper()
    if len(letter) == 1 and letter.isalpha():
        return lambda entry: letter in entry.areas
    return _words_in("area_terms")(value)


def _capofila(value: str) -> _Test:
    kind = name_key(value)
    if kind in CAPOFILA_KINDS:
        return lambda entry: entry.capofila_kind == kind
    return _words_in("capofila_terms")(value)


def _source(value: str) -> _Test:
    wanted = terms(value)
    if not wanted:
        return lambda entry: False
    return lambda entry: any(
        all(stands_in(term, source.split()) for term in wanted) for source in entry.sources
    )


def _field_name(entries: Sequence[RecordEntry], wanted: str) -> str:
    """The field that a user means, by name or by words of it."""
    names = list(dict.fromkeys(
        name for entry in entries for name in (*entry.gaps, *entry.fields)
    ))  # fmt: skip
    key = name_key(wanted)
    words = key.split()
    for name in names:
        if name_key(name) == key:
            return name
    found = [name for name in names if all(word in name_key(name) for word in words)]
    # The shortest is the plainest: "indicatori" is Indicatori, not Indicatori regionali.
    if found:
        return min(found, key=len)
    raise UsageError(
        f"Nessuna scheda ha un campo {wanted[:60]!r}.",
        remedy="I campi sono: " + ", ".join(sorted(names)[:60]) + "." if names else "",
    )
