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
from eval.cases import GOLDEN, Case, load_cases, sample
from eval.reading import (
    ReadingScore,
    markdown_lines,
    read_scores,
    score_reading,
    terminal_table,
    write_scores,
)
from eval.reading import as_json as reading_json
from eval.run import SUITES, as_json, default_folder, describe, read_run, run, score
from eval.system import System, opened

if TYPE_CHECKING:
    from rich.console import Console

INGEST = "ingest"
ALL_SUITES = (*SUITES, INGEST)
FAULTS_SHOWN = 20
"""Of each metric of the suite `ingest`, on the terminal; the run folder keeps more."""

app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Valuta l'assistente con le domande di riferimento e stampa le misure.",
    epilog="Codici di uscita: 0 fatto · 1 errore (indice assente o danneggiato) · 2 uso sbagliato"
    " (opzione, riga di domande errata, brano che non sta sulla sua pagina).",
)


@app.callback()
def evaluate(
    context: typer.Context,
    suite: Annotated[
        list[str] | None,
        typer.Option("--suite", help=f"Misure da stampare, ripetibile: {', '.join(ALL_SUITES)}."),
    ] = None,
    golden: Annotated[
        Path,
        typer.Option(
            "--golden",
            help="File JSONL delle domande di riferimento (predefinito: quelle del progetto).",
            show_default=False,
        ),
    ] = GOLDEN,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            help="Cartella dei dati da valutare; senza, i documenti del progetto si ingeriscono"
            " in una cartella temporanea.",
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option("--sample", min=1, help="Quante domande usare, sempre le stesse.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Dove salvare la valutazione (predefinita: DATI/runs/…)."),
    ] = None,
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
        cases = load_cases(golden)
        if size is not None:
            cases = sample(cases, size)
        folder = out or default_folder(data_dir or settings.data_dir)
        asked = [name for name in suites if name != INGEST]
        with opened(settings, data_dir) as system:
            if INGEST in suites:
                write_scores(score_reading(system), folder)
            if asked:
                _ask_all(system, cases, golden, folder, settings)
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
    system: System, cases: Sequence[Case], golden: Path, folder: Path, settings: Settings
) -> None:
    from rich.console import Console
    from rich.progress import Progress

    config = describe(settings, golden, cases)
    # On anything but a terminal a bar would fill the log with control characters.
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("Domande", total=len(cases))
        run(system, cases, golden, folder, config, tick=lambda: bar.advance(task))


def _show(folder: Path, suites: Sequence[str], ingest: bool, json_output: bool) -> None:
    from rich.console import Console

    from eval.report import markdown, terminal

    console = Console(width=None if sys.stdout.isatty() else 140)
    shown: dict[str, Any] = {"run": str(folder)}
    summary: list[str] = []
    if suites:
        scores = score(folder, suites)
        outcomes = read_run(folder)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        summary.append(markdown(scores, outcomes, config))
        shown |= {"config": config, **as_json(scores)}
        if not json_output:
            console.print(terminal(scores, outcomes, str(folder)), soft_wrap=True)
    if ingest:
        read = read_scores(folder)
        summary.append("\n".join(markdown_lines(read)))
        shown |= {"reading": reading_json(read)}
        if not json_output:
            _show_reading(console, read, folder)
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
