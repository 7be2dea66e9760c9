"""A document's words as a small set of numbers, by which re-published texts are recognised.

Five words in a row are a shingle. A sketch keeps the one in `SCALE` whose hash falls there: the
share of common shingles of two sketches estimates that of the whole texts (FracMinHash, Irber et
al. 2022), and whoever reads the estimate can check it on the texts themselves.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Iterable

from assistant.italian.analysis import fold

WORDS = 5
SCALE = 8
_WORD = re.compile(r"\w+")


def shingles(texts: Iterable[str]) -> frozenset[int]:
    """Hashes (32 bits) of all runs of `WORDS` words; runs go on from one text to the next."""
    words = [word.encode() for word in _WORD.findall(fold(" ".join(texts)))]
    runs = zip(*(words[i:] for i in range(WORDS)), strict=False)
    return frozenset(map(zlib.crc32, map(b" ".join, runs)))


def sketch(texts: Iterable[str]) -> bytes:
    """The sampled shingles, sorted, as 32-bit little-endian numbers."""
    chosen = array("I", sorted(h for h in shingles(texts) if h % SCALE == 0))
    return chosen.tobytes()


def read_sketch(data: bytes) -> frozenset[int]:
    chosen = array("I")
    chosen.frombytes(data)
    return frozenset(chosen)
