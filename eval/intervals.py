"""95% confidence intervals for what is measured on few questions.

What is resampled is the question (the cluster), never the single observation: the citations of one
answer, or the variants of one question, go right and wrong together, and counting each as evidence
of its own would make the interval look narrower than it is (Miller 2024, "Adding Error Bars to
Evals", arXiv:2411.00640).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Z = 1.959963984540054
"""97.5th percentile of the standard normal."""
RESAMPLES = 2000
ALPHA = 0.05
SEED = 20170712
"""Fixed, so that two reports of the same answers are the same report."""


Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Summary = Literal["mean", "change", "p50", "p95", "total"]
"""`change`: the mean of paired differences, from -1 to 1."""

_REDUCE: dict[Summary, Callable[[Floats], Floats]] = {
    "mean": lambda values: np.asarray(values.mean()),
    "change": lambda values: np.asarray(values.mean()),
    "p50": lambda values: np.asarray(np.percentile(values, 50)),
    "p95": lambda values: np.asarray(np.percentile(values, 95)),
    "total": lambda values: np.asarray(values.sum()),
}


@dataclass(frozen=True, slots=True)
class Measure:
    """A value with its 95% interval; None when no question could be measured."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    """Observations."""
    clusters: int = 0
    """Questions that they come from: what the interval rests on."""


def measure(
    values: Sequence[float], summary: Summary, clusters: Sequence[Hashable] | None = None
) -> Measure:
    """`summary` of the values; `clusters` labels each value with the question it comes from.

    Without `clusters` every value stands by itself. Yes-or-no values (0 and 1), one a question, get
    the Wilson interval; several a question, or other values, get the cluster bootstrap. Where all
    are 1, or all 0, a bootstrap would say "certainly": the exact one-sided bound takes its place,
    with n = the number of questions and not of observations (300 good citations in 60 answers
    prove no more than 60 good answers: at least 95.1%). No interval of a share reaches closer to 0
    or 1 than that bound.
    """
    if not values:
        return Measure(None, None, None, 0)
    labels: Sequence[Hashable] = range(len(values)) if clusters is None else clusters
    asked = len(set(labels))
    low, high = _interval(values, summary, labels, asked)
    return Measure(summarise(values, summary), low, high, len(values), asked)


def summarise(values: Sequence[float], summary: Summary) -> float:
    """Percentiles interpolate linearly between the closest ranks, numpy's default."""
    return float(_REDUCE[summary](np.asarray(values, dtype=np.float64)))


def proportion(successes: int, n: int) -> tuple[float, float]:
    """Wilson score interval; at 0 or n successes the one-sided exact (Clopper-Pearson) bound.

    The exact bound is what the rule of three (3/n) approximates: zero failures in 60 questions
    still allow 4.9%.
    """
    if successes == 0:
        return 0.0, upper_bound(0, n)
    if successes == n:
        return 1.0 - upper_bound(0, n), 1.0
    p = successes / n
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return centre - half, centre + half


def upper_bound(failures: int, n: int) -> float:
    """The largest share of failures that `failures` in `n` leave possible: 95%, one-sided, exact.

    Clopper & Pearson 1934: the p at which P(X ≤ failures | n, p) = 0.05. Without failures that is
    1 - 0.05^(1/n); otherwise the binomial tail, which falls as p grows, is halved upon.
    """
    if failures >= n:
        return 1.0
    if failures == 0:
        return 1.0 - float(ALPHA ** (1 / n))
    low, high = failures / n, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        if _tail(failures, n, middle) > ALPHA:
            low = middle
        else:
            high = middle
    return high


def bootstrap(
    values: Sequence[float], summary: Summary, clusters: Sequence[Hashable] | None = None
) -> tuple[float, float]:
    """Percentile bootstrap over whole clusters, drawn with replacement, with a fixed seed.

    The mean of a resample is the ratio of its sum to its count, as clusters differ in size (Field &
    Welsh 2007, "Bootstrapping clustered data", the cluster bootstrap). Without `clusters` this is
    the ordinary bootstrap over the observations.
    """
    data = np.asarray(values, dtype=np.float64)
    belongs = _numbered(range(len(values)) if clusters is None else clusters, len(values))
    count = int(belongs.max()) + 1
    drawn = np.random.default_rng(SEED).integers(0, count, size=(RESAMPLES, count))
    match summary:
        case "mean" | "change":
            found = _sums(data, belongs)[drawn].sum(axis=1)
            sizes = np.bincount(belongs)
            # Clusters of one size need no second gathering: half the time.
            even = sizes.min() == sizes.max()
            found /= sizes[0] * count if even else sizes[drawn].sum(axis=1)
        case "total":
            found = _sums(data, belongs)[drawn].sum(axis=1)
        case "p50" | "p95":
            found = _percentiles(data, belongs, drawn, 0.5 if summary == "p50" else 0.95)
    low, high = np.percentile(found, [100 * ALPHA / 2, 100 * (1 - ALPHA / 2)])
    return float(low), float(high)


def _interval(
    values: Sequence[float], summary: Summary, labels: Sequence[Hashable], asked: int
) -> tuple[float, float]:
    n = len(values)
    yes_no = set(values) <= {0.0, 1.0}
    if summary == "mean" and yes_no:
        if len(set(values)) == 1:
            return proportion(asked if values[0] else 0, asked)
        if asked == n:
            return proportion(round(sum(values)), n)
    if summary == "total" and yes_no and not any(values):
        # "No hit" is as uncertain in number as it is in share.
        return 0.0, n * upper_bound(0, asked)
    low, high = bootstrap(values, summary, labels)
    if summary == "change" and not any(values):
        # No difference seen in n questions still leaves one possible, either way.
        return -upper_bound(0, asked), upper_bound(0, asked)
    if summary == "mean" and 0 <= min(values) <= max(values) <= 1:
        # The bootstrap rests on the failures it can draw: with one in sixty it would promise more
        # than with none, and with a single question it would promise its very value.
        most = upper_bound(0, asked)
        low, high = min(low, 1.0 - most), max(high, most)
    return low, high


def _numbered(labels: Sequence[Hashable], n: int) -> Ints:
    """Labels as 0, 1, 2… in order of appearance: the draw depends on the order, not on names."""
    if len(labels) != n:
        raise ValueError(f"{len(labels)} labels for {n} values")
    order = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return np.fromiter((order[label] for label in labels), dtype=np.int64, count=n)


def _sums(data: Floats, belongs: Ints) -> Floats:
    return np.asarray(np.bincount(belongs, weights=data), dtype=np.float64)


def _percentiles(data: Floats, belongs: Ints, drawn: Ints, q: float) -> Floats:
    """Of each resample: every value counts as often as its cluster was drawn."""
    rank = np.argsort(data, kind="stable")
    ranked, belongs = data[rank], belongs[rank]
    clusters = drawn.shape[1]
    found = np.empty(len(drawn))
    for number, one in enumerate(drawn):
        held = np.cumsum(np.bincount(one, minlength=clusters)[belongs])
        place = q * (held[-1] - 1)
        # The value at 0-based place i is the first below which more than i values are held.
        below, above = np.searchsorted(held, (math.floor(place), math.ceil(place)), side="right")
        found[number] = ranked[below] + (ranked[above] - ranked[below]) * (place % 1)
    return found


def _tail(failures: int, n: int, p: float) -> float:
    """P(X ≤ failures) of a binomial, in logarithms: factorials of hundreds overflow."""
    if p >= 1.0:
        return 0.0
    whole = math.lgamma(n + 1)
    return math.fsum(
        math.exp(
            whole
            - math.lgamma(x + 1)
            - math.lgamma(n - x + 1)
            + x * math.log(p)
            + (n - x) * math.log1p(-p)
        )
        for x in range(failures + 1)
    )
