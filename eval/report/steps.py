"""What each step of the search adds, as tables for a terminal, a pull request and the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from rich.console import Group
from rich.table import Table
from rich.text import Text

from eval.ablation import ALL, BM25, ENGLISH, GOLDEN, LAY, LESS, MS, STEPS, WHOLE
from eval.intervals import Measure
from eval.metrics.retrieval import RANKING
from eval.report.markup import Html, definitions, esc, table
from eval.steps import COMPARED, Contributions, Difference, GoalRow, StepRow, WordingRow

TITLE = "Contributo di ogni passo"
GOALS_TITLE = "Traguardi della ricerca"
WORDINGS_TITLE = "La stessa domanda scritta in altro modo"
LEGEND = (
    (
        "passi",
        "ogni riga aggiunge un passo a quella di sopra; le ultime tolgono una parte al tutto. La"
        " lettura corregge i refusi, traduce l'inglese e isola la domanda; il significato è il"
        " confronto di vettori; il riordino porta con sé le preferenze fra documenti.",
    ),
    (
        "figure",
        "R, MRR e nDCG sono sulle pagine (i paragrafi di SQuAD-it), in percento; fra parentesi"
        " l'intervallo al 95%, che ricampiona i documenti o gli articoli che rispondono.",
    ),
    (
        "differenza",
        "in punti, a coppie sulle stesse domande, dal passo di sopra (o dal tutto); p è della prova"
        " di casualizzazione di Fisher, corretto secondo Holm fra i passi della tabella.",
    ),
    ("ms", "mediana del solo ordinamento su questa macchina: si confronta dentro la tabella."),
)  # fmt: skip

_TITLES = {step.name: step.title for step in (*STEPS, *LESS)}
_MEASURES = {"RR@10": "MRR@10"}
_PARTS = {
    ALL: "tutte le domande",
    GOLDEN: "domande di riferimento, senza quelle in parole comuni",
    LAY: "domande in parole comuni",
    "dev": "sviluppo",
    "test": "verifica",
    ENGLISH: "in inglese",
}


class Cells(NamedTuple):
    """A table whose cells hold a figure and, after a line's end, what bounds it."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def goals_table(rows: Sequence[GoalRow]) -> Cells:
    heads = ("che cosa", "misura", "n", "BM25", "piano", "traguardo", "raggiunto")
    return Cells(GOALS_TITLE, heads, tuple(_goal(row) for row in rows))


def step_tables(rows: Sequence[StepRow]) -> list[Cells]:
    """One a part."""
    heads = (
        "passo", *(_MEASURES.get(name, name) for name in RANKING),
        *(f"differenza {name}" for name in COMPARED), "ms",
    )  # fmt: skip
    tables = []
    for part in dict.fromkeys(row.part for row in rows):
        own = [row for row in rows if row.part == part]
        title = f"{_part(part)}: {own[0].n} domande, {own[0].clusters} documenti o articoli"
        tables.append(Cells(title, heads, tuple(_step(row) for row in own)))
    return tables


def wordings_table(rows: Sequence[WordingRow]) -> Cells:
    heads = ("come", "n", "sistema", "R@5 originali", "R@5 varianti", "perdita di R@5", "p")
    return Cells(WORDINGS_TITLE, heads, tuple(_wording(row) for row in rows))


def tables(found: Contributions) -> list[Cells]:
    """Those that have rows."""
    every = [goals_table(found.goals), *step_tables(found.steps), wordings_table(found.wordings)]
    return [one for one in every if one.rows]


def terminal_steps(found: Contributions) -> Group:
    """Without the tables of each split, which are in the summary and on the page."""
    parts: list[Table | Text] = []
    steps = tuple(row for row in found.steps if row.part not in ("dev", "test"))
    for one in tables(replace(found, steps=steps)):
        shown = Table(title=one.title, title_justify="left", title_style="bold")
        for place, head in enumerate(one.heads):
            shown.add_column(head, justify="right" if place else "left")
        for row in one.rows:
            shown.add_row(*row)
        parts.append(shown)
    parts.append(Text("".join(f"  {name}: {told}\n" for name, told in LEGEND), "dim"))
    return Group(*parts)


def markdown_steps(found: Contributions, heading: str = "##") -> str:
    lines = [f"{heading} {TITLE}", ""]
    for one in tables(found):
        ruler = ["---", *("---:" for _ in one.heads[1:])]
        rows = [one.heads, ruler, *([cell.replace("\n", " ") for cell in row] for row in one.rows)]
        lines += [f"**{one.title}**", ""]
        lines += ["| " + " | ".join(row) + " |" for row in rows]
        lines.append("")
    lines += [f"- {name}: {told}" for name, told in LEGEND]
    return "\n".join([*lines, ""])


def html_steps(found: Contributions) -> str:
    """The body of the page's section; empty when nothing was measured."""
    shown = tables(found)
    if not shown:
        return ""
    body = "".join(
        table(one.title, one.heads, [[_small(cell) for cell in row] for row in one.rows])
        for one in shown
    )
    return (
        f"{body}<details class=legend><summary>Come si leggono</summary>"
        f"{definitions(LEGEND)}</details>"
    )


def _goal(row: GoalRow) -> tuple[str, ...]:
    goal = f"≤ {_number(row.goal)}" if row.at_most else f"≥ {_number(row.goal)}"
    if row.stretch is not None:
        goal += f" (meglio {_number(row.stretch)})"
    measure = _MEASURES.get(row.measure, row.measure)
    return (
        _part(row.part),
        f"perdita di {measure}" if row.at_most else measure,
        str(row.n),
        _bounded(row.bm25),
        _bounded(row.found),
        goal,
        "sì" if row.met else "no",
    )


def _step(row: StepRow) -> tuple[str, ...]:
    return (
        _TITLES[row.step],
        *(_bounded(row.measures[name]) for name in RANKING),
        *(_moved(row.differences.get(name)) for name in COMPARED),
        _number(row.measures[MS].value, 1.0),
    )


def _wording(row: WordingRow) -> tuple[str, ...]:
    return (
        _part(row.part),
        str(row.n),
        {BM25: "BM25", WHOLE: "piano"}[row.step],
        _bounded(row.originals),
        _bounded(row.variants),
        _bounded(row.loss.change),
        _p(row.loss.p),
    )


def _moved(found: Difference | None) -> str:
    if found is None:
        return "-"
    value = found.change.value or 0.0
    sign = "+" if round(value * 100, 1) > 0 else ""
    return f"{sign}{_bounded(found.change)}\np {_p(found.p_holm)}"


def _bounded(found: Measure) -> str:
    if found.value is None:
        return "-"
    return f"{_number(found.value)}\n({_number(found.low)} - {_number(found.high)})"


def _number(value: float | None, scale: float = 100.0) -> str:
    if value is None:
        return "-"
    return f"{round(value * scale, 1) + 0.0:.1f}".replace(".", ",").replace("-", "−")


def _p(value: float) -> str:
    return "< 0,001" if value < 0.001 else f"{value:.3f}".replace(".", ",")


def _part(name: str) -> str:
    """`profane, refusi` is said of lay questions with slips."""
    if name in _PARTS:
        return _PARTS[name]
    whose, _, change = name.partition(", ")
    change = change.replace("_", " ")
    return f"{_PARTS[whose]}, {_PARTS.get(change, change)}" if change else name.replace("_", " ")


def _small(cell: str) -> Html:
    figure, *rest = cell.split("\n")
    bounds = ", ".join(rest)
    return Html(f"{esc(figure)}<br><small>{esc(bounds)}</small>" if bounds else esc(figure))
