"""A run: every golden question asked once, kept on disk, scored apart.

A run folder holds config.json (settings, generation, machine, commit), golden.jsonl (the questions
as located in the index), answers.jsonl (one line a question) and metrics.json. Scoring reads the
folder alone, so a new metric can be computed on an old run.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from assistant.errors import NotFoundError, UsageError
from assistant.settings import Settings
from eval.cases import Case, Gold, locate
from eval.intervals import Measure, measure
from eval.metrics import METRICS, Metric, Outcome, Stretch
from eval.system import System

SEARCH_K = 10
SUITES = ("retrieval", "answers", "abstention", "speed")
SLICES: dict[str, Callable[[Case], bool]] = {
    "all": lambda case: True,
    "dev": lambda case: case.split == "dev",
    "test": lambda case: case.split == "test",
    "operatore": lambda case: case.group == "operatore",
    "pianificatore": lambda case: case.group == "pianificatore",
    "formatore": lambda case: case.group == "formatore",
}


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


_OUTCOME = TypeAdapter(Outcome)
_GOLD = TypeAdapter(Gold)


def ask_one(system: System, gold: Gold) -> Outcome:
    """Search and ask one question, and read every citation back from the index.

    The search is for the question alone; a follow-up's search needs what `ask` understood.
    """
    case = gold.case
    filters = case.parsed_filters()
    started = time.perf_counter()
    answer = system.ask(case.question, filters=filters, history=case.history)
    asked = time.perf_counter()
    query = answer.understood_as if case.history and answer.understood_as else case.question
    found = system.search(query, k=SEARCH_K, filters=filters)
    searched = time.perf_counter()
    return Outcome(
        gold=gold,
        answer=answer,
        found=tuple(
            tuple(
                Stretch(hit.passage.document_id, span.page, span.start, span.end)
                for span in hit.passage.spans
            )
            for hit in found.hits
        ),
        read_back=tuple(
            _read_back(system, citation.document_id, citation.page, citation.start, citation.end)
            for citation in answer.citations
        ),
        ask_ms=round((asked - started) * 1000, 3),
        search_ms=round((searched - asked) * 1000, 3),
    )


def run(
    system: System,
    cases: Sequence[Case],
    golden: Path,
    folder: Path,
    config: dict[str, Any],
    tick: Callable[[], None] = lambda: None,
) -> Path:
    """Ask every case and write the run folder (not its metrics); `tick` is called after each.

    Raises:
        UsageError: a golden quote does not stand in the index, or the folder is already a run.
    """
    golds = locate(cases, system, golden)
    if (folder / "answers.jsonl").exists():
        raise UsageError(
            f"La cartella {folder} contiene già una valutazione.", remedy="Indica un'altra --out."
        )
    folder.mkdir(parents=True, exist_ok=True)
    # The first question pays for the model and the index being opened: nobody's latency.
    system.ask(cases[0].question)
    generation = ""
    with (
        (folder / "answers.jsonl").open("w", encoding="utf-8") as answers,
        (folder / "golden.jsonl").open("w", encoding="utf-8") as located,
    ):
        for gold in golds:
            outcome = ask_one(system, gold)
            generation = outcome.answer.generation
            record = _OUTCOME.dump_python(outcome, mode="json")
            located.write(_line(record.pop("gold")))
            answers.write(_line(record))
            tick()
    _write_json(folder / "config.json", {**config, "generation": generation})
    return folder


def read_run(folder: Path) -> tuple[Outcome, ...]:
    """The outcomes kept in a run folder.

    Raises:
        UsageError: the folder is no run, or its files do not fit each other.
    """
    try:
        golds = (folder / "golden.jsonl").read_text(encoding="utf-8").splitlines()
        answers = (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
        return tuple(
            _OUTCOME.validate_python({**json.loads(answer), "gold": json.loads(gold)})
            for gold, answer in zip(golds, answers, strict=True)
        )
    except (OSError, ValueError, ValidationError) as error:
        raise UsageError(
            f"La cartella {folder} non contiene una valutazione completa.",
            remedy="Ripetila con «piano eval».",
        ) from error


def score(folder: Path, suites: Iterable[str] = SUITES) -> Scores:
    """Score a run folder and write its metrics.json; asks nothing."""
    scores = score_outcomes(read_run(folder), suites)
    _write_json(folder / "metrics.json", as_json(scores))
    return scores


def score_outcomes(outcomes: Sequence[Outcome], suites: Iterable[str] = SUITES) -> Scores:
    wanted = set(suites)
    chosen = [metric for metric in METRICS.values() if metric.suite in wanted]
    observed = {
        outcome.gold.case.id: {metric.name: metric.observe(outcome) for metric in chosen}
        for outcome in outcomes
    }
    return Scores(
        metrics={metric.name: _slices(metric, outcomes, observed) for metric in chosen},
        cases=tuple(
            CaseScore(
                outcome.gold.case.id,
                outcome.answer.status,
                {
                    name: sum(values) / len(values)
                    for name, values in observed[outcome.gold.case.id].items()
                    if values
                },
            )
            for outcome in outcomes
        ),
    )


def as_json(scores: Scores) -> dict[str, Any]:
    return {
        "metrics": {
            name: {part: asdict(found) for part, found in slices.items()}
            for name, slices in scores.metrics.items()
        },
        "cases": [asdict(case) for case in scores.cases],
    }


def describe(settings: Settings, golden: Path, cases: Sequence[Case]) -> dict[str, Any]:
    """What a run was made with; no key or password ever goes in."""
    kept = {name: value for name, value in asdict(settings).items() if "key" not in name}
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "golden": golden.name,
        "questions": len(cases),
        "settings": {name: str(value) for name, value in kept.items() if name != "data_dir"},
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "cpus": os.cpu_count(),
        },
    }


def commit() -> str:
    """Short hash of the code's commit, with `+` when files differ; `unknown` without git."""
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return found.stdout.strip() or "unknown"


def default_folder(data_dir: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return data_dir / "runs" / f"{stamp}-{commit()}"


def _slices(
    metric: Metric,
    outcomes: Sequence[Outcome],
    observed: dict[str, dict[str, Sequence[float]]],
) -> dict[str, Measure]:
    return {
        part: measure(
            [
                value
                for outcome in outcomes
                if holds(outcome.gold.case)
                for value in observed[outcome.gold.case.id][metric.name]
            ],
            metric.summary,
        )
        for part, holds in SLICES.items()
    }


def _read_back(system: System, document_id: str, page: int, start: int, end: int) -> str:
    """Empty when the page or the stretch does not exist: a quote is never empty."""
    try:
        text = system.page(document_id, page).text
    except NotFoundError:
        return ""
    return text[start:end] if 0 <= start < end <= len(text) else ""


def _line(record: object) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _write_json(path: Path, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
