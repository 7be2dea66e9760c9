"""`piano api` and `piano up`: the servers, on this computer only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from types import FrameType
from typing import Annotated

import typer

from assistant.build import build_generations
from assistant.cli.options import DataDir, settings_for
from assistant.errors import AssistantError
from assistant.settings import Settings

START_SECONDS = 90
"""Longest wait for a server to answer: the first start on a slow disk reads a lot of Python."""

STOP_SECONDS = 10
"""A child that has not ended by then is killed."""


def api(
    port: Annotated[int | None, typer.Option("--port", help="Porta (predefinita: 8600).")] = None,
    data_dir: DataDir = None,
) -> int:
    from assistant.api.serve import serve

    serve(Settings.from_env(data_dir=data_dir, api_port=port))
    return 0


def up(data_dir: DataDir = None) -> int:
    settings = settings_for(data_dir)
    for name, port, variable in (
        ("dell'API", settings.api_port, "PIANO_API_PORT"),
        ("dell'interfaccia", settings.ui_port, "PIANO_UI_PORT"),
    ):
        _check_free(settings.api_host, port, name, variable)
    environment = {**os.environ, "PIANO_DATA_DIR": str(settings.data_dir)}
    if build_generations(settings).current_id() is None:
        _say("Prima esecuzione: leggo i documenti del progetto…")
        code = subprocess.call([*_piano(), "ingest"], env=environment)
        if code not in (0, 3):
            raise AssistantError(
                "La lettura dei documenti non è riuscita.",
                remedy="Riprova con `piano ingest` e leggi il messaggio.",
            )
    return _Servers(settings, environment).run()


class _Servers:
    """The API and the UI as child processes that live and die together."""

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self._settings = settings
        self._environment = environment
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = False

    def run(self) -> int:
        previous = {
            number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            self._start("api", f"{self._api_url()}/health")
            self._start("ui", f"{self._ui_url()}/_stcore/health")
            if not self._stopping:
                _say(f"API:         {self._api_url()}/docs")
                _say(f"Interfaccia: {self._ui_url()}")
                _say("Premi Ctrl-C per fermare.")
            while not self._stopping:
                self._check_alive()
                time.sleep(0.2)
            return 0
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            self._end()

    def _start(self, name: str, health: str) -> None:
        if self._stopping:
            return
        # A session of its own: Ctrl-C in the terminal reaches this process alone, which then
        # stops the children in order.
        self._children[name] = subprocess.Popen(
            [*_piano(), name], env=self._environment, start_new_session=True
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._stopping and not _answers(health):
            self._check_alive()
            if time.monotonic() > deadline:
                raise AssistantError(
                    f"{name} non risponde dopo {START_SECONDS} secondi.",
                    remedy="Guarda i messaggi qui sopra e riprova.",
                )
            time.sleep(0.1)

    def _check_alive(self) -> None:
        for name, child in self._children.items():
            if child.poll() is not None and not self._stopping:
                raise AssistantError(
                    f"{name} si è fermata da sola (codice {child.returncode}).",
                    remedy="Guarda i messaggi qui sopra e riprova.",
                )

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _end(self) -> None:
        for child in reversed(self._children.values()):
            if child.poll() is None:
                child.terminate()
        for child in self._children.values():
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._children:
            _say("Fermati API e interfaccia.")

    def _api_url(self) -> str:
        return f"http://{self._settings.api_host}:{self._settings.api_port}"

    def _ui_url(self) -> str:
        return f"http://127.0.0.1:{self._settings.ui_port}"


def _piano() -> list[str]:
    return [sys.executable, "-m", "assistant.cli"]


def _say(text: str) -> None:
    print(text, flush=True)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _check_free(host: str, port: int, name: str, variable: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise AssistantError(
                f"La porta {port} {name} è occupata da un altro programma.",
                remedy=f"Fermalo, oppure scegli un'altra porta con {variable}.",
            ) from error
