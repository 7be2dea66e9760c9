"""What an embedding model must do, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt


class Prefixes(NamedTuple):
    """What is put before each query and each passage before it is embedded; empty is nothing."""

    query: str = ""
    passage: str = ""


class Embedder(Protocol):
    """Texts to unit-length float32 vectors."""

    @property
    def name(self) -> str:
        """As it stands in the manifest and in answers, e.g. `piano-statico-it-2`."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes when vectors would change: hash of weights and prefixes."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def prefixes(self) -> Prefixes:
        """Those in use, whoever chose them."""
        ...

    def embed_query(self, text: str) -> npt.NDArray[np.float32]:
        """Shape `(dimension,)`; all zeros when no word is known."""
        ...

    def embed_passages(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> npt.NDArray[np.float32]:
        """Shape `(len(texts), dimension)`; `progress` is told how many more are done."""
        ...
