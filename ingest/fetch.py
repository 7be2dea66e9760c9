"""One document from the web: bounded, and never from a private network."""

from __future__ import annotations

import ipaddress
import socket
import time
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from assistant.errors import RefusedFileError
from ingest.formats import READERS

MAX_REDIRECTS = 5
_SUFFIXES = {
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
}


class Fetched(NamedTuple):
    data: bytes
    name: str
    """File name whose suffix says the format."""


def fetch(
    url: str, *, max_bytes: int, timeout_seconds: float, allow_private: bool = False
) -> Fetched:
    """The content behind `url`; redirects are followed, each one checked anew.

    `allow_private` lets tests reach a server of their own on loopback.

    Raises:
        RefusedFileError: unreachable, too slow, too large, of a format that is not read, or an
            address of the private network (which a link in a document could otherwise explore).
    """
    import httpx

    deadline = time.monotonic() + timeout_seconds
    current = url
    try:
        # Proxies of the environment would reach addresses that are checked here in vain.
        with httpx.Client(timeout=min(timeout_seconds, 30.0), trust_env=False) as client:
            for _ in range(MAX_REDIRECTS + 1):
                request = _request(client, current, allow_private=allow_private)
                response = client.send(request, stream=True)
                try:
                    if response.is_redirect:
                        current = urljoin(current, response.headers["location"])
                        continue
                    return _receive(response, current, max_bytes, deadline)
                finally:
                    response.close()
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, KeyError) as error:
        raise _refused(url, f"non risponde ({str(error)[:120]})") from error
    raise _refused(url, "rimanda troppe volte ad altri indirizzi")


def _request(client, url: str, *, allow_private: bool):  # type: ignore[no-untyped-def]
    """A request to the very address that was checked, so that a second look-up cannot differ."""
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host:
        raise _refused(url, "non è un indirizzo http o https")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _refused(url, "non esiste o la rete non c'è") from error
    address = str(found[0][4][0])
    if not allow_private and not ipaddress.ip_address(address.partition("%")[0]).is_global:
        raise _refused(url, "è un indirizzo della rete privata")
    netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    target = parts._replace(netloc=netloc, fragment="").geturl()
    headers = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "piano"}
    return client.build_request("GET", target, headers=headers, extensions={"sni_hostname": host})


def _receive(response, url: str, max_bytes: int, deadline: float) -> Fetched:  # type: ignore[no-untyped-def]
    if response.status_code != 200:
        raise _refused(url, f"risponde con l'errore {response.status_code}")
    data = bytearray()
    for block in response.iter_bytes():
        data += block
        if len(data) > max_bytes:
            raise _refused(url, f"supera il limite di {max_bytes / 1_000_000:g} MB")
        if time.monotonic() > deadline:
            raise _refused(url, "è troppo lento")
    return Fetched(bytes(data), _name(url, response.headers.get("content-type", "")))


def _name(url: str, content_type: str) -> str:
    """The last part of the address, with the suffix that the server's content type calls for."""
    last = PurePosixPath(unquote(urlsplit(url).path)).name or "pagina"
    suffix = _SUFFIXES.get(content_type.partition(";")[0].strip().lower())
    if suffix is None or READERS.get(PurePosixPath(last).suffix.lower()) == READERS[suffix]:
        return last
    return last + suffix


def _refused(url: str, why: str) -> RefusedFileError:
    return RefusedFileError(
        f"L'indirizzo «{url[:200]}» {why}.",
        remedy="Controllalo, o scarica il file e ingerisci quello.",
    )
