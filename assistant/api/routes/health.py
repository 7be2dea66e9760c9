"""Is it alive, is it ready, what does it hold, what has it done."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from assistant.api.deps import TheAssistant, TheMetrics
from assistant.errors import NoIndexError
from assistant.models import Status

router = APIRouter(tags=["health"])


@dataclass(frozen=True, slots=True)
class Health:
    status: str


@router.get("/health")
async def health() -> Health:
    return Health("ok")


@router.get("/ready", responses={503: {"description": "No index that can be served."}})
def ready(assistant: TheAssistant) -> Health:
    if not assistant.ready():
        # Asking for something says why; an absent index is the only silent reason left.
        assistant.documents()
        raise NoIndexError(
            "Non c'è ancora nessun documento indicizzato.",
            remedy="Esegui `piano ingest` per caricare i documenti.",
        )
    return Health("ready")


@router.get("/v1/status")
def status(assistant: TheAssistant) -> Status:
    return assistant.status()


@router.get("/metrics", response_class=Response)
def metrics(figures: TheMetrics) -> Response:
    return Response(figures.text(), media_type=CONTENT_TYPE_LATEST)
