"""Passages for a query."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from assistant.api.deps import TheAssistant
from assistant.api.shapes import Found, SearchQuery
from assistant.retrieval.filters import parse_filters, parse_ignored
from assistant.wire import search_json

router = APIRouter(tags=["search"])


@router.get("/v1/search", response_model=Found)
def search(query: Annotated[SearchQuery, Query()], assistant: TheAssistant) -> dict[str, Any]:
    """The `k` best passages for `q`."""
    result = assistant.search(
        query.q,
        k=query.k,
        filters=parse_filters(query.chosen()),
        expand=not query.exact,
        ignore=parse_ignored(query.ignore),
    )
    return search_json(result)
