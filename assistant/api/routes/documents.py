"""Documents, their pages, and the files they came from."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from assistant.api.deps import TheAssistant
from assistant.api.shapes import DocumentsQuery
from assistant.models import Document, DocumentPage, Filters
from assistant.retrieval.filters import parse_filters

router = APIRouter(prefix="/v1/documents", tags=["documents"])

_INERT_TYPES = ("application/pdf", "text/plain", "text/markdown")
_UNSAFE = re.compile(r"[^\w.,() \-]+")


@router.get("")
def documents(query: Annotated[DocumentsQuery, Query()], assistant: TheAssistant) -> list[Document]:
    """All documents, or those of some kinds, districts, years, status, as a search filters them."""
    wanted = parse_filters(query.chosen())
    return [found for found in assistant.documents() if _taken(found, wanted)]


def _taken(document: Document, wanted: Filters) -> bool:
    first, last = document.year_from, document.year_to or document.year_from
    return (
        (not wanted.kind or document.kind in wanted.kind)
        and (
            not wanted.distretto
            or (document.distretto or "").casefold() in {d.casefold() for d in wanted.distretto}
        )
        and (
            not wanted.year
            or (
                (first is not None and last is not None)
                and any(first <= year <= last for year in wanted.year)
            )
        )
        and (
            not wanted.status
            or ("superseded" if document.status == "superseded" else "in_force") in wanted.status
        )
    )


@router.get("/{document_id}")
def document(document_id: str, assistant: TheAssistant) -> Document:
    return assistant.document(document_id)


@router.get("/{document_id}/pages/{number}")
def page(document_id: str, number: int, assistant: TheAssistant) -> DocumentPage:
    return DocumentPage.of(assistant.document(document_id), assistant.page(document_id, number))


@router.get("/{document_id}/original", response_class=FileResponse)
def original(document_id: str, assistant: TheAssistant) -> FileResponse:
    """The file as it was ingested, always as a download.

    A document may hold scripts, which must not run with this address's rights: so what a browser
    could run is sent as plain bytes.
    """
    described = assistant.document(document_id)
    path = assistant.original(document_id)
    inert = described.media_type in _INERT_TYPES
    return FileResponse(
        path,
        media_type=described.media_type if inert else "application/octet-stream",
        filename=file_name(described.source, path),
        content_disposition_type="attachment",
    )


def file_name(source: str, path: Path) -> str:
    """A file name fit for any disk, from a path or URL, with the extension of the stored file."""
    name = PurePosixPath(unquote(urlsplit(source).path if "://" in source else source)).stem
    safe = _UNSAFE.sub("_", name).strip(" ._")[:100]
    return (safe or "documento") + path.suffix
