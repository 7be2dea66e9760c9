"""A cross-encoder that reads question and passage together, within a time that is kept.

It is slow on a processor (tens of passages a second), so it is given the best few candidates, and
whoever waits gets their first order when it does not make it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from assistant.embedding.folders import Wanted, load_failures
from assistant.errors import RerankerError, RerankerTimeoutError
from assistant.retrieval.protocol import Reranker

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

BATCH = 8
"""Pairs read at once: the clock is looked at between batches."""

_REMEDY = (
    "Controlla PIANO_CROSS_ENCODER: vuole la cartella di un cross-encoder con un solo punteggio, "
    "un nome di Hugging Face come «cross-encoder/mmarco-mMiniLMv2-L12-H384-v1» (serve la rete la "
    "prima volta), oppure niente per farne a meno."
)


class CrossEncoderReranker:
    """Reranker over sentence-transformers on the CPU; calls are made one at a time."""

    def __init__(
        self, model: str, *, seconds: float = 2.0, batch: int = BATCH, cache_dir: Path | None = None
    ) -> None:
        """Nothing is loaded yet; `seconds` is the longest time for one question."""
        self._wanted = Wanted(model, "Il cross-encoder", _REMEDY, RerankerError)
        self._seconds = seconds
        self._batch = batch
        self._cache_dir = cache_dir
        self._model: CrossEncoder | None = None
        self._loading = threading.Lock()
        # Fast tokenizers fail with "Already borrowed" when two threads use one.
        self._reading = threading.Lock()

    @property
    def name(self) -> str:
        return self._wanted.name

    def load(self) -> None:
        """Loads the model, downloads it when the setting names a hub's that is not here yet.

        The first `scores` does it too; a server calls this before the first question comes.

        Raises:
            RerankerError: the model is not there, cannot be loaded, or is no cross-encoder.
        """
        self._loaded()

    def scores(self, query: str, passages: Sequence[str]) -> npt.NDArray[np.float32]:
        """See Reranker. The time to load the model does not count; waiting for others does."""
        model = self._loaded()
        deadline = time.monotonic() + self._seconds
        # The longest together, so that each batch is padded to lengths that are nearly the same.
        order = sorted(range(len(passages)), key=lambda row: -len(passages[row]))
        found = np.zeros(len(passages), dtype=np.float32)
        if not self._reading.acquire(timeout=self._seconds):
            raise self._late()
        try:
            longest = 0.0
            for start in range(0, len(order), self._batch):
                began = time.monotonic()
                # A batch cannot be stopped half-way: one that would end late is not begun.
                if began + longest > deadline:
                    raise self._late()
                rows = order[start : start + self._batch]
                found[rows] = self._read(model, [(query, passages[row]) for row in rows])
                longest = max(longest, time.monotonic() - began)
        finally:
            self._reading.release()
        return found

    def _loaded(self) -> CrossEncoder:
        with self._loading:
            if self._model is None:
                self._model = _load(self._wanted, self._wanted.folder(self._cache_dir))
            return self._model

    def _read(self, model: CrossEncoder, pairs: list[tuple[str, str]]) -> npt.NDArray[np.float32]:
        try:
            made = model.predict(pairs, batch_size=self._batch, show_progress_bar=False)
        except (RuntimeError, ValueError, IndexError) as error:
            raise self._wanted.unusable(f"non ha saputo leggere i brani ({error})") from error
        checked = np.asarray(made, dtype=np.float32)
        if checked.shape != (len(pairs),) or not np.isfinite(checked).all():
            raise self._wanted.unusable("ha dato punteggi non validi")
        return checked

    def _late(self) -> RerankerTimeoutError:
        return RerankerTimeoutError(
            f"Il cross-encoder «{self.name}» non ha finito in {self._seconds:g} secondi.",
            remedy="Alza PIANO_CROSS_ENCODER_SECONDS, o scegli un modello più piccolo.",
        )


class Reordered(NamedTuple):
    """Positions of passages, the best first."""

    order: tuple[int, ...]
    scores: npt.NDArray[np.float32] | None
    """One for each passage, in the order in which they were given; None when there was no time."""
    notice: str = ""
    """Italian: why the first order was kept; empty when it was not."""


def reorder(reranker: Reranker, query: str, passages: Sequence[str]) -> Reordered:
    """The order that the re-ranker gives, or the one that there was, when its time is over.

    Ties keep the first order. Raises RerankerError when the model cannot be loaded or used.
    """
    try:
        scores = reranker.scores(query, passages)
    except RerankerTimeoutError as late:
        kept = tuple(range(len(passages)))
        return Reordered(kept, None, f"{late.message} I brani restano nell'ordine di prima.")
    return Reordered(tuple(np.argsort(-scores, kind="stable").tolist()), scores)


def _load(wanted: Wanted, folder: Path) -> CrossEncoder:
    _check_kind(wanted, folder)
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = CrossEncoder(str(folder), device="cpu", local_files_only=True)
        labels = model.num_labels
    except load_failures() as error:
        raise wanted.not_loaded(error) from error
    if labels != 1:
        raise wanted.unusable(f"dà {labels} punteggi per ogni brano: ne serve uno")
    return model


def _check_kind(wanted: Wanted, folder: Path) -> None:
    """Any other model would be loaded as well, with a head of random numbers in place of scores."""
    named = _read_json(folder / "config.json").get("architectures")
    architectures = named if isinstance(named, list) else []
    declared = _read_json(folder / "config_sentence_transformers.json").get("model_type")
    if declared != "CrossEncoder" and not any(
        str(one).endswith("ForSequenceClassification") for one in architectures
    ):
        raise wanted.unusable("non è un cross-encoder")


def _read_json(path: Path) -> dict[str, object]:
    try:
        read = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
