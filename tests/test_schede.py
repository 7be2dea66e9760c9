"""Typed values of schede, from words as offices print them."""

from __future__ import annotations

import pytest

from assistant.record_models import Intervento, Scheda
from ingest.formats.reading import read_bytes
from ingest.schede.flow import Flow, Row, Source, Stretch
from ingest.schede.indicators import read_indicators
from ingest.schede.labels import find_label, label_of
from ingest.schede.references import read_references
from ingest.schede.spending import euro, read_spending, spending_note
from ingest.schede.values import (
    read_ambito,
    read_areas,
    read_capofila,
    read_continuity,
    read_targets,
)
from ingest.structure import structure

NOTHING = Flow(Source("d", {}), ())


def flow(text: str) -> Flow:
    return Flow(Source("d", {1: text}), (Stretch(1, 0, len(text)),))


def rows(*lines: str) -> tuple[list[Row], Source]:
    """One line a row; cells parted by `|`, a first row that ends in `*` names the columns."""
    texts: dict[int, str] = {}
    found: list[Row] = []
    for number, line in enumerate(lines, start=1):
        texts[number] = line
        source = Source("d", texts)
        cells: list[Flow] = []
        at = 0
        for part in line.rstrip("*").split("|"):
            stretch = source.strip(number, at, at + len(part))
            cells.append(Flow(source, (stretch,) if stretch else ()))
            at += len(part) + 1
        found.append(Row(tuple(cells), table=len(cells) > 1, header=line.endswith("*")))
    return found, Source("d", texts)


def money(*lines: str) -> tuple[list[tuple[str, int | None]], int | None, bool | None]:
    spending = read_spending(*rows(*lines))
    assert spending is not None
    total = spending.total.cents if spending.total else None
    return [(one.source, one.cents) for one in spending.amounts], total, spending.adds_up


@pytest.mark.parametrize(
    ("words", "cents"),
    [
        ("€ 120.000,00", 12_000_000), ("120.000 €", 12_000_000), ("euro 1.250", 125_000),
        ("1.250,50", 125_050), ("120 mila euro", 12_000_000), ("120mila euro", 12_000_000),
        ("1,2 milioni di euro", 120_000_000), ("€ 120.000,=", 12_000_000), ("850 euro", 85_000),
        ("Euro 3.712.000", 371_200_000), ("€ 12 000", 1_200_000), ("1250.50 euro", 125_050),
        ("120,000 euro", None), ("da definire", None), ("non quantificabile", None),
    ],
)  # fmt: skip
def test_an_amount_alone_is_the_total(words: str, cents: int | None) -> None:
    spending = read_spending(*rows(words))
    assert spending is not None and spending.total is not None
    assert (spending.amounts, spending.total.cents) == ((), cents)
    assert spending.total.words == words
    assert spending.adds_up is None


@pytest.mark.parametrize(
    ("lines", "amounts", "total"),
    [
        (("FRNA 120.000 euro; Comuni 20.000 euro; totale 140.000 euro",),
         [("FRNA", 12_000_000), ("Comuni", 2_000_000)], 14_000_000),
        (("FRNA: euro 120.000 Comuni: euro 20.000 totale: euro 140.000",),
         [("FRNA", 12_000_000), ("Comuni", 2_000_000)], 14_000_000),
        (("totale 2018 euro 14.200, di cui Unione montana 6.200 e Fondo sociale locale 8.000.",),
         [("Unione montana", 620_000), ("Fondo sociale locale", 800_000)], 1_420_000),
        (("Totale 2018: 168.000 euro. Azienda Usl 131.000; Comuni 22.000; altri soggetti 15.000",),
         [("Azienda Usl", 13_100_000), ("Comuni", 2_200_000), ("altri soggetti", 1_500_000)],
         16_800_000),
        (("120.000 euro FRNA, 20.000 euro Comuni",),
         [("FRNA", 12_000_000), ("Comuni", 2_000_000)], None),
        (("120 mila euro dal FRNA e 1,2 milioni di euro dalla Regione",),
         [("FRNA", 12_000_000), ("Regione", 120_000_000)], None),
        (("Fondo sociale europeo (LR 14/2015) 167.000; Comuni 37.000",),
         [("Fondo sociale europeo (LR 14/2015)", 16_700_000), ("Comuni", 3_700_000)], None),
        (("FRNA 120.000 euro (di cui 20.000 euro per formazione); Comuni 20.000 euro",),
         [("FRNA", 12_000_000), ("Comuni", 2_000_000)], None),
        (("FRNA: da definire; Comuni: 20.000 euro",),
         [("FRNA", None), ("Comuni", 2_000_000)], None),
        (("Fonte|Euro*", "FRNA|120.000", "Comuni|€ 20.000,00", "Totale|140.000"),
         [("FRNA", 12_000_000), ("Comuni", 2_000_000)], 14_000_000),
        (("FRNA|euro 120.000", "Comuni|euro 20.000", "Totale generale|euro 140.000"),
         [("FRNA", 12_000_000), ("Comuni", 2_000_000)], 14_000_000),
        (("Fonte|Importo*", "FRNA|da definire", "Comuni|"), [("FRNA", None)], None),
    ],
)  # fmt: skip
def test_money_is_read_by_source(
    lines: tuple[str, ...], amounts: list[tuple[str, int | None]], total: int | None
) -> None:
    known = all(cents is not None for _, cents in amounts)
    assert money(*lines) == (amounts, total, True if total is not None and known else None)


def test_columns_by_year_keep_their_years() -> None:
    spending = read_spending(
        *rows("Fonte|2018|2019|Totale*", "FRNA|10.000|12.000|22.000", "Totale|10.000|12.000|22.000")
    )
    assert spending is not None
    assert [(one.cents, one.year) for one in spending.amounts] == [
        (1_000_000, 2018),
        (1_200_000, 2019),
    ]
    assert [(one.cents, one.year) for one in spending.totals_by_year] == [
        (1_000_000, 2018),
        (1_200_000, 2019),
    ]
    assert (spending.total, spending.adds_up) == (None, True)


def test_a_total_that_does_not_add_up_is_told_and_left_alone() -> None:
    spending = read_spending(*rows("Fonte|Euro*", "FRNA|120.000", "Comuni|2.000,50", "Totale|1"))
    assert spending is not None and spending.total is not None
    assert (spending.total.cents, spending.adds_up) == (100, False)
    note = spending_note(spending)
    assert note is not None
    assert "(1 euro)" in note and "(122.000,50 euro)" in note
    assert [euro(100), euro(12_345_650)] == ["1", "123.456,50"]


Told = list[tuple[str, str | None, list[tuple[object, int | None, str]]]]


def indicators(*lines: str) -> Told:
    found = read_indicators(*rows(*lines), "distrettuale")
    return [(i.name, i.unit, [(v.value, v.year, v.kind) for v in i.values]) for i in found]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("Famiglie seguite: 40 (2018), 60 (2019); raggiunto 52 (2018); Gruppi: 3 (2018)",),
         [("Famiglie seguite", "numero", [(40, 2018, "atteso"), (60, 2019, "atteso"),
                                          (52, 2018, "raggiunto")]),
          ("Gruppi", "numero", [(3, 2018, "atteso")])]),
        (("Famiglie seguite: 40 (2018) Evento annuale: SI (2018)",),
         [("Famiglie seguite", "numero", [(40, 2018, "atteso")]),
          ("Evento annuale", "si_no", [(True, 2018, "atteso")])]),
        (("custodi attivi, 12 nel 2018, 18 nel 2019.",),
         [("custodi attivi", "numero", [(12, 2018, "atteso"), (18, 2019, "atteso")])]),
        (("apertura della sede (SI/NO), NO nel 2018, SI nel 2020; medici presenti nel 2020, 6.",),
         [("apertura della sede (SI/NO)", "si_no", [(False, 2018, "atteso"),
                                                    (True, 2020, "atteso")]),
          ("medici presenti", "numero", [(6, 2020, "atteso")])]),
        (("percentuale di atti con la pagina; valore atteso per il 2019: 50.",),
         [("percentuale di atti con la pagina", "percentuale", [(50, 2019, "atteso")])]),
        (("Copertura: 45 per cento (2018), 50,5% (2019)",),
         [("Copertura", "percentuale", [(45, 2018, "atteso"), (50.5, 2019, "atteso")])]),
        (("n. incontri: da definire",), [("n. incontri", None, [(None, None, "atteso")])]),
        (("n. persone coinvolte; n. incontri",),
         [("n. persone coinvolte", None, []), ("n. incontri", None, [])]),
        (("Famiglie aiutate: 45 nel 2018. Sfratti sospesi: 30, 1.250",),
         [("Famiglie aiutate", "numero", [(45, 2018, "atteso")]),
          ("Sfratti sospesi", "numero", [(30, None, "atteso"), (1250, None, "atteso")])]),
        (("Indicatore|Anno|Valore atteso|Valore raggiunto*", "Famiglie|2018|40|38",
          "Famiglie|2019|60|", "Sede aperta|2018|NO|"),
         [("Famiglie", "numero", [(40, 2018, "atteso"), (38, 2018, "raggiunto"),
                                  (60, 2019, "atteso")]),
          ("Sede aperta", "si_no", [(False, 2018, "atteso")])]),
        (("Indicatore|2018|2019*", "PAI, in percentuale|20|45", "Gruppi|–|2"),
         [("PAI, in percentuale", "percentuale", [(20, 2018, "atteso"), (45, 2019, "atteso")]),
          ("Gruppi", "numero", [(2, 2019, "atteso")])]),
        (("Indicatore|Unità di misura|Valore atteso 2018*", "Copertura|%|45"),
         [("Copertura", "percentuale", [(45, 2018, "atteso")])]),
    ],
)  # fmt: skip
def test_indicators_are_names_with_values_and_years(lines: tuple[str, ...], told: Told) -> None:
    assert indicators(*lines) == told


def test_words_of_a_value_are_kept_and_its_quote_holds_the_year() -> None:
    (one,) = read_indicators(*rows("Famiglie: 95 famiglie nel 2019"), "regionale")
    assert [(v.words, [q.text for q in v.quotes]) for v in one.values] == [
        ("95 famiglie", ["95 famiglie nel 2019"])
    ]
    assert [quote.text for quote in one.quotes] == ["Famiglie"]
    assert one.level == "regionale"


LONG = (
    "Riconoscimento del ruolo del caregiver familiare nel sistema di servizi sociali, "
    "socio-sanitari e sanitari"
)


@pytest.mark.parametrize(
    ("words", "main", "told"),
    [
        (f"5 {LONG}", "", [("5", LONG, False)]),
        ("Scheda n. 5; scheda 26", "", [("5", "", False), ("26", "", False)]),
        ("D-12, D-16 (prevalente D-12)", "", [("D-12", "", True), ("D-16", "", False)]),
        ("5 (prevalente), 26", "", [("5", "", True), ("26", "", False)]),
        ("Schede 5 e 26", "26", [("5", "", False), ("26", "", True)]),
        ("15 Potenziamento nei primi 1000 giorni di vita", "",
         [("15", "Potenziamento nei primi 1000 giorni di vita", False)]),
        ("D-3 (scheda sulla povertà), D-4 (scheda sul lavoro)", "",
         [("D-3", "scheda sulla povertà", False), ("D-4", "scheda sul lavoro", False)]),
        ("5 - Caregiver\n26 – Community Lab", "",
         [("5", "Caregiver", False), ("26", "Community Lab", False)]),
        ("", "Scheda 16 Genitorialità", [("16", "Genitorialità", True)]),
        ("Nessuno", "", []), ("DGR 4/2017", "", []), ("12 bis", "", [("12 bis", "", False)]),
    ],
)  # fmt: skip
def test_references_name_regional_schede(
    words: str, main: str, told: list[tuple[str, str, bool]]
) -> None:
    found = read_references(flow(words) if words else NOTHING, flow(main) if main else NOTHING)
    assert [(one.number, one.title, one.main) for one in found] == told


@pytest.mark.parametrize(
    ("words", "letters"),
    [
        ("A – Prossimità e domiciliarità; C", ["A", "C"]), ("Aree A/E", ["A", "E"]),
        ("A, C", ["A", "C"]), ("A e C", ["A", "C"]), ("a, c", ["A", "C"]), ("E", ["E"]),
        ("A Politiche per la prossimità; B Politiche", ["A", "B"]),
        ("A - Politiche per la prossimità C - Politiche per l'autonomia", ["A", "C"]),
        ("prossimità e domiciliarità", [None]), ("A domicilio", [None]),
        ("D) Partecipazione", ["D"]),
    ],
)  # fmt: skip
def test_areas_are_letters(words: str, letters: list[str | None]) -> None:
    found = read_areas(flow(words))
    assert [area.letter for area in found] == letters
    assert all(area.words in words for area in found)


@pytest.mark.parametrize(
    ("name", "detail", "told"),
    [
        ("Unione dei Comuni della Valdoro", "", ("Unione dei Comuni della Valdoro", "unione")),
        ("Comune", "Comune di Lugo", ("Comune di Lugo", "comune")),
        ("A.U.S.L. Bologna", "", ("A.U.S.L. Bologna", "ausl")),
        ("ASP Lungacqua", "Area anziani", ("ASP Lungacqua", "asp")),
        ("Consorzio Tre", "", ("Consorzio Tre", "altro")),
    ],
)
def test_capofila_has_a_name_and_a_kind(name: str, detail: str, told: tuple[str, str]) -> None:
    found = read_capofila(flow(name), flow(detail) if detail else NOTHING)
    assert found is not None
    assert (found.name, found.kind) == told


@pytest.mark.parametrize(
    ("words", "kind", "detail"),
    [
        ("Distrettuale", "distrettuale", ""),
        ("Sub-distrettuale (San Tiberio e Torre)", "sub-distrettuale", "San Tiberio e Torre"),
        ("Sovradistrettuale: provincia", "sovra-distrettuale", "provincia"),
        ("Comunale", None, ""),
    ],
)
def test_ambito_is_one_of_three(words: str, kind: str | None, detail: str) -> None:
    found = read_ambito(flow(words))
    assert found is not None
    assert (found.kind, found.detail, found.words) == (kind, detail, words)


@pytest.mark.parametrize(
    ("words", "value"),
    [("Sì", True), ("NO", False), ("Si, con ampliamento", True), ("☒ Sì ☐ No", True),
     ("[ ] Sì [X] No", False), ("Sì/No", None), ("Parzialmente", None)],
)  # fmt: skip
def test_continuity_is_yes_or_no_or_words(words: str, value: bool | None) -> None:
    found = read_continuity(flow(words))
    assert found is not None
    assert (found.value, found.words) == (value, words)


def test_targets_are_parted_outside_parentheses() -> None:
    found = read_targets(flow("anziani, disabili (giovani, adulti); famiglie con figli."))
    assert [one.words for one in found] == [
        "anziani", "disabili (giovani, adulti)", "famiglie con figli",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Destinatari finali del progetto: anziani", "Destinatari"),
        ("Azioni programmate: sportelli", "Azioni"),
        ("Spesa complessiva stimata: 10.000 euro", "Preventivo di spesa"),
        ("Referente tecnico dell'intervento: Livia", "Referenti"),
        ("INDICATORI DI MONITORAGGIO", "Indicatori"),
        ("4. Descrizione sintetica dell'azione", "Descrizione"),
    ],
)
def test_labels_are_known_in_variants_nobody_listed(line: str, name: str) -> None:
    hit = find_label(line)
    assert hit is not None
    assert hit.label.name == name


@pytest.mark.parametrize(
    "line",
    ["No", "Azioni di comunicazione", "Area Vasta Romagna", "Enti e associazioni sportive: sette",
     "Regionale", "destinatari finali sono gli anziani"],
)  # fmt: skip
def test_ordinary_words_are_no_labels(line: str) -> None:
    assert label_of(line) is None
    assert find_label(line, bare=True) is None


# whole documents


def read_html(
    body: str, title: str = "Piano di zona 2018-2020 – Distretto di Valdoro"
) -> Intervento:
    found = read_all(body, title)
    (one,) = found[1]
    return one


def read_all(body: str, title: str) -> tuple[tuple[Scheda, ...], tuple[Intervento, ...]]:
    html = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"
    source = read_bytes(html.encode(), "piano.html")
    found = structure("a" * 64, "piano.html", source)
    return found.schede, found.interventi


SHEET = """
<h2>Schede intervento</h2><h3>{title}</h3>
<p>Soggetto capofila: Comune di Lugo</p><p>Descrizione: Uno sportello.</p>
<p>Azioni previste: apertura.</p>
"""


@pytest.mark.parametrize(
    ("title", "number", "name"),
    [
        ("Intervento 12 bis – Sportello", "12 bis", "Sportello"),
        ("Scheda intervento n. 3: Sportello", "3", "Sportello"),
        ("12. Sportello", "12", "Sportello"),
        ("Scheda di intervento – Sportello", None, "Sportello"),
        ("Sportello di ascolto", None, "Sportello di ascolto"),
    ],
)
def test_titles_of_sheets(title: str, number: str | None, name: str) -> None:
    found = read_html(SHEET.format(title=title))
    assert (found.number, found.title) == (number, name)


def test_a_form_that_opens_with_its_title_field_is_a_sheet() -> None:
    form = """<table><tr><td>Titolo intervento</td><td>{}</td></tr>
    <tr><td>Soggetto capofila</td><td>Unione</td></tr>
    <tr><td>Destinatari finali</td><td>Anziani</td></tr>
    <tr><td>Azioni previste</td><td>Sportelli</td></tr></table>"""
    _, found = read_all(form.format("Casa") + "<p>.</p>" + form.format("Lavoro"), "Interventi")
    assert [one.title for one in found] == ["Casa", "Lavoro"]
    assert [[field.name for field in one.fields] for one in found] == [
        ["Titolo", "Soggetto capofila", "Destinatari", "Azioni"]
    ] * 2


def test_a_scheda_named_in_a_reference_opens_no_sheet() -> None:
    found = read_html(
        "<h2>Intervento 1 – Casa</h2><p>Soggetto capofila</p><p>Comune di Lugo</p>"
        "<p>Riferimento scheda regionale</p><p>Scheda 5 – Caregiver</p><p>Scheda 26 – Lab</p>"
        "<p>Destinatari</p><p>Anziani</p><p>Preventivo di spesa</p>"
    )
    assert [(one.number, one.title) for one in found.references] == [
        ("5", "Caregiver"),
        ("26", "Lab"),
    ]
    gaps = {gap.field: gap.text for gap in found.gaps}
    assert gaps["Preventivo di spesa"] == (
        "Preventivo di spesa: l'etichetta è a pagina 1, senza testo"
    )
    assert gaps["Descrizione"] == "Descrizione: non trovato nella pagina letta 1"
    assert "Destinatari" not in gaps


def test_fields_whose_line_breaks_were_lost_are_parted() -> None:
    found = read_html(
        "<h2>Intervento 1 – Casa</h2><p>Soggetto capofila: Comune di Lugo<br>"
        "Ambito territoriale: Distrettuale<br>Aree: A, C<br>Destinatari: anziani soli</p>"
    )
    assert {field.name: field.text for field in found.fields} == {
        "Soggetto capofila": "Comune di Lugo", "Ambito territoriale": "Distrettuale",
        "Area": "A, C", "Destinatari": "anziani soli",
    }  # fmt: skip


def test_rows_nested_in_a_sheet_of_two_columns_are_its_money() -> None:
    found = read_html(
        "<h2>Intervento 1 – Casa</h2><table>"
        "<tr><td>Soggetto capofila</td><td>ASP Lugo</td></tr>"
        "<tr><td>Preventivo di spesa</td><td>euro</td></tr>"
        "<tr><td>Finanziamento regionale</td><td>12.000</td></tr>"
        "<tr><td>Totale</td><td>12.000</td></tr>"
        "<tr><td>Coordinamento operativo locale</td><td>Mensile</td></tr>"
        "<tr><td>Risorse non finanziarie</td><td>Una sala</td></tr></table>"
    )
    assert found.spending is not None
    assert [(one.source, one.cents) for one in found.spending.amounts] == [
        ("Finanziamento regionale", 1_200_000)
    ]
    assert found.spending.adds_up is True
    assert found.fields[-1].text == "Una sala"


def test_a_heading_that_is_an_unknown_label_does_not_end_the_sheet() -> None:
    found = read_html(
        "<h2>Intervento 1 – Casa</h2><h3>Soggetto capofila</h3><p>ASP Lugo</p>"
        "<h3>Parere del gruppo</h3><p>Favorevole.</p><h3>Destinatari</h3><p>Anziani</p>"
        "<h3>Referenti</h3><p>Livia</p><h2>Accordo</h2><p>Le parti firmano.</p>"
    )
    assert {field.name: field.text for field in found.fields} == {
        "Soggetto capofila": "ASP Lugo", "Destinatari": "Anziani", "Referenti": "Livia",
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        "<h2>Governance</h2><p>Destinatari: tutti.</p><p>Azioni: varie.</p><p>Obiettivi: no.</p>",
        "<h2>Indice</h2><p>Intervento 1 – Casa</p><p>Intervento 2 – Lavoro</p><p>Premessa.</p>",
        "<h2>Norme</h2><p>La scheda 5 – Caregiver – è richiamata. Indicatori: nessuno.</p>",
    ],
)
def test_ordinary_pages_hold_no_sheets(body: str) -> None:
    assert read_all(body, "Relazione sui servizi") == ((), ())
