"""The declared normalisation: what it does to each mark, and that twice is as good as once."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.cleaning import flatten, flow, normalise

AWKWARD = st.sampled_from("ab Aè-\n\r\t\x00\x02\ufffe\u00ad\u0301\u00a0\u200b\u2028ﬁ’•\uf0b7\ud800")


@settings(max_examples=400, deadline=None)
@given(st.text(st.one_of(st.characters(), AWKWARD)))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert "\x00" not in once and "\n\n\n" not in once and "  " not in once
    once.encode("utf-8")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=4))
def test_a_block_stands_on_one_line(lines: list[str]) -> None:
    block = flow("\n".join(lines))
    assert "\n" not in block
    assert normalise(block) == block


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("citta\u0300 e\r\npaesi\rvari", "città e\npaesi\nvari"),
        ("Legge\u00a0regionale\u202f14/2015", "Legge regionale 14/2015"),
        ("pro\u00adgramma, ser\u00ad\nvizi", "programma, servizi"),
        ("identi\x02ficativo e ana\ufffegrafe", "identificativo e anagrafe"),
        ("pro-\ngrammazione", "programmazione"),
        ("Emilia-\nRomagna, 2017-\n2019, COVID-\n19", "Emilia-Romagna, 2017-2019, COVID-19"),
        ("socio-\nsanitario, e-\nmail", "socio-sanitario, e-mail"),
        ("i servizi -\nnon tutti", "i servizi -\nnon tutti"),
        ("ﬁnanziamento, eﬀetti, ﬂussi", "finanziamento, effetti, flussi"),
        ("l’integrazione, ‘così’", "l'integrazione, 'così'"),
        ("«Piano» e “scheda”", "«Piano» e “scheda”"),
        ("testo\x00 con\x07 controlli\ufeff", "testo con controlli"),
        ("parola\u200bunita", "parolaunita"),
        ("  molti    spazi  \n\n\n\n  e righe ", "molti spazi\n\ne righe"),
        ("\uf0b7 voce", "• voce"),
        ("tel. \uf028051 527", "tel. 051 527"),
        ("e\u200b\u0300 vero", "è vero"),
        ("D E L I B E R A", "DELIBERA"),
        ("P R E M E S S O che", "PREMESSO che"),
        ("D E\u00a0L I B E R A:", "DELIBERA:"),
        ("I L   D I R I G E N T E   D E L   S E T T O R E", "IL DIRIGENTE DEL SETTORE"),
        ("D A T O  A T T O che", "DATO ATTO che"),
        ("d e t e r m i n a", "determina"),
        ("C O N S I D E R A T O", "CONSIDERATO"),
        ("R I C H I A M A T I gli atti", "RICHIAMATI gli atti"),
        ("A T T E S T A", "ATTESTA"),
        ("R I C O N O S C I U T A", "RICONOSCIUTA"),
    ],
)
def test_each_rule_of_the_declaration(raw: str, canonical: str) -> None:
    assert normalise(raw) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "E A B C",
        "a e i o",
        "a e i o u",
        "A E I O U",
        "A B C D E",
        "aree B C A D E",
        "E D C A B A",
        "X X X X X X",
        "S N S N S N",
        "SI NO SI NO",
        "M F M F M F",
        "o o o o o o",
        "classi A B C D E F G H I",
        "punti a b c d e f",
        "A U S L",
        "F R N A 120",
        "la casa e i servizi a chi è o va",
        "1 A 2 B 3 C 4 D 5 E",
    ],
)
def test_lists_of_letters_are_no_spaced_word(text: str) -> None:
    assert normalise(text) == text


SPACED = st.lists(
    st.sampled_from(
        ["D", "E", "L", "I", "B", "R", "A", "a", "e", "l", " ", "  ", "   ", "\n", ":"]
    ),
    max_size=30,
).map("".join)


@settings(max_examples=600, deadline=None)
@given(SPACED | st.text("ABEILNORST ", max_size=40))
def test_closing_up_spaced_letters_twice_is_closing_them_up_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert flow(flow(text)) == flow(text)
    letters = [c for c in text if not c.isspace()]
    assert [c for c in once if not c.isspace()] == letters


@settings(max_examples=300, deadline=None)
@given(st.lists(SPACED, min_size=1, max_size=4))
def test_lines_with_spaced_words_are_found_in_the_whole(lines: list[str]) -> None:
    """A block is cleaned line by line as it is with its neighbours."""
    whole = normalise("\n".join(lines))
    assert [line for line in whole.split("\n") if line] == [
        part for line in lines for part in normalise(line).split("\n") if part
    ]


def test_a_quote_is_found_again_in_the_original_after_the_same_normalisation() -> None:
    original = "Il Distretto è lo\u00a0snodo dell’inte\u00ad\r\ngrazione\r\nsocio-\r\nsanitaria."
    quote = "snodo dell'integrazione socio-sanitaria"
    assert quote in flatten(original)
