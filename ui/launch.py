"""`piano ui`: Streamlit on this computer only, without telemetry or a first-run question."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import AssistantError
from assistant.settings import Settings

app = typer.Typer()

FLAGS = {
    "server.address": "127.0.0.1",
    "server.headless": "true",
    "server.showEmailPrompt": "false",
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "server.allowedHosts": "localhost,127.0.0.1",
    "browser.gatherUsageStats": "false",
    "browser.serverAddress": "127.0.0.1",
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "logger.level": "warning",
    "theme.base": "light",
    "theme.primaryColor": "#0b4f8a",
    "theme.linkColor": "#0b4f8a",
}


def command(settings: Settings) -> list[str]:
    """The command line that runs the UI; the API's address is an argument of the script."""
    if find_spec("streamlit") is None:
        raise AssistantError(
            "Streamlit non è installato.", remedy="Ripeti l'installazione con `make setup`."
        )
    flags = {**FLAGS, "server.port": str(settings.ui_port)}
    return [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(Path(__file__).with_name("app.py")),
        *(f"--{name}={value}" for name, value in flags.items()),
        "--",
        f"--api={api_address(settings)}",
    ]


def api_address(settings: Settings) -> str:
    """Where the UI finds the API, from this machine."""
    host = settings.api_host
    if host in ("0.0.0.0", "::", ""):
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.api_port}"


@app.command()
def ui(
    port: Annotated[int | None, typer.Option("--port", help="Porta (predefinita: 8601).")] = None,
    api_port: Annotated[int | None, typer.Option("--api-port", help="Porta dell'API.")] = None,
) -> None:
    """Avvia l'interfaccia nel browser (serve l'API)."""
    settings = Settings.from_env(ui_port=port, api_port=api_port)
    child = subprocess.Popen(command(settings), env=environment())
    # Told to stop, the child stops first; Ctrl-C in a terminal reaches both.
    signal.signal(signal.SIGTERM, lambda number, frame: child.terminate())
    while True:
        try:
            raise typer.Exit(_exit_code(child.wait()))
        except KeyboardInterrupt:
            child.terminate()


def environment() -> dict[str, str]:
    """The environment without variables that would undo the flags."""
    return {k: v for k, v in os.environ.items() if not k.startswith("STREAMLIT_")}


def _exit_code(code: int) -> int:
    stopped = (0, -signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGINT)
    return 0 if code in stopped else 1
