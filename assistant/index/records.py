"""How the models are written in the catalogue: JSON for what is never searched by."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from assistant.italian.analysis import fold
from assistant.models import Document, Passage, Span
from assistant.record_models import Intervento, Scheda

if TYPE_CHECKING:
    from pydantic import TypeAdapter

OF_THE_INDEX = ("updated_by", "near_duplicates", "also_at")
"""What a document's record learns from the documents beside it; the catalogue keeps it apart."""


def name_key(name: str) -> str:
    """By which names are compared: no capitals, accents, or repeated blanks."""
    return " ".join(fold(name).split())


def scheda_key(reference: str) -> str:
    """By which references are compared: "Scheda n. 5", "05" and "5" are one, so "D-1", "D 1"."""
    key = name_key(reference)
    for prefix in ("scheda", "n.", "n°", "numero"):
        key = key.removeprefix(prefix).strip()
    key = re.sub(r"(?<=\w)[\s-]+(?=\w)", "", key) if any(map(str.isdigit, key)) else key
    return key.lstrip("0") or key


def to_json(record: Document | Scheda | Intervento) -> str:
    return json.dumps(record, ensure_ascii=False, default=_members)


def _members(value: Any) -> dict[str, Any]:
    """Of a slotted dataclass; `asdict` would copy every value on the way down."""
    return {name: getattr(value, name) for name in value.__slots__}


def document_from_json(data: str) -> Document:
    values = json.loads(data)
    for name in ("notes", "pages_without_text", "ocr_pages", *OF_THE_INDEX):
        values[name] = tuple(values[name])
    return Document(**values)


def scheda_from_json(data: str) -> Scheda:
    return _adapters()[0].validate_json(data)


def intervento_from_json(data: str) -> Intervento:
    return _adapters()[1].validate_json(data)


@cache
def _adapters() -> tuple[TypeAdapter[Scheda], TypeAdapter[Intervento]]:
    # Imported here: answering a question reads no record, and pydantic takes long to import.
    from pydantic import TypeAdapter

    return TypeAdapter(Scheda), TypeAdapter(Intervento)


def spans_to_json(spans: Sequence[Span]) -> str:
    """Each span as `[page, start, end]`, followed by `true` when it leads in."""
    return json.dumps([[s.page, s.start, s.end, *([True] if s.lead else [])] for s in spans])


def spans_from_json(data: str) -> tuple[Span, ...]:
    return tuple(Span(*span) for span in json.loads(data))


def passage_from_row(row: Sequence[Any]) -> Passage:
    """From the columns id, document id, ordinal, text, section, spans, scheda."""
    section = tuple(json.loads(row[4]))
    return Passage(row[0], row[1], row[2], row[3], section, spans_from_json(row[5]), row[6])
