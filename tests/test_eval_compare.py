from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.compare import compare, fisher_randomisation, holm, paired_bootstrap


@dataclass(frozen=True)
class Metric:
    name: str
    better: Literal["higher", "lower"] = "higher"
    unit: Literal["share", "ms", "count"] = "share"


RECALL = Metric("recall")
REFUSALS = Metric("refusals", better="lower")


def run(metric: str, values: list[float]) -> dict[str, dict[str, float]]:
    return {f"q{number}": {metric: value} for number, value in enumerate(values)}


@pytest.mark.parametrize("n", [1, 2, 5, 10, 16])
def test_all_better_by_as_much_has_two_assignments_in_two_to_the_n(n: int) -> None:
    # Only "all +" and "all -" reach a mean of 0.5: 2 / 2^n.
    assert fisher_randomisation([0.5] * n) == 2 / 2**n


def test_three_differences_by_hand() -> None:
    # 1, 2, -1 sum to 2. Of the 8 sums ±1±2±1: 4, 2, 2, 0, 0, -2, -2, -4; six are at least 2 away.
    assert fisher_randomisation([1, 2, -1]) == 6 / 8


def test_swaps_are_of_whole_clusters() -> None:
    # Two clusters of sums 2 and 1: 3, 1, -1, -3. Two of four reach 3; apart it would be 2/2^3.
    assert fisher_randomisation([1, 1, 1], "AAB") == 2 / 4
    # A cluster whose variants cancel out tells nothing: 1 and -1 are left of 2 assignments.
    assert fisher_randomisation([1, -1, 1], "AAB") == 1.0


def test_runs_alike_have_p_one() -> None:
    assert fisher_randomisation([0.0] * 30) == 1.0
    assert fisher_randomisation([]) == 1.0
    assert fisher_randomisation([0.1, 0.2, -0.3], "AAA") == 1.0


def test_unchanged_questions_do_not_change_p() -> None:
    assert fisher_randomisation([1.0] * 6 + [0.0] * 500) == 2 / 2**6


def test_above_sixteen_the_draw_agrees_with_the_count() -> None:
    # 17 right by 1 and 3 wrong by 1. The sum is 14; |sum| ≥ 14 with 20 fair coins needs 17, 18, 19
    # or 20 heads, or as many tails: 2 × (1140 + 190 + 20 + 1) / 2^20 = 0.002577.
    p = fisher_randomisation([1.0] * 17 + [-1.0] * 3)
    assert p == pytest.approx(0.002577, abs=0.0015)
    # 12 and 8: the sum is 4. Within ±2 are 9, 10 or 11 heads, (2 × 167960 + 184756) / 2^20 =
    # 0.496555, so p is 0.503445.
    p = fisher_randomisation([1.0] * 12 + [-1.0] * 8)
    assert p == pytest.approx(0.5034, abs=0.015)


def test_a_drawn_p_is_never_zero() -> None:
    assert fisher_randomisation([1.0] * 200) == 1 / 10_001
    assert fisher_randomisation([1.0] * 200, rounds=99) == 1 / 100


def test_labels_must_be_as_many_as_the_differences() -> None:
    with pytest.raises(ValueError, match="zip"):
        fisher_randomisation([1.0, 0.5], ["a"])


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), max_size=10))
def test_which_run_is_the_new_one_does_not_change_p(differences: list[float]) -> None:
    p = fisher_randomisation(differences)
    assert p == fisher_randomisation([-value for value in differences])
    assert 0 < p <= 1


def test_of_runs_alike_one_in_twenty_is_told_apart() -> None:
    """300 pairs of runs of 30 questions that differ at random: p < .05 in about 15."""
    random = np.random.default_rng(5)
    told = 0
    for _ in range(300):
        differences = random.choice([-1.0, 0.0, 1.0], p=[0.25, 0.5, 0.25], size=30)
        told += fisher_randomisation(list(differences), rounds=500) < 0.05
    assert 3 <= told <= 27


def test_holm_by_hand() -> None:
    # Sorted .01, .02, .03, .04 take ×4, ×3, ×2, ×1: .04, .06, .06 (not below .06), .06.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


def test_interval_of_a_difference() -> None:
    assert paired_bootstrap([0.5] * 8) == (0.5, 0.5)
    # Drawn AA, AB, BA, BB: means 1, 0, 0, -1.
    assert paired_bootstrap([1.0, -1.0]) == (-1.0, 1.0)


def test_runs_alike_show_no_difference() -> None:
    values = run("recall", [1.0, 0.0, 0.5] * 10)
    (found,) = compare(values, values, [RECALL])
    assert (found.n, found.difference, found.low, found.high) == (30, 0.0, 0.0, 0.0)
    assert (found.p, found.verdict) == (1.0, "no difference shown")
    assert found.got_better == found.got_worse == ()


def test_a_gain_by_hand() -> None:
    # Ten questions: eight go from 0 to 1, one from 1 to 0.5, one stays. Sum 7.5, mean 0.75.
    # |±1 × 8 ± 0.5| ≥ 7.5 needs the eight alike (sums 8.5 and 7.5): 4 of 2^9 = 0.0078125.
    base = run("recall", [0.0] * 8 + [1.0, 1.0])
    new = run("recall", [1.0] * 8 + [0.5, 1.0])
    (found,) = compare(new, base, [RECALL])
    assert (found.n, found.clusters) == (10, 10)
    assert (found.mean_base, found.mean_new) == pytest.approx((0.2, 0.95))
    assert found.difference == pytest.approx(0.75)
    assert found.p == found.p_holm == 4 / 2**9
    assert found.low is not None and found.high is not None
    assert 0 < found.low < 0.75 < found.high <= 1
    assert found.verdict == "better"
    assert found.got_better == tuple(f"q{number}" for number in range(8))
    assert found.got_worse == ("q8",)


def test_swapping_the_runs_swaps_the_verdict() -> None:
    base, new = run("recall", [0.0] * 8), run("recall", [1.0] * 8)
    (back,) = compare(base, new, [RECALL])
    assert (back.verdict, back.difference) == ("worse", -1.0)
    assert (len(back.got_better), len(back.got_worse)) == (0, 8)


def test_more_of_what_should_be_less_is_worse() -> None:
    (found,) = compare(run("refusals", [1.0] * 8), run("refusals", [0.0] * 8), [REFUSALS])
    assert (found.verdict, found.difference) == ("worse", 1.0)
    assert len(found.got_worse) == 8


def test_the_greatest_change_comes_first() -> None:
    base, new = run("recall", [0.0] * 3), run("recall", [0.25, 1.0, 0.5])
    (found,) = compare(new, base, [RECALL])
    assert found.got_better == ("q1", "q2", "q0")


def test_variants_of_one_question_are_one_proof() -> None:
    base, new = run("recall", [0.0] * 8), run("recall", [1.0] * 8)
    # Eight questions, all variants of two: 2 / 2^2 instead of 2 / 2^8.
    (found,) = compare(new, base, [RECALL], {f"q{n}": f"source{n // 4}" for n in range(8)})
    assert (found.p, found.clusters, found.verdict) == (0.5, 2, "no difference shown")


def test_only_questions_in_common_are_compared() -> None:
    base: dict[str, dict[str, float]] = {
        "a": {"recall": 0.0}, "b": {"recall": 1.0}, "c": {"recall": 1.0}, "x": {},
    }  # fmt: skip
    new = {"b": {"recall": 0.5}, "d": {"recall": 1.0}, "x": {"recall": 1.0}}
    (found,) = compare(new, base, [RECALL])
    assert (found.n, found.only_new, found.only_base) == (1, 2, 2)
    assert (found.mean_new, found.mean_base) == (0.5, 1.0)


def test_nothing_in_common_says_so_and_does_not_count_among_the_metrics() -> None:
    base = run("recall", [0.0] * 6)
    recall, refusals = compare(run("recall", [1.0] * 6), base, [RECALL, REFUSALS])
    assert (refusals.n, refusals.difference, refusals.p_holm) == (0, None, 1.0)
    assert refusals.verdict == "no difference shown"
    # 2 / 2^6 = 0.03125, which over two metrics would be 0.0625.
    assert (recall.p_holm, recall.verdict) == (0.03125, "better")


def test_each_metric_more_makes_the_others_harder_to_prove() -> None:
    base = {f"q{n}": {"recall": 0.0, "refusals": 0.0} for n in range(6)}
    new = {f"q{n}": {"recall": 1.0, "refusals": 0.0} for n in range(6)}
    recall, refusals = compare(new, base, [RECALL, REFUSALS])
    assert (recall.p, recall.p_holm, recall.verdict) == (0.03125, 0.0625, "no difference shown")
    assert refusals.p_holm == 1.0


def test_the_rounding_of_a_baseline_is_no_change() -> None:
    # 300 questions at 2/3, kept as 0.6667: all would differ by -0.00003, and p would be 0.0001.
    (found,) = compare(run("recall", [2 / 3] * 300), run("recall", [0.6667] * 300), [RECALL])
    assert (found.difference, found.p, found.got_worse) == (0.0, 1.0, ())


def test_times_are_compared_on_request_only() -> None:
    slow = Metric("ask", better="lower", unit="ms")
    base, new = run("ask", [10.0] * 8), run("ask", [12.5] * 8)
    assert compare(new, base, [slow]) == ()
    (found,) = compare(new, base, [slow], latencies=True)
    assert (found.difference, found.verdict) == (2.5, "worse")
