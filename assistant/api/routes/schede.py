"""Regional schede and district interventions, as typed records."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from assistant.api.deps import TheAssistant
from assistant.api.shapes import InterventiQuery, RecordsQuery
from assistant.errors import NotFoundError
from assistant.record_models import Intervento, Record, RecordKind, Scheda

router = APIRouter(prefix="/v1", tags=["schede"])

TOTAL = "X-Total-Count"
"""Header with the number of records found, whatever part of them the body holds."""


@router.get("/schede", response_model=list[Scheda])
def schede(
    query: Annotated[RecordsQuery, Query()], assistant: TheAssistant, response: Response
) -> list[Record]:
    """The schede that fulfil the filters; the header X-Total-Count tells how many there are."""
    return _listed("scheda", query, assistant, response)


@router.get("/schede/{scheda_id}")
def scheda(scheda_id: str, assistant: TheAssistant) -> Scheda:
    found = _record(scheda_id, assistant)
    if not isinstance(found, Scheda):
        raise _missing("La scheda", scheda_id, "/v1/schede")
    return found


@router.get("/interventi", response_model=list[Intervento])
def interventi(
    query: Annotated[InterventiQuery, Query()], assistant: TheAssistant, response: Response
) -> list[Record]:
    """The interventions that fulfil the filters; X-Total-Count tells how many there are."""
    return _listed("intervento", query, assistant, response)


@router.get("/interventi/{intervento_id}")
def intervento(intervento_id: str, assistant: TheAssistant) -> Intervento:
    found = _record(intervento_id, assistant)
    if not isinstance(found, Intervento):
        raise _missing("L'intervento", intervento_id, "/v1/interventi")
    return found


def _listed(
    kind: RecordKind, query: RecordsQuery, assistant: TheAssistant, response: Response
) -> list[Record]:
    found = assistant.list_records(query.filters(kind), offset=query.offset, limit=query.limit)
    response.headers[TOTAL] = str(found.total)
    return found.records


def _record(identity: str, assistant: TheAssistant) -> Record | None:
    try:
        return assistant.record(identity)
    except NotFoundError:
        return None


def _missing(what: str, identity: str, where: str) -> NotFoundError:
    return NotFoundError(f"{what} {identity[:60]!r} non esiste.", remedy=f"L'elenco è in {where}.")
