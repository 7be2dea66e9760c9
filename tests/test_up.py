"""`piano up`, `api` and `ui` for real: they start, answer, and leave nobody behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.command import COMMAND, Computer

CORPUS = Path(__file__).parents[1] / "corpus" / "documents"
START_SECONDS = 100
STOP_SECONDS = 15


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer.new(tmp_path)


@pytest.fixture
def ports() -> dict[str, str]:
    """Free ports, and a proxy that would break whoever used it for this very machine."""
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return {
            "PIANO_API_PORT": str(one.getsockname()[1]),
            "PIANO_UI_PORT": str(other.getsockname()[1]),
            "http_proxy": "http://127.0.0.1:9",
        }


@contextmanager
def started(
    computer: Computer, command: str, env: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """The command as a process of its own session, that does not outlive the block."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*COMMAND, command],
            env=computer.environment(env),
            cwd=computer.folder / "cwd",
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(STOP_SECONDS)


def wait_for(happened: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not happened():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_up_ingests_serves_and_stops_on_ctrl_c(
    computer: Computer, ports: dict[str, str], tmp_path: Path
) -> None:
    documents = tmp_path / "documenti"
    documents.mkdir()
    shutil.copy(CORPUS / "frna.html", documents)
    log = tmp_path / "up.log"
    api, ui = (f"http://127.0.0.1:{ports[f'PIANO_{name}_PORT']}" for name in ("API", "UI"))
    with started(computer, "up", {**ports, "PIANO_CORPUS_DIR": str(documents)}, log) as up:
        wait_for(lambda: "Ctrl-C" in log.read_text() or up.poll() is not None, log)
        told = log.read_text()
        assert f"{api}/docs" in told and f"Interfaccia: {ui}" in told
        assert "Prima esecuzione" in told and "frna.html (" in told
        assert "Streamlit" not in told
        assert answers(f"{api}/ready") and answers(f"{api}/docs") and answers(ui)
        served = children(up.pid)
        assert len(served) == 2
        # Whoever starts a second one is told what is taken, and by which setting it moves.
        second = computer.piano("up", env=ports)
        assert second.code == 2 and "PIANO_API_PORT" in second.err
        up.send_signal(signal.SIGINT)
        assert up.wait(STOP_SECONDS) == 0
    assert "Tutto fermato" in log.read_text()
    assert not any(Path(f"/proc/{pid}").exists() for pid in served)
    assert not answers(f"{api}/health") and not answers(ui)
    assert computer.stray_files() == []


def test_up_ends_with_an_error_when_a_server_dies(
    computer: Computer, ports: dict[str, str], tmp_path: Path
) -> None:
    assert computer.piano("ingest", str(CORPUS / "frna.html")).code == 0
    log = tmp_path / "up.log"
    api = f"http://127.0.0.1:{ports['PIANO_API_PORT']}"
    with started(computer, "up", ports, log) as up:
        wait_for(lambda: answers(f"{api}/health"), log)
        first = children(up.pid)[0]
        os.kill(first, signal.SIGKILL)
        assert up.wait(STOP_SECONDS) == 1
    assert "L'API si è fermata da sola" in log.read_text()
    assert not answers(f"{api}/health")


@pytest.mark.parametrize(("command", "variable"), [("api", "API"), ("ui", "UI")])
def test_a_server_alone_refuses_a_taken_port_and_ends_in_order(
    computer: Computer, ports: dict[str, str], tmp_path: Path, command: str, variable: str
) -> None:
    port = ports[f"PIANO_{variable}_PORT"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(port)))
        taken.listen()
        refused = computer.piano(command, env=ports)
    assert refused.code == 2 and f"PIANO_{variable}_PORT" in refused.err
    log = tmp_path / "server.log"
    health = "health" if command == "api" else "_stcore/health"
    with started(computer, command, ports, log) as server:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/{health}"), log)
        server.send_signal(signal.SIGINT if command == "api" else signal.SIGTERM)
        assert server.wait(STOP_SECONDS) == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    assert computer.stray_files() == []
