"""What a search text is read as: the sentence that asks, what stands beside it, what it names."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.italian.analysis import terms
from assistant.retrieval.query import CONTEXT, MOST_CONTEXT, MOST_TERMS, Query, read_query


def test_a_plain_question_is_searched_as_it_is() -> None:
    text = "Quanti posti ha il nido Girandola?"
    query = read_query(text)
    assert (query.text, query.searched, query.translated) == (text, text, False)
    assert query.terms == tuple(terms(text))
    assert query.context == query.corrections == ()


def test_the_sentence_that_asks_is_searched_and_the_rest_stands_beside_it() -> None:
    asked = "Quanto costa la mensa della scuola?"
    query = read_query(f"Mio figlio va alla primaria di Borgoacque. {asked} Grazie mille.")
    assert query.searched == asked
    assert query.terms == tuple(terms(asked))
    assert set(terms("figlio primaria Borgoacque")) <= set(query.context)
    assert not set(query.context) & set(query.terms)


def test_context_words_are_alternatives_of_little_weight() -> None:
    query = read_query("Abitiamo a Borgoacque. Quanto costa un mulino a vento?")
    groups = query.alternatives(lambda _: 1.0)
    assert [[((term,), CONTEXT)] for term in query.context] == groups[-len(query.context) :]
    assert 0 < CONTEXT < 1


@pytest.mark.parametrize(
    "text",
    [
        "Il nido apre alle sette. La retta è di 210 euro.",  # nobody asks
        "Parlami del nido Girandola. Perché?",  # what asks says nothing
        "Quanti posti ha il nido? E quanto costa la retta del nido?",  # all of it asks
    ],
)
def test_a_text_whose_questions_do_not_stand_alone_is_searched_whole(text: str) -> None:
    assert read_query(text).searched == text
    assert read_query(text).context == ()


def test_a_long_story_lends_few_words() -> None:
    story = " ".join(f"Nella storia c'è la parola{n}." for n in range(60))
    query = read_query(f"{story} Quanto costa il trasporto sociale?")
    assert query.searched == "Quanto costa il trasporto sociale?"
    assert len(query.context) == MOST_CONTEXT


def test_without_expansion_the_text_is_searched_word_for_word() -> None:
    for text in (
        "la bdante allo sportllo",
        "How many beds does the hospice have?",
        "Abito a Lugo. Quanto costa la badante?",
    ):
        query = read_query(text, lambda _: 0, expand=False)
        assert query.text == query.searched == text
        assert query.terms == tuple(dict.fromkeys(terms(text)))
        assert query.expansions == query.context == query.corrections == ()
        assert not query.translated
        assert query.alternatives(lambda _: 1.0) == []


def test_terms_are_distinct_in_order_and_not_too_many() -> None:
    query = read_query("il piano, la zona, il piano di zona")
    assert query.terms == ("pian", "zon")
    assert query.sequence == ("pian", "zon", "pian", "zon")
    long = read_query(" ".join(f"parola{n}" for n in range(1000)))
    assert len(long.terms) == len(long.sequence) == MOST_TERMS


def test_years_schede_and_districts_are_those_it_names() -> None:
    query = read_query("Cosa prevede la scheda n. 5 a Forlì nel 2018, e la scheda attuativa 27?")
    assert query.years == {2018}
    assert query.schede == {"5", "27"}
    assert query.distretti(["Forlì", "Lugo", "San Cesario"]) == {"forli"}
    nothing = read_query("chi coordina i facilitatori")
    assert nothing.years == nothing.schede == frozenset()
    assert nothing.distretti(["Forlì", "Lugo"]) == frozenset()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("la scheda 5", "5"),
        ("SCHEDA N. 12", "12"),
        ("scheda n° 7", "7"),
        ("scheda numero 3", "3"),
        ("la scheda attuativa regionale n.  21", "21"),
        ("la scheda intervento D-27", "d-27"),
        ("schede 4", "4"),
    ],
)
def test_a_scheda_is_named_in_many_ways(text: str, number: str) -> None:
    assert read_query(text).schede == {number}


def test_names_are_words_with_a_capital_unless_all_have_one() -> None:
    assert read_query("Dove lavora Giovanna Rossi?").names == {*terms("Giovanna Rossi")}
    assert read_query("DOVE LAVORA GIOVANNA ROSSI?").names == frozenset()
    assert read_query("Dove").names == frozenset()


def test_forms_are_the_words_as_written() -> None:
    assert read_query("gli sportelli delle Città").forms == {
        "sportelli": terms("sportello")[0],
        "citta": terms("città")[0],
    }


HOSTILE = ["", "   ", "?!…", "\x00\x01", "\ud800", "?" * 9_000, "a" * 10_000, "1" + " " * 9_000]
HOSTILE += [piece * 1_000 for piece in ("scheda n ", "12/07 ", "Chi? ", "a.b. ", "È ", "badante ")]
HOSTILE += ["scheda n" + " " * 9_000, "the of " * 1_000, "((((" * 2_000, "x\n\n" * 3_000]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_read_quickly(text: str) -> None:
    started = time.process_time()
    for query in (read_query(text, lambda _: 0), read_query(text, expand=False)):
        _read_all(query)
    assert time.process_time() - started < 1.5


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    _read_all(read_query(text, lambda _: 0))


def _read_all(query: Query) -> None:
    assert len(query.terms) == len(set(query.terms)) <= MOST_TERMS
    assert set(query.terms) == set(query.sequence)
    assert isinstance(query.schede | query.names | query.distretti(["Lugo"]), frozenset)
    assert all(year > 0 for year in query.years)
    assert isinstance(query.also_searched, tuple)
    assert isinstance(query.kinds, tuple | frozenset) and isinstance(query.acts, tuple | frozenset)
    assert set(query.forms.values()) <= set(query.terms) | set(terms(query.searched))
