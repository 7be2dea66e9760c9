"""The commands of `piano`, and those that outer packages add through entry points."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from importlib.metadata import entry_points
from types import FrameType
from typing import Any

import typer
import typer.core
from typer._click.exceptions import ClickException, NoArgsIsHelpError

from assistant.cli import ask, manage, reindex, run, schede
from assistant.cli.italian import explain, reason, speak_italian
from assistant.errors import AssistantError

GROUP = "piano.commands"
"""Entry points: a typer.Typer for each command that lives outside `assistant`."""

OUTER = {
    "ingest": "Legge documenti e aggiorna l'indice.",
    "sync": "Prende le fonti ufficiali del catalogo dal web.",
    "ui": "Avvia l'interfaccia nel browser (serve l'API).",
    "eval": "Misura la qualità delle risposte sulle domande di prova.",
}
"""Known without looking them up, so that `piano --help` need not import them."""


INTERRUPTED = 128 + signal.SIGINT
"""What Typer returns on Ctrl-C, and what a shell expects."""


class Commands(typer.core.TyperGroup):
    """Loads a command of another package only when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted({*super().list_commands(ctx), *OUTER})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name in OUTER:
            return typer.core.TyperCommand(cmd_name, help=OUTER[cmd_name])
        return found

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        if name in OUTER:
            points = entry_points(group=GROUP, name=name)
            if not points:
                raise AssistantError(
                    f"Il comando {name} non è installato.",
                    remedy="Ripeti l'installazione con `make setup`.",
                )
            outer = next(iter(points)).load()
            # The same look as the commands here, whatever the package asked of Typer.
            outer.rich_markup_mode, outer._add_completion = None, False
            command = typer.main.get_command(outer)
            command.name = name
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The reader of a pipe went away (`piano search … | head`): nothing left to tell it.
            # Typer, left alone, would make a failure of it.
            _drop_output()
            return 0


app = typer.Typer(
    name="piano",
    cls=Commands,
    help="Assistente sui documenti del Piano sociale e sanitario: risposte con citazioni.\n\n"
    "Codici di uscita: 0 tutto bene, 1 errore, 2 uso sbagliato, 3 righe o file rifiutati, "
    "4 citazioni non verificate, 5 controlli di qualità non superati.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("ask", help="Risponde a una domanda con frasi testuali e citazioni.")(ask.ask)
app.command("search", help="Cerca i passi più vicini a un testo.")(ask.search)
app.command("status", help="Mostra che cosa c'è nell'indice.")(manage.status)
app.command("rollback", help="Torna alla generazione precedente dell'indice.")(manage.rollback)
app.command("reindex", help="Rifà i vettori con il modello di embedding delle impostazioni.")(
    reindex.reindex
)
app.command("schede", help="Elenca, filtra ed esporta le schede e gli interventi riconosciuti.")(
    schede.schede
)
app.command("api", help="Avvia l'API su questo computer.")(run.api)
app.command("up", help="Prepara l'indice se manca, avvia API e interfaccia.")(run.up)


def main() -> None:
    """Entry point: every failure becomes one Italian line on stderr and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A console in another encoding must not break on an Italian text.
            stream.reconfigure(encoding="utf-8", errors="replace")
    speak_italian()
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = _run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        code = 0
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"Errore: il sistema rifiuta: {reason(error)}{where}.", file=sys.stderr)
        _drop_output()
        code = 1
    sys.exit(code)


def _run() -> int:
    try:
        code = app(standalone_mode=False, prog_name="piano")
    except NoArgsIsHelpError as help_wanted:
        print(help_wanted.format_message())
        return 2
    except ClickException as error:
        print(f"Errore: {explain(error)}", file=sys.stderr)
        return 2
    except AssistantError as error:
        print(f"Errore: {error}", file=sys.stderr)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        print("Interrotto.", file=sys.stderr)
    return code if isinstance(code, int) else 0


def _terminated(number: int, frame: FrameType | None) -> None:
    """A request to end unwinds like any exit: locks, half-made indexes and workers are let go."""
    sys.exit(128 + number)


def _drop_output() -> None:
    """What is still to be written goes nowhere, so that Python does not try again at its end."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
