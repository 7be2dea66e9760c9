"""`piano ui`: Streamlit on this computer only, without telemetry."""

from __future__ import annotations

import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import AssistantError, UsageError
from assistant.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)

FLAGS = (
    "server.address=127.0.0.1",
    "server.headless=true",
    "server.showEmailPrompt=false",
    "server.fileWatcherType=none",
    "server.runOnSave=false",
    # A list: the flag is repeated. Other names are refused, against DNS rebinding.
    "server.allowedHosts=localhost",
    "server.allowedHosts=127.0.0.1",
    "browser.gatherUsageStats=false",
    "browser.serverAddress=127.0.0.1",
    "client.toolbarMode=minimal",
    "client.showErrorDetails=none",
    "client.showErrorLinks=false",
    "logger.level=warning",
    "theme.base=light",
    "theme.primaryColor=#0b4f8a",
    "theme.linkColor=#0b4f8a",
    "theme.textColor=#17202a",
    # 3:1 on white: the edge of a field is what shows where to write.
    "theme.borderColor=#87919b",
)


def command(settings: Settings) -> list[str]:
    """The command line that runs the UI; the API's address is an argument of the script."""
    if find_spec("streamlit") is None:
        raise AssistantError(
            "Streamlit non è installato.", remedy="Ripeti l'installazione con `make setup`."
        )
    return [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(Path(__file__).with_name("app.py")),
        *(f"--{flag}" for flag in (*FLAGS, f"server.port={settings.ui_port}")),
        "--",
        f"--api={api_address(settings)}",
    ]


def api_address(settings: Settings) -> str:
    """Where the UI finds the API, from this machine."""
    host = settings.api_host
    if host in ("0.0.0.0", "::", ""):
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.api_port}"


def environment() -> dict[str, str]:
    """The environment without variables that would undo the flags."""
    return {k: v for k, v in os.environ.items() if not k.startswith("STREAMLIT_")}


@app.command()
def ui(
    port: Annotated[int | None, typer.Option("--port", help="Porta (predefinita: 8601).")] = None,
    api_port: Annotated[int | None, typer.Option("--api-port", help="Porta dell'API.")] = None,
) -> None:
    """Avvia l'interfaccia nel browser (serve l'API)."""
    settings = Settings.from_env(ui_port=port, api_port=api_port)
    _check_free(settings.ui_port)
    line = command(settings)
    # Streamlit takes this process's place: signals reach it, and its exit code is ours.
    os.execve(line[0], line, environment())


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"La porta {port} non è libera.",
                remedy="Forse l'interfaccia è già avviata. Fermala, oppure scegli un'altra porta "
                "con PIANO_UI_PORT.",
            ) from error
