"""Questions in English: told from Italian ones, and searched in the plans' own words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.italian.english import in_italian, is_english
from assistant.retrieval.query import read_query


@pytest.mark.parametrize(
    "text",
    [
        "How many beds does the hospice have?",
        "WHAT IS THE PLAN FOR THE CAREGIVERS",
        "who approves the area plan",
        "When was the regional social and health plan approved?",
        "What is the budget of Scheda 5 in Borgoacque for 2018?",
        "which services are there for the Distretto Valdoro",
    ],
)
def test_questions_in_english_are_told(text: str) -> None:
    assert is_english(text)
    assert read_query(text).translated


@pytest.mark.parametrize(
    "text",
    [
        "Quanti posti ha l'hospice?",
        "Il caregiver e il case manager",
        "Come si fa il budget di salute?",
        "housing first, budget, welfare",
        "La formazione del peer to peer per i care leavers",
        "Chi fa il follow up?",
        "",
        "Valdoro Borgoacque",
        "Maria Rossi",
        "123 ?!",
        "non per me, in casa",
    ],
)
def test_italian_with_english_words_and_names_alone_are_not(text: str) -> None:
    assert not is_english(text)
    assert not read_query(text).translated
    assert read_query(text).searched == text


def test_names_numbers_and_words_of_the_plans_stay_as_they_are() -> None:
    text = "What does Scheda 5 say about Valdoro, 1,200 beds and L.R. 14/2015?"
    found = in_italian(text)
    for kept in ("Scheda 5", "Valdoro,", "1,200", "L.R. 14/2015?"):
        assert kept in found
    assert "lr:14/2015" in read_query(text).terms
    assert "2017-07-12" in read_query("what was approved on the 12/07/2017?").terms
    query = read_query("What is the budget of scheda 5 in Borgoacque for 2018?")
    assert query.schede == {"5"}
    assert query.years == {2018}
    assert query.distretti(["Borgoacque", "Valdoro"]) == {"borgoacque"}
    assert {"borgoacqu", "5", "2018"} <= set(query.terms)


def test_plurals_are_found_by_their_singular() -> None:
    assert in_italian("hospices") == in_italian("hospice") == "hospice"
    assert in_italian("the area plans") == in_italian("area plan")
    assert in_italian("family's") == in_italian("family")


def test_the_longest_phrase_is_taken() -> None:
    assert in_italian("social service") == "servizio sociale"
    assert in_italian("local social service") == "servizio sociale territoriale"
    assert in_italian("palliative care") == "cure palliative"


def test_words_of_the_sentence_alone_are_dropped() -> None:
    assert in_italian("is it that the were of") == ""


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(is_english(text), bool)
    assert isinstance(in_italian(text), str)


def test_a_long_text_is_read_in_linear_time() -> None:
    started = time.process_time()
    for piece in ("the ", "a'", "social ", "_", "? ", "x"):
        text = piece * (10_000 // len(piece))
        is_english(text)
        in_italian(text)
    assert time.process_time() - started < 2
