"""Many requests from a JSONL file: one output line for each input line, in order."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.cli.italian import reason
from assistant.cli.show import dump
from assistant.errors import UsageError
from assistant.models import Filters, PinKey
from assistant.retrieval.filters import parse_filters, parse_ignored

if TYPE_CHECKING:
    from assistant.service import Assistant

MAX_LINE = 16_000_000
"""Bytes; a longer line is told as unreadable and never held in memory."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a line asks, or the command line for all of them; None is what the line leaves open."""

    question: str
    filters: Filters
    history: tuple[str, ...] = ()
    exact: bool | None = None
    ignore: tuple[PinKey, ...] | None = None


Reply = Callable[["Assistant", Request], dict[str, Any]]


def run_batch(assistant: Assistant, file: Path, common: Request, reply: Reply) -> int:
    """Prints the replies; returns 3 when some line could not be read, else 0.

    What a line says itself takes the place of what the command line says, filter by filter.

    Raises:
        UsageError: the file cannot be opened or read.
        AssistantError: the index cannot be used: no line of the file could be answered.
    """
    assistant.documents()  # without an index the whole file fails, not each of its lines
    failed = False
    for raw in _lines(file):
        out, was_read = _answer(assistant, raw, common, reply)
        failed = failed or not was_read
        print(dump(out), flush=True)
    return 3 if failed else 0


def _answer(
    assistant: Assistant, raw: bytes | None, common: Request, reply: Reply
) -> tuple[dict[str, Any], bool]:
    """The output for one line, and whether the line could be read."""
    identity: dict[str, Any] = {}
    try:
        values = _parse(raw)
        if "id" in values:
            identity["id"] = values["id"]
        own = _request(values)
        together = replace(
            own,
            filters=merged(common.filters, own.filters),
            exact=common.exact if own.exact is None else own.exact,
            ignore=common.ignore if own.ignore is None else own.ignore,
        )
        return {**identity, **reply(assistant, together)}, True
    except UsageError as error:
        return {**identity, "error": str(error)}, False


def _lines(file: Path) -> Iterator[bytes | None]:
    """The lines of a file; None in place of one that is too long."""
    try:
        with file.open("rb") as stream:
            while raw := stream.readline(MAX_LINE):
                if len(raw) < MAX_LINE or raw.endswith(b"\n"):
                    yield raw
                    continue
                while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                    pass
                yield None
    except OSError as error:
        raise UsageError(
            f"Non riesco a leggere «{file}»: {reason(error)}.", remedy="Controlla il percorso."
        ) from error


def _parse(raw: bytes | None) -> dict[str, Any]:
    if raw is None:
        raise UsageError(f"La riga è troppo lunga: più di {MAX_LINE // 10**6} MB.")
    if not raw.strip():
        raise UsageError("La riga è vuota.")
    try:
        values = json.loads(
            raw.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite
        )
    except UnicodeDecodeError as error:
        raise UsageError(
            "La riga non è in UTF-8.", remedy="Salva il file con la codifica UTF-8."
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError("La riga non è JSON valido.") from error
    if not isinstance(values, dict):
        raise UsageError(
            "La riga non è un oggetto JSON.",
            remedy='Esempio: {"id": 1, "question": "Chi approva il Piano di zona?"}.',
        )
    return values


def _request(values: dict[str, Any]) -> Request:
    question = values.get("question")
    if not isinstance(question, str):
        raise UsageError("Manca il campo «question», che deve essere un testo.")
    history = values.get("history")
    if history is None:
        history = []
    if not (isinstance(history, list) and all(isinstance(item, str) for item in history)):
        raise UsageError("Il campo «history» deve essere una lista di testi.")
    given = values.get("filter")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise UsageError(
            "Il campo «filter» deve essere un oggetto.", remedy='Esempio: {"distretto": "Lugo"}.'
        )
    exact = values.get("exact")
    if not (exact is None or isinstance(exact, bool)):
        raise UsageError("Il campo «exact» deve essere true o false.")
    ignore = values.get("ignore")
    if not (ignore is None or isinstance(ignore, list)):
        raise UsageError(
            "Il campo «ignore» deve essere una lista.", remedy='Esempio: ["distretto"].'
        )
    return Request(
        question,
        parse_filters(given),
        tuple(history),
        exact,
        None if ignore is None else parse_ignored(ignore),
    )


def merged(common: Filters, own: Filters) -> Filters:
    """The filters of the command line with those of the line in their place, field by field."""
    return Filters(
        **{
            field.name: getattr(own, field.name) or getattr(common, field.name)
            for field in fields(Filters)
        }
    )


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    """Numbers too large for a float would be told back as Infinity, which is no JSON."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large")
    return value
