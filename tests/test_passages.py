from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.italian.sentences import passage_sentences
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


def table(number: int, first: int, last: int, *, header: bool = True) -> SourcePage:
    """A page of rows "Comune n | n.000 euro", under its column names when `header`."""
    names: list[Piece] = [("table_row", "Comune Spesa prevista")] if header else []
    rows: list[Piece] = [("table_row", f"Comune {n} {n}.000 euro") for n in range(first, last)]
    made = page(number, *names, *rows)
    if header:
        made = replace(made, blocks=(replace(made.blocks[0], header=True), *made.blocks[1:]))
    return made


def with_caption(source: SourcePage, caption: str) -> SourcePage:
    shift = len(caption) + 1
    moved = (replace(b, start=b.start + shift, end=b.end + shift) for b in source.blocks)
    blocks = (Block(0, len(caption)), *moved)
    return replace(source, text=f"{caption}\n{source.text}", blocks=blocks)


def test_every_part_of_a_long_table_repeats_its_caption_and_column_names() -> None:
    found = passages(with_caption(table(1, 0, 120), "Preventivo di spesa"))
    assert len(found) > 2
    for part in found:
        assert part.text.startswith("Preventivo di spesa\nComune Spesa prevista\nComune ")
    second = found[1]
    assert [s.lead for s in second.spans] == [True, False]
    first_row = second.spans[1]
    assert (second.page_start, second.start) == (1, first_row.start)
    assert second.start > found[0].start
    quote = second.quotes(0, len("Preventivo di spesa"))[0]
    assert (quote.page, quote.start, quote.text) == (1, 0, "Preventivo di spesa")


def test_rows_on_the_next_page_repeat_what_stands_on_the_page_before_and_keep_their_own() -> None:
    found = passages(
        with_caption(table(3, 0, 4), "Preventivo di spesa"), table(4, 4, 8, header=False)
    )
    assert [(p.page_start, p.page_end) for p in found] == [(3, 3), (4, 4)]
    assert found[1].text.startswith("Preventivo di spesa\nComune Spesa prevista\nComune 4 4.000")
    sentences = [found[1].text[s:e] for s, e in passage_sentences(found[1])]
    assert sentences[0] == "Comune 4 4.000 euro"


def test_column_names_repeated_by_the_file_are_not_said_twice() -> None:
    found = passages(with_caption(table(1, 0, 4), "Preventivo di spesa"), table(2, 4, 8))
    assert found[1].text.startswith("Preventivo di spesa\nComune Spesa prevista\nComune 4")
    assert found[1].text.count("Spesa prevista") == 1
    assert [(s.page, s.lead) for s in found[1].spans] == [(1, True), (2, False)]


def test_another_table_does_not_take_the_caption_of_the_one_before() -> None:
    other = page(1, ("table_row", "Anno Posti"), *[("table_row", f"{n} 3") for n in range(200)])
    other = replace(other, blocks=(replace(other.blocks[0], header=True), *other.blocks[1:]))
    found = passages(with_caption(table(1, 0, 3), "Preventivo di spesa"), replace(other, number=2))
    assert found[-1].text.startswith("Anno Posti\n")
    assert "Preventivo" not in found[-1].text


def test_items_cut_from_the_line_above_their_list_repeat_it() -> None:
    items: list[Piece] = [("list_item", f"• {n}: {paragraph(2)}") for n in range(12)]
    found = passages(page(1, ("text", "Le azioni sono:"), *items))
    assert len(found) > 1
    assert all(p.text.startswith("Le azioni sono:\n• ") for p in found)


def test_a_passage_ends_with_its_page() -> None:
    found = passages(page(1, ("text", "Prima pagina.")), page(2, ("text", "Seconda pagina.")))
    assert [(p.page_start, p.text) for p in found] == [(1, "Prima pagina."), (2, "Seconda pagina.")]


def test_a_heading_at_the_foot_of_a_page_does_not_move_its_text_there() -> None:
    (only,) = passages(page(1, ("heading", "Spesa", 1)), page(2, ("text", "Sono 100 euro.")))
    assert only.text == "Spesa\nSono 100 euro."
    assert (only.page_start, only.page_end, only.start) == (2, 2, 0)


def test_only_the_end_of_a_sentence_follows_it_over_the_page_break() -> None:
    found = passages(
        page(1, ("text", "Il Distretto affida all'Ufficio di piano")),
        page(2, ("text", "il compito di istruire. L'Ufficio riferisce al Comitato.")),
    )
    assert [(p.page_start, p.page_end) for p in found] == [(1, 2), (2, 2)]
    assert found[1].text == "L'Ufficio riferisce al Comitato."


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
        for span in (span for span in passage.spans if not span.lead):
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
