"""What a server sent: unpacked within limits, in a known encoding, under a name that fits."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterable, Iterator
from email.message import Message
from pathlib import PurePosixPath

from ingest.formats.reading import READERS, content_suffix

_TEXT_TYPES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
}
_BINARY_TYPES = frozenset(
    {
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.oasis.opendocument.text",
    }
)
_UNKNOWN_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_BINARY_SUFFIXES = frozenset({".pdf", ".docx", ".odt"})
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TEXT_ENCODINGS = re.compile(r"utf-16(-[lb]e)?|iso8859-\d+|cp(12\d\d|437|850|858)|mac-roman")
_OWN_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)


class BodyError(ValueError):
    """Why what was sent cannot be taken: a predicate in Italian."""


class TooLargeError(BodyError):
    """More than the limit, on the way or once unpacked."""


def unpacked(blocks: Iterable[bytes], encoding: str, max_bytes: int) -> Iterator[bytes]:
    """The body without its content encoding; never more than `max_bytes` are held or handed on.

    Raises TooLargeError, BodyError for an encoding that was not asked for or is cut short.
    """
    if encoding in ("", "identity"):
        yield from _limited(blocks, max_bytes)
    elif encoding in ("gzip", "x-gzip", "deflate"):
        yield from _limited(_inflated(blocks, encoding, max_bytes), max_bytes)
    else:
        raise BodyError(f"è mandato in una compressione che non si legge ({encoding[:40]})")


def _limited(blocks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    total = 0
    for block in blocks:
        total += len(block)
        if total > max_bytes:
            raise TooLargeError(f"supera il limite di {max_bytes / 1_000_000:g} MB")
        yield block


def _inflated(blocks: Iterable[bytes], encoding: str, max_bytes: int) -> Iterator[bytes]:
    wrapping = zlib.MAX_WBITS if encoding == "deflate" else 16 + zlib.MAX_WBITS
    inflater = zlib.decompressobj(wrapping)
    started = False
    # A packed body is limited too: one that unpacks into nothing could go on for ever.
    for packed in _limited(blocks, max_bytes):
        block = packed
        while block:
            try:
                out = inflater.decompress(block, 1 << 20)
            except zlib.error as error:
                if not started and encoding == "deflate":  # some servers leave the wrapping out
                    inflater, started = zlib.decompressobj(-zlib.MAX_WBITS), True
                    continue
                raise BodyError("è arrivato danneggiato (compressione)") from error
            started = True
            block = inflater.unconsumed_tail
            if inflater.eof:
                block = inflater.unused_data
                inflater = zlib.decompressobj(wrapping) if block else inflater
            yield out
    while not inflater.eof and (rest := inflater.decompress(b"", 1 << 20)):
        yield rest
    if started and not inflater.eof:
        raise BodyError("è arrivato incompleto")


def file_name(last: str, data: bytes, content_type: str, disposition: str) -> str:
    """A file name whose suffix is the format of `data`; `last` is the address's last part.

    The bytes decide where they can, then the declared type, then the names. Raises BodyError for
    a page in the place of a document, which is what sites send for what is gone or locked.
    """
    kind = content_type.partition(";")[0].strip().lower()
    given = PurePosixPath(_file_of(disposition)).suffix.lower()
    own = PurePosixPath(last).suffix.lower()
    inside = content_suffix(data)
    if inside == ".html" and (kind in _BINARY_TYPES or own in _BINARY_SUFFIXES):
        raise BodyError(
            "promette un documento ma manda una pagina HTML, forse d'errore o di accesso"
        )
    if inside in _BINARY_SUFFIXES or inside == ".html":
        suffix = inside
    elif inside:
        raise BodyError(f"contiene dati di un formato che non si legge ({inside})")
    elif kind in _BINARY_TYPES:
        raise BodyError("promette un documento e manda altri dati")
    elif kind in _UNKNOWN_TYPES:
        suffix = given if given in READERS else own
    else:
        suffix = _TEXT_TYPES.get(kind, "")
        if suffix == ".txt" and READERS.get(own) in ("markdown", "text"):
            suffix = own
    if suffix not in READERS:
        raise BodyError(f"è di un tipo che non si legge ({kind[:60] or 'non dichiarato'})")
    last = last or "pagina"
    return last if READERS.get(own) == READERS[suffix] else last + suffix


def in_utf8(data: bytes, content_type: str) -> bytes:
    """Text whose encoding only the header tells, with that knowledge written into it.

    A file keeps no headers: such text is turned into UTF-8 with its mark. Left alone are bytes
    that are UTF-8 already (whatever the header says), have a mark, or name the encoding themselves.
    """
    declared = _charset(content_type)
    if not declared or data.startswith(_BOMS) or _is_utf8(data):
        return data
    own = _OWN_CHARSET.search(data[:4096])
    if own and _codec(own[1].decode("ascii", "replace")) == declared:
        return data
    try:
        return codecs.BOM_UTF8 + data.decode(declared).encode("utf-8")
    except UnicodeDecodeError:
        return data


def _charset(content_type: str) -> str:
    """Python's name of the declared encoding, empty for none or one that is not for texts."""
    message = Message()
    message["content-type"] = content_type or "text/plain"
    declared = message.get_param("charset", "")
    return _codec(declared) if isinstance(declared, str) else ""


def _codec(name: str) -> str:
    try:
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return ""
    # The web reads "iso-8859-1" as Windows-1252 (WHATWG Encoding Standard).
    found = "cp1252" if found == "iso8859-1" else found
    return found if _TEXT_ENCODINGS.fullmatch(found) else ""


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _file_of(disposition: str) -> str:
    message = Message()
    message["content-disposition"] = disposition or "inline"
    return message.get_filename("") or ""
