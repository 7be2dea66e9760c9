"""Schede as data: corpus/records/*.toml, from which documents are written and readers are judged.

A file holds `[[scheda]]` tables, all of one kind: sheets with a `capofila` are interventions of a
district, the others regional schede. What is written here is the ground truth of tests: the words
of every field, every amount, every indicator.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from corpus.sources import SourceError

RECORDS: Path = Path(__file__).parent / "records"
AREAS = ("A", "B", "C", "D", "E")
AMBITI = ("distrettuale", "sub-distrettuale", "sovra-distrettuale")
CAPOFILA = ("comune", "unione", "ausl", "asp", "altro")


class Spending(NamedTuple):
    """One source of money with its amount in euro."""

    fonte: str
    euro: int


class Value(NamedTuple):
    """What an indicator is in a year: a number, a percentage, SI or NO, as printed."""

    anno: int
    valore: str


@dataclass(frozen=True, slots=True)
class Indicator:
    nome: str
    attesi: tuple[Value, ...] = ()
    raggiunti: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetSource:
    """A sheet as its author wrote it; paragraphs of a text are parted by an empty line."""

    numero: str
    titolo: str
    descrizione: str
    aree: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    razionale: str = ""
    destinatari: str = ""
    azioni: tuple[str, ...] = ()
    integrazione: str = ""
    attori: str = ""
    referenti: str = ""
    indicatori: tuple[Indicator, ...] = ()
    # what only the interventions of a district have
    capofila: str = ""
    capofila_tipo: str = ""
    specifica_capofila: str = ""
    continuita: bool | None = None
    ambito: str = ""
    ambito_dettaglio: str = ""
    altri_piani: str = ""
    riferimenti: tuple[str, ...] = ()
    """Numbers of regional schede, as printed: "5", "D-12"."""
    prevalente: str = ""
    novita: str = ""
    spesa: tuple[Spending, ...] = ()
    risorse: str = ""
    """Resources that are not money."""
    indicatori_regionali: tuple[Indicator, ...] = ()

    @property
    def intervento(self) -> bool:
        return bool(self.capofila)

    @property
    def totale(self) -> int:
        """Euro, from all sources."""
        return sum(part.euro for part in self.spesa)


@cache
def read_records(name: str, folder: Path = RECORDS) -> tuple[SheetSource, ...]:
    """The sheets of `<name>.toml`, in order.

    Raises:
        SourceError: the file is missing or a sheet is not coherent; the message says which.
    """
    path = folder / f"{name}.toml"
    try:
        tables = tomllib.loads(path.read_text("utf-8"))["scheda"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise SourceError(f"{path.name}: {error}") from error
    sheets = tuple(_sheet(path.name, table) for table in tables)
    numbers = [sheet.numero for sheet in sheets]
    if twice := {number for number in numbers if numbers.count(number) > 1}:
        raise SourceError(f"{path.name}: numero {sorted(twice)} is there twice")
    return sheets


_TEXTS = (
    "numero", "titolo", "descrizione", "razionale", "destinatari", "integrazione", "attori",
    "referenti", "capofila", "capofila_tipo", "specifica_capofila", "ambito", "ambito_dettaglio",
    "altri_piani", "prevalente", "novita", "risorse",
)  # fmt: skip
_LISTS = ("aree", "target", "azioni", "riferimenti")


def _sheet(file: str, table: Mapping[str, Any]) -> SheetSource:
    where = f"{file}, scheda {table.get('numero', '?')}"
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in _TEXTS:
            values[key] = _text(where, key, value)
        elif key in _LISTS:
            values[key] = tuple(_text(where, key, item) for item in value)
        elif key == "continuita":
            values[key] = bool(value)
        elif key == "spesa":
            values[key] = tuple(_spending(where, item) for item in value)
        elif key in ("indicatori", "indicatori_regionali"):
            values[key] = tuple(_indicator(where, item) for item in value)
        else:
            raise SourceError(f"{where}: unknown key {key!r}")
    for key in ("numero", "titolo", "descrizione"):
        if not values.get(key):
            raise SourceError(f"{where}: {key} is missing")
    sheet = SheetSource(**values)
    _check(where, sheet)
    return sheet


def _text(where: str, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SourceError(f"{where}: {key} must be a text, not {value!r}")
    paragraphs = (" ".join(part.split()) for part in value.split("\n\n"))
    return "\n\n".join(part for part in paragraphs if part)


def _spending(where: str, item: Any) -> Spending:
    match item:
        case [str(fonte), int(euro)] if euro > 0:
            return Spending(_text(where, "spesa", fonte), euro)
    raise SourceError(f"{where}: spesa wants [fonte, whole euro], not {item!r}")


def _indicator(where: str, item: Mapping[str, Any]) -> Indicator:
    if unknown := set(item) - {"nome", "attesi", "raggiunti"}:
        raise SourceError(f"{where}: unknown key {sorted(unknown)} in an indicator")
    nome = _text(where, "nome", item.get("nome"))
    return Indicator(
        nome, _values(where, item.get("attesi", [])), _values(where, item.get("raggiunti", []))
    )


def _values(where: str, items: Any) -> tuple[Value, ...]:
    found = []
    for item in items:
        match item:
            case [int(anno), str(valore)] if 2010 <= anno <= 2025 and valore.strip():
                found.append(Value(anno, valore))
            case _:
                raise SourceError(f"{where}: an indicator wants [year, text], not {item!r}")
    return tuple(found)


def _check(where: str, sheet: SheetSource) -> None:
    for area in sheet.aree:
        if area not in AREAS:
            raise SourceError(f"{where}: area {area!r} is none of {AREAS}")
    if sheet.prevalente and sheet.prevalente not in sheet.riferimenti:
        raise SourceError(f"{where}: prevalente {sheet.prevalente!r} is not among riferimenti")
    if not sheet.intervento:
        return
    if sheet.capofila_tipo not in CAPOFILA:
        raise SourceError(f"{where}: capofila_tipo {sheet.capofila_tipo!r} is none of {CAPOFILA}")
    if sheet.ambito and sheet.ambito not in AMBITI:
        raise SourceError(f"{where}: ambito {sheet.ambito!r} is none of {AMBITI}")
