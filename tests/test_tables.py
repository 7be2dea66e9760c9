"""Tables in every format: the cells of a row by column, and the row that names the columns."""

from __future__ import annotations

import io

import docx
import pytest

from ingest.formats.reading import read_bytes
from ingest.formats.tables import is_figure, names_columns, spread
from ingest.models import SourceDocument

ROWS = [["Fonte", "2018", "Note"], ["FRNA", "120.000 €", ""], ["", "3.500", "quota dei Comuni"]]


def word(rows: list[list[str]]) -> bytes:
    document = docx.Document()
    table = document.add_table(rows=len(rows), cols=len(rows[0]))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def web(rows: list[list[str]]) -> bytes:
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<html><body><table>{''.join(lines)}</table></body></html>".encode()


def markdown(rows: list[list[str]]) -> bytes:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|---|---|---|")
    return "\n".join(lines).encode()


def cells(source: SourceDocument) -> list[tuple[bool, list[str]]]:
    """Each row of the first page: whether it names the columns, and its cells."""
    text = source.pages[0].text
    return [
        (block.header, [text[start:end] for start, end in block.cells])
        for block in source.pages[0].blocks
        if block.kind == "table_row"
    ]


@pytest.mark.parametrize(("name", "write"), [("a.docx", word), ("a.html", web), ("a.md", markdown)])
def test_every_format_gives_the_cells_of_a_row(name, write):
    assert cells(read_bytes(write(ROWS), name)) == [
        (True, ROWS[0]),
        (False, ROWS[1]),
        (False, ROWS[2]),
    ]


def test_a_row_holds_its_cells_and_nothing_else():
    page = read_bytes(web(ROWS), "a.html").pages[0]
    for block in page.blocks:
        joined = " ".join(page.text[s:e] for s, e in block.cells if e > s)
        assert page.text[block.start : block.end] == joined


def test_covered_places_are_empty_cells():
    data = b"""<table><tr><th colspan=3>Spesa</th></tr>
    <tr><th>Voce</th><th>2018</th><th>2019</th></tr>
    <tr><td rowspan=2>Assegni</td><td>1</td><td>2</td></tr>
    <tr><td>3</td><td>4</td></tr><tr><td>Totale</td><td colspan=2>10</td></tr></table>"""
    source = read_bytes(b"<html><body>" + data, "a.html")
    assert [b.kind for b in source.pages[0].blocks] == ["text", *["table_row"] * 4]
    assert cells(source) == [
        (True, ["Voce", "2018", "2019"]),
        (False, ["Assegni", "1", "2"]),
        (False, ["", "3", "4"]),
        (False, ["Totale", "10", ""]),
    ]


def test_spread_puts_cells_below_a_tall_one_in_their_own_column():
    texts = [["a", "b", "c"], ["d"], ["e", "f"]]
    spans = [[(1, 1), (1, 2), (1, 3)], [(1, 1)], [(1, 1), (1, 1)]]
    assert spread(texts, spans) == [["a", "b", "c"], ["d", None, None], ["e", "f", None]]


def test_merged_cells_of_word_are_empty_cells():
    document = docx.Document()
    table = document.add_table(rows=3, cols=3)
    for cell, text in zip(
        table._cells, ["Voce", "2018", "2019", "Assegni", "1", "2"], strict=False
    ):
        cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(2, 1).merge(table.cell(2, 2)).text = "3"
    buffer = io.BytesIO()
    document.save(buffer)
    assert cells(read_bytes(buffer.getvalue(), "a.docx")) == [
        (True, ["Voce", "2018", "2019"]),
        (False, ["Assegni", "1", "2"]),
        (False, ["", "3", ""]),
    ]


def test_a_sheet_of_names_and_values_has_no_row_of_column_names():
    sheet = [["Titolo", "Dopo di noi"], ["Capofila", "Comune di Lugo"], ["Spesa", "12.000 €"]]
    assert not names_columns(sheet)
    assert names_columns([["Fonte", "Importo"], ["FRNA", "12.000 €"], ["FSL", "3.000 €"]])
    assert not names_columns([["Fonte", "Importo"]])


@pytest.mark.parametrize("text", ["120.000,50 €", "€ 12", "n. 4", "35%", "18 mesi", "1.200/2.400"])
def test_figures(text):
    assert is_figure(text)


@pytest.mark.parametrize("text", ["", "FRNA", "DGR 1423/2017", "entro il 2019", "-", "1" * 500])
def test_words_are_no_figures(text):
    assert not is_figure(text)
