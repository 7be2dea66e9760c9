from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.models import Passage
from ingest.models import Block, BlockKind, SourceDocument, SourcePage
from ingest.passages import PassageSettings, SheetRange, make_passages
from ingest.sections import place_blocks

Piece = tuple[BlockKind, str] | tuple[BlockKind, str, int]
SENTENCE = "Il Comitato di distretto approva ogni anno il programma degli interventi sociali. "


def page(number: int, *pieces: Piece) -> SourcePage:
    """A page whose canonical text is the pieces, one under the other."""
    text, blocks = "", []
    for kind, words, *level in pieces:
        text += "\n" if text else ""
        blocks.append(Block(len(text), len(text) + len(words), kind, level[0] if level else 0))
        text += words
    return SourcePage(number, text, tuple(blocks))


def document(*pages: SourcePage) -> SourceDocument:
    return SourceDocument(pages, "text/markdown")


def passages(*pages: SourcePage, limits: PassageSettings | None = None) -> list[Passage]:
    return make_passages("d" * 64, document(*pages), limits)


def paragraph(sentences: int) -> str:
    return (SENTENCE * sentences).strip()


def test_short_section_is_one_passage_that_opens_with_its_heading() -> None:
    (only,) = passages(page(1, ("heading", "Bisogni", 1), ("text", "La popolazione invecchia.")))
    assert only.text == "Bisogni\nLa popolazione invecchia."
    assert only.section == ("Bisogni",)
    assert (only.page_start, only.start, only.end) == (1, 0, len(only.text))


def test_headings_above_stand_in_the_section_path_although_levels_skip() -> None:
    found = passages(
        page(
            1,
            ("heading", "Piano", 1),
            ("heading", "Azioni", 3),
            ("text", "Si apre uno sportello."),
            ("heading", "Spesa", 2),
            ("text", "Sono previsti 100 euro."),
        )
    )
    assert [p.section for p in found] == [("Piano", "Azioni"), ("Piano", "Spesa")]
    assert found[0].text.startswith("Piano\nAzioni\nSi apre")


def test_no_passage_crosses_a_section() -> None:
    first: tuple[Piece, ...] = (("heading", "A", 1), ("text", "Testo di A."))
    found = passages(page(1, *first, ("heading", "B", 1), ("text", "Di B.")))
    assert [p.text for p in found] == ["A\nTesto di A.", "B\nDi B."]


def test_long_paragraph_is_cut_between_sentences_into_even_parts() -> None:
    found = passages(page(1, ("text", paragraph(20))))
    assert len(found) == 2
    assert all(600 <= len(p.text) <= 900 and p.text.endswith("sociali.") for p in found)


def test_sentence_longer_than_a_passage_is_cut_at_its_marks() -> None:
    clause = "visto il parere del Comitato di distretto e dell'Ausl; "
    found = passages(page(1, ("text", "Visto " + clause * 40 + "delibera.")))
    assert len(found) > 1
    assert all(len(p.text) <= PassageSettings().max_chars for p in found)
    assert all(p.text.endswith(";") for p in found[:-1])


def test_unbroken_run_of_characters_is_still_bounded() -> None:
    assert all(len(p.text) <= 900 for p in passages(page(1, ("text", "x" * 5000))))


def test_short_end_joins_what_precedes() -> None:
    found = passages(page(1, ("text", paragraph(8)), ("text", "Fine del capitolo.")))
    assert len(found) == 1


def test_list_stays_with_the_line_that_introduces_it() -> None:
    items: list[Piece] = [("list_item", f"• azione numero {n};") for n in range(8)]
    found = passages(page(1, ("text", paragraph(9)), ("text", "Le azioni sono:"), *items))
    with_list = next(p for p in found if "azione numero 0" in p.text)
    assert "Le azioni sono:\n• azione numero 0;" in with_list.text
    assert with_list.text.endswith("numero 7;")


def test_table_keeps_its_caption_and_header_row() -> None:
    rows: list[Piece] = [("table_row", f"Comune {n} {n}.000 euro {n * 2} posti") for n in range(10)]
    found = passages(
        page(
            1,
            ("text", paragraph(8)),
            ("text", "Tabella 2. Spesa per Comune"),
            ("table_row", "Comune Spesa Posti"),
            *rows,
        )
    )
    table = next(p for p in found if "Comune Spesa Posti" in p.text)
    assert table.text.startswith("Tabella 2.")
    assert "Comune 0 0.000" in table.text
    assert "Comune 9 9.000" in table.text


def test_sentence_that_runs_over_a_page_break_stays_in_one_passage() -> None:
    found = passages(
        page(1, ("text", paragraph(6)), ("text", "Il Distretto affida all'Ufficio di piano")),
        page(2, ("text", "il compito di istruire le domande."), ("text", paragraph(6))),
    )
    whole = next(p for p in found if "affida all'Ufficio" in p.text)
    assert "affida all'Ufficio di piano\nil compito di istruire le domande." in whole.text
    assert (whole.page_start, whole.page_end) == (1, 2)


def test_footer_between_two_blocks_parts_the_spans() -> None:
    (only,) = passages(
        page(1, ("text", "Prima parte."), ("footer", "pag. 1"), ("text", "Seconda parte."))
    )
    assert only.text == "Prima parte.\nSeconda parte."
    assert len(only.spans) == 2


def test_running_lines_are_in_no_passage() -> None:
    running: tuple[Piece, Piece] = (("header", "Distretto di Valdoro"), ("footer", "1"))
    found = passages(page(1, running[0], ("text", "Testo."), running[1]))
    assert [p.text for p in found] == ["Testo."]


def test_document_of_headings_alone_is_not_lost() -> None:
    (only,) = passages(page(1, ("heading", "Piano di zona", 1), ("heading", "Valdoro", 2)))
    assert only.text == "Piano di zona\nValdoro"


def test_trailing_heading_is_no_passage_when_there_is_text() -> None:
    found = passages(page(1, ("text", "Testo."), ("heading", "Per approfondire", 2)))
    assert [p.text for p in found] == ["Testo."]


def test_much_text_set_as_headings_is_kept() -> None:
    lines: list[Piece] = [("heading", f"Delibera n. {n} del Comune di Borgo", 1) for n in range(9)]
    found = passages(page(1, *lines, ("text", "Testo.")))
    assert "Delibera n. 0" in found[0].text
    assert found[-1].text == "Delibera n. 8 del Comune di Borgo\nTesto."


def test_passages_do_not_cross_schede_and_name_theirs() -> None:
    source = document(page(1, ("text", "Uno."), ("text", "Due."), ("text", "Tre.")))
    blocks = place_blocks(source)
    found = make_passages("d", source, None, blocks, [SheetRange(1, 2, "5")])
    assert [(p.text, p.scheda) for p in found] == [("Uno.", None), ("Due.", "5"), ("Tre.", None)]


def test_identifiers_depend_on_bytes_and_place_alone() -> None:
    source = document(page(1, ("text", "Uno.")))
    first, again, other = (make_passages(d, source)[0].id for d in ("a", "a", "b"))
    assert first == again != other
    assert re.fullmatch(r"[0-9a-f]{16}", first)


def test_fingerprint_tells_settings_apart() -> None:
    assert PassageSettings().fingerprint == PassageSettings().fingerprint
    assert PassageSettings().fingerprint != PassageSettings(target_chars=500).fingerprint


KINDS = st.sampled_from(["heading", "text", "text", "list_item", "table_row", "header", "footer"])
WORDS = st.text(alphabet="abcAB. ;:\u00a0èà12…»", max_size=40).map(
    lambda words: words.strip().replace("\n", " ")
)
PIECES = st.lists(
    st.tuples(KINDS, st.builds(lambda w, n: (w + " ") * n + "x", WORDS, st.integers(1, 40)),
              st.integers(1, 4)),
    max_size=12,
)  # fmt: skip
SMALL = PassageSettings(target_chars=120, max_chars=160, min_chars=40, stray_chars=30)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=4), st.sampled_from([PassageSettings(), SMALL]))
def test_every_word_is_in_exactly_one_passage_and_every_quote_is_exact(
    pages_pieces: list[list[tuple[BlockKind, str, int]]], limits: PassageSettings
) -> None:
    source = document(*(page(n, *pieces) for n, pieces in enumerate(pages_pieces, 1)))
    texts = {p.number: p.text for p in source.pages}
    found = make_passages("d" * 64, source, limits)
    covered = {number: [0] * len(text) for number, text in texts.items()}
    for ordinal, passage in enumerate(found):
        assert passage.ordinal == ordinal
        assert passage.text == "\n".join(texts[s.page][s.start : s.end] for s in passage.spans)
        assert passage.text == passage.text.strip()
        assert any(map(str.isalnum, passage.text))
        quotes = passage.quotes(0, len(passage.text))
        assert len(quotes) == len(passage.spans)
        assert all(q.text == texts[q.page][q.start : q.end] for q in quotes)
        for span in passage.spans:
            for at in range(span.start, span.end):
                covered[span.page][at] += 1
    for source_page in source.pages:
        for block in source_page.blocks:
            for at in range(block.start, block.end):
                count = covered[source_page.number][at]
                if block.kind in ("header", "footer"):
                    assert count == 0
                elif block.kind == "heading" or source_page.text[at].isspace():
                    assert count <= 1
                else:
                    assert count == 1
    assert len({p.id for p in found}) == len(found)
    places = [(p.page_start, p.start) for p in found]
    assert places == sorted(places)
