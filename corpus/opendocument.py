"""Blocks → ODT, the format of LibreOffice; reproducible bytes."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from xml.sax.saxutils import escape
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from corpus.blocks import Block, Break, Heading, ListItem, Paragraph, Run, Runs, Table
from corpus.script import read_script, with_notice
from corpus.sources import Source, SourceError

EPOCH = (2020, 1, 1, 0, 0, 0)
MIMETYPE = "application/vnd.oasis.opendocument.text"
_NAMES = " ".join(
    f'xmlns:{prefix}="{address}"'
    for prefix, address in {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
        "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
        "meta": "urn:oasis:names:tc:opendocument:xmlns:meta:1.0",
        "dc": "http://purl.org/dc/elements/1.1/",
    }.items()
)
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_STYLES = (
    '<style:style style:name="B" style:family="text">'
    '<style:text-properties fo:font-weight="bold"/></style:style>'
    '<style:style style:name="I" style:family="text">'
    '<style:text-properties fo:font-style="italic"/></style:style>'
    '<text:list-style style:name="L"><text:list-level-style-bullet text:level="1"'
    ' text:bullet-char="•"/></text:list-style>'
    '<text:list-style style:name="N"><text:list-level-style-number text:level="1"'
    ' style:num-format="1" style:num-suffix="."/></text:list-style>'
)


def render_odt(source: Source) -> bytes:
    notice = (Run(source.notice, bold=True),)
    blocks = [line.block for line in with_notice(read_script(source), notice)]
    content = (
        f'{_HEAD}<office:document-content {_NAMES} office:version="1.3">'
        f"<office:automatic-styles>{_STYLES}</office:automatic-styles>"
        f"<office:body><office:text>{_body(blocks)}</office:text></office:body>"
        "</office:document-content>"
    )
    parts = {
        "mimetype": MIMETYPE,  # first and stored, so that the file tells what it is
        "META-INF/manifest.xml": _manifest(),
        "content.xml": content,
        "meta.xml": _meta(source),
    }
    target = BytesIO()
    with ZipFile(target, "w", ZIP_STORED) as archive:
        for name, text in parts.items():
            info = ZipInfo(name, EPOCH)
            info.create_system = 3
            info.external_attr = 0o600 << 16
            archive.writestr(info, text)
    return target.getvalue()


def _manifest() -> str:
    entries = {"/": MIMETYPE, "content.xml": "text/xml", "meta.xml": "text/xml"}
    files = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in entries.items()
    )
    return (
        f'{_HEAD}<manifest:manifest manifest:version="1.3"'
        f' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">{files}'
        "</manifest:manifest>"
    )


def _meta(source: Source) -> str:
    return (
        f'{_HEAD}<office:document-meta {_NAMES} office:version="1.3"><office:meta>'
        f"<dc:title>{escape(source.title)}</dc:title>"
        f"<dc:subject>{escape(source.subject)}</dc:subject>"
        f"<meta:keyword>{escape(source.keywords)}</meta:keyword>"
        f"<meta:initial-creator>Progetto piano</meta:initial-creator>"
        f"<dc:date>{source.date}T00:00:00</dc:date><dc:language>it-IT</dc:language>"
        "</office:meta></office:document-meta>"
    )


def _body(blocks: Sequence[Block]) -> str:
    parts: list[str] = []
    open_list: str | None = None
    for number, block in enumerate(blocks):
        style = ("L" if block.marker == "•" else "N") if isinstance(block, ListItem) else None
        if style != open_list:
            parts.append("</text:list>" if open_list else "")
            parts.append(f'<text:list text:style-name="{style}">' if style else "")
            open_list = style
        parts.append(_xml(block, number))
    parts.append("</text:list>" if open_list else "")
    return "".join(parts)


def _xml(block: Block, number: int) -> str:
    match block:
        case Heading(level, runs):
            return f'<text:h text:outline-level="{level}">{_inline(runs)}</text:h>'
        case Paragraph(runs):
            return f"<text:p>{_inline(runs)}</text:p>"
        case ListItem(runs, _, depth):
            opening = "<text:list-item><text:list>" * (depth - 1)
            closing = "</text:list></text:list-item>" * (depth - 1)
            item = f"<text:list-item><text:p>{_inline(runs)}</text:p></text:list-item>"
            return f"{opening}{item}{closing}"
        case Table(head, rows):
            top = f"<table:table-header-rows>{_row(head)}</table:table-header-rows>" if head else ""
            columns = f'<table:table-column table:number-columns-repeated="{len(rows[0])}"/>'
            body = "".join(_row(row) for row in rows)
            return f'<table:table table:name="T{number}">{columns}{top}{body}</table:table>'
        case Break():
            return ""
    raise SourceError(f"no ODT form for {block!r}")


def _row(cells: Sequence[Runs]) -> str:
    inner = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{_inline(cell)}</text:p>'
        "</table:table-cell>"
        for cell in cells
    )
    return f"<table:table-row>{inner}</table:table-row>"


def _inline(runs: Runs) -> str:
    parts: list[str] = []
    for run in runs:
        text = escape(run.text).replace("\n", "<text:line-break/>")
        for style, wanted in (("B", run.bold), ("I", run.italic)):
            text = f'<text:span text:style-name="{style}">{text}</text:span>' if wanted else text
        parts.append(text)
    return "".join(parts)
