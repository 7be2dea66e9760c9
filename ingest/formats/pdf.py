"""PDF: pypdf for structure (encryption, labels, outline), PDFium for text."""

from __future__ import annotations

import base64
import io
import logging
import re
import threading
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from assistant.errors import RefusedFileError
from ingest.cleaning import flow
from ingest.formats.pages import Piece, build_page, first_heading
from ingest.formats.pdf_blocks import page_pieces
from ingest.formats.pdf_lines import read_lines
from ingest.formats.pdf_notes import page_list, page_notes
from ingest.formats.pdf_running import PageLines, running_lines
from ingest.formats.pdf_scans import put_recognised, stands_in_image
from ingest.formats.pdf_style import document_style
from ingest.formats.tables import join_tables
from ingest.models import Recognition, SourceDocument, SourcePage

if TYPE_CHECKING:
    import pypdf
    import pypdfium2

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/pdf"
_LAST_BYTES = 2048
_AGAIN = "Procurati di nuovo il file dalla fonte e riprova."
_MAX_PAGES = 20_000
_MAX_CONTENT = 64 * 1024 * 1024
_PAGE_OBJECT = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
# PDFium keeps global state: one thread at a time.
_PDFIUM = threading.Lock()
_TITLE_WORDS = (4, 30)
_USELESS_TITLE = re.compile(
    r"(?i)(?:senza titolo|untitled|immagine scansionata|scansione|scan|documento?|document|layout|"
    r"microsoft word|presentazione standard|.*\.(?:docx?|xlsx?|pptx?|odt|pdf|rtf|indd|txt))\W*\d*"
)


def read(data: bytes, name: str, recognition: Recognition | None = None) -> SourceDocument:
    """Read a PDF; pages that are images come back empty, with a note, unless recognised before.

    Raises:
        RefusedFileError: protected by a password, truncated or damaged.
    """
    _check_end(data, name)
    with _PDFIUM:
        document = _open_pdfium(data, name)
        try:
            reader = _open_pypdf(data, name)
            count = len(document)
            structure = _structure(reader, count, name)
            pages, images = _read_pages(document, name)
        finally:
            document.close()
    empty = any(not page.lines for page in pages)
    if empty and _lost_pages(data, count):
        raise RefusedFileError(
            f"«{name}» è danneggiato: contiene più pagine di quante se ne possono aprire.",
            remedy=_AGAIN,
        )
    damaged = _damaged_pages(reader)
    if damaged:
        raise RefusedFileError(
            f"«{name}» è danneggiato: il contenuto di {page_list(damaged)} non si può leggere.",
            remedy=_AGAIN,
        )
    recognition = recognition or Recognition()
    seen = put_recognised(pages, images, recognition)
    pages = seen.pages
    running = running_lines(pages)
    style = document_style((page.lines for page in pages), structure.outline)
    pieces = join_tables(
        [
            *page_pieces(page.lines, page.grids, kinds, style),
            *([Piece(seen.aside[page.number], "footer")] if page.number in seen.aside else []),
        ]
        for page, kinds in zip(pages, running, strict=True)
    )
    source_pages = tuple(
        build_page(
            number,
            found,
            structure.labels[number - 1] if structure.labels else None,
            ocr_confidence=seen.confidence.get(number),
        )
        for number, found in enumerate(pieces, start=1)
    )
    return SourceDocument(
        source_pages,
        MEDIA_TYPE,
        _title(structure.metadata.get("title"), source_pages, pages),
        structure.metadata,
        page_notes(source_pages, seen, recognition),
        images=tuple(seen.images),
        ocr_engine=recognition.engine,
    )


def _check_end(data: bytes, name: str) -> None:
    """Refuse a file cut short: both libraries would rebuild what is left and say nothing."""
    tail = data.rstrip(b"\x00\r\n\t ")[-_LAST_BYTES:]
    linearized = re.search(rb"/Linearized\b[^>]*?/L\s+(\d+)", data[:1024])
    if b"%%EOF" not in tail or (linearized and int(linearized[1]) > len(data)):
        raise RefusedFileError(
            f"«{name}» è un PDF incompleto: manca la parte finale del file.", remedy=_AGAIN
        )


def _open_pdfium(data: bytes, name: str) -> pypdfium2.PdfDocument:
    import pypdfium2
    from pypdfium2 import raw

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD or "assword" in str(error):
            raise _protected(name) from error
        raise RefusedFileError(
            f"«{name}» non è un PDF leggibile: il file è danneggiato.", remedy=_AGAIN
        ) from error
    if not 0 < len(document) <= _MAX_PAGES:
        count = len(document)
        document.close()
        raise RefusedFileError(f"«{name}» ha {count} pagine: non si può leggere.", remedy=_AGAIN)
    return document


def _protected(name: str) -> RefusedFileError:
    return RefusedFileError(
        f"«{name}» è protetto da password.",
        remedy="Salvane una copia senza password e usa quella.",
    )


def _open_pypdf(data: bytes, name: str) -> pypdf.PdfReader:
    """pypdf's reader, decrypted with the empty user password when the file wants one."""
    import pypdf

    # It complains of every small flaw; what matters is checked here.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise _protected(name)
        return reader
    except RefusedFileError:
        raise
    except Exception as error:  # pypdf lets KeyError, ValueError, RecursionError… out
        raise RefusedFileError(
            f"«{name}» non è un PDF leggibile: la struttura del file è danneggiata.", remedy=_AGAIN
        ) from error


class _Structure:
    """What pypdf says of a document; labels are empty when the file defines none."""

    __slots__ = ("labels", "metadata", "outline")

    def __init__(
        self, labels: Sequence[str], outline: dict[str, int], metadata: dict[str, str]
    ) -> None:
        self.labels, self.outline, self.metadata = labels, outline, metadata


def _structure(reader: pypdf.PdfReader, count: int, name: str) -> _Structure:
    try:
        pages = len(reader.pages)
        labels = reader.page_labels if "/PageLabels" in reader.root_object else []
        outline = dict(_outline_titles(reader.outline, 1))
        metadata = _metadata(reader)
    except Exception as error:
        raise RefusedFileError(
            f"«{name}» è danneggiato: indice delle pagine illeggibile.", remedy=_AGAIN
        ) from error
    if pages != count:
        raise RefusedFileError(
            f"«{name}» è danneggiato: risultano {count} pagine in un modo e {pages} in un altro.",
            remedy=_AGAIN,
        )
    return _Structure(labels if len(labels) == count else [], outline, metadata)


def _outline_titles(outline: list[Any], depth: int) -> Iterator[tuple[str, int]]:
    if depth > 8:
        return
    for entry in outline:
        if isinstance(entry, list):
            yield from _outline_titles(entry, depth + 1)
        elif title := flow(str(entry.title or "")).lower():
            yield title, depth


def _metadata(reader: pypdf.PdfReader) -> dict[str, str]:
    """The document information dictionary, keys without slash and in lower case."""
    found: dict[str, str] = {}
    for key, value in (reader.metadata or {}).items():
        text = flow(str(value))
        if text and text != "--":
            found[str(key).lstrip("/").lower()] = text
    date = re.match(r"D:(\d{4})(\d{2})?(\d{2})?", found.get("creationdate", ""))
    if date:
        found["date"] = "-".join(part for part in date.groups() if part)
    return found


def _read_pages(document: pypdfium2.PdfDocument, name: str) -> tuple[list[PageLines], list[int]]:
    """Lines of every page, and the numbers of the pages whose words stand in an image."""
    import pypdfium2

    pages: list[PageLines] = []
    images: list[int] = []
    for i in range(len(document)):
        try:
            page = document[i]
            lines, grids = read_lines(page)
            if stands_in_image(page, lines):
                images.append(i + 1)
            pages.append(PageLines(i + 1, page.get_height() or 1.0, lines, grids))
            page.close()
        except pypdfium2.PdfiumError as error:
            raise RefusedFileError(
                f"«{name}» è danneggiato: la pagina {i + 1} non si può leggere.", remedy=_AGAIN
            ) from error
    return pages, images


def _lost_pages(data: bytes, count: int) -> bool:
    """Whether more pages lie in the file than its page tree reaches.

    A spoiled tree makes both libraries rebuild it as one blank page. A file that was changed
    by appending to it may hold older versions of its pages, so it proves nothing.
    """
    return data.count(b"%%EOF") == 1 and len(_PAGE_OBJECT.findall(data)) > count


def _damaged_pages(reader: pypdf.PdfReader) -> list[int]:
    """Pages whose content breaks off or is lost: their text would be silently incomplete."""
    from pypdf.errors import PyPdfError

    damaged: list[int] = []
    for number, page in enumerate(reader.pages, start=1):
        try:
            if "/Contents" not in page:
                continue
            contents = page.raw_get("/Contents").get_object()
            streams = contents if isinstance(contents, list) else [contents]
            intact = all(_intact(stream.get_object()) for stream in streams)
        except (PyPdfError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
            intact = False  # a missing object reads as null, which has none of these
        if not intact:
            damaged.append(number)
    return damaged


def _intact(stream: Any) -> bool:
    """Whether a Flate stream unpacks to its end and to its checksum, where it carries one."""
    filters = stream.get("/Filter", [])
    names = [str(f) for f in filters] if isinstance(filters, list) else [str(filters)]
    data: bytes = stream._data
    if names[:1] == ["/ASCII85Decode"]:
        names.pop(0)
        try:
            data = base64.a85decode(data.strip().removeprefix(b"<~").removesuffix(b"~>"))
        except ValueError:
            return False
    if names != ["/FlateDecode"]:
        return True
    inflate = zlib.decompressobj()
    try:
        inflate.decompress(data, _MAX_CONTENT)
        if inflate.eof or inflate.unconsumed_tail:
            return True
        bare = zlib.decompressobj(wbits=-zlib.MAX_WBITS)  # some producers leave the checksum out
        bare.decompress(data[2:], _MAX_CONTENT)
    except zlib.error:
        return False
    return bare.eof


def _opening_line(pages: Sequence[SourcePage], lines: Sequence[PageLines]) -> str | None:
    """The line that opens the first page when no heading of several words stands on that page."""
    page = next((page for page in pages if page.text), None)
    blocks = [b for b in page.blocks if b.kind not in ("header", "footer")] if page else []
    if page is None or not blocks or blocks[0].kind != "text":
        return None
    headings = (page.text[b.start : b.end] for b in blocks if b.kind == "heading")
    line = page.text[blocks[0].start : blocks[0].end]
    heights = sorted(one.baseline for one in lines[page.number - 1].lines if one.words in line)
    if any(above - below < 1.0 for below, above in pairwise(heights)):
        return None  # side by side: the names of a table's columns
    fits = _TITLE_WORDS[0] <= len(line.split()) <= _TITLE_WORDS[1] and line[-1:].isalnum()
    return line if fits and not any(" " in heading for heading in headings) else None


def _title(
    declared: str | None, pages: Sequence[SourcePage], lines: Sequence[PageLines]
) -> str | None:
    """The declared title when it says something; else the largest words of the first page."""
    if declared and len(declared.split()) > 1 and not _USELESS_TITLE.fullmatch(declared):
        return re.sub(r"(?i)^microsoft word - ", "", declared)
    if opening := _opening_line(pages, lines):
        return opening
    for page, source in zip(pages, lines, strict=True):
        headings = [
            page.text[b.start : b.end] for b in page.blocks if b.kind == "heading" and b.level <= 2
        ]
        if headings:
            sizes = {flow(line.text): line.size for line in source.lines}
            return max(
                headings,
                key=lambda h: max(
                    (size for text, size in sizes.items() if text and text in h), default=0.0
                ),
            )
        if page.number >= 3:
            break
    return first_heading(pages)
