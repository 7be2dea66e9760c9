"""All vectors of a generation in one memory-mapped matrix, searched exactly.

A product over 100,000 x 256 takes about ten milliseconds and reads rows in order, so a filter only
makes it faster, whatever it keeps; an approximate index is slowest with broad filters.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant.errors import CorruptIndexError, EmbeddingError
from assistant.index.catalog import Rows
from assistant.index.protocol import Vectors

_COPY_ROWS = 8192

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
                self.rows: Vectors = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise _corrupt(path, str(error)) from error
        if self.rows.ndim != 2 or self.rows.dtype != np.float32:
            raise _corrupt(path, f"{self.rows.dtype}, {self.rows.ndim} dimensioni")

    @property
    def count(self) -> int:
        return int(self.rows.shape[0])

    @property
    def dimension(self) -> int:
        return int(self.rows.shape[1])

    def nearest(
        self, vector: Vectors, k: int, among: Sequence[Rows] | None = None
    ) -> list[tuple[int, float]]:
        """The `k` rows with the largest product with `vector`, best first; ties by row.

        Raises:
            EmbeddingError: `vector` has not the matrix's dimension.
        """
        if vector.shape != (self.dimension,):
            raise EmbeddingError(
                f"Il vettore della domanda ha forma {vector.shape}, l'indice ({self.dimension},).",
                remedy="Usa lo stesso modello dell'indice oppure `piano reindex`.",
            )
        stretches = [Rows(0, self.count)] if among is None else among
        stretches = [rows for rows in stretches if rows.first < rows.end]
        if not stretches or k < 1:
            return []
        vector = np.ascontiguousarray(vector, dtype=np.float32)
        scores = np.concatenate([self.rows[rows.first : rows.end] @ vector for rows in stretches])
        numbers = np.concatenate([np.arange(rows.first, rows.end) for rows in stretches])
        if k < len(scores):
            # Everything that ties with the k-th is kept until rows have broken the tie.
            threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
            kept = np.flatnonzero(scores >= threshold)
            scores, numbers = scores[kept], numbers[kept]
        order = np.lexsort((numbers, -scores))[:k]
        return [(int(numbers[i]), float(scores[i])) for i in order]


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
