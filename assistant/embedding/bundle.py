"""The static model on disk: vocabulary, int8 vectors, origin.

config.json         name, version, dimension, weights of unknown words, provenance, licence
vocabulary.txt      one stem a line, then a blank line, then one character 4-gram a line
model.safetensors   word_vectors, gram_vectors (int8, unit rows times 127), word_weights (fp16)
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from assistant.embedding.identity import Matrix
from assistant.errors import EmbeddingError

BUNDLED = Path(__file__).parent / "bundled"
FILES = ("config.json", "vocabulary.txt", "model.safetensors")
_INT8_UNIT = 127.0


@dataclass(frozen=True, slots=True)
class Config:
    name: str
    version: int
    dimension: int
    analyser: str
    """ANALYSER_VERSION the vocabulary was made with: other stems would not be found."""
    unknown_weight: float
    """Weight of a word that is not in the vocabulary; those in it have their own."""
    meaning_share: float
    """Part of a known word's vector that comes from training; the rest is its identity."""
    unknown_meaning_share: float
    """The same for an unknown word, whose meaning is guessed from its 4-grams."""
    training_sha256: str
    """Hash of the training texts and settings: the same hash gives the same model."""
    training_texts: tuple[str, ...]
    licence: str
    provenance: str


@dataclass(frozen=True, slots=True)
class StaticModel:
    """Words with their vectors `(n_words, dimension)`, 4-grams with theirs, rows of unit length."""

    config: Config
    words: tuple[str, ...]
    word_vectors: Matrix
    word_weights: Matrix
    """How much each word counts in a text, shape `(n_words,)`; rarer is more."""
    grams: tuple[str, ...]
    gram_vectors: Matrix
    """Trained part only: the identity of an unknown word is computed."""


def write_model(model: StaticModel, folder: Path) -> None:
    """Write the three files; the same model always gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    config = json.dumps(asdict(model.config), ensure_ascii=False, indent=2)
    (folder / "config.json").write_text(config + "\n", "utf-8", newline="\n")
    vocabulary = "\n".join([*model.words, "", *model.grams]) + "\n"
    (folder / "vocabulary.txt").write_text(vocabulary, "utf-8", newline="\n")
    tensors: dict[str, npt.NDArray[Any]] = {
        "word_vectors": _to_int8(model.word_vectors),
        "gram_vectors": _to_int8(model.gram_vectors),
        "word_weights": model.word_weights.astype(np.float16),
    }
    (folder / "model.safetensors").write_bytes(save(tensors))


def read_model(folder: Path) -> StaticModel:
    """Read and check a model.

    Raises:
        EmbeddingError: a file is missing, unreadable, or disagrees with the others.
    """
    try:
        raw = json.loads((folder / "config.json").read_text("utf-8"))
        raw["training_texts"] = tuple(raw["training_texts"])
        config = Config(**{field.name: raw[field.name] for field in fields(Config)})
        words, _, grams = (folder / "vocabulary.txt").read_text("utf-8").partition("\n\n")
        tensors = load((folder / "model.safetensors").read_bytes())
        model = StaticModel(
            config,
            tuple(words.split("\n")) if words else (),
            _unit(tensors["word_vectors"]),
            tensors["word_weights"].astype(np.float32),
            tuple(grams.split()),
            _unit(tensors["gram_vectors"]),
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise EmbeddingError(
            f"Il modello di embedding in {folder} non si può leggere ({error}).",
            remedy=_REMEDY,
        ) from error
    expected = (
        (len(model.words), config.dimension),
        (len(model.grams), config.dimension),
    )
    if (model.word_vectors.shape, model.gram_vectors.shape) != expected:
        raise EmbeddingError(
            f"I file del modello di embedding in {folder} non vanno insieme.",
            remedy=_REMEDY,
        )
    return model


def file_hash(folder: Path) -> str:
    """SHA-256 over the model's files, in a fixed order."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


_REMEDY = "Reinstalla il programma, oppure rifai il modello con «make models»."


def _to_int8(vectors: Matrix) -> npt.NDArray[np.int8]:
    return np.asarray(np.rint(vectors * _INT8_UNIT).clip(-127, 127), dtype=np.int8)


def _unit(vectors: npt.NDArray[np.int8]) -> Matrix:
    decoded = vectors.astype(np.float32)
    lengths = np.linalg.norm(decoded, axis=1, keepdims=True)
    return np.asarray(decoded / np.where(lengths > 0, lengths, 1), dtype=np.float32)
