"""Typer's and the system's words in Italian: Typer hard-codes English, with no seam for another."""

from __future__ import annotations

import errno
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

_TYPES = {"str": "TESTO", "int": "NUMERO", "float": "NUMERO", "path": "PERCORSO"}
"""For the Python types that Typer shows as `<int>`, `<path>` …"""

_REASONS = {
    errno.ENOENT: "non esiste",
    errno.ENOTDIR: "una parte del percorso non è una cartella",
    errno.EISDIR: "è una cartella, serve un file",
    errno.EACCES: "manca il permesso",
    errno.EPERM: "manca il permesso",
    errno.EROFS: "il disco è di sola lettura",
    errno.ENOSPC: "il disco è pieno",
    errno.EDQUOT: "lo spazio concesso sul disco è finito",
    errno.ENAMETOOLONG: "il nome è troppo lungo",
    errno.ELOOP: "i collegamenti girano in tondo",
    errno.EMFILE: "ci sono troppi file aperti",
    errno.EIO: "il disco non si legge o non si scrive",
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

    display_type = typer.core.TyperOption.display_type

    def display_type_it(self: typer.core.TyperOption, ctx: Any) -> str:
        name = display_type(self, ctx).strip("<>").removeprefix("list[").removesuffix("]")
        return _TYPES.get(name.removesuffix(" range").lower(), name)

    HelpFormatter.write_usage = write_uso  # type: ignore[method-assign]
    Command.get_help_option = get_help_option_it  # type: ignore[method-assign]
    typer.core.TyperOption.display_type = (  # type: ignore[method-assign]
        display_type_it  # type: ignore[assignment]
    )
    # An argument's own name says what it is.
    typer.core.TyperArgument.display_type_rich = (  # type: ignore[method-assign]
        lambda self, ctx: None
    )


def _metavars(args: str) -> str:
    for english, italian in (
        ("[OPTIONS]", "[OPZIONI]"),
        ("COMMAND [ARGS]", "COMANDO [ARGOMENTI]"),
    ):
        args = args.replace(english, italian)
    return args


def explain(error: exceptions.ClickException) -> str:
    """A wrong use of the command line, in Italian, with where to read how it is used."""
    match error:
        case exceptions.NoSuchOption():
            text = f"l'opzione {error.option_name} non esiste"
        case exceptions.MissingParameter():
            text = f"manca {error.param.get_error_hint() if error.param else 'un argomento'}"
        case exceptions.BadParameter():
            text = "valore non valido" + _about(error)
        case exceptions.BadOptionUsage():
            text = f"l'opzione {error.option_name} è usata male (manca il valore, o è di troppo)"
        case exceptions.FileError():
            text = f"non riesco ad aprire il file {error.ui_filename}"
        case _:
            text = error.message.replace("Did you mean", "Forse intendevi").removesuffix("?")
            if text.startswith("Got unexpected extra argument"):
                text = "argomenti di troppo " + text[text.find("(", 30) :]
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "piano"
    return f"{text.rstrip('.')}. Prova `{command} --help`."


def _about(error: exceptions.BadParameter) -> str:
    """Which option or argument, and what it wants."""
    if error.param is None:
        return f" per {error.param_hint}" if error.param_hint else ""
    wanted = error.param.type_descriptor
    kind = wanted.ranged_type_name if wanted.is_ranged else str(wanted.annotation)
    number = " (serve un numero)" if kind in ("int", "float", str(int), str(float)) else ""
    return f" per {error.param.get_error_hint()}{number}"


def reason(error: OSError) -> str:
    """Why the system refused, in Italian where it is one of the usual reasons."""
    return _REASONS.get(error.errno or 0, error.strerror or str(error))
