"""Every error as problem details (RFC 9457) in Italian, with no internals."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from assistant.api.html import error_page
from assistant.errors import AssistantError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

_HTTP = {
    400: ("Richiesta non leggibile", "La richiesta non si può leggere: controlla che sia JSON."),
    403: ("Richiesta rifiutata", "La richiesta viene da un altro sito e non è permessa."),
    404: (
        "Non trovato",
        "Questo indirizzo non esiste. L'elenco degli indirizzi è in /openapi.json.",
    ),
    405: ("Metodo non permesso", "Questo indirizzo esiste, ma non accetta questo metodo HTTP."),
    413: ("Richiesta troppo grande", "Il corpo della richiesta supera il limite di 64 kB."),
    415: (
        "Formato non accettato",
        "Manda JSON, con l'intestazione Content-Type: application/json.",
    ),
    421: (
        "Indirizzo non riconosciuto",
        "Usa l'indirizzo stampato all'avvio, per esempio localhost.",
    ),
    500: (
        "Errore interno",
        "Si è verificato un errore imprevisto; i dettagli sono nei log dell'API.",
    ),
}
_REASONS = {
    "missing": "è obbligatorio",
    "extra_forbidden": "non è previsto: controlla come è scritto",
    "unexpected_keyword_argument": "non è previsto: controlla come è scritto",
    "string_type": "deve essere un testo",
    "string_unicode": "contiene caratteri non validi",
    "string_too_long": "è troppo lungo: al massimo {max_length} caratteri",
    "string_too_short": "non può essere vuoto",
    "string_pattern_mismatch": "non può essere vuoto",
    "int_type": "deve essere un numero intero",
    "int_parsing": "deve essere un numero intero",
    "int_parsing_size": "è un numero troppo grande",
    "int_from_float": "deve essere un numero intero",
    "greater_than_equal": "deve essere almeno {ge}",
    "less_than_equal": "deve essere al massimo {le}",
    "literal_error": "deve essere uno di: {expected}",
    "bool_parsing": "deve essere «true» o «false»",
    "bool_type": "deve essere true o false",
    "list_type": "deve essere un elenco",
    "tuple_type": "deve essere un elenco",
    "too_long": "ha troppi elementi: al massimo {max_length}",
    "dict_type": "deve essere un oggetto JSON",
    "dataclass_type": "deve essere un oggetto JSON",
    "json_invalid": "non è JSON valido",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """The members of RFC 9457, and two of ours: the remedy alone, and errors by field."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    remedy: str = ""
    errors: tuple[dict[str, str], ...] = ()

    def members(self) -> dict[str, Any]:
        """Our own members only when they say something."""
        return {name: value for name, value in asdict(self).items() if value not in ("", ())}


def from_assistant(error: AssistantError, instance: str) -> Problem:
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__.removesuffix("Error")).lower()
    return Problem(
        f"urn:piano:errore:{name}",
        error.title,
        error.http_status,
        str(error),
        instance,
        remedy=error.remedy,
    )


def from_status(status: int, instance: str) -> Problem:
    default = ("Errore", "La richiesta non è stata accettata.")
    title, detail = _HTTP.get(status, default)
    return Problem("about:blank", title, status, detail, instance)


def from_validation(errors: Sequence[Mapping[str, Any]], instance: str) -> Problem:
    """One line for each field; what was sent is not repeated, it may be anything."""
    found = tuple({"field": _field(error), "message": _reason(error)} for error in errors)
    shown = "; ".join(f"«{item['field']}» {item['message']}" for item in found[:10])
    detail = f"Nella richiesta {shown}."
    return Problem(
        "urn:piano:errore:usage", "Richiesta non valida", 422, detail, instance, errors=found[:50]
    )


def respond(
    problem: Problem, request: Request, headers: Mapping[str, str] | None = None
) -> Response:
    """Problem JSON; a page for who follows a link to the printable pages with a browser."""
    if request.url.path.startswith("/documenti/") and _wants_html(request):
        return HTMLResponse(error_page(problem.title, problem.detail), problem.status, headers)
    return JSONResponse(problem.members(), problem.status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    @app.exception_handler(AssistantError)
    async def assistant_error(request: Request, error: AssistantError) -> Response:
        return respond(from_assistant(error, request.url.path), request)

    @app.exception_handler(RequestValidationError)
    async def validation_error(request: Request, error: RequestValidationError) -> Response:
        if request.headers.get("content-length", "0") != "0" and not _is_json(request):
            return respond(from_status(415, request.url.path), request)
        return respond(from_validation(error.errors(), request.url.path), request)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        problem = from_status(error.status_code, request.url.path)
        return respond(problem, request, error.headers)


def unexpected(error: Exception, instance: str) -> Problem:
    """Logged with its traceback, told without it."""
    logger.error("unexpected error on %s", instance, exc_info=error)
    return from_status(500, instance)


def _field(error: Mapping[str, Any]) -> str:
    # Where JSON is broken the location is an offset, not a name.
    location = () if error["type"] == "json_invalid" else error["loc"]
    parts = [str(part) for part in location if isinstance(part, int) or part not in _PLACES]
    return ".".join(parts)[:100] or "corpo della richiesta"


_PLACES = ("body", "query", "path", "header")


def _reason(error: Mapping[str, Any]) -> str:
    context = {
        key: str(value).replace(" or ", " o ") for key, value in error.get("ctx", {}).items()
    }
    try:
        return _REASONS[error["type"]].format(**context)
    except KeyError:
        return "non è valido"


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def _wants_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")
