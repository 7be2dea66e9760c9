"""The passages that a search's filters keep, in the forms that each ranker can use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Rows(NamedTuple):
    """Half-open stretch of passage rows."""

    first: int
    end: int


class Selection:
    """Made once for each filter and generation; read-only, safe to use from several threads."""

    def __init__(
        self,
        stretches: Sequence[Rows],
        total: int,
        *,
        documents: Sequence[str] | None = None,
        schede: Sequence[str] = (),
    ) -> None:
        """`stretches`: ascending, none empty; `total`: passages of the generation.

        The passages are those of `documents` (ids; None is all of them) in one of `schede` (keys;
        none is any).
        """
        self.stretches = tuple(stretches)
        self.count = sum(rows.end - rows.first for rows in stretches)
        self.documents = None if documents is None else tuple(documents)
        self.schede = tuple(schede)
        self.kept: npt.NDArray[np.bool_] = np.zeros(total, np.bool_)
        """By row, whether the passage is one of them."""
        for rows in stretches:
            self.kept[rows.first : rows.end] = True

    @property
    def share(self) -> float:
        """Of all passages, 0 to 1."""
        return self.count / max(1, len(self.kept))


def merge(stretches: Iterable[Rows]) -> list[Rows]:
    """Ascending stretches without the empty ones, joined where they touch."""
    merged: list[Rows] = []
    for rows in stretches:
        if rows.first == rows.end:
            continue
        if merged and merged[-1].end == rows.first:
            merged[-1] = Rows(merged[-1].first, rows.end)
        else:
            merged.append(rows)
    return merged
