"""Feeds Chroma from a thread of its own, because its insertions are slow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Queue

import numpy as np

from assistant.index.chroma import BATCH, ChromaVectors
from assistant.index.protocol import Vectors

_WAITING_BATCHES = 32
"""Bounds the memory: 32 batches of 1,000 rows of 256 float32 are 33 MB."""


class ChromaFeed:
    """One producer. `finish` must be called, or `abandon` when things went wrong."""

    def __init__(self, open_chroma: Callable[[], ChromaVectors]) -> None:
        self._open = open_chroma
        self._queue: Queue[tuple[list[str], Vectors] | None] = Queue(_WAITING_BATCHES)
        self._error: Exception | None = None
        self._chroma: ChromaVectors | None = None
        self._abandoned = False
        self._ids: list[str] = []
        self._vectors: list[Vectors] = []
        self._thread = threading.Thread(target=self._run, name="chroma-feed", daemon=True)
        self._thread.start()

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """`vectors` has shape `(len(ids), dimension)` and is not changed afterwards."""
        self._ids += ids
        self._vectors.append(vectors)
        if len(self._ids) >= BATCH:
            self._send()

    def finish(self) -> ChromaVectors:
        """The opened collection with everything in it; raises what went wrong in the thread."""
        self._send()
        self._queue.put(None)
        self._thread.join()
        if self._error is not None:
            self.abandon()
            raise self._error
        assert self._chroma is not None
        return self._chroma

    def abandon(self) -> None:
        """Stops and closes; what was inserted is thrown away by the caller."""
        self._abandoned = True
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        if self._chroma is not None:
            self._chroma.close()
            self._chroma = None

    def _send(self) -> None:
        if self._ids:
            self._queue.put((self._ids, np.concatenate(self._vectors)))
            self._ids, self._vectors = [], []

    def _run(self) -> None:
        try:
            self._chroma = self._open()
        except Exception as error:  # noqa: BLE001 - raised again in finish
            self._error = error
        # After an error, or when abandoned, the queue is still emptied: the producer never blocks.
        while (batch := self._queue.get()) is not None:
            if self._error is None and self._chroma is not None and not self._abandoned:
                try:
                    for _ in self._chroma.add(*batch):
                        pass
                except Exception as error:  # noqa: BLE001 - raised again in finish
                    self._error = error
