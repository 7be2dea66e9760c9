"""Finding schede: filters, exact counts, export."""

from __future__ import annotations

import csv
import dataclasses
import io
import time
from pathlib import Path

import pytest

from assistant.errors import UsageError
from assistant.index.analysed import analyse
from assistant.index.catalog import Catalog
from assistant.index.catalog_writer import CatalogWriter, Parts
from assistant.index.entries import RecordEntry, make_entry
from assistant.models import Document
from assistant.record_models import Intervento, Record, Scheda
from assistant.schede import find
from assistant.schede.filters import make_filters
from assistant.schede.table import record_row, records_csv
from ingest.formats.reading import read_bytes
from ingest.structure import Structured, structure

PAGE = """<html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"""
SHEETS = """
<h2>Intervento 1 – Sportello del caregiver</h2>
<p>Soggetto capofila: Unione dei Comuni della Valdoro</p><p>Aree: A, C</p>
<p>Riferimento scheda regionale: 5, D-12</p><p>Destinatari: anziani non autosufficienti</p>
<p>Preventivo di spesa: FRNA 120.000 euro; Comuni 20.000,50 euro; totale 150.000 euro</p>
<p>Indicatori: Famiglie seguite: 40 (2018)</p>
<h2>Intervento 2 – =HYPERLINK("http://spia.example")</h2>
<p>Soggetto capofila: Azienda Usl Terre Alte</p><p>Aree: E</p>
<p>Riferimento scheda regionale: 26</p><p>Destinatari: adolescenti</p>
<p>Fonti di finanziamento: Fondo regionale per la non autosufficienza 5.000 euro</p>
"""
REGIONAL = """
<h2>Scheda 5 – Riconoscimento del caregiver</h2>
<p>Area: A</p><p>Destinatari: caregiver familiari</p><p>Azioni: sportelli</p>
"""


def read(name: str, title: str, body: str) -> Structured:
    data = PAGE.format(title=title, body=body).encode()
    return structure(f"{len(title):064x}", name, read_bytes(data, name))


PLAN = read("piani/valdoro.html", "Piano di zona 2018-2020 – Distretto di Valdoro", SHEETS)
SCHEDE = read("schede.html", "Schede attuative del Piano 2017-2019", REGIONAL)


def parts(found: Structured) -> Parts:
    return Parts(found.document, found.pages, found.passages, found.schede, found.interventi)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    writer = CatalogWriter(tmp_path / "catalog.sqlite")
    for found in (PLAN, SCHEDE):
        writer.add(parts(found), [analyse(passage.text) for passage in found.passages])
    writer.close(commit=True)
    return Catalog(tmp_path / "catalog.sqlite")


def test_records_come_back_from_the_catalogue_as_they_were(catalog: Catalog) -> None:
    entries = catalog.record_entries()
    assert [(entry.kind, entry.number) for entry in entries] == [
        ("scheda", "5"),
        ("intervento", "1"),
        ("intervento", "2"),
    ]
    assert catalog.records([entry.id for entry in entries]) == [
        *SCHEDE.schede,
        *PLAN.interventi,
    ]
    assert entries[1].document_title == PLAN.document.title
    assert catalog.interventi() == list(PLAN.interventi)


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, ["5", "1", "2"]),
        ({"text": "caregiver"}, ["5", "1"]),
        ({"text": "sportelli caregiver"}, ["5", "1"]),
        ({"text": "il"}, []),
        ({"text": "careg"}, ["5", "1"]),
        ({"kind": "intervento"}, ["1", "2"]),
        ({"area": ["a"]}, ["5", "1"]),
        ({"area": ["Area E", "C"]}, ["1", "2"]),
        ({"audience": ["persone anziane"]}, []),
        ({"audience": ["anziani"]}, ["1"]),
        ({"distretto": ["VALDORO"]}, ["1", "2"]),
        ({"distretto": ["Distretto di Valdoro"]}, ["1", "2"]),
        ({"distretto": ["Lugo"]}, []),
        ({"years": ["2020"]}, ["1", "2"]),
        ({"years": [2017]}, ["5"]),
        ({"reference": ["scheda n. 5"]}, ["1"]),
        ({"reference": ["d 12"]}, ["1"]),
        ({"number": ["5"]}, ["5"]),
        ({"capofila": ["ausl"]}, ["2"]),
        ({"capofila": ["valdoro"]}, ["1"]),
        ({"source": ["FRNA"]}, ["1", "2"]),
        ({"source": ["fondo non autosufficienza"]}, ["1", "2"]),
        ({"source": ["comuni"]}, ["1"]),
        ({"document": ["valdoro.html"]}, ["1", "2"]),
        ({"document": [PLAN.document.id[:60]]}, ["5", "1", "2"]),
        ({"document": [SCHEDE.document.id]}, ["5"]),
        ({"without": ["descrizione"]}, ["5", "1", "2"]),
        ({"without": ["indicatori"]}, ["5", "2"]),
        ({"without": ["spesa"]}, []),
        ({"area": ["A"], "kind": "interventi", "text": "famiglie"}, ["1"]),
    ],
)
def test_filters_choose_exactly(
    catalog: Catalog, filters: dict[str, object], numbers: list[str]
) -> None:
    found = find(catalog.record_entries(), make_filters(**filters))  # type: ignore[arg-type]
    assert [entry.number for entry in found] == numbers


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"kind": "piano"}, "I tipi sono: scheda, intervento"),
        ({"years": ["duemila"]}, "Esempio: 2018"),
        ({"area": [""]}, "Serve un testo"),
        ({"text": "a" * 301}, "Serve un testo"),
        ({"area": [str(n) for n in range(201)]}, "Troppi valori"),
        ({"without": ["colore"]}, "I campi sono: "),
    ],
)
def test_wrong_filters_are_told(catalog: Catalog, filters: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as error:
        find(catalog.record_entries(), make_filters(**filters))  # type: ignore[arg-type]
    assert said in str(error.value)


def test_csv_has_a_row_a_record_and_formulas_are_texts() -> None:
    records: list[Record] = [*SCHEDE.schede, *PLAN.interventi]
    titles = {PLAN.document.id: PLAN.document.title, SCHEDE.document.id: "Schede"}
    rows = list(csv.DictReader(io.StringIO(records_csv(records, titles))))
    assert [row["record"] for row in rows] == ["Scheda", "Intervento", "Intervento"]
    first = rows[1]
    assert (first["aree"], first["capofila_tipo"], first["riferimenti"]) == (
        "A, C",
        "unione",
        "5, D-12",
    )
    assert (first["spesa_totale_euro"], first["spesa_torna"]) == ("150000,00", "no")
    assert (first["fonte_1"], first["euro_1"]) == ("FRNA", "120000,00")
    assert (first["fonte_2"], first["euro_2"]) == ("Comuni", "20000,50")
    assert first["indicatori"] == "Famiglie seguite: 40 (2018)"
    assert first["anni"] == "2018-2020"
    assert "non è la somma" in first["note"]
    assert rows[2]["title"].startswith("'=HYPERLINK")


def test_json_rows_hold_typed_values_with_their_quotes() -> None:
    row = record_row(PLAN.interventi[0], "Piano")
    assert row["spending"]["amounts"][0]["cents"] == 12_000_000
    assert row["spending"]["amounts"][0]["quotes"][0]["text"] == "FRNA"
    assert row["gaps"][0]["text"].endswith("non trovato nella pagina letta 1")


def many(count: int) -> tuple[list[Record], list[RecordEntry]]:
    records: list[Record] = []
    for number in range(count):
        original = (*PLAN.interventi, *SCHEDE.schede)[number % 3]
        records.append(dataclasses.replace(original, id=f"{number:016x}", number=str(number)))
    documents: dict[str, Document] = {found.document.id: found.document for found in (PLAN, SCHEDE)}
    return records, [make_entry(record, documents[record.document_id]) for record in records]


def test_two_thousand_records_are_filtered_within_150_milliseconds() -> None:
    _, entries = many(2_000)
    wanted = make_filters(
        "caregiver", area=["A"], distretto=["Valdoro"], years=["2018"], source=["FRNA"],
        audience=["anziani"], reference=["5"], capofila=["unione"], without=["descrizione"],
    )  # fmt: skip
    find(entries[:3], wanted)
    started = time.perf_counter()
    found = find(entries, wanted)
    text = find(entries, make_filters("sportello caregiver"))
    seconds = time.perf_counter() - started
    assert len(found) == 667  # every third is the sheet that has all of it
    assert len(text) > len(found) > 0
    assert seconds < 0.15


def test_a_scheda_has_no_place_in_filters_of_interventions() -> None:
    _, entries = many(3)
    kinds = {type(record): record for record in (*PLAN.interventi, *SCHEDE.schede)}
    assert set(kinds) == {Scheda, Intervento}
    found = find(entries, make_filters(without=["capofila"]))
    assert found == []
