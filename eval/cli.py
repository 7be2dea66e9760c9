"""The command `piano eval`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.errors import AssistantError, UsageError
from assistant.settings import Settings
from eval.cases import GOLDEN, Case, load_cases
from eval.plan import plan
from eval.reading import (
    ReadingScore,
    markdown_lines,
    read_scores,
    score_reading,
    terminal_table,
    write_scores,
)
from eval.reading import as_json as reading_json
from eval.run import default_folder, describe, read_run, run
from eval.score import SUITES, as_json, score
from eval.system import assistant_over, prepared
from eval.worlds import Worlds, worlds_over

if TYPE_CHECKING:
    from rich.console import Console

INGEST = "ingest"
ALL_SUITES = (*SUITES, INGEST)
REPEAT = 3
"""Times each question is asked: the answers must be the same."""
FAULTS_SHOWN = 20
"""Of each metric of the suite `ingest`, on the terminal; the run folder keeps more."""
INTERRUPTED = 130

app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Valuta l'assistente con le domande di riferimento e stampa le misure.",
    epilog="Codici di uscita: 0 fatto · 1 errore (indice assente o danneggiato) · 2 uso sbagliato"
    " (opzione, riga di domande errata, brano che non sta sulla sua pagina) · 5 un requisito di"
    " --gate non è rispettato · 130 interrotta (si riprende con --out).",
)

_GoldenOption = Annotated[
    Path,
    typer.Option(
        "--golden",
        help="File JSONL delle domande di riferimento, o cartella che ne contiene (predefinite:"
        " quelle del progetto).",
        show_default=False,
    ),
]


@app.callback()
def evaluate(
    context: typer.Context,
    suite: Annotated[
        list[str] | None,
        typer.Option("--suite", help=f"Misure da stampare, ripetibile: {', '.join(ALL_SUITES)}."),
    ] = None,
    golden: _GoldenOption = GOLDEN,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            help="Cartella dei dati da valutare; senza, i documenti del progetto si ingeriscono"
            " in una cartella temporanea.",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--sample", min=1, help="Quante domande usare (con le loro varianti), sempre le stesse."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Dove salvare la valutazione (predefinita: DATI/runs/…); se ne contiene una"
            " interrotta delle stesse domande e degli stessi documenti, la riprende.",
        ),
    ] = None,
    repeat: Annotated[
        int, typer.Option("--repeat", min=1, help="Quante volte porre ogni domanda.")
    ] = REPEAT,
    as_json_output: Annotated[
        bool, typer.Option("--json", help="Stampa le misure in JSON su stdout.")
    ] = False,
) -> None:
    """Valuta l'assistente con le domande di riferimento e stampa le misure."""
    if context.invoked_subcommand is not None:
        return
    try:
        suites = _suites(suite)
        settings = Settings.from_env()
        asked = [name for name in suites if name != INGEST]
        cases = plan(load_cases(golden), asked, size)
        folder = out or default_folder(data_dir or settings.data_dir)
        with prepared(data_dir) as documents:
            if INGEST in suites:
                with assistant_over(settings, documents) as system:
                    write_scores(score_reading(system), folder)
            if asked:
                config = {**describe(settings, golden), "suites": asked, "sample": size}
                _ask_all(worlds_over(settings, documents), cases, folder, config, repeat)
        _show(folder, asked, INGEST in suites, as_json_output)
    except AssistantError as error:
        typer.echo(f"Errore: {error}", err=True)
        raise typer.Exit(error.exit_code) from error


def _suites(given: Sequence[str] | None) -> tuple[str, ...]:
    names = tuple(name for item in given or ALL_SUITES for name in item.split(","))
    for name in names:
        if name not in ALL_SUITES:
            raise UsageError(
                f"La serie di misure {name!r} non esiste.", remedy=f"Sono: {', '.join(ALL_SUITES)}."
            )
    return names


def _ask_all(
    worlds: Worlds, cases: Sequence[Case], folder: Path, config: dict[str, Any], repeat: int
) -> None:
    from rich.console import Console
    from rich.progress import Progress

    # On anything but a terminal a bar would fill the log with control characters.
    console = Console(stderr=True)
    done = 0
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("Domande", total=len(cases))

        def tick() -> None:
            nonlocal done
            done += 1
            bar.advance(task)

        try:
            run(worlds, cases, folder, config, repeat=repeat, tick=tick)
        except KeyboardInterrupt:
            typer.echo(
                f"Valutazione interrotta: {done} domande di {len(cases)}, tutte salvate."
                f" Riprendila con «piano eval --out {folder}» e le stesse opzioni.",
                err=True,
            )
            raise typer.Exit(INTERRUPTED) from None


def _show(folder: Path, suites: Sequence[str], ingest: bool, json_output: bool) -> None:
    from rich.console import Console

    from eval.report import markdown, terminal

    console = Console(width=None if sys.stdout.isatty() else 140)
    shown: dict[str, Any] = {"run": str(folder)}
    summary: list[str] = []
    if suites:
        scores = score(folder, suites)
        read = read_run(folder)
        summary.append(markdown(scores, read.outcomes, read.config))
        shown |= {"config": read.config, **as_json(scores)}
        if not json_output:
            console.print(terminal(scores, read.outcomes, str(folder)), soft_wrap=True)
    if ingest:
        reading = read_scores(folder)
        summary.append("\n".join(markdown_lines(reading)))
        shown |= {"reading": reading_json(reading)}
        if not json_output:
            _show_reading(console, reading, folder)
    (folder / "summary.md").write_text("\n".join(summary), encoding="utf-8")
    if json_output:
        typer.echo(json.dumps(shown, ensure_ascii=False))


def _show_reading(console: Console, scores: Sequence[ReadingScore], folder: Path) -> None:
    console.print(terminal_table(scores))
    for one in scores:
        console.print(f"  {one.name}: {one.legend}", style="dim", soft_wrap=True)
    for one in scores:
        for fault in one.faults[:FAULTS_SHOWN]:
            console.print(
                f"  {one.name} · {fault.document} · {fault.about}", soft_wrap=True, markup=False
            )
    console.print(f"Valutazione salvata in {folder}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(app())
