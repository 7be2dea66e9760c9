"""One address asked for over HTTP: bounded, checked at every redirect, never a private network."""

from __future__ import annotations

import importlib.metadata
import logging
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple

import httpcore
import httpx

from assistant.errors import RefusedFileError
from ingest.web.addresses import PORTS, AddressError, host_of, join, port_of, refused, shown
from ingest.web.bodies import BodyError, TooLargeError, unpacked
from ingest.web.network import (
    CONNECT_SECONDS,
    Allowed,
    ForbiddenAddressError,
    Guard,
    Resolve,
    Transport,
    UnknownHostError,
    is_public,
    resolve,
)

logger = logging.getLogger(__name__)

MAX_REDIRECTS = 5
AGENT = "piano"
"""Name under which sites know the program, in robots.txt too."""
READ_SECONDS = 20.0
"""Longest silence of a server."""
_MAX_VALIDATOR = 1000
_ACCEPT = (
    "text/html,application/xhtml+xml,application/pdf,"
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document,"
    "application/vnd.oasis.opendocument.text,text/plain,text/markdown,*/*;q=0.1"
)

Rule = Callable[[str], "str | None"]
"""Why a canonical address may not be asked for (a predicate in Italian), None when it may."""


class UnreachableError(RefusedFileError):
    """The host is not known or does not answer; `why` is a predicate in Italian.

    `silent` is False where somebody answered, but cannot be trusted to be that host.
    """

    def __init__(self, url: str, current: str, why: str, *, silent: bool = True) -> None:
        refusal = refused(url, _at(url, current, why), "Controlla la rete e riprova più tardi.")
        super().__init__(refusal.message, remedy=refusal.remedy)
        self.host = host_of(current)
        self.why = why
        self.silent = silent


class RedirectLoopError(RefusedFileError):
    """More redirects than MAX_REDIRECTS."""


class HttpStatusError(RefusedFileError):
    """An answer that is neither the content nor a redirect."""

    def __init__(self, refusal: RefusedFileError, status: int) -> None:
        super().__init__(refusal.message, remedy=refusal.remedy)
        self.status = status


class Validators(NamedTuple):
    """What a server said of the version it sent, to be asked whether it has another."""

    etag: str = ""
    last_modified: str = ""

    def headers(self) -> dict[str, str]:
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


class Response(NamedTuple):
    url: str
    """Canonical address that answered, after redirects."""
    data: bytes | None
    """None: the version that the validators name is still the current one."""
    content_type: str
    disposition: str
    robots: str
    """The header X-Robots-Tag."""
    validators: Validators


class Fetcher:
    """Asks for one address at a time; keeps no cookies from one to the next."""

    def __init__(
        self,
        *,
        timeout_seconds: float,
        allowed: Allowed = is_public,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`timeout_seconds` is for one address, redirects included. `allowed`, `resolve` and
        `tls` let tests reach servers of their own."""
        self._seconds = timeout_seconds
        self._guard = Guard(allowed=allowed, resolve=resolve)
        self._client = httpx.Client(
            transport=Transport(self._guard, tls),
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
            headers={
                "User-Agent": f"{AGENT}/{importlib.metadata.version('piano')}",
                "Accept": _ACCEPT,
                "Accept-Language": "it, *;q=0.5",
                "Accept-Encoding": "gzip, deflate",
            },
        )

    def close(self) -> None:
        self._client.close()

    def fetch(
        self,
        url: str,
        *,
        max_bytes: int,
        rule: Rule = lambda _: None,
        known: tuple[str, Validators] | None = None,
        whole: bool = True,
        deadline: float = float("inf"),
    ) -> Response:
        """The content behind a canonical `url`; every address on the way is checked by `rule`.

        `known` is an address with the validators of the version known from it: they are sent to
        no other. `whole=False` takes the first `max_bytes` of a content that is longer.
        `deadline` is one of `time.monotonic`.

        Raises:
            UnreachableError: nobody answers there.
            RedirectLoopError: more than MAX_REDIRECTS.
            HttpStatusError: the answer is an error.
            RefusedFileError: too slow, too large, against the rule, or an address of the private
                network (which a link or a redirect could otherwise explore).
        """
        ports = {*PORTS.values(), port_of(url)}
        current = url
        with self._guard.until(min(deadline, time.monotonic() + self._seconds)):
            for _ in range(MAX_REDIRECTS + 1):
                why = rule(current)
                if port_of(current) not in ports:
                    why = "usa una porta che non è quella del web"
                if why is not None:
                    raise refused(url, _at(url, current, why))
                answer = self._ask(url, current, known, max_bytes, whole)
                if isinstance(answer, Response):
                    return answer
                current = answer
        refusal = refused(url, "rimanda troppe volte ad altri indirizzi")
        raise RedirectLoopError(refusal.message, remedy=refusal.remedy)

    def _ask(
        self,
        url: str,
        current: str,
        known: tuple[str, Validators] | None,
        max_bytes: int,
        whole: bool,
    ) -> Response | str:
        """What `current` answers, or the address that it redirects to."""
        conditions = known[1].headers() if known is not None and known[0] == current else {}
        try:
            with self._client.stream("GET", current, headers=conditions) as response:
                if "location" in response.headers and response.is_redirect:
                    return _redirected(url, current, response.headers["location"])
                if response.status_code == 304 and conditions:
                    return _response(current, None, response)
                if response.status_code != 200:
                    raise _status_error(url, current, response.status_code)
                return _response(current, _body(response, max_bytes, whole), response)
        except BodyError as error:
            raise refused(url, _at(url, current, str(error))) from error
        except ForbiddenAddressError as error:
            why = "è un indirizzo della rete privata"
            raise refused(url, _at(url, current, why)) from error
        except (UnknownHostError, httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _unreachable(url, current, error) from error
        except httpx.TimeoutException as error:
            raise refused(url, _at(url, current, "è troppo lento"), _LATER) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpcore.ProtocolError, OSError) as error:
            logger.info("%s: %s", shown(current), error)
            why = "non risponde come dovrebbe"
            raise refused(url, _at(url, current, why), _LATER) from error
        finally:
            self._client.cookies.clear()


_LATER = "Riprova più tardi, o scarica il file e ingerisci quello."
_STATUSES = {
    401: "chiede una password",
    403: "nega l'accesso",
    404: "non esiste più",
    410: "non esiste più",
    429: "chiede di rallentare",
    503: "in questo momento non è disponibile",
}


def _redirected(url: str, current: str, location: str) -> str:
    try:
        return join(current, location)
    except AddressError as error:
        raise refused(url, f"rimanda a «{shown(location)}», che {error}") from error


def _body(response: httpx.Response, max_bytes: int, whole: bool) -> bytes:
    declared = response.headers.get("content-length", "")
    if whole and declared.isascii() and declared.isdigit() and int(declared[:18]) > max_bytes:
        raise TooLargeError(f"supera il limite di {max_bytes / 1_000_000:g} MB")
    encoding = response.headers.get("content-encoding", "").strip().lower()
    data = bytearray()
    try:
        for block in unpacked(response.iter_raw(), encoding, max_bytes):
            data += block
    except TooLargeError:
        if whole:
            raise
    return bytes(data)


def _response(url: str, data: bytes | None, response: httpx.Response) -> Response:
    headers = response.headers
    return Response(
        url,
        data,
        headers.get("content-type", ""),
        headers.get("content-disposition", ""),
        headers.get("x-robots-tag", ""),
        Validators(_validator(headers.get("etag")), _validator(headers.get("last-modified"))),
    )


def _validator(value: str | None) -> str:
    usable = value is not None and len(value) <= _MAX_VALIDATOR and value.isascii()
    return value if value is not None and usable and value.isprintable() else ""


def _status_error(url: str, current: str, status: int) -> HttpStatusError:
    why = f"{_STATUSES.get(status, 'non dà il documento')} (errore {status})"
    remedy = _LATER if status in (429, 500, 502, 503, 504) else "Cerca il documento sul sito."
    return HttpStatusError(refused(url, _at(url, current, why), remedy), status)


def _unreachable(url: str, current: str, error: Exception) -> UnreachableError:
    if isinstance(error, UnknownHostError):
        why = "non si trova: il sito non esiste o la rete non c'è"
    elif "CERTIFICATE_VERIFY_FAILED" in str(error):
        why = "non si può raggiungere: il suo certificato non è valido"
        return UnreachableError(url, current, why, silent=False)
    else:
        why = "non si può raggiungere: il sito non risponde"
    return UnreachableError(url, current, why)


def _at(url: str, current: str, why: str) -> str:
    return why if current == url else f"rimanda a «{shown(current)}», che {why}"
