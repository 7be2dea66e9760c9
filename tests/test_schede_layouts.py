"""Sheets written in every layout and format, and read back: each typed value must be exact."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

import corpus.script
from assistant.models import Quote
from assistant.record_models import Indicator, Intervento, Record
from corpus.build import _writers
from corpus.records import Indicator as IndicatorSource
from corpus.records import SheetSource
from corpus.sheets import LAYOUTS
from corpus.sources import Source, split_keywords
from corpus.truth import SheetTruth, truth_of
from eval.fidelity_records import field_form
from ingest.formats.reading import read_bytes
from ingest.schede.labels import expected_fields
from ingest.structure import Structured, structure
from tests.sheets import random_sheet

NUMBERS = ("1", "2", "12 bis", "14", "15", "16")
BODY = """# {title}

Testo di premessa del piano.

## 4. Schede intervento

<!-- schede: prova; modello: {layout} -->

## 5. Accordo di programma

Le parti firmano.
"""


def written(format_: str, layout: str, *, intervento: bool) -> Source:
    kind = "piano_di_zona" if intervento else "scheda"
    keywords = (
        f"tipo={kind}; distretto=Valdoro; anni=2018-2020; dimostrativo=si; stato=vigente; "
        "ufficiale=no"
    )
    # Plain text carries no keywords: there the title alone tells what it is.
    title = "Piano di zona 2018-2020" if intervento else "Schede attuative regionali 2018-2020"
    return Source(
        "prova", format_, title, "prova", "2018-07-31", keywords,
        "Documento dimostrativo: tutto è inventato.", BODY.format(title=title, layout=layout),
        header="Distretto Valdoro – Piano di zona", site="Comune di Valdoro",
        tags=split_keywords(keywords),
    )  # fmt: skip


@pytest.mark.parametrize("intervento", [True, False])
@pytest.mark.parametrize("format_", ["pdf", "docx", "odt", "html", "md", "txt"])
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_every_value_is_read_as_it_was_written(
    monkeypatch: pytest.MonkeyPatch, layout: str, format_: str, intervento: bool
) -> None:
    sheets = tuple(
        random_sheet(seed * 13 + 1, number, intervento=intervento, sparse=seed > 0)
        for seed, number in enumerate(NUMBERS)
    )
    monkeypatch.setattr(corpus.script, "read_records", lambda name, folder: sheets)
    source = written(format_, layout, intervento=intervento)
    data = _writers()[format_](source)
    found = structure("a" * 64, source.filename, read_bytes(data, source.filename))
    records: list[Record] = [*found.schede, *found.interventi]
    assert [record.number for record in records] == list(NUMBERS)
    wrong = [
        (record.number, *difference)
        for truth, record in zip(truth_of(source).sheets, records, strict=True)
        for difference in differences(truth, record)
    ]
    assert wrong == []
    assert_quotes_are_true(found, records)


def differences(truth: SheetTruth, record: Record) -> Iterator[tuple[str, Any, Any]]:
    """What was read otherwise than it was written: name, read, written."""
    sheet = truth.sheet
    texts = {field.name: field_form(field.text) for field in record.fields}
    written_texts = {
        name: field_form(text) for name, text in truth.fields.items() if name not in truth.tables
    }
    read_texts = {name: text for name, text in texts.items() if name not in truth.tables}
    level = "distrettuale" if sheet.intervento else "regionale"
    kind = "intervento" if sheet.intervento else "scheda"
    expected = {label.name for label in expected_fields(kind)}  # type: ignore[arg-type]
    pairs: list[tuple[str, Any, Any]] = [
        ("title", record.title, sheet.titolo),
        ("pages", (record.page_start, record.page_end), (truth.page_start, truth.page_end)),
        ("fields", read_texts, written_texts),
        ("areas", tuple(area.letter for area in record.areas), sheet.aree),
        ("targets", tuple(target.words for target in record.targets), sheet.target),
        ("indicators", values(record.indicators, level), values_written(sheet.indicatori)),
        (
            "gaps",
            {gap.field for gap in record.gaps},
            expected - set(truth.fields) - set(truth.tables),
        ),
    ]
    if isinstance(record, Intervento):
        pairs += [*of_the_district(sheet, record)]
    yield from (pair for pair in pairs if pair[1] != pair[2])


def of_the_district(sheet: SheetSource, record: Intervento) -> Iterator[tuple[str, Any, Any]]:
    capofila = record.capofila
    assert capofila is not None
    yield (
        "capofila",
        (capofila.name, capofila.kind, capofila.detail),
        (sheet.capofila, sheet.capofila_tipo, sheet.specifica_capofila),
    )
    yield "continuity", record.continuity and record.continuity.value, sheet.continuita
    ambito = record.ambito
    told = (ambito.kind, ambito.detail) if ambito else (None, "")
    if sheet.ambito:
        yield "ambito", told, (sheet.ambito, sheet.ambito_dettaglio)
    else:
        yield "ambito", ambito.words if ambito else "", sheet.ambito_dettaglio
    numbers = {reference.number for reference in record.references}
    yield "references", numbers, set(sheet.riferimenti)
    main = [reference.number for reference in record.references if reference.main]
    yield "main", main, [sheet.prevalente] if sheet.prevalente else []
    regional = values(record.indicators, "regionale")
    yield "regional indicators", regional, values_written(sheet.indicatori_regionali)
    spending = record.spending
    amounts = [(one.source, one.cents) for one in spending.amounts] if spending else []
    yield "amounts", amounts, [(one.fonte, one.euro * 100) for one in sheet.spesa]
    total = spending.total.cents if spending and spending.total else None
    yield "total", total, sheet.totale * 100 if sheet.spesa else None
    yield "adds up", spending.adds_up if spending else None, True if sheet.spesa else None
    yield "years", (record.year_from, record.year_to), (2018, 2020)
    yield "notes", record.notes, ()


Values = list[tuple[str, list[tuple[int | None, str, str, Any]]]]


def values(indicators: tuple[Indicator, ...], level: str) -> Values:
    return [
        (
            one.name,
            sorted(
                ((v.year, v.kind, v.words, v.value) for v in one.values), key=lambda v: v[:2]
            ),
        )
        for one in indicators
        if one.level == level
    ]  # fmt: skip


def values_written(indicators: tuple[IndicatorSource, ...]) -> Values:
    found: Values = []
    for one in indicators:
        told = [("atteso", value) for value in one.attesi]
        told += [("raggiunto", value) for value in one.raggiunti]
        rows = [(v.anno, kind, v.valore, meaning(v.valore)) for kind, v in told]
        found.append((one.nome, sorted(rows, key=lambda row: row[:2])))
    return found


def meaning(words: str) -> bool | int | float:
    known = {"SI": True, "NO": False, "45%": 45, "12,5%": 12.5, "100%": 100, "1.250": 1250}
    return known[words] if words in known else int(words)


def assert_quotes_are_true(found: Structured, records: list[Record]) -> None:
    texts = {page.number: page.text for page in found.pages}
    quotes = [quote for record in records for quote in quotes_in(record)]
    assert quotes
    for quote in quotes:
        assert quote.text.strip()
        assert texts[quote.page][quote.start : quote.end] == quote.text


def quotes_in(value: Any) -> Iterator[Quote]:
    """Every quote anywhere in a record."""
    if isinstance(value, Quote):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from quotes_in(getattr(value, field.name))
    elif isinstance(value, tuple):
        for one in value:
            yield from quotes_in(one)
