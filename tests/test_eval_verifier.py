"""The verifier's figures: what counts as right, and damages that really damage."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.models import Passage, Span
from assistant.settings import Settings
from eval.cases import load_cases
from eval.cli import app
from eval.reading import ReadingScore
from eval.system import opened
from eval.verifier import Pair, damages, labelled_pairs, quoted_pairs, score_pairs

TEXT = "La retta è di 28 euro al giorno. Nel 2018 il centro non ha chiuso a Valdoro."


def pair(claim: str, *, supported: bool, kind: str = "prova") -> Pair:
    return Pair(kind, claim, Passage("p", "d", 0, TEXT, (), (Span(1, 0, len(TEXT)),)), supported)


def by_name(scores: tuple[ReadingScore, ...]) -> dict[str, ReadingScore]:
    return {one.name: one for one in scores}


def test_precision_recall_and_stops_worked_by_hand() -> None:
    scores = by_name(
        score_pairs(
            [
                pair("La retta è di 28 euro al giorno.", supported=True),
                pair("La retta è di 82 euro al giorno.", supported=False),
                # Labels that the verifier cannot meet: one wrong pass, one wrong stop.
                pair("Nel 2018 il centro non ha chiuso a Valdoro.", supported=False, kind="falsa"),
                pair("Il sindaco visita il centro ogni mese.", supported=True),
            ]
        )
    )
    assert scores["verifier_precision"].slices["all"].value == 0.5
    assert scores["verifier_recall"].slices["all"].value == 0.5
    assert scores["verifier_stops"].slices["all"].value == 0.5
    assert scores["verifier_stops"].slices["falsa"].value == 0.0
    assert [fault.about for fault in scores["verifier_stops"].faults] == [
        "Nel 2018 il centro non ha chiuso a Valdoro."
    ]


@pytest.mark.parametrize("seed", range(20))
def test_each_damage_changes_one_thing(seed: int) -> None:
    claim = "Nel 2018 il centro di Valdoro non ha accolto più di 45 persone."
    found = dict(damages(claim, random.Random(seed)))
    assert set(found) == {"cifra", "anno", "non tolto", "distretto"}
    assert "45" not in found["cifra"]
    assert "2018" in found["cifra"]
    assert "2018" not in found["anno"]
    assert " non " not in found["non tolto"]
    assert "Valdoro" not in found["distretto"]
    act = dict(damages("La delibera regionale 120/2017 approva il Piano.", random.Random(seed)))
    assert act["atto"] in {
        f"La delibera regionale {number}/2017 approva il Piano." for number in (121, 124, 130)
    }
    added = dict(damages("Il centro è aperto la sera.", random.Random(seed)))
    assert added == {"non aggiunto": "Il centro non è aperto la sera."}


def test_a_negation_is_dropped_where_it_opens_and_kept_in_not_only() -> None:
    dropped = dict(damages("Non spetta a chi vive in struttura.", random.Random(1)))
    assert dropped == {"non tolto": "Spetta a chi vive in struttura."}
    assert "non tolto" not in dict(damages("Serve non solo ai minori.", random.Random(1)))


def test_pairs_of_gold_quotes_stand_in_their_passages_and_damages_do_not(
    bundled_data_dir: Path,
) -> None:
    with opened(Settings(data_dir=bundled_data_dir), bundled_data_dir) as system:
        pairs = list(quoted_pairs(system, load_cases()))
    assert sum(one.supported for one in pairs) >= 80
    assert {one.kind for one in pairs} >= {
        "alla lettera", "cifra", "anno", "atto", "non aggiunto", "non tolto", "distretto"
    }  # fmt: skip
    for one in pairs:
        words = " ".join(one.passage.text.split())
        assert (one.claim in words) is one.supported
    scores = by_name(score_pairs([*labelled_pairs(), *pairs]))
    assert (scores["verifier_precision"].slices["all"].low or 0) >= 0.85
    assert (scores["verifier_recall"].slices["all"].low or 0) >= 0.85
    assert scores["verifier_stops"].slices["cifra"].value == 1.0


def test_the_command_prints_them_with_the_answers(bundled_data_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ["--data-dir", str(bundled_data_dir), "--out", str(out), "--sample", "15"]
    done = CliRunner().invoke(app, [*options, "--suite", "answers"])
    assert done.exit_code == 0, done.output
    assert "verifier_precision" in done.output
    assert "Verifica delle frasi generate" in (out / "summary.md").read_text(encoding="utf-8")
