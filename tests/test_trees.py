"""The ranking model: numpy gives the scores that the trees, and LightGBM, give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.embedding.bundle import BUNDLED
from assistant.errors import AssistantError
from assistant.italian.thesaurus import COMPILED
from assistant.retrieval import retrieve
from assistant.retrieval.features import FEATURES
from assistant.retrieval.retrieve import MODEL, shipped_trees
from assistant.retrieval.trees import (
    MOST_LEAVES,
    Trees,
    flatten,
    make_trees,
    read_trees,
    write_trees,
)

# first ≤ 0.5 ? 1 : (second ≤ 2 ? 2 : 4)   and   second ≤ 1 ? 10 : 20
HAND = (
    {"columns": [0, 1], "thresholds": [0.5, 2.0], "lefts": [[0, 0], [1, 1]], "values": [1, 2, 4]},
    {"columns": [1], "thresholds": [1.0], "lefts": [[0, 0]], "values": [10, 20]},
)
ABOUT = {"name": "a mano"}


def by_hand(**changed: Any) -> Trees:
    return make_trees(("primo", "secondo"), [HAND[0] | changed, HAND[1]], ABOUT)


def test_scores_are_those_worked_out_by_hand() -> None:
    rows = np.array([[0.5, 1], [0.5, 9], [0.6, 1], [0.6, 2], [0.6, 2.1]], dtype=np.float32)
    assert by_hand().scores(rows).tolist() == [11, 21, 12, 22, 24]
    assert by_hand().scores(rows[:0]).shape == (0,)


def test_a_tree_that_branches_on_its_left_too() -> None:
    # first ≤ 5 ? (second ≤ 1 ? 1 : 2) : (second ≤ 3 ? 3 : 4)
    tree = {
        "columns": [0, 1, 1],
        "thresholds": [5, 1, 3],
        "lefts": [[0, 1], [0, 0], [2, 2]],
        "values": [1, 2, 3, 4],
    }
    rows = np.array([[5, 1], [5, 2], [6, 2], [6, 4]], dtype=np.float32)
    assert make_trees(("a", "b"), [tree], ABOUT).scores(rows).tolist() == [1, 2, 3, 4]


def test_a_dump_of_lightgbm_becomes_the_same_lists() -> None:
    root = {
        "split_feature": 0,
        "threshold": 0.5,
        "left_child": {"leaf_value": 1},
        "right_child": {
            "split_feature": 1,
            "threshold": 2.00000001,
            "left_child": {"leaf_value": 2},
            "right_child": {"leaf_value": 4.00000001},
        },
    }
    assert flatten(root) == HAND[0]
    assert flatten({"leaf_value": 7}) == {
        "columns": [],
        "thresholds": [],
        "lefts": [],
        "values": [7],
    }


@pytest.mark.parametrize("leaves", [2, 7, 40, MOST_LEAVES])
def test_lightgbm_predicts_the_same(leaves: int) -> None:
    import lightgbm

    rng = np.random.default_rng(7)
    rows = rng.standard_normal((2_000, 5)).astype(np.float32)
    rows[:, 3] = rows[:, 3] > 0
    wanted = rows[:, 0] * rows[:, 1] + np.sin(3 * rows[:, 2]) + rows[:, 3]
    settings = {"num_leaves": leaves, "min_data_in_leaf": 5, "num_threads": 1, "verbosity": -1}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, wanted), 30)
    dumped = [flatten(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    trees = make_trees([f"f{n}" for n in range(5)], dumped, ABOUT)
    assert trees.values.shape == (30, leaves)
    fresh = rng.standard_normal((500, 5)).astype(np.float32)
    assert trees.scores(fresh) == pytest.approx(booster.predict(fresh), abs=1e-5)


def test_a_model_survives_the_disk_byte_for_byte(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    write_trees(first, by_hand())
    again = read_trees(first)
    write_trees(second, again)
    assert first.read_bytes() == second.read_bytes()
    assert (again.features, again.about) == (("primo", "secondo"), ABOUT)
    rows = np.array([[0.6, 2.1]], dtype=np.float32)
    assert again.scores(rows).tolist() == [24]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"features": [], "trees": [], "about": {}}',
        '{"features": ["a"], "trees": [3], "about": {}}',
        '{"features": ["a"], "trees": [{"columns": [0]}], "about": {}}',
    ],
)
def test_a_damaged_file_is_told_in_italian_with_the_remedy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "reranker.json"
    path.write_text(text, "utf-8")
    with pytest.raises(AssistantError, match="non si legge") as raised:
        read_trees(path)
    assert "make models" in raised.value.remedy
    path.unlink()
    with pytest.raises(AssistantError, match=r"reranker\.json non si legge"):
        read_trees(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"columns": [0, 2]},
        {"columns": [0, -1]},
        {"columns": [0]},
        {"thresholds": [0.5]},
        {"thresholds": ["molto", 1]},
        {"lefts": [[0, 0]]},
        {"lefts": [[0, 2], [1, 1]]},
        {"lefts": [[1, 0], [1, 1]]},
        {"lefts": [[-1, 0], [1, 1]]},
        {"values": [1, 2]},
        {"values": [1, 2, 4, 8]},
    ],
)
def test_lists_that_are_no_tree_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        by_hand(**changed)


def test_more_leaves_than_bits_are_refused() -> None:
    count = MOST_LEAVES
    tree = {
        "columns": [0] * count,
        "thresholds": list(range(count)),
        "lefts": [[n, n] for n in range(count)],
        "values": list(range(count + 1)),
    }
    with pytest.raises(ValueError, match="65 leaves"):
        make_trees(("a",), [tree], ABOUT)


def test_the_shipped_model_is_of_today_s_features_and_says_what_it_was_made_from() -> None:
    trees = shipped_trees()
    assert trees.features == FEATURES
    assert len(trees.about["examples_sha256"]) == 64
    assert "CC BY-SA 4.0" in trees.about["provenance"]
    assert json.loads(MODEL.read_text("utf-8"))["about"] == trees.about


def test_a_shipped_model_of_other_features_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_trees(tmp_path / "altro.json", by_hand())
    monkeypatch.setattr(retrieve, "MODEL", tmp_path / "altro.json")
    with pytest.raises(AssistantError, match="altre misure") as raised:
        shipped_trees.__wrapped__()
    assert "make models" in raised.value.remedy


def test_shipped_models_are_small() -> None:
    embedding = sum(path.stat().st_size for path in BUNDLED.iterdir())
    assert embedding <= 12_000_000
    assert embedding + MODEL.stat().st_size + COMPILED.stat().st_size <= 15_000_000
