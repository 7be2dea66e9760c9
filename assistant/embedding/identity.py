"""A word's own direction: a fixed pseudo-random unit vector.

Half of each vector of the static model is this one. It needs no storage and no training, and gives
a word that no training text holds (a place, a surname) the same place in queries and passages.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

GRAM_LENGTH = 4
_WORD_SHARE = 0.85
"""Weight of the whole word's direction; the rest is its character 4-grams', shared by its kin."""


def grams(word: str) -> list[str]:
    """Character 4-grams of a word with its ends marked: `#cas`, `casa`, `asa#`."""
    marked = f"#{word}#"
    return [marked[i : i + GRAM_LENGTH] for i in range(max(1, len(marked) - GRAM_LENGTH + 1))]


def identity_vectors(words: Sequence[str], dimension: int) -> Matrix:
    """Unit rows, shape `(len(words), dimension)`, that depend on the letters alone.

    `dimension` is a multiple of 8, at most 512 (the bits of one BLAKE2b digest).
    """
    if not words:
        return np.zeros((0, dimension), dtype=np.float32)
    pieces = [grams(word) for word in words]
    known = {piece: row for row, piece in enumerate(sorted({p for found in pieces for p in found}))}
    rows = [known[piece] for found in pieces for piece in found]
    lengths = np.array([len(found) for found in pieces])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    kin = np.add.reduceat(_signs(list(known), dimension)[rows], starts, axis=0)
    kin /= np.sqrt(lengths, dtype=np.float32)[:, None]
    own = _signs([f"={word}" for word in words], dimension)
    vectors = _WORD_SHARE * own + (1 - _WORD_SHARE) * kin
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _signs(texts: Sequence[str], dimension: int) -> Matrix:
    """Rows of +1 and -1, the bits of each text's hash."""
    size = dimension // 8
    digests = b"".join(blake2b(text.encode(), digest_size=size).digest() for text in texts)
    bits = np.unpackbits(np.frombuffer(digests, dtype=np.uint8)).reshape(len(texts), dimension)
    return bits.astype(np.float32) * 2 - 1
