"""The command `piano eval`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.errors import AssistantError, UsageError
from assistant.settings import Settings
from eval.baseline import BASELINE
from eval.cases import GOLDEN, Case, load_cases, locate
from eval.compare import Comparison
from eval.gates import GATES, GateResult, failed
from eval.judge import (
    Reference,
    compared,
    gate_results,
    keep_baseline,
    reference_baseline,
    reference_run,
)
from eval.plan import plan
from eval.reading import FILE as READING
from eval.reading import (
    ReadingScore,
    markdown_lines,
    read_scores,
    score_reading,
    terminal_table,
    write_scores,
)
from eval.reading import as_json as reading_json
from eval.run import Run, default_folder, describe, read_run, run
from eval.score import SUITES, as_json, score
from eval.system import System, assistant_over, prepared
from eval.verifier import FILE as VERIFIER
from eval.verifier import TITLE as VERIFIER_TITLE
from eval.verifier import score_verifier
from eval.worlds import Worlds, worlds_over

if TYPE_CHECKING:
    from rich.console import Console

    from eval.nli import NliScore

INGEST = "ingest"
ALL_SUITES = (*SUITES, INGEST)
REPEAT = 3
"""Times each question is asked: the answers must be the same."""
PEERS_TABLE, REPORT = "peers.md", "report.html"
VERDICTS = {
    "better": "meglio",
    "worse": "peggio",
    "no difference shown": "differenza non dimostrata",
}
FAULTS_SHOWN = 20
"""Of each metric of the suite `ingest`, on the terminal; the run folder keeps more."""
GATE_FAILED = 5
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
            if "answers" in asked:
                with assistant_over(settings, documents) as system:
                    write_scores(score_verifier(system, cases), folder, VERIFIER)
            if peers and asked:
                with assistant_over(settings, documents) as system:
                    _ask_peers(system, cases, folder, settings, peer_model)
        own = golden == GOLDEN
        failures = _show(
            folder, asked, INGEST in suites, as_json_output, against, gates if gate else None, own
        )
        if failures:
            raise typer.Exit(GATE_FAILED)
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


def _ask_peers(
    system: System, cases: Sequence[Case], folder: Path, settings: Settings, model: str
) -> None:
    from eval.peers import MINILM, markdown_table, own_result, run_peers

    plain = [case for case in cases if not case.world]
    typer.echo(f"Pongo {len(plain)} domande anche ai sistemi di confronto.", err=True)
    results = run_peers(system, plain, folder, settings, model=model or MINILM)
    text = markdown_table([own_result(folder), *results])
    (folder / PEERS_TABLE).write_text(text, encoding="utf-8")


def _show(
    folder: Path,
    suites: Sequence[str],
    ingest: bool,
    json_output: bool,
    against: Path | None = None,
    gates: Path | None = None,
    own_questions: bool = True,
) -> bool:
    """Score, compare, write the reports and print; whether a gate failed."""
    from rich.console import Console

    from eval import report

    console = Console(width=None if sys.stdout.isatty() else 140)
    shown: dict[str, Any] = {"run": str(folder)}
    summary: list[str] = []
    failures: list[GateResult] = []
    reading = read_scores(folder) if ingest else ()
    if suites:
        scores = score(folder, suites)
        done = read_run(folder)
        reference = _reference(done, against, own_questions, needed=gates is not None)
        comparisons = compared(done, scores, reference) if reference else ()
        results: list[GateResult] = []
        if gates is not None:
            assert reference is not None
            sampled = done.config.get("sample") is not None
            results = gate_results(done, scores, reference, gates, sampled=sampled)
            failures = failed(results)
        peers = "\n".join(_read_if_there(folder / PEERS_TABLE))
        told = report.markdown(
            scores, done.outcomes, done.config, comparisons=comparisons, gates=results
        )
        summary += [told, *([peers] if peers else [])]
        page = report.html(
            done,
            scores,
            baseline=reference.values if reference else None,
            comparisons=comparisons,
            gates=results,
            peers_table=peers,
            reading=reading,
        )
        (folder / REPORT).write_text(page, encoding="utf-8")
        shown |= {"config": done.config, **as_json(scores)}
        shown["comparison"] = [asdict(one) for one in comparisons]
        shown["gates"] = [asdict(one) for one in results]
        if not json_output:
            console.print(report.terminal(scores, done.outcomes, str(folder)), soft_wrap=True)
            _show_comparison(console, reference, comparisons)
            _show_gates(console, results)
    if "answers" in suites and (folder / VERIFIER).exists():
        verified = read_scores(folder, VERIFIER)
        summary.append("\n".join(markdown_lines(verified, VERIFIER_TITLE)))
        shown["verifier"] = reading_json(verified)
        if not json_output:
            console.print(terminal_table(verified, VERIFIER_TITLE))
    if ingest:
        summary.append("\n".join(markdown_lines(reading)))
        shown |= {"reading": reading_json(reading)}
        if not json_output:
            _show_reading(console, reading, folder)
    (folder / "summary.md").write_text("\n".join(summary), encoding="utf-8")
    if suites and not json_output:
        console.print(f"Rapporto: {folder / REPORT}", soft_wrap=True)
    if json_output:
        typer.echo(json.dumps(shown, ensure_ascii=False))
    for failure in failures:
        typer.echo(f"Requisito non rispettato: {failure.gate}. {failure.why}.", err=True)
    return bool(failures)


def _read_if_there(path: Path) -> list[str]:
    return [path.read_text(encoding="utf-8")] if path.exists() else []


def _reference(
    done: Run, against: Path | None, own_questions: bool, *, needed: bool
) -> Reference | None:
    """The run given, else the committed baseline; None for other people's questions."""
    if against is not None:
        return reference_run(against, done)
    if own_questions or needed:
        return reference_baseline(done)
    return None


def _show_comparison(
    console: Console, reference: Reference | None, comparisons: Sequence[Comparison]
) -> None:
    if reference is None:
        return
    console.print(f"Confronto con {reference.name}. {reference.notice}", soft_wrap=True)
    changed = [one for one in comparisons if one.n and (one.got_better or one.got_worse)]
    for one in changed:
        console.print(
            f"  {one.metric}: {_signed(one.difference)} (da {_signed(one.low)} a"
            f" {_signed(one.high)}, p {one.p_holm:.3f}), meglio {len(one.got_better)},"
            f" peggio {len(one.got_worse)}: {VERDICTS[one.verdict]}",
            soft_wrap=True,
        )
    if not changed:
        console.print("  Nessuna domanda è cambiata.")


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}".replace(".", ",")


def _show_gates(console: Console, results: Sequence[GateResult]) -> None:
    for one in results:
        mark = "rispettato" if one.passed else "NON RISPETTATO"
        why = f" ({one.why})" if one.why else ""
        console.print(f"  {mark}: {one.gate}, trovato {one.found}{why}", soft_wrap=True)


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


_RunArgument = Annotated[Path, typer.Argument(help="Cartella di una valutazione.")]


@app.command("score")
def score_again(
    folder: _RunArgument,
    against: Annotated[
        Path | None, typer.Option("--against", help="Valutazione con cui confrontarla.")
    ] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Controlla i requisiti.")] = False,
    as_json_output: Annotated[bool, typer.Option("--json", help="Misure in JSON.")] = False,
) -> None:
    """Rifà le misure e i rapporti di una valutazione salvata, senza porre domande."""
    with _explained():
        suites = read_run(folder).config.get("suites", SUITES)
        reading = (folder / READING).exists()
        gates = GATES if gate else None
        if _show(folder, suites, reading, as_json_output, against, gates):
            raise typer.Exit(GATE_FAILED)


@app.command("baseline")
def baseline(
    folder: _RunArgument,
    out: Annotated[Path, typer.Option("--out", help="Il file da scrivere.")] = BASELINE,
) -> None:
    """Fa di una valutazione la misura di riferimento con cui si confrontano le prossime."""
    with _explained():
        done = read_run(folder)
        keep_baseline(done, score(folder), out)
        typer.echo(f"{len(done.outcomes)} domande scritte in {out}.")


@app.command("label")
def label(
    folder: _RunArgument,
    size: Annotated[int, typer.Option("--sample", min=1, help="Quante frasi giudicare.")] = 50,
    who: Annotated[str, typer.Option("--chi", help="Chi giudica.")] = "",
) -> None:
    """Accompagna una persona a giudicare un campione di frasi, e dice quanto le misure concordano.

    Ogni giudizio è salvato subito in labels.jsonl, nella cartella; si può smettere e riprendere.
    """
    from eval.label import agreement, ask_labels, read_labels

    with _explained():
        done = read_run(folder)
        given = ask_labels(done, size, who, _typed, typer.echo)
        labels = read_labels(folder)
        typer.echo(f"\n{given} giudizi nuovi, {len(labels)} in tutto.")
        for one in agreement(done, labels):
            kappa = "non calcolabile" if one.kappa is None else f"{one.kappa:.2f}"
            typer.echo(
                f"{one.measure}: d'accordo con le persone su {one.share:.0%} di {one.n} frasi"
                f" (kappa di Cohen {kappa})."
            )


def _typed(prompt: str) -> str:
    """What a person types; the end of the input is a way to stop."""
    try:
        return input(prompt)
    except EOFError:
        return "esci"


@app.command("nli")
def judge_by_model(
    folder: _RunArgument,
    model: Annotated[
        str, typer.Option("--model", help="Modello NLI di sentence-transformers: nome o cartella.")
    ],
) -> None:
    """Fa giudicare le citazioni a un modello, e dice quanto concorda con le persone; mai requisito.

    Sono le misure ALCE: citation recall (le citazioni provano la frase) e precision (ognuna serve).
    """
    from eval.label import read_labels
    from eval.nli import load_entails, score_nli

    with _explained():
        done = read_run(folder)
        found = score_nli(done, read_labels(folder), load_entails(model))
        kept = {"model": model, **_plain(found)}
        text = json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
        (folder / "nli.json").write_text(text, encoding="utf-8")
        for name, one in (
            ("citation_recall", found.citation_recall),
            ("citation_precision", found.citation_precision),
        ):
            if one.value is None or one.low is None or one.high is None:
                typer.echo(f"{name}: niente da giudicare.")
                continue
            typer.echo(f"{name}: {one.value:.1%} (fra {one.low:.1%} e {one.high:.1%}, n {one.n}).")
        if found.agreement is None:
            typer.echo("Nessuna frase è stata giudicata da persone: vedi «piano eval label».")
        else:
            typer.echo(
                f"D'accordo con le persone su {found.agreement.share:.0%}"
                f" di {found.agreement.n} frasi."
            )


def _plain(found: NliScore) -> dict[str, Any]:
    return {
        "citation_recall": asdict(found.citation_recall),
        "citation_precision": asdict(found.citation_precision),
        "agreement": None if found.agreement is None else found.agreement._asdict(),
    }


@app.command("promote")
def promote_feedback(
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Cartella dei dati con le conversazioni.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="File JSONL a cui aggiungere le candidate.")
    ] = Path("candidate.jsonl"),
) -> None:
    """Fa delle segnalazioni degli utenti domande di riferimento da completare a mano.

    Le domande degli utenti possono contenere dati personali: rileggile prima di condividerle.
    """
    from assistant.conversations import ConversationStore
    from eval.promote import promote

    with _explained():
        path = (data_dir or Settings.from_env().data_dir) / "conversations.sqlite"
        if not path.exists():
            raise UsageError(
                f"In {path.parent} non ci sono conversazioni.",
                remedy="Indica con --data-dir la cartella dei dati dell'assistente.",
            )
        store = ConversationStore(path)
        try:
            reported = store.reported()
        finally:
            store.close()
        added = promote(reported, out)
        typer.echo(
            f"{added} candidate aggiunte a {out} da {len(reported)} segnalazioni: completale e"
            " togli «da_completare»."
        )


@app.command("check")
def check_golden(
    golden: _GoldenOption = GOLDEN,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Cartella dei dati con i documenti citati.")
    ] = None,
) -> None:
    """Controlla un file di domande: ogni riga, e che ogni brano stia sulla sua pagina."""
    with _explained():
        cases = load_cases(golden)
        with prepared(data_dir) as documents:
            worlds = worlds_over(Settings.from_env(), documents)
            for world in sorted({case.world for case in cases}):
                with worlds(world) as collection:
                    locate([case for case in cases if case.world == world], collection.system)
        counts = Counter(case.category for case in cases if case.variant_of is None)
        listed = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        variants = sum(case.variant_of is not None for case in cases)
        typer.echo(f"{len(cases)} domande in ordine, di cui {variants} varianti. {listed}.")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except AssistantError as error:
        typer.echo(f"Errore: {error}", err=True)
        raise typer.Exit(error.exit_code) from error


if __name__ == "__main__":
    sys.exit(app())
