"""Printable pages for people, where deep links lead."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from assistant.api.deps import TheAssistant, TheSettings
from assistant.api.html import document_page, home_page
from assistant.models import DocumentPage

router = APIRouter(default_response_class=HTMLResponse, tags=["pages"])

Offset = Annotated[int | None, Query(ge=0)]


@router.get("/documenti/{document_id}/pagine/{number}")
def printable_page(
    document_id: str,
    number: int,
    assistant: TheAssistant,
    start: Offset = None,
    end: Offset = None,
) -> HTMLResponse:
    """A document page with the words from `start` to `end` marked."""
    page = DocumentPage.of(assistant.document(document_id), assistant.page(document_id, number))
    return HTMLResponse(document_page(page, start, end))


@router.get("/", include_in_schema=False)
@router.get("/docs", include_in_schema=False)
async def home(request: Request, settings: TheSettings) -> HTMLResponse:
    operations = [
        (method.upper(), path, operation.get("description", operation.get("summary", "")))
        for path, methods in request.app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]
    return HTMLResponse(home_page(f"http://127.0.0.1:{settings.ui_port}", operations))
