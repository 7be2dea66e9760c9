"""Follow-ups are read as the full question a person meant."""

from __future__ import annotations

import pytest

from assistant.answering.converse import resolve


@pytest.mark.parametrize(
    ("history", "question", "understood"),
    [
        (
            ["Chi definisce il Piano di zona a Lugo?"],
            "e a Piacenza?",
            "Chi definisce il Piano di zona a Piacenza?",
        ),
        (
            ["Quanto costa il servizio per i caregiver nel 2018?"],
            "E nel 2019?",
            "Quanto costa il servizio per i caregiver nel 2019?",
        ),
        (
            ["Chi sono i destinatari della scheda 5?"],
            "e della scheda 26?",
            "Chi sono i destinatari della scheda 26?",
        ),
        (
            ["Che cos'è il Community Lab?"],
            "e a Piacenza?",
            "Che cos'è il Community Lab a Piacenza?",
        ),
        (
            ["Che cos'è il Tavolo di monitoraggio?"],
            "e quando è stato istituito?",
            "quando è stato istituito (Tavolo monitoraggio)?",
        ),
    ],
)
def test_follow_up_becomes_the_full_question(
    history: list[str], question: str, understood: str
) -> None:
    assert resolve(question, history) == understood


def test_follow_up_of_a_follow_up_keeps_the_first_subject() -> None:
    history = ["Chi definisce il Piano di zona a Lugo?", "e a Piacenza?"]
    assert resolve("e a Modena?", history) == "Chi definisce il Piano di zona a Modena?"


def test_question_that_stands_alone_is_left_as_it_is() -> None:
    history = ["Che cos'è il Community Lab?"]
    question = "Quanti sono i distretti della regione Emilia-Romagna?"
    assert resolve(question, history) == question


def test_first_question_is_left_as_it_is_even_when_it_leans_back() -> None:
    assert resolve("e a Piacenza?", []) == "e a Piacenza?"
    assert resolve("e a Piacenza?", ["", "  "]) == "e a Piacenza?"


def test_question_without_a_subject_takes_the_one_before() -> None:
    history = ["Che cos'è l'Ospedale di comunità di Brisighella?"]
    understood = resolve("quanti posti ha?", history)
    assert "Brisighella" in understood
    assert understood.startswith("quanti posti ha")


def test_short_question_with_its_own_subject_stands_alone() -> None:
    history = ["Che cos'è il Community Lab?"]
    for question in ("Quali sono i distretti?", "Cosa significa PAI?", "Che cos'è il FRNA?"):
        assert resolve(question, history) == question


def test_district_that_only_the_documents_know_is_swapped() -> None:
    history = ["Qual è l'ente capofila del Piano di zona del Distretto Valdoro?"]
    assert (
        resolve("e a Selvachiara?", history, {"Valdoro", "Selvachiara"})
        == "Qual è l'ente capofila del Piano di zona del Distretto Selvachiara?"
    )
