"""What a re-ranker must do, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Reranker(Protocol):
    """Reads question and passage together; safe to use from several threads."""

    @property
    def name(self) -> str: ...

    def load(self) -> None:
        """Loads the model now, not with the first question; raises RerankerError."""
        ...

    def scores(self, query: str, passages: Sequence[str]) -> npt.NDArray[np.float32]:
        """Shape `(len(passages),)`; higher is better, comparable inside one query.

        Raises:
            RerankerTimeoutError: its time for one question is over; the order stays as it was.
            RerankerError: the model cannot be loaded or used.
        """
        ...
