"""Running lines: what comes back at one height on many pages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.formats.marks import RECORD
from ingest.formats.pdf_lines import Line
from ingest.formats.pdf_rules import Grid
from ingest.models import BlockKind

_TOP_SHARE, _BOTTOM_SHARE = 0.30, 0.20
_MARGIN_SHARE = 0.10
_EDGE_LINES = 8
_SAME_HEIGHT = 4.0
_LETTERHEAD_GAP = 2.2
"""Widest distance between two lines of one letterhead, in font sizes."""
_MIN_PAGES = 3
_MIN_PAGE_SHARE = 0.2
_NUMBER = re.compile(r"\d+")
_TABLE_EDGES = 3
"""A letterhead may be set in a grid of two rows, which have as many lines across."""
_BLANK = re.compile(r"\s+")
_PAGE_NUMBER = re.compile(
    r"(?:pag(?:ina|\.)?\s*(?:\d+|[ivxlc]+)|[-–—]\s*(?:\d+|[ivxlc]+)\s*[-–—]|\d+|[ivxlc]+)"
    r"(?:\s*(?:di|/|su)\s*\d+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PageLines:
    """Lines of one page, in the order of the content stream; number starts at 1."""

    number: int
    height: float
    lines: Sequence[Line]
    grids: Sequence[Grid] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    page: PageLines
    index: int
    side: BlockKind
    text: str

    @property
    def line(self) -> Line:
        return self.page.lines[self.index]

    @property
    def in_table(self) -> bool:
        """Whether it stands in a drawn table of several rows, as cells at a page's foot may."""
        x, y = self.line.left, self.line.middle
        return any(
            len(grid.ys) > _TABLE_EDGES
            and grid.xs[0] <= x <= grid.xs[-1]
            and grid.ys[-1] <= y <= grid.ys[0]
            for grid in self.page.grids
        )

    @property
    def in_margin(self) -> bool:
        share = self.line.baseline / self.page.height
        return share > 1 - _MARGIN_SHARE or share < _MARGIN_SHARE


def running_lines(pages: Sequence[PageLines]) -> list[dict[int, BlockKind]]:
    """For each page, the indexes of its running lines and whether they are header or footer."""
    edges = [list(_edge_lines(page)) for page in pages]
    groups: dict[tuple[str, str], list[_Candidate]] = defaultdict(list)
    for candidate in (c for edge in edges for c in edge if not _opens_record(c)):
        groups[candidate.side, _NUMBER.sub("#", candidate.text)].append(candidate)
    with_text = sum(bool(page.lines) for page in pages)
    needed = max(_MIN_PAGES, round(_MIN_PAGE_SHARE * with_text))
    running: set[tuple[int, int]] = set()
    for group in groups.values():
        for cluster in _same_height(group):
            running.update((c.page.number, c.index) for c in _recurring(cluster, needed, with_text))
    kinds = [_from_the_edge(edge, running) for edge in edges]
    for place, index in _turned(pages, needed):
        kinds[place][index] = "footer"
    return kinds


def _turned(pages: Sequence[PageLines], needed: int) -> Iterator[tuple[int, int]]:
    """Positions of the pages and of their lines set upwards, as stamps are, that come back."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, page in enumerate(pages):
        for index, line in enumerate(page.lines):
            if not line.upright:
                found[_NUMBER.sub("#", _BLANK.sub(" ", line.words).lower())].append((place, index))
    for places in found.values():
        if len({place for place, _ in places}) >= needed:
            yield from places


def _edge_lines(page: PageLines) -> Iterator[_Candidate]:
    """The lines nearest to the top and to the bottom, from the edge inwards."""
    by_height = sorted(range(len(page.lines)), key=lambda i: -page.lines[i].baseline)
    sides: tuple[tuple[BlockKind, list[int]], ...] = (
        ("header", by_height[:_EDGE_LINES]),
        ("footer", by_height[::-1][:_EDGE_LINES]),
    )
    for side, indexes in sides:
        for index in indexes:
            share = page.lines[index].baseline / page.height
            if (share > 1 - _TOP_SHARE) if side == "header" else (share < _BOTTOM_SHARE):
                text = _BLANK.sub(" ", page.lines[index].words).lower()
                yield _Candidate(page, index, side, text)


def _opens_record(candidate: _Candidate) -> bool:
    """Whether it may be the title of a scheda or of an article, however regular its place."""
    if not RECORD.match(candidate.text):
        return False
    return _looks_like_heading(candidate) or not candidate.in_margin


def _looks_like_heading(candidate: _Candidate) -> bool:
    sizes = sorted(line.size for line in candidate.page.lines)
    return candidate.line.bold or candidate.line.size > sizes[len(sizes) // 2] * 1.05


def _same_height(group: list[_Candidate]) -> Iterator[list[_Candidate]]:
    """The group cut where the heights of two neighbours differ, measured from the nearer edge."""
    ordered = sorted(group, key=_edge_distance)
    cluster: list[_Candidate] = []
    for candidate in ordered:
        if cluster and _edge_distance(candidate) - _edge_distance(cluster[-1]) > _SAME_HEIGHT:
            yield cluster
            cluster = []
        cluster.append(candidate)
    yield cluster


def _edge_distance(candidate: _Candidate) -> float:
    if candidate.side == "header":
        return candidate.page.height - candidate.line.baseline
    return candidate.line.baseline


def _recurring(cluster: list[_Candidate], needed: int, with_text: int) -> list[_Candidate]:
    """The members of a cluster that recur unchanged, or with a number that follows the page's."""
    by_text: dict[str, list[_Candidate]] = defaultdict(list)
    for candidate in cluster:
        by_text[candidate.text].append(candidate)
    found: list[_Candidate] = []
    for same in by_text.values():
        pages = {c.page.number for c in same}
        both_of_two = with_text == len(pages) == 2 and same[0].in_margin
        if len(pages) >= needed or both_of_two:
            found.extend(same)
    found.extend(
        c for c in cluster if _PAGE_NUMBER.fullmatch(c.text) and c.in_margin and not c.in_table
    )
    if len({c.page.number for c in cluster}) < min(needed, max(2, with_text)):
        return found
    if cluster[0].side == "footer" or not any(_looks_like_heading(c) for c in cluster):
        found.extend(_counting(cluster))
    return found


def _counting(cluster: list[_Candidate]) -> list[_Candidate]:
    """Members with a number at a constant distance from the page's number, if most have it."""
    numbers = [[int(n[:9]) for n in _NUMBER.findall(c.text)] for c in cluster]
    for position in range(len(numbers[0])):
        distances = [n[position] - c.page.number for n, c in zip(numbers, cluster, strict=True)]
        usual = max(set(distances), key=distances.count)
        if distances.count(usual) >= 0.8 * len(distances):
            return [c for c, d in zip(cluster, distances, strict=True) if d == usual]
    return []


def _from_the_edge(edge: list[_Candidate], running: set[tuple[int, int]]) -> dict[int, BlockKind]:
    """Running lines that lie in the margin or next to one that does.

    Going inwards, the first line of content or the first gap ends them: forms and schede that
    repeat page after page keep their fields at one height too.
    """
    kinds: dict[int, BlockKind] = {}
    last: dict[BlockKind, _Candidate | None] = {}
    for candidate in edge:
        side = candidate.side
        above = last.get(side, candidate)
        if above is None:
            continue
        near = abs(above.line.baseline - candidate.line.baseline) < _LETTERHEAD_GAP * max(
            above.line.size, candidate.line.size
        )
        outer = above is candidate or (candidate.in_margin and not _looks_like_heading(candidate))
        if (candidate.page.number, candidate.index) in running and (near or outer):
            kinds[candidate.index] = side
            last[side] = candidate
        else:
            last[side] = None
    return kinds
