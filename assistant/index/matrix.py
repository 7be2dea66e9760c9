"""All vectors of a generation in one memory-mapped matrix, searched exactly.

The products with 100,000 rows of 256 take eight milliseconds of one core and read rows in order, so
a filter only makes them quicker, whatever it keeps; an approximate index is slowest with broad
filters, and without any takes as long for a hundred results.

They are made row by row, in the caller's thread and in those that are free to help. The library for
matrices would share them out among threads of its own and wait for all of them: on a busy machine
that took ten milliseconds for two thousand rows, and twenty-five for a hundred thousand.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assistant.errors import CorruptIndexError, EmbeddingError
from assistant.index.protocol import Placed, Vectors
from assistant.index.selection import Rows, Selection

_COPY_ROWS = 8192

_STRETCH_ROWS = 20
"""Rows multiplied in the time that it takes to begin with another stretch."""

_BLOCK_ROWS = 8192
"""Taken by a thread at a time: half a millisecond, the longest that another waits for it."""

_HELPERS = min(4, os.cpu_count() or 1) - 1
_POOL = ThreadPoolExecutor(max(1, _HELPERS), thread_name_prefix="matrix")

_LOADING = threading.Lock()
"""numpy reads a file's header with Python's own parser, which in some releases of 3.11 fails with
SystemError when two threads use it at once: seen when readers reopened a new generation."""


class ExactMatrix:
    """Rows in catalogue order; read-only, safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Raises CorruptIndexError when the file is no matrix of float32."""
        try:
            # An empty file cannot be mapped, and there is nothing in it to map.
            with _LOADING:
                mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise _corrupt(path, str(error)) from error
        # Plain, because each slice of numpy's own kind of mapped array runs Python code.
        self.rows: Vectors = mapped.view(np.ndarray)
        if self.rows.ndim != 2 or self.rows.dtype != np.float32:
            raise _corrupt(path, f"{self.rows.dtype}, {self.rows.ndim} dimensioni")

    @property
    def count(self) -> int:
        return int(self.rows.shape[0])

    @property
    def dimension(self) -> int:
        return int(self.rows.shape[1])

    def nearest(self, vector: Vectors, k: int, among: Selection | None = None) -> list[Placed]:
        """The `k` rows with the largest product with `vector`, best first, ties by row.

        Rows that tie with the k-th follow it, so that the caller can break the tie in its own way.
        A score depends on the two vectors alone, not on what else is searched.

        Raises:
            EmbeddingError: `vector` has not the matrix's dimension.
        """
        if vector.shape != (self.dimension,):
            raise EmbeddingError(
                f"Il vettore della domanda ha forma {vector.shape}, l'indice ({self.dimension},).",
                remedy="Usa lo stesso modello dell'indice oppure `piano reindex`.",
            )
        vector = np.ascontiguousarray(vector, dtype=np.float32)
        rows = None if among is None else np.flatnonzero(among.kept)
        scores = self._products(vector, among, rows)
        if not len(scores) or k < 1:
            return []
        if k >= len(scores):
            kept = np.arange(len(scores))
        else:
            # The product of many rows rounds each in its own way: within this, the order is open.
            slack = 2 * self.dimension * float(np.finfo(np.float32).eps)
            threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
            kept = np.flatnonzero(scores >= threshold - slack * max(1.0, float(np.abs(threshold))))
        rows = kept if rows is None else rows[kept]
        exact = self._exact(vector, rows)
        order = np.lexsort((rows, -exact))
        if k < len(order):
            order = order[: int(np.count_nonzero(exact >= exact[order[k - 1]]))]
        return [Placed(int(rows[i]), float(exact[i])) for i in order]

    def _products(
        self, vector: Vectors, among: Selection | None, rows: npt.NDArray[np.intp] | None
    ) -> Vectors:
        """Products with the rows asked for, in their order; `rows` are those of `among`."""
        if among is None or rows is None:
            return self._all_products(vector)
        if among.count + _STRETCH_ROWS * len(among.stretches) > self.count:
            return self._all_products(vector)[rows]
        parts = [np.vecdot(self.rows[first:end], vector) for first, end in among.stretches]
        return np.concatenate([np.empty(0, np.float32), *parts])

    def _all_products(self, vector: Vectors) -> Vectors:
        found = np.empty(self.count, np.float32)
        blocks = itertools.count(0, _BLOCK_ROWS)

        def work() -> None:
            while (first := next(blocks)) < self.count:
                end = min(first + _BLOCK_ROWS, self.count)
                np.vecdot(self.rows[first:end], vector, out=found[first:end])

        helping = min(_HELPERS, self.count // _BLOCK_ROWS)
        helpers = [_POOL.submit(work) for _ in range(helping)]
        work()
        for helper in helpers:
            if not helper.cancel():  # one that has not begun is not waited for
                helper.result()
        return found

    def _exact(self, vector: Vectors, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """The same products in double precision, each by itself."""
        # Without mixed types, which would be added up in pieces cut elsewhere for each row.
        precise = vector.astype(np.float64)
        found = np.empty(len(rows))
        for start in range(0, len(rows), _COPY_ROWS):
            block = self.rows[rows[start : start + _COPY_ROWS]].astype(np.float64)
            np.einsum("ij,j->i", block, precise, out=found[start : start + _COPY_ROWS])
        return found


def write_matrix(
    path: Path, base: ExactMatrix | None, removed: Sequence[Rows], added: Path, dimension: int
) -> int:
    """Writes `base` without the `removed` rows, then the raw float32 rows of the file `added`.

    Returns the number of rows written. Memory stays small whatever the size.
    """
    kept = _complement(removed, base.count if base is not None else 0)
    row_bytes = 4 * dimension
    new = added.stat().st_size // row_bytes if added.exists() else 0
    total = sum(rows.end - rows.first for rows in kept) + new
    with path.open("wb") as out:
        header = {"descr": "<f4", "fortran_order": False, "shape": (total, dimension)}
        np.lib.format.write_array_header_1_0(out, header)
        for rows in kept:
            assert base is not None
            for first in range(rows.first, rows.end, _COPY_ROWS):
                out.write(base.rows[first : min(first + _COPY_ROWS, rows.end)].tobytes())
        if new:
            with added.open("rb") as source:
                while block := source.read(_COPY_ROWS * row_bytes):
                    out.write(block)
    return total


def check_vectors(vectors: Vectors, count: int, dimension: int) -> Vectors:
    """Raises EmbeddingError unless `vectors` are `count` finite rows of the model's dimension."""
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.shape != (count, dimension) or not np.isfinite(vectors).all():
        raise EmbeddingError(
            f"Il modello di embedding ha dato vettori di forma {vectors.shape} o non finiti,"
            f" attesi ({count}, {dimension}).",
            remedy="Controlla PIANO_EMBEDDING_MODEL.",
        )
    return vectors


def _complement(removed: Sequence[Rows], count: int) -> list[Rows]:
    kept: list[Rows] = []
    position = 0
    for rows in sorted(removed):
        if position < rows.first:
            kept.append(Rows(position, rows.first))
        position = max(position, rows.end)
    if position < count:
        kept.append(Rows(position, count))
    return kept


def _corrupt(path: Path, why: str) -> CorruptIndexError:
    return CorruptIndexError(
        f"La matrice dei vettori {path} non si legge ({why}).",
        remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
    )
