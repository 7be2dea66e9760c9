"""How a metric is declared: a function of one outcome, marked `@metric`.

Its docstring is the legend that users read in the report, so it is Italian; it says what is
counted, over what, and the source when the measure is someone else's. A metric gives one value for
each thing it counted in the outcome (a citation, a sentence, the answer), none when it does not
apply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.intervals import Summary
from eval.outcome import Outcome

Suite = Literal["retrieval", "answers", "abstention", "adversarial", "conversation", "speed"]
Better = Literal["higher", "lower"]
Unit = Literal["share", "points", "ms", "count"]
"""`points`: a difference of shares."""
Observe = Callable[[Outcome], Sequence[float]]
Population = Callable[[Outcome], bool]


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    suite: Suite
    observe: Observe
    legend: str
    summary: Summary
    better: Better
    unit: Unit


METRICS: dict[str, Metric] = {}


def originals(outcome: Outcome) -> bool:
    return outcome.is_original


def answerable(outcome: Outcome) -> bool:
    return outcome.is_original and outcome.gold.case.answerable


def unanswerable(outcome: Outcome) -> bool:
    return outcome.is_original and not outcome.gold.case.answerable


def everything(outcome: Outcome) -> bool:
    return True


def metric(
    suite: Suite,
    of: Population,
    *,
    summary: Summary = "mean",
    better: Better = "higher",
    unit: Unit = "share",
) -> Callable[[Observe], Observe]:
    """Register a metric under its function's name, over the outcomes that `of` takes."""

    def register(observe: Observe) -> Observe:
        name: str = getattr(observe, "__name__", "")
        legend = " ".join((observe.__doc__ or "").split())

        def within(outcome: Outcome) -> Sequence[float]:
            return observe(outcome) if of(outcome) else []

        METRICS[name] = Metric(name, suite, within, legend, summary, better, unit)
        return observe

    return register


def value(name: str, outcome: Outcome) -> float | None:
    """The mean of what a metric observed in one outcome; None when it does not apply."""
    observed = METRICS[name].observe(outcome)
    return sum(observed) / len(observed) if observed else None
