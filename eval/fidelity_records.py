"""How truly schede were read: every sheet, field, amount and indicator against its source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from assistant.record_models import Intervento, Scheda
from corpus.records import Indicator as IndicatorSource
from corpus.truth import SheetTruth, Truth
from eval.cases import normal
from eval.fidelity import Observation, Read, fidelity, letters

_BULLET = re.compile(r"(?:^|(?<=\s))[-–•](?=\s)")
"""A list item's mark, at the beginning of a line or, in a table's cell, in the middle of one."""


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
                right = field_form(got.get(name, "")) == field_form(wanted)
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


def field_form(text: str) -> str:
    """A field's words as they are compared: folded, without the marks of list items."""
    return normal(_BULLET.sub("", text))


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


@fidelity
def absent_fields(truth: Truth, read: Read) -> Iterator[Observation]:
    """Campi che una scheda non ha: nessuno è riempito. Lacune dette: nessuna di un campo letto."""
    for sheet, record in _pairs(truth, read):
        if record is None:
            continue
        present = set(sheet.fields) | sheet.tables
        for name in {entry.name for entry in record.fields} - present - {"Titolo"}:
            yield Observation(False, f"{sheet.title} [{name}]: non c'è, ed è stato letto")
        for gap in record.gaps:
            yield Observation(gap.field not in present, f"{sheet.title} [{gap.field}]: lacuna")


@fidelity
def typed_exact(truth: Truth, read: Read) -> Iterator[Observation]:
    """Aree, target, schede regionali, capofila, ambito e continuità uguali a quelli scritti."""
    for sheet, record in _pairs(truth, read):
        for name, wanted in _typed_truth(sheet).items():
            got = _typed_reading(record).get(name) if record else None
            yield Observation(got == wanted, f"{sheet.title} [{name}]: {got!r}, non {wanted!r}")


def _typed_truth(sheet: SheetTruth) -> dict[str, object]:
    source = sheet.sheet
    found: dict[str, object] = {
        "aree": list(source.aree),
        "target": [normal(name) for name in source.target],
    }
    if source.intervento:
        found |= {
            "capofila": (normal(source.capofila), source.capofila_tipo),
            "ambito": (source.ambito or None, normal(source.ambito_dettaglio)),
            "continuità": source.continuita,
            "riferimenti": list(source.riferimenti),
            "prevalente": source.prevalente,
        }
    return found


def _typed_reading(record: Scheda | Intervento) -> dict[str, object]:
    found: dict[str, object] = {
        "aree": [area.letter for area in record.areas],
        "target": [normal(target.words) for target in record.targets],
    }
    if isinstance(record, Intervento):
        ambito = record.ambito
        found |= {
            "capofila": record.capofila and (normal(record.capofila.name), record.capofila.kind),
            "ambito": (ambito.kind, normal(ambito.detail)) if ambito else (None, ""),
            "continuità": record.continuity and record.continuity.value,
            "riferimenti": [reference.number for reference in record.references],
            "prevalente": next((one.number for one in record.references if one.main), ""),
        }
    return found


@fidelity
def spending_exact(truth: Truth, read: Read) -> Iterator[Observation]:
    """Importi per fonte, con il suo nome, e totali giusti al centesimo; nessuno inventato."""
    for sheet, record in _pairs(truth, read):
        wanted = Counter((normal(part.fonte), part.euro * 100) for part in sheet.sheet.spesa)
        spending = record.spending if isinstance(record, Intervento) else None
        got = (
            Counter((normal(a.source), a.cents) for a in spending.amounts)
            if spending
            else Counter()
        )
        yield from _compared(sheet, wanted, got)
        if sheet.sheet.spesa:
            total = spending.total.cents if spending and spending.total else None
            right = total == sheet.sheet.totale * 100
            yield Observation(right, f"{sheet.title} [totale]: {total}")


@fidelity
def indicators_exact(truth: Truth, read: Read) -> Iterator[Observation]:
    """Indicatori con nome, anno, valore atteso o raggiunto come scritti; nessuno inventato."""
    for sheet, record in _pairs(truth, read):
        own = "distrettuale" if sheet.sheet.intervento else "regionale"
        for level, sources in (
            (own, sheet.sheet.indicatori),
            *([("regionale", sheet.sheet.indicatori_regionali)] if sheet.sheet.intervento else []),
        ):
            wanted = Counter(entry for source in sources for entry in _indicator_truth(source))
            got = Counter(
                (normal(one.name), value.year, value.kind, normal(value.words))
                if value
                else (normal(one.name), None, "", "")
                for one in (record.indicators if record else ())
                if one.level == level
                for value in one.values or (None,)
            )
            yield from _compared(sheet, wanted, got)


def _indicator_truth(source: IndicatorSource) -> Iterator[tuple[str, int | None, str, str]]:
    name = normal(source.nome)
    if not source.attesi and not source.raggiunti:
        yield name, None, "", ""
    for kind, values in (("atteso", source.attesi), ("raggiunto", source.raggiunti)):
        for value in values:
            yield name, value.anno, kind, normal(value.valore)


def _compared(
    sheet: SheetTruth, wanted: Mapping[Any, int], got: Mapping[Any, int]
) -> Iterator[Observation]:
    for entry, times in wanted.items():
        hits = min(times, got.get(entry, 0))
        yield from [Observation(True, "")] * hits
        yield from [Observation(False, f"{sheet.title}: manca {entry}")] * (times - hits)
    for entry, times in got.items():
        extra = times - wanted.get(entry, 0)
        yield from [Observation(False, f"{sheet.title}: di troppo {entry}")] * extra
