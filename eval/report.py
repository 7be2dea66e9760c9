"""A run's figures as a terminal table and as a Markdown summary, both in Italian."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from eval.intervals import Measure
from eval.metrics import METRICS, Metric, Outcome
from eval.run import Scores

TITLES = {
    "retrieval": "Ricerca",
    "answers": "Risposte",
    "abstention": "Silenzio onesto",
    "speed": "Velocità",
}
COLUMNS = {"all": "tutte", "dev": "sviluppo", "test": "verifica"}
POOR_SHOWN = 40
NOTHING = "-"


def terminal(scores: Scores, outcomes: Sequence[Outcome], folder: str) -> Group:
    """One table a suite, the legend of each metric under it, and the questions to look at."""
    parts: list[Table | Text] = []
    for suite, title in TITLES.items():
        chosen = [METRICS[name] for name in scores.metrics if METRICS[name].suite == suite]
        if not chosen:
            continue
        table = Table(title=title, title_justify="left", title_style="bold")
        table.add_column("misura", no_wrap=True)
        for column in COLUMNS.values():
            table.add_column(column, justify="right", no_wrap=True)
        table.add_column("intervallo 95%", justify="right", no_wrap=True)
        table.add_column("n", justify="right", no_wrap=True)
        for metric in chosen:
            table.add_row(*_row(metric, scores))
        parts.append(table)
        parts.append(Text("\n".join(f"  {m.name}: {m.legend}" for m in chosen) + "\n", "dim"))
    poor = poor_questions(outcomes)
    if poor:
        lines = [f"  {line}" for line in poor[:POOR_SHOWN]]
        parts.append(Text(f"Da guardare ({len(poor)}):\n" + "\n".join(lines) + "\n"))
    parts.append(Text(f"Valutazione salvata in {folder}"))
    return Group(*parts)


def markdown(scores: Scores, outcomes: Sequence[Outcome], config: dict[str, Any]) -> str:
    lines = [
        "# Valutazione",
        "",
        f"Codice {config['commit']}, {config['questions']} domande, {config['started']}.",
        "",
    ]
    for suite, title in TITLES.items():
        chosen = [METRICS[name] for name in scores.metrics if METRICS[name].suite == suite]
        if not chosen:
            continue
        heads = ["misura", *COLUMNS.values(), "intervallo 95%", "n"]
        lines += [f"## {title}", "", _cells(heads), _cells(["---"] + ["---:"] * (len(heads) - 1))]
        lines += [_cells(_row(metric, scores)) for metric in chosen]
        lines += ["", *(f"- `{metric.name}`: {metric.legend}" for metric in chosen), ""]
    poor = poor_questions(outcomes)
    if poor:
        lines += ["## Da guardare", "", *(f"- {line}" for line in poor), ""]
    return "\n".join(lines)


def poor_questions(outcomes: Sequence[Outcome]) -> list[str]:
    """One line for each question that went wrong, saying what did."""
    return [
        f"{outcome.gold.case.id} «{outcome.gold.case.question}»: {', '.join(found)}"
        for outcome in outcomes
        if (found := _faults(outcome))
    ]


def _faults(outcome: Outcome) -> list[str]:
    def value(name: str, default: float = 1.0) -> float:
        observed = METRICS[name].observe(outcome)
        return sum(observed) / len(observed) if observed else default

    faults: list[str] = []
    if value("evidence_at_10") < 1:
        faults.append("brano non trovato")
    if value("false_refusals", 0.0):
        faults.append("rifiuto ingiusto")
    elif value("nugget_recall") < 1:
        faults.append("risposta incompleta o sbagliata")
    if value("abstention_recall") < 1:
        faults.append("doveva tacere")
    if value("quote_integrity") < 1 or value("sentence_support") < 1:
        faults.append("citazione non fedele")
    if value("forbidden_hits", 0.0):
        faults.append("dice una cosa vietata")
    if value("clean_silence") < 1:
        faults.append("rifiuto con affermazioni")
    return faults


def _row(metric: Metric, scores: Scores) -> list[str]:
    slices = scores.metrics[metric.name]
    whole = slices["all"]
    interval = NOTHING
    if whole.low is not None and whole.high is not None and metric.unit != "count":
        interval = f"{_figure(whole.low, metric)} - {_figure(whole.high, metric)}"
    return [
        metric.name,
        *(_value(slices[part], metric) for part in COLUMNS),
        interval,
        str(whole.n),
    ]


def _value(found: Measure, metric: Metric) -> str:
    return NOTHING if found.value is None else _figure(found.value, metric)


def _figure(value: float, metric: Metric) -> str:
    """Italian decimals: shares as percentages."""
    if metric.unit == "count":
        return f"{value:.0f}"
    if metric.unit == "ms":
        return f"{value:.1f} ms".replace(".", ",")
    return f"{value * 100:.1f}%".replace(".", ",")


def _cells(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
