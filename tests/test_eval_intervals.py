from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binomtest

from eval.intervals import (
    RESAMPLES,
    SEED,
    Measure,
    Summary,
    bootstrap,
    measure,
    proportion,
    summarise,
    upper_bound,
)

SHARES = [0.0, 0.25, 0.5, 0.5, 1.0, 1.0, 0.75, 0.5, 0.0, 1.0, 0.25, 0.5]


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


def test_upper_bound_without_failures_by_hand() -> None:
    # (1-p)^n = 0.05: n=1 gives p=0.95; n=2 gives 1 - sqrt(0.05) = 1 - 0.223607.
    assert upper_bound(0, 1) == pytest.approx(0.95)
    assert upper_bound(0, 2) == pytest.approx(0.776393, abs=1e-6)
    # ln(0.05)/1200 = -0.0024964, and 1 - e^-0.0024964 = 0.0024933.
    assert upper_bound(0, 1200) == pytest.approx(0.0024933, abs=1e-7)


def test_upper_bound_with_one_failure_in_two_by_hand() -> None:
    # P(X ≤ 1 | 2, p) = 1 - p², which is 0.05 at p = sqrt(0.95).
    assert upper_bound(1, 2) == pytest.approx(0.95**0.5)


def test_upper_bound_is_the_beta_quantile_of_clopper_and_pearson() -> None:
    for failures, n in [(1, 60), (3, 60), (59, 60), (7, 1200), (600, 1200), (4000, 6000)]:
        expected = beta.ppf(0.95, failures + 1, n - failures)
        assert upper_bound(failures, n) == pytest.approx(expected, abs=1e-9)


def test_upper_bound_of_nothing_or_of_failures_alone_excludes_nothing() -> None:
    assert (upper_bound(0, 0), upper_bound(5, 5)) == (1.0, 1.0)


def test_bootstrap_of_equal_values_is_that_value() -> None:
    assert bootstrap([0.5, 0.5, 0.5], "mean") == (0.5, 0.5)


def test_bootstrap_holds_the_mean_and_repeats_itself() -> None:
    values = [0.0, 0.25, 0.5, 0.5, 1.0, 1.0]
    low, high = bootstrap(values, "mean")
    assert low < summarise(values, "mean") < high
    assert bootstrap(values, "mean") == (low, high)


def test_bootstrap_of_two_clusters_by_hand() -> None:
    # Drawn AA, AB, BA, BB with 1/4 each. A = {1}, B = {0, 0, 0}: sums 2, 1, 1, 0 over counts
    # 2, 4, 4, 6: ratios 1, 1/4, 1/4, 0; so the 2.5th and 97.5th percentiles are 0 and 1.
    assert bootstrap([1, 0, 0, 0], "mean", "ABBB") == (0.0, 1.0)
    # Of one cluster the ratio never changes.
    assert bootstrap([1, 0, 0, 0], "mean", "AAAA") == (0.25, 0.25)
    # Totals: 2 × 1 at most, 2 × 0 at least.
    assert bootstrap([1, 0, 0, 0], "total", "ABBB") == (0.0, 2.0)


def test_resampled_percentiles_are_those_of_the_clusters_drawn() -> None:
    values, labels = [5.0, 1.0, 9.0, 2.0, 2.0, 7.0, 4.0], "ABABCCD"
    members = [
        np.array([v for v, of in zip(values, labels, strict=True) if of == x]) for x in "ABCD"
    ]
    percentiles: dict[Summary, int] = {"p50": 50, "p95": 95}
    for summary, q in percentiles.items():
        found = [
            np.percentile(np.concatenate([members[number] for number in drawn]), q)
            for drawn in np.random.default_rng(SEED).integers(0, 4, size=(RESAMPLES, 4))
        ]
        expected = tuple(np.percentile(found, [2.5, 97.5]))
        assert bootstrap(values, summary, labels) == pytest.approx(expected)


@pytest.mark.parametrize("summary", ["mean", "p50", "p95", "total"])
def test_clusters_of_one_are_no_clusters(summary: Summary) -> None:
    labels = [f"q{number}" for number in range(len(SHARES))]
    assert bootstrap(SHARES, summary, labels) == bootstrap(SHARES, summary)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=12))
def test_saying_everything_twice_proves_no_more(values: list[float]) -> None:
    once = bootstrap(values, "mean")
    twice = bootstrap(values + values, "mean", [*range(len(values)), *range(len(values))])
    assert twice == pytest.approx(once)


def test_names_of_the_questions_do_not_matter() -> None:
    labels = [0, 0, 1, 1, 1, 2, 3, 3, 4, 5, 5, 5]
    named = [f"z{9 - label}" for label in labels]
    assert bootstrap(SHARES, "mean", labels) == bootstrap(SHARES, "mean", named)


def test_labels_must_be_as_many_as_the_values() -> None:
    with pytest.raises(ValueError, match="2 labels for 3 values"):
        measure([1.0, 0.5, 0.0], "mean", ["a", "b"])


def test_values_that_go_together_make_a_wider_interval() -> None:
    values = [1.0] * 20 + [0.0] * 20
    together = measure(values, "mean", [number // 4 for number in range(40)])
    apart = measure(values, "mean")
    assert together.low is not None and together.high is not None
    assert apart.low is not None and apart.high is not None
    assert together.high - together.low > 1.5 * (apart.high - apart.low)
    assert (together.n, together.clusters) == (40, 10)
    assert (apart.n, apart.clusters) == (40, 40)


def test_good_citations_of_few_answers_prove_as_much_as_the_answers() -> None:
    # 300 citations in 60 answers: 0.05^(1/60) = 0.9513, not 0.05^(1/300) = 0.9901.
    labels = [number // 5 for number in range(300)]
    good = measure([1.0] * 300, "mean", labels)
    assert (good.low, good.high) == pytest.approx((0.9513, 1.0), abs=1e-4)
    bad = measure([0.0] * 300, "mean", labels)
    assert (bad.low, bad.high) == pytest.approx((0.0, 0.0487), abs=1e-4)


def test_a_failure_never_raises_the_bound() -> None:
    labels = [number // 3 for number in range(180)]
    none = measure([1.0] * 180, "mean", labels)
    one = measure([0.0] + [1.0] * 179, "mean", labels)
    assert one.low is not None and none.low is not None
    assert one.low <= none.low
    # The bootstrap alone would say 1 - 3/180 = 0.983.
    assert bootstrap([0.0] + [1.0] * 179, "mean", labels)[0] == pytest.approx(0.983, abs=1e-3)


def test_a_share_of_one_question_says_almost_nothing() -> None:
    # Three citations, two good: the bootstrap of one cluster would be [2/3, 2/3].
    found = measure([1.0, 1.0, 0.0], "mean", ["q", "q", "q"])
    assert (found.value, found.low, found.high) == pytest.approx((2 / 3, 0.05, 0.95))


def test_no_hit_in_a_total_still_allows_some() -> None:
    # At most 4.87% of 60 answers: 2.92 hits.
    found = measure([0.0] * 60, "total")
    assert (found.value, found.low, found.high) == pytest.approx((0.0, 0.0, 2.92), abs=0.01)


def test_ninety_five_intervals_in_a_hundred_hold_the_truth() -> None:
    """200 runs of 80 questions, each with 1 to 4 citations that go right or wrong together.

    The mean is 0.7 and the correlation within a question 0.5 (beta-binomial with a + b = 1).
    Taking the citations as independent, about one interval in six would miss.
    """
    random = np.random.default_rng(7)
    held = {"clustered": 0, "independent": 0}
    for _ in range(200):
        sizes = random.integers(1, 5, size=80)
        right = random.binomial(sizes, random.beta(0.7, 0.3, size=80))
        values = [
            float(number < good)
            for size, good in zip(sizes, right, strict=True)
            for number in range(size)
        ]
        labels = [question for question, size in enumerate(sizes) for _ in range(size)]
        for name, found in (
            ("clustered", measure(values, "mean", labels)),
            ("independent", measure(values, "mean")),
        ):
            assert found.low is not None and found.high is not None
            held[name] += found.low <= 0.7 <= found.high
    assert 0.90 <= held["clustered"] / 200 <= 0.99
    assert held["independent"] / 200 < 0.90


def test_nothing_measured_has_no_value() -> None:
    assert measure([], "mean") == Measure(None, None, None, 0, 0)
    assert measure([], "mean", []) == Measure(None, None, None, 0, 0)


def test_shares_of_yes_and_no_take_the_proportion_interval() -> None:
    found = measure([1.0, 0.0, 1.0, 1.0], "mean")
    assert found.value == 0.75
    assert (found.low, found.high) == pytest.approx(proportion(3, 4))


def test_summaries_by_hand() -> None:
    assert (summarise([1, 2, 9], "p50"), summarise([1, 0, 1], "total")) == (2, 2)
    # 0..100: the 95th percentile is the 95th value.
    assert summarise(list(range(101)), "p95") == pytest.approx(95)
