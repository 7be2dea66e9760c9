"""A gradient-boosted ranking model, evaluated with numpy alone.

LightGBM trains it (`make models`), but importing LightGBM takes four seconds, of which a search has
none. Each tree has at most 64 leaves; a row's leaf is found without walking the tree: every test
that fails rules out the leaves on its left, and the first leaf left over is the row's (QuickScorer,
Lucchese et al. 2015).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.errors import AssistantError

MOST_LEAVES = 64
_REMEDY = "Reinstalla il programma, oppure rifai i modelli con «make models»."


@dataclass(frozen=True, slots=True)
class Trees:
    """An ensemble; arrays have a row for each tree, padded with tests that always hold."""

    features: tuple[str, ...]
    columns: npt.NDArray[np.intp]
    thresholds: npt.NDArray[np.float64]
    kept: npt.NDArray[np.uint64]
    """Leaves, as bits, still possible when a test fails."""
    values: npt.NDArray[np.float64]
    about: Mapping[str, Any]
    """How it was made."""
    flat: tuple[Mapping[str, Any], ...]
    """The trees as they are kept on disk."""

    def scores(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Shape `(len(rows),)`; higher is better."""
        passed = rows[:, self.columns] <= self.thresholds
        every = np.uint64(2**64 - 1)
        left = np.bitwise_and.reduce(np.where(passed, every, self.kept), axis=2)
        lowest = left & (~left + np.uint64(1))
        leaf = np.log2(lowest.astype(np.float64)).astype(np.intp)
        return np.asarray(self.values[np.arange(len(self.values)), leaf].sum(axis=1))


def read_trees(path: Path) -> Trees:
    """Raises AssistantError when the file is missing or is no model of ours."""
    try:
        raw = json.loads(path.read_text("utf-8"))
        return make_trees(raw["features"], raw["trees"], raw["about"])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise AssistantError(
            f"Il modello per l'ordine dei risultati in {path} non si legge ({error}).",
            remedy=_REMEDY,
        ) from error


def write_trees(path: Path, trees: Trees) -> None:
    """The same model always gives the same bytes."""
    lines = ",\n".join(json.dumps(tree) for tree in trees.flat)
    head = {"about": trees.about, "features": list(trees.features)}
    text = f'{json.dumps(head, ensure_ascii=False)[:-1]}, "trees": [\n{lines}\n]}}\n'
    path.write_text(text, "utf-8", newline="\n")


def flatten(root: Mapping[str, Any]) -> dict[str, list[Any]]:
    """A tree of LightGBM's dump as lists: column, threshold and left leaves of each test, values.

    Numbers keep six significant digits, which changes no order that matters and halves the file.
    """
    columns: list[int] = []
    thresholds: list[float] = []
    lefts: list[list[int]] = []
    values: list[float] = []

    def walk(node: Mapping[str, Any]) -> list[int]:
        if "leaf_value" in node:
            values.append(float(f"{node['leaf_value']:.6g}"))
            return [len(values) - 1]
        place = len(columns)
        columns.append(int(node["split_feature"]))
        thresholds.append(float(f"{node['threshold']:.6g}"))
        lefts.append([])
        left = walk(node["left_child"])
        lefts[place] = [left[0], left[-1]]
        return left + walk(node["right_child"])

    walk(root)
    return {"columns": columns, "thresholds": thresholds, "lefts": lefts, "values": values}


def make_trees(
    features: Sequence[str], trees: Sequence[Mapping[str, Any]], about: Mapping[str, Any]
) -> Trees:
    """`trees` as `flatten` makes them; raises ValueError for what is no ensemble."""
    tests = max((len(tree["columns"]) for tree in trees), default=0)
    leaves = tests + 1
    if not trees or leaves > MOST_LEAVES:
        raise ValueError(f"{len(trees)} trees, {leaves} leaves")
    columns = np.zeros((len(trees), tests), dtype=np.intp)
    thresholds = np.full((len(trees), tests), np.inf)
    kept = np.full((len(trees), tests), 2**64 - 1, dtype=np.uint64)
    values = np.zeros((len(trees), leaves))
    for row, tree in enumerate(trees):
        count = len(tree["columns"])
        if not len(tree["thresholds"]) == len(tree["lefts"]) == len(tree["values"]) - 1 == count:
            raise ValueError(f"tree {row}: lists of different lengths")
        if not all(0 <= column < len(features) for column in tree["columns"]):
            raise ValueError(f"tree {row}: a feature that is not there")
        columns[row, :count] = tree["columns"]
        thresholds[row, :count] = tree["thresholds"]
        for place, (first, last) in enumerate(tree["lefts"]):
            if not 0 <= first <= last < count:  # the last leaf is on nobody's left
                raise ValueError(f"tree {row}: a test with no leaf on a side")
            bits = ((1 << (last - first + 1)) - 1) << first
            kept[row, place] = np.uint64((2**64 - 1) & ~bits)
        values[row, : count + 1] = tree["values"]
    return Trees(tuple(features), columns, thresholds, kept, values, about, tuple(trees))
