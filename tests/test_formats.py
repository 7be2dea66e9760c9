"""HTML, DOCX, Markdown and plain text become canonical pages with their blocks in order."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import docx
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from ingest.cleaning import flatten, normalise
from ingest.formats import READERS, read_bytes, read_document
from ingest.models import SourceDocument

SHARED = Path(__file__).resolve().parents[2] / "shared"


def blocks(document: SourceDocument, page: int = 1) -> list[tuple[str, str]]:
    """(kind, words) of a page's blocks; a heading's kind carries its level."""
    source = document.pages[page - 1]
    return [
        (f"h{b.level}" if b.kind == "heading" else b.kind, source.text[b.start : b.end])
        for b in source.blocks
    ]


def of_kind(document: SourceDocument, *kinds: str) -> list[str]:
    return [text for kind, text in blocks(document) if kind in kinds]


def assert_well_formed(document: SourceDocument) -> None:
    for number, page in enumerate(document.pages, start=1):
        assert page.number == number
        assert normalise(page.text) == page.text
        end = 0
        for block in page.blocks:
            assert end <= block.start < block.end <= len(page.text)
            words = page.text[block.start : block.end]
            assert words == words.strip() and "\n" not in words
            assert (block.level > 0) == (block.kind == "heading")
            assert page.text[end : block.start].strip() == ""
            end = block.end
        assert page.text[end:].strip() == ""


HTML = """<!DOCTYPE html><html lang="it"><head><meta charset="{charset}">
<title>Caregiver - Unione della Valle</title>
<meta name="keywords" content="dimostrativo, caregiver">
<meta name="date" content="2018-05-03T10:00:00"><style>p {{color: red}}</style>
<script>var x = "<p>mai</p>";</script></head>
<body><div class="cookie-banner"><p>Questo sito usa i cookie</p><button>Accetta</button></div>
<header><nav><ul><li>Home</li><li>Servizi</li></ul></nav></header>
<main class="page-with-sidebar"><h1>Il caregiver familiare</h1>
<p>Chi assiste un familiare <b>non auto</b>sufficiente è un <a href="/x">caregiver</a>.</p>
<h2>Che cosa può <em>chiedere</em></h2>
<ul><li>sollievo a domicilio<ul><li>di notte</li></ul></li><li><p>ascolto</p></li></ul>
<table><caption>Ore di sollievo</caption><tr><th>Anno</th><th>Ore</th></tr>
<tr><td>2018</td><td>1.200</td></tr></table>
<p style="display: none">Testo nascosto</p><p hidden>Altro nascosto</p>
<div>Sede di Colfiorito<br>Via Larga 3</div><!-- commento --></main>
<footer><p>Partita IVA 00000000000</p></footer></body></html>"""


def test_html_keeps_the_content_and_drops_the_frame() -> None:
    document = read_bytes(HTML.format(charset="utf-8").encode(), "caregiver.html")
    assert_well_formed(document)
    assert blocks(document) == [
        ("h1", "Il caregiver familiare"),
        ("text", "Chi assiste un familiare non autosufficiente è un caregiver."),
        ("h2", "Che cosa può chiedere"),
        ("list_item", "sollievo a domicilio"),
        ("list_item", "di notte"),
        ("list_item", "ascolto"),
        ("text", "Ore di sollievo"),
        ("table_row", "Anno Ore"),
        ("table_row", "2018 1.200"),
        ("text", "Sede di Colfiorito Via Larga 3"),
    ]
    assert document.title == "Il caregiver familiare"
    assert document.metadata["keywords"] == "dimostrativo, caregiver"
    assert document.metadata["date"] == "2018-05-03"


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252", "iso-8859-1"])
def test_html_is_read_in_the_charset_it_declares(charset: str) -> None:
    document = read_bytes(HTML.format(charset=charset).encode(charset), "caregiver.htm")
    assert "Che cosa può chiedere" in document.pages[0].text


def test_html_that_draws_itself_with_scripts_says_it_has_no_text() -> None:
    document = read_bytes(b"<html><body><script>go()</script></body></html>", "app.html")
    assert document.pages_without_text == (1,)
    assert "non contiene testo" in document.notes[0]


def test_html_heading_outside_the_main_part_is_not_lost() -> None:
    page = "<html><body><div><h1>Budget di salute</h1></div><main><p>{}</p></main></body></html>"
    document = read_bytes(page.format("Casa, lavoro, relazioni. " * 9).encode(), "b.html")
    assert blocks(document)[0] == ("h1", "Budget di salute")


MARKDOWN = """\
---
title: "Piano di zona di Valdoro"
keywords: [dimostrativo, piano di zona]
anno: 2018
---
# Piano di zona di **Valdoro**

Il distretto conta *nove* comuni, con la [Carta dei servizi](https://esempio.it/c_(1)) e
un solo Ufficio di piano_di_zona.

Priorità
--------
- contrasto alla povertà
  e alla solitudine
1. Case della Salute
2. `budget` di salute

| Fonte | Importo |
|-------|--------:|
| FRNA  | 120.000 |

<!-- nota per chi scrive -->
> Parere della comunità

```
riga di codice
```
"""


def test_markdown_loses_its_marks_and_keeps_its_structure() -> None:
    document = read_bytes(MARKDOWN.encode(), "piano.md")
    assert_well_formed(document)
    assert blocks(document) == [
        ("h1", "Piano di zona di Valdoro"),
        (
            "text",
            "Il distretto conta nove comuni, con la Carta dei servizi e un solo Ufficio di "
            "piano_di_zona.",
        ),
        ("h2", "Priorità"),
        ("list_item", "contrasto alla povertà e alla solitudine"),
        ("list_item", "1. Case della Salute"),
        ("list_item", "2. budget di salute"),
        ("table_row", "Fonte Importo"),
        ("table_row", "FRNA 120.000"),
        ("text", "Parere della comunità"),
        ("text", "riga di codice"),
    ]
    assert document.title == "Piano di zona di Valdoro"
    assert document.metadata["keywords"] == "dimostrativo, piano di zona"
    assert document.metadata["anno"] == "2018"


def word_file() -> docx.document.Document:
    document = docx.Document()
    document.core_properties.title = "Linee guida per facilitatori"
    document.core_properties.keywords = "dimostrativo"
    document.sections[0].header.paragraphs[0].text = "Documento dimostrativo"
    document.sections[0].footer.paragraphs[0].text = "Distretto di Valdoro"
    document.add_heading("Linee guida", level=1)
    document.add_paragraph("La facilitazione serve a far parlare tutti.")
    document.add_heading("Che cosa serve", level=2)
    document.add_paragraph("un patto iniziale", style="List Bullet")
    document.add_paragraph("un tempo certo", style="List Number")
    table = document.add_table(rows=2, cols=2)
    for cell, words in zip(
        table._cells, ["Tappa", "Mese", "Mandato\npolitico", "marzo"], strict=True
    ):
        cell.text = words
    document.add_paragraph("Chiusura.")
    return document


def saved(document: docx.document.Document) -> bytes:
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def test_docx_is_read_in_document_order() -> None:
    document = read_bytes(saved(word_file()), "linee.docx")
    assert_well_formed(document)
    assert blocks(document) == [
        ("header", "Documento dimostrativo"),
        ("h1", "Linee guida"),
        ("text", "La facilitazione serve a far parlare tutti."),
        ("h2", "Che cosa serve"),
        ("list_item", "un patto iniziale"),
        ("list_item", "un tempo certo"),
        ("table_row", "Tappa Mese"),
        ("table_row", "Mandato politico marzo"),
        ("text", "Chiusura."),
        ("footer", "Distretto di Valdoro"),
    ]
    assert document.title == "Linee guida per facilitatori"
    assert document.metadata["keywords"] == "dimostrativo"


def test_docx_reads_insertions_and_not_deletions() -> None:
    word = docx.Document()
    paragraph = word.add_paragraph("Il tavolo si riunisce ")
    for tag, text_tag, words in (("w:ins", "w:t", "ogni mese"), ("w:del", "w:delText", "mai")):
        change, run, text = OxmlElement(tag), OxmlElement("w:r"), OxmlElement(text_tag)
        text.text = words
        text.set(qn("xml:space"), "preserve")
        run.append(text)
        change.append(run)
        paragraph._p.append(change)
    assert read_bytes(saved(word), "verbale.docx").pages[0].text == (
        "Il tavolo si riunisce ogni mese"
    )


TEXT = """\
Salta al contenuto

Il Piano di zona di Valdoro

Il Piano persegue due obiettivi:

1

la lotta alla solitudine, con gli strumenti del distretto;

2

la prossimità dei servizi.

Gruppo di lavoro

Anna Neri e Piero Gialli
Ufficio di piano

  • operatori dell’area adulti;
  • volontari

Azioni sul documento
Pubblicato il 26/08/2016 — ultima modifica 10/10/2018
"""


def test_a_web_page_saved_as_text_keeps_its_lists_and_sets_its_frame_apart() -> None:
    document = read_bytes(TEXT.encode(), "piano.txt")
    assert_well_formed(document)
    assert blocks(document) == [
        ("header", "Salta al contenuto"),
        ("h1", "Il Piano di zona di Valdoro"),
        ("text", "Il Piano persegue due obiettivi:"),
        ("list_item", "1 la lotta alla solitudine, con gli strumenti del distretto;"),
        ("list_item", "2 la prossimità dei servizi."),
        ("h2", "Gruppo di lavoro"),
        ("text", "Anna Neri e Piero Gialli"),
        ("text", "Ufficio di piano"),
        ("list_item", "• operatori dell'area adulti;"),
        ("list_item", "• volontari"),
        ("text", "Pubblicato il 26/08/2016 — ultima modifica 10/10/2018"),
        ("footer", "Azioni sul documento"),
    ]
    assert document.title == "Il Piano di zona di Valdoro"
    assert document.metadata["date"] == "2018-10-10"


def test_text_wrapped_by_hand_is_joined_into_paragraphs() -> None:
    line = "Il distretto programma i servizi con i comuni e con l'azienda\n"
    text = f"{line * 4}sanitaria.\n\n{line * 3}sanitaria.\n"
    assert len(read_bytes(text.encode(), "a.txt").pages[0].blocks) == 2


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
def test_text_is_read_in_every_encoding_in_use(encoding: str) -> None:
    words = "La comunità è più forte: perché così può agire, già da lunedì."
    document = read_bytes(words.encode(encoding), "a.txt")
    assert document.pages[0].text == words
    assert document.notes == ()


def test_doubtful_encoding_is_told() -> None:
    document = read_bytes("La comunità è più forte così.".encode("mac_roman"), "vecchio.txt")
    assert "UTF-8" in document.notes[0]


def test_stray_nul_bytes_are_dropped_and_told() -> None:
    document = read_bytes(b"Il piano " * 20 + b"di\x00 zona.", "a.txt")
    assert document.pages[0].text.endswith("di zona.")
    assert "caratteri di controllo" in document.notes[0]


def test_text_cut_inside_a_character_is_read_and_told() -> None:
    document = read_bytes("La comunità".encode()[:-1], "a.txt")
    assert document.pages[0].text == "La comunit"
    assert "incompleto" in document.notes[0]


def test_every_reader_keeps_its_words_findable_in_the_original() -> None:
    original = flatten(TEXT)
    for _, words in blocks(read_bytes(TEXT.encode(), "piano.txt")):
        assert flatten(words) in original


@pytest.mark.parametrize("folder", ["pdfs", "seeds"])
def test_real_documents_give_well_formed_pages(folder: str) -> None:
    found: Sequence[Path] = [
        path for path in sorted((SHARED / folder).glob("*")) if path.suffix in READERS
    ]
    if not found:
        pytest.skip("the real documents are not beside the repository")
    for path in found:
        assert_well_formed(read_document(path, max_bytes=50_000_000))
