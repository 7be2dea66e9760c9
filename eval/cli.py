"""The command `piano eval`: asks, then publishes what came of it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.errors import UsageError
from assistant.settings import Settings
from eval import upkeep
from eval.baseline import BASELINE
from eval.cases import GOLDEN, Case, load_cases
from eval.gates import GATES, failed
from eval.judge import keep_baseline
from eval.plan import plan
from eval.progress import progress
from eval.publish import PAGE, PEERS_TABLE, Asked, Published, publish
from eval.reading import holds_bundled, score_reading, terminal_table, write_scores
from eval.report import terminal, terminal_comparison, terminal_gates, terminal_steps
from eval.run import default_folder, describe, read_run, run
from eval.score import SUITES, score
from eval.squad import SQUAD
from eval.system import System, assistant_over, engine_over, prepared
from eval.upkeep import GoldenOption, RunArgument, explained
from eval.verifier import FILE as VERIFIER
from eval.verifier import TITLE as VERIFIER_TITLE
from eval.verifier import score_verifier
from eval.worlds import Worlds, worlds_over

if TYPE_CHECKING:
    from rich.console import Console

INGEST = "ingest"
ALL_SUITES = (*SUITES, INGEST)
REPEAT = 3
"""Times each question is asked: the answers must be the same."""
FAULTS_SHOWN = 20
"""Of each metric of the suite `ingest`, on the terminal; the run folder keeps more."""
GATE_FAILED = 5

app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Valuta l'assistente con le domande di riferimento e stampa le misure.",
    epilog="Codici di uscita: 0 fatto · 1 errore (indice assente o danneggiato) · 2 uso sbagliato"
    " (opzione, riga di domande errata, brano che non sta sulla sua pagina) · 5 un requisito di"
    " --gate non è rispettato · 130 interrotta (si riprende con --out).",
)
app.add_typer(upkeep.app)


@app.callback()
def evaluate(
    context: typer.Context,
    suite: Annotated[
        list[str] | None,
        typer.Option("--suite", help=f"Misure da stampare, ripetibile: {', '.join(ALL_SUITES)}."),
    ] = None,
    golden: GoldenOption = GOLDEN,
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
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            help="Cartella di un'altra valutazione con cui confrontare questa, domanda per domanda"
            " (predefinita: la misura di riferimento del progetto).",
        ),
    ] = None,
    gate: Annotated[
        bool,
        typer.Option("--gate", help="Controlla i requisiti; se uno non è rispettato esce con 5."),
    ] = False,
    gates: Annotated[
        Path, typer.Option("--gates", help="File TOML dei requisiti.", show_default=False)
    ] = GATES,
    peers: Annotated[
        bool,
        typer.Option(
            "--peers",
            help="Pone le stesse domande anche a una catena LangChain da manuale e a BM25.",
        ),
    ] = False,
    peer_model: Annotated[
        str,
        typer.Option(
            "--peer-model",
            help="Modello sentence-transformers della catena LangChain: nome o cartella.",
            show_default=False,
        ),
    ] = "",
    squad: Annotated[
        Path | None,
        typer.Option(
            "--squad",
            help="Misura la ricerca anche su SQuAD-it, da questo file JSON: richiede alcuni minuti"
            f" (predefinito con «--suite retrieval»: {SQUAD}, se c'è).",
            show_default=False,
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
    with explained():
        suites = _suites(suite)
        settings = Settings.from_env()
        asked = [name for name in suites if name != INGEST]
        cases = plan(load_cases(golden), asked, size) if asked else ()
        if against is not None:
            read_run(against)  # a wrong folder is better said before a minute of questions
        if squad is not None and not squad.is_file():
            raise UsageError(f"Il file {squad} non c'è.", remedy="Indica con --squad un file JSON.")
        folder = out or default_folder(data_dir or settings.data_dir)
        with prepared(data_dir) as documents:
            if asked:
                config = {**describe(settings, golden), "suites": asked, "sample": size}
                _ask_all(worlds_over(settings, documents), cases, folder, config, repeat)
            with assistant_over(settings, documents) as system:
                if "answers" in asked:
                    write_scores(score_verifier(system, cases), folder, VERIFIER)
                if INGEST in suites:
                    _measure_reading(system, folder, chosen=suite is not None)
                if peers and asked:
                    _ask_peers(system, cases, folder, settings, peer_model)
            if "retrieval" in asked:
                _measure_steps(settings, documents, folder)
                named = suite is not None and size is None and golden == GOLDEN
                _measure_squad(folder, squad, looked_for=named)
        published = publish(
            folder, questions=bool(asked), against=against, gates=gates if gate else None
        )
        _show(published, as_json_output)


@app.command("score")
def score_again(
    folder: RunArgument,
    against: Annotated[
        Path | None, typer.Option("--against", help="Valutazione con cui confrontarla.")
    ] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Controlla i requisiti.")] = False,
    gates: Annotated[
        Path, typer.Option("--gates", help="File TOML dei requisiti.", show_default=False)
    ] = GATES,
    as_json_output: Annotated[bool, typer.Option("--json", help="Misure in JSON.")] = False,
) -> None:
    """Rifà le misure e i rapporti di una valutazione salvata, senza porre domande."""
    with explained():
        found = publish(folder, questions=True, against=against, gates=gates if gate else None)
        _show(found, as_json_output)


@app.command("baseline")
def baseline(
    folder: RunArgument,
    out: Annotated[Path, typer.Option("--out", help="Il file da scrivere.")] = BASELINE,
) -> None:
    """Fa di una valutazione la misura di riferimento con cui si confrontano le prossime."""
    with explained():
        done = read_run(folder)
        keep_baseline(done, score(done), out)
        typer.echo(f"{len(done.outcomes)} domande scritte in {out}.")


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
    done = 0
    with progress("Domande", len(cases)) as advance:

        def tick() -> None:
            nonlocal done
            done += 1
            advance()

        try:
            run(worlds, cases, folder, config, repeat=repeat, tick=tick)
        except KeyboardInterrupt:
            typer.echo(
                f"Valutazione interrotta: {done} domande di {len(cases)}, tutte salvate."
                f" Riprendila con «piano eval --out {folder}» e le stesse opzioni.",
                err=True,
            )
            raise


def _measure_reading(system: System, folder: Path, *, chosen: bool) -> None:
    """Nobody asked by name for what only the project's own documents allow: then it is left out."""
    if chosen or holds_bundled(system):
        write_scores(score_reading(system), folder)
    else:
        typer.echo(
            "La serie «ingest» è lasciata fuori: misura soltanto i documenti del progetto.",
            err=True,
        )


def _measure_steps(settings: Settings, documents: Path, folder: Path) -> None:
    """What each step of the search adds, on the questions just asked."""
    from eval.ablation import FILE, keep, questions_of, rank_all

    asked = questions_of(read_run(folder).outcomes)
    with (
        engine_over(settings, documents) as engine,
        progress("Passi della ricerca", len(asked)) as tick,
    ):
        keep(rank_all(engine, asked, tick), folder / FILE)


def _measure_squad(folder: Path, given: Path | None, *, looked_for: bool) -> None:
    """The file given; without, the one beside the project, if it is `looked_for` and there."""
    path = given or SQUAD
    if given is None and not (looked_for and path.is_file()):
        why = f"manca {SQUAD}" if looked_for else "si misura con «--suite retrieval» o «--squad»"
        typer.echo(f"SQuAD-it è lasciata fuori: {why}.", err=True)
        return
    from assistant.retrieval.train import plan_examples
    from eval.ablation import keep
    from eval.squad import FILE, rank_squad

    typer.echo(f"Misuro la ricerca anche su SQuAD-it ({path}): alcuni minuti.", err=True)
    started = time.perf_counter()
    keep(rank_squad(path, plan_examples(), progress=progress), folder / FILE)
    minutes = (time.perf_counter() - started) / 60
    typer.echo(f"SQuAD-it misurata in {minutes:.1f} minuti.".replace(".", ",", 1), err=True)


def _ask_peers(
    system: System, cases: Sequence[Case], folder: Path, settings: Settings, model: str
) -> None:
    from eval.peers import MINILM
    from eval.side_by_side import markdown_table, own_result, run_peers

    plain = [case for case in cases if not case.world]
    typer.echo(f"Pongo {len(plain)} domande anche ai sistemi di confronto.", err=True)
    results = run_peers(system, plain, folder, settings, model=model or MINILM)
    text = markdown_table([own_result(folder), *results])
    (folder / PEERS_TABLE).write_text(text, encoding="utf-8")


def _show(published: Published, json_output: bool) -> None:
    """Print what was published; exit with GATE_FAILED when a gate is not respected."""
    asked = published.asked
    if json_output:
        typer.echo(json.dumps(published.as_json(), ensure_ascii=False))
    else:
        _print(published, asked)
    failures = failed(asked.gates) if asked else []
    for failure in failures:
        typer.echo(f"Requisito non rispettato: {failure.gate}. {failure.why}.", err=True)
    if failures:
        raise typer.Exit(GATE_FAILED)


def _print(published: Published, asked: Asked | None) -> None:
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 140)
    if asked is not None:
        told = terminal(asked.scores, asked.run.outcomes, str(published.folder))
        console.print(told, soft_wrap=True)
        if published.steps is not None:
            console.print(terminal_steps(published.steps))
        if asked.reference is not None:
            console.print(
                f"Confronto con {asked.reference.name}. {asked.reference.notice}", soft_wrap=True
            )
            console.print(terminal_comparison(asked.comparisons), soft_wrap=True)
        if asked.gates:
            console.print(terminal_gates(asked.gates), soft_wrap=True)
    if published.verifier:
        console.print(terminal_table(published.verifier, VERIFIER_TITLE))
    if published.reading:
        _print_reading(console, published)
    if asked is not None:
        console.print(f"Rapporto: {published.folder / PAGE}", soft_wrap=True)


def _print_reading(console: Console, published: Published) -> None:
    console.print(terminal_table(published.reading))
    for one in published.reading:
        console.print(f"  {one.name}: {one.legend}", style="dim", soft_wrap=True)
    for one in published.reading:
        for fault in one.faults[:FAULTS_SHOWN]:
            console.print(
                f"  {one.name} · {fault.document} · {fault.about}", soft_wrap=True, markup=False
            )
    console.print(f"Valutazione salvata in {published.folder}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(app())
