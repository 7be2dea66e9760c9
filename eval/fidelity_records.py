"""How truly schede were read: every sheet, field, amount and indicator against its source."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.models import Intervento, Scheda
from corpus.truth import SheetTruth, Truth
from eval.fidelity import Observation, Read, fidelity, folded, letters

_BULLET = re.compile(r"(?m)^\s*[-–•]\s+")


@fidelity
def sheets_found(truth: Truth, read: Read) -> Iterator[Observation]:
    """Schede riconosciute con numero, titolo e pagine giusti."""
    if truth.scanned:
        return
    records = _records_by_sheet(truth, read)
    for sheet, record in zip(truth.sheets, records, strict=True):
        right = (
            record is not None
            and isinstance(record, Intervento) == sheet.sheet.intervento
            and letters(record.title) == letters(sheet.sheet.titolo)
            and (record.page_start, record.page_end) == (sheet.page_start, sheet.page_end)
        )
        got = record and (record.title, record.page_start, record.page_end)
        yield Observation(right, f"{sheet.title} p. {sheet.page_start}-{sheet.page_end}: {got}")


@fidelity
def sheets_not_invented(truth: Truth, read: Read) -> Iterator[Observation]:
    """Schede lette che nel documento ci sono davvero, una volta sola."""
    if not truth.sheets:
        return
    taken = {record.id for record in _records_by_sheet(truth, read) if record is not None}
    for record in read.records:
        yield Observation(record.id in taken, f"{record.number} {record.title}")


@fidelity
def field_exact(truth: Truth, read: Read) -> Iterator[Observation]:
    """Campi di testo delle schede uguali a quelli scritti, dalla prima all'ultima parola."""
    for sheet, record in _pairs(truth, read):
        got = {entry.name: entry.text for entry in record.fields} if record else {}
        for name, wanted in sheet.fields.items():
            if name not in sheet.tables:
                right = _field_form(got.get(name, "")) == _field_form(wanted)
                yield Observation(right, f"{sheet.title} [{name}]: {got.get(name, '')[:80]!r}")


@fidelity
def field_page(truth: Truth, read: Read) -> Iterator[Observation]:
    """Campi letti le cui citazioni stanno nelle pagine della loro scheda, e lì sono vere."""
    for sheet, record in _pairs(truth, read):
        for entry in record.fields if record else ():
            right = all(
                sheet.page_start <= quote.page <= sheet.page_end
                and read.pages[quote.page - 1].text[quote.start : quote.end] == quote.text
                for quote in entry.quotes
            )
            yield Observation(right and bool(entry.quotes), f"{sheet.title} [{entry.name}]")


def _field_form(text: str) -> str:
    return folded(_BULLET.sub("", text))


def _pairs(truth: Truth, read: Read) -> Iterator[tuple[SheetTruth, Scheda | Intervento | None]]:
    if not truth.scanned:
        yield from zip(truth.sheets, _records_by_sheet(truth, read), strict=True)


def _records_by_sheet(truth: Truth, read: Read) -> list[Scheda | Intervento | None]:
    """For each true sheet the first record of its number that begins on its page, if any."""
    left = list(read.records)
    chosen: list[Scheda | Intervento | None] = []
    for sheet in truth.sheets:
        number = letters(sheet.sheet.numero)
        found = next(
            (
                record
                for record in left
                if letters(record.number or "") == number and record.page_start == sheet.page_start
            ),
            None,
        )
        if found is not None:
            left.remove(found)
        chosen.append(found)
    return chosen
