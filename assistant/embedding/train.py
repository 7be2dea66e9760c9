"""Make the static model: PPMI, randomised SVD, words' own directions, then question-passage pairs.

    python -m assistant.embedding.train --out assistant/embedding/bundled

The same texts and settings give the same bytes on the same machine. Settings were chosen on texts
that are not in the repository; docs/decisions/ says how.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from assistant.embedding.bundle import BUNDLED, Config, StaticModel, write_model
from assistant.embedding.contrast import Contrast, Pair, refine
from assistant.embedding.identity import Matrix, grams, identity_vectors
from assistant.italian.analysis import ANALYSER_VERSION, terms
from assistant.italian.thesaurus import COMPILED, load

if TYPE_CHECKING:
    from scipy.sparse import csr_array

logger = logging.getLogger(__name__)

LEXICON = Path(__file__).parent / "training"
PAIRS = "coppie"
SUFFIXES = (".md", ".txt", ".html")
_FORMS_A_LINE = 6
"""Forms of a lexicon line that meet another one in a round."""
_LONG = 8
"""Distinct words from which on a paragraph is parted in two."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What, beside the texts, decides the bytes of the model."""

    dimension: int = 256
    window: int = 6
    """Words to each side, each counted 1/distance."""
    context_exponent: float = 0.75
    """Smooths the contexts' frequencies, so that rare ones do not win (Levy et al. 2015)."""
    pair_count: float = 2.0
    """What a meeting inside a line of the lexicon is worth, in meetings of adjacent words."""
    self_count: float = 0.5
    """Share of a word's strongest association put on its diagonal: words that meet, agree."""
    least_count: int = 1
    gram_least_words: int = 3
    """A 4-gram is kept when so many words hold it."""
    singular_exponent: float = 0.5
    weight_smoothing: float = 4e-3
    """a of a/(a + p), the weight of a word of probability p (Arora et al. 2017)."""
    meaning_share: float = 0.6
    unknown_meaning_share: float = 0.2
    seed: int = 20170712
    contrast: Contrast = field(default_factory=Contrast)


@dataclass(frozen=True, slots=True)
class Texts:
    """Paragraphs of running text, and lexicon lines, where every word bears on every other."""

    paragraphs: tuple[str, ...]
    lexicon: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    """Questions in lay words and passages in formal ones that answer them."""
    names: tuple[str, ...]
    """The files read, for the model's provenance."""


def read_texts(folders: Sequence[Path], lexicon: Path = LEXICON) -> Texts:
    """Text files of the folders in name order; markup is dropped, paragraphs are kept apart."""
    paragraphs: list[str] = []
    names: list[str] = []
    for folder in folders:
        files = [folder] if folder.is_file() else sorted(folder.rglob("*"))
        for path in files:
            if path.suffix in SUFFIXES:
                paragraphs += _paragraphs(path.read_text("utf-8"))
                names.append(f"{folder.name}/{path.relative_to(folder).as_posix()}")
    lines: list[str] = []
    for path in sorted(lexicon.glob("*.txt")):
        text = path.read_text("utf-8")
        lines += [line for raw in text.splitlines() if (line := raw.partition("#")[0].strip())]
        names.append(f"{lexicon.name}/{path.name}")
    pairs: list[tuple[str, str]] = []
    for path in sorted(lexicon.glob(f"{PAIRS}/*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            question, tab, passage = line.partition("\t")
            if not tab or not question.strip() or not passage.strip():
                raise ValueError(f"{path.name}: not «question, tab, passage»: {line[:60]!r}")
            pairs.append((question, passage))
        names.append(f"{lexicon.name}/{PAIRS}/{path.name}")
    return Texts(tuple(paragraphs), tuple(lines), tuple(pairs), tuple(names))


def with_thesaurus(texts: Texts) -> Texts:
    """The same, with the forms of each concept of the thesaurus as a line of the lexicon."""
    lines = [", ".join(form.text for form in concept.forms) for concept in load().concepts]
    return replace(texts, lexicon=(*texts.lexicon, *lines), names=(*texts.names, COMPILED.name))


def _paragraphs(text: str) -> list[str]:
    plain = re.sub(r"<[^>]*>|^---$.*?^---$", " ", text, flags=re.DOTALL | re.MULTILINE)
    return [joined for part in re.split(r"\n\s*\n", plain) if (joined := " ".join(part.split()))]


def train(
    texts: Texts, recipe: Recipe | None = None, name: str = "piano-statico-it-2"
) -> StaticModel:
    """The whole recipe; pure: no file is read or written."""
    recipe = recipe or Recipe()
    pairs = [(_words(question), _words(passage)) for question, passage in texts.pairs]
    running = [_words(paragraph) for paragraph in texts.paragraphs]
    running += [side for pair in pairs for side in pair]
    lexicon = [_words(line) for line in texts.lexicon]
    # Every word of a question bears on every word of its passage.
    together = [*lexicon, *([*question, *passage] for question, passage in pairs)]
    counts = Counter(word for line in running + lexicon for word in line)
    in_lexicon = {word for line in lexicon for word in line}
    words = tuple(
        sorted(w for w, n in counts.items() if n >= recipe.least_count or w in in_lexicon)
    )
    rows = {word: row for row, word in enumerate(words)}
    meaning = _factorise(_ppmi(_meetings(running, together, rows, recipe), recipe), recipe)
    identity = identity_vectors(words, recipe.dimension)
    has_meaning = np.linalg.norm(meaning, axis=1, keepdims=True) > 0
    share = np.where(has_meaning, recipe.meaning_share, 0.0)
    vectors = _unit_rows(share * meaning + (1 - share) * identity)
    weights, unknown_weight = _weights(counts, words, recipe)
    examples = _examples(running[: len(texts.paragraphs)], texts.lexicon, pairs, rows, recipe)
    vectors = _unit_rows(refine(vectors, weights, examples, recipe.contrast, recipe.seed))
    gram_names, gram_vectors = _gram_vectors(words, meaning, recipe)
    config = Config(
        name=name,
        version=1,
        dimension=recipe.dimension,
        analyser=ANALYSER_VERSION,
        unknown_weight=unknown_weight,
        meaning_share=recipe.meaning_share,
        unknown_meaning_share=recipe.unknown_meaning_share,
        training_sha256=_inputs_hash(texts, recipe),
        training_texts=texts.names,
        licence="EUPL-1.2",
        provenance="Made by assistant/embedding/train.py from the project's own texts alone.",
    )
    return StaticModel(config, words, vectors, weights, gram_names, gram_vectors)


def _examples(
    paragraphs: Sequence[list[str]],
    lexicon: Sequence[str],
    pairs: Sequence[tuple[list[str], list[str]]],
    rows: dict[str, int],
    recipe: Recipe,
) -> list[Pair]:
    """Texts that belong together: pairs, sides and forms of the lexicon, parts of a paragraph."""
    rng = random.Random(recipe.seed)
    found = [pair for pair in pairs for _ in range(recipe.contrast.repeats)]
    for line in lexicon:
        sides = [_words(side) for side in re.split(r"[=,]", line)]
        sides = [side for side in sides if side]
        for place in range(min(len(sides) - 1, _FORMS_A_LINE)):
            found.append((sides[place], rng.choice(sides[place + 1 :])))
    for words in paragraphs:
        distinct = list(dict.fromkeys(words))
        if len(distinct) > _LONG:
            rng.shuffle(distinct)
            cut = len(distinct) // 3
            found.append((distinct[:cut], distinct[cut:]))
    located = [
        tuple([rows[word] for word in dict.fromkeys(side) if word in rows] for side in pair)
        for pair in found
    ]
    return [(left, right) for left, right in located if left and right]


def _words(text: str) -> list[str]:
    """Terms that are words: numbers and acts mean only themselves, their identity is enough."""
    return [term for term in terms(text) if term.isalpha()]


def _meetings(
    running: list[list[str]],
    lexicon: list[list[str]],
    rows: dict[str, int],
    recipe: Recipe,
) -> csr_array:
    from scipy.sparse import csr_array

    counts: defaultdict[tuple[int, int], float] = defaultdict(float)
    for line in running:
        found = [rows[word] for word in line if word in rows]
        for i, word in enumerate(found):
            for distance, other in enumerate(found[i + 1 : i + 1 + recipe.window], start=1):
                counts[word, other] += 1 / distance
                counts[other, word] += 1 / distance
    for line in lexicon:
        found = sorted({rows[word] for word in line})
        for i, word in enumerate(found):
            for other in found[i + 1 :]:
                counts[word, other] += recipe.pair_count
                counts[other, word] += recipe.pair_count
    keys = sorted(counts)
    values = np.array([counts[key] for key in keys])
    row, column = np.array(keys, dtype=np.int64).reshape(-1, 2).T
    return csr_array((values, (row, column)), shape=(len(rows), len(rows)))


def _ppmi(meetings: csr_array, recipe: Recipe) -> csr_array:
    """Positive pointwise mutual information, contexts smoothed, with a diagonal of its own."""
    from scipy.sparse import csr_array, diags_array

    table = meetings.tocoo()
    total = table.data.sum()
    word_sums = np.asarray(meetings.sum(axis=1)).ravel()
    smooth = word_sums**recipe.context_exponent
    context = smooth / smooth.sum()
    row, column = table.coords
    pmi = np.log(table.data / total) - np.log(word_sums[row] / total) - np.log(context[column])
    positive = csr_array((np.maximum(pmi, 0), (row, column)), shape=meetings.shape)
    strongest = positive.max(axis=1).toarray().ravel()
    return csr_array(positive + diags_array(strongest * recipe.self_count))


def _factorise(matrix: csr_array, recipe: Recipe) -> Matrix:
    """Unit rows of U·S^p by randomised SVD (Halko et al. 2011), zero-padded to the dimension."""
    rank = min(recipe.dimension, matrix.shape[0])
    random = np.random.default_rng(recipe.seed)
    sample = matrix @ random.standard_normal((matrix.shape[1], min(rank + 32, matrix.shape[1])))
    for _ in range(4):
        sample, _ = np.linalg.qr(matrix @ (matrix.T @ sample))
    basis, _ = np.linalg.qr(sample)
    left, singular, _ = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    factors = (basis @ left)[:, :rank] * singular[:rank] ** recipe.singular_exponent
    # A singular vector's sign is arbitrary: the largest entry is made positive.
    largest = factors[np.abs(factors).argmax(axis=0), np.arange(rank)]
    factors *= np.where(largest < 0, -1, 1)
    padded = np.zeros((matrix.shape[0], recipe.dimension))
    padded[:, :rank] = factors
    return _unit_rows(padded)


def _weights(counts: Counter[str], words: Sequence[str], recipe: Recipe) -> tuple[Matrix, float]:
    total = sum(counts.values())
    probability = np.array([counts[word] / total for word in words])
    a = recipe.weight_smoothing
    weights = np.asarray(a / (a + probability), dtype=np.float32)
    return weights, round(float(a / (a + 1 / total)), 6)


def _gram_vectors(
    words: Sequence[str], meaning: Matrix, recipe: Recipe
) -> tuple[tuple[str, ...], Matrix]:
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for row, word in enumerate(words):
        for gram in sorted(set(grams(word))):
            holders[gram].append(row)
    kept = sorted(g for g, found in holders.items() if len(found) >= recipe.gram_least_words)
    sums = [meaning[holders[gram]].sum(axis=0) for gram in kept]
    vectors = np.array(sums).reshape(len(kept), recipe.dimension)
    return tuple(kept), _unit_rows(vectors)


def _unit_rows(vectors: npt.NDArray[np.floating]) -> Matrix:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 1e-9, lengths, 1), dtype=np.float32)


def _inputs_hash(texts: Texts, recipe: Recipe) -> str:
    inputs = [asdict(recipe), ANALYSER_VERSION, texts.paragraphs, texts.lexicon, texts.pairs]
    return hashlib.sha256(json.dumps(inputs, ensure_ascii=False).encode()).hexdigest()


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Rifà il modello statico italiano.")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="cartella del modello")
    parser.add_argument(
        "--texts",
        type=Path,
        nargs="+",
        default=[Path("corpus/sources")],
        help="testi, in cartelle",
    )
    options = parser.parse_args(None if arguments is None else list(arguments))
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    texts = with_thesaurus(read_texts(options.texts))
    model = train(texts)
    write_model(model, options.out)
    size = sum(path.stat().st_size for path in options.out.iterdir())
    logger.info(
        "%d paragraphs, %d lexicon lines, %d pairs -> %d words, %d 4-grams, %.1f MB in %s",
        len(texts.paragraphs),
        len(texts.lexicon),
        len(texts.pairs),
        len(model.words),
        len(model.grams),
        size / 1e6,
        options.out,
    )


if __name__ == "__main__":
    main()
