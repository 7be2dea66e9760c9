"""What schede and interventi are chosen by, as users write it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from assistant.errors import UsageError
from assistant.italian.analysis import readable
from assistant.record_models import RecordKind

MAX_VALUES = 200
"""More alternatives than this in one request are a mistake or an attack, not a search."""
MAX_CHARS = 300
KINDS: dict[str, RecordKind] = {
    "scheda": "scheda", "schede": "scheda", "intervento": "intervento", "interventi": "intervento",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecordFilters:
    """Values of one field are alternatives, fields add up; words of one value must all be there."""

    text: str = ""
    """Words of number, title or any field."""
    kind: RecordKind | None = None
    number: tuple[str, ...] = ()
    area: tuple[str, ...] = ()
    """Letters, or words of the area's name."""
    audience: tuple[str, ...] = ()
    """Words of Destinatari or Target."""
    distretto: tuple[str, ...] = ()
    year: tuple[int, ...] = ()
    """Years that the document is about."""
    reference: tuple[str, ...] = ()
    """Numbers of regional schede that an intervention refers to."""
    capofila: tuple[str, ...] = ()
    """Words of the name, or comune, unione, ausl, asp, altro."""
    source: tuple[str, ...] = ()
    """Words of a source of money; acronyms stand for what they mean."""
    document: tuple[str, ...] = ()
    """An id, the beginning of one, a title or a source."""
    without: tuple[str, ...] = ()
    """Names of fields that a record should have and has not."""


def make_filters(
    text: str | None = None,
    *,
    kind: str | None = None,
    years: Iterable[str | int] = (),
    **values: Iterable[str] | None,
) -> RecordFilters:
    """Checked filters; raises UsageError for a kind or year that cannot be, or too many values."""
    chosen: dict[str, tuple[str, ...]] = {}
    for name, given in values.items():
        chosen[name] = tuple(dict.fromkeys(_value(name, one) for one in given or ()))
    numbers = tuple(dict.fromkeys(map(_year, years)))
    if sum(map(len, chosen.values())) + len(numbers) > MAX_VALUES:
        raise UsageError(
            f"Troppi valori nei filtri (più di {MAX_VALUES}).", remedy="Riduci i filtri."
        )
    assert set(chosen) <= {field.name for field in fields(RecordFilters)}
    return RecordFilters(
        text=_value("testo", text) if text and text.strip() else "",
        kind=_kind(kind) if kind else None,
        year=numbers,
        **chosen,
    )


def _value(name: str, raw: str) -> str:
    text = readable(raw.strip())
    if not text or len(text) > MAX_CHARS:
        raise UsageError(
            f"Il valore del filtro {text[:40]!r} non è valido.",
            remedy=f"Serve un testo da 1 a {MAX_CHARS} caratteri.",
        )
    return text


def _kind(raw: str) -> RecordKind:
    kind = KINDS.get(raw.strip().lower())
    if kind is None:
        raise UsageError(
            f"Il tipo {raw[:40]!r} non esiste.", remedy="I tipi sono: scheda, intervento."
        )
    return kind


def _year(raw: str | int) -> int:
    text = str(raw).strip()
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise UsageError(f"L'anno {text[:40]!r} non è valido.", remedy="Esempio: 2018.")
    return int(text)
