"""`piano api` and `piano up`: the servers, on this computer only."""

from __future__ import annotations

import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from types import FrameType
from typing import Annotated

import typer

from assistant.build import build_generations
from assistant.cli.options import DataDir, settings_for
from assistant.errors import AssistantError, UsageError
from assistant.settings import Settings

START_SECONDS = 90
"""Longest wait for a server to answer: the first start on a slow disk reads a lot of Python."""

STOP_SECONDS = 10
"""A child that has not ended by then is killed."""

LOOPBACK = "127.0.0.1"

SERVERS = {"api": "L'API", "ui": "L'interfaccia"}

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""SIGHUP too: the children's sessions would outlive a closed terminal."""


def api(
    port: Annotated[
        int | None, typer.Option("--port", metavar="PORTA", help="Porta (predefinita: 8600).")
    ] = None,
    data_dir: DataDir = None,
) -> int:
    from assistant.api.serve import serve

    # uvicorn raises again, once it has stopped in order, the signal that asked it to stop.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    serve(Settings.from_env(data_dir=data_dir, api_port=port))
    return 0


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


def up(data_dir: DataDir = None) -> int:
    settings = settings_for(data_dir)
    if settings.api_port == settings.ui_port:
        raise UsageError(
            f"API e interfaccia non possono stare sulla stessa porta {settings.api_port}.",
            remedy="Cambia PIANO_API_PORT o PIANO_UI_PORT.",
        )
    _check_free(settings.api_host, settings.api_port, "dell'API", "PIANO_API_PORT")
    _check_free(LOOPBACK, settings.ui_port, "dell'interfaccia", "PIANO_UI_PORT")
    return _Children(settings).run()


class _Children:
    """The first ingest, then the API and the UI: child processes that end with this one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._environment = {**os.environ, "PIANO_DATA_DIR": str(settings.data_dir)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = False

    def run(self) -> int:
        """Returns when asked to stop (Ctrl-C, SIGTERM, a closed terminal)."""
        previous = {number: signal.signal(number, self._stop) for number in STOP_SIGNALS}
        try:
            self._ingest_if_empty()
            self._serve("api", f"{self._api_url()}/health")
            self._serve("ui", f"{self._ui_url()}/_stcore/health")
            if not self._stopping:
                _say(f"API:         {self._api_url()}/docs")
                _say(f"Interfaccia: {self._ui_url()}")
                _say("Premi Ctrl-C per fermare.")
            while not self._stopping:
                self._check_alive()
                time.sleep(0.2)
            return 0
        finally:
            # Signals stay caught meanwhile: an impatient second Ctrl-C must leave nobody behind.
            self._end()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _ingest_if_empty(self) -> None:
        if build_generations(self._settings).current_id() is not None:
            return
        _say("Prima esecuzione: leggo i documenti del progetto…")
        child = self._start("ingest")
        while child.poll() is None and not self._stopping:
            time.sleep(0.05)
        if self._stopping:
            return
        del self._running["ingest"]
        if child.returncode not in (0, 3):
            raise AssistantError(
                "La lettura dei documenti non è riuscita.",
                remedy="Riprova con `piano ingest` e leggi il messaggio.",
            )

    def _serve(self, name: str, health: str) -> None:
        """Starts a server and waits until it answers."""
        if self._stopping:
            return
        self._start(name)
        deadline = time.monotonic() + START_SECONDS
        while not self._stopping and not _answers(health):
            self._check_alive()
            if time.monotonic() > deadline:
                raise AssistantError(
                    f"{SERVERS[name]} non risponde dopo {START_SECONDS} secondi.",
                    remedy="Guarda i messaggi qui sopra e riprova.",
                )
            time.sleep(0.1)

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C in the terminal reaches this process alone, which then
        # stops the children in order.
        self._running[command] = subprocess.Popen(
            [sys.executable, "-m", "assistant.cli", command],
            env=self._environment,
            start_new_session=True,
            # Streamlit greets in English; what goes wrong is on stderr.
            stdout=subprocess.DEVNULL if command == "ui" else None,
        )
        return self._running[command]

    def _check_alive(self) -> None:
        for name, child in self._running.items():
            if child.poll() is not None and not self._stopping:
                raise AssistantError(
                    f"{SERVERS[name]} si è fermata da sola (codice {child.returncode}).",
                    remedy="Guarda i messaggi qui sopra e riprova.",
                )

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _end(self) -> None:
        for child in reversed(self._running.values()):
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._running.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                # The whole session, as a child killed so cannot end its own children.
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        if self._running:
            _say("Tutto fermato.")

    def _api_url(self) -> str:
        host = self._settings.api_host
        if host in ("0.0.0.0", "::", ""):
            host = LOOPBACK
        return f"http://{f'[{host}]' if ':' in host else host}:{self._settings.api_port}"

    def _ui_url(self) -> str:
        return f"http://{LOOPBACK}:{self._settings.ui_port}"


def _say(text: str) -> None:
    print(text, flush=True)


def _answers(url: str) -> bool:
    # Never through a proxy: the server is on this computer.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def _check_free(host: str, port: int, name: str, variable: str) -> None:
    """Said before anything is loaded; raises UsageError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                raise UsageError(
                    f"La porta {port} {name} è occupata da un altro programma.",
                    remedy=f"Fermalo, oppure scegli un'altra porta con {variable}.",
                ) from error
            raise UsageError(
                f"L'indirizzo {host}, porta {port} {name} non si può usare.",
                remedy=f"Correggi {variable} (da 1 a 65535) o PIANO_API_HOST.",
            ) from error
