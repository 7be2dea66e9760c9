"""Options that several commands share, with one wording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="CARTELLA", help="Cartella dei dati (predefinita: ./data)."),
]
Json = Annotated[bool, typer.Option("--json", help="Stampa un oggetto JSON.")]
Filter = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="CHIAVE=VALORE",
        help="Restringe la ricerca: distretto, tipo, anno, stato, scheda, documento. Ripetibile.",
    ),
]
Exact = Annotated[
    bool,
    typer.Option(
        "--esatto",
        help="Cerca le parole come sono scritte: niente altre parole, correzioni o traduzioni.",
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        "--ignora",
        metavar="CHIAVE",
        help="Non preferire quello che la domanda nomina: distretto, anno, scheda, atto, tipo. "
        "Ripetibile.",
    ),
]
BatchFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE.jsonl",
        help="Legge una richiesta per riga: {id, question, filter, history, exact, ignore}.",
    ),
]
JsonLines = Annotated[
    bool, typer.Option("--jsonl", help="Con --file: stampa una riga JSON per ogni riga letta.")
]


def settings_for(data_dir: Path | None) -> Settings:
    return Settings.from_env(data_dir=data_dir)
