"""Progress told on stderr: bars with an ETA on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
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
    """One bar a stage, and one below it for a part that takes long."""

    AFTER_SECONDS = 2.0
    """A part that is over by then is not shown."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._task: TaskID | None = None
        self._part: TaskID | None = None

    def stage(self, label: str, total: int | None) -> None:
        self.finish()
        self._task = self._bars.add_task(label, total=total)

    def finish(self) -> None:
        """A stage whose size nobody knew is full once it is over."""
        self._end_part()
        for task in self._bars.tasks:
            if task.total is None:
                self._bars.update(
                    task.id, total=max(1, task.completed), completed=task.completed or 1
                )

    def advance(self, n: int = 1) -> None:
        if self._task is not None:
            self._bars.advance(self._task, n)

    def part(self, label: str, total: int) -> Callable[[int], None]:
        self._end_part()
        began, done = time.monotonic(), 0

        def advance(n: int) -> None:
            nonlocal done
            done += n
            if self._part is not None:
                self._bars.update(self._part, completed=done)
            elif done < total and time.monotonic() - began >= self.AFTER_SECONDS:
                self._part = self._bars.add_task(f"  {label}", total=total, completed=done)

        return advance

    def _end_part(self) -> None:
        if self._part is not None:
            self._bars.remove_task(self._part)
            self._part = None


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

    def part(self, label: str, total: int) -> Callable[[int], None]:
        done = 0

        def advance(n: int) -> None:
            nonlocal done
            done += n
            if done < total and time.monotonic() - self._last >= self.EVERY_SECONDS:
                self._last = time.monotonic()
                self._print(
                    f"{self._label}: {self._done} di {self._total or '?'}, "
                    f"{label[0].lower()}{label[1:]}: {done} di {total}"
                )

        return advance

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)
