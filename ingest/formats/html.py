"""HTML: the content of a page without navigation, banners, hidden text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from assistant.errors import RefusedFileError
from ingest.cleaning import flow
from ingest.formats.encoding import decode
from ingest.formats.furniture import furniture_kind, page_date
from ingest.formats.pages import Piece, build_page, first_heading
from ingest.formats.tables import MAX_SPAN, spread, table_pieces
from ingest.models import BlockKind, SourceDocument

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MEDIA_TYPE = "text/html"
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_XML_CHARSET = re.compile(r"\A\s*<\?xml[^>]*\?>")
_DROPPED = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "nav",
        "footer",
        "form",
        "button",
        "select",
        "textarea",
        "input",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "canvas",
        "video",
        "audio",
        "map",
        "dialog",
        "head",
        "menu",
        "datalist",
        "meter",
        "progress",
    ]
)
_ROLES = frozenset(
    ["navigation", "banner", "contentinfo", "search", "dialog", "alertdialog", "menu", "menubar"]
)
_FURNITURE_NAME = re.compile(
    r"(?:^|[\s_-])(?:cookie\w*|consent|gdpr|iubenda\S*|breadcrumb\w*|navbar|nav|navigation|menu|"
    r"sidebar|skip-?links?|skip|share|sharing|social\w*|footer|site-header|banner|pagination|modal|"
    r"popup|newsletter|visually-?hidden|sr-only|screen-reader-text)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "header",
        "hgroup",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "caption",
    ]
)
_MAX_DEPTH = 400
_MIN_MAIN_SHARE = 0.25
_META = {
    "description": "description",
    "keywords": "keywords",
    "author": "author",
    "date": "date",
    "dc.date": "date",
    "dcterms.date": "date",
    "dcterms.modified": "date",
    "article:published_time": "date",
    "article:modified_time": "modified",
    "og:title": "og:title",
    "og:url": "url",
    "subject": "subject",
    "dc.subject": "subject",
    "dc.title": "dc.title",
}


def read(data: bytes, name: str) -> SourceDocument:
    charset = _CHARSET.search(data[:4096])
    text, notes = decode(data, name, charset[1].decode("ascii", "ignore") if charset else None)
    root = _parse(text, name)
    metadata = _metadata(root)
    content = _content_root(root)
    pieces = list(_Walker().walk(content))
    if not any(piece.kind == "heading" and piece.level == 1 for piece in pieces):
        titles = [flow(h.text_content()) for h in root.iter("h1") if not _is_dropped(h)]
        if titles and titles[0]:
            pieces.insert(0, Piece(titles[0], "heading", 1))
    page = build_page(1, pieces)
    if not page.text:
        notes += (f"«{name}» non contiene testo: può essere una pagina che si compone con script.",)
    if "date" not in metadata and (date := page_date(flow(root.text_content()))):
        metadata["date"] = date
    title = first_heading([page]) or metadata.get("og:title") or metadata.get("title")
    return SourceDocument((page,), MEDIA_TYPE, title, metadata, notes)


def _parse(text: str, name: str) -> HtmlElement:
    from lxml import etree
    from lxml import html as lxml_html

    # A str with an encoding declaration is refused by lxml, and NUL ends its input early.
    text = _XML_CHARSET.sub("", text).replace("\x00", "")
    parser = lxml_html.HTMLParser(remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        return lxml_html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise RefusedFileError(
            f"«{name}» non è una pagina HTML leggibile.",
            remedy="Salva di nuovo la pagina dal browser come «Pagina web, solo HTML».",
        ) from error


def _metadata(root: HtmlElement) -> dict[str, str]:
    found: dict[str, str] = {}
    title = root.find(".//title")
    if title is not None and (text := flow(title.text_content())):
        found["title"] = text
    for meta in root.iter("meta"):
        key = (meta.get("name") or meta.get("property") or "").strip().lower()
        value = flow(meta.get("content") or "")
        if key and value and (key in _META or re.fullmatch(r"[\w.:-]{1,40}", key)):
            found.setdefault(_META.get(key, key), value)
    for link in root.iter("link"):
        if link.get("rel") == "canonical" and link.get("href"):
            found.setdefault("url", link.get("href"))
    if language := root.get("lang"):
        found.setdefault("language", language)
    if (date := found.get("date")) and (iso := re.match(r"\d{4}-\d{2}-\d{2}", date)):
        found["date"] = iso[0]
    return found


def _content_root(root: HtmlElement) -> HtmlElement:
    """The page's main part if it declares one that holds a fair share of the text."""
    body = root.find("body")
    body = root if body is None else body
    whole = _size(body)
    for path in (".//main", ".//*[@role='main']", ".//article", ".//*[@id='content']"):
        found = body.findall(path)
        if len(found) == 1 and _size(found[0]) >= max(1, _MIN_MAIN_SHARE * whole):
            return found[0]
    return body


def _size(element: HtmlElement) -> int:
    """Characters of text that would be kept below `element`."""
    return sum(len(piece.text) for piece in _Walker().walk(element))


def _is_dropped(element: HtmlElement) -> bool:
    """Whether an element is furniture or hidden, by tag, role, name or style."""
    tag = element.tag
    if tag in _DROPPED:
        return True
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if (element.get("role") or "").lower() in _ROLES:
        return True
    if _HIDDEN_STYLE.search(element.get("style") or ""):
        return True
    if tag in ("body", "html", "main", "article") or tag in _HEADINGS:
        return False
    if tag == "header" or tag == "aside":
        return not any(a.tag in ("main", "article") for a in element.iterancestors())
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    if not _FURNITURE_NAME.search(names):
        return False
    # A wrapper called "page-with-sidebar" holds the whole page, headings included.
    return element.find(".//h1") is None and element.find(".//main") is None


class _Walker:
    """Turns a tree into pieces: text gathers until a block-level element begins or ends."""

    def __init__(self) -> None:
        self._pending: list[str] = []

    def walk(self, root: HtmlElement) -> Iterator[Piece]:
        yield from self._element(root, "text", 0)
        yield from self._flush("text")

    def _flush(self, kind: BlockKind, level: int = 0) -> Iterator[Piece]:
        text = "".join(self._pending)
        self._pending.clear()
        if text.strip():
            yield Piece(text, furniture_kind(flow(text)) or kind, level)

    def _element(self, element: HtmlElement, kind: BlockKind, depth: int) -> Iterator[Piece]:
        if depth > _MAX_DEPTH:
            self._pending.append(_text_content(element))
            return
        pre = element.tag == "pre"
        self._append(element.text, pre)
        for child in element:
            if isinstance(child.tag, str) and not (child.tag != "br" and _is_dropped(child)):
                yield from self._child(child, kind, depth)
            self._append(child.tail, pre)

    def _append(self, text: str | None, pre: bool) -> None:
        if text:
            self._pending.append(text if pre else re.sub(r"[ \t\r\n\f]+", " ", text))

    def _child(self, child: HtmlElement, kind: BlockKind, depth: int) -> Iterator[Piece]:
        tag = child.tag
        if tag == "br":
            self._pending.append("\n")
        elif tag in _HEADINGS:
            yield from self._flush(kind)
            self._pending.append(_text_content(child))
            yield from self._flush("heading", _HEADINGS[tag])
        elif tag == "table" and child.find(".//table") is None:
            yield from self._flush(kind)
            yield from self._table(child, depth)
        elif tag == "tr":  # of a table made for layout
            yield from self._flush(kind)
            yield from self._element(child, "text", depth + 1)
            yield from self._flush("text")
        elif tag in _BLOCKS or tag == "hr":
            yield from self._flush(kind)
            inner: BlockKind = kind
            if tag in ("li", "dd"):
                inner = "list_item"
            elif tag in ("p", "div", "section", "article") and kind != "list_item":
                inner = "text"
            yield from self._element(child, inner, depth + 1)
            yield from self._flush(inner)
        else:
            yield from self._element(child, kind, depth + 1)

    def _table(self, table: HtmlElement, depth: int) -> Iterator[Piece]:
        rows: list[list[HtmlElement]] = []
        headers = 0
        for element in table.iter("tr", "caption"):
            if _is_dropped(element) or any(_is_dropped(a) for a in _up_to(element, table)):
                continue
            if element.tag == "caption":
                yield from self._element(element, "text", depth + 1)
                yield from self._flush("text")
                continue
            cells = [c for c in element if c.tag in ("td", "th") and not _is_dropped(c)]
            named = element.getparent().tag == "thead" or all(c.tag == "th" for c in cells)
            if cells and named and headers == len(rows):
                headers += 1
            if cells:
                rows.append(cells)
        spans = [[(_span(c, "colspan"), _span(c, "rowspan")) for c in cells] for cells in rows]
        texts = [[_text_content(cell) for cell in cells] for cells in rows]
        yield from table_pieces(spread(texts, spans), headers=headers)


def _up_to(element: HtmlElement, table: HtmlElement) -> Iterator[HtmlElement]:
    for ancestor in element.iterancestors():
        if ancestor is table:
            return
        yield ancestor


def _span(cell: HtmlElement, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return max(1, min(int(value), MAX_SPAN)) if value.isdecimal() and len(value) < 6 else 1


def _text_content(element: Any) -> str:
    """Text below an element that is read as one line, hidden parts left out."""
    parts: list[str] = [element.text or ""]
    # Iterative: a cell may hide thousands of nested elements.
    stack = [(child, False) for child in reversed(element)]
    while stack:
        child, closed = stack.pop()
        if closed:
            parts.append((" " if child.tag in _BLOCKS else "") + (child.tail or ""))
            continue
        stack.append((child, True))
        if not isinstance(child.tag, str) or _is_dropped(child):
            continue
        parts.append(" " if child.tag in _BLOCKS or child.tag == "br" else "")
        parts.append(child.text or "")
        stack.extend((grandchild, False) for grandchild in reversed(child))
    return re.sub(r"\s+", " ", "".join(parts))
