"""Documents that are ZIP archives of XML: what must hold before anything is unpacked."""

from __future__ import annotations

import io
import struct
import zipfile

from assistant.errors import RefusedFileError

MAX_UNPACKED_BYTES = 300_000_000
MAX_XML_BYTES = 40_000_000
"""Largest XML part: a parser builds it in memory, some twenty times over."""
MAX_RATIO = 200
_RATIO_FROM_BYTES = 10_000_000
MAX_ENTRIES = 20_000
_END = b"PK\x05\x06"
_END_BYTES = 22
_COMMENT_BYTES = 65_535


def check_archive(data: bytes, name: str, suffix: str) -> list[zipfile.ZipInfo]:
    """The entries of an archive that may be unpacked, by its own directory.

    Raises:
        RefusedFileError: damaged, encrypted, or unpacking to more than a document can hold.
    """
    if _entry_count(data) > MAX_ENTRIES:  # each entry would become an object before it is counted
        raise _too_much(name, f"contiene più di {MAX_ENTRIES} parti")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise damaged(name, suffix) from error
    if any(entry.flag_bits & 1 for entry in entries):
        raise protected(name)
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries) or 1
    largest = max(
        (e.file_size for e in entries if e.filename.endswith((".xml", ".rels"))), default=0
    )
    bomb = unpacked > _RATIO_FROM_BYTES and unpacked / packed > MAX_RATIO
    too_much = unpacked > MAX_UNPACKED_BYTES or largest > MAX_XML_BYTES
    if bomb or too_much or len(entries) > MAX_ENTRIES:
        size = f"{unpacked // 1_000_000} MB in {len(entries)} parti"
        raise _too_much(name, f"una volta decompresso occupa {size}")
    return entries


def damaged(name: str, suffix: str) -> RefusedFileError:
    return RefusedFileError(
        f"«{name}» è un file {suffix} troncato o danneggiato.",
        remedy=f"Aprilo con un programma di scrittura, salvalo di nuovo in {suffix} e riprova.",
    )


def protected(name: str) -> RefusedFileError:
    return RefusedFileError(
        f"«{name}» è protetto da password.", remedy="Salvane una copia senza password."
    )


def _too_much(name: str, what: str) -> RefusedFileError:
    return RefusedFileError(
        f"«{name}» {what}: troppo per un documento di testo.",
        remedy="Controlla da dove viene; se è buono, salvalo in PDF o dividilo.",
    )


def _entry_count(data: bytes) -> int:
    """As the end of the archive's directory says; 0 when it has no end, which is damage.

    The size of the directory tells a number that was made small: entries of documents take
    well under 200 bytes.
    """
    at = data.rfind(_END, max(0, len(data) - _COMMENT_BYTES - _END_BYTES))
    if at < 0 or at + _END_BYTES > len(data):
        return 0
    count, size = struct.unpack_from("<HI", data, at + 10)
    return max(int(count), min(int(size), len(data)) // 200)
