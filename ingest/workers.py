"""Reads many files in a few processes; one that hangs costs that file only."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from multiprocessing.connection import Connection, Pipe, wait

from ingest.structure import Structured
from ingest.worker import Refusal, Task

WORKERS = max(1, min(2, os.cpu_count() or 1))

_MAIN = "from ingest.worker import main; main()"

_AHEAD = 8
"""Results kept while a slow file before them is still being read."""


class _Reader:
    """One process and the file it is reading."""

    def __init__(self) -> None:
        self.connection, theirs = Pipe()
        number = theirs.fileno()
        # Not multiprocessing: it would import the calling program again in each process.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _MAIN, str(number)],
            pass_fds=[number],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        theirs.close()
        self.position = -1
        self.task: Task | None = None
        self.deadline = 0.0

    def start(self, position: int, task: Task, seconds: float) -> None:
        """Raises OSError when the process is no longer there."""
        self.position, self.task = position, task
        self.deadline = time.monotonic() + seconds
        self.connection.send(task)

    def stop(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.wait()


def read_all(
    tasks: Iterable[Task], *, seconds: float, workers: int = WORKERS
) -> Iterator[tuple[Task, Structured | Refusal]]:
    """Each task with what came of it, in the order of `tasks`, which is drawn from as needed.

    `seconds` is the longest time for one file.
    """
    waiting = enumerate(tasks)
    done: dict[int, tuple[Task, Structured | Refusal]] = {}
    idle: list[_Reader] = []
    busy: list[_Reader] = []
    following = 0
    exhausted = False
    try:
        # All start before the first is given work: each takes a while to import its readers.
        first = list(islice(waiting, workers))
        idle += [_Reader() for _ in first]
        busy += [_start(idle, *item, seconds) for item in first]
        while True:
            while not exhausted and len(busy) < workers and len(done) < _AHEAD:
                item = next(waiting, None)
                if item is None:
                    exhausted = True
                else:
                    busy.append(_start(idle, *item, seconds))
            while following in done:
                yield done.pop(following)
                following += 1
            if not busy and exhausted:
                return
            for reader, result in _results(busy):
                busy.remove(reader)
                assert reader.task is not None
                done[reader.position] = (reader.task, result)
                if isinstance(result, Refusal) and reader.connection.closed:
                    continue
                idle.append(reader)
    finally:
        for reader in (*idle, *busy):
            reader.stop()


def _start(idle: list[_Reader], position: int, task: Task, seconds: float) -> _Reader:
    while idle:
        reader = idle.pop()
        try:
            reader.start(position, task, seconds)
        except OSError:  # it died while it had nothing to do
            reader.stop()
        else:
            return reader
    reader = _Reader()
    reader.start(position, task, seconds)
    return reader


def _results(busy: list[_Reader]) -> list[tuple[_Reader, Structured | Refusal]]:
    """What is ready within the shortest deadline; readers that crashed or hang are stopped."""
    if not busy:
        return []
    patience = max(0.0, min(reader.deadline for reader in busy) - time.monotonic())
    ready = wait([reader.connection for reader in busy], patience)
    results: list[tuple[_Reader, Structured | Refusal]] = []
    for reader in busy:
        assert reader.task is not None
        name = reader.task.name
        if reader.connection in ready:
            try:
                results.append((reader, _receive(reader.connection)))
            except (EOFError, OSError):
                reader.stop()
                why = f"«{name}» ha fatto cadere il lettore: è danneggiato o malevolo."
                results.append((reader, Refusal(f"{why} Procuratelo di nuovo dalla fonte.")))
        elif time.monotonic() >= reader.deadline:
            reader.stop()
            why = f"«{name}» richiede troppo tempo per essere letto."
            remedy = "Dividilo in più file o alza il limite con PIANO_FILE_TIMEOUT_SECONDS."
            results.append((reader, Refusal(f"{why} {remedy}")))
    return results


def _receive(connection: Connection) -> Structured | Refusal:
    result = connection.recv()
    assert isinstance(result, Structured | Refusal)
    return result
