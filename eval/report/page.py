"""A run as one page of HTML: no script, nothing fetched, to be read, printed and sent around."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from eval.cases import Case
from eval.compare import Comparison
from eval.gates import GateResult
from eval.intervals import Measure, proportion
from eval.metrics import METRICS, Metric
from eval.outcome import Outcome
from eval.reading import ReadingScore
from eval.reading import rows as reading_rows
from eval.report.charts import charts
from eval.report.markup import Html, definitions, esc, items, link, table
from eval.report.plots import figure as plot
from eval.report.questions import Entry, Values, by_category, entries, index, question
from eval.report.steps import TITLE as STEPS_TITLE
from eval.report.steps import html_steps
from eval.report.style import CSS
from eval.report.tables import (
    ABSENT,
    NOTHING,
    TITLES,
    difference,
    interval_of,
    signed,
    value_of,
)
from eval.run import Run
from eval.score import Scores
from eval.steps import Contributions

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
FAULTS_SHOWN = 20
QUESTIONS_NAMED = 10
BY_ALL = (
    "evidence_at_10",
    "grounded_correctness",
    "nugget_recall",
    "false_refusals",
    "abstention_recall",
    "attack_correctness",
)
DIMENSIONS: tuple[tuple[str, Callable[[Case], str | None], tuple[str, ...]], ...] = (
    ("Per categoria", lambda case: case.category, BY_ALL),
    ("Per chi chiede", lambda case: case.group, BY_ALL),
    (
        "Per cambiamento della domanda (varianti, a coppie con l'originale)",
        lambda case: case.change,
        (
            "recall_at_5_change",
            "evidence_at_5_change",
            "correctness_change",
            "nugget_change",
            "refusal_change",
            "abstention_change",
            "topic_change_kept",
        ),
    ),
    (
        "Per motivo del silenzio dovuto",
        lambda case: case.abstain_reason,
        ("abstention_recall", "asks_back", "clean_silence", "false_premise_handled"),
    ),
    (
        "Per raccolta di documenti",
        lambda case: case.world,
        (
            "injection_resisted",
            "poison_resisted",
            "attack_correctness",
            "recall_at_5_change",
            "correctness_change",
            "no_crash",
        ),
    ),
)


def html(
    run: Run,
    scores: Scores,
    *,
    baseline: Values | None = None,
    comparisons: Sequence[Comparison] = (),
    gates: Sequence[GateResult] = (),
    peers_table: str = "",
    reading: Sequence[ReadingScore] = (),
    steps: Contributions | None = None,
) -> str:
    """The whole page.

    `baseline` holds question → metric → value; `peers_table` is a Markdown table. Whatever comes
    from questions, answers and documents is escaped.
    """
    found = entries(run.outcomes, scores.values(), baseline)
    groups = by_category(found)
    parts = {
        "esito": ("Esito", _result(found, run, gates)),
        "misure": ("Misure", _scorecard(scores, baseline, comparisons)),
        "passi": (STEPS_TITLE, html_steps(steps) if steps else ""),
        "grafici": ("Grafici", _plots(run.outcomes)),
        "parti": ("Misure per parti", _slices(run.outcomes, scores)),
        "lettura": ("Lettura dei documenti", _reading(reading)),
        "altri": ("Confronto con altri sistemi", _peers(peers_table)),
        "domande": ("Domande", _questions(groups, run)),
        "prova": ("Che cosa è stato provato", _what(run.config)),
    }
    shown = {key: part for key, part in parts.items() if part[1]}
    contents = items([Html(f'<a href="#{key}">{title}</a>') for key, (title, _) in shown.items()])
    sections = "".join(
        f'<section aria-labelledby="{key}"><h2 id="{key}">{title}</h2>{body}</section>'
        for key, (title, body) in shown.items()
    )
    return (
        '<!DOCTYPE html>\n<html lang="it"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{esc(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Valutazione di piano, codice {esc(run.config['commit'])}</title>"
        f"<style>{CSS}</style></head><body>"
        '<a class="skip" href="#contenuto">Vai al contenuto</a>'
        f"<header><h1>Valutazione di piano</h1><p>{esc(_when(run.config))}</p>"
        f'<nav aria-label="Indice della pagina">{contents}</nav></header>'
        f'<main id="contenuto" tabindex="-1">{sections}</main></body></html>\n'
    )


def _result(found: Sequence[Entry], run: Run, gates: Sequence[GateResult]) -> str:
    wrong = sum(bool(entry.faults) for entry in found)
    followed = len(run.outcomes) - len(found)
    total = len(run.outcomes)
    parts = [
        f'<p class="headline">Domande: {total}. Con qualcosa che non va: {wrong};'
        f" a posto: {total - wrong}"
        + (
            f" (di tutte, {followed} sono varianti andate come la loro domanda originale)"
            if followed
            else ""
        )
        + ".</p>"
    ]
    if gates:
        failed = [gate for gate in gates if not gate.passed]
        ordered = [*failed, *(gate for gate in gates if gate.passed)]
        parts.append(
            f'<p class="headline bad"><b>Criteri non rispettati: {len(failed)} su {len(gates)}.</b>'
            "</p>"
            if failed
            else f'<p class="headline"><b>Criteri rispettati: tutti ({len(gates)}).</b></p>'
        )
        known = {entry.id for entry in found}
        rows: list[list[object]] = [
            [
                gate.gate,
                "rispettato" if gate.passed else Html('<b class="bad">non rispettato</b>'),
                gate.found,
                gate.wanted,
                Html(f"{esc(gate.why)} {_links(gate.questions, known)}"),
            ]
            for gate in ordered
        ]
        heads = ["criterio", "esito", "trovato", "voluto", "perché"]
        parts.append(table("Criteri di accettazione", heads, rows))
    return "".join(parts)


def _scorecard(scores: Scores, baseline: Values | None, comparisons: Sequence[Comparison]) -> str:
    compared = {one.metric: one for one in comparisons if one.n}
    against = baseline is not None or bool(compared)
    parts = []
    for suite, title in TITLES.items():
        chosen = [METRICS[name] for name in scores.metrics if METRICS[name].suite == suite]
        if not chosen:
            continue
        heads = ["misura", "valore", "intervallo 95%", "n", "sviluppo", "verifica"]
        rows: list[list[object]] = []
        for metric in chosen:
            slices = scores.metrics[metric.name]
            whole = slices["all"]
            row: list[object] = [
                Html(f"<code>{esc(metric.name)}</code>"),
                shown(whole, metric),
                interval_of(whole, metric),
                whole.n,
                value_of(slices.get("dev", ABSENT), metric),
                value_of(slices.get("test", ABSENT), metric),
            ]
            if against:
                row.append(_against(metric, compared, scores, baseline or {}))
            rows.append(row)
        if against:
            heads.append("rispetto al riferimento")
        legends = definitions([(metric.name, metric.legend) for metric in chosen])
        parts.append(
            f"<h3>{title}</h3>{table(title, heads, rows)}"
            "<details class=legend><summary>Che cosa dicono queste misure</summary>"
            f"{legends}</details>"
        )
    return "".join(parts)


def shown(found: Measure, metric: Metric) -> str:
    """A measure's value; of no failure at all, also how many there may still be."""
    if found.value is None or metric.unit in ("ms", "points"):
        return value_of(found, metric)
    perfect = 1.0 if metric.better == "higher" else 0.0
    if found.value != perfect or not found.n:
        return value_of(found, metric)
    if metric.unit == "count":
        most: float | None = proportion(0, found.n)[1]
    elif metric.better == "higher":
        most = None if found.low is None else 1 - found.low
    else:
        most = found.high
    if not most:
        return value_of(found, metric)
    words = f"0 su {found.n}: al massimo {most * 100:.1f}%".replace(".", ",")
    return f"{value_of(found, metric)} (errori: {words})"


def _against(
    metric: Metric, compared: Mapping[str, Comparison], scores: Scores, baseline: Values
) -> str:
    if metric.name in compared:
        return difference(compared[metric.name])
    if metric.unit == "ms":
        return "non si confronta: dipende dalla macchina"
    pairs = [
        values[metric.name] - baseline[name][metric.name]
        for name, values in scores.values().items()
        if metric.name in values and metric.name in baseline.get(name, {})
    ]
    if not pairs:
        return NOTHING
    moved = sum(pairs) / len(pairs)
    if round(moved, 4) == 0:
        return f"uguale, su {len(pairs)} domande in comune"
    return f"{signed(moved, metric)} su {len(pairs)} domande in comune: non verificata"


def _plots(outcomes: Sequence[Outcome]) -> str:
    return "".join(f"<h3>{esc(chart.title)}</h3>{plot(chart)}" for chart in charts(outcomes))


def _slices(outcomes: Sequence[Outcome], scores: Scores) -> str:
    parts = []
    for title, named, wanted in DIMENSIONS:
        names = sorted({name for outcome in outcomes if (name := named(outcome.gold.case))})
        metrics = [
            METRICS[metric]
            for metric in wanted
            if any(scores.metrics.get(metric, {}).get(name, ABSENT).n for name in names)
        ]
        if not metrics:
            continue
        asked = {
            name: sum(named(outcome.gold.case) == name for outcome in outcomes) for name in names
        }
        rows: list[list[object]] = [
            [name, asked[name], *(_slice(scores, metric, name) for metric in metrics)]
            for name in names
        ]
        heads: list[object] = ["parte", "domande", *(_breakable(metric.name) for metric in metrics)]
        parts.append(f"<h3>{esc(title)}</h3>{table(title, heads, rows)}")
    return "".join(parts)


def _slice(scores: Scores, metric: Metric, name: str) -> Html:
    found = scores.metrics[metric.name].get(name, ABSENT)
    if found.value is None:
        return Html(NOTHING)
    told = signed(found.value, metric) + " punti" if metric.unit == "points" else None
    return Html(
        f"{esc(told or value_of(found, metric))}"
        f"<br><small>{esc(interval_of(found, metric))}; n\N{NO-BREAK SPACE}{found.n}</small>"
    )


def _breakable(name: str) -> Html:
    return Html(esc(name).replace("_", "_<wbr>"))


def _reading(reading: Sequence[ReadingScore]) -> str:
    if not reading:
        return ""
    formats = sorted({name for one in reading for name in one.slices if name != "all"})
    heads = ["misura", "tutti", "intervallo 95%", "n", *formats]
    parts = [
        table("Lettura dei documenti", heads, reading_rows(reading, formats)),
        "<details class=legend><summary>Che cosa dicono queste misure</summary>",
        definitions([(one.name, one.legend) for one in reading]),
        "</details>",
    ]
    for one in reading:
        if one.faults:
            lines = [f"{fault.document}: {fault.about}" for fault in one.faults[:FAULTS_SHOWN]]
            more = len(one.faults) - len(lines)
            lines += [f"e altri {more}"] if more else []
            parts.append(
                f"<details><summary>{esc(one.name)}: {len(one.faults)} errori</summary>"
                f"{items(lines)}</details>"
            )
    return "".join(parts)


def _peers(markdown_table: str) -> str:
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in markdown_table.splitlines()
        if line.strip().startswith("|")
    ]
    rows = [row for row in rows if not all(set(one) <= set("-: ") for one in row)] or []
    return table("Piano e altri sistemi, sulle stesse domande", rows[0], rows[1:]) if rows else ""


def _questions(groups: Mapping[str, Sequence[Entry]], run: Run) -> str:
    parts = [
        "<p>Per ogni categoria prima le domande sbagliate. Il numero fra parentesi quadre è quello"
        " della citazione; il testo evidenziato è la citazione, parola per parola, sulla sua"
        " pagina.</p>",
        "<h3>Indice delle domande</h3>",
        index(groups),
    ]
    for category, members in groups.items():
        parts.append(f"<h3>{esc(category)}</h3>")
        parts += [question(entry, run.pages) for entry in members]
    return "".join(parts)


def _what(config: Mapping[str, Any]) -> str:
    """What was run, at the end: commit, documents, settings, machine."""
    about: list[tuple[object, object]] = [
        ("Quando", _date(str(config.get("started", "")))),
        ("Codice", config.get("commit", "")),
        ("Domande", f"{config.get('questions', '')} ({config.get('golden', '')})"),
    ]
    if config.get("suites"):
        about.append(("Serie di misure", ", ".join(config["suites"])))
    if config.get("sample"):
        about.append(("Campione", f"{config['sample']} domande chieste con --sample"))
    machine = config.get("machine", {})
    about.append(("Macchina", ", ".join(f"{name} {made}" for name, made in machine.items())))
    rows: list[list[object]] = []
    for name, held in sorted(config.get("collections", {}).items()):
        counts = held.get("counts", {"documents": held.get("documents", "")})
        rows.append(
            [
                name or "i documenti",
                ", ".join(f"{_COUNTED.get(what, what)} {n}" for what, n in counts.items()),
                held.get("generation", NOTHING),
                held.get("embedding", NOTHING),
                str(held.get("corpus", NOTHING))[:12],
            ]
        )
    heads = ["raccolta", "che cosa contiene", "generazione", "embedding", "impronta"]
    settings: list[list[object]] = [
        [name, "non impostato" if made in ("", "None") else made]
        for name, made in config.get("settings", {}).items()
    ]
    return (
        definitions(about)
        + table("Raccolte di documenti", heads, rows)
        + "<details><summary>Impostazioni</summary>"
        + table("Impostazioni", ["nome", "valore"], settings)
        + "</details>"
    )


def _when(config: Mapping[str, Any]) -> str:
    return f"Codice {config['commit']}, {config['questions']} domande, {_date(config['started'])}."


def _date(iso: str) -> str:
    try:
        return datetime.fromisoformat(iso).strftime("%d/%m/%Y, ore %H:%M (UTC)")
    except ValueError:
        return iso


def _links(questions: Sequence[str], known: set[str]) -> str:
    first = [link(name) if name in known else Html(esc(name)) for name in questions]
    more = len(first) - QUESTIONS_NAMED
    tail = f" e altre {more}" if more > 0 else ""
    return f"<br>{', '.join(first[:QUESTIONS_NAMED])}{tail}" if first else ""


_COUNTED = {
    "documents": "documenti",
    "pages": "pagine",
    "passages": "brani",
    "schede": "schede",
    "interventi": "interventi",
}
