"""Regional schede and district interventions, as typed records."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from assistant.api.deps import TheAssistant
from assistant.errors import NotFoundError
from assistant.models import Intervento, Scheda

router = APIRouter(prefix="/v1", tags=["schede"])


@router.get("/schede")
def schede(assistant: TheAssistant) -> list[Scheda]:
    return assistant.schede()


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
    assistant: TheAssistant,
    distretto: Annotated[list[str], Query(max_length=200)] = [],  # noqa: B006
) -> list[Intervento]:
    """All interventions, or those of some districts (the name in any case)."""
    wanted = {name.casefold() for name in distretto}
    return [
        found
        for found in assistant.interventi()
        if not wanted or (found.distretto or "").casefold() in wanted
    ]
