"""A small real server on a loopback socket that speaks the OpenAI chat-completions protocol.

It streams server-sent events when asked to, and answers by script; used by the tests of the chat
model, never by the product. Also runs alone, to try the product by hand:
`python tests/openai_server.py 8700 "Il Piano è stato approvato nel 2017. [1]"`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Script:
    """What the server does with a request; the default is a well-behaved answer."""

    answer: str | Callable[[str], str] = ""
    """The text, or a function of the user's message."""
    status: int = 200
    pause_seconds: float = 0.0
    """Wait before each piece."""
    cut_after: int | None = None
    """Pieces after which the connection is cut without a goodbye."""
    finish: str = "stop"
    """Why the answer ended, as told with the last chunk."""
    broken_json: bool = False
    not_a_stream: bool = False
    """Answer with one HTML page, as a wrong address would."""


@dataclass
class Server:
    """A running server; `requests` are the bodies received, oldest first."""

    port: int
    script: Script = field(default_factory=Script)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    pieces_sent: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


def pieces_of(text: str) -> list[str]:
    """The text as tokens would come: three characters at a time, so that ids come in halves."""
    return [text[i : i + 3] for i in range(0, len(text), 3)]


def chunk(content: str | None, finish: str | None = None) -> dict[str, Any]:
    delta: dict[str, Any] = {} if content is None else {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "prova",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Server

    def log_message(self, *_: object) -> None:
        """Quiet: tests read the answers, not the access log."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.state.requests.append({"path": self.path, **body})
        self.state.headers.append({k.lower(): v for k, v in self.headers.items()})
        script = self.state.script
        if script.status != 200:
            error = {"error": {"message": "guasto di prova", "type": "server_error"}}
            self._send(script.status, "application/json", json.dumps(error).encode())
        elif script.not_a_stream:
            self._send(200, "text/html", b"<html><body>Pagina sbagliata</body></html>")
        else:
            answer = script.answer
            text = answer if isinstance(answer, str) else answer(body["messages"][-1]["content"])
            if body.get("stream"):
                self._stream(script, text)
            else:
                self._whole(text)

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _whole(self, text: str) -> None:
        message = {"role": "assistant", "content": text}
        body = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "prova",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        self._send(200, "application/json", json.dumps(body).encode())

    def _stream(self, script: Script, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for event in self._events(script, text):
                self.wfile.write(f"data: {event}\n\n".encode())
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client went away, as a client past its deadline does

    def _events(self, script: Script, text: str) -> Iterator[str]:
        for number, piece in enumerate(pieces_of(text)):
            if script.cut_after is not None and number >= script.cut_after:
                return
            time.sleep(script.pause_seconds)
            self.state.pieces_sent += 1
            yield '{"choices": [{"del' if script.broken_json else json.dumps(chunk(piece))
        yield json.dumps(chunk(None, script.finish))
        yield "[DONE]"


class running:
    """`with running(script) as server:` a server on a free port, stopped at the end."""

    def __init__(self, script: Script | None = None, port: int = 0) -> None:
        self._script = script or Script()
        self._port = port

    def __enter__(self) -> Server:
        handler = type("Handler", (_Handler,), {})
        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), handler)
        self._http.daemon_threads = True
        handler.state = Server(self._http.server_address[1], self._script)  # type: ignore[attr-defined]
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return handler.state  # type: ignore[attr-defined, no-any-return]

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


if __name__ == "__main__":
    with running(Script(answer=sys.argv[2].replace("\\n", "\n")), int(sys.argv[1])) as started:
        sys.stdout.write(f"PIANO_CHAT_MODEL=openai:prova PIANO_CHAT_BASE_URL={started.base_url}\n")
        threading.Event().wait()
