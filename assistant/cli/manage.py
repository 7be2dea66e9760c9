"""`piano status`, `rollback` and `schede`: what the index holds, and the way back."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from assistant.build import build_assistant, build_generations
from assistant.cli.options import DataDir, Json, settings_for
from assistant.italian.analysis import terms
from assistant.models import Intervento, Scheda


def status(data_dir: DataDir = None, json_: Json = False) -> int:
    found = build_generations(settings_for(data_dir)).status()
    if json_:
        print(json.dumps(asdict(found), ensure_ascii=False))
        return 0
    if found.generation is None:
        print("Indice: nessuno. Esegui `piano ingest` per caricare i documenti.")
    else:
        print(f"Generazione: {found.generation}")
        print(
            f"Documenti: {found.documents} · pagine: {found.pages} · passi: {found.passages} · "
            f"schede: {found.schede} · interventi: {found.interventi}"
        )
        print(
            f"Modello di embedding: {found.embedding} (ricerca vettoriale: {found.vector_search})"
        )
    print(f"Modello linguistico: {found.chat_model or 'nessuno (risposte testuali)'}")
    if found.writer:
        print("In scrittura: " + ", ".join(f"{k} {v}" for k, v in found.writer.items()))
    print(f"Cartella dei dati: {found.data_dir} ({found.disk_bytes / 1e6:.1f} MB)")
    return 0


def rollback(data_dir: DataDir = None, json_: Json = False) -> int:
    generation = build_generations(settings_for(data_dir)).rollback()
    if json_:
        print(json.dumps({"generation": generation}))
    else:
        print(f"Ora è in uso la generazione {generation}.")
    return 0


def schede(
    text: Annotated[
        str | None,
        typer.Argument(metavar="TESTO", show_default=False, help="Parole della scheda."),
    ] = None,
    distretto: Annotated[
        str | None,
        typer.Option(
            "--distretto", metavar="NOME", help="Solo gli interventi di questo distretto."
        ),
    ] = None,
    csv_: Annotated[bool, typer.Option("--csv", help="Stampa in CSV.")] = False,
    data_dir: DataDir = None,
    json_: Json = False,
) -> int:
    assistant = build_assistant(settings_for(data_dir))
    wanted = set(terms(text or ""))
    records: list[Scheda | Intervento] = [*assistant.schede(), *assistant.interventi()]
    rows = [
        _row(record, {document.id: document.title for document in assistant.documents()})
        for record in records
        if wanted <= set(terms(_words(record))) and _in_distretto(record, distretto)
    ]
    if json_:
        print(json.dumps({"count": len(rows), "records": rows}, ensure_ascii=False))
    elif csv_:
        print(_csv(rows), end="")
    else:
        for row in rows:
            number = f" {row['number']}" if row["number"] else ""
            print(f"{row['record']}{number} – {row['title']} ({row['document']}, p. {row['page']})")
        print(f"Totale: {len(rows)}")
    return 0


def _words(record: Scheda | Intervento) -> str:
    return " ".join((record.title, *(field.text for field in record.fields)))


def _in_distretto(record: Scheda | Intervento, distretto: str | None) -> bool:
    if distretto is None:
        return True
    return isinstance(record, Intervento) and (
        (record.distretto or "").casefold() == distretto.casefold()
    )


def _row(record: Scheda | Intervento, titles: dict[str, str]) -> dict[str, Any]:
    return {
        "record": "Intervento" if isinstance(record, Intervento) else "Scheda",
        "id": record.id,
        "number": record.number,
        "title": record.title,
        "distretto": record.distretto if isinstance(record, Intervento) else None,
        "document_id": record.document_id,
        "document": titles.get(record.document_id, ""),
        "page": record.page_start,
        "page_end": record.page_end,
        "fields": [asdict(field) for field in record.fields],
    }


def _csv(rows: list[dict[str, Any]]) -> str:
    columns = ["record", "number", "title", "distretto", "document", "page", "page_end"]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        # A cell that opens like a formula is defused, as spreadsheets run it.
        writer.writerow(
            {
                key: f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" else value
                for key, value in row.items()
            }
        )
    return out.getvalue()
