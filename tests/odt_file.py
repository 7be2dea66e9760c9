"""OpenDocument files as writing programs make them, from the XML of their parts."""

from __future__ import annotations

import io
import zipfile

NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
    for name, space in {
        "office": "office",
        "style": "style",
        "text": "text",
        "table": "table",
        "draw": "drawing",
        "meta": "meta",
        "manifest": "manifest",
    }.items()
)
NAMESPACES += ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
MIMETYPE = "application/vnd.oasis.opendocument.text"
MANIFEST = f'<manifest:manifest {NAMESPACES}><manifest:file-entry manifest:full-path="/"/>'
MANIFEST += "</manifest:manifest>"


def content(body: str, styles: str = "", prolog: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<office:document-content {NAMESPACES}>'
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )


def odt(
    body: str = "",
    *,
    styles: str = "",
    common_styles: str = "",
    master: str = "",
    meta: str = "",
    parts: dict[str, str] | None = None,
    mimetype: str = MIMETYPE,
) -> bytes:
    """An .odt; `parts` replace or join those that are made here."""
    files = {
        "content.xml": content(body, styles),
        "styles.xml": f"<office:document-styles {NAMESPACES}><office:styles>{common_styles}"
        f"</office:styles><office:master-styles>{master}</office:master-styles>"
        "</office:document-styles>",
        "meta.xml": f"<office:document-meta {NAMESPACES}><office:meta>{meta}</office:meta>"
        "</office:document-meta>",
        "META-INF/manifest.xml": MANIFEST,
    } | (parts or {})
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", mimetype, zipfile.ZIP_STORED)
        for name, text in files.items():
            archive.writestr(name, text)
    return target.getvalue()
