"""The real API over the bundled corpus, on a socket, for tests of the API and the UI."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from assistant.api.app import create_app
from assistant.api.serve import bind, make_server
from assistant.build import build_assistant
from assistant.conversations import ConversationStore
from assistant.settings import Settings

CORPUS = Path(__file__).parents[1] / "corpus" / "documents"


@dataclass(frozen=True, slots=True)
class Running:
    address: str
    settings: Settings


@contextmanager
def running_api(data_dir: Path) -> Iterator[Running]:
    """Serves what `data_dir` holds, on a free port, until the end of the block."""
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    settings = Settings(data_dir=data_dir, api_port=port)
    server: uvicorn.Server = make_server(
        create_app(
            build_assistant(settings, long_lived=True),
            settings,
            ConversationStore(data_dir / "conversations.sqlite"),
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert httpx.get(f"{address}/health", trust_env=False).status_code == 200
    try:
        yield Running(address, settings)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
