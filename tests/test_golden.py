"""The golden questions themselves: many, mixed, none asked twice. Their gates: test_eval_judge."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from eval.cases import ATTACK_CATEGORIES, NEAR_MISS, QUESTION_CATEGORIES, Case, load_cases
from eval.worlds import HOSTILE


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    return load_cases()


@pytest.fixture(scope="module")
def originals(cases: tuple[Case, ...]) -> list[Case]:
    return [case for case in cases if case.variant_of is None]


def test_each_group_asks_each_kind_of_question(originals: list[Case]) -> None:
    asked = [case for case in originals if case.answerable and not case.is_attack]
    groups = Counter(case.group for case in asked)
    assert set(groups) == {"operatore", "pianificatore", "formatore"}
    assert min(groups.values()) >= 35
    assert sum(groups.values()) >= 300
    categories = Counter(case.category for case in asked)
    assert set(categories) == {*QUESTION_CATEGORIES}
    assert min(categories.values()) >= 4


def test_enough_must_be_met_with_silence_and_half_is_nearly_there(originals: list[Case]) -> None:
    silent = [case for case in originals if not case.answerable]
    genuine = [case for case in silent if not case.is_attack]
    assert len(genuine) >= 200
    near = [case for case in genuine if case.abstain_reason in NEAR_MISS]
    assert len(near) >= 100
    assert len(near) >= len(genuine) / 2


def test_half_of_the_questions_are_worded_from_the_topic_alone() -> None:
    originals = [case for case in load_cases() if case.variant_of is None]
    assert 2 * sum(case.worded == "topic" for case in originals) >= len(originals)


def test_every_kind_of_attack_is_tried(originals: list[Case]) -> None:
    attacks = Counter(case.category for case in originals if case.is_attack)
    assert set(ATTACK_CATEGORIES) <= set(attacks)
    assert min(attacks[name] for name in ATTACK_CATEGORIES) >= 10
    assert sum(case.world == HOSTILE for case in originals) >= 50


def test_categories_are_those_of_the_readme(cases: tuple[Case, ...]) -> None:
    assert {case.category for case in cases} <= {*QUESTION_CATEGORIES, *ATTACK_CATEGORIES}


def test_both_splits_are_there(cases: tuple[Case, ...]) -> None:
    splits = Counter(case.split for case in cases)
    assert min(splits["dev"], splits["test"]) >= len(cases) / 4


def test_no_question_is_asked_twice(originals: list[Case]) -> None:
    asked = Counter(
        (
            re.sub(r"\W+", " ", case.question.lower()).strip() or case.question,
            case.history,
            str(case.filters),
            case.world,
        )
        for case in originals
    )
    assert [question for question, times in asked.items() if times > 1] == []
