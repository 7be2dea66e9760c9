"""Figures of the search's steps: paired differences and goals, from what was kept of each question.

Intervals and tests resample documents or articles, never single questions. A difference is paired
within questions, tested by Fisher's randomisation, and Holm-adjusted over the steps of its part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from eval import ablation, squad
from eval.ablation import (
    ALL,
    BM25,
    ENGLISH,
    GOLDEN,
    LAY,
    LAY_ENGLISH,
    LESS,
    MS,
    STEPS,
    WHOLE,
    Ranked,
    kept,
)
from eval.compare import fisher_randomisation, holm
from eval.intervals import Measure, measure, summarise
from eval.metrics.retrieval import RANKING
from eval.squad import PART as SQUAD_PART

LOST = "R@5"
"""What a question typed otherwise may lose of."""
COMPARED = ("R@5", "nDCG@10")
"""Measures whose difference is tested."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure's paired difference, from -1 to 1."""

    change: Measure
    p: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step on a part of the questions."""

    part: str
    step: str
    against: str
    n: int
    clusters: int
    measures: dict[str, Measure]
    """RANKING, and the median of MS."""
    differences: dict[str, Difference]
    """Of COMPARED, from the step `against`."""


@dataclass(frozen=True, slots=True)
class WordingRow:
    """Questions typed otherwise beside their originals, under one step."""

    part: str
    step: str
    n: int
    originals: Measure
    """R@5 of the originals of these variants."""
    variants: Measure
    loss: Difference
    """Above 0 when the variants find less."""


@dataclass(frozen=True, slots=True)
class GoalRow:
    """A figure that the project means to reach."""

    part: str
    measure: str
    n: int
    bm25: Measure
    found: Measure
    goal: float
    at_most: bool
    """For a loss; otherwise at least."""
    stretch: float | None
    met: bool


@dataclass(frozen=True, slots=True)
class Contributions:
    steps: tuple[StepRow, ...]
    wordings: tuple[WordingRow, ...]
    goals: tuple[GoalRow, ...]


class Goal(NamedTuple):
    part: str
    measure: str
    value: float
    stretch: float | None = None


GOALS = (
    Goal(SQUAD_PART, "R@1", 0.775),
    Goal(SQUAD_PART, "R@5", 0.920),
    Goal(SQUAD_PART, "RR@10", 0.840),
    Goal(SQUAD_PART, "nDCG@10", 0.866),
    Goal(GOLDEN, "R@10", 0.98),
    Goal(GOLDEN, "nDCG@10", 0.92),
    Goal(LAY, "R@5", 0.75, 0.85),
    Goal(LAY_ENGLISH, "R@5", 0.60, 0.75),
)
LOSSES = tuple(f"{LAY}, {change}" for change in ("refusi", "senza_accenti", "maiuscole"))
MOST_LOST = 0.03


def contributions(ranked: Sequence[Ranked], *, goals: bool = True) -> Contributions:
    """`goals` are for the project's own questions, not for other people's."""
    by_part: dict[str, list[Ranked]] = {}
    for one in ranked:
        for part in one.parts:
            by_part.setdefault(part, []).append(one)
    by_id = {one.id: one for one in ranked}
    shown = sorted(by_part, key=_place)
    steps = [row for part in shown for row in _steps(part, by_part[part])]
    wordings = [row for part in shown for row in _wordings(part, by_part[part], by_id)]
    held = _goals(steps, wordings) if goals else []
    return Contributions(tuple(steps), tuple(wordings), tuple(held))


def kept_contributions(folder: Path, *, goals: bool) -> Contributions | None:
    """Of what a run folder holds; None when the search was not taken apart. Raises UsageError."""
    ranked = [*kept(folder / ablation.FILE), *kept(folder / squad.FILE)]
    return contributions(ranked, goals=goals) if ranked else None


def as_json(found: Contributions) -> dict[str, Any]:
    return asdict(found)


def _place(part: str) -> tuple[int, str]:
    order = (ALL, GOLDEN, LAY, "dev", "test", SQUAD_PART, ENGLISH, LAY_ENGLISH)
    return (order.index(part) if part in order else len(order), part)


def _steps(part: str, ranked: Sequence[Ranked]) -> list[StepRow]:
    """A row a step that every question of the part was put to; none for variants under two only."""
    asked = [step for step in (*STEPS, *LESS) if all(step.name in one.steps for one in ranked)]
    if len(asked) < len(STEPS):
        return []
    clusters = [one.cluster for one in ranked]
    rows = []
    for step in asked:
        measures = {
            name: measure([one.steps[step.name][name] for one in ranked], "mean", clusters)
            for name in RANKING
        }
        times = [one.steps[step.name][MS] for one in ranked]
        # Other machines have other times: an interval would say nothing.
        measures[MS] = Measure(summarise(times, "p50"), None, None, len(times))
        differences = {
            name: _difference(
                [one.steps[step.name][name] - one.steps[step.against][name] for one in ranked],
                clusters,
            )
            for name in (COMPARED if step.against else ())
        }
        found = measures[RANKING[0]]
        rows.append(
            StepRow(part, step.name, step.against, found.n, found.clusters, measures, differences)
        )
    adding = {step.name for step in STEPS}
    return [
        *_adjusted([row for row in rows if row.step in adding]),
        *_adjusted([row for row in rows if row.step not in adding]),
    ]


def _adjusted(rows: Sequence[StepRow]) -> list[StepRow]:
    """Holm over the rows, each measure by itself."""
    changed = {row.step: dict(row.differences) for row in rows}
    for name in COMPARED:
        tested = [row for row in rows if name in row.differences]
        for row, p in zip(tested, holm([row.differences[name].p for row in tested]), strict=True):
            changed[row.step][name] = replace(row.differences[name], p_holm=p)
    return [replace(row, differences=changed[row.step]) for row in rows]


def _difference(values: Sequence[float], clusters: Sequence[str]) -> Difference:
    p = fisher_randomisation(values, clusters)
    return Difference(measure(values, "change", clusters), p, p)


def _wordings(part: str, ranked: Sequence[Ranked], by_id: Mapping[str, Ranked]) -> list[WordingRow]:
    pairs = [(by_id[one.original], one) for one in ranked if one.original in by_id]
    if not pairs:
        return []
    clusters = [original.cluster for original, _ in pairs]
    rows = []
    for step in (BM25, WHOLE):
        before = [original.steps[step][LOST] for original, _ in pairs]
        after = [variant.steps[step][LOST] for _, variant in pairs]
        lost = [was - now for was, now in zip(before, after, strict=True)]
        rows.append(
            WordingRow(
                part,
                step,
                len(pairs),
                measure(before, "mean", clusters),
                measure(after, "mean", clusters),
                _difference(lost, clusters),
            )
        )
    return rows


def _goals(steps: Sequence[StepRow], wordings: Sequence[WordingRow]) -> list[GoalRow]:
    figures = {(row.part, row.step): row.measures for row in steps}
    losses = {(row.part, row.step): row for row in wordings}
    rows = []
    # Without lay questions the golden ones are all of them.
    instead = {} if (LAY, WHOLE) in figures else {GOLDEN: ALL, LAY_ENGLISH: ENGLISH}
    for goal in GOALS:
        part = instead.get(goal.part, goal.part)
        if (part, WHOLE) in figures:
            bm25 = figures[part, BM25][goal.measure]
            found = figures[part, WHOLE][goal.measure]
            met = (found.value or 0.0) >= goal.value
            rows.append(
                GoalRow(
                    part, goal.measure, found.n, bm25, found, goal.value, False,
                    goal.stretch, met,
                )
            )  # fmt: skip
    for part in LOSSES:
        if (part, WHOLE) in losses:
            row = losses[part, WHOLE]
            bm25, found = losses[part, BM25].loss.change, row.loss.change
            met = (found.value or 0.0) <= MOST_LOST
            rows.append(GoalRow(part, LOST, row.n, bm25, found, MOST_LOST, True, None, met))
    return rows
