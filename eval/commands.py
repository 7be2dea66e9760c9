"""The program run and timed from outside: its commands, and the API while it serves."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from assistant.errors import AssistantError

COMMAND_TIMEOUT_SECONDS = 120.0
START_TIMEOUT_SECONDS = 60.0


def piano(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "assistant.cli", *arguments]


def timed(command: Sequence[str]) -> float:
    started = time.perf_counter()
    run(command)
    return (time.perf_counter() - started) * 1000


def run(command: Sequence[str], accepted: Sequence[int] = (0,), *, ocr: bool = True) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_SECONDS,
        check=False,
        env=os.environ if ocr else os.environ | {"PIANO_OCR": "off"},
    )
    if done.returncode not in accepted:
        raise AssistantError(
            f"Il comando «{' '.join(command[1:6])} …» è finito con codice {done.returncode}: "
            f"{' '.join(done.stderr.strip().splitlines()[-1:])}"
        )
    return done.stdout


@contextmanager
def serving(data_dir: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The API on a port of its own, from when it can serve; its process and its address."""
    port = _free_port()
    command = piano("api", "--port", str(port), "--data-dir", str(data_dir))
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_until_ready(server, port, started)
            yield server, f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, started: float) -> None:
    while time.perf_counter() - started < START_TIMEOUT_SECONDS:
        if server.poll() is not None:
            raise AssistantError(f"L'API si è fermata con codice {server.returncode}.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise AssistantError(f"L'API non risponde dopo {START_TIMEOUT_SECONDS:.0f} secondi.")
