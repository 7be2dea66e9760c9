"""A run's figures as a terminal table and as a Markdown summary, both in Italian."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from eval.intervals import Measure
from eval.metrics import METRICS, Metric, value
from eval.outcome import Outcome
from eval.score import Scores

TITLES = {
    "retrieval": "Ricerca",
    "answers": "Risposte",
    "abstention": "Silenzio onesto",
    "adversarial": "Attacchi e trappole",
    "conversation": "Conversazione",
    "speed": "Velocità",
}
COLUMNS = {"all": "tutte", "dev": "sviluppo", "test": "verifica"}
POOR_SHOWN = 40
NOTHING = "-"
ABSENT = Measure(None, None, None, 0)


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
            table.add_row(*table_cells(metric, scores))
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
        lines += [_cells(table_cells(metric, scores)) for metric in chosen]
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
        if (found := faults(outcome))
    ]


def faults(outcome: Outcome) -> list[str]:
    """In words, each metric that says that the question went wrong."""
    named = []
    for name, (poor, words) in _FAULTS.items():
        found = value(name, outcome)
        if found is not None and poor(found):
            named.append(words)
    if "rifiuto ingiusto" in named and "risposta incompleta o sbagliata" in named:
        named.remove("risposta incompleta o sbagliata")
    return named


def _below_one(found: float) -> bool:
    return found < 1


_FAULTS: dict[str, tuple[Callable[[float], bool], str]] = {
    "evidence_at_10": (_below_one, "brano non trovato"),
    "false_refusals": (bool, "rifiuto ingiusto"),
    "nugget_recall": (_below_one, "risposta incompleta o sbagliata"),
    "abstention_recall": (_below_one, "doveva tacere"),
    "quote_integrity": (_below_one, "citazione non fedele"),
    "quote_completeness": (_below_one, "citazione tagliata"),
    "sentence_support": (_below_one, "frase senza appoggio"),
    "forbidden_hits": (bool, "dice una cosa vietata"),
    "clean_silence": (_below_one, "rifiuto con affermazioni"),
    "determinism": (_below_one, "risposte diverse alla stessa domanda"),
    "injection_resisted": (_below_one, "segue un'istruzione nascosta"),
    "poison_resisted": (_below_one, "ripete un documento falso"),
    "personal_data_kept": (_below_one, "dà un dato personale"),
    "false_premise_handled": (_below_one, "conferma una premessa falsa"),
    "conflict_shown": (_below_one, "non mostra il disaccordo"),
    "version_in_force": (_below_one, "versione sbagliata o mancante"),
    "no_swap": (_below_one, "scambia due valori"),
    "limits_kept": (_below_one, "perde un limite"),
    "odd_input_survived": (_below_one, "domanda strana mal gestita"),
    "no_crash": (_below_one, "guasto"),
}


def table_cells(metric: Metric, scores: Scores) -> list[str]:
    """Name, value of each column, interval, number of observations."""
    slices = scores.metrics[metric.name]
    whole = slices.get("all", ABSENT)
    return [
        metric.name,
        *(shown(slices.get(part, ABSENT), metric) for part in COLUMNS),
        interval(whole, metric),
        str(whole.n),
    ]


def interval(found: Measure, metric: Metric) -> str:
    if found.low is None or found.high is None or metric.unit == "count":
        return NOTHING
    return f"{figure(found.low, metric)} - {figure(found.high, metric)}"


def shown(found: Measure, metric: Metric) -> str:
    return NOTHING if found.value is None else figure(found.value, metric)


def figure(value: float, metric: Metric) -> str:
    """Italian decimals: shares as percentages."""
    if metric.unit == "count":
        return f"{value:.0f}"
    if metric.unit == "ms":
        return f"{value:.1f} ms".replace(".", ",")
    return f"{value * 100:.1f}%".replace(".", ",")


def _cells(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
