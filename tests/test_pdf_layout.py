"""PDF pages set in columns, and tables: reading order, cells and column names by geometry."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

from ingest.formats import read_bytes
from ingest.models import SourceDocument
from ingest.passages import make_passages
from tests.test_pdf import HEIGHT, PROSE, PROSE_TEXT, Drawing, blocks, lines, pdf

LEFT = [f"prima colonna, riga {n} del testo che va avanti" for n in "abcdefghijkl"]
RIGHT = [f"seconda colonna, riga {n} del testo che va" for n in "abcdefghijkl"]


def side_by_side(canvas: Canvas, top: float, left: Sequence[str], right: Sequence[str]) -> float:
    """Lines drawn across both columns, one height after the other."""
    for one, other in zip(left, right, strict=True):
        lines(canvas, [one], top, left=50)
        top = lines(canvas, [other], top, left=315)
    return top


def column_texts(document: SourceDocument, page: int = 1) -> str:
    return document.pages[page - 1].text.replace("\n", " ")


def assert_columns(text: str) -> None:
    assert text.index("prima colonna, riga l") < text.index("seconda colonna, riga a")
    for words in (LEFT, RIGHT):
        places = [text.index(line[:24]) for line in words]
        assert places == sorted(places)


def test_columns_drawn_line_by_line_across_the_page_are_read_one_after_the_other() -> None:
    document = read_bytes(pdf([lambda c: side_by_side(c, 100, LEFT, RIGHT) and None]), "a.pdf")
    assert_columns(column_texts(document))


def test_columns_whose_lines_stand_at_other_heights_are_read_one_after_the_other() -> None:
    def draw(canvas: Canvas) -> None:
        for n, (one, other) in enumerate(zip(LEFT, RIGHT, strict=True)):
            lines(canvas, [one], 100 + n * 14.3, left=50)
            lines(canvas, [other], 106 + n * 14.3, left=315)

    assert_columns(column_texts(read_bytes(pdf([draw]), "a.pdf")))


def test_what_spans_the_page_parts_the_columns_above_from_those_below() -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, ["Piano di zona: titolo largo quanto la pagina intera, sopra"], 60, size=16)
        top = side_by_side(canvas, 100, LEFT[:6], RIGHT[:6])
        top = lines(canvas, PROSE, top + 14)
        side_by_side(canvas, top + 14, LEFT[6:], RIGHT[6:])

    text = column_texts(read_bytes(pdf([draw]), "a.pdf"))
    found = [
        text.index(words)
        for words in (
            "Piano di zona: titolo",
            "prima colonna, riga a",
            "prima colonna, riga f",
            "seconda colonna, riga a",
            "seconda colonna, riga f",
            "Il distretto di Valdoro",
            "prima colonna, riga g",
            "prima colonna, riga l",
            "seconda colonna, riga g",
        )
    ]
    assert found == sorted(found)


def test_three_columns() -> None:
    names = ("uno", "due", "tre")

    def draw(canvas: Canvas) -> None:
        for n in range(10):
            for x, name in zip((40, 220, 400), names, strict=True):
                lines(canvas, [f"{name}: riga {n} di testo corrente"], 100 + n * 13, left=x, size=9)

    text = column_texts(read_bytes(pdf([draw]), "a.pdf"))
    places = [text.index(f"{name}: riga {n}") for name in names for n in range(10)]
    assert places == sorted(places)


def test_words_broken_at_the_end_of_a_column_line_are_joined() -> None:
    left = ["Il Comitato di distretto approva il pro-", "gramma attuativo annuale e lo tras-"]
    left += [
        "mette alla Regione con gli allegati entro",
        "il mese di maggio di ciascun anno utile.",
    ]

    def draw(canvas: Canvas) -> None:
        side_by_side(canvas, 100, left, RIGHT[:4])

    text = column_texts(read_bytes(pdf([draw]), "a.pdf"))
    assert "approva il programma attuativo annuale e lo trasmette alla Regione" in text


ROWS = [["Fonte", "Scheda", "Euro"]] + [[f"Comune {n}", str(n), f"{n}.500"] for n in range(1, 80)]
RULED = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]
UNRULED = [("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold")]


def report(*flowables: Flowable) -> bytes:
    target = io.BytesIO()
    SimpleDocTemplate(target, pagesize=A4).build(list(flowables))
    return target.getvalue()


def paragraph(text: str) -> Paragraph:
    return Paragraph(text, getSampleStyleSheet()["BodyText"])


def rows(document: SourceDocument, page: int = 1) -> list[list[str]]:
    source = document.pages[page - 1]
    return [[source.text[s:e] for s, e in b.cells] for b in source.blocks if b.kind == "table_row"]


@pytest.mark.parametrize("style", [RULED, UNRULED], ids=["ruled", "unruled"])
def test_cells_and_column_names_of_a_table(style: list) -> None:
    found = read_bytes(report(Table(ROWS[:9], style=style)), "a.pdf")
    assert rows(found) == ROWS[:9]
    assert [b.header for b in found.pages[0].blocks] == [True, *[False] * 8]


@pytest.mark.parametrize("repeat", [0, 1])
def test_a_table_over_pages_keeps_its_column_names(repeat: int) -> None:
    caption = paragraph("Preventivo di spesa")
    found = read_bytes(report(caption, Table(ROWS, style=RULED, repeatRows=repeat)), "a.pdf")
    assert len(found.pages) > 1
    for page in found.pages:
        headers = [b for b in page.blocks if b.header]
        assert len(headers) == (1 if page.number == 1 or repeat else 0)
    passages = make_passages("d" * 64, found)
    for passage in passages:
        text = passage.text.replace("\n\n", "\n")
        assert text.startswith("Preventivo di spesa\nFonte Scheda Euro\nComune ")
        assert passage.text.count("Fonte Scheda Euro") == 1
        assert passage.page_start == passage.page_end
    second = next(p for p in passages if p.page_start == 2)
    assert f"\n{second.text.splitlines()[-1]}" in found.pages[1].text


def test_wrapped_and_empty_cells_stay_in_their_row() -> None:
    long = "Interventi di sollievo per chi assiste un familiare non autosufficiente a casa propria"
    table = [
        ["Voce", "Note", "Euro"],
        [paragraph(long), "", "12.000"],
        [paragraph("Trasporto"), paragraph(long), "3.500"],
        ["Totale", "", ""],
    ]
    found = read_bytes(report(Table(table, colWidths=[150, 150, 80], style=RULED)), "a.pdf")
    assert rows(found) == [
        ["Voce", "Note", "Euro"],
        [long, "", "12.000"],
        ["Trasporto", long, "3.500"],
        ["Totale", "", ""],
    ]


def test_cells_that_span_leave_the_covered_places_empty() -> None:
    table = [["Spesa", "Anno", ""], ["", "2018", "2019"], ["Assegni", "1.000", "2.000"]]
    style = [*RULED, ("SPAN", (0, 0), (0, 1)), ("SPAN", (1, 0), (2, 0))]
    style += [("FONTNAME", (0, 0), (-1, 1), "Helvetica-Bold")]
    found = read_bytes(report(Table(table, style=style)), "a.pdf")
    assert rows(found) == [
        ["Spesa", "Anno", ""],
        ["", "2018", "2019"],
        ["Assegni", "1.000", "2.000"],
    ]
    assert [b.header for b in found.pages[0].blocks] == [True, True, False]


def test_a_sheet_of_labels_and_values_is_read_row_by_row() -> None:
    value = " ".join(PROSE[:2]) * 3
    table = [["Titolo", "Dopo di noi"], ["Descrizione", paragraph(value)], ["Referente", "A. Neri"]]
    found = read_bytes(report(Table(table, colWidths=[90, 350], style=RULED)), "a.pdf")
    assert [row[0] for row in rows(found)] == ["Titolo", "Descrizione", "Referente"]
    assert not any(b.header for b in found.pages[0].blocks)


def test_a_table_between_paragraphs_stays_between_them() -> None:
    found = read_bytes(
        report(paragraph("Prima."), Spacer(1, 8), Table(ROWS[:4], style=RULED), paragraph("Dopo.")),
        "a.pdf",
    )
    kinds = [kind for kind, _ in blocks(found)]
    assert kinds == ["text", *["table_row"] * 4, "text"]


def test_a_frame_around_prose_is_no_table() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.rect(60, HEIGHT - 200, 480, 130)
        canvas.line(60, HEIGHT - 140, 540, HEIGHT - 140)
        lines(canvas, PROSE, 90)
        lines(canvas, PROSE, 160)

    found = read_bytes(pdf([draw]), "a.pdf")
    assert [kind for kind, _ in blocks(found)] == ["text", "text"]


def test_two_short_columns_of_labels_are_a_table_and_no_columns() -> None:
    def draw(canvas: Canvas) -> None:
        for n in range(8):
            lines(canvas, [f"Comune {n}"], 100 + 15 * n, left=60)
            lines(canvas, [f"{n}.500 euro"], 100 + 15 * n, left=320)

    found = read_bytes(pdf([draw]), "a.pdf")
    assert rows(found) == [[f"Comune {n}", f"{n}.500 euro"] for n in range(8)]


def stamped(number: int) -> Drawing:
    """A page of prose inside the frames of a stamp on its left, as registers print them."""

    def draw(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.rect(20, 10, 14, 700)
        canvas.rect(20, HEIGHT - 30, 500, 14)
        canvas.setFont("Helvetica", 8)
        canvas.translate(30, 200)
        canvas.rotate(90)
        canvas.drawString(0, 0, "Comune di Borgo - protocollo 0005319 - ingresso 06/05/2026")
        canvas.restoreState()
        top = lines(canvas, [f"{number}. {PROSE[0]}", *PROSE[1:]], 300)
        lines(canvas, PROSE, top + 12)

    return draw


def test_a_stamp_that_runs_upwards_does_not_part_the_text() -> None:
    found = read_bytes(pdf([stamped(n) for n in range(1, 5)]), "a.pdf")
    assert blocks(found, 2) == [
        ("list_item", f"2. {PROSE_TEXT}"),
        ("text", PROSE_TEXT),
        ("footer", "Comune di Borgo - protocollo 0005319 - ingresso 06/05/2026"),
    ]
    alone = blocks(read_bytes(pdf([stamped(1)]), "a.pdf"))
    assert [kind for kind, _ in alone] == ["list_item", "text", "text"]
    assert alone[2][1].startswith("Comune di Borgo")


def test_a_paragraph_in_bold_is_no_heading() -> None:
    def draw(canvas: Canvas) -> None:
        top = lines(canvas, PROSE, 80)
        top = lines(canvas, ["Spesa prevista"], top + 12, font="Helvetica-Bold")
        top = lines(canvas, PROSE, top + 6)
        lines(canvas, PROSE, top + 12, font="Helvetica-Bold", size=11)
        for _ in range(3):
            top = lines(canvas, PROSE, top + 12 + 60)

    found = blocks(read_bytes(pdf([draw]), "a.pdf"))
    assert [text for kind, text in found if kind.startswith("h")] == ["Spesa prevista"]


def test_text_larger_than_that_of_many_tables_is_no_heading() -> None:
    def draw(canvas: Canvas) -> None:
        top = lines(canvas, ["I bisogni"], 60, font="Helvetica-Bold", size=13)
        top = lines(canvas, PROSE, top + 6, size=11)
        top = lines(canvas, PROSE, top + 12, size=11)
        for n in range(30):
            for x in (60, 220, 380):
                lines(canvas, [f"Comune numero {n} della valle"], top + 12 + 14 * n, left=x, size=9)

    found = blocks(read_bytes(pdf([draw]), "a.pdf"))
    assert [text for kind, text in found if kind.startswith("h")] == ["I bisogni"]
    assert ("text", PROSE_TEXT) in found


def test_a_number_that_ends_a_sentence_begins_no_item() -> None:
    words = [
        "I centri diurni per le persone con disabilità del distretto sono quattro e le residenze",
        "31. La spesa più alta non coincide con il bisogno più urgente di chi vive in famiglia.",
    ]
    found = read_bytes(pdf([lambda c: lines(c, words, 100) and None]), "a.pdf")
    assert blocks(found) == [("text", " ".join(words))]


def test_roman_page_numbers_are_running_lines() -> None:
    def page(number: str) -> Drawing:
        def draw(canvas: Canvas) -> None:
            lines(canvas, PROSE, 100)
            lines(canvas, [f"Pagina {number}"], HEIGHT - 30, left=260, size=9)

        return draw

    found = read_bytes(pdf([page(n) for n in ("i", "ii", "iii", "iv")]), "a.pdf")
    assert blocks(found, 2)[-1] == ("footer", "Pagina ii")


def test_words_spaced_out_in_an_act_are_closed_up() -> None:
    def draw(canvas: Canvas) -> None:
        top = lines(canvas, PROSE, 100)
        top = lines(canvas, ["D E L I B E R A"], top + 10, left=250)
        lines(canvas, PROSE, top + 10)

    assert "DELIBERA" in [text for _, text in blocks(read_bytes(pdf([draw]), "a.pdf"))]


def test_hostile_rules_do_not_hold_the_reader_up() -> None:
    def draw(canvas: Canvas) -> None:
        for n in range(3000):
            canvas.line(n % 500, 10 + n / 5, n % 500 + 90, 10 + n / 5)
        path = canvas.beginPath()
        for n in range(5000):
            path.moveTo(n % 400, 0)
            path.lineTo(n % 400, 800)
        canvas.drawPath(path)
        lines(canvas, ["Comune       Euro", "Valle       12"], 100)

    assert "Comune" in column_texts(read_bytes(pdf([draw]), "a.pdf"))
