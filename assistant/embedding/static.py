"""The bundled static Italian model: a text is the weighted mean of its words' vectors."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from assistant.embedding.bundle import BUNDLED, file_hash, read_model
from assistant.embedding.identity import Matrix, grams, identity_vector
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
        self._query_prefix, self._passage_prefix = query_prefix, passage_prefix
        prefixes = f"\0{query_prefix}\0{passage_prefix}"
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

    def embed_query(self, text: str) -> Matrix:
        return np.asarray(self._embed([self._query_prefix + text])[0])

    def embed_passages(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> Matrix:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), _BATCH):
            batch = [self._passage_prefix + text for text in texts[start : start + _BATCH]]
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
        filled = [i for i, found in enumerate(words) if found]
        if filled:
            starts = np.cumsum([0] + [len(words[i]) for i in filled[:-1]])
            sums[filled] = np.add.reduceat(vectors[rows], starts, axis=0)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        return np.asarray(sums / np.where(lengths > 0, lengths, 1), dtype=np.float32)

    def _look_up(self, words: list[list[str]]) -> tuple[list[int], Matrix]:
        """Row of each word, and the matrix they refer to; new words get theirs here."""
        missing = {word for found in words for word in found if word not in self._rows}
        if missing:
            if len(self._rows) + len(missing) > self._known + _MOST_WORDS:
                known = list(self._rows)[: self._known]
                self._rows = {word: row for row, word in enumerate(known)}
                self._vectors = self._vectors[: self._known]
                missing = {word for found in words for word in found if word not in self._rows}
            fresh = sorted(missing)
            made = np.stack([self._unknown(word) for word in fresh])
            self._rows.update((word, len(self._vectors) + i) for i, word in enumerate(fresh))
            self._vectors = np.concatenate([self._vectors, made])
        return [self._rows[word] for found in words for word in found], self._vectors

    def _unknown(self, word: str) -> Matrix:
        """Its identity, and what its known 4-grams suggest it means."""
        share = self._config.unknown_meaning_share
        own = identity_vector(word, self.dimension)
        rows = [self._gram_rows[gram] for gram in grams(word) if gram in self._gram_rows]
        if rows and share > 0:
            meaning = self._gram_vectors[rows].sum(axis=0)
            length = np.linalg.norm(meaning)
            if length > 0:
                own = share * meaning / length + (1 - share) * own
                own /= np.linalg.norm(own)
        return np.asarray(own * self._config.unknown_weight, dtype=np.float32)
