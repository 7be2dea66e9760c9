"""Regional schede and district interventions, as typed records."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from assistant.api.deps import TheAssistant
from assistant.api.shapes import InterventiQuery, RecordsQuery
from assistant.errors import NotFoundError
from assistant.models import Intervento, Scheda

router = APIRouter(prefix="/v1", tags=["schede"])


@router.get("/schede")
def schede(query: Annotated[RecordsQuery, Query()], assistant: TheAssistant) -> list[Scheda]:
    """All schede, or those of some documents or with the words of `q` in number or title."""
    return [found for found in assistant.schede() if query.takes(found)]


@router.get("/schede/{scheda_id}")
def scheda(scheda_id: str, assistant: TheAssistant) -> Scheda:
    for found in assistant.schede():
        if found.id == scheda_id:
            return found
    raise NotFoundError(
        f"La scheda {scheda_id[:60]!r} non esiste.",
        remedy="L'elenco delle schede è in /v1/schede.",
    )


@router.get("/interventi")
def interventi(
    query: Annotated[InterventiQuery, Query()], assistant: TheAssistant
) -> list[Intervento]:
    """All interventions, or those of some districts or documents, or with the words of `q`."""
    return [found for found in assistant.interventi() if query.takes(found)]
