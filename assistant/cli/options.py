"""Options that several commands share, with one wording."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from assistant.models import Filters
from assistant.retrieval.filters import parse_filters
from assistant.settings import Settings

_HALVES = re.compile("[\ud800-\udfff]")

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
        help="Restringe la ricerca: distretto, tipo, anno, scheda, documento. Ripetibile.",
    ),
]
BatchFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE.jsonl",
        help="Legge una richiesta per riga: {id, question, filter, history}.",
    ),
]
JsonLines = Annotated[
    bool, typer.Option("--jsonl", help="Con --file: stampa una riga JSON per ogni riga letta.")
]


def settings_for(data_dir: Path | None) -> Settings:
    return Settings.from_env(data_dir=data_dir)


def readable(text: str) -> str:
    """`text` without the halves of surrogate pairs, that no index holds: U+FFFD in their place.

    They come from bytes of a terminal that is not in UTF-8, and from JSON's \\ud800.
    """
    return _HALVES.sub("\ufffd", text)


def filters_from(given: Mapping[str, object] | Iterable[str]) -> Filters:
    """Filters as written by the user; raises UsageError."""
    parsed = parse_filters(given)
    return replace(
        parsed,
        distretto=tuple(readable(value) for value in parsed.distretto),
        scheda=tuple(readable(value) for value in parsed.scheda),
        document=tuple(readable(value) for value in parsed.document),
    )
