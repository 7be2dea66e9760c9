from __future__ import annotations

import dataclasses
import time

import pytest

from assistant.record_models import Intervento, Scheda
from ingest.models import Block, BlockKind, SourceDocument, SourcePage
from ingest.passages import PassageSettings
from ingest.schede.labels import find_label, label_of
from ingest.sections import place_blocks
from ingest.structure import Structured, structure

Piece = tuple[BlockKind, str] | tuple[BlockKind, str, int]


def page(number: int, *pieces: Piece) -> SourcePage:
    text, blocks = "", []
    for kind, words, *level in pieces:
        text += "\n" if text else ""
        blocks.append(Block(len(text), len(text) + len(words), kind, level[0] if level else 0))
        text += words
    return SourcePage(number, text, tuple(blocks), printed_label=f"p. {number}")


def read(
    *pages: SourcePage, name: str = "documento.pdf", media_type: str = "application/pdf",
    title: str | None = None, **metadata: str,
) -> Structured:  # fmt: skip
    source = SourceDocument(pages, media_type, title, metadata)
    return structure("a" * 64, name, source, PassageSettings())


SCHEDE = (
    page(
        1,
        ("heading", "Schede attuative", 1),
        ("text", "Scheda 5 – Sostegno a chi si prende cura"),
        ("text", "Scheda 26 – Programmazione partecipata"),
        ("heading", "Scheda 5 – Sostegno a chi si prende cura", 2),
        ("heading", "Destinatari", 3),
        ("text", "Chi assiste un familiare non autosufficiente."),
        ("heading", "Azioni da sviluppare", 3),
        ("text", "Si prevede di:"),
        ("list_item", "• aprire uno sportello in ogni distretto;"),
    ),
    page(
        2,
        ("list_item", "• formare gli operatori."),
        ("heading", "Indicatori/risultati attesi", 3),
        ("table_row", "Sportelli aperti 38"),
        ("heading", "Scheda 26 – Programmazione partecipata", 2),
        ("text", "Area/e: D - partecipazione\nDestinatari: tutta la popolazione"),
        ("text", "Azioni"),
        ("text", "Laboratori per facilitatori."),
        ("heading", "Nota finale", 1),
        ("text", "Il testo non è ufficiale."),
    ),
)

INTERVENTI = (
    page(
        1,
        ("heading", "Piano di zona 2018-2020", 1),
        ("text", "Distretto di Valdoro"),
        ("text", "Documento dimostrativo: luoghi e numeri sono inventati."),
        ("heading", "Schede intervento", 2),
        ("text", "Intervento 1 – Sportello di prossimità"),
        ("table_row", "Soggetto capofila Unione dei Comuni di Valdoro"),
        ("table_row", "Riferimento scheda regionale 5"),
        ("text", "Destinatari: anziani soli."),
    ),
    page(
        2,
        ("text", "Scheda intervento n. 2: Casa e lavoro"),
        ("text", "Soggetto capofila: Comune di Borgo"),
        ("text", "Preventivo di spesa: 12.000 euro"),
        ("text", "Il preventivo comprende la formazione."),
        ("heading", "Accordo di programma", 2),
        ("text", "Le parti firmano."),
    ),
)


def fields(record: Scheda | Intervento) -> dict[str, str]:
    return {entry.name: entry.text for entry in record.fields}


def test_regional_schede_become_records_with_their_fields() -> None:
    found = read(*SCHEDE, title="Schede attuative")
    assert [(s.number, s.title) for s in found.schede] == [
        ("5", "Sostegno a chi si prende cura"),
        ("26", "Programmazione partecipata"),
    ]
    first, second = found.schede
    assert (first.page_start, first.page_end, second.page_start) == (1, 2, 2)
    assert fields(first) == {
        "Destinatari": "Chi assiste un familiare non autosufficiente.",
        "Azioni": "Si prevede di:\n• aprire uno sportello in ogni distretto;\n"
        "• formare gli operatori.",
        "Indicatori": "Sportelli aperti 38",
    }
    assert fields(second) == {
        "Area": "D - partecipazione",
        "Destinatari": "tutta la popolazione",
        "Azioni": "Laboratori per facilitatori.",
    }
    assert found.interventi == ()


def test_intervention_sheets_are_found_in_lines_that_are_no_headings() -> None:
    found = read(*INTERVENTI)
    assert [(i.number, i.title, i.distretto) for i in found.interventi] == [
        ("1", "Sportello di prossimità", "Valdoro"),
        ("2", "Casa e lavoro", "Valdoro"),
    ]
    assert fields(found.interventi[0]) == {
        "Soggetto capofila": "Unione dei Comuni di Valdoro",
        "Riferimento scheda regionale": "5",
        "Destinatari": "anziani soli.",
    }
    assert fields(found.interventi[1])["Preventivo di spesa"] == (
        "12.000 euro\nIl preventivo comprende la formazione."
    )
    assert found.schede == ()
    assert found.document.demonstration


@pytest.mark.parametrize("pages", [SCHEDE, INTERVENTI])
def test_field_quotes_are_exact(pages: tuple[SourcePage, ...]) -> None:
    found = read(*pages)
    texts = {p.number: p.text for p in found.pages}
    records: tuple[Scheda | Intervento, ...] = (*found.schede, *found.interventi)
    assert records
    for record in records:
        for entry in record.fields:
            assert entry.text == "\n".join(q.text for q in entry.quotes)
            for quote in entry.quotes:
                assert quote.text == texts[quote.page][quote.start : quote.end]


def test_passages_carry_their_scheda_and_its_title_in_the_section() -> None:
    found = read(*INTERVENTI)
    by_text = {p.text: p for p in found.passages}
    first = next(p for text, p in by_text.items() if "Sportello di prossimità" in text)
    second = next(p for text, p in by_text.items() if "Casa e lavoro" in text)
    after = next(p for text, p in by_text.items() if "Le parti firmano" in text)
    assert (first.scheda, second.scheda, after.scheda) == ("Intervento 1", "Intervento 2", None)
    assert first.section[-1] == "Intervento 1 – Sportello di prossimità"
    assert "Casa e lavoro" not in first.text
    assert {p.scheda for p in read(*SCHEDE).passages} == {None, "5", "26"}


def test_scheda_with_fields_of_the_district_platform_is_an_intervento() -> None:
    found = read(
        page(
            1,
            ("heading", "SCHEDA N. 7", 1),
            ("text", "Titolo: Trasporto sociale\nSoggetto capofila: ASP Valdoro"),
            ("text", "Destinatari: persone con disabilità"),
        )
    )
    assert [(i.number, i.title) for i in found.interventi] == [("7", "Trasporto sociale")]
    assert found.schede == ()


def test_mentions_and_indexes_of_schede_are_no_records() -> None:
    index = page(
        1,
        ("heading", "Indice", 1),
        ("text", "Scheda 1 – Case della Salute ........ 4"),
        ("text", "Scheda 2 – Cure intermedie"),
        ("text", "La scheda 5 riguarda i caregiver."),
        ("heading", "Destinatari", 1),
        ("text", "Tutti."),
    )
    found = read(index)
    assert found.schede == ()
    assert found.interventi == ()
    assert {p.scheda for p in found.passages} == {None}


def test_running_title_repeated_on_each_page_is_one_scheda() -> None:
    title: Piece = ("text", "Scheda 5 – Cura")
    found = read(
        page(1, title, ("text", "Area: A"), ("text", "Destinatari: famiglie")),
        page(2, title, ("text", "Azioni: sportelli")),
    )
    assert [(s.number, s.page_end) for s in found.schede] == [("5", 2)]
    assert fields(found.schede[0])["Azioni"] == "sportelli"


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("Soggetto capofila: Ausl", "Soggetto capofila", "Ausl"),
        ("3. DESTINATARI", "Destinatari", ""),
        ("Area/e (A-E): B", "Area", "B"),
        ("Novità rispetto al 2019: nessuna", "Novità rispetto all'anno precedente", "nessuna"),
        ("Istituzioni/attori sociali coinvolti | Comuni", "Istituzioni e attori sociali coinvolti",
         "Comuni"),
    ],
)  # fmt: skip
def test_labels_are_known_in_their_spellings(line: str, name: str, value: str) -> None:
    hit = find_label(line)
    assert hit is not None
    assert (hit.label.name, line[hit.value_start :]) == (name, value)


@pytest.mark.parametrize("line", ["I destinatari sono molti.", "Vale quanto segue: azioni", ""])
def test_sentences_are_no_labels(line: str) -> None:
    assert find_label(line) is None
    assert label_of(line) is None


def test_longest_label_wins_in_a_table_row() -> None:
    hit = find_label("Risorse non finanziarie sala civica", row=True)
    assert hit is not None
    assert hit.label.name == "Risorse non finanziarie"


def test_keywords_of_the_file_win() -> None:
    document = read(
        page(1, ("heading", "Relazione", 1), ("text", "Testo.")),
        keywords="tipo=piano_di_zona; distretto=Valdoro; anni=2018-2020; dimostrativo=si; "
        "stato=vigente; ufficiale=no; ausl=Valle",
    ).document
    assert (document.kind, document.distretto) == ("piano_di_zona", "Valdoro")
    assert document.ausl == "Valle"
    assert (document.year_from, document.year_to) == (2018, 2020)
    assert (document.demonstration, document.official) == (True, False)
    assert document.status == "in_force"
    assert document.notes == ()


def test_unknown_keyword_values_are_told_not_swallowed() -> None:
    keywords = "tipo=pianone; stato=boh; anni=x"
    document = read(page(1, ("text", "Testo.")), keywords=keywords).document
    assert (document.kind, document.status, document.year_from) == ("altro", "unknown", None)
    assert len(document.notes) == 3


@pytest.mark.parametrize(
    ("title", "kind", "distretto", "years"),
    [
        ("Piano di zona per la salute e il benessere sociale - Distretto di Lugo 2018-2020",
         "piano_di_zona", "Lugo", (2018, 2020)),
        ("PIANO DI ZONA DISTRETTO DI VALDORO 2018/20", "piano_di_zona", "Valdoro", (2018, 2020)),
        ("Piano di zona distrettuale di Forlì, anni 2018-2020", "piano_di_zona", "Forlì",
         (2018, 2020)),
        ("Piano di zona del Distretto Città di Piacenza 2018-2020", "piano_di_zona",
         "Città di Piacenza", (2018, 2020)),
        ("Programma attuativo annuale 2019 – Distretto Pianura Est", "piano_di_zona", "Pianura Est",
         (2019, 2019)),
        ("Delibera di Giunta n. 1423 del 2 ottobre 2017", "atto", None, (2017, 2017)),
        ("Deliberazione dell'Assemblea legislativa n. 120 del 2017", "atto", None, (2017, 2017)),
        ("Deliberazione n. 4 del 2018: approvazione del Piano di zona", "atto", None, (2018, 2018)),
        ("Scheda attuativa n. 5 – Caregiver", "scheda", None, (None, None)),
        ("Linee guida per la programmazione partecipata", "linea_guida", None, (None, None)),
        ("Il Piano sociale e sanitario regionale 2017-2019", "piano", None, (2017, 2019)),
        ("La visita al Comune di Lugo", "altro", None, (None, None)),
        ("Supporto al Piano di zona", "altro", None, (None, None)),
        ("Piano di zona per la salute", "altro", None, (None, None)),
        ("I Distretti di Lugo e il Distretto di Faenza", "altro", "Faenza", (None, None)),
        ("Intesa tra Distretto di Lugo, Distretto di Faenza", "altro", None, (None, None)),
    ],
)  # fmt: skip
def test_titles_state_kind_district_and_years(
    title: str, kind: str, distretto: str | None, years: tuple[int | None, int | None]
) -> None:
    document = read(page(1, ("text", "Nel Distretto di Imola nel 2005 non è così.")), title=title)
    described = document.document
    assert described.title == title
    assert (described.kind, described.distretto) == (kind, distretto)
    assert (described.year_from, described.year_to) == years


def test_district_named_in_running_text_is_a_mere_mention() -> None:
    text = "In coerenza con il Piano 2017-2019 il Distretto Città di Piacenza ha elaborato il " * 3
    document = read(page(1, ("heading", "Piano di zona per la salute", 1), ("text", text))).document
    assert (document.kind, document.distretto) == ("altro", None)


def test_cover_and_file_name_speak_when_the_title_does_not() -> None:
    cover = page(
        1,
        ("text", "Unione dei Comuni"),
        ("heading", "Piano di zona", 1),
        ("text", "Distretto di Riccione\nAzienda USL della Romagna"),
        ("text", "Triennio 2018-2020"),
    )
    document = read(cover).document
    assert (document.kind, document.distretto) == ("piano_di_zona", "Riccione")
    assert (document.ausl, document.year_from) == ("Romagna", 2018)
    name = "docs/piano_di_zona_distretto_di_Lugo_2018-2020.pdf"
    named = read(page(1, ("text", "Testo.")), name=name)
    assert (named.document.kind, named.document.distretto) == ("piano_di_zona", "Lugo")


def test_ambiguous_district_name_is_not_replaced_by_a_guess() -> None:
    title = "Piano di zona 2018-2020, Distretto Sud-Est"
    document = read(page(1, ("text", "x.")), title=title).document
    assert document.distretto is None


@pytest.mark.parametrize(
    "junk", ["Microsoft Word - piano.doc", "piano_def_v3.docx", "Senza titolo", "Documento1", "",
             "COMUNE DI VALDORO", "Presentazione standard"],
)  # fmt: skip
def test_junk_titles_give_way_to_the_first_heading(junk: str) -> None:
    headed = page(1, ("heading", "Relazione sui servizi", 1), ("text", "T."))
    with_heading = read(headed, title=junk)
    assert with_heading.document.title == "Relazione sui servizi"
    without = read(page(1, ("text", "T.")), title=junk, name="a/relazione_servizi-2018.pdf")
    assert without.document.title == "relazione servizi 2018"


def test_web_pages_are_pages_whatever_their_title() -> None:
    document = read(
        page(1, ("text", "Testo.")),
        title="Piano di zona 2018-2020",
        media_type="text/html",
        name="https://www.valdoro.example/servizi/piano-di-zona.html",
    ).document
    assert document.kind == "pagina"
    assert document.source == "https://www.valdoro.example/servizi/piano-di-zona.html"


def test_same_input_gives_the_same_output() -> None:
    assert read(*SCHEDE) == read(*SCHEDE)
    assert [p.printed_label for p in read(*SCHEDE).pages] == ["p. 1", "p. 2"]


def test_oversized_heading_is_read_as_text() -> None:
    source = SourceDocument((page(1, ("heading", "Il Comune provvede. " * 30, 1)),), "text/plain")
    assert [block.kind for block in place_blocks(source)] == ["text"]


def test_five_hundred_pages_a_second() -> None:
    sheet = INTERVENTI[1]
    words = "L'art. 5 della L.R. n. 2/2003 affida al Comitato di distretto il programma annuale. "
    full = page(0, *(("text", words * 6) for _ in range(6)))
    pages = []
    for number in range(1, 301):
        chosen = sheet if number % 3 else full
        pages.append(dataclasses.replace(chosen, number=number))
    read(*pages[:3])
    started = time.process_time()
    found = read(*pages)
    seconds = time.process_time() - started
    assert len(found.pages) / seconds > 500


def test_heading_broken_off_in_mid_phrase_gets_its_rest() -> None:
    source = SourceDocument(
        (
            page(
                1,
                ("heading", "Scheda 5 – Riconoscimento del ruolo del", 1),
                ("text", "caregiver nei servizi"),
                ("heading", "Destinatari", 2),
                ("text", "famiglie"),
            ),
        ),
        "application/pdf",
    )
    assert [block.section for block in place_blocks(source)][1::2] == [
        ("Scheda 5 – Riconoscimento del ruolo del caregiver nei servizi",),
        ("Scheda 5 – Riconoscimento del ruolo del caregiver nei servizi", "Destinatari"),
    ]


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Documento dimostrativo: il Distretto, i suoi Comuni e le", "persone sono inventati."),
        ("Comuni contano 61.870 abitanti nel complesso. Il Comune capofila è", "Portolento."),
    ],
)
def test_first_line_of_a_paragraph_is_no_heading(heading: str, text: str) -> None:
    source = SourceDocument((page(1, ("heading", heading, 1), ("text", text)),), "application/pdf")
    assert [block.kind for block in place_blocks(source)] == ["text", "text"]


LONG = "Le famiglie che chiedono una casa trovano qui un operatore. " * 6


def test_field_headings_stand_below_their_sheet_whatever_their_level() -> None:
    found = read(
        page(
            1,
            ("heading", "Intervento 1 – Casa", 2),
            ("text", f"Soggetto capofila: ASP {LONG}"),
            ("heading", "Destinatari:", 1),
            ("text", LONG),
            ("heading", "Indicatori", 2),
            ("text", f"Alloggi: 3 {LONG}"),
        )
    )
    assert [p.section for p in found.passages] == [
        ("Intervento 1 – Casa",),
        ("Intervento 1 – Casa", "Destinatari:"),
        ("Intervento 1 – Casa", "Indicatori"),
    ]
    assert list(fields(found.interventi[0])) == ["Soggetto capofila", "Destinatari", "Indicatori"]


def test_a_numbered_chapter_above_the_sheets_ends_the_last_one_whatever_its_words() -> None:
    found = read(
        page(
            1,
            ("heading", "5. Schede nuove", 2),
            ("heading", "Intervento 28 – Il medico nello schermo", 3),
            ("text", "Soggetto capofila: Azienda Usl"),
            ("text", "Destinatari: abitanti delle frazioni"),
            ("text", "Indicatori: visite 120 (2019)"),
        ),
        page(2, ("heading", "6. Le risorse", 2), ("text", "Le schede costano 71.650 euro.")),
    )
    (record,) = found.interventi
    assert record.page_end == 1
    assert "71.650" not in " ".join(entry.text for entry in record.fields)


def test_an_office_below_an_empty_label_is_its_value_though_it_may_be_a_label_too() -> None:
    found = read(
        page(
            1,
            ("heading", "Intervento 5 – Lavoro", 2),
            ("heading", "Specifica del soggetto capofila", 3),
            ("text", "Ufficio di piano"),
            ("heading", "Destinatari", 3),
            ("text", "Famiglie."),
            ("heading", "Indicatori", 3),
            ("text", "Corsi: 3"),
        )
    )
    read_fields = fields(found.interventi[0])
    assert read_fields["Specifica del soggetto capofila"] == "Ufficio di piano"
    assert list(read_fields) == ["Specifica del soggetto capofila", "Destinatari", "Indicatori"]


def test_short_fields_of_one_sheet_share_a_passage_each_under_its_label() -> None:
    found = read(
        page(
            1,
            ("heading", "Intervento 1 – Casa", 2),
            ("heading", "Soggetto capofila", 3),
            ("text", "ASP"),
            ("heading", "Scheda prevalente", 3),
            ("text", "26"),
            ("heading", "Descrizione", 3),
            ("text", LONG * 2),
            ("heading", "Intervento 2 – Pane", 2),
            ("heading", "Soggetto capofila", 3),
            ("text", "Unione"),
            ("heading", "Indicatori", 3),
            ("text", "Pasti: 30"),
            ("heading", "Conclusioni", 2),
            ("text", "Fine del piano."),
        )
    )
    first, second, third, last = found.passages
    assert first.section == second.section[:1] == ("Intervento 1 – Casa",)
    assert [w for w in ("capofila", "ASP", "prevalente", "26") if w not in first.text] == []
    assert second.section == ("Intervento 1 – Casa", "Descrizione")
    assert (third.section, third.scheda) == (("Intervento 2 – Pane",), "Intervento 2")
    assert "Unione" in third.text and "Pasti: 30" in third.text
    assert (last.section, last.scheda) == (("Conclusioni",), None)


def test_lettered_numbers_of_schede_are_kept() -> None:
    found = read(
        page(
            1,
            ("heading", "Scheda dimostrativa D-3 – Casa e lavoro", 1),
            ("text", "Area: C\nTarget: adulti\nAzioni: tirocini"),
        )
    )
    assert [(s.number, s.title) for s in found.schede] == [("D-3", "Casa e lavoro")]
    assert found.passages[0].scheda == "D-3"
