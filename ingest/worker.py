"""The process that reads files: whatever one does to it, the ingest goes on.

Started by ingest.workers with the number of a socket as its argument, over which pickles travel.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection

from assistant.errors import RefusedFileError
from ingest.formats import read_bytes
from ingest.structure import Structured, structure

logger = logging.getLogger(__name__)

MAX_MEMORY = 4 * 10**9
"""Bytes of address space: a file that unpacks into more is refused, the machine goes on."""


@dataclass(frozen=True, slots=True)
class Task:
    """A file to be read; `name` gives the format, `source` goes into the document."""

    document_id: str
    source: str
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file was not taken: one line in Italian with the remedy."""

    reason: str


def read_task(task: Task) -> Structured | Refusal:
    """Everything that can be told of a file, or why it is refused; never raises."""
    try:
        return structure(task.document_id, task.source, read_bytes(task.data, task.name))
    except RefusedFileError as error:
        return Refusal(str(error))
    except MemoryError:
        return Refusal(f"«{task.name}» chiede troppa memoria. Dividilo in più file.")
    except RecursionError:
        return Refusal(f"«{task.name}» ha una struttura troppo annidata. Salvalo in altro formato.")
    except Exception as error:  # any bug of a reader is a refusal of that file only
        logger.warning("reader failed on %s", task.source, exc_info=True)
        return Refusal(
            f"«{task.name}» non si riesce a leggere ({type(error).__name__})."
            " Salvalo in un altro formato e segnala il problema."
        )


def main() -> None:
    # Ctrl-C reaches the whole group: the parent decides, and closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    _limit_memory()
    connection = Connection(int(sys.argv[1]))
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            connection.send(read_task(connection.recv()))


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # only POSIX has it
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
