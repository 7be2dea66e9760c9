from __future__ import annotations

import pytest
from scipy.stats import binomtest

from eval.intervals import bootstrap, measure, proportion, summarise


def test_wilson_interval_agrees_with_scipy() -> None:
    for successes, n in [(1, 10), (7, 10), (30, 60), (59, 60)]:
        expected = binomtest(successes, n).proportion_ci(0.95, method="wilson")
        assert proportion(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_no_failure_in_sixty_questions_still_allows_about_three_in_sixty() -> None:
    low, high = proportion(0, 60)
    assert low == 0
    assert high == pytest.approx(0.0487, abs=1e-4)
    assert high == pytest.approx(3 / 60, abs=0.002)


def test_all_successes_mirror_no_failures() -> None:
    low, high = proportion(60, 60)
    assert (low, high) == pytest.approx((1 - 0.0487, 1.0), abs=1e-4)


def test_one_of_one_says_almost_nothing() -> None:
    assert proportion(1, 1) == pytest.approx((0.05, 1.0))


def test_bootstrap_of_equal_values_is_that_value() -> None:
    assert bootstrap([0.5, 0.5, 0.5], "mean") == (0.5, 0.5)


def test_bootstrap_holds_the_mean_and_repeats_itself() -> None:
    values = [0.0, 0.25, 0.5, 0.5, 1.0, 1.0]
    low, high = bootstrap(values, "mean")
    assert low < summarise(values, "mean") < high
    assert bootstrap(values, "mean") == (low, high)


def test_nothing_measured_has_no_value() -> None:
    found = measure([], "mean")
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 0)


def test_shares_of_yes_and_no_take_the_proportion_interval() -> None:
    found = measure([1.0, 0.0, 1.0, 1.0], "mean")
    assert found.value == 0.75
    assert (found.low, found.high) == pytest.approx(proportion(3, 4))


def test_summaries_by_hand() -> None:
    assert (summarise([1, 2, 9], "p50"), summarise([1, 0, 1], "total")) == (2, 2)
    # 0..100: the 95th percentile is the 95th value.
    assert summarise(list(range(101)), "p95") == pytest.approx(95)
