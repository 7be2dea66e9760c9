"""Variants by rule: what each rule does to a sentence, and what it must never touch."""

from __future__ import annotations

import json
import random
import re
from collections import Counter

import pytest

from eval.cases import GOLDEN, load_cases
from eval.variants import FILE, RULES, colloquiale, maiuscole, prolissa, refusi, senza_accenti
from eval.variants import variants as made

QUESTION = "Perché la DGR 1423/2017 non vale più per l'assistenza domiciliare, salvo le proroghe?"


def chance(seed: int = 1) -> random.Random:
    return random.Random(seed)


def test_accents_go_and_nothing_else() -> None:
    assert senza_accenti("Qual è l'età? Così, più.", chance()) == "Qual e l'eta? Cosi, piu."


def test_capitals_lose_the_question_mark() -> None:
    assert maiuscole("qual è il RES nel 2018?", chance()) == "QUAL È IL RES NEL 2018"


def test_long_winded_variants_hold_the_question_word_for_word() -> None:
    assert QUESTION in prolissa(QUESTION, chance())
    assert "senza punto. " in prolissa("senza punto", chance())


def test_colloquial_variants_keep_negations_and_names() -> None:
    text = colloquiale(QUESTION, chance())
    assert "xké" in text
    assert " non vale più" in text
    assert "salvo" in text
    assert "DGR 1423/2017" in text
    assert not text.endswith("?")
    assert colloquiale("Valdoro ha un piano?", chance()).endswith("Valdoro ha un piano")


@pytest.mark.parametrize("seed", range(40))
def test_a_slip_changes_letters_of_plain_words_only(seed: int) -> None:
    text = refusi(QUESTION, chance(seed))
    assert text != QUESTION
    before, after = QUESTION.split(), text.split()
    assert len(before) == len(after)
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert 1 <= len(changed) <= 3
    for one, other in changed:
        assert abs(len(one) - len(other)) <= 1
        assert not re.search(r"\d|DGR|non|salvo$", one)


def test_the_committed_variants_are_those_of_the_rules() -> None:
    committed = (GOLDEN / FILE).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in committed] == made(load_cases()), (
        "run `python -m eval.variants`"
    )


def test_there_are_enough_of_each_kind() -> None:
    varied = [case for case in load_cases() if case.variant_of]
    counts = Counter(case.change for case in varied)
    assert set(counts) == {*RULES, "inglese"}
    assert min(counts.values()) >= 70
    assert sum(counts.values()) >= 400
    assert all(case.question.strip() for case in varied)
