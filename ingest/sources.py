"""What the user gave to be ingested: files, folders, web addresses."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.web.addresses import AddressError, canonical, without_password

MAX_DEPTH = 64
"""Folders nested deeper than this are skipped, and said so."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file or address; `path` is None for an address."""

    source: str
    """As given; for a file of a folder, the folder as given plus the relative path."""
    location: str
    """Absolute path or address: the same document read again has the same location."""
    path: Path | None
    skipped: str | None = None
    """Why it is not read, in Italian; None for what is."""

    @property
    def suffix(self) -> str:
        return self.path.suffix if self.path is not None else ""


def is_url(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def find(sources: Sequence[str], data_dir: Path | None = None) -> list[Found]:
    """Everything the sources hold, in order, each location once, but for what is in `data_dir`.

    A missing path is found too: reading it gives the reason. Links and hidden files are skipped
    inside folders, but taken when named.
    """
    found: dict[str, Found] = {}
    own = _location(data_dir) if data_dir is not None else None
    for source in sources:
        for item in _expand(source, own):
            found.setdefault(item.location, item)
    return list(found.values())


def folders(sources: Sequence[str]) -> list[str]:
    """Locations of the sources that are folders, as a prefix of what they hold."""
    paths = [Path(source) for source in sources if not is_url(source)]
    return [_location(path).rstrip("/") + "/" for path in paths if path.is_dir()]


def _expand(source: str, own: str | None) -> Iterator[Found]:
    if is_url(source):
        yield _address(source)
        return
    path = Path(source)
    try:
        is_folder = path.is_dir()
    except ValueError:  # a NUL in the name
        is_folder = False
    if is_folder:
        yield from _walk(path, source.rstrip("/") or "/", own, 0)
    else:
        yield Found(shown(source), _location(path), path)


def _address(source: str) -> Found:
    name = shown(without_password(source))
    try:
        return Found(name, canonical(source), None)
    except AddressError:
        return Found(name, source, None)  # asking for it gives the reason


def _walk(folder: Path, source: str, own: str | None, depth: int) -> Iterator[Found]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield _skip(folder, source, f"La cartella non si può aprire ({error.strerror}).")
        return
    for entry in entries:
        path, name = folder / entry.name, f"{source.rstrip('/')}/{entry.name}"
        if entry.name.startswith("."):
            yield _skip(path, name, "I file e le cartelle nascosti non si leggono.")
        elif entry.is_symlink():
            yield _skip(path, name, "È un collegamento: indica il file a cui porta.")
        elif entry.is_dir(follow_symlinks=False):
            if _location(path) == own:
                yield _skip(path, name, "È la cartella dei dati dell'assistente.")
            elif depth >= MAX_DEPTH:
                yield _skip(path, name, "La cartella è annidata troppo in profondità.")
            else:
                yield from _walk(path, name, own, depth + 1)
        elif entry.is_file(follow_symlinks=False):
            yield Found(shown(name), _location(path), path)
        else:
            yield _skip(path, name, "Non è un file.")


def _skip(path: Path, source: str, why: str) -> Found:
    return Found(shown(source), _location(path), path, why)


def _location(path: Path) -> str:
    # Links on the way are resolved, the last name is not: a link named is a source of its own.
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the last name
    try:
        return shown(str(absolute.parent.resolve() / absolute.name))
    except (OSError, ValueError, RuntimeError):
        return shown(str(absolute))


def shown(name: str) -> str:
    """A name that any text file can hold: bytes that are no UTF-8 are written as `\\xNN`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
