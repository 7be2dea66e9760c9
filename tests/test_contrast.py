"""The static model's second step: what belongs together is drawn together, each time the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.embedding.bundle import write_model
from assistant.embedding.contrast import Contrast, Pair, refine
from assistant.embedding.identity import Matrix
from assistant.embedding.static import StaticEmbedder
from assistant.embedding.train import Recipe, Texts, read_texts, train

WORDS, DIMENSION = 24, 16
PAIRS: list[Pair] = [([n, n + 1], [n + 12, n + 13, (n + 5) % 12]) for n in range(11)]
SETTINGS = Contrast(rounds=20, batch=8, rate=1e-2)


@pytest.fixture(scope="module")
def vectors() -> Matrix:
    values = np.random.default_rng(5).standard_normal((WORDS, DIMENSION)).astype(np.float32)
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def weights() -> Matrix:
    return np.linspace(0.5, 1, WORDS, dtype=np.float32)


def likeness(vectors: Matrix, weights: Matrix) -> Matrix:
    """Cosine of each left side with each right side."""

    def embed(rows: list[int]) -> Matrix:
        total = (vectors[rows] * weights[rows, None]).sum(axis=0)
        return np.asarray(total / np.linalg.norm(total))

    return np.array([[embed(left) @ embed(right) for _, right in PAIRS] for left, _ in PAIRS])


def test_a_question_comes_nearer_to_its_passage_than_to_the_others(
    vectors: Matrix, weights: Matrix
) -> None:
    before = likeness(vectors, weights)
    after = likeness(refine(vectors, weights, PAIRS, SETTINGS, seed=1), weights)
    own = np.eye(len(PAIRS), dtype=bool)
    assert (after[own] - after[~own].mean() > before[own] - before[~own].mean()).all()
    assert (after.argmax(axis=1) == np.arange(len(PAIRS))).mean() > 0.8


def test_the_same_input_gives_the_same_bytes(vectors: Matrix, weights: Matrix) -> None:
    first = refine(vectors, weights, PAIRS, SETTINGS, seed=1)
    assert first.tobytes() == refine(vectors, weights, PAIRS, SETTINGS, seed=1).tobytes()
    assert first.tobytes() != refine(vectors, weights, PAIRS, SETTINGS, seed=2).tobytes()
    assert (first.shape, first.dtype) == (vectors.shape, np.float32)


def test_too_few_pairs_move_nothing(vectors: Matrix, weights: Matrix) -> None:
    kept = vectors.copy()
    found = refine(vectors, weights, PAIRS[:3], SETTINGS, seed=1)
    np.testing.assert_array_equal(found, vectors)
    np.testing.assert_array_equal(vectors, kept, "the vectors given are left alone")


THINGS = ("nido", "mensa", "trasporto", "biblioteca", "palestra", "farmacia", "sfratto", "orto")
LAY = ("bimbi", "pranzo", "pulmino", "libri", "ginnastica", "medicine", "cacciati", "verdure")


def test_everyday_words_find_the_passages_of_their_pairs(tmp_path: Path) -> None:
    passages = [f"Il Comune organizza il servizio di {thing} nel distretto." for thing in THINGS]
    texts = Texts(
        paragraphs=tuple(passages),
        lexicon=(),
        pairs=tuple((f"chi aiuta per {lay}", p) for lay, p in zip(LAY, passages, strict=True)),
        names=("prova",),
    )
    recipe = Recipe(dimension=64, contrast=Contrast(rounds=30, batch=8))
    found = []
    for name, given in (("senza", replace(texts, pairs=())), ("con", texts)):
        write_model(train(given, recipe), tmp_path / name)
        embedder = StaticEmbedder(tmp_path / name)
        table = embedder.embed_passages(passages)
        best = [int((table @ embedder.embed_query(f"{lay} dove?")).argmax()) for lay in LAY]
        found.append(sum(place == own for own, place in enumerate(best)))
    without, with_pairs = found
    assert with_pairs >= 7 > without + 3


def test_a_line_that_is_no_pair_is_refused(tmp_path: Path) -> None:
    (tmp_path / "coppie").mkdir()
    pairs = tmp_path / "coppie" / "prova.tsv"
    pairs.write_text("Chi aiuta?\tIl Comune aiuta.\n", "utf-8")
    texts = read_texts([], tmp_path)
    assert texts.pairs == (("Chi aiuta?", "Il Comune aiuta."),)
    assert texts.names == (f"{tmp_path.name}/coppie/prova.tsv",)
    for wrong in ("senza tabulazione", "\tsenza domanda", "senza risposta\t "):
        pairs.write_text(f"{wrong}\n", "utf-8")
        with pytest.raises(ValueError, match=r"prova\.tsv: not «question, tab, passage»"):
            read_texts([], tmp_path)
