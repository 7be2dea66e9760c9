"""Records as rows: JSON objects, and CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from assistant.record_models import (
    Amount,
    Indicator,
    IndicatorValue,
    Intervento,
    Record,
    Scheda,
    SchedaReference,
)

MAX_SOURCES = 8
"""Sources with columns of their own; a sheet that has more tells the rest in one cell."""

_COLUMNS = (
    "record", "id", "number", "title", "distretto", "anni", "document", "page", "page_end",
    "aree", "target", "destinatari", "capofila", "capofila_tipo", "ambito", "ambito_dettaglio",
    "continuita",
    "riferimenti", "riferimento_prevalente", "spesa_totale_euro", "spesa_fonti_euro",
    "spesa_torna", "indicatori", "lacune", "note",
)  # fmt: skip


def euro(cents: int | None) -> str:
    """12345650 → "123456,50": the form that Italian spreadsheets read as a number."""
    if cents is None:
        return ""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02d}"


def record_row(record: Record, title: str) -> dict[str, Any]:
    """A record as JSON, with the title of its document; all typed values and quotes included."""
    values = asdict(record)
    return {
        "record": "Intervento" if isinstance(record, Intervento) else "Scheda",
        "id": values.pop("id"),
        "number": values.pop("number"),
        "title": values.pop("title"),
        "distretto": values.pop("distretto", None),
        "document_id": values.pop("document_id"),
        "document": title,
        "page": values.pop("page_start"),
        "page_end": values.pop("page_end"),
        **values,
    }


def records_csv(records: Iterable[Record], titles: Mapping[str, str]) -> str:
    """One row a record; amounts in euro with a comma, and a pair of columns for each source."""
    rows = [_csv_row(record, titles.get(record.document_id, "")) for record in records]
    most = max((len(sources) for _, sources in rows), default=0)
    columns = [*_COLUMNS]
    for number in range(1, min(most, MAX_SOURCES) + 1):
        columns += [f"fonte_{number}", f"euro_{number}"]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore")
    writer.writeheader()
    for row, sources in rows:
        for number, amount in enumerate(sources, start=1):
            row[f"fonte_{number}"] = amount.source
            row[f"euro_{number}"] = euro(amount.cents) or amount.words
        writer.writerow({key: defused(value) for key, value in row.items()})
    return out.getvalue()


def defused(value: Any) -> Any:
    """A cell that opens like a formula, made a text: spreadsheets run it otherwise."""
    if isinstance(value, str) and value.lstrip()[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _csv_row(record: Record, title: str) -> tuple[dict[str, Any], tuple[Amount, ...]]:
    named = {field.name: " ".join(field.text.split()) for field in record.fields}
    row: dict[str, Any] = {
        "record": "Scheda" if isinstance(record, Scheda) else "Intervento",
        "id": record.id,
        "number": record.number,
        "title": record.title,
        "document": title,
        "page": record.page_start,
        "page_end": record.page_end,
        "aree": ", ".join(area.letter or area.words for area in record.areas),
        "target": "; ".join(target.words for target in record.targets),
        "destinatari": named.get("Destinatari", ""),
        "indicatori": "; ".join(map(indicator_text, record.indicators)),
        "lacune": "; ".join(gap.field for gap in record.gaps),
        "note": " ".join(record.notes),
    }
    if isinstance(record, Scheda):
        return row, ()
    spending = record.spending
    row |= {
        "distretto": record.distretto,
        "anni": years_text(record.year_from, record.year_to),
        "capofila": record.capofila.name if record.capofila else "",
        "capofila_tipo": record.capofila.kind if record.capofila else "",
        "ambito": (record.ambito.kind or record.ambito.words) if record.ambito else "",
        "ambito_dettaglio": record.ambito.detail if record.ambito else "",
        "continuita": yes_no(record.continuity.value) if record.continuity else "",
        "riferimenti": ", ".join(one.number for one in record.references),
        "riferimento_prevalente": ", ".join(one.number for one in record.references if one.main),
        "spesa_totale_euro": euro(spending.total.cents) if spending and spending.total else "",
        "spesa_torna": yes_no(spending.adds_up) if spending else "",
        "spesa_fonti_euro": "; ".join(
            f"{one.source}: {euro(one.cents) or one.words}"
            for one in (spending.amounts if spending else ())
        ),
    }
    return row, spending.amounts if spending else ()


def yes_no(value: bool | None) -> str:
    return {True: "sì", False: "no", None: ""}[value]


def years_text(first: int | None, last: int | None) -> str:
    if first is None or last is None or first == last:
        return str(first or last or "")
    return f"{first}-{last}"


def indicator_text(indicator: Indicator) -> str:
    """ "Famiglie seguite: 40 (2018), raggiunto 38 (2018)"."""
    values = ", ".join(map(_value_text, indicator.values))
    return f"{indicator.name}: {values}" if values else indicator.name


def _value_text(value: IndicatorValue) -> str:
    reached = "raggiunto " if value.kind == "raggiunto" else ""
    return f"{reached}{value.words}" + (f" ({value.year})" if value.year else "")


def reference_text(reference: SchedaReference) -> str:
    title = f" {reference.title}" if reference.title else ""
    return f"{reference.number}{title}{' (prevalente)' if reference.main else ''}"
