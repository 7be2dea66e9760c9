"""Where a run of units is best cut into passages: the lowest total cost of sizes and cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cache

from ingest.models import BlockKind

PASSAGE_ALGORITHM = 2
"""To be raised when the same settings give other passages than before."""

Stretch = tuple[int, int, int]
"""`(page, start, end)` in a page's canonical text."""


@dataclass(frozen=True, slots=True)
class PassageSettings:
    """Sizes in characters of canonical text."""

    target_chars: int = 750
    """The size that passages tend to."""
    max_chars: int = 900
    """Exceeded only to keep together what is read together."""
    min_chars: int = 200
    """A shorter rest of a section joins its neighbour when it can."""
    stray_chars: int = 120
    """Several headings without text that are longer than this, together, are read as text."""
    max_units: int = 64
    """Most blocks or sentences in one passage; bounds the work on tables of tiny rows."""

    @property
    def fingerprint(self) -> str:
        """Goes into the manifest: generations with other passages must not be mixed."""
        return "v{}-{}-{}-{}-{}-{}".format(PASSAGE_ALGORITHM, *astuple(self))


@dataclass(frozen=True, slots=True)
class Unit:
    """What is never cut: a block, or a sentence of a long one."""

    page: int
    start: int
    end: int
    kind: BlockKind
    cut_after: float
    """Cost of ending a passage behind this unit; negative where an end is welcome."""
    lead: tuple[Stretch, ...] = ()
    """What a passage that opens with this unit repeats from before, to be read by itself."""


def best_cuts(units: Sequence[Unit], settings: PassageSettings) -> list[tuple[int, int]]:
    """Half-open ranges of units, by dynamic programming over their ends."""
    sizes = [unit.end - unit.start + 1 for unit in units]
    leads = [sum(end - start + 1 for _, start, end in unit.lead) for unit in units]
    count = len(units)
    if sum(sizes) <= settings.max_chars and units[0].page == units[-1].page:
        return [(0, count)]
    size_costs = _size_costs(settings)
    ceiling = len(size_costs) - 1
    best = [0.0] + [float("inf")] * count
    origin = [0] * (count + 1)
    for last in range(1, count + 1):
        cut = units[last - 1].cut_after if last < count else 0.0
        size = -1
        for first in range(last - 1, max(-1, last - 1 - settings.max_units), -1):
            size += sizes[first]
            whole = size + leads[first]
            if whole > ceiling:
                if size > ceiling and first < last - 1:
                    break
                whole = ceiling
            cost = best[first] + cut + size_costs[whole]
            if cost < best[last]:
                best[last], origin[last] = cost, first
    cuts: list[tuple[int, int]] = []
    last = count
    while last:
        cuts.append((origin[last], last))
        last = origin[last]
    return cuts[::-1]


@cache
def _size_costs(settings: PassageSettings) -> tuple[float, ...]:
    """Cost of a passage by its size, up to one and a half times the longest wanted."""
    target, longest = settings.target_chars, settings.max_chars
    costs = []
    for size in range(longest * 3 // 2 + 1):
        if size > longest:
            costs.append(20.0 + size - longest)
        elif size >= target:
            costs.append(20.0 * (size - target) / (longest - target + 1))
        else:
            shortfall = (target - size) / target
            costs.append(100.0 * shortfall**2 + (60.0 if size < settings.min_chars else 0.0))
    return tuple(costs)
