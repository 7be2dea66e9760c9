"""Records inside documents: schede and interventi, their fields and typed values.

Every value keeps its words as printed and the quotes where they stand; what the words do not say is
None, never guessed. Money is in cents of euro.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assistant.models import Quote

RecordKind = Literal["scheda", "intervento"]
CapofilaKind = Literal["comune", "unione", "ausl", "asp", "altro"]
AmbitoKind = Literal["distrettuale", "sub-distrettuale", "sovra-distrettuale"]
IndicatorUnit = Literal["numero", "percentuale", "si_no"]
IndicatorLevel = Literal["distrettuale", "regionale"]
ValueKind = Literal["atteso", "raggiunto"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record: its words and where they stand (several quotes when over pages)."""

    name: str
    text: str
    quotes: tuple[Quote, ...]
    label: str = ""
    """The label as printed in this document; empty when it stands nowhere on its own."""


@dataclass(frozen=True, slots=True)
class Area:
    """An area of the regional plan; `letter` is None when only its name is printed."""

    letter: str | None
    words: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """One group that a sheet is meant for, as printed."""

    words: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """Money from one source; `cents` (of euro) is None when the words are no amount."""

    source: str
    """Who pays, as printed; for a total, how it is called."""
    cents: int | None
    words: str
    quotes: tuple[Quote, ...]
    """Of the source and of the amount."""
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """The estimate of a sheet: amounts by source and the total as printed, never computed."""

    amounts: tuple[Amount, ...]
    total: Amount | None = None
    totals_by_year: tuple[Amount, ...] = ()
    adds_up: bool | None = None
    """Whether the sources give the printed total; None when it cannot be told."""


@dataclass(frozen=True, slots=True)
class IndicatorValue:
    """What an indicator is to be, or was, in a year; `value` is None when words are no value."""

    words: str
    value: bool | int | float | None
    """SI and NO are booleans; 45% is 45 with the indicator's unit `percentuale`."""
    year: int | None
    kind: ValueKind
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Indicator:
    name: str
    unit: IndicatorUnit | None
    level: IndicatorLevel
    values: tuple[IndicatorValue, ...]
    quotes: tuple[Quote, ...]
    """Of the name."""


@dataclass(frozen=True, slots=True)
class SchedaReference:
    """A regional scheda that an intervention refers to."""

    number: str
    title: str
    """As printed beside the number; often empty."""
    main: bool
    """Whether the sheet says that this is the prevailing one."""
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Capofila:
    """Who leads an intervention; `kind` is read from the name."""

    name: str
    kind: CapofilaKind
    detail: str
    """The sheet's `Specifica del soggetto capofila`, often an office."""
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Ambito:
    """Where an intervention takes place; `kind` is None when the words say none of the three."""

    kind: AmbitoKind | None
    detail: str
    words: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Continuity:
    """Whether an intervention goes on from the years before; None when it is neither yes nor no."""

    value: bool | None
    words: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A field that its template expects and that was not read; `text` tells it in Italian."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Scheda:
    """A scheda attuativa of the regional plan."""

    id: str
    document_id: str
    number: str | None
    title: str
    page_start: int
    page_end: int
    fields: tuple[Field, ...]
    areas: tuple[Area, ...] = ()
    targets: tuple[Target, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader should know of the sheet, in Italian."""


@dataclass(frozen=True, slots=True)
class Intervento:
    """A scheda intervento of a district's Piano di zona."""

    id: str
    document_id: str
    number: str | None
    title: str
    page_start: int
    page_end: int
    distretto: str | None
    fields: tuple[Field, ...]
    year_from: int | None = None
    """Years of its document."""
    year_to: int | None = None
    capofila: Capofila | None = None
    continuity: Continuity | None = None
    ambito: Ambito | None = None
    references: tuple[SchedaReference, ...] = ()
    areas: tuple[Area, ...] = ()
    targets: tuple[Target, ...] = ()
    spending: Spending | None = None
    indicators: tuple[Indicator, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader should know of the sheet, in Italian."""


Record = Scheda | Intervento
