"""A run held against another one and against the gates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from assistant.errors import UsageError
from eval.baseline import BASELINE, read_baseline, write_baseline
from eval.compare import Comparison, Values, compare
from eval.gates import GateResult, Results, check, guarded, read_gates
from eval.metrics import METRICS
from eval.outcome import Outcome
from eval.run import Run, read_run
from eval.score import Scores, score_outcomes, slices_of


class Reference(NamedTuple):
    """What a run is compared with."""

    name: str
    values: Values
    notice: str = ""
    """What makes the two less than comparable, in Italian; empty when nothing does."""


def reference(run: Run, against: Path | None) -> Reference | None:
    """What a run is held to: the one given, else the baseline; None for other people's questions.

    Raises:
        UsageError: the run given cannot be read, or has no question in common.
    """
    if against is not None:
        return reference_run(against, run)
    return reference_baseline(run) if run.config.get("own_questions") else None


def reference_run(folder: Path, run: Run) -> Reference:
    """The scores of another run, computed with today's metrics.

    Raises:
        UsageError: the folder is no finished run, or has no question in common with `run`.
    """
    other = read_run(folder)
    values = score_outcomes(other.outcomes).values()
    if not set(values) & {outcome.gold.case.id for outcome in run.outcomes}:
        raise UsageError(
            f"La valutazione in {folder} non ha domande in comune con questa.",
            remedy="Confronta due valutazioni delle stesse domande.",
        )
    corpora = [one.config.get("collections", {}).get("", {}).get("corpus") for one in (run, other)]
    notice = ""
    if corpora[0] != corpora[1]:
        notice = "Le due valutazioni sono di documenti diversi: le differenze vengono anche da lì."
    return Reference(f"{folder.name} (codice {other.config['commit']})", values, notice)


def reference_baseline(run: Run, path: Path = BASELINE) -> Reference:
    """The committed baseline."""
    baseline = read_baseline(path)
    known = sum(outcome.gold.case.id in baseline.cases for outcome in run.outcomes)
    notice = ""
    if known < len(run.outcomes):
        notice = f"{len(run.outcomes) - known} domande non erano nella misura di riferimento."
    return Reference(f"misura di riferimento (codice {baseline.commit})", baseline.cases, notice)


def compared(run: Run, scores: Scores, reference: Reference) -> tuple[Comparison, ...]:
    """Every metric of the run, question by question, with the reference."""
    metrics = [METRICS[name] for name in scores.metrics]
    return compare(scores.values(), reference.values, metrics, _clusters(run.outcomes))


def gate_results(
    run: Run, scores: Scores, reference: Reference | None, path: Path
) -> list[GateResult]:
    """How the gates of a file went, those of the suites that the run asked.

    Raises:
        UsageError: the file is wrong.
    """
    parts: dict[str, set[str]] = {}
    for outcome in run.outcomes:
        for part in slices_of(outcome.gold.case):
            parts.setdefault(part, set()).add(outcome.gold.case.id)
    asked = {METRICS[name].suite for name in scores.metrics}
    gates = [g for g in read_gates(METRICS, parts, path) if METRICS[g.metric].suite in asked]
    values, before = scores.values(), reference.values if reference else {}
    comparisons = compare(values, before, guarded(gates, METRICS), _clusters(run.outcomes))
    results = Results(METRICS, scores.metrics, values, parts, comparisons)
    return check(gates, results, sampled=run.config.get("sample") is not None)


def keep_baseline(run: Run, scores: Scores, path: Path = BASELINE) -> None:
    """Make this run the baseline that later ones are held to."""
    names = [name for name in scores.metrics if METRICS[name].unit != "ms"]
    write_baseline(
        scores.values(),
        names,
        path,
        commit=run.config["commit"],
        golden_sha256=run.config["golden_sha256"],
    )


def _clusters(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {outcome.gold.case.id: outcome.gold.case.source_id for outcome in outcomes}
