"""ODT: paragraphs, lists, tables and notes in document order, read with lxml."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from assistant.errors import RefusedFileError
from ingest.cleaning import flow
from ingest.formats.archive import MAX_XML_BYTES, check_archive, damaged, protected
from ingest.formats.odt_styles import NS, Styles
from ingest.formats.odt_text import (
    drawings_of,
    is_section_hidden,
    notes_of,
    text_of,
    words_of,
)
from ingest.formats.pages import Piece, build_page, first_heading
from ingest.formats.tables import MAX_SPAN, Row, spread, table_pieces
from ingest.models import BlockKind, SourceDocument

MEDIA_TYPE = "application/vnd.oasis.opendocument.text"
MAX_LIST_DEPTH = 60
MAX_COLUMNS = 200
MAX_ROWS = 50_000
MAX_COVERED = 200_000
"""Places that wide and tall cells of one table may cover; further ones count as plain cells."""
_SUFFIX = ".odt"
_SECTIONS = frozenset(
    {
        f"{NS.TEXT}section",
        f"{NS.TEXT}index-body",
        f"{NS.TEXT}index-title",
        f"{NS.TEXT}table-of-content",
        f"{NS.TEXT}illustration-index",
        f"{NS.TEXT}table-index",
        f"{NS.TEXT}alphabetical-index",
        f"{NS.TEXT}user-index",
        f"{NS.TEXT}object-index",
        f"{NS.TEXT}bibliography",
    }
)
_PROPERTIES = {
    f"{NS.DC}title": "title",
    f"{NS.DC}subject": "subject",
    f"{NS.DC}description": "comments",
    f"{NS.DC}language": "language",
    f"{NS.META}initial-creator": "author",
    f"{NS.DC}creator": "author",
}


def read(data: bytes, name: str) -> SourceDocument:
    """Read an ODT as one page, headers and footers first and last.

    Text is as accepted: tracked deletions, comments and hidden text are left out. A note follows
    the paragraph that calls it.

    Raises:
        RefusedFileError: truncated, damaged, encrypted, or more than a document can hold.
    """
    entries = {entry.filename for entry in check_archive(data, name, _SUFFIX)}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "encrypted-package" in entries or _is_encrypted(archive, entries, name):
            raise protected(name)
        content = _parse(archive, "content.xml", name)
        styles_part = _parse(archive, "styles.xml", name) if "styles.xml" in entries else None
        meta = _parse(archive, "meta.xml", name) if "meta.xml" in entries else None
    body = content.find(f"{NS.OFFICE}body/{NS.OFFICE}text")
    if body is None:
        raise RefusedFileError(
            f"«{name}» non è un documento di testo: è un altro tipo di file OpenDocument.",
            remedy="Salvalo in PDF e riprova.",
        )
    styles = Styles([part for part in (styles_part, content) if part is not None])
    reader = _Reader(styles)
    pieces = list(_running(styles_part, styles))
    pieces += reader.blocks(body)
    page = build_page(1, pieces)
    notes = () if page.text else (f"«{name}» non contiene testo.",)
    metadata = _metadata(meta) if meta is not None else {}
    title = metadata.get("title") or first_heading([page])
    return SourceDocument((page,), MEDIA_TYPE, title, metadata, notes)


class _Reader:
    def __init__(self, styles: Styles) -> None:
        self._styles = styles

    def blocks(self, container: Any) -> Iterator[Piece]:
        """Pieces of a text body, section, text box or index."""
        for child in container:
            if child.tag in (f"{NS.TEXT}p", f"{NS.TEXT}h"):
                yield from self._paragraph(child)
            elif child.tag == f"{NS.TEXT}list":
                yield from self._list(child, 1)
            elif child.tag == f"{NS.TABLE}table":
                yield from self._table(child)
            elif _may_hold_blocks(child) and not is_section_hidden(child):
                yield from self.blocks(child)

    def _paragraph(self, element: Any, *, in_list: bool = False) -> Iterator[Piece]:
        style = element.get(f"{NS.TEXT}style-name") or ""
        if self._styles.is_hidden(style):
            return
        text = text_of(element, self._styles)
        if text.strip():
            level = self._level(element, style)
            if level:
                yield Piece(text, "heading", level)
            else:
                yield Piece(text, "list_item" if in_list else "text")
        for drawing in drawings_of(element):
            yield from self.blocks(drawing)
        for citation, body in notes_of(element, self._styles):
            words = words_of(body, self._styles)
            if words.strip():
                yield Piece(f"{citation} {words}")

    def _level(self, element: Any, style: str) -> int:
        """Depth of a heading, 0 for a paragraph."""
        if element.tag == f"{NS.TEXT}h":
            level = element.get(f"{NS.TEXT}outline-level") or "1"
            return max(1, min(int(level) if level.isdecimal() else 1, 6))
        return self._styles.heading_level(style)

    def _list(self, element: Any, depth: int) -> Iterator[Piece]:
        """Items of a list; the first paragraph of each is an item, those after it are text."""
        for item in element:
            if item.tag not in (f"{NS.TEXT}list-item", f"{NS.TEXT}list-header"):
                continue
            first = item.tag == f"{NS.TEXT}list-item"
            for child in item:
                if child.tag in (f"{NS.TEXT}p", f"{NS.TEXT}h"):
                    yield from self._paragraph(child, in_list=first)
                    first = False
                elif child.tag == f"{NS.TEXT}list" and depth < MAX_LIST_DEPTH:
                    yield from self._list(child, depth + 1)
                elif child.tag == f"{NS.TABLE}table":
                    yield from self._table(child)

    def _table(self, table: Any) -> Iterator[Piece]:
        texts: list[list[str]] = []
        spans: list[list[tuple[int, int]]] = []
        headers = covered = 0
        for row, is_header in _rows(table, header=False):
            if len(texts) >= MAX_ROWS:
                break
            headers += is_header and headers == len(texts)
            cells: list[str] = []
            sizes: list[tuple[int, int]] = []
            for cell in row:
                if cell.tag != f"{NS.TABLE}table-cell":
                    continue  # a covered cell: spread() leaves its place free
                text = words_of(cell, self._styles)
                times = _count(cell, f"{NS.TABLE}number-columns-repeated", MAX_SPAN)
                width = _count(cell, f"{NS.TABLE}number-columns-spanned", MAX_SPAN)
                height = _count(cell, f"{NS.TABLE}number-rows-spanned", MAX_SPAN)
                covered += width * height - 1
                if covered > MAX_COVERED:
                    width = height = 1
                for _ in range(times if text.strip() or times < MAX_SPAN else 1):
                    if len(cells) < MAX_COLUMNS:
                        cells.append(text)
                        sizes.append((width, height))
            texts.append(cells)
            spans.append(sizes)
        rows: list[Row] = list(spread(texts, spans))
        yield from table_pieces(rows, headers=headers)


def _may_hold_blocks(element: Any) -> bool:
    tag = element.tag
    return isinstance(tag, str) and (tag in _SECTIONS or tag.startswith(NS.DRAW))


def _rows(table: Any, *, header: bool) -> Iterator[tuple[Any, bool]]:
    """Rows of a table, with whether the file says that they are its header."""
    for child in table:
        if child.tag == f"{NS.TABLE}table-row":
            if child.get(f"{NS.TABLE}visibility") not in ("collapse", "filter"):
                yield child, header
        elif child.tag == f"{NS.TABLE}table-header-rows":
            yield from _rows(child, header=True)
        elif child.tag in (f"{NS.TABLE}table-rows", f"{NS.TABLE}table-row-group"):
            yield from _rows(child, header=header)


def _count(cell: Any, name: str, most: int) -> int:
    value = cell.get(name) or "1"
    return max(1, min(int(value), most)) if value.isascii() and value.isdecimal() else 1


def _running(styles_part: Any, styles: Styles) -> Iterator[Piece]:
    """Headers and footers of the master pages, each text once."""
    if styles_part is None:
        return
    seen: set[str] = set()
    sides: tuple[tuple[str, BlockKind], ...] = (("header", "header"), ("footer", "footer"))
    for side, kind in sides:
        for element in styles_part.iter(NS.STYLE + side):
            if element.get(f"{NS.STYLE}display") == "false":
                continue
            for child in element:
                text = words_of([child], styles)
                if text.strip() and text not in seen:
                    seen.add(text)
                    yield Piece(text, kind)


def _metadata(meta: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    keywords: list[str] = []
    for element in meta.iter():
        text = flow(element.text or "") if isinstance(element.tag, str) else ""
        if not text:
            continue
        if element.tag == f"{NS.META}keyword":
            keywords.append(text)
        elif element.tag in _PROPERTIES:
            found.setdefault(_PROPERTIES[element.tag], text)
        elif element.tag in (f"{NS.DC}date", f"{NS.META}creation-date"):
            if re.match(r"\d{4}-\d\d-\d\d", text) and "date" not in found:
                found["date"] = text[:10]
        elif element.tag == f"{NS.META}user-defined":
            key = flow(element.get(f"{NS.META}name") or "").lower()
            if key and key not in _PROPERTIES.values():
                found.setdefault(key, text)
    if keywords:
        # `a=1; b=2` may have been stored as several keywords, or as one.
        found["keywords"] = "; ".join(keywords)
    return found


def _is_encrypted(archive: zipfile.ZipFile, entries: set[str], name: str) -> bool:
    if "META-INF/manifest.xml" not in entries:
        return False
    manifest = _parse(archive, "META-INF/manifest.xml", name)
    return any(element.tag.endswith("}encryption-data") for element in manifest.iter("{*}*"))


def _parse(archive: zipfile.ZipFile, part: str, name: str) -> Any:
    """The root of an XML part. No entity is expanded, nothing is fetched, depth is limited."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
    try:
        with archive.open(part) as file:
            data = file.read(MAX_XML_BYTES + 1)
        root = etree.fromstring(data, parser)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise damaged(name, _SUFFIX) from error
    except (etree.XMLSyntaxError, NotImplementedError, ValueError) as error:
        raise damaged(name, _SUFFIX) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise RefusedFileError(
            f"«{name}» contiene definizioni che nessun programma di scrittura mette in un .odt.",
            remedy="Controlla da dove viene; se è buono, salvalo in PDF.",
        )
    return root
