"""Scores of a run: every metric, over all its questions, by slice, and question by question."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eval.cases import NEAR_MISS, Case
from eval.intervals import Measure, measure
from eval.metrics import METRICS, Metric
from eval.outcome import Outcome
from eval.run import Run

SUITES = ("retrieval", "answers", "abstention", "adversarial", "conversation", "speed")
FILE = "metrics.json"
ALL = "all"
NEAR = "near_miss"


@dataclass(frozen=True, slots=True)
class CaseScore:
    """One question's own figures: metric name → mean of its observations."""

    id: str
    status: str
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """Metric name → slice name → measure; and each question by itself."""

    metrics: dict[str, dict[str, Measure]]
    cases: tuple[CaseScore, ...]

    def values(self) -> dict[str, dict[str, float]]:
        """Question id → metric name → value."""
        return {case.id: case.values for case in self.cases}


def slices_of(case: Case) -> tuple[str, ...]:
    """The slices a question counts in: all, its split, group, category, change, reason, world."""
    names = [ALL, case.split, case.group, case.category, case.change, case.abstain_reason]
    if case.abstain_reason in NEAR_MISS:
        names.append(NEAR)
    if case.world and case.world != case.change:
        names.append(case.world)
    return tuple(name for name in names if name)


def score(done: Run, suites: Iterable[str] = SUITES) -> Scores:
    """Score a run and write metrics.json and scores.jsonl into its folder; asks nothing."""
    scores = score_outcomes(done.outcomes, suites)
    text = json.dumps(as_json(scores), ensure_ascii=False, indent=1)
    (done.folder / FILE).write_text(text + "\n", encoding="utf-8")
    lines = [json.dumps(asdict(case), ensure_ascii=False) + "\n" for case in scores.cases]
    (done.folder / "scores.jsonl").write_text("".join(lines), encoding="utf-8")
    return scores


def score_outcomes(outcomes: Sequence[Outcome], suites: Iterable[str] = SUITES) -> Scores:
    wanted = set(suites)
    chosen = [metric for metric in METRICS.values() if metric.suite in wanted]
    observed = {metric.name: [metric.observe(outcome) for outcome in outcomes] for metric in chosen}
    return Scores(
        metrics={
            metric.name: _slices(metric, outcomes, observed[metric.name]) for metric in chosen
        },
        cases=tuple(
            CaseScore(
                outcome.gold.case.id,
                outcome.answer.status,
                {
                    name: sum(values[place]) / len(values[place])
                    for name, values in observed.items()
                    if values[place]
                },
            )
            for place, outcome in enumerate(outcomes)
        ),
    )


def as_json(scores: Scores) -> dict[str, Any]:
    """The measures, slices with nothing to observe left out."""
    return {
        "metrics": {
            name: {part: asdict(found) for part, found in slices.items()}
            for name, slices in scores.metrics.items()
        },
    }


def _slices(
    metric: Metric, outcomes: Sequence[Outcome], observed: Sequence[Sequence[float]]
) -> dict[str, Measure]:
    """Observations of one question, and of its variants, are one cluster of the interval."""
    values: dict[str, list[float]] = {ALL: []}
    clusters: dict[str, list[str]] = {ALL: []}
    for outcome, found in zip(outcomes, observed, strict=True):
        if not found:
            continue
        case = outcome.gold.case
        for part in slices_of(case):
            values.setdefault(part, []).extend(found)
            clusters.setdefault(part, []).extend([case.source_id] * len(found))
    return {part: measure(values[part], metric.summary, clusters=clusters[part]) for part in values}
