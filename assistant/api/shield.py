"""Around every request: known hosts, small bodies, security headers."""

from __future__ import annotations

import ipaddress
import re
import socket

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.api.html import CONTENT_SECURITY_POLICY
from assistant.api.problems import from_status, respond, unexpected

MAX_BODY = 64 * 1024
"""Largest request body, in bytes."""

_HOST = re.compile(r"^(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[^:\[\]]+))(?::\d{1,5})?$")
_WILDCARDS = ("0.0.0.0", "::", "")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": CONTENT_SECURITY_POLICY,
}


class Shield:
    """The outermost layer of the application.

    A page on the web can point its own name at 127.0.0.1 (DNS rebinding) and read the API through
    the visitor's browser: so the Host header must be a name of this machine.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app = app
        self._any_address = host in _WILDCARDS
        self._names = {"localhost", "127.0.0.1", "::1", host.lower()} - {""}
        if self._any_address:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False
        received = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY:
                raise HTTPException(413)
            return message

        if scope["method"] == "HEAD":
            # As a GET: the server leaves the body out by itself.
            scope = {**scope, "method": "GET"}
        request = Request(scope)
        headers = Headers(scope=scope)
        status = self._refusal(scope["method"], headers)
        if status:
            refusal = respond(from_status(status, request.url.path), request)
            await refusal(scope, receive, send_with_headers)
            return
        try:
            await self.app(scope, receive_within_limit, send_with_headers)
        except Exception as error:
            if started:
                raise
            await respond(unexpected(error, request.url.path), request)(
                scope, receive, send_with_headers
            )

    def _refusal(self, method: str, headers: Headers) -> int | None:
        """The status to refuse a request with, before reading it; None to let it in."""
        if len(hosts := headers.getlist("host")) != 1 or not self._known(hosts[0]):
            return 421
        if method not in _SAFE_METHODS and (
            headers.get("sec-fetch-site", "") == "cross-site"
            or not self._known_origin(headers.get("origin"))
        ):
            return 403
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length[:20]) > MAX_BODY:
            return 413
        return None

    def _known_origin(self, origin: str | None) -> bool:
        """Browsers tell the page that sends; programs do not, and "null" is a page that hides."""
        if origin is None:
            return True
        scheme, separator, host = origin.partition("://")
        return bool(separator) and scheme in ("http", "https") and self._known(host)

    def _known(self, host: str) -> bool:
        found = _HOST.match(host.strip())
        if not found:
            return False
        name = (found["six"] or found["name"]).lower().rstrip(".")
        if name in self._names:
            return True
        return self._any_address and _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
