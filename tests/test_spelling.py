"""Slips of the keyboard: put right when one letter away from a word that the documents hold."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pytest

from assistant.italian.analysis import fold, stem, tokens
from assistant.italian.spelling import LEAST_LETTERS, MOST_TRIED, corrected, corrections
from assistant.retrieval.query import read_query

HELD = {"sportello": 30, "famiglie": 50, "anziani": 40, "assistenza": 20, "domiciliare": 9}
PASSAGES = {stem(word): count for word, count in HELD.items()}


def frequency(term: str) -> int:
    """Passages of a small collection that hold a term."""
    return PASSAGES.get(term, 0)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sporetllo", "sportello"),  # two letters swapped
        ("sportelllo", "sportello"),  # one too many
        ("sportlelo", "sportello"),
        ("sportllo", "sportello"),  # one too few
        ("sportwllo", "sportello"),  # one for another
        ("assitenza", "assistenza"),
        ("famigleie", "famiglie"),
    ],
)
def test_a_slip_of_each_kind_is_put_right(written: str, meant: str) -> None:
    found = corrections(f"dove si trova {written}?", frequency)
    assert found == {written: meant}
    assert corrected(f"dove si trova {written}?", found) == f"dove si trova {meant}?"


def test_several_words_are_put_right_and_the_rest_stays() -> None:
    text = "lo «sportllo», per gli azniani di Pieve"
    found = corrections(text, frequency)
    assert corrected(text, found) == "lo «sportello», per gli anziani di Pieve"


def test_words_that_documents_hold_are_left_alone_whatever_their_form() -> None:
    assert corrections("sportelli, famiglia, anziana, assistenze domiciliari", frequency) == {}


def test_names_with_a_capital_are_left_alone() -> None:
    assert corrections("chi è la signora Sportllo di Anzinai", frequency) == {}
    shouted = corrections("DOVE SPORTLLO ANZINAI", frequency)
    assert shouted == {"SPORTLLO": "sportello", "ANZINAI": "anziani"}


def test_short_words_numbers_and_unknown_words_are_left_alone() -> None:
    assert LEAST_LETTERS == 5
    assert corrections("anzi anz1ani 2017 zanzibarresco città", frequency) == {}


def test_words_of_the_thesaurus_are_known_even_if_no_document_holds_them() -> None:
    query = read_query("la badante e il caregiver", frequency)
    assert query.corrections == ()
    query = read_query("la bdante allo sportllo", frequency)
    assert dict(query.corrections) == {"bdante": "badante", "sportllo": "sportello"}
    assert query.searched == "la badante allo sportello"
    assert query.text == "la bdante allo sportllo", "as it was written"


def test_nothing_is_put_right_into_what_is_no_word() -> None:
    text = " il bordo, la corriera e vorrà offrire; dello sportello della religione. "
    held = {fold(word.text): stem(word.text) for word in tokens(text)}
    known = Counter(held.values())

    def grams(gram: str) -> int:
        return text.count(gram)

    for slip in ("vorrei", "offriva", "sportwllo", "sportellp"):
        assert read_query(slip, lambda term: known[term]).corrections, "by its stem alone"
    for word in ("vorrei", "offriva"):
        assert read_query(word, lambda term: known[term], grams).corrections == ()
    for slip in ("sportwllo", "sportellp"):
        found = read_query(f"{slip} e badnte", lambda term: known[term], grams).corrections
        assert found == ((slip, "sportello"), ("badnte", "badante"))


def test_the_word_that_more_passages_hold_is_meant() -> None:
    counts = {stem("casetta"): 2, stem("cassetta"): 7}
    assert corrections("caessetta", lambda term: counts.get(term, 0)) == {"caessetta": "cassetta"}


def test_hostile_texts_take_bounded_time_and_work() -> None:
    asked = 0

    def counted(term: str) -> int:
        nonlocal asked
        asked += 1
        return 0

    letters = "bcdfghjlmn"
    unknown = " ".join(
        f"qz{a}{b}{c}{d}x" for a in letters for b in letters for c in letters for d in letters
    )
    texts: list[tuple[str, Callable[[str], int]]] = [
        (unknown[:10_000], counted),
        ("q" * 10_000, counted),
        (("q" * 30 + " ") * 300, counted),
        ("sportllo " * 1_100, frequency),
    ]
    started = time.process_time()
    for text, known in texts:
        corrections(text, known)
    assert time.process_time() - started < 1
    neighbours = 54 * 8  # of a word of seven letters, about
    assert asked < 1_300 + MOST_TRIED * neighbours
