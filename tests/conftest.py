"""What every test relies on: no network but loopback, no settings from the outside, no tracing."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from assistant.settings import ENV_PREFIX

# Before any library reads them: tests never look for a model, a tracer or a telemetry host.
os.environ.update(
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    LANGSMITH_TRACING="false",
    ANONYMIZED_TELEMETRY="False",
)


def is_loopback(address: Any) -> bool:
    """Whether a socket address stays on this machine (a local socket's path does)."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    if host in ("", "localhost"):
        return True
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that tries to leave the machine fails, whichever library it goes through."""
    connect, connect_ex, resolve = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def guarded(original: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            if not is_loopback(address):
                raise AssertionError(f"a test tried to reach {address!r}: tests run offline")
            return original(self, address)

        return call

    def resolve_here(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not is_loopback((name, 0)):
            try:
                ip_address(str(name))
            except ValueError:
                raise socket.gaierror(f"tests run offline: {name!r} is not resolved") from None
        return resolve(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", guarded(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)


@pytest.fixture(scope="session")
def bundled_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled corpus in an index, as `piano ingest` makes it; no test writes into it."""
    from eval.system import ingest_bundled

    data_dir = tmp_path_factory.mktemp("corpus") / "data"
    ingest_bundled(data_dir)
    return data_dir


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A developer's own PIANO_* variables do not change what a test measures."""
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)
    yield
