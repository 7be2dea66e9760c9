"""The JSON forms of the contract, the same for the command line and the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from assistant.models import Answer, SearchResult


def answer_json(answer: Answer) -> dict[str, Any]:
    return asdict(answer)


def search_json(result: SearchResult) -> dict[str, Any]:
    return {
        "query": result.query,
        "hits": [
            {
                "rank": hit.rank,
                "passage_id": hit.passage.id,
                "document_id": hit.document.id,
                "title": hit.document.title,
                "source": hit.document.source,
                "page": hit.passage.page_start,
                "section": " › ".join(hit.passage.section),
                "score": hit.score,
                "text": hit.passage.text,
                "page_end": hit.passage.page_end,
                "parts": hit.parts,
            }
            for hit in result.hits
        ],
        "timings_ms": result.timings_ms,
        "generation": result.generation,
        "understood": asdict(result.understood),
        "model": result.model,
        "notices": result.notices,
    }
