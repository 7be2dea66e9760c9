"""Piano beside its peers: the same questions put to each, and one table of their figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from assistant.settings import Settings
from eval.cases import GOLDEN, Case
from eval.intervals import Measure, summarise
from eval.metrics import METRICS
from eval.peers import MINILM, PEERS
from eval.run import Run, describe, read_run, run
from eval.score import Scores, score, score_outcomes
from eval.system import System
from eval.worlds import only

OWN = "piano"
TITLES = {OWN: "piano", "tutorial": "LangChain e Chroma", "bm25": "BM25, primo brano"}

SHOWN = (
    "recall_at_1",
    "recall_at_5",
    "recall_at_10",
    "mrr_at_10",
    "ndcg_at_10",
    "evidence_recall",
    "citation_precision",
    "nugget_recall",
    "abstention_recall",
    "false_refusals",
    "forbidden_hits",
    "ask_p50",
)
"""The metrics of `markdown_table`, in its order."""


@dataclass(frozen=True, slots=True)
class PeerResult:
    """The figures of one system over the questions of a run."""

    name: str
    title: str
    folder: Path
    scores: Scores
    words: float | None
    """Median length of the answers given; None when none was."""
    passages: int | None = None
    build_seconds: float | None = None
    """From an opened system to the first question; None for piano itself."""


def run_peers(
    system: System,
    cases: Sequence[Case],
    folder: Path,
    settings: Settings,
    tick: Callable[[], None] = lambda: None,
    *,
    names: Sequence[str] = tuple(PEERS),
    model: str = MINILM,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> list[PeerResult]:
    """Build each peer over `system` and ask it every case, into `folder`/peers/NAME.

    `tick` is called after each question, `progress` while a peer is built.

    Raises:
        UsageError: a golden quote does not stand in the index, or the folder holds such a run.
        AssistantError: a package is missing, or the model cannot be loaded.
    """
    results: list[PeerResult] = []
    for name in names:
        started = time.perf_counter()
        with closing(
            PEERS[name](
                system,
                model=model,
                progress=partial(progress, name),
            )
        ) as peer:
            seconds = round(time.perf_counter() - started, 1)
            own = folder / "peers" / name
            about = {
                "name": name,
                "model": peer.model,
                "passages": peer.passages,
                "build_seconds": seconds,
            }
            config = {**describe(settings, GOLDEN), "peer": about}
            done = read_run(run(only(peer), cases, own, config, tick=tick))
            words = _median_words(done)
            results.append(
                PeerResult(name, TITLES[name], own, score(done), words, peer.passages, seconds)
            )
    return results


def own_result(folder: Path) -> PeerResult:
    """Piano's own figures from its run folder, to stand beside the peers'.

    Raises:
        UsageError: the folder is no run.
    """
    done = read_run(folder)
    return PeerResult(OWN, TITLES[OWN], folder, score_outcomes(done.outcomes), _median_words(done))


def markdown_table(results: Sequence[PeerResult]) -> str:
    """One line a metric with its 95% interval, one column a system; piano first.

    The last line tells how much there is to read: whoever shows more pages says more of everything.
    """
    ordered = sorted(results, key=lambda result: result.name != OWN)
    lines = [
        _cells(["misura", *(result.title for result in ordered)]),
        _cells(["---", *("---:" for _ in ordered)]),
    ]
    for name in SHOWN:
        found = [result.scores.metrics.get(name, {}).get("all") for result in ordered]
        lines.append(_cells([name, *(_measured(name, one) for one in found)]))
    lengths = ("-" if result.words is None else f"{result.words:.0f}" for result in ordered)
    lines.append(_cells(["parole per risposta (mediana)", *lengths]))
    return "\n".join(lines) + "\n"


def _median_words(done: Run) -> float | None:
    lengths = [float(len(one.told.split())) for one in done.outcomes if not one.abstained]
    return summarise(lengths, "p50") if lengths else None


def _measured(name: str, found: Measure | None) -> str:
    """The figure and its interval in Italian decimals."""
    if found is None or found.value is None or found.low is None or found.high is None:
        return "-"
    scale, digits, unit = {"share": (100, 1, "%"), "ms": (1, 1, " ms"), "count": (1, 0, "")}[
        METRICS[name].unit
    ]
    value, low, high = (
        f"{number * scale:.{digits}f}".replace(".", ",")
        for number in (found.value, found.low, found.high)
    )
    return f"{value}{unit} ({low} - {high})"


def _cells(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
