"""Filters as users write them (`distretto=Lugo`, `anno=2019`) to the typed Filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from assistant.errors import UsageError
from assistant.italian.analysis import readable
from assistant.models import KINDS, PIN_KEYS, Filters, PinKey

ALIASES = {
    "distretto": "distretto",
    "kind": "kind",
    "tipo": "kind",
    "year": "year",
    "anno": "year",
    "scheda": "scheda",
    "document": "document",
    "documento": "document",
    "status": "status",
    "stato": "status",
}

STATUSES = {
    "in_vigore": "in_force",
    "vigente": "in_force",
    "in_force": "in_force",
    "superato": "superseded",
    "superseded": "superseded",
}

MAX_VALUES = 200
"""More alternatives than this in one request are a mistake or an attack, not a search."""


def parse_filters(given: Mapping[str, object] | Iterable[str]) -> Filters:
    """Filters from a mapping (values: string, number or list of them) or from `key=value` texts.

    Raises:
        UsageError: unknown key, a kind, year or status that cannot be, too many values.
    """
    pairs = list(given.items()) if isinstance(given, Mapping) else [_split(item) for item in given]
    values: dict[str, list[str | int]] = {}
    for key, raw in pairs:
        name = ALIASES.get(str(key).strip().lower())
        if name is None:
            raise UsageError(
                f"Filtro sconosciuto: {str(key)[:60]!r}.",
                remedy="I filtri sono: distretto, tipo, anno, stato, scheda, documento.",
            )
        for item in raw if isinstance(raw, list | tuple) else [raw]:
            values.setdefault(name, []).append(_value(name, str(key).strip(), item))
    if sum(len(items) for items in values.values()) > MAX_VALUES:
        raise UsageError(
            f"Troppi valori nei filtri (più di {MAX_VALUES}).", remedy="Riduci i filtri."
        )
    return Filters(**{name: tuple(dict.fromkeys(items)) for name, items in values.items()})  # type: ignore[arg-type]


def parse_ignored(given: Iterable[str]) -> tuple[PinKey, ...]:
    """The pins that a user takes away, each once; raises UsageError for what is none."""
    found: list[PinKey] = []
    for raw in given:
        key = str(raw).strip().lower()
        if key not in PIN_KEYS:
            raise UsageError(
                f"Non c'è niente da ignorare che si chiami {readable(str(raw))[:60]!r}.",
                remedy="Si possono ignorare: " + ", ".join(PIN_KEYS) + ".",
            )
        if key not in found:
            found.append(cast(PinKey, key))
    return tuple(found)


def _split(item: str) -> tuple[str, str]:
    key, separator, value = item.partition("=")
    if not separator or not value.strip():
        raise UsageError(
            f"Il filtro {item[:60]!r} non è nella forma chiave=valore.",
            remedy="Esempio: --filter distretto=Lugo.",
        )
    return key, value


def _value(name: str, key: str, raw: object) -> str | int:
    text = readable(str(raw).strip())
    if isinstance(raw, bool) or not isinstance(raw, str | int) or not text or len(text) > 300:
        raise UsageError(f"Il valore del filtro «{key}» non è valido: {text[:60]!r}.")
    if name == "year":
        if not (text.isascii() and text.isdigit() and len(text) == 4):
            raise UsageError(f"L'anno {text[:60]!r} non è valido.", remedy="Esempio: anno=2018.")
        return int(text)
    if name == "kind":
        kind = text.lower().replace(" ", "_").replace("-", "_")
        if kind not in KINDS:
            raise UsageError(
                f"Il tipo di documento {text[:60]!r} non esiste.",
                remedy="I tipi sono: " + ", ".join(KINDS) + ".",
            )
        return kind
    if name == "status":
        status = STATUSES.get(text.lower().replace(" ", "_").replace("-", "_"))
        if status is None:
            raise UsageError(
                f"Lo stato {text[:60]!r} non esiste.",
                remedy="Gli stati sono: «in vigore» e «superato».",
            )
        return status
    return text
