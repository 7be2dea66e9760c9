"""What records are found by: a short entry for each, kept beside its JSON in the catalogue."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from assistant.index.records import name_key, scheda_key
from assistant.italian.acronyms import expansions
from assistant.italian.analysis import terms
from assistant.models import Document
from assistant.record_models import CapofilaKind, Intervento, Record, RecordKind


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """A record in short; texts are analysed terms between blanks, as `" fond povert "`."""

    id: str
    kind: RecordKind
    document_id: str
    number: str | None
    title: str
    page_start: int
    page_end: int
    distretto: str | None
    year_from: int | None
    year_to: int | None
    number_key: str
    distretto_key: str
    areas: tuple[str, ...]
    """Letters."""
    area_terms: str
    references: tuple[str, ...]
    """Keys of the regional schede it refers to."""
    capofila_kind: CapofilaKind | None
    capofila_terms: str
    sources: tuple[str, ...]
    """Terms of each source of money, acronyms spelled out too."""
    audience: str
    """Terms of who it is for: Destinatari and Target."""
    fields: tuple[str, ...]
    gaps: tuple[str, ...]
    words: str
    """Terms of number, title and all fields."""
    document_title: str = ""
    document_source: str = ""


_NAMES = [field.name for field in fields(RecordEntry)]


def make_entry(record: Record, document: Document) -> RecordEntry:
    """The entry of a record of this document; title and source are left to the catalogue."""
    named = {field.name: field.text for field in record.fields}
    intervento = record if isinstance(record, Intervento) else None
    capofila = intervento.capofila if intervento else None
    return RecordEntry(
        id=record.id,
        kind="intervento" if intervento else "scheda",
        document_id=record.document_id,
        number=record.number,
        title=record.title,
        page_start=record.page_start,
        page_end=record.page_end,
        distretto=document.distretto,
        year_from=document.year_from if document.year_from is not None else document.year_to,
        year_to=document.year_to if document.year_to is not None else document.year_from,
        number_key=scheda_key(record.number) if record.number else "",
        distretto_key=distretto_key(document.distretto or ""),
        areas=tuple(area.letter for area in record.areas if area.letter),
        area_terms=_terms(named.get("Area", "")),
        references=_references(intervento),
        capofila_kind=capofila.kind if capofila else None,
        capofila_terms=_terms(f"{capofila.name} {capofila.detail}") if capofila else "",
        sources=tuple(map(_source_terms, _sources(intervento))),
        audience=_terms(f"{named.get('Destinatari', '')} {named.get('Target', '')}"),
        fields=_fields(record),
        gaps=tuple(gap.field for gap in record.gaps),
        words=_terms(" ".join((record.number or "", record.title, *named.values()))),
    )


def entry_to_json(entry: RecordEntry) -> str:
    return json.dumps(list(asdict(entry).values())[:-2], ensure_ascii=False)


def entry_from_json(data: str, title: str, source: str) -> RecordEntry:
    values: list[Any] = [tuple(v) if isinstance(v, list) else v for v in json.loads(data)]
    return RecordEntry(**dict(zip(_NAMES, [*values, title, source], strict=True)))


def distretto_key(name: str) -> str:
    """By which districts are compared: "Distretto di Lugo" and "lugo" are one."""
    return re.sub(r"^distretto (?:(?:di|del|della|dell')\s*)?", "", name_key(name))


def _references(record: Intervento | None) -> tuple[str, ...]:
    return tuple(scheda_key(one.number) for one in record.references) if record else ()


def _sources(record: Intervento | None) -> list[str]:
    if record is None or record.spending is None:
        return []
    return [amount.source for amount in record.spending.amounts]


def _fields(record: Record) -> tuple[str, ...]:
    """Names of its fields; money under any label counts as the estimate of spending."""
    names = dict.fromkeys(field.name for field in record.fields)
    if isinstance(record, Intervento) and record.spending is not None:
        names["Preventivo di spesa"] = None
    return tuple(names)


def _terms(text: str) -> str:
    found = dict.fromkeys(terms(text))
    return f" {' '.join(found)} " if found else ""


def _source_terms(source: str) -> str:
    found = terms(source)
    spelled = [word for term in found for words in expansions(term)[:1] for word in words]
    return f" {' '.join(dict.fromkeys([*found, *spelled]))} "
