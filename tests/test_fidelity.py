"""The measures of reading, on documents small enough to count by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import UsageError
from assistant.models import Document, Page, Passage, Quote, Span
from assistant.record_models import Field, Intervento, Scheda
from corpus.records import SheetSource
from corpus.truth import Item, Part, Row, SheetTruth, Truth
from eval.cases import normal
from eval.fidelity import FIDELITY, Observation, Read, letters
from eval.reading import Fault, ReadingScore, read_scores, rows, score_reading, write_scores

FIRST = "La sede apre il lunedì mattina."
SECOND = "La navetta parte alle otto, salvo i festivi."
THIRD = "I posti sono dodici e si assegnano per punteggio."


def item(text: str, *pages: tuple[int, str], kind: str = "text") -> Item:
    parts = tuple(Part(*page) for page in pages) or (Part(1, text),)
    return Item(kind, text, parts)  # type: ignore[arg-type]


def truth(*items: Item, rows_: tuple[Row, ...] = (), **more: object) -> Truth:
    values: dict[str, object] = {
        "filename": "x.pdf", "format": "pdf", "scanned": False, "page_count": 2, "running": (),
        "sheets": (),
    } | more  # fmt: skip
    return Truth(items=items, rows=rows_, **values)  # type: ignore[arg-type]


def read(pages: list[str], *passages: tuple[str, tuple[Span, ...]], records=()) -> Read:
    document = Document("d", "X", "altro", "x.pdf", "application/pdf", len(pages))
    made = [
        Passage(f"p{n}", "d", n, "\n".join(pages[s.page - 1][s.start : s.end] for s in spans),
                (), spans)
        for n, (_, spans) in enumerate(passages)
    ]  # fmt: skip
    numbered = [Page("d", number, text) for number, text in enumerate(pages, start=1)]
    return Read(document, numbered, made, records)


def whole(pages: list[str], records=()) -> Read:
    """Each page is one passage."""
    spans = [("", (Span(n, 0, len(text)),)) for n, text in enumerate(pages, start=1)]
    return read(pages, *spans, records=records)


def observed(name: str, said: Truth, got: Read) -> list[bool]:
    return [found.right for found in FIDELITY[name].observe(said, got)]


def test_folding_keeps_words_and_marks_or_letters_alone() -> None:
    assert normal("L\u2019Unione\u00a0 di\nProva") == "l'unione di prova"
    assert letters("program-\nma, 2018!") == "programma2018"


def test_a_sentence_is_right_on_its_own_page_only() -> None:
    said = truth(item(f"{FIRST} {SECOND}", (1, f"{FIRST} {SECOND}")), item(THIRD, (2, THIRD)))
    assert observed("sentence_page", said, whole([f"{FIRST} {SECOND}", THIRD])) == [True] * 3
    moved = whole([FIRST, f"{SECOND}\n{THIRD}"])
    assert observed("sentence_page", said, moved) == [True, False, True]
    changed = whole([f"{FIRST} {SECOND.replace('otto', 'nove')}", THIRD])
    assert observed("sentence_page", said, changed) == [True, False, True]


def test_a_sentence_over_two_pages_must_begin_and_end_where_it_does() -> None:
    first, second = "La navetta parte alle ot", "to, salvo i festivi."
    said = truth(item(SECOND, (1, first + "-"), (2, second)))
    pages = [first + "-", second]
    right = read(pages, ("", (Span(1, 0, len(pages[0])), Span(2, 0, len(second)))))
    assert observed("sentence_page", said, right) == [True]
    parted = whole(pages)
    assert observed("sentence_page", said, parted) == [False]


def test_a_sentence_left_out_of_the_passages_is_missed_though_the_page_has_it() -> None:
    pages = [f"{FIRST}\n{SECOND}"]
    got = read(pages, ("", (Span(1, 0, len(FIRST)),)))
    assert observed("sentence_page", truth(item(FIRST), item(SECOND)), got) == [True, False]


def test_neighbours_are_in_order_or_not() -> None:
    said = truth(item(FIRST), item(SECOND), item(THIRD))
    assert observed("reading_order", said, whole([f"{FIRST}\n{SECOND}\n{THIRD}"])) == [True, True]
    assert observed("reading_order", said, whole([f"{SECOND}\n{FIRST}\n{THIRD}"])) == [False, True]


def test_running_lines_in_a_passage_spoil_their_page() -> None:
    said = truth(item(FIRST), item(SECOND, (2, SECOND)), running=("Piano di prova", "Pagina #"))
    clean = whole([FIRST, SECOND])
    assert observed("running_lines_out", said, clean) == [True, True]
    spoiled = whole([f"Piano di prova\n{FIRST}", f"{SECOND}\nPagina ii"])
    assert observed("running_lines_out", said, spoiled) == [False, False]
    # A sentence that names the plan is no running line.
    assert observed("running_lines_out", said, whole(["Il Piano di prova apre.", SECOND])) == [
        True,
        True,
    ]


def test_a_row_is_readable_with_its_column_names_in_one_passage() -> None:
    row = Row(("Fonte", "Euro"), ("FRNA", "12.500"), 1)
    said = truth(rows_=(row,))
    assert observed("row_readable", said, whole(["Fonte Euro\nFRNA 12.500"])) == [True]
    assert observed("row_readable", said, whole(["Fonte Euro", "FRNA 12.500"])) == [False]


SHEET = SheetSource("3", "Sportello", "Apre il lunedì.", capofila="Comune", capofila_tipo="comune")


def record(title: str = "Sportello", pages: tuple[int, int] = (1, 2), **texts: str) -> Intervento:
    fields = tuple(
        Field(name, text, (Quote("d", 1, 0, len(text), text),)) for name, text in texts.items()
    )
    return Intervento(title, "d", "3", title, *pages, None, fields)


def sheets_of(**fields: str) -> Truth:
    title = "Intervento 3 – Sportello"
    return truth(sheets=(SheetTruth(SHEET, "righe", title, 1, 2, fields, frozenset()),))


def test_a_sheet_is_found_with_its_number_title_and_pages() -> None:
    pages = ["Apre il lunedì.", "Fine."]
    for got, right in (
        (record(), True),
        (record(pages=(1, 1)), False),
        (record("Altro titolo"), False),
        (Scheda("s", "d", "3", "Sportello", 1, 2, ()), False),
    ):
        assert observed("sheets_found", sheets_of(), whole(pages, (got,))) == [right]
    assert observed("sheets_found", sheets_of(), whole(pages)) == [False]


def test_a_second_record_of_one_sheet_is_invented() -> None:
    got = whole(["a", "b"], (record(), record("Sportello di nuovo")))
    assert observed("sheets_not_invented", sheets_of(), got) == [True, False]


def test_a_field_is_exact_or_not_whatever_its_bullets() -> None:
    said = sheets_of(Descrizione="Apre il lunedì.", Azioni="Aprire\nFormare")
    got = record(Descrizione="Apre il lunedì.", Azioni="• Aprire\n• Formare")
    assert observed("field_exact", said, whole(["Apre il lunedì.", ""], (got,))) == [True, True]
    cut = record(Descrizione="Apre il")
    assert observed("field_exact", said, whole(["Apre il lunedì.", ""], (cut,))) == [False, False]


def test_a_field_must_stand_where_its_quote_says() -> None:
    said = sheets_of(Descrizione="Apre il lunedì.")
    got = record(Descrizione="Apre il lunedì.")
    assert observed("field_page", said, whole(["Apre il lunedì.", ""], (got,))) == [True]
    assert observed("field_page", said, whole(["Altre parole qui.", ""], (got,))) == [False]


def test_words_of_a_scan_are_counted_one_by_one() -> None:
    said = truth(item("uno due due tre", (1, "uno due due tre")), scanned=True, page_count=1)
    document = Document("d", "X", "altro", "x.pdf", "application/pdf", 1, ocr_pages=(1,))
    got = Read(document, [Page("d", 1, "uno duo due")], [])
    found = list(FIDELITY["ocr_words"].observe(said, got))
    assert [one.right for one in found].count(True) == 2
    assert len(found) == 4
    unread = Read(Document("d", "X", "altro", "x.pdf", "a/b", 1), [Page("d", 1, "")], [])
    assert observed("ocr_words", said, unread) == []


def test_scores_go_to_disk_and_come_back(tmp_path: Path) -> None:
    from eval.intervals import measure

    one = ReadingScore(
        "sentence_page",
        "Frasi",
        {"all": measure([1.0, 0.0], "mean"), "pdf": measure([1.0, 0.0], "mean")},
        (Fault("x.pdf", "p. 1: frase"),),
    )
    write_scores([one], tmp_path)
    assert read_scores(tmp_path) == (one,)
    assert rows([one], ["docx", "pdf"]) == [
        ["sentence_page", "50,00%", "9,45% - 90,55%", "2", "-", "50,00%"]
    ]
    with pytest.raises(UsageError, match="non contiene"):
        read_scores(tmp_path / "altrove")


def test_an_index_of_other_documents_cannot_be_judged() -> None:
    class Foreign:
        def documents(self) -> list[Document]:
            return [Document("d", "X", "altro", "/altrove/mio.pdf", "application/pdf", 1)]

    with pytest.raises(UsageError, match="non contiene i documenti del progetto"):
        score_reading(Foreign())  # type: ignore[arg-type]


def test_every_measure_has_a_legend() -> None:
    assert len(FIDELITY) >= 9
    assert all(metric.legend.endswith(".") for metric in FIDELITY.values())
    assert Observation(True, "x").right
