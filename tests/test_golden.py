"""The golden questions on the bundled corpus: what works today may not get worse.

The floors stand below what was measured, dev and test questions together, so that one question
changing its fate does not fail the build but ten do. Raise them when the assistant gets better.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.settings import Settings
from eval.cases import GOLDEN, Case, load_cases
from eval.metrics import METRICS
from eval.plan import plan
from eval.run import describe, run
from eval.score import Scores, score
from eval.worlds import worlds_over

FLOORS = {
    "recall_at_5": 0.90,
    "evidence_at_5": 0.80,
    "evidence_at_10": 0.88,
    "mrr_at_10": 0.78,
    "evidence_recall": 0.50,
    "nugget_recall": 0.50,
    "abstention_recall": 0.80,
}
CEILINGS = {"false_refusals": 0.28, "forbidden_hits": 3}


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    return load_cases()


@pytest.fixture(scope="module")
def scores(
    cases: tuple[Case, ...], bundled_data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scores]:
    settings = Settings(data_dir=bundled_data_dir)
    folder = tmp_path_factory.mktemp("golden") / "gate"
    worlds = worlds_over(settings, bundled_data_dir)
    run(
        worlds,
        plan(cases, ("retrieval", "answers", "abstention")),
        folder,
        describe(settings, GOLDEN),
    )
    yield score(folder)


def test_the_set_is_large_and_mixed_enough(cases: tuple[Case, ...]) -> None:
    groups = Counter(case.group for case in cases if case.answerable)
    assert set(groups) == {"operatore", "pianificatore", "formatore"}
    assert sum(groups.values()) >= 45
    silent = [case for case in cases if not case.answerable]
    assert len(silent) >= 15
    near = [case for case in silent if case.abstain_reason != "out_of_scope"]
    assert len(near) >= len(silent) / 2
    assert sum(bool(case.history) for case in cases) >= 4
    assert {case.split for case in cases} == {"dev", "test"}


def test_no_question_is_asked_twice(cases: tuple[Case, ...]) -> None:
    asked = Counter(
        (re.sub(r"\W+", " ", case.question.lower()), case.history, str(case.filters))
        for case in cases
    )
    assert [question for question, times in asked.items() if times > 1] == []


@pytest.mark.parametrize("name", ["quote_integrity", "sentence_support", "clean_silence"])
def test_what_must_never_fail_never_fails(scores: Scores, name: str) -> None:
    found = scores.metrics[name]["all"]
    assert found.n > 0
    assert found.value == 1.0


@pytest.mark.parametrize(("name", "floor"), sorted(FLOORS.items()))
def test_quality_stays_above_its_floor(scores: Scores, name: str, floor: float) -> None:
    value = scores.metrics[name]["all"].value
    assert value is not None
    assert value >= floor, METRICS[name].legend


@pytest.mark.parametrize(("name", "ceiling"), sorted(CEILINGS.items()))
def test_faults_stay_below_their_ceiling(scores: Scores, name: str, ceiling: float) -> None:
    value = scores.metrics[name]["all"].value
    assert value is not None
    assert value <= ceiling, METRICS[name].legend
