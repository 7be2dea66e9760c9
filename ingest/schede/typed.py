"""From a sheet's fields to its typed values; words that cannot be read stay words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.record_models import (
    Ambito,
    Area,
    Capofila,
    Continuity,
    Indicator,
    RecordKind,
    SchedaReference,
    Spending,
    Target,
)
from ingest.schede.fields import MONEY_FIELDS, FieldDraft
from ingest.schede.flow import Flow, Row, Source
from ingest.schede.indicators import read_indicators
from ingest.schede.references import read_references
from ingest.schede.spending import read_spending, spending_note
from ingest.schede.values import (
    read_ambito,
    read_areas,
    read_capofila,
    read_continuity,
    read_targets,
)

REFERENCES = "Riferimento scheda regionale"
MAX_CHARS = 10_000
"""Longer words are kept as words alone: it bounds the work on hostile texts."""


@dataclass(frozen=True, slots=True)
class Typed:
    areas: tuple[Area, ...]
    targets: tuple[Target, ...]
    indicators: tuple[Indicator, ...]
    capofila: Capofila | None = None
    continuity: Continuity | None = None
    ambito: Ambito | None = None
    references: tuple[SchedaReference, ...] = ()
    spending: Spending | None = None
    notes: tuple[str, ...] = ()


def _bounded(rows: Sequence[Row]) -> Sequence[Row]:
    size = 0
    for at, row in enumerate(rows):
        size += sum(len(text) for text in row.texts)
        if size > MAX_CHARS:
            return rows[:at]
    return rows


def read_typed(kind: RecordKind, drafts: Sequence[FieldDraft], source: Source) -> Typed:
    named = {draft.label.name: draft for draft in drafts}

    def flow(name: str) -> Flow:
        found = named[name].flow(source) if name in named else Flow(source, ())
        return found if len(found.text) <= MAX_CHARS else Flow(source, ())

    def indicators(name: str, *, district: bool) -> tuple[Indicator, ...]:
        rows = _bounded(named[name].rows) if name in named else ()
        return read_indicators(rows, source, "distrettuale" if district else "regionale")

    areas = read_areas(flow("Area"))
    targets = read_targets(flow("Target"))
    told = (
        *indicators("Indicatori", district=kind == "intervento"),
        *indicators("Indicatori regionali", district=False),
    )
    if kind == "scheda":
        return Typed(areas, targets, told)
    money = [row for draft in drafts if draft.label.name in MONEY_FIELDS for row in draft.rows]
    spending = read_spending(_bounded(money), source) if money else None
    note = spending_note(spending)
    return Typed(
        areas, targets, told,
        read_capofila(flow("Soggetto capofila"), flow("Specifica del soggetto capofila")),
        read_continuity(flow("In continuità con la programmazione precedente")),
        read_ambito(flow("Ambito territoriale")),
        read_references(flow(REFERENCES), flow("Riferimento scheda prevalente")),
        spending,
        (note,) if note else (),
    )  # fmt: skip
