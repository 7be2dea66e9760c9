"""`piano sync`: takes in the official sources of the catalogue, as far as the network allows."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from assistant.build import build_embedder, build_generations
from assistant.cli.bars import shown_progress
from assistant.errors import UsageError
from assistant.settings import Settings
from corpus import CATALOGUE
from ingest.catalogue import Listed, chosen, read_catalogue
from ingest.cli import tell
from ingest.known import read_known
from ingest.pipeline import ingest
from ingest.report import IngestReport

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    help="Prende dal web le fonti ufficiali del catalogo e aggiorna l'indice.\n\n"
    "Codici di uscita: 0 tutte prese, 3 alcune, 1 nessuna (resta l'indice di prima)."
)
def main(
    bodies: Annotated[
        list[str] | None,
        typer.Option("--ente", metavar="NOME", help="Solo gli enti con questo nome. Ripetibile."),
    ] = None,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--tipo", metavar="TIPO", help="Solo questo tipo di fonti. Ripetibile."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Elenca le fonti senza usare la rete.")
    ] = False,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir", metavar="CARTELLA", help="Cartella dei dati (predefinita: ./data)."
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Stampa un oggetto JSON.")] = False,
) -> int:
    settings = Settings.from_env(data_dir=data_dir)
    listed = chosen(
        read_catalogue(settings.catalogue or CATALOGUE), bodies=bodies or (), kinds=kinds or ()
    )
    if not listed:
        raise UsageError(
            "Nessuna fonte del catalogo corrisponde a quello che chiedi.",
            remedy="Guarda quali ci sono con `piano sync --dry-run`.",
        )
    if dry_run:
        _preview(listed, settings, as_json=json_)
        return 0
    report = sync(listed, settings)
    if json_:
        print(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        tell(report)
    code = exit_code(report)
    if code == 1:
        print(
            "Nessuna fonte è arrivata e l'indice non è cambiato. Controlla che questo computer"
            " raggiunga Internet, poi ripeti `piano sync`.",
            file=sys.stderr,
        )
    return code


def sync(listed: list[Listed], settings: Settings, *, allow_private: bool = False) -> IngestReport:
    """Takes in what can be had of these sources; nothing is lost where one cannot.

    Raises what `ingest` does.
    """
    embedder = build_embedder(settings)
    with shown_progress() as progress:
        return ingest(
            [source.url for source in listed],
            settings=settings,
            store=build_generations(settings, embedder=lambda: embedder),
            embedder=embedder,
            progress=progress,
            listed=True,
            allow_private=allow_private,
        )


def exit_code(report: IngestReport) -> int:
    """0 when all sources are in the index as the sites have them now, 3 when some, 1 when none."""
    taken = [entry.document_id is not None for entry in report.documents]
    return 0 if all(taken) else 3 if any(taken) else 1


def _preview(listed: list[Listed], settings: Settings, *, as_json: bool) -> None:
    held = {s.location for s in read_known(build_generations(settings), recover=False).sources}
    if as_json:
        sources = [
            {
                "source": source.url,
                "title": source.title,
                "kind": source.kind,
                "body": source.body,
                "year": source.year,
                "official": source.official,
                "present": source.url in held,
            }
            for source in listed
        ]
        print(json.dumps({"sources": sources}, ensure_ascii=False))
        return
    for source in listed:
        year = f", {source.year}" if source.year else ""
        official = "" if source.official else ", non ufficiale"
        present = "già nell'indice" if source.url in held else "da prendere"
        print(f"{present}: {source.title} ({source.kind}, {source.body}{year}{official})")
        print(f"  {source.url}")
    print(f"In tutto {len(listed)} fonti, {sum(s.url in held for s in listed)} già nell'indice.")
