"""95% confidence intervals for what is measured on few questions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Z = 1.959963984540054
"""97.5th percentile of the standard normal."""
RESAMPLES = 2000
ALPHA = 0.05


Floats = npt.NDArray[np.float64]
Summary = Literal["mean", "p50", "p95", "total"]

_REDUCE: dict[Summary, Callable[[Floats], Floats]] = {
    "mean": lambda values: np.asarray(values.mean(axis=-1)),
    "p50": lambda values: np.asarray(np.percentile(values, 50, axis=-1)),
    "p95": lambda values: np.asarray(np.percentile(values, 95, axis=-1)),
    "total": lambda values: np.asarray(values.sum(axis=-1)),
}


@dataclass(frozen=True, slots=True)
class Measure:
    """A value with its 95% interval; None when no question could be measured."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def measure(
    values: Sequence[float], summary: Summary, clusters: Sequence[str] | None = None
) -> Measure:
    """`summary` of the values; proportions get an exact or Wilson interval, others a bootstrap."""
    if not values:
        return Measure(None, None, None, 0)
    value = summarise(values, summary)
    if summary == "mean" and set(values) <= {0.0, 1.0}:
        low, high = proportion(round(sum(values)), len(values))
    else:
        low, high = bootstrap(values, summary)
    return Measure(value, low, high, len(values))


def summarise(values: Sequence[float], summary: Summary) -> float:
    """Percentiles interpolate linearly between the closest ranks, numpy's default."""
    return float(_REDUCE[summary](np.asarray(values, dtype=np.float64)))


def proportion(successes: int, n: int) -> tuple[float, float]:
    """Wilson score interval; at 0 or n successes the one-sided exact (Clopper-Pearson) bound.

    The exact bound is what the rule of three (3/n) approximates: zero failures in 60 questions
    still allow 4.9%.
    """
    if successes == 0:
        return 0.0, 1.0 - ALPHA ** (1 / n)
    if successes == n:
        return ALPHA ** (1 / n), 1.0
    p = successes / n
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return centre - half, centre + half


def bootstrap(values: Sequence[float], summary: Summary) -> tuple[float, float]:
    """Percentile bootstrap over the observations, with a fixed seed so that reports compare."""
    random = np.random.default_rng(20170712)
    data = np.asarray(values, dtype=np.float64)
    drawn = data[random.integers(0, len(data), size=(RESAMPLES, len(data)))]
    found = _REDUCE[summary](drawn)
    low, high = np.percentile(found, [100 * ALPHA / 2, 100 * (1 - ALPHA / 2)])
    return float(low), float(high)
