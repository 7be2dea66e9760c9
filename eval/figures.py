"""What a benchmark measured, held against its goals, and the table that shows it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eval.intervals import summarise

GOALS: dict[str, tuple[float, str]] = {
    "ask_process": (1500.0, "at most"),
    "search_warm": (15.0, "at most"),
    "ingest_pages_per_second": (100.0, "at least"),
    "ingest_long_pages_per_second": (100.0, "at least"),
    "ingest_long_memory": (600.0, "at most"),
    "build_100k": (180.0, "at most"),
    "build_100k_memory": (1500.0, "at most"),
    "search_100k": (15.0, "at most"),
    "search_100k_half": (30.0, "at most"),
    "search_100k_narrow": (15.0, "at most"),
    "answer_100k": (100.0, "at most"),
    "api_100k_memory": (700.0, "at most"),
}
"""Those of an index made to measure hold for 100,000 passages: for others the names differ."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing; `judged` is the number that the goal is about."""

    name: str
    unit: str
    n: int
    median: float
    p95: float
    judged: float
    goal: str | None = None
    met: bool | None = None
    note: str = ""


def figure(
    name: str, unit: str, values: Sequence[float], note: str = "", judge: str = "median"
) -> Figure:
    """Median and p95 of the values, against the goal if there is one for the name."""
    median, p95 = summarise(values, "p50"), summarise(values, "p95")
    judged = p95 if judge == "p95" else median
    goal: str | None = None
    met: bool | None = None
    if name in GOALS:
        limit, side = GOALS[name]
        goal = f"{side} {limit:g} {unit}"
        met = judged <= limit if side == "at most" else judged >= limit
    return Figure(
        name=name,
        unit=unit,
        n=len(values),
        median=round(median, 2),
        p95=round(p95, 2),
        judged=round(judged, 2),
        goal=goal,
        met=met,
        note=note,
    )


def print_table(figures: Iterable[Figure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"piano bench, {os.cpu_count()} CPUs", title_justify="left")
    for column in ("what", "n", "median", "p95", "goal", ""):
        right = column in ("n", "median", "p95")
        table.add_column(column, justify="right" if right else "left", no_wrap=True)
    shown = list(figures)
    for one in shown:
        mark = "" if one.met is None else "met" if one.met else "MISSED"
        middle = f"{one.median:.1f} {one.unit}"
        table.add_row(one.name, str(one.n), middle, f"{one.p95:.1f}", one.goal or "", mark)
    console = Console()
    if not console.is_terminal:
        console.width = 110  # a log is not 80 columns wide
    console.print(table)
    for one in shown:
        if one.note:
            console.print(f"{one.name}: {one.note}", soft_wrap=True)
