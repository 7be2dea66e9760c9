"""A progress bar on a terminal; nothing elsewhere, where it would fill the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Tick = Callable[[], None]
Progress = Callable[[str, int], AbstractContextManager[Tick]]
"""Title and steps in all → a block in which each step is told."""


@contextmanager
def progress(title: str, total: int) -> Iterator[Tick]:
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def silent(title: str, total: int) -> Iterator[Tick]:
    yield lambda: None
