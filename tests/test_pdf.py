"""PDF: lines become paragraphs, headings, items and rows; running lines are set apart."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pypdf
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingest.cleaning import normalise
from ingest.formats import read_bytes
from ingest.models import SourceDocument

WIDTH, HEIGHT = A4
Drawing = Callable[[Canvas], None]


def pdf(pages: Sequence[Drawing], **info: str) -> bytes:
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, pageCompression=1)
    if "title" in info:
        canvas.setTitle(info["title"])
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def lines(
    canvas: Canvas,
    words: Sequence[str],
    top: float,
    *,
    left: float = 70,
    font: str = "Helvetica",
    size: float = 11,
) -> float:
    """Set lines one under the other from `top` (points from the upper edge); the next top."""
    canvas.setFont(font, size)
    for text in words:
        canvas.drawString(left, HEIGHT - top, text)
        top += size * 1.3
    return top


def blocks(document: SourceDocument, page: int = 1) -> list[tuple[str, str]]:
    source = document.pages[page - 1]
    return [
        (f"h{b.level}" if b.kind == "heading" else b.kind, source.text[b.start : b.end])
        for b in source.blocks
    ]


PROSE = [
    "Il distretto di Valdoro programma i servizi con i comuni, con l'azienda sanitaria e con il",
    "terzo settore. La conferenza dei sindaci approva ogni anno il programma attuativo e ne veri-",
    "fica gli esiti con le parti sociali.",
]
PROSE_TEXT = (
    "Il distretto di Valdoro programma i servizi con i comuni, con l'azienda sanitaria e con il "
    "terzo settore. La conferenza dei sindaci approva ogni anno il programma attuativo e ne "
    "verifica gli esiti con le parti sociali."
)


def plan_page(number: int, total: int = 4) -> Drawing:
    def draw(canvas: Canvas) -> None:
        lines(canvas, ["Piano di zona di Valdoro 2018-2020"], 40, size=9)
        lines(canvas, [f"Pagina {number} di {total}"], HEIGHT - 30, left=260, size=9)
        top = lines(canvas, [f"{number}. Priorità"], 90, font="Helvetica-Bold", size=16)
        top = lines(canvas, PROSE, top + 12)
        top = lines(canvas, ["Azioni"], top + 12, font="Helvetica-Bold", size=12)
        top = lines(
            canvas,
            [
                "• apertura di uno sportello sociale in ogni comune del distretto, con l'aiuto",
            ],
            top + 6,
        )
        top = lines(canvas, ["delle associazioni;"], top, left=80)
        top = lines(canvas, ["• formazione degli operatori."], top)
        canvas.setFont("Helvetica", 11)
        for fonte, anno, importo in (("Fonte", "Anno", "Importo"), ("FRNA", "2018", "120.000")):
            top += 15
            for x, cell in ((70, fonte), (250, anno), (400, importo)):
                canvas.drawString(x, HEIGHT - top, cell)

    return draw


def test_a_page_is_read_into_its_blocks() -> None:
    document = read_bytes(pdf([plan_page(n) for n in range(1, 5)]), "piano.pdf")
    assert blocks(document, 2) == [
        ("header", "Piano di zona di Valdoro 2018-2020"),
        ("h1", "2. Priorità"),
        ("text", PROSE_TEXT),
        ("h2", "Azioni"),
        (
            "list_item",
            "• apertura di uno sportello sociale in ogni comune del distretto, con l'aiuto "
            "delle associazioni;",
        ),
        ("list_item", "• formazione degli operatori."),
        ("table_row", "Fonte Anno Importo"),
        ("table_row", "FRNA 2018 120.000"),
        ("footer", "Pagina 2 di 4"),
    ]
    for page in document.pages:
        assert normalise(page.text) == page.text


def test_the_title_of_a_scheda_that_opens_every_page_is_no_running_header() -> None:
    def scheda(number: int) -> Drawing:
        def draw(canvas: Canvas) -> None:
            top = lines(
                canvas, [f"Scheda intervento n. {number}"], 60, font="Helvetica-Bold", size=14
            )
            lines(canvas, PROSE, top + 10)

        return draw

    document = read_bytes(pdf([scheda(n) for n in range(1, 6)]), "schede.pdf")
    for number in range(1, 6):
        assert blocks(document, number)[0] == ("h1", f"Scheda intervento n. {number}")


def test_the_first_label_under_a_long_bold_title_is_a_heading_of_its_own() -> None:
    def draw(canvas: Canvas) -> None:
        title = "Intervento 1 – Lavoro possibile, équipe e programmi personalizzati per chi cerca"
        top = lines(canvas, [title], 90, font="Helvetica-Bold", size=11)
        top = lines(canvas, ["Soggetto capofila"], top + 5, font="Helvetica-Bold", size=10.8)
        lines(canvas, ["Comune di Valdoro", *PROSE], top + 5)

    found = blocks(read_bytes(pdf([draw, plan_page(2)]), "piano.pdf"))
    texts = [text for kind, text in found if kind.startswith("h")]
    assert texts[-1] == "Soggetto capofila"


def test_a_title_that_wraps_where_the_next_word_would_not_fit_stays_whole() -> None:
    def draw(canvas: Canvas) -> None:
        title = ["Intervento 22. La lunga luce:", "Community Lab e facilitazione"]
        for left, words in ((60, title), (310, ["Intervento 23. Altra scheda"])):
            top = lines(canvas, words, 90, left=left, font="Helvetica-Bold", size=13)
            lines(canvas, [row[:42] for row in PROSE * 4], top + 4, left=left, size=10)

    found = blocks(read_bytes(pdf([draw]), "piano.pdf"))
    headings = [text for kind, text in found if kind.startswith("h")]
    assert "Intervento 22. La lunga luce: Community Lab e facilitazione" in headings


def test_numbers_in_the_last_row_of_a_table_at_the_foot_of_a_page_are_no_page_numbers() -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, PROSE, 90)
        for row, cells in enumerate([["Voce", "Anno", "Valore"], ["Alloggi", "2019", "4"],
                                     ["Alloggi", "2020", "5"]]):  # fmt: skip
            top = HEIGHT - 760 - 20 * row
            for column, text in enumerate(cells):
                canvas.rect(70 + 120 * column, top, 120, 20)
                canvas.setFont("Helvetica", 10)
                canvas.drawString(75 + 120 * column, top + 6, text)

    found = blocks(read_bytes(pdf([draw, plan_page(2), plan_page(3)]), "piano.pdf"))
    assert found[-1] == ("table_row", "Alloggi 2020 5")


def test_two_columns_are_read_one_after_the_other() -> None:
    def draw(canvas: Canvas) -> None:
        left = [f"prima colonna, riga {n} del testo che va" for n in "abcdefgh"]
        right = [f"seconda colonna, riga {n} del testo" for n in "abcdefgh"]
        lines(canvas, left, 100, left=50)
        lines(canvas, right, 100, left=310)

    text = read_bytes(pdf([draw]), "colonne.pdf").pages[0].text
    assert text.index("prima colonna, riga h") < text.index("seconda colonna, riga a")


def test_a_row_with_a_wrapped_cell_stays_one_row() -> None:
    def draw(canvas: Canvas) -> None:
        top = 100.0
        for cell, values in (
            (["Sedi con punto di accesso sociale,", "in percentuale"], ("40", "60")),
            (["Progetti verificati ogni sei mesi", "dall'équipe del distretto"], ("50", "80")),
        ):
            lines(canvas, cell, top)
            for x, value in zip((300, 400), values, strict=True):
                lines(canvas, [value], top, left=x)
            top += 40

    assert blocks(read_bytes(pdf([draw]), "tabella.pdf")) == [
        ("table_row", "Sedi con punto di accesso sociale, in percentuale 40 60"),
        ("table_row", "Progetti verificati ogni sei mesi dall'équipe del distretto 50 80"),
    ]


def test_a_row_whose_middle_cell_wraps_stays_one_row() -> None:
    def draw(canvas: Canvas) -> None:
        for top, place in ((100, ["Sala civica di", "Pieve"]), (145, ["Biblioteca di", "Valle"])):
            lines(canvas, ["16 febbraio"], top)
            lines(canvas, place, top, left=200)
            lines(canvas, ["46"], top, left=400)

    assert blocks(read_bytes(pdf([draw]), "tabella.pdf")) == [
        ("table_row", "16 febbraio Sala civica di Pieve 46"),
        ("table_row", "16 febbraio Biblioteca di Valle 46"),
    ]


def test_a_heading_that_wraps_onto_a_small_word_stays_whole() -> None:
    def draw(canvas: Canvas) -> None:
        top = lines(
            canvas,
            ["Scheda 4 – Inclusione lavorativa delle persone", "fragili"],
            90,
            font="Helvetica-Bold",
            size=14,
        )
        lines(canvas, PROSE, top + 10)

    title = "Scheda 4 – Inclusione lavorativa delle persone fragili"
    assert blocks(read_bytes(pdf([draw]), "a.pdf"))[0] == ("h1", title)


def test_paragraphs_are_parted_by_space_and_by_indentation() -> None:
    def draw(canvas: Canvas) -> None:
        top = lines(canvas, PROSE, 100)
        top = lines(canvas, PROSE[:1], top, left=85)
        top = lines(canvas, PROSE[1:], top)
        lines(canvas, PROSE, top + 20)

    document = read_bytes(pdf([draw]), "tre.pdf")
    assert blocks(document) == [("text", PROSE_TEXT)] * 3


def test_printed_page_labels_and_outline_are_kept() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf([plan_page(n) for n in range(1, 5)])))
    writer.set_page_label(0, 1, style="/r")
    writer.set_page_label(2, 3, style="/D", start=1)
    parent = writer.add_outline_item(title="1. Priorità", page_number=0)
    writer.add_outline_item(title="Azioni", page_number=0, parent=parent)
    target = io.BytesIO()
    writer.write(target)
    document = read_bytes(target.getvalue(), "piano.pdf")
    assert [page.printed_label for page in document.pages] == ["i", "ii", "1", "2"]
    assert ("h2", "Azioni") in blocks(document)


def test_pages_without_labels_of_their_own_have_none() -> None:
    assert read_bytes(pdf([plan_page(1)]), "a.pdf").pages[0].printed_label is None


def test_title_comes_from_the_metadata_when_it_says_something() -> None:
    page = [plan_page(1)]
    assert read_bytes(pdf(page, title="Piano di zona di Valdoro"), "a.pdf").title == (
        "Piano di zona di Valdoro"
    )
    assert read_bytes(pdf(page, title="bozza finale.docx"), "a.pdf").title == "1. Priorità"


def image_page(canvas: Canvas) -> None:
    from PIL import Image

    canvas.drawImage(ImageReader(Image.new("RGB", (40, 40), "white")), 50, 50, 400, 600)


def test_a_scanned_document_is_taken_in_and_says_what_it_lacks() -> None:
    document = read_bytes(pdf([image_page, image_page, image_page]), "scansione.pdf")
    assert document.pages_without_text == (1, 2, 3)
    assert document.notes[0].startswith("Il documento non ha testo: pagine 1-3 sono immagini.")
    assert "OCR" in document.notes[0]


def test_single_scanned_and_blank_pages_are_told_apart() -> None:
    document = read_bytes(
        pdf([plan_page(1), image_page, plan_page(3), lambda canvas: None]), "misto.pdf"
    )
    assert document.pages_without_text == (2, 4)
    assert "pagina 2 è un'immagine" in document.notes[0]
    assert "pagina 4 è vuota" in document.notes[1]


def test_a_document_protected_only_against_changes_is_read() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf([plan_page(1)])))
    writer.encrypt(user_password="", owner_password="segreta", algorithm="AES-256")
    target = io.BytesIO()
    writer.write(target)
    assert PROSE_TEXT in read_bytes(target.getvalue(), "a.pdf").pages[0].text


@pytest.mark.parametrize("rows", [1, 60])
def test_hostile_geometry_does_not_break_the_reader(rows: int) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.rotate(90)
        for n in range(rows):
            canvas.setFont("Helvetica", 0.01 if n % 2 else 400)
            canvas.drawString(-5000 + n, n * 1e4, f"fuori {n}")

    document = read_bytes(pdf([draw, plan_page(2)]), "a.pdf")
    assert PROSE_TEXT in document.pages[1].text
