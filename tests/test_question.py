"""What a question pins down is read from its words."""

from __future__ import annotations

import pytest

from assistant.answering.question import read_question, split_question
from assistant.answering.smalltalk import is_small_talk


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Quando è stato approvato il Piano?", "date"),
        ("In che anno è nato il Community Lab?", "date"),
        ("Con quale delibera è nato il Tavolo?", "act"),
        ("Qual è il numero di telefono del sindaco?", "contact"),
        ("Quanti posti letto deve avere un Ospedale di Comunità?", "number"),
        ("Quanto costa il servizio?", "amount"),
        ("A quanto ammonta il fondo?", "amount"),
        ("Dove si è tenuto l'incontro?", "place"),
        ("Che cos'è una Casa della Salute?", "definition"),
        ("Chi partecipa al Tavolo?", "who"),
        ("Come si valuta il Piano?", "any"),
        ("A chi è rivolto il servizio?", "recipients"),
    ],
)
def test_kind_of_answer_is_read_from_the_question(text: str, expected: str) -> None:
    assert read_question(text).expected == expected


def test_years_acts_schede_numbers_and_names_are_pins() -> None:
    question = read_question(
        "La DGR 1423/2017 e la scheda n. 5 valgono nel 2018 a Lugo per 100.000 abitanti?"
    )
    assert question.references == {"dgr:1423/2017"}
    assert question.schede == {"5"}
    assert question.years == {2018}
    assert question.numbers == {"100000"}
    assert [name.text for name in question.names if name.text == "Lugo"] == ["Lugo"]


def test_place_in_small_letters_is_still_a_pin() -> None:
    assert "modena" in [name.text for name in read_question("il piano di modena").names]


def test_double_question_is_split_and_a_single_one_is_not() -> None:
    assert split_question("Quando è nato il Tavolo e chi ne fa parte?") == (
        "Quando è nato il Tavolo?",
        "chi ne fa parte?",
    )
    single = "Quali sono i servizi per anziani e disabili?"
    assert split_question(single) == (single,)


def test_greetings_are_small_talk_and_questions_are_not() -> None:
    assert is_small_talk("Ciao!")
    assert is_small_talk("grazie mille")
    assert not is_small_talk("Ciao, che cos'è il FRNA?")
