"""The bundled static model: a text is the weighted mean of its words' vectors."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assistant.embedding.bundle import BUNDLED, file_hash, read_model
from assistant.embedding.identity import Matrix, grams, identity_vectors
from assistant.embedding.prefixes import choose
from assistant.embedding.protocol import Prefixes
from assistant.errors import EmbeddingError
from assistant.italian.analysis import ANALYSER_VERSION, terms

_BATCH = 256
"""Passages summed at once: their words' rows must fit in the processor's cache."""
_MOST_WORDS = 100_000
"""Unknown words remembered; hostile texts cannot make the memory grow further (100 MB)."""


class StaticEmbedder:
    """Embedder over numpy alone: no torch, no network; safe to use from several threads."""

    def __init__(
        self,
        folder: Path = BUNDLED,
        *,
        query_prefix: str = "",
        passage_prefix: str = "",
    ) -> None:
        """Load a model made by `assistant.embedding.train`; raises EmbeddingError."""
        model = read_model(folder)
        if model.config.analyser != ANALYSER_VERSION:
            raise EmbeddingError(
                f"Il modello di embedding in {folder} è fatto per un'altra analisi del testo "
                f"({model.config.analyser}, qui {ANALYSER_VERSION}).",
                remedy="Rifallo con «make models».",
            )
        self._config = model.config
        self._prefixes = choose(Prefixes(query_prefix, passage_prefix), Prefixes(), ())
        prefixes = f"\0{self._prefixes.query}\0{self._prefixes.passage}"
        self._fingerprint = hashlib.sha256((file_hash(folder) + prefixes).encode()).hexdigest()
        self._known = len(model.words)
        self._rows = {word: row for row, word in enumerate(model.words)}
        self._vectors = model.word_vectors * model.word_weights[:, None]
        self._gram_rows = {gram: row for row, gram in enumerate(model.grams)}
        self._gram_vectors = model.gram_vectors
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._config.name

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def dimension(self) -> int:
        return self._config.dimension

    @property
    def prefixes(self) -> Prefixes:
        return self._prefixes

    def embed_query(self, text: str) -> Matrix:
        return np.asarray(self._embed([self._prefixes.query + text])[0])

    def embed_passages(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> Matrix:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), _BATCH):
            batch = [self._prefixes.passage + text for text in texts[start : start + _BATCH]]
            vectors[start : start + len(batch)] = self._embed(batch)
            if progress is not None:
                progress(len(batch))
        return vectors

    def _embed(self, texts: Sequence[str]) -> Matrix:
        """Unit rows; a word counts once in a text, however often it comes."""
        words = [list(dict.fromkeys(terms(text))) for text in texts]
        with self._lock:
            rows, vectors = self._look_up(words)
        sums = np.zeros((len(texts), self.dimension), dtype=np.float32)
        start = 0
        for text, found in enumerate(words):
            end = start + len(found)
            np.take(vectors, rows[start:end], axis=0).sum(axis=0, out=sums[text])
            start = end
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        return np.asarray(sums / np.where(lengths > 0, lengths, 1), dtype=np.float32)

    def _look_up(self, words: list[list[str]]) -> tuple[npt.NDArray[np.intp], Matrix]:
        """Row of each word, and the matrix they refer to; new words get theirs here.

        Rows once given are never written again: other threads read them without the lock, so
        growing and forgetting both start a new array.
        """
        missing = sorted({word for found in words for word in found if word not in self._rows})
        if missing:
            if len(self._rows) + len(missing) > self._known + _MOST_WORDS:
                self._rows = dict(list(self._rows.items())[: self._known])
                self._vectors = self._vectors[: self._known].copy()
                missing = sorted({w for found in words for w in found if w not in self._rows})
            first, last = len(self._rows), len(self._rows) + len(missing)
            if last > len(self._vectors):
                larger = np.zeros((2 * last, self.dimension), dtype=np.float32)
                larger[:first] = self._vectors[:first]
                self._vectors = larger
            self._vectors[first:last] = self._unknown(missing)
            self._rows.update((word, first + i) for i, word in enumerate(missing))
        rows = [self._rows[word] for found in words for word in found]
        return np.array(rows, dtype=np.intp), self._vectors

    def _unknown(self, words: list[str]) -> Matrix:
        """Their identities, and what their known 4-grams suggest they mean, weighted."""
        vectors = identity_vectors(words, self.dimension)
        share = self._config.unknown_meaning_share
        for row, word in enumerate(words):
            rows = [self._gram_rows[gram] for gram in grams(word) if gram in self._gram_rows]
            if rows and share > 0:
                meaning = self._gram_vectors[rows].sum(axis=0)
                meaning /= max(float(np.linalg.norm(meaning)), 1e-9)
                mixed = share * meaning + (1 - share) * vectors[row]
                vectors[row] = mixed / np.linalg.norm(mixed)
        return np.asarray(vectors * self._config.unknown_weight, dtype=np.float32)
