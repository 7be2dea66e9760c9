"""A web site on loopback: every answer is given by the test, every request is told to it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

PAGE = "<html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"


def page(title: str, *links: str, text: str = "", head: str = "") -> bytes:
    anchors = "".join(f'<p><a href="{link}">Vai</a></p>' for link in links)
    body = f"<p>{text or f'Il testo di {title} parla dei servizi.'}</p>{anchors}"
    return PAGE.format(title=title, body=body).replace("</head>", f"{head}</head>").encode()


@dataclass(frozen=True, slots=True)
class Reply:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    write: Callable[[Handler], None] | None = None
    """Says everything in the place of the rest."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        reply = self.server.replies.get(self.path, Reply(b"", 404))
        if reply.write is not None:
            self.close_connection = True
            reply.write(self)
            return
        body, status, headers = reply.body, reply.status, dict(reply.headers)
        tag, date = headers.get("ETag"), headers.get("Last-Modified")
        if (tag and self.headers.get("If-None-Match") == tag) or (
            date and not tag and self.headers.get("If-Modified-Since") == date
        ):
            body, status = b"", 304
        self.server.statuses.append(status)
        self.send_response(status)
        headers.setdefault("Content-Type", "text/html; charset=utf-8")
        if status != 304:
            headers.setdefault("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return None


class Server(http.server.ThreadingHTTPServer):
    replies: dict[str, Reply]
    asked: list[tuple[str, dict[str, str]]]
    statuses: list[int]

    def handle_error(self, request: object, client_address: object) -> None:
        return None  # a client that goes away in the middle is what some tests are about


@dataclass(frozen=True, slots=True)
class Site:
    server: Server

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> None:
        """Headers are given with underscores: `Content_Type="text/plain"`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.server.replies[path] = Reply(body, status, named)

    def redirect(self, path: str, location: str, status: int = 302) -> None:
        self.serve(path, b"", status, Location=location)

    def write(self, path: str, write: Callable[[Handler], None]) -> None:
        self.server.replies[path] = Reply(write=write)

    def paths(self) -> list[str]:
        """What was asked for since the last call of `forget`, in order."""
        return [path for path, _ in self.server.asked]

    def headers(self, path: str) -> dict[str, str]:
        """Of the last request for `path`."""
        return next(headers for asked, headers in reversed(self.server.asked) if asked == path)

    def forget(self) -> None:
        self.server.asked.clear()
        self.server.statuses.clear()


@contextmanager
def running_site() -> Iterator[Site]:
    server = Server(("127.0.0.1", 0), Handler)
    server.replies, server.asked, server.statuses = {}, [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Site(server)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
