"""The commands of `piano eval` for what goes into it and what people say of it.

`label` and `nli` judge a run's sentences, `promote` makes candidates of what users reported,
`check` reads a golden file as a run would.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.errors import AssistantError, UsageError
from assistant.settings import Settings
from eval.cases import GOLDEN, load_cases, locate
from eval.run import read_run
from eval.system import prepared
from eval.worlds import worlds_over

if TYPE_CHECKING:
    from eval.nli import NliScore

GoldenOption = Annotated[
    Path,
    typer.Option(
        "--golden",
        help="File JSONL delle domande di riferimento, o cartella che ne contiene (predefinite:"
        " quelle del progetto).",
        show_default=False,
    ),
]
RunArgument = Annotated[Path, typer.Argument(help="Cartella di una valutazione.")]

app = typer.Typer()


@contextmanager
def explained() -> Iterator[None]:
    """An error of ours as its message and exit code."""
    try:
        yield
    except AssistantError as error:
        typer.echo(f"Errore: {error}", err=True)
        raise typer.Exit(error.exit_code) from error


@app.command("label")
def label(
    folder: RunArgument,
    size: Annotated[int, typer.Option("--sample", min=1, help="Quante frasi giudicare.")] = 50,
    who: Annotated[str, typer.Option("--chi", help="Chi giudica.")] = "",
) -> None:
    """Accompagna una persona a giudicare un campione di frasi, e dice quanto le misure concordano.

    Ogni giudizio è salvato subito in labels.jsonl, nella cartella; si può smettere e riprendere.
    """
    from eval.label import agreement, ask_labels, read_labels

    with explained():
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
    folder: RunArgument,
    model: Annotated[
        str, typer.Option("--model", help="Modello NLI di sentence-transformers: nome o cartella.")
    ],
) -> None:
    """Fa giudicare le citazioni a un modello, e dice quanto concorda con le persone; mai requisito.

    Sono le misure ALCE: citation recall (le citazioni provano la frase) e precision (ognuna serve).
    """
    from eval.label import read_labels
    from eval.nli import load_entails, score_nli

    with explained():
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

    with explained():
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
    golden: GoldenOption = GOLDEN,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Cartella dei dati con i documenti citati.")
    ] = None,
) -> None:
    """Controlla un file di domande: ogni riga, e che ogni brano stia sulla sua pagina."""
    with explained():
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
