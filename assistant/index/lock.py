"""One writer for each data directory, and a word on who it is."""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.errors import WriterBusyError
from assistant.index.files import write_atomically

_LOCK = "writer.lock"
_WHO = "writer.json"

_PATIENCE = 0.3
"""Seconds: longer than the instant that `current_writer` holds the lock to see if it is free."""


@contextmanager
def writer_lock(data_dir: Path) -> Iterator[None]:
    """Raises WriterBusyError naming the writer. The system frees the lock of a dead process."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = _file_lock(data_dir)
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout as error:
        who = _read(data_dir) or {}
        raise WriterBusyError(
            f"Un'altra ingestione è in corso (processo {who.get('pid', 'sconosciuto')} su"
            f" {who.get('host', 'questa macchina')}, dalle {who.get('started', '?')},"
            f" comando: {who.get('command', '?')}).",
            remedy="Aspetta che finisca, oppure fermala, e riprova.",
        ) from error
    try:
        who = {
            "pid": str(os.getpid()),
            "host": socket.gethostname(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:300],
        }
        write_atomically(data_dir / _WHO, json.dumps(who, ensure_ascii=False).encode())
        yield
    finally:
        (data_dir / _WHO).unlink(missing_ok=True)
        lock.release()


def current_writer(data_dir: Path) -> dict[str, str] | None:
    """Who is writing now: pid, host, started, command; None when nobody is."""
    who = _read(data_dir)
    if who is None:
        return None
    lock = _file_lock(data_dir)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return who
    lock.release()
    return None


def _file_lock(data_dir: Path) -> FileLock:
    return FileLock(data_dir / _LOCK, is_singleton=False)


def _read(data_dir: Path) -> dict[str, str] | None:
    try:
        values = json.loads((data_dir / _WHO).read_bytes())
        return {str(name): str(value) for name, value in values.items()}
    except (OSError, ValueError, AttributeError):
        return None
