"""From a path or bytes to the reader that suits them: extension and content must agree."""

from __future__ import annotations

import errno
import importlib
import os
import re
import stat
from pathlib import Path, PurePath
from typing import Protocol

from assistant.errors import RefusedFileError
from ingest.models import Recognition, SourceDocument

READERS: dict[str, str] = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".odt": "odt",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".text": "text",
}
"""Suffix in lower case to the module of this package that reads it; each has `read(data, name)`."""

_HTML = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_OPEN_DOCUMENT = re.compile(rb"mimetype\w*application/vnd\.oasis\.opendocument\.([a-z]+)")
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "un documento di Office vecchio o cifrato", ".doc"),
    (b"{\\rtf", "un documento RTF", ".rtf"),
    (b"\x89PNG\r\n", "un'immagine PNG", ".png"),
    (b"\xff\xd8\xff", "un'immagine JPEG", ".jpg"),
    (b"GIF8", "un'immagine GIF", ".gif"),
    (b"II*\x00", "un'immagine TIFF", ".tif"),
    (b"MM\x00*", "un'immagine TIFF", ".tif"),
    (b"\x1f\x8b", "un archivio gzip", ".gz"),
    (b"7z\xbc\xaf'\x1c", "un archivio 7z", ".7z"),
    (b"Rar!\x1a\x07", "un archivio RAR", ".rar"),
    (b"\x7fELF", "un programma", ""),
    (b"MZ\x90\x00", "un programma", ".exe"),
)
_REASONS = {
    errno.ELOOP: "i collegamenti girano in tondo",
    errno.ENAMETOOLONG: "il nome è troppo lungo",
    errno.ENOTDIR: "una parte del percorso non è una cartella",
    errno.EIO: "il disco non si legge",
    errno.ESTALE: "il disco di rete non risponde",
    errno.EMFILE: "ci sono troppi file aperti",
}
_ACCEPTED_CONTENT = {
    "pdf": {".pdf"},
    "docx": {".docx"},
    "odt": {".odt"},
    "html": {".html", ""},
    "markdown": {""},
    "text": {""},
}


class Reader(Protocol):
    """A module of this package."""

    def read(self, data: bytes, name: str) -> SourceDocument: ...


def read_document(path: Path, *, max_bytes: int) -> SourceDocument:
    """Read a file whole.

    Raises:
        RefusedFileError: missing, not a file, unreadable, too large, or refused by `read_bytes`.
    """
    return read_bytes(load(path, max_bytes=max_bytes), path.name)


def load(path: Path, *, max_bytes: int) -> bytes:
    """The bytes of a file that may be read, at most `max_bytes` of them."""
    name = shown_name(path.name or str(path))
    try:
        # What is opened is what is looked at; a pipe put in the file's place keeps nobody waiting.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:  # noqa: PTH123 - an open handle has no path
            status = os.fstat(handle)
            if stat.S_ISDIR(status.st_mode):
                raise IsADirectoryError
            if not stat.S_ISREG(status.st_mode):
                raise _no_file(name)
            if status.st_size > max_bytes:
                raise _too_large(name, max_bytes)
            data = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise RefusedFileError(
            f"«{shown_name(str(path))}» non esiste.", remedy="Controlla il percorso."
        ) from error
    except IsADirectoryError as error:
        raise RefusedFileError(
            f"«{name}» è una cartella, non un file.", remedy="Indica i file che contiene."
        ) from error
    except PermissionError as error:
        raise RefusedFileError(
            f"«{name}» non si può aprire: mancano i permessi di lettura.",
            remedy="Chiedi a chi amministra il computer di darti i permessi sul file.",
        ) from error
    except (OSError, ValueError) as error:
        code = getattr(error, "errno", None)
        if code in (errno.ENXIO, errno.ENODEV):  # a socket, or a device that is not there
            raise _no_file(name) from error
        reason = _REASONS.get(code or 0) or getattr(error, "strerror", None) or error
        raise RefusedFileError(
            f"«{name}» non si può leggere ({reason}).", remedy="Controlla il disco e il percorso."
        ) from error
    if len(data) > max_bytes:  # it grew meanwhile
        raise _too_large(name, max_bytes)
    return data


def read_bytes(data: bytes, name: str, recognition: Recognition | None = None) -> SourceDocument:
    """Read the content of a file called `name`, whose extension chooses the reader.

    `recognition` is what is known of the pages that are images; only a PDF has these.

    Raises:
        RefusedFileError: empty, of unknown extension, with content that belies its extension,
            or that its reader cannot read truthfully.
    """
    shown = shown_name(PurePath(name).name)
    suffix = PurePath(name).suffix.lower()
    if suffix not in READERS:
        kind = f"ha l'estensione {suffix}, che non si legge" if suffix else "non ha estensione"
        raise RefusedFileError(f"«{shown}» {kind}.", remedy=f"Si accettano: {_accepted()}.")
    if not data.strip(b"\x00 \t\r\n"):
        raise RefusedFileError(
            f"«{shown}» è vuoto.", remedy="Controlla che sia stato copiato o scaricato per intero."
        )
    module = READERS[suffix]
    _check_content(data, shown, suffix, module)
    if module == "pdf" and recognition is not None:
        from ingest.formats import pdf

        return pdf.read(data, shown, recognition)
    return reader(suffix).read(data, shown)


def reader(suffix: str) -> Reader:
    """The module that reads files with this suffix; imported when first needed."""
    module: Reader = importlib.import_module(f"ingest.formats.{READERS[suffix]}")
    return module


def _accepted() -> str:
    return ", ".join(READERS)


def shown_name(name: str) -> str:
    """A file name that keeps a message on one line and of reasonable length."""
    printable = "".join(c if c.isprintable() else "\ufffd" for c in name)
    return printable if len(printable) <= 120 else printable[:117] + "…"


def _no_file(name: str) -> RefusedFileError:
    return RefusedFileError(f"«{name}» non è un file.", remedy="Indica un documento.")


def _too_large(name: str, max_bytes: int) -> RefusedFileError:
    return RefusedFileError(
        f"«{name}» supera il limite di {max_bytes / 1_000_000:g} MB.",
        remedy="Dividilo in più file o alza il limite con PIANO_MAX_FILE_MB.",
    )


def _check_content(data: bytes, name: str, suffix: str, module: str) -> None:
    content, words = _sniff(data)
    if content in _ACCEPTED_CONTENT[module]:
        return
    if content == ".doc":
        _refuse_office(data, name, suffix)
    if module == "html" and content == "":
        return
    if content in (".pdf", ".docx", ".odt", ".html"):
        remedy = f"Rinominalo in {content} e riprova."
    elif content == ".zip" and suffix in (".docx", ".odt"):
        words, remedy = "un altro tipo di archivio", f"Salvalo in {suffix} o in PDF."
    elif suffix == ".pdf" and content == "":
        words, remedy = "altri dati", "Il file è danneggiato: procuratelo di nuovo dalla fonte."
    elif suffix in (".docx", ".odt") and content == "":
        words = "altri dati"
        remedy = f"Salvalo di nuovo in {suffix} da un programma di scrittura."
    else:
        remedy = f"Convertilo in uno di questi formati: {_accepted()}."
    raise RefusedFileError(f"«{name}» ha estensione {suffix} ma contiene {words}.", remedy=remedy)


def _sniff(data: bytes) -> tuple[str, str]:
    """The extension the content calls for ("" for what may be text) and its name in Italian."""
    if b"%PDF-" in data[:1024] and not _HTML.match(data[:4096]):
        return ".pdf", "un PDF"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        # The type of an OpenDocument stands, not compressed, in the first of its parts.
        if kind := _OPEN_DOCUMENT.search(data[:200]):
            if kind[1].startswith(b"text"):
                return ".odt", "un documento OpenDocument"
            return ".ods", "un foglio o un disegno OpenDocument"
        if b"word/" in data:
            return ".docx", "un documento Word"
        if b"META-INF/manifest.xml" in data and b"content.xml" in data:
            return ".odt", "un documento OpenDocument"
        return ".zip", "un archivio ZIP"
    for magic, words, extension in _MAGIC:
        if data.startswith(magic):
            return extension or ".bin", words
    return (".html", "HTML") if _HTML.match(data[:4096]) else ("", "testo")


def _refuse_office(data: bytes, name: str, suffix: str) -> None:
    """OLE files: a password wraps a .docx in one; else it is a .doc of before 2007."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise RefusedFileError(
            f"«{name}» è protetto da password.",
            remedy="Salvane una copia senza password e usa quella.",
        )
    raise RefusedFileError(
        f"«{name}» ha estensione {suffix} ma contiene un documento di Office nel vecchio formato.",
        remedy="Aprilo e salvalo in .docx.",
    )


def content_suffix(data: bytes) -> str:
    """The suffix that the content itself calls for, e.g. ".pdf"; empty for what may be text."""
    return _sniff(data)[0]
