"""A run's figures as a terminal table, and as a Markdown summary for a pull request, in Italian."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from eval.compare import Comparison
from eval.gates import GateResult
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
GATES_SHOWN = 10
CHANGED_SHOWN = 5
HEADLINES = (
    "evidence_at_10",
    "recall_at_5",
    "grounded_correctness",
    "nugget_recall",
    "evidence_recall",
    "quote_integrity",
    "quote_completeness",
    "sentence_support",
    "crag_score",
    "forbidden_hits",
    "abstention_recall",
    "false_refusals",
    "attack_correctness",
    "injection_resisted",
    "poison_resisted",
    "personal_data_kept",
    "false_premise_handled",
    "no_crash",
    "follow_up_correctness",
    "correctness_change",
    "ask_p95",
)
"""What a reviewer looks at first."""
VERDICTS = {
    "better": "migliora",
    "worse": "peggiora",
    "no difference shown": "differenza non dimostrata",
}


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


def markdown(
    scores: Scores,
    outcomes: Sequence[Outcome],
    config: Mapping[str, Any],
    *,
    comparisons: Sequence[Comparison] = (),
    gates: Sequence[GateResult] = (),
) -> str:
    """What a reviewer needs in at most 60 lines, then every figure, folded."""
    lines = [
        "# Valutazione",
        "",
        f"Codice {config['commit']}, {config['questions']} domande, {config['started']}.",
        "",
        *_gate_lines(gates),
        *_headlines(scores, comparisons),
        *_changed_lines(outcomes, comparisons),
        "<details>",
        "<summary>Tutte le misure e le domande da guardare</summary>",
        "",
    ]
    for suite, title in TITLES.items():
        chosen = [METRICS[name] for name in scores.metrics if METRICS[name].suite == suite]
        if not chosen:
            continue
        heads = ["misura", *COLUMNS.values(), "intervallo 95%", "n"]
        lines += [f"## {title}", "", _cells(heads), _ruler(len(heads))]
        lines += [_cells(_row(metric, scores)) for metric in chosen]
        lines += ["", *(f"- `{metric.name}`: {metric.legend}" for metric in chosen), ""]
    poor = poor_questions(outcomes)
    if poor:
        lines += ["## Da guardare", "", *(f"- {_plain(line)}" for line in poor), ""]
    return "\n".join([*lines, "</details>", ""])


def _gate_lines(gates: Sequence[GateResult]) -> list[str]:
    """Those failed by name, the others by number."""
    if not gates:
        return []
    failed = [gate for gate in gates if not gate.passed]
    if not failed:
        return [f"**Criteri rispettati: {len(gates)} su {len(gates)}.**", ""]
    more = len(failed) - GATES_SHOWN
    return [
        f"**Criteri non rispettati: {len(failed)} su {len(gates)}.**",
        "",
        *(
            f"- ❌ {_plain(gate.gate)}: {_plain(gate.found)}. {_plain(gate.why)}"
            for gate in failed[:GATES_SHOWN]
        ),
        *([f"- e altri {more}"] if more > 0 else []),
        "",
    ]


def _headlines(scores: Scores, comparisons: Sequence[Comparison]) -> list[str]:
    by_name = {one.metric: one for one in comparisons if one.n}
    heads = ["misura", "valore", "intervallo 95%", "n"]
    if by_name:
        heads.append("differenza dal riferimento")
    rows = []
    for name in HEADLINES:
        if name not in scores.metrics or not scores.metrics[name]["all"].n:
            continue
        _, value_cell, _, _, interval, n = _row(METRICS[name], scores)
        row = [name, value_cell, interval, n]
        rows.append([*row, difference(by_name.get(name))] if by_name else row)
    return [_cells(heads), _ruler(len(heads)), *map(_cells, rows), ""] if rows else []


def _changed_lines(outcomes: Sequence[Outcome], comparisons: Sequence[Comparison]) -> list[str]:
    asked = {outcome.gold.case.id: outcome.gold.case.question for outcome in outcomes}
    lines: list[str] = []
    for title, changed in (
        ("Peggiorate", [(one.metric, one.got_worse) for one in comparisons]),
        ("Migliorate", [(one.metric, one.got_better) for one in comparisons]),
    ):
        why: dict[str, list[str]] = {}
        for metric, questions in changed:
            for question in questions:
                why.setdefault(question, []).append(metric)
        if not why:
            continue
        first = sorted(why, key=lambda question: -len(why[question]))[:CHANGED_SHOWN]
        lines += [f"**{title}: {len(why)}**", ""]
        for question in first:
            words = shortened(asked.get(question, ""), 100)
            named = ", ".join(why[question][:4])
            lines.append(f"- {_plain(f'{question} «{words}»: {named}')}")
        lines.append("")
    return lines


def terminal_comparison(comparisons: Sequence[Comparison]) -> Text:
    """Metrics of which some question got better or worse."""
    lines = [
        f"  {one.metric}: {difference(one)}; p {one.p_holm:.3f}, meglio {len(one.got_better)},"
        f" peggio {len(one.got_worse)}"
        for one in comparisons
        if one.n and (one.got_better or one.got_worse)
    ]
    return Text("\n".join(lines or ["  Nessuna domanda è cambiata."]))


def terminal_gates(gates: Sequence[GateResult]) -> Text:
    lines = []
    for one in gates:
        mark = "rispettato" if one.passed else "NON RISPETTATO"
        why = f" ({one.why})" if one.why else ""
        lines.append(f"  {mark}: {one.gate}, trovato {one.found}{why}")
    return Text("\n".join(lines))


def difference(one: Comparison | None) -> str:
    """How a metric moved, and whether more than chance shows, in words."""
    if one is None or one.difference is None:
        return NOTHING
    metric = METRICS.get(one.metric)
    moved = signed(one.difference, metric)
    if one.low is not None and one.high is not None:
        moved += f" (da {signed(one.low, metric)} a {signed(one.high, metric)})"
    return f"{moved}: {VERDICTS.get(one.verdict, one.verdict)}"


def signed(value: float, metric: Metric | None) -> str:
    """A difference; of shares, in percentage points."""
    unit = metric.unit if metric else "share"
    if unit == "ms":
        text = f"{value:+.1f} ms"
    elif unit == "count":
        text = f"{value:+.2f}"
    else:
        text = f"{value * 100:+.1f}"
    if float(text.split()[0]) == 0:
        text = text[1:]
    return text.replace(".", ",").replace("-", "−")


def shortened(text: str, length: int) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= length else one_line[: length - 1] + "…"


def poor_questions(outcomes: Sequence[Outcome]) -> list[str]:
    """One line for each question that went wrong, saying what did."""
    return [
        f"{outcome.gold.case.id} «{outcome.gold.case.question}»: {', '.join(found)}"
        for outcome in outcomes
        if (found := faults(outcome))
    ]


def faults(outcome: Outcome) -> list[str]:
    """In words, each metric that says that the question went wrong."""
    wrong = []
    for name, (poor, words) in _FAULTS.items():
        found = value(name, outcome)
        if found is not None and poor(found):
            wrong.append(words)
    if "rifiuto ingiusto" in wrong and "risposta incompleta o sbagliata" in wrong:
        wrong.remove("risposta incompleta o sbagliata")
    return wrong


def _below_one(found: float) -> bool:
    return found < 1


def _below_zero(found: float) -> bool:
    return found < 0


def _above_zero(found: float) -> bool:
    return found > 0


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
    "refusal_change": (_above_zero, "rifiuto che l'originale non ha"),
    "abstention_change": (_below_zero, "parla dove l'originale tace"),
    "correctness_change": (_below_zero, "perde la risposta giusta"),
    "topic_change_kept": (_below_one, "confusa dalla domanda di prima"),
}


def _row(metric: Metric, scores: Scores) -> list[str]:
    slices = scores.metrics[metric.name]
    whole = slices["all"]
    return [
        metric.name,
        *(value_of(slices.get(part, ABSENT), metric) for part in COLUMNS),
        interval_of(whole, metric),
        str(whole.n),
    ]


def value_of(found: Measure, metric: Metric) -> str:
    return NOTHING if found.value is None else figure(found.value, metric)


def interval_of(found: Measure, metric: Metric) -> str:
    if found.low is None or found.high is None or metric.unit == "count":
        return NOTHING
    return f"{figure(found.low, metric)} - {figure(found.high, metric)}"


def figure(value: float, metric: Metric) -> str:
    """Italian decimals: shares as percentages."""
    if metric.unit == "count":
        return f"{value:.0f}"
    if metric.unit == "ms":
        return f"{value:.1f} ms".replace(".", ",")
    return f"{value * 100:.1f}%".replace(".", ",")


def _ruler(columns: int) -> str:
    return _cells(["---"] + ["---:"] * (columns - 1))


def _plain(text: str) -> str:
    """Words of questions and documents on one line, never markup, mentions nor links."""
    one_line = " ".join(text.split())
    return re.sub(r"[\\`*_\[\]<>|#&@~]", lambda found: f"&#{ord(found[0])};", one_line)


def _cells(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
