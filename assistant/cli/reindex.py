"""`piano reindex`: new vectors after a change of model, and how long they take."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from assistant.build import build_embedder, build_generations
from assistant.cli.options import DataDir, Json, settings_for
from assistant.embedding.protocol import Embedder


def reindex(
    estimate_only: Annotated[
        bool,
        typer.Option("--stima", "--estimate", help="Dice quanto ci vorrebbe e non cambia nulla."),
    ] = False,
    data_dir: DataDir = None,
    json_: Json = False,
) -> int:
    # Imported here: `piano ask` does without the writing of indexes and its bars.
    from assistant.cli.bars import shown_progress
    from assistant.index import reindex as again

    settings = settings_for(data_dir)
    store = build_generations(settings)
    before = (
        store.manifest()
    )  # a model may take a minute to load: not for an index that is not there
    embedder = build_embedder(settings)
    report = {
        "generation": before.generation,
        "previous": None,
        "changed": False,
        "passages": before.counts["passages"],
        "embedding": embedder.name,
        "dimension": embedder.dimension,
        "query_prefix": embedder.prefixes.query,
        "passage_prefix": embedder.prefixes.passage,
        "estimated_seconds": 0.0,
        "seconds": 0.0,
    }
    out = sys.stderr if json_ else sys.stdout
    if not again.is_needed(store, embedder):
        print(f"Nulla da rifare: l'indice ha già {_described(embedder)}.", file=out)
    else:
        with shown_progress() as progress:
            expected = again.estimate(store, embedder, progress)
        report["estimated_seconds"] = expected.seconds
        print(
            f"Tempo previsto: {duration(expected.seconds)} per {passages(expected.passages)}"
            f" con {_described(embedder)}.",
            file=out,
            flush=True,
        )
        if not estimate_only:
            try:
                with shown_progress() as progress:
                    done = again.reindex(store, embedder, progress)
            except KeyboardInterrupt:
                print(f"Resta in uso la generazione {store.current_id()}.", file=sys.stderr)
                raise
            report |= {
                "generation": done.generation,
                "previous": done.previous,
                "changed": True,
                "seconds": done.seconds,
            }
            print(
                f"Indice aggiornato in {done.seconds:.1f} s: generazione {done.generation}.\n"
                "Chi usa già l'indice (API, interfaccia) va riavviato con le impostazioni nuove.\n"
                "Per tornare indietro: `piano rollback` e le impostazioni di prima.",
                file=out,
            )
    if json_:
        print(json.dumps(report, ensure_ascii=False))
    return 0


def _described(embedder: Embedder) -> str:
    """The model, with the prefixes that it gets."""
    query, passage = (json.dumps(prefix, ensure_ascii=False) for prefix in embedder.prefixes)
    prefixes = f" (prefissi: {query} alle domande, {passage} ai brani)"
    return f"il modello {embedder.name}{prefixes if any(embedder.prefixes) else ''}"


def duration(seconds: float) -> str:
    """In Italian, as precise as an estimate can be: "circa 4 minuti"."""
    if seconds < 2:
        return "un paio di secondi al più"
    if seconds < 55:
        return f"circa {_rounded(seconds, 10, 5)} secondi"
    minutes = round(seconds / 60)
    if minutes < 90:
        return "circa un minuto" if minutes == 1 else f"circa {_rounded(minutes, 20, 5)} minuti"
    halves = round(minutes / 30)
    hours, half = divmod(halves, 2)
    told = "un'ora" if hours == 1 else f"{hours} ore"
    return f"circa {told}{' e mezza' if half and hours < 10 else ''}"


def _rounded(number: float, exact_below: int, step: int) -> int:
    return round(number) if number < exact_below else step * round(number / step)


def passages(count: int) -> str:
    """With the full stops that Italian puts between thousands."""
    return "1 brano" if count == 1 else f"{count:,} brani".replace(",", ".")
