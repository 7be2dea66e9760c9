"""Files that must survive a crash: whole or not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Readers see the old content or the new, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes names created in `folder` durable, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_tree(folder: Path) -> None:
    """Makes every file and folder below durable."""
    for path in walk(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    for root, _, _ in os.walk(folder, topdown=False):
        sync_folder(Path(root))


def walk(folder: Path) -> Iterator[Path]:
    """Files below `folder`, in name order."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(root, name)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def link_or_copy(source: Path, target: Path) -> None:
    """For files that are never changed in place: no bytes are written where links exist."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def disk_bytes(folder: Path) -> int:
    """Bytes of all files below; a file linked twice counts once, one that vanishes not at all."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for path in walk(folder):
        with contextlib.suppress(FileNotFoundError):
            stat = path.lstat()
            if (stat.st_dev, stat.st_ino) not in seen:
                seen.add((stat.st_dev, stat.st_ino))
                total += stat.st_size
    return total
