"""Connections that stay out of the private network and end when their time is over.

Every connection is made here: the name is looked up once, what comes back is judged, and the very
addresses that were judged are connected to. TLS still asks for, and checks, the name.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

LOOKUP_SECONDS = 8.0
"""Longest time to look a host up: a resolver asks a second name server after five seconds."""
CONNECT_SECONDS = 6.0
"""Longest time to connect to a host, whichever of its addresses answers."""
MAX_ADDRESSES = 4
"""Addresses of one host that are tried."""

_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_TUNNELS = tuple(map(ipaddress.ip_network, ("2002::/16", "2001::/32", "192.88.99.0/24")))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Resolve = Callable[[str, int], Sequence[str]]
"""From host and port to IP addresses; raises OSError for a host that is not known."""
Allowed = Callable[[str], bool]
"""Whether an IP address may be connected to."""


class ForbiddenAddressError(Exception):
    """The host's address is not one of the public network."""


class UnknownHostError(Exception):
    """The name cannot be looked up."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public network, also where it wraps another one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if any(ip in tunnel for tunnel in _TUNNELS if tunnel.version == ip.version):
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped
        if wrapped is None and ip in _NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
        if ip not in _PUBLIC_V6:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def resolve(host: str, port: int) -> Sequence[str]:
    """What the system knows of a host; raises OSError, also when it takes too long to answer."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(item[4][0]) for item in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    # The system's look-up knows no time limit; without a name server it may take minutes.
    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=LOOKUP_SECONDS)
    except queue.Empty:
        raise TimeoutError("look-up timed out") from None
    if isinstance(answer, Exception):
        raise OSError(str(answer)) from answer
    return answer


class Guard(httpcore.NetworkBackend):
    """Makes the connections of one client; used by one thread."""

    def __init__(self, *, allowed: Allowed = is_public, resolve: Resolve = resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._plain = httpcore.SyncBackend()
        self._deadline = float("inf")

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Nothing goes on after `deadline` (of `time.monotonic`), however slowly bytes drip in."""
        before = self._deadline
        self._deadline = min(before, deadline)
        try:
            yield
        finally:
            self._deadline = before

    def remaining(self, timeout: float | None) -> float:
        """Seconds to wait at most, 0 when the time is over."""
        left = max(0.0, self._deadline - time.monotonic())
        return left if timeout is None else min(timeout, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = list(dict.fromkeys(self._resolve(host, port)))
        except OSError as error:
            raise UnknownHostError(str(error)) from error
        if not all(map(self._allowed, addresses)):
            raise ForbiddenAddressError(host)
        failure: Exception = httpcore.ConnectError("no address")
        end = time.monotonic() + CONNECT_SECONDS
        for tried, address in enumerate(addresses[:MAX_ADDRESSES]):
            # One address that does not answer leaves time for the others.
            share = (end - time.monotonic()) / (min(len(addresses), MAX_ADDRESSES) - tried)
            try:
                stream = self._plain.connect_tcp(
                    address, port, max(0.01, self.remaining(share)), None, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self)
        raise failure


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends with the guard's deadline."""

    def __init__(self, stream: httpcore.NetworkStream, guard: Guard) -> None:
        self._stream = stream
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not (left := self._guard.remaining(timeout)):
            raise httpcore.ReadTimeout("time is over")
        return self._stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not (left := self._guard.remaining(timeout)):
            raise httpcore.WriteTimeout("time is over")
        self._stream.write(buffer, left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = max(0.01, self._guard.remaining(timeout))
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._guard)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Transport(httpx.HTTPTransport):
    """httpx over connections of a guard; proxies of the environment would pass it by."""

    def __init__(self, guard: Guard, verify: ssl.SSLContext | None = None) -> None:
        # httpx has no argument for the backend. Should the attribute change its name, every
        # request fails: none goes unguarded.
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify or httpx.create_ssl_context(trust_env=False),
            max_connections=4,
            keepalive_expiry=5.0,
            network_backend=guard,
        )
