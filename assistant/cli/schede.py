"""`piano schede`: lists, filters, exports schede and interventi, and shows one in full."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from assistant.build import build_assistant
from assistant.cli.options import DataDir, Json, settings_for
from assistant.errors import NotFoundError, UsageError
from assistant.index.entries import RecordEntry
from assistant.record_models import Field, Intervento, Record
from assistant.schede.filters import make_filters
from assistant.schede.table import (
    indicator_text,
    record_row,
    records_csv,
    reference_text,
    years_text,
    yes_no,
)


def _many(flag: str, metavar: str, help_: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        flag, metavar=metavar, help=help_ + " Ripetibile.", show_default=False
    )
    return option


def schede(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TESTO", show_default=False, help="Parole del numero, del titolo o dei campi."
        ),
    ] = None,
    tipo: Annotated[
        str | None,
        typer.Option("--tipo", metavar="TIPO", help="Solo le schede (scheda) o gli interventi."),
    ] = None,
    numero: Annotated[
        list[str] | None, _many("--numero", "N", "Il numero della scheda o dell'intervento.")
    ] = None,
    area: Annotated[
        list[str] | None, _many("--area", "LETTERA", "Area del Piano (A-E), o parole del suo nome.")
    ] = None,
    destinatari: Annotated[
        list[str] | None, _many("--destinatari", "PAROLE", "Parole di destinatari o target.")
    ] = None,
    distretto: Annotated[
        list[str] | None, _many("--distretto", "NOME", "Solo i documenti di questo distretto.")
    ] = None,
    anno: Annotated[
        list[str] | None, _many("--anno", "ANNO", "Anno a cui il documento si riferisce.")
    ] = None,
    scheda: Annotated[
        list[str] | None,
        _many("--scheda", "N", "Gli interventi che si riferiscono alla scheda regionale N."),
    ] = None,
    capofila: Annotated[
        list[str] | None,
        _many("--capofila", "NOME", "Nome del capofila, o comune, unione, ausl, asp, altro."),
    ] = None,
    fonte: Annotated[
        list[str] | None, _many("--fonte", "NOME", "Fonte di finanziamento, per esempio FRNA.")
    ] = None,
    documento: Annotated[
        list[str] | None, _many("--documento", "ID", "Identificativo, titolo o file del documento.")
    ] = None,
    senza: Annotated[
        list[str] | None,
        _many("--senza", "CAMPO", "Quelli in cui il campo manca, per esempio indicatori."),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="ID", show_default=False,
            help="Mostra per intero la scheda con questo identificativo (o il suo inizio).",
        ),
    ] = None,
    csv_: Annotated[
        bool, typer.Option("--csv", help="Stampa in CSV, una riga per scheda.")
    ] = False,
    data_dir: DataDir = None,
    json_: Json = False,
) -> int:  # fmt: skip
    if json_ and csv_:
        raise UsageError("--json e --csv non vanno insieme.", remedy="Scegline uno.")
    filters = make_filters(
        text, kind=tipo, number=numero, area=area, audience=destinatari, distretto=distretto,
        years=anno or (), reference=scheda, capofila=capofila, source=fonte, document=documento,
        without=senza,
    )  # fmt: skip
    assistant = build_assistant(settings_for(data_dir))
    if not (json_ or csv_ or identity is not None):
        entries = assistant.find_records(filters)
        for entry in entries:
            print(_line(entry))
        print(f"Totale: {len(entries)}")
        return 0
    found = assistant.list_records(filters)
    titles = {entry.document_id: entry.document_title for entry in found.entries}
    records = found.records if identity is None else [_one(found.records, identity)]
    if json_:
        rows = [record_row(record, titles[record.document_id]) for record in records]
        print(json.dumps({"count": len(rows), "records": rows}, ensure_ascii=False))
    elif csv_:
        print(records_csv(records, titles), end="")
    else:
        print("\n".join(_in_full(records[0], titles)))
    return 0


def _one(records: list[Record], identity: str) -> Record:
    wanted = identity.strip().lower()
    found = [record for record in records if wanted and record.id.startswith(wanted)]
    if len(found) != 1:
        what = "Nessuna scheda ha" if not found else "Più schede hanno"
        raise NotFoundError(
            f"{what} un identificativo che comincia con {identity[:40]!r}.",
            remedy="Gli identificativi sono nell'elenco: `piano schede`.",
        )
    return found[0]


def _line(entry: RecordEntry) -> str:
    kind = "Intervento" if entry.kind == "intervento" else "Scheda"
    number = f" {entry.number}" if entry.number else ""
    return (
        f"{entry.id}  {kind}{number} – {entry.title} ({entry.document_title}, "
        f"p. {_pages(entry.page_start, entry.page_end)})"
    )


def _pages(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _in_full(record: Record, titles: dict[str, str]) -> Iterator[str]:
    """A record as a planner reads it: what was understood, then the words with their pages."""
    intervento = record if isinstance(record, Intervento) else None
    kind = "Intervento" if intervento else "Scheda"
    yield f"{kind} {record.number or 'senza numero'} – {record.title}"
    pages = _pages(record.page_start, record.page_end)
    yield f"{titles.get(record.document_id, '')}, p. {pages} · id {record.id}"
    if intervento and intervento.distretto:
        years = years_text(intervento.year_from, intervento.year_to)
        yield f"Distretto: {intervento.distretto}{f' · anni {years}' if years else ''}"
    if record.areas:
        yield "Aree: " + ", ".join(area.letter or area.words for area in record.areas)
    if record.targets:
        yield "Target: " + "; ".join(target.words for target in record.targets)
    if intervento:
        yield from _of_the_district(intervento)
    for indicator in record.indicators:
        yield f"Indicatore ({indicator.level}): {indicator_text(indicator)}"
    for note in record.notes:
        yield f"Nota: {note}"
    yield ""
    for field in record.fields:
        yield f"{field.name} [{_field_pages(field)}]"
        yield from (f"  {line}" for line in field.text.split("\n") if line.strip())
    if record.gaps:
        yield ""
        yield "Non trovato:"
        yield from (f"  {gap.text}" for gap in record.gaps)


def _of_the_district(record: Intervento) -> Iterator[str]:
    if record.capofila:
        yield f"Capofila: {record.capofila.name} ({record.capofila.kind})"
    if record.ambito:
        detail = f" – {record.ambito.detail}" if record.ambito.detail else ""
        yield f"Ambito: {record.ambito.kind or record.ambito.words}{detail}"
    if record.continuity:
        yield "In continuità: " + (yes_no(record.continuity.value) or record.continuity.words)
    if record.references:
        yield "Schede regionali: " + "; ".join(map(reference_text, record.references))
    if record.spending is None:
        return
    for amount in record.spending.amounts:
        yield f"Spesa: {amount.source}: {_euro(amount.cents, amount.words)}"
    total = record.spending.total
    for one in [total] if total else record.spending.totals_by_year:
        yield f"Spesa totale: {_euro(one.cents, one.words)}"


def _euro(cents: int | None, words: str) -> str:
    """ "18.000 euro", with cents where there are some; the words when they are no amount."""
    if cents is None:
        return words
    whole, rest = divmod(cents, 100)
    return f"{whole:,}".replace(",", ".") + (f",{rest:02d}" if rest else "") + " euro"


def _field_pages(field: Field) -> str:
    pages = sorted({quote.page for quote in field.quotes})
    return "p. " + ", ".join(map(str, pages)) if pages else "senza testo"
