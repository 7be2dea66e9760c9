"""The process that reads files and images: whatever one does to it, the ingest goes on.

Started by ingest.workers with the number of a socket as its argument, over which pickles travel.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import RefusedFileError
from ingest.formats import read_bytes
from ingest.formats.reading import shown_name
from ingest.models import OcrPage, Recognition
from ingest.ocr.engine import Engine, RecognitionError
from ingest.structure import Structured, structure

if TYPE_CHECKING:
    import pypdfium2

logger = logging.getLogger(__name__)

MAX_MEMORY = 1_400_000_000
"""Bytes of address space of the process, of which its libraries take 0.1 GB: a file that unpacks
into more is refused, the machine goes on."""

READY = "ready"
"""What the process says once, when its libraries are loaded."""

_DAMAGED = "Procuratelo di nuovo dalla fonte."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file was not taken: one line in Italian with the remedy."""

    reason: str


@dataclass(frozen=True, slots=True)
class Task:
    """A file to be read; `name` gives the format, `source` goes into the document."""

    document_id: str
    source: str
    name: str
    data: bytes
    recognition: Recognition | None = None

    @property
    def size(self) -> int:
        return len(self.data)

    def fell(self) -> Refusal:
        why = f"«{shown_name(self.name)}» ha fatto cadere il lettore: è danneggiato o malevolo."
        return Refusal(f"{why} {_DAMAGED}")

    def slow(self) -> Refusal:
        why = f"«{shown_name(self.name)}» richiede troppo tempo per essere letto."
        remedy = "Dividilo in più file o alza il limite con PIANO_FILE_TIMEOUT_SECONDS."
        return Refusal(f"{why} {remedy}")

    def too_much(self) -> Refusal:
        why = f"«{shown_name(self.name)}» contiene troppo testo per un solo documento."
        return Refusal(f"{why} Dividilo in più file.")


@dataclass(frozen=True, slots=True)
class ImageTask:
    """A page of a PDF to be recognised; `known` holds results by key, as OcrCache keeps them."""

    document_id: str
    path: Path
    page: int
    engine: Engine
    known: Path
    size: int = 0

    def fell(self) -> Refusal:
        return Refusal("l'immagine ha fatto cadere il lettore")

    def slow(self) -> Refusal:
        return Refusal("l'immagine richiede troppo tempo: alza PIANO_OCR_TIMEOUT_SECONDS")

    def too_much(self) -> Refusal:
        return Refusal("l'immagine contiene troppo testo")


@dataclass(frozen=True, slots=True)
class ImageRead:
    """What was seen in an image; `page` is None where the result is kept already."""

    key: str
    page: OcrPage | None


def read_task(task: Task) -> Structured | Refusal:
    """Everything that can be told of a file, or why it is refused; never raises."""
    name = shown_name(task.name)
    try:
        source = read_bytes(task.data, task.name, task.recognition)
        return structure(task.document_id, task.source, source)
    except RefusedFileError as error:
        return Refusal(" ".join(str(error).split()))
    except MemoryError:
        return Refusal(f"«{name}» chiede troppa memoria. Dividilo in più file.")
    except RecursionError:
        return Refusal(f"«{name}» ha una struttura troppo annidata. Salvalo in altro formato.")
    except Exception as error:  # any bug of a reader is a refusal of that file only
        logger.warning("reader failed on %r", task.source, exc_info=True)
        return Refusal(
            f"«{name}» non si riesce a leggere ({type(error).__name__})."
            " Salvalo in un altro formato e segnala il problema."
        )


class ImageReader:
    """Recognises pages; the document of the last one stays open for the next."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._document: pypdfium2.PdfDocument | None = None

    def read(self, task: ImageTask) -> ImageRead | Refusal:
        """Never raises: a page that cannot be recognised has a reason, in Italian."""
        from ingest.formats.pdf_scans import render
        from ingest.ocr.engine import image_key, recognise

        try:
            page = self._open(task.path)[task.page - 1]
            try:
                image, dpi = render(page)
            finally:
                page.close()
            key = image_key(image, task.engine)
            if (task.known / f"{key}.json").exists():
                return ImageRead(key, None)
            return ImageRead(key, recognise(image, dpi, task.engine))
        except RecognitionError as error:
            return Refusal(str(error))
        except MemoryError:
            return Refusal("l'immagine chiede troppa memoria")
        except Exception:  # a page is never worth the document
            logger.warning("page %d of %s", task.page, task.document_id, exc_info=True)
            return Refusal("l'immagine non si può aprire")

    def _open(self, path: Path) -> pypdfium2.PdfDocument:
        import pypdfium2

        if self._document is None or path != self._path:
            if self._document is not None:
                self._document.close()
            self._path, self._document = path, pypdfium2.PdfDocument(path)
        return self._document


def send_task(connection: Connection, task: Task | ImageTask) -> None:
    """The bytes of a file travel apart: inside a pickle they would be in memory twice."""
    if isinstance(task, Task):
        connection.send(replace(task, data=b""))
        connection.send_bytes(task.data)
    else:
        connection.send(task)


def _receive_task(connection: Connection) -> Task | ImageTask:
    task: Task | ImageTask = connection.recv()
    return replace(task, data=connection.recv_bytes()) if isinstance(task, Task) else task


def main() -> None:
    # Ctrl-C reaches the whole group: the parent decides, and closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    _limit_memory()
    connection = Connection(int(sys.argv[1]))
    images = ImageReader()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send(READY)
        while True:
            task = _receive_task(connection)
            done = images.read(task) if isinstance(task, ImageTask) else read_task(task)
            del task
            try:
                connection.send(done)
            except MemoryError:
                connection.send(Refusal("Il documento chiede troppa memoria. Dividilo."))


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # only POSIX has it
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        # A reader that falls leaves no image of its memory on the disk.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
