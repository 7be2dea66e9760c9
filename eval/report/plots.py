"""Bar charts as inline SVG, each with the same numbers in a table under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.report.markup import esc, table

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 30, 58
FILLS = ("solid", "hatched")


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: tuple[float | None, ...]
    """None where there was nothing to count."""
    share: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    key: str
    """Unique in the page."""
    title: str
    note: str
    axis: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    """At most two are drawn: the others only stand in the table."""
    drawn: int = 1
    marks: tuple[tuple[float, str], ...] = ()
    """Vertical lines: place in bins (1.5 is the middle of the second), and label."""


def figure(chart: Chart) -> str:
    rows = [
        [label, *(_cell(one, place) for one in chart.series)]
        for place, label in enumerate(chart.labels)
    ]
    heads = [chart.axis, *(one.name for one in chart.series)]
    return (
        f'<figure><figcaption>{esc(chart.note)}</figcaption><div class="plot">{svg(chart)}</div>'
        f"{table(f'{chart.title}: i numeri', heads, rows)}</figure>"
    )


def svg(chart: Chart) -> str:
    drawn = chart.series[: chart.drawn]
    share = all(one.share for one in drawn)
    top = 1.0 if share else _ceiling(max((v or 0 for one in drawn for v in one.values), default=0))
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step_wide = wide / max(1, len(chart.labels))
    bar = step_wide * 0.8 / max(1, len(drawn))
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-labelledby="{chart.key}-t {chart.key}-d">',
        f'<title id="{chart.key}-t">{esc(chart.title)}</title>',
        f'<desc id="{chart.key}-d">{esc(_described(chart))}</desc>',
        f'<defs><pattern id="{chart.key}-h" width="6" height="6" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff"/>'
        '<rect width="3" height="6" fill="#b3500f"/></pattern></defs>',
    ]
    for step in range(5):
        at, y = top * step / 4, TOP + high * (1 - step / 4)
        text = f"{at * 100:.0f}%" if share else f"{at:.0f}"
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#c9ced6"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
        )
    for number, one in enumerate(drawn):
        fill = "#1d4f91" if number == 0 else f"url(#{chart.key}-h)"
        for place, value in enumerate(one.values):
            if not value:
                continue
            tall = high * min(1.0, value / top)
            x = LEFT + step_wide * place + step_wide * 0.1 + bar * number
            parts.append(
                f'<rect x="{x:.1f}" y="{TOP + high - tall:.1f}" width="{bar:.1f}"'
                f' height="{tall:.1f}" fill="{fill}"'
                f' stroke="{"#1d4f91" if number == 0 else "#8a3c08"}"/>'
            )
    for place, label in enumerate(chart.labels):
        x = LEFT + step_wide * (place + 0.5)
        parts.append(
            f'<text x="{x:.1f}" y="{TOP + high + 16}" text-anchor="middle">{esc(label)}</text>'
        )
    parts.append(
        f'<text x="{LEFT + wide / 2}" y="{TOP + high + 34}" text-anchor="middle">'
        f"{esc(chart.axis)}</text>"
    )
    for number, one in enumerate(drawn if len(drawn) > 1 else ()):
        fill = "#1d4f91" if number == 0 else f"url(#{chart.key}-h)"
        x = LEFT + number * wide / 2
        parts.append(
            f'<rect x="{x}" y="{HEIGHT - 14}" width="12" height="12" fill="{fill}"'
            ' stroke="#333"/>'
            f'<text x="{x + 18}" y="{HEIGHT - 4}">{esc(one.name)}</text>'
        )
    for number, (where, label) in enumerate(chart.marks):
        x = LEFT + step_wide * where
        anchor = "start" if x < WIDTH * 0.7 else "end"
        shift = 4 if anchor == "start" else -4
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 14}" y2="{TOP + high}"'
            ' stroke="#111" stroke-width="2" stroke-dasharray="5 3"/>'
            f'<text x="{x + shift:.1f}" y="{TOP - 4 - 14 * (number % 2)}"'
            f' text-anchor="{anchor}">{esc(label)}</text>'
        )
    return "".join([*parts, "</svg>"])


def _described(chart: Chart) -> str:
    """The bars in words, for who cannot see them."""
    told = [
        f"{label}: " + ", ".join(f"{one.name} {_cell(one, place)}" for one in chart.series)
        for place, label in enumerate(chart.labels)
    ]
    return f"{chart.note} {'; '.join(told)}."


def _cell(one: Series, place: int) -> str:
    value = one.values[place]
    if value is None:
        return "-"
    return f"{value * 100:.0f}%" if one.share else f"{value:.0f}"


def _ceiling(value: float) -> float:
    """The next round number that four steps divide."""
    step = 4
    while step * 1.0 < value:
        step = step * 2 if str(step)[0] in "48" else step * 5 // 4
    return float(step)


def bins(values: Sequence[float], low: float, high: float, count: int) -> list[int]:
    """How many values fall in each of `count` equal stretches; those outside go to the ends."""
    found = [0] * count
    for value in values:
        found[bin_of(value, low, high, count)] += 1
    return found


def bin_of(value: float, low: float, high: float, count: int) -> int:
    if high <= low:
        return 0
    return max(0, min(count - 1, int((value - low) / (high - low) * count)))
