"""What a run's folder tells its readers: scores, comparison, gates, summary.md and report.html.

Asks nothing: whatever is in the folder is scored, so that an old run gets today's metrics.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval import report
from eval.compare import Comparison
from eval.gates import GateResult
from eval.judge import Reference, compared, gate_results, reference
from eval.reading import FILE as READING
from eval.reading import ReadingScore, markdown_lines, read_scores
from eval.reading import as_json as reading_json
from eval.run import Run, read_run
from eval.score import FILE as METRICS
from eval.score import SUITES, Scores, score
from eval.score import as_json as scores_json
from eval.steps import Contributions, kept_contributions
from eval.steps import as_json as steps_json
from eval.verifier import FILE as VERIFIER
from eval.verifier import TITLE as VERIFIER_TITLE

PEERS_TABLE, PAGE, SUMMARY = "peers.md", "report.html", "summary.md"


@dataclass(frozen=True, slots=True)
class Asked:
    """A run with what was made of it."""

    run: Run
    scores: Scores
    reference: Reference | None
    comparisons: tuple[Comparison, ...]
    gates: tuple[GateResult, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """All that a folder holds; `asked` is None when only reading was measured."""

    folder: Path
    asked: Asked | None
    reading: tuple[ReadingScore, ...]
    verifier: tuple[ReadingScore, ...]
    steps: Contributions | None = None
    """None when the search was not taken apart."""

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"run": str(self.folder)}
        if self.asked is not None:
            shown |= {"config": self.asked.run.config, **scores_json(self.asked.scores)}
            shown["comparison"] = [asdict(one) for one in self.asked.comparisons]
            shown["gates"] = [asdict(one) for one in self.asked.gates]
        if self.steps is not None:
            shown["steps"] = steps_json(self.steps)
        if self.verifier:
            shown["verifier"] = reading_json(self.verifier)
        if self.reading:
            shown["reading"] = reading_json(self.reading)
        return shown


def publish(
    folder: Path, *, questions: bool, against: Path | None = None, gates: Path | None = None
) -> Published:
    """Score what the folder holds and write its summary and page.

    `questions` is False when the folder holds only how documents were read; `gates` is the file of
    those to check.

    Raises:
        UsageError: the folder holds no finished run, or `against` or `gates` cannot be used.
    """
    asked = _judged(read_run(folder), against, gates) if questions else None
    steps = _steps(asked) if asked is not None else None
    published = Published(folder, asked, _kept(folder, READING), _kept(folder, VERIFIER), steps)
    told = []
    if asked is not None:
        peers = _text(folder / PEERS_TABLE)
        told += [
            report.markdown(
                asked.scores,
                asked.run.outcomes,
                asked.run.config,
                comparisons=asked.comparisons,
                gates=asked.gates,
            ),
            report.markdown_steps(steps) if steps else "",
            peers,
        ]
        page = report.html(
            asked.run,
            asked.scores,
            baseline=asked.reference.values if asked.reference else None,
            comparisons=asked.comparisons,
            gates=asked.gates,
            peers_table=peers,
            reading=published.reading,
            steps=steps,
        )
        (folder / PAGE).write_text(page, encoding="utf-8")
    if published.verifier:
        told.append("\n".join(markdown_lines(published.verifier, VERIFIER_TITLE)))
    if published.reading:
        told.append("\n".join(markdown_lines(published.reading)))
    (folder / SUMMARY).write_text("\n".join(part for part in told if part), encoding="utf-8")
    return published


def _judged(done: Run, against: Path | None, gates: Path | None) -> Asked:
    scores = score(done, done.config.get("suites", SUITES))
    held_to = reference(done, against)
    return Asked(
        done,
        scores,
        held_to,
        compared(done, scores, held_to) if held_to else (),
        tuple(gate_results(done, scores, held_to, gates)) if gates else (),
    )


def _steps(asked: Asked) -> Contributions | None:
    """What was kept of the search's steps, scored and added to metrics.json."""
    folder = asked.run.folder
    found = kept_contributions(folder, goals=bool(asked.run.config.get("own_questions")))
    if found is None:
        return None
    measures = {**scores_json(asked.scores), "steps": steps_json(found)}
    text = json.dumps(measures, ensure_ascii=False, indent=1)
    (folder / METRICS).write_text(text + "\n", encoding="utf-8")
    return found


def _kept(folder: Path, file: str) -> tuple[ReadingScore, ...]:
    return read_scores(folder, file) if (folder / file).exists() else ()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
