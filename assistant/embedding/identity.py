"""A word's own direction: a fixed pseudo-random unit vector, so that equal words always meet.

Half of each vector of the static model is this one. It needs no storage and no training, and gives
a word that no training text holds (a place, a surname) the same place in queries and passages.
"""

from __future__ import annotations

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


def identity_vector(word: str, dimension: int) -> Matrix:
    """Unit vector of shape `(dimension,)` that depends on the letters alone.

    `dimension` is a multiple of 8, at most 512 (the bits of one BLAKE2b digest).
    """
    pieces = grams(word)
    kin = np.sum([_signs(piece, dimension) for piece in pieces], axis=0) / np.sqrt(len(pieces))
    vector = _WORD_SHARE * _signs(f"={word}", dimension) + (1 - _WORD_SHARE) * kin
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def _signs(text: str, dimension: int) -> Matrix:
    digest = blake2b(text.encode(), digest_size=dimension // 8).digest()
    bits = np.unpackbits(np.frombuffer(digest, dtype=np.uint8))
    return bits.astype(np.float32) * 2 - 1
