"""How long work tells whoever waits: bars, lines or nothing."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    def stage(self, label: str, total: int | None) -> None:
        """A new stage begins; `label` is Italian, `total` in the stage's own unit if known."""
        ...

    def advance(self, n: int = 1) -> None:
        """So many more units of the current stage are done."""
        ...


class NoProgress:
    """Nobody listens."""

    def stage(self, label: str, total: int | None) -> None:
        return None

    def advance(self, n: int = 1) -> None:
        return None
