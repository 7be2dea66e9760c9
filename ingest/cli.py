"""`piano ingest`: takes documents in, tells what became of each one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from assistant.build import build_embedder, build_generations
from assistant.cli.bars import shown_progress
from assistant.errors import UsageError
from assistant.settings import Settings
from corpus import DOCUMENTS
from ingest.pipeline import ingest
from ingest.report import IngestEntry, IngestReport, one_line
from ingest.sources import is_url

app = typer.Typer(add_completion=False, rich_markup_mode=None)

STATUS = {
    "added": "aggiunto",
    "updated": "aggiornato",
    "unchanged": "invariato",
    "duplicate": "doppione",
    "refused": "rifiutato",
    "skipped": "saltato",
    "removed": "tolto",
}


@app.command(help="Legge documenti (file, cartelle, indirizzi web) e aggiorna l'indice.")
def main(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PERCORSO|URL",
            help="Senza, i documenti del progetto.",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir", metavar="CARTELLA", help="Cartella dei dati (predefinita: ./data)."
        ),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Toglie i documenti delle cartelle che non ci sono più.")
    ] = False,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Rilegge tutti gli originali con le impostazioni attuali."),
    ] = False,
    depth: Annotated[
        int,
        typer.Option(
            "--depth",
            metavar="N",
            min=0,
            max=10,
            help="Da ogni indirizzo segue i collegamenti dentro la sua cartella, N passi.",
        ),
    ] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Stampa un oggetto JSON.")] = False,
) -> int:
    settings = Settings.from_env(data_dir=data_dir)
    chosen = _sources(sources, settings, rebuild)
    if depth and not any(map(is_url, chosen)):
        raise UsageError(
            "--depth vale per gli indirizzi web, e qui non ce n'è nessuno.",
            remedy="Indica un indirizzo http o https, o togli --depth.",
        )
    embedder = build_embedder(settings)
    store = build_generations(settings, embedder=lambda: embedder)
    with shown_progress() as progress:
        report = ingest(
            chosen,
            settings=settings,
            store=store,
            embedder=embedder,
            progress=progress,
            prune=prune,
            rebuild=rebuild,
            depth=depth,
        )
    if json_:
        print(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        tell(report)
    return 3 if report.refused else 0


def _sources(given: list[str] | None, settings: Settings, rebuild: bool) -> list[str]:
    """What to take in; with --rebuild and nothing named, only what the index already holds."""
    if given:
        return given
    if rebuild and build_generations(settings).current_id() is not None:
        return []
    folder = settings.corpus_dir or DOCUMENTS
    if not folder.is_dir():
        raise UsageError(
            f"La cartella dei documenti {folder} non esiste.",
            remedy="Indica un percorso, oppure correggi PIANO_CORPUS_DIR.",
        )
    return [str(folder)]


def tell(report: IngestReport) -> None:
    for entry in report.documents:
        print(_line(entry))
    counts: dict[str, int] = {}
    for entry in report.documents:
        counts[entry.status] = counts.get(entry.status, 0) + 1
    told = ", ".join(f"{STATUS[status]}: {n}" for status, n in counts.items()) or "vuoto"
    print(f"In tutto {len(report.documents)} ({told}) in {report.seconds:.1f} s.")
    if report.changed:
        print(f"Indice aggiornato: generazione {report.generation}.")
    elif report.generation is not None:
        print(f"Nessun cambiamento: resta in uso la generazione {report.generation}.")
    else:
        print("Nessun documento è stato letto: l'indice non c'è ancora.")


def _line(entry: IngestEntry) -> str:
    text = f"{STATUS[entry.status]}: {entry.source}"
    if entry.pages:
        text += f" ({entry.pages} pagine, {entry.passages} passi)"
    if entry.duplicate_of:
        text += f" = {entry.duplicate_of}"
    told = [entry.reason] if entry.reason else []
    return one_line(" — ".join([text, *told, *entry.notes]))
