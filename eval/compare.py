"""Two runs compared question by question.

Both answered the same questions, so what varies between questions cancels out: the difference is
taken within each question, and its interval and p-value come from those differences alone. Input is
plain (question → metric → value), so that either side can be a committed baseline.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from eval.intervals import ALPHA, SEED, bootstrap

ROUNDS = 10_000
EXACT_UP_TO = 16
"""Clusters whose 2^n sign flips are all counted: 65,536."""
ROUNDS_AT_ONCE = 1000
PLACES = 4
"""Decimals compared, those of a baseline: else 0.6667 kept against 2/3 found would be a change."""

Verdict = Literal["better", "worse", "no difference shown"]
Values = Mapping[str, Mapping[str, float]]
"""Question → metric → value; a metric that a question does not have is absent."""


class Compared(Protocol):
    """What a comparison needs to know of a metric."""

    @property
    def name(self) -> str: ...
    @property
    def better(self) -> Literal["higher", "lower"]: ...
    @property
    def unit(self) -> Literal["share", "points", "ms", "count"]: ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric in two runs, over the questions that have it in both.

    Means count each question once, whatever its number of observations, so they may differ a little
    from the metric's own value.
    """

    metric: str
    n: int
    """Questions compared."""
    clusters: int
    """Of which independent: variants of one question count once."""
    only_new: int
    only_base: int
    mean_new: float | None
    mean_base: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float
    p_holm: float
    verdict: Verdict
    got_better: tuple[str, ...]
    """Question ids, the greatest change first."""
    got_worse: tuple[str, ...]


def compare(
    new: Values,
    base: Values,
    metrics: Sequence[Compared],
    clusters: Mapping[str, str] | None = None,
    *,
    latencies: bool = False,
) -> tuple[Comparison, ...]:
    """Compare each metric; `clusters` labels a question with the one it is a variant of.

    The p-values are Holm-adjusted over `metrics`: pass those that a decision hangs on, as each one
    more makes the others harder to prove. Times are left out unless asked for: they compare
    machines. A metric that no common question has is listed with n = 0, and does not count.
    """
    found = [
        _compare_one(metric, new, base, clusters or {})
        for metric in metrics
        if latencies or metric.unit != "ms"
    ]
    adjusted = iter(holm([one.p for one in found if one.n]))
    better = {metric.name: metric.better for metric in metrics}
    return tuple(
        _judged(one, next(adjusted), better[one.metric]) if one.n else one for one in found
    )


def paired_bootstrap(
    differences: Sequence[float], clusters: Sequence[Hashable] | None = None
) -> tuple[float, float]:
    """95% interval of the mean difference: whole clusters of pairs are drawn."""
    return bootstrap(differences, "mean", clusters)


def fisher_randomisation(
    differences: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    rounds: int = ROUNDS,
) -> float:
    """Two-sided p-value of the mean difference, by swapping the two runs within clusters.

    Were the runs alike, each cluster's difference could as well have had the other sign. p is the
    share of sign assignments whose mean is at least as far from 0 as the one found (Fisher's
    randomisation test; Smucker, Allan & Carterette 2007). All are counted when at most 16 clusters
    differ; otherwise `rounds` are drawn and p = (1 + those) / (1 + rounds), which is never 0.
    """
    totals: dict[Hashable, float] = {}
    for label, value in zip(clusters or range(len(differences)), differences, strict=True):
        totals[label] = totals.get(label, 0.0) + value
    # Flipping a zero changes nothing; and a sum such as 0.1 + 0.2 - 0.3 is a zero.
    sums = np.asarray([total for total in totals.values() if abs(total) > 1e-9])
    if not len(sums):
        return 1.0
    # The number of questions is the same in every assignment: sums stand for means.
    reached = abs(sums.sum()) - 1e-9
    if len(sums) <= EXACT_UP_TO:
        bits = np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))
        signs = (bits & 1) * 2 - 1
        return float(np.mean(np.abs(signs @ sums) >= reached))
    random = np.random.default_rng(SEED)
    count = 0
    for start in range(0, rounds, ROUNDS_AT_ONCE):
        size = (min(ROUNDS_AT_ONCE, rounds - start), len(sums))
        signs = random.integers(0, 2, size=size, dtype=np.int8) * 2 - 1
        count += int(np.sum(np.abs(signs @ sums) >= reached))
    return (1 + count) / (1 + rounds)


def holm(p_values: Sequence[float]) -> list[float]:
    """Step-down adjusted p-values (Holm 1979): the k-th smallest of m is multiplied by m - k + 1.

    None is smaller than the one before it, and none is above 1.
    """
    adjusted = [1.0] * len(p_values)
    reached = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = reached
    return adjusted


def _compare_one(
    metric: Compared, new: Values, base: Values, clusters: Mapping[str, str]
) -> Comparison:
    ours = _values_of(metric.name, new)
    theirs = _values_of(metric.name, base)
    common = [question for question in ours if question in theirs]
    only_new, only_base = len(ours) - len(common), len(theirs) - len(common)
    if not common:
        return Comparison(
            metric.name, 0, 0, only_new, only_base, None, None, None, None, None, 1.0, 1.0,
            "no difference shown", (), (),
        )  # fmt: skip
    differences = {q: round(ours[q] - theirs[q], PLACES) for q in common}
    labels = [clusters.get(question, question) for question in common]
    low, high = paired_bootstrap(list(differences.values()), labels)
    gain = 1 if metric.better == "higher" else -1
    changed = sorted((q for q in common if differences[q]), key=lambda q: -abs(differences[q]))
    p = fisher_randomisation(list(differences.values()), labels)
    return Comparison(
        metric=metric.name,
        n=len(common),
        clusters=len(set(labels)),
        only_new=only_new,
        only_base=only_base,
        mean_new=sum(ours[q] for q in common) / len(common),
        mean_base=sum(theirs[q] for q in common) / len(common),
        difference=sum(differences.values()) / len(common),
        low=low,
        high=high,
        p=p,
        p_holm=p,
        verdict="no difference shown",
        got_better=tuple(q for q in changed if differences[q] * gain > 0),
        got_worse=tuple(q for q in changed if differences[q] * gain < 0),
    )


def _values_of(metric: str, run: Values) -> dict[str, float]:
    return {
        question: round(values[metric], PLACES)
        for question, values in run.items()
        if metric in values
    }


def _judged(one: Comparison, p_holm: float, better: Literal["higher", "lower"]) -> Comparison:
    verdict: Verdict = "no difference shown"
    if p_holm < ALPHA and one.difference:
        gained = (one.difference > 0) == (better == "higher")
        verdict = "better" if gained else "worse"
    return replace(one, p_holm=p_holm, verdict=verdict)
