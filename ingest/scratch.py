"""Temporary files of an ingest: inside the data directory, and gone when it ends."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FOLDER = ".scratch"
_SQLITE = "SQLITE_TMPDIR"
"""Where SQLite, ours and Chroma's alike, puts what does not fit in memory."""


@contextmanager
def scratch_folder(data_dir: Path) -> Iterator[Path]:
    """An empty folder; what an ingest that was killed left in it goes first. One writer at a time.

    SQLite in this process writes there too; readers are told by who starts them.
    """
    folder = (data_dir / _FOLDER).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    before = os.environ.get(_SQLITE)
    os.environ[_SQLITE] = str(folder)
    try:
        yield folder
    finally:
        if before is None:
            del os.environ[_SQLITE]
        else:
            os.environ[_SQLITE] = before
        shutil.rmtree(folder, ignore_errors=True)
