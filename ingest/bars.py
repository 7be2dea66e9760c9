"""Progress told on stderr: bars with an ETA on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from assistant.index.progress import Progress


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """What to tell the progress of long work to, while it lasts."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield _Lines(console)
        return
    with RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("mancano"),
        TimeRemainingColumn(),
        console=console,
    ) as bars:
        shown = _Bars(bars)
        yield shown
        shown.finish()


class _Bars:
    """One bar a stage."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def stage(self, label: str, total: int | None) -> None:
        self.finish()
        self._task = self._bars.add_task(label, total=total)

    def finish(self) -> None:
        """A stage whose size nobody knew is full once it is over."""
        for task in self._bars.tasks:
            if task.total is None:
                self._bars.update(
                    task.id, total=max(1, task.completed), completed=task.completed or 1
                )

    def advance(self, n: int = 1) -> None:
        if self._task is not None:
            self._bars.advance(self._task, n)


class _Lines:
    """One line a stage and one every few seconds."""

    EVERY_SECONDS = 5.0

    def __init__(self, console: Console) -> None:
        self._console = console
        self._label, self._total, self._done, self._last = "", 0, 0, 0.0

    def stage(self, label: str, total: int | None) -> None:
        self._label, self._total, self._done = label, total or 0, 0
        self._last = time.monotonic()
        if total:
            self._print(f"{label}: {total}")

    def advance(self, n: int = 1) -> None:
        self._done += n
        if time.monotonic() - self._last >= self.EVERY_SECONDS:
            self._last = time.monotonic()
            self._print(f"{self._label}: {self._done} di {self._total or '?'}")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)
