"""Typer's own words in Italian; it offers no seam for translation."""

from __future__ import annotations

from typing import Any

import typer.core
from typer._click import exceptions
from typer._click.core import Command
from typer._click.formatting import HelpFormatter

_WORDS = {
    "Options": "Opzioni",
    "Commands": "Comandi",
    "Arguments": "Argomenti",
    "required": "obbligatorio",
    "default: {default}": "predefinito: {default}",
    "env var: {var}": "variabile: {var}",
    "(dynamic)": "(variabile)",
    "(deprecated) ": "(superato) ",
    "Missing command.": "Manca il comando.",
    "No such command {name!r}.": "Il comando {name!r} non esiste.",
    "Aborted!": "Interrotto.",
}


def speak_italian() -> None:
    """Replace Typer's English words, for this process; called once, by the entry point."""
    typer.core._ = lambda message: _WORDS.get(message, message)  # type: ignore[attr-defined]

    write_usage = HelpFormatter.write_usage

    def write_uso(
        self: HelpFormatter, prog: str, args: str = "", prefix: str | None = None
    ) -> None:
        write_usage(self, prog, _metavars(args), prefix or "Uso: ")

    get_help_option = Command.get_help_option

    def get_help_option_it(self: Command, ctx: Any) -> Any:
        option = get_help_option(self, ctx)
        if option is not None:
            option.help = "Mostra questo aiuto ed esce."
        return option

    HelpFormatter.write_usage = write_uso  # type: ignore[method-assign]
    Command.get_help_option = get_help_option_it  # type: ignore[method-assign]


def _metavars(args: str) -> str:
    for english, italian in (
        ("[OPTIONS]", "[OPZIONI]"),
        ("COMMAND [ARGS]", "COMANDO [ARGOMENTI]"),
    ):
        args = args.replace(english, italian)
    return args


def explain(error: exceptions.ClickException) -> str:
    """A wrong use of the command line, in Italian."""
    match error:
        case exceptions.NoSuchOption():
            text = f"l'opzione {error.option_name} non esiste"
        case exceptions.MissingParameter():
            text = f"manca {error.param.get_error_hint() if error.param else 'un argomento'}"
        case exceptions.BadParameter():
            hint = error.param.get_error_hint() if error.param else error.param_hint
            text = f"valore non valido per {hint}" if hint else "valore non valido"
        case exceptions.BadOptionUsage():
            text = f"l'opzione {error.option_name} è usata male (manca il valore, o è di troppo)"
        case exceptions.FileError():
            text = f"non riesco ad aprire il file {error.ui_filename}"
        case _:
            text = error.message
            if text.startswith("Got unexpected extra argument"):
                text = "argomenti di troppo " + text[text.find("(", 30) :]
    return text.rstrip(".") + "."
