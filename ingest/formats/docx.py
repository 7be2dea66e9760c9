"""DOCX: paragraphs, lists and tables in document order, through python-docx."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ingest.cleaning import flow
from ingest.formats.archive import check_archive, damaged
from ingest.formats.pages import Piece, build_page, first_heading
from ingest.formats.tables import MAX_SPAN, Row, table_pieces
from ingest.models import BlockKind, SourceDocument

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING_STYLE = re.compile(r"(?:heading|titolo)\s*(\d)", re.IGNORECASE)
_TITLE_STYLE = re.compile(r"title|titolo", re.IGNORECASE)
_LIST_STYLE = re.compile(r"list|elenco|punto elenco", re.IGNORECASE)
_SKIPPED = frozenset(_W + tag for tag in ("del", "moveFrom", "instrText", "delText", "pPr", "rPr"))


def read(data: bytes, name: str) -> SourceDocument:
    """Read a DOCX as one page, headers and footers first and last.

    Raises:
        RefusedFileError: truncated, damaged, or unpacking to more than a document can hold.
    """
    check_archive(data, name, ".docx")
    document = _open(data, name)
    try:
        pieces = list(_Reader(document).pieces())
        metadata = _metadata(document)
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise damaged(name, ".docx") from error
    page = build_page(1, pieces)
    notes = () if page.text else (f"«{name}» non contiene testo.",)
    title = metadata.get("title") or first_heading([page])
    return SourceDocument((page,), MEDIA_TYPE, title, metadata, notes)


def _open(data: bytes, name: str) -> WordDocument:
    import docx
    from docx.opc.exceptions import OpcError
    from lxml import etree

    try:
        return docx.Document(io.BytesIO(data))
    # What python-docx lets out when a part is missing, of the wrong type, cut or malformed.
    except (OpcError, zipfile.BadZipFile, etree.XMLSyntaxError) as error:
        raise damaged(name, ".docx") from error
    except (KeyError, ValueError, AttributeError, TypeError, OSError, EOFError) as error:
        raise damaged(name, ".docx") from error
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise damaged(name, ".docx") from error
        raise


def _metadata(document: WordDocument) -> dict[str, str]:
    core = document.core_properties
    found = {
        key: flow(getattr(core, key) or "")
        for key in ("title", "author", "subject", "keywords", "category", "comments", "language")
    }
    moment = core.modified or core.created
    if moment is not None:
        found["date"] = moment.date().isoformat()
    return {key: value for key, value in found.items() if value}


class _Reader:
    def __init__(self, document: WordDocument) -> None:
        self._document = document
        self._styles: dict[str, tuple[BlockKind, int]] = {}

    def pieces(self) -> Iterator[Piece]:
        yield from self._running("header")
        yield from self._blocks(self._document.element.body)
        yield from self._running("footer")

    def _running(self, kind: BlockKind) -> Iterator[Piece]:
        seen: set[str] = set()
        for section in self._document.sections:
            part = section.header if kind == "header" else section.footer
            if part.is_linked_to_previous:
                continue
            for paragraph in part._element.iter(_W + "p"):
                text = _text(paragraph)
                if text.strip() and text not in seen:
                    seen.add(text)
                    yield Piece(text, kind)

    def _blocks(self, container: Any) -> Iterator[Piece]:
        """Paragraphs and tables below `container`, content controls and insertions opened."""
        for child in container:
            if child.tag == _W + "p":
                yield from self._paragraph(child)
            elif child.tag == _W + "tbl":
                yield from self._table(child)
            elif child.tag == _W + "sdt":
                for content in child.iterchildren(_W + "sdtContent"):
                    yield from self._blocks(content)
            elif child.tag in (_W + "ins", _W + "moveTo", _W + "customXml", _W + "smartTag"):
                yield from self._blocks(child)

    def _paragraph(self, paragraph: Any) -> Iterator[Piece]:
        text = _text(paragraph)
        if text.strip():
            kind, level = self._kind(paragraph)
            yield Piece(text, kind, level)
        for box in paragraph.iter(_W + "txbxContent"):
            if not any(ancestor.tag == _FALLBACK for ancestor in box.iterancestors()):
                yield from self._blocks(box)

    def _kind(self, paragraph: Any) -> tuple[BlockKind, int]:
        properties = paragraph.find(_W + "pPr")
        if properties is None:
            return "text", 0
        outline = properties.find(_W + "outlineLvl")
        if outline is not None and (outline.get(_W + "val") or "9") in "012345":
            return "heading", int(outline.get(_W + "val")) + 1
        style = properties.find(_W + "pStyle")
        kind, level = self._style_kind(style.get(_W + "val")) if style is not None else ("text", 0)
        numbering = properties.find(_W + "numPr")
        if kind == "text" and numbering is not None:
            number = numbering.find(_W + "numId")
            if number is None or number.get(_W + "val") != "0":
                return "list_item", 0
        return kind, level

    def _style_kind(self, style_id: str) -> tuple[BlockKind, int]:
        """What a paragraph style means, by its name or an ancestor's, or its outline level."""
        if style_id not in self._styles:
            self._styles[style_id] = self._resolve(style_id)
        return self._styles[style_id]

    def _resolve(self, style_id: str) -> tuple[BlockKind, int]:
        style = next((s for s in self._document.styles if s.style_id == style_id), None)
        for _ in range(10):
            if style is None:
                break
            name = style.name or ""
            if match := _HEADING_STYLE.match(name):
                return "heading", min(int(match[1]) or 1, 6)
            if _TITLE_STYLE.fullmatch(name):
                return "heading", 1
            if _LIST_STYLE.match(name):
                return "list_item", 0
            level = style.element.find(f"{_W}pPr/{_W}outlineLvl")
            if level is not None and (level.get(_W + "val") or "9") in "012345":
                return "heading", int(level.get(_W + "val")) + 1
            style = getattr(style, "base_style", None)
        return "text", 0

    def _table(self, table: Any) -> Iterator[Piece]:
        rows: list[Row] = []
        headers = 0
        for row in table.iter(_W + "tr"):
            if next(row.iterancestors(_W + "tbl")) is not table:
                continue  # rows of a nested table are part of their cell
            if headers == len(rows) and row.find(f"{_W}trPr/{_W}tblHeader") is not None:
                headers += 1
            rows.append([text for cell in _cells(row) for text in _columns(cell)])
        yield from table_pieces(rows, headers=headers)


def _cells(row: Any) -> Iterator[Any]:
    for child in row:
        if child.tag == _W + "tc":
            yield child
        elif child.tag == _W + "sdt":
            for content in child.iterchildren(_W + "sdtContent"):
                yield from content.iterchildren(_W + "tc")


def _columns(cell: Any) -> Row:
    """A cell's text, and None for each further column that it covers or for a covered cell."""
    text: str | None = " ".join(_text(p) for p in cell.iter(_W + "p"))
    properties = cell.find(_W + "tcPr")
    if properties is None:
        return [text]
    merged = properties.find(_W + "vMerge")
    if merged is not None and merged.get(_W + "val") != "restart" and not (text or "").strip():
        text = None
    span = properties.find(_W + "gridSpan")
    width = (span.get(_W + "val") or "1") if span is not None else "1"
    return [text, *[None] * (min(int(width), MAX_SPAN) - 1 if width.isdecimal() else 0)]


def _text(paragraph: Any) -> str:
    """Text as accepted: insertions in, deletions out; text boxes are blocks of their own."""
    parts: list[str] = []
    stack = list(reversed(paragraph))
    while stack:
        node = stack.pop()
        tag = node.tag
        if tag == _W + "t":
            parts.append(node.text or "")
        elif tag in (_W + "tab", _W + "ptab"):
            parts.append(" ")
        elif tag in (_W + "br", _W + "cr"):
            parts.append("\n")
        elif tag == _W + "noBreakHyphen":
            parts.append("-")
        elif isinstance(tag, str) and tag not in _SKIPPED and tag != _W + "txbxContent":
            stack.extend(reversed(node))
    return "".join(parts)
