"""Bytes to text: Unicode by its marks, else UTF-8, else a code page, with a note."""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import NamedTuple

from assistant.errors import RefusedFileError

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = ["cp1252", "latin_1", "mac_roman", "cp850"]
_ITALIAN = frozenset("àèéìíîòóùúÀÈÉÌÒÓÙÚçñüöäê‘’“”–—…€°ºª«»·•§©®\u00a0\u00ad²³½±×")
_MAX_CONTROL_SHARE = 0.02
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f]")
_SAMPLE = 200_000


class Decoded(NamedTuple):
    text: str
    notes: tuple[str, ...]


def decode(data: bytes, name: str, declared: str | None = None) -> Decoded:
    """The text of `data`; `declared` is the charset an HTML page claims for itself.

    Raises:
        RefusedFileError: what comes out is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            marked = data.decode(encoding, errors="replace")
            notes: tuple[str, ...] = ()
            if "\ufffd" in marked:
                notes = (f"«{name}»: alcuni caratteri non si leggono e sono segnati con \ufffd.",)
            return _checked(marked, name, notes)
    if utf16 := _bare_utf16(data):
        return _checked(data.decode(utf16, errors="replace"), name, ())
    try:
        return _checked(data.decode("utf-8"), name, ())
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3:
            note = f"«{name}» finisce a metà di un carattere: può essere incompleto."
            return _checked(data[: error.start].decode("utf-8"), name, (note,))
    if b"\x00" in data:
        raise _binary(name)
    if declared and (text := _try(data, declared)) is not None:
        return _checked(text, name, ())
    return _western(data, name)


def _bare_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: in Western text one byte of each pair is nearly always zero."""
    sample = data[:2000]
    if len(sample) < 4 or len(data) % 2:
        return None
    half = len(sample) // 2
    if sample[1::2].count(0) > 0.7 * half and sample[0::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if sample[0::2].count(0) > 0.7 * half and sample[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _try(data: bytes, encoding: str) -> str | None:
    try:
        # The web reads "iso-8859-1" as Windows-1252 (WHATWG Encoding Standard).
        canonical = codecs.lookup(encoding).name
        return data.decode("cp1252" if canonical == "iso8859-1" else canonical)
    except (LookupError, UnicodeDecodeError):
        return None


def _western(data: bytes, name: str) -> Decoded:
    import charset_normalizer

    text = _try(data, "cp1252")
    if text is not None and _looks_italian(text):
        return _checked(text, name, ())
    best = charset_normalizer.from_bytes(data[:_SAMPLE], cp_isolation=_CANDIDATES).best()
    encoding = best.encoding if best is not None else "cp1252"
    text = data.decode(encoding, errors="replace")
    note = (
        f"«{name}» non è in UTF-8: è stato letto come {encoding}. Se vedi lettere accentate "
        "sbagliate, salvalo in UTF-8 e ingeriscilo di nuovo."
    )
    return _checked(text, name, (note,))


def _looks_italian(text: str) -> bool:
    """Whether what is not ASCII is what Italian texts use, and accents stand inside words."""
    foreign = [c for c in text if ord(c) > 127]
    return sum(c in _ITALIAN for c in foreign) >= 0.9 * len(foreign)


def _checked(text: str, name: str, notes: tuple[str, ...]) -> Decoded:
    """Refuse binary data that happened to decode; a few stray controls are only told."""
    controls = len(_CONTROLS.findall(text))
    if controls > _MAX_CONTROL_SHARE * len(text):
        raise _binary(name)
    sample = text[:_SAMPLE]
    odd = sum(unicodedata.category(c) in ("Cn", "Co", "Cc") for c in sample if ord(c) > 127)
    if odd + sample.count("\ufffd") > 0.1 * len(sample):
        raise _binary(name)
    if controls:
        notes += (f"«{name}» contiene {controls} caratteri di controllo, che sono stati tolti.",)
    return Decoded(text, notes)


def _binary(name: str) -> RefusedFileError:
    return RefusedFileError(
        f"«{name}» non contiene testo ma dati binari.",
        remedy="Controlla che il file sia quello giusto o salvalo di nuovo come testo UTF-8.",
    )
