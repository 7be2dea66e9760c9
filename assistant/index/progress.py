"""How long work tells whoever waits: bars, lines or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Progress(Protocol):
    def stage(self, label: str, total: int | None) -> None:
        """A new stage begins; `label` is Italian, `total` in the stage's own unit if known."""
        ...

    def advance(self, n: int = 1) -> None:
        """So many more units of the current stage are done."""
        ...

    def part(self, label: str, total: int) -> Callable[[int], None]:
        """One unit of the current stage begins, of `total` steps; call with how many are done.

        Shown only if it lasts: a slow model takes minutes over one long document.
        """
        ...


class NoProgress:
    """Nobody listens."""

    def stage(self, label: str, total: int | None) -> None:
        return None

    def advance(self, n: int = 1) -> None:
        return None

    def part(self, label: str, total: int) -> Callable[[int], None]:
        return self.advance
