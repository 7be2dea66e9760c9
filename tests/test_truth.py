"""The corpus's writer knows what it wrote: schede as data, their layouts, every word's page."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pypdf
import pypdfium2
import pytest

from corpus.opendocument import render_odt
from corpus.pdf import render_pdf, trace_pdf
from corpus.plain import expanded_body, render_text
from corpus.records import SheetSource, Spending, read_records
from corpus.scan import scanned
from corpus.script import read_script
from corpus.sheets import LAYOUTS, euro
from corpus.sources import Source, SourceError
from corpus.truth import Item, Part, truth_of

RECORDS = '''
[[scheda]]
numero = "1"
titolo = "Sportello di prova"
aree = ["A", "C"]
capofila = "Comune di Prova"
capofila_tipo = "comune"
ambito = "sub-distrettuale"
ambito_dettaglio = "le due frazioni"
riferimenti = ["5", "D-2"]
prevalente = "5"
descrizione = """Lo sportello apre il lunedì,
salvo i festivi.

Nel secondo anno apre anche il giovedì."""
azioni = ["Aprire lo sportello", "Formare due operatori"]
spesa = [["FRNA", 12500], ["Comuni", 1250]]
indicatori = [
  { nome = "Famiglie", attesi = [[2018, "40"], [2019, "60"]], raggiunti = [[2018, "52"]] },
  { nome = "Questionario di gradimento" },
]

[[scheda]]
numero = "1 bis"
titolo = "Sportello gemello"
capofila = "Unione di Prova"
capofila_tipo = "unione"
descrizione = "Come il primo, ma in collina."
'''


def source(name: str, fmt: str, layout: str, **options: str) -> Source:
    return Source(
        name=name,
        format=fmt,
        title="Piano di prova",
        subject="Prova",
        date="2020-01-01",
        keywords="tipo=piano_di_zona; dimostrativo=si",
        notice="Documento dimostrativo: tutto è inventato.",
        body="# Piano di prova\n\nIntroduzione del piano.\n\n## Schede\n\n"
        f"<!-- schede: prova; modello: {layout} -->\n",
        header="Testatina di prova",
        options=options,
        tags={"dimostrativo": "si"},
    )


@pytest.fixture(autouse=True)
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The records of these tests in the place of the project's own."""
    (tmp_path / "prova.toml").write_text(RECORDS, "utf-8")
    read_records.cache_clear()
    monkeypatch.setattr(read_script, "__defaults__", (tmp_path,))
    return tmp_path


def test_a_record_is_read_whole_and_its_total_is_the_sum_of_its_sources(records: Path) -> None:
    first, second = read_records("prova", records)
    assert first.descrizione.split("\n\n") == [
        "Lo sportello apre il lunedì, salvo i festivi.",
        "Nel secondo anno apre anche il giovedì.",
    ]
    assert first.spesa == (Spending("FRNA", 12500), Spending("Comuni", 1250))
    assert (first.totale, euro(first.totale)) == (13750, "13.750")
    assert (first.intervento, second.numero, second.spesa) == (True, "1 bis", ())


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ('aree = ["A", "C"]', 'aree = ["Z"]', "area 'Z'"),
        ('capofila_tipo = "comune"', 'capofila_tipo = "ente"', "capofila_tipo"),
        ('prevalente = "5"', 'prevalente = "7"', "prevalente"),
        ('["FRNA", 12500]', '["FRNA", 12.5]', "whole euro"),
        ('[2018, "40"]', '["2018", "40"]', "year"),
        ('titolo = "Sportello di prova"\n', "", "titolo"),
        ('numero = "1 bis"', 'numero = "1"', "twice"),
        ('ambito = "sub', 'ambitus = "sub', "unknown key"),
    ],
)
def test_a_record_that_is_not_coherent_is_refused(
    records: Path, wrong: str, right: str, said: str
) -> None:
    assert wrong in RECORDS
    (records / "prova.toml").write_text(RECORDS.replace(wrong, right, 1), "utf-8")
    read_records.cache_clear()
    with pytest.raises(SourceError, match=said):
        read_records("prova", records)


def test_marks_choose_sheets_by_their_own_numbers() -> None:
    def numbers(wanted: str) -> list[str]:
        made = source("x", "md", "righe")
        body = made.body.replace("modello: righe", f"modello: righe; numeri: {wanted}")
        return [
            sheet.numero
            for sheet in read_script(
                Source(**{f: getattr(made, f) for f in made.__dataclass_fields__} | {"body": body})
            ).sheets
        ]

    assert numbers("1") == ["1"]
    assert numbers("1 bis, 1") == ["1 bis", "1"]
    assert numbers("1-3") == ["1", "1 bis"]
    with pytest.raises(SourceError, match="no scheda has numero '9'"):
        numbers("9")


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_every_layout_tells_every_field_and_where_it_stands(layout: str) -> None:
    made = source("x", "pdf", layout)
    truth = truth_of(made)
    pages = [
        "".join(page.get_textpage().get_text_range().split())
        for page in pypdfium2.PdfDocument(render_pdf(made))
    ]
    assert truth.page_count == len(pages)
    for item in truth.items:
        for part in item.parts:
            assert "".join(part.text.split()) in pages[part.page - 1]
    first, second = truth.sheets
    assert first.fields["Soggetto capofila"] == "Comune di Prova"
    assert first.fields["Ambito territoriale"] == "Sub-distrettuale (le due frazioni)"
    assert "Nel secondo anno apre anche il giovedì." in first.fields["Descrizione"]
    assert ("Preventivo di spesa" in first.tables) != ("Preventivo di spesa" in first.fields)
    assert set(second.fields) == {"Soggetto capofila", "Descrizione"}
    assert second.page_start >= first.page_start


def test_a_paragraph_over_two_pages_knows_where_each_word_stands() -> None:
    made = source("x", "pdf", "righe")
    long = " ".join(f"parola{n}" for n in range(1500))
    made = Source(**{f: getattr(made, f) for f in made.__dataclass_fields__}
                  | {"body": f"# Piano\n\n{long}\n"})  # fmt: skip
    item = next(item for item in truth_of(made).items if item.text == long)
    assert len(item.parts) >= 2
    assert [part.page for part in item.parts] == list(range(1, len(item.parts) + 1))
    pages = [
        page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(render_pdf(made))
    ]
    for n in (0, 700, 1499):
        word = f"parola{n}"
        assert word in pages[item.page_of(item.text.index(word + " " * (n < 1499))) - 1]


def test_page_of_counts_letters_because_a_page_break_may_fall_inside_a_word() -> None:
    item = Item("text", "programma attuativo", (Part(3, "program-"), Part(4, "ma attuativo")))
    assert [item.page_of(i) for i in (0, 6, 7, 8, 10)] == [3, 3, 4, 4, 4]


def test_a_document_in_columns_is_traced_in_reading_order() -> None:
    made = source("x", "pdf", "righe", impaginazione="due-colonne")
    drawn = trace_pdf(made, read_script(made)).drawn
    lines = [one.line for one in drawn if one.line >= 0]
    assert lines == sorted(lines)


def test_a_protected_file_opens_without_a_password_and_may_not_be_changed() -> None:
    data = render_pdf(source("x", "pdf", "righe", protezione="proprietario"))
    reader = pypdf.PdfReader(BytesIO(data))
    assert reader.is_encrypted
    assert "Introduzione del piano" in reader.pages[0].extract_text()
    assert data == render_pdf(source("x", "pdf", "righe", protezione="proprietario"))


def test_a_scan_is_images_without_text_that_look_like_the_pages() -> None:
    plain = render_pdf(source("x", "pdf", "righe"))
    data = scanned(plain, {"Title": "È una prova"})
    original, copy = pypdfium2.PdfDocument(plain), pypdfium2.PdfDocument(data)
    assert len(copy) == len(original)
    assert copy.get_metadata_value("Title") == "È una prova"
    assert copy[0].get_textpage().get_text_range() == ""
    pictures = [
        pdf[0].render(scale=1, grayscale=True).to_pil().resize((60, 85)) for pdf in (original, copy)
    ]
    difference = [abs(a - b) for a, b in zip(*(p.tobytes() for p in pictures), strict=True)]
    assert sum(difference) / len(difference) < 12
    assert min(pictures[1].tobytes()) < 230  # there is ink


def test_plain_text_and_markdown_hold_the_sheets() -> None:
    text = render_text(source("x", "txt", "etichette")).decode()
    assert "Soggetto capofila: Comune di Prova" in text
    assert "FRNA     12.500 euro" in text
    assert max(map(len, text.splitlines())) <= 90
    body = expanded_body(source("x", "md", "tabella"))
    assert "| **Soggetto capofila** | Comune di Prova |" in body


def test_an_odt_is_a_zip_that_says_what_it_is_first() -> None:
    data = render_odt(source("x", "odt", "sezioni"))
    with ZipFile(BytesIO(data)) as archive:
        assert archive.infolist()[0].filename == "mimetype"
        content = archive.read("content.xml").decode()
    assert content.count("<text:list-item>") == 2
    assert '<text:h text:outline-level="3">Intervento 1 – Sportello di prova</text:h>' in content
    assert "<table:table-header-rows>" in content


def test_a_sheet_without_a_field_shows_no_label_for_it() -> None:
    for layout in LAYOUTS:
        script = read_script(source("x", "pdf", layout))
        shown = {
            name
            for line in script.lines
            for name in (line.name, *line.row_fields)
            if line.sheet == 1 and name
        }
        assert shown <= {"titolo", "Soggetto capofila", "Descrizione"}, layout


def test_unknown_layouts_are_refused() -> None:
    with pytest.raises(SourceError, match="unknown modello 'altro'"):
        read_script(source("x", "pdf", "altro"))


def test_the_projects_own_records_are_coherent() -> None:
    from corpus.records import RECORDS as FOLDER

    read_records.cache_clear()
    sheets: list[SheetSource] = []
    for path in sorted(FOLDER.glob("*.toml")):
        sheets += read_records(path.stem, FOLDER)
    for sheet in sheets:
        assert all(part.euro > 0 for part in sheet.spesa), sheet.titolo
        known = {"5", "9", "11", "26", *(f"D-{n}" for n in range(1, 41))}
        assert set(sheet.riferimenti) <= known, sheet.titolo
