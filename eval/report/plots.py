"""Plots as SVG, written by hand: each has a title, a description, and a table with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 640, 220
LEFT, BOTTOM, TOP = 40, 30, 10


class Bar(NamedTuple):
    """A column of a plot; `value` is a share or a count, `note` goes to the table."""

    label: str
    value: float
    note: str


def bars(title: str, description: str, columns: Sequence[Bar], head: str) -> str:
    """A column plot with its table; heights are relative to the highest column."""
    highest = max((column.value for column in columns), default=0) or 1
    step = (WIDTH - LEFT) / max(1, len(columns))
    room = HEIGHT - BOTTOM - TOP
    drawn = []
    for place, column in enumerate(columns):
        tall = room * column.value / highest
        x = LEFT + place * step
        middle = x + step / 2
        drawn.append(
            f'<rect x="{x + step * 0.1:.1f}" y="{HEIGHT - BOTTOM - tall:.1f}"'
            f' width="{step * 0.8:.1f}" height="{tall:.1f}"/>'
            f'<text x="{middle:.1f}" y="{HEIGHT - 10}" text-anchor="middle">'
            f"{escape(column.label)}</text>"
        )
    rows = "".join(
        f'<tr><th scope="row">{escape(column.label)}</th><td>{escape(column.note)}</td></tr>'
        for column in columns
    )
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(description)}">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
        f'<line x1="{LEFT}" y1="{HEIGHT - BOTTOM}" x2="{WIDTH}" y2="{HEIGHT - BOTTOM}"/>'
        f"{''.join(drawn)}</svg>"
        f"<table><caption>{escape(description)}</caption>"
        f'<thead><tr><th scope="col">{escape(head)}</th><th scope="col">quante</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></figure>"
    )


def histogram(values: Sequence[float], edges: Sequence[float], unit: str) -> list[Bar]:
    """Counts between edges, the last bin open above."""
    found = []
    for place, edge in enumerate(edges):
        above = edges[place + 1] if place + 1 < len(edges) else float("inf")
        count = sum(edge <= value < above for value in values)
        label = f"{edge:g}-{above:g}" if above < float("inf") else f"≥ {edge:g}"
        found.append(Bar(label.replace(".", ","), float(count), f"{count} {unit}"))
    return found
