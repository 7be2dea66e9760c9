"""Reads many files in a few processes; one that hangs costs that file only."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, cast

from assistant.errors import AssistantError
from ingest.structure import Structured
from ingest.worker import READY, ImageRead, ImageTask, Refusal, Task, send_task

WORKERS = max(1, min(2, os.cpu_count() or 1))
MAX_IMAGE_WORKERS = 16

_MAIN = "from ingest.worker import main; main()"

_AHEAD = 8
"""Results kept while a slow file before them is still being read, at least."""
_IN_HAND = 300_000_000
"""Bytes of files and results held at once, beyond which no further file is taken up."""
_MAX_RESULT = 150_000_000
"""Bytes of one document's result, some 50 MB of text: as objects they take three times as much."""
_TOO_LONG = "bad message length"
"""All that multiprocessing says of a message beyond the limit."""
_STARTUP_SECONDS = 120.0


class _Doable(Protocol):
    @property
    def size(self) -> int: ...

    def fell(self) -> Refusal: ...

    def slow(self) -> Refusal: ...

    def too_much(self) -> Refusal: ...


T = TypeVar("T", bound=_Doable)


class Readers:
    """Processes that read file after file; a context, at whose end they are stopped."""

    def __init__(self, workers: int = WORKERS, scratch: Path | None = None) -> None:
        """`scratch` is the folder for their temporary files."""
        self._workers = workers
        self._scratch = scratch
        self._idle: list[_Reader] = []
        self._busy: list[_Reader] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def read(
        self, tasks: Iterable[Task], *, seconds: float
    ) -> Iterator[tuple[Task, Structured | Refusal]]:
        """Each task with what came of it, in the order of `tasks`, drawn from as needed.

        `seconds` is the longest time for one file.
        """
        return cast(Iterator[tuple[Task, Structured | Refusal]], self._do_all(tasks, seconds))

    def recognise(
        self, tasks: Iterable[ImageTask], *, seconds: float
    ) -> Iterator[tuple[ImageTask, ImageRead | Refusal]]:
        """The same for images; `seconds` is the longest time for one."""
        return cast(Iterator[tuple[ImageTask, ImageRead | Refusal]], self._do_all(tasks, seconds))

    def stop(self) -> None:
        for reader in (*self._idle, *self._busy):
            reader.stop()
        self._idle.clear()
        self._busy.clear()

    def _do_all(self, tasks: Iterable[T], seconds: float) -> Iterator[tuple[T, object]]:
        waiting = enumerate(tasks)
        done: dict[int, tuple[T, object, int]] = {}
        following = 0
        exhausted = False
        ahead = max(_AHEAD, 2 * self._workers)
        try:
            # All start before the first is given work: each takes a while to import its readers.
            first = list(islice(waiting, self._workers))
            while len(self._idle) < len(first):
                self._idle.append(_Reader(self._scratch))
            for position, task in first:
                self._start(position, task, seconds)
            while True:
                while not exhausted and len(self._busy) < self._workers and len(done) < ahead:
                    if self._busy and _in_hand(self._busy, done) > _IN_HAND:
                        break
                    item = next(waiting, None)
                    if item is None:
                        exhausted = True
                    else:
                        self._start(*item, seconds)
                while following in done:
                    task, result, _ = done.pop(following)
                    yield task, result
                    del task, result
                    following += 1
                if not self._busy and exhausted:
                    return
                for reader, result, size in _results(self._busy):
                    self._busy.remove(reader)
                    done[reader.position] = (reader.task, result, size)
                    reader.task = None
                    if not reader.connection.closed:
                        self._idle.append(reader)
        finally:
            # Whoever stopped listening leaves work half done, of which nothing may come later.
            for reader in self._busy:
                reader.stop()
            self._busy.clear()

    def _start(self, position: int, task: _Doable, seconds: float) -> None:
        while self._idle:
            reader = self._idle.pop()
            try:
                reader.start(position, task, seconds)
            except (OSError, EOFError):  # it died while it had nothing to do
                reader.stop()
            else:
                self._busy.append(reader)
                return
        reader = _Reader(self._scratch)
        try:
            reader.start(position, task, seconds)
        except (OSError, EOFError) as error:
            reader.stop()
            raise AssistantError(
                "Il processo che legge i documenti non parte.",
                remedy="Libera memoria e riprova; se non basta, esegui `make setup`.",
            ) from error
        self._busy.append(reader)


def read_all(
    tasks: Iterable[Task], *, seconds: float, workers: int = WORKERS, scratch: Path | None = None
) -> Iterator[tuple[Task, Structured | Refusal]]:
    """`Readers.read` by processes of its own, stopped at the end."""
    with Readers(workers, scratch) as readers:
        yield from readers.read(tasks, seconds=seconds)


def recognise_all(
    tasks: Iterable[ImageTask], *, seconds: float, scratch: Path | None = None
) -> Iterator[tuple[ImageTask, ImageRead | Refusal]]:
    """`Readers.recognise` with a process for each core."""
    with Readers(min(MAX_IMAGE_WORKERS, cores()), scratch) as readers:
        yield from readers.recognise(tasks, seconds=seconds)


def cores() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux knows
        return os.cpu_count() or 1


class _Reader:
    """One process and the task that it is at."""

    def __init__(self, scratch: Path | None) -> None:
        self.connection, theirs = Pipe()
        number = theirs.fileno()
        # Not multiprocessing: it would import the calling program again in each process.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _MAIN, str(number)],
            pass_fds=[number],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=_environment(scratch),
            # A group of its own, so that what it started ends with it.
            start_new_session=True,
        )
        theirs.close()
        self._ready = False
        self.position = -1
        self.task: Any = None
        self.deadline = 0.0

    def start(self, position: int, task: Any, seconds: float) -> None:
        """Raises OSError when the process is no longer there."""
        if not self._ready:  # loading libraries is not part of the file's time
            if not self.connection.poll(_STARTUP_SECONDS) or self.connection.recv() != READY:
                raise TimeoutError
            self._ready = True
        self.position, self.task = position, task
        send_task(self.connection, task)
        self.deadline = time.monotonic() + seconds

    def stop(self) -> None:
        self.connection.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()


def _environment(scratch: Path | None) -> dict[str, str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    # Each thread and each arena of malloc would reserve address space, which is limited.
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    if scratch is not None:
        environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch.absolute()))
    return environment


def _in_hand(busy: list[_Reader], done: dict[int, tuple[T, object, int]]) -> int:
    started = sum(int(reader.task.size) for reader in busy)
    return started + sum(task.size + size for task, _, size in done.values())


def _results(busy: list[_Reader]) -> list[tuple[_Reader, object, int]]:
    """What is ready within the shortest deadline; readers that crashed or hang are stopped."""
    if not busy:
        return []
    patience = max(0.0, min(reader.deadline for reader in busy) - time.monotonic())
    ready = wait([reader.connection for reader in busy], patience)
    results: list[tuple[_Reader, object, int]] = []
    for reader in busy:
        if reader.connection in ready:
            results.append((reader, *_receive(reader)))
        elif time.monotonic() >= reader.deadline:
            reader.stop()
            results.append((reader, reader.task.slow(), 0))
    return results


def _receive(reader: _Reader) -> tuple[object, int]:
    """The result and its size in bytes; a reader that fell, or says too much, is stopped."""
    connection: Connection = reader.connection
    try:
        received = connection.recv_bytes(_MAX_RESULT)
    except EOFError:
        refusal = reader.task.fell()
    except OSError as error:
        refusal = reader.task.too_much() if str(error) == _TOO_LONG else reader.task.fell()
    else:
        result = pickle.loads(received)
        assert isinstance(result, Structured | ImageRead | Refusal)
        return result, len(received)
    reader.stop()
    return refusal, 0
