"""Web addresses: one spelling for each, and which are inside a folder of a site."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from assistant.errors import RefusedFileError

PORTS = {"http": 80, "https": 443}
MAX_CHARS = 4000
SHOWN_CHARS = 200

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_PAGE_SUFFIX = re.compile(r"\.[A-Za-z]{1,6}")
_REMEDY = "Controllalo, o scarica il file e ingerisci quello."


class AddressError(ValueError):
    """Why an address is none that may be asked for: a predicate in Italian, as in «non è …»."""


class Site(NamedTuple):
    """A folder of a site: the addresses under it are the only ones that a crawl may ask for."""

    scheme: str
    host: str
    port: int
    folder: str
    """Path that begins and ends with a slash."""

    def holds(self, url: str) -> bool:
        """Whether a canonical address is the folder itself or below it; HTTPS is as good."""
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
        upgraded = self.port == PORTS[self.scheme] and port == PORTS["https"]
        if parts.scheme == self.scheme:
            same = port == self.port
        else:
            same = parts.scheme == "https" and upgraded
        below = parts.path.startswith(self.folder) or parts.path == self.folder[:-1]
        return same and parts.hostname == self.host and below


def canonical(url: str) -> str:
    """The one spelling of an address, without fragment; raises AddressError.

    Letters of scheme and host are lowered, the scheme's own port dropped, `.` and `..` resolved
    also where they are written `%2e`, needless escapes undone (RFC 3986, section 6.2.2).
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
    except ValueError as error:  # a port out of range, brackets that do not close, an odd host
        raise AddressError("non è scritto come un indirizzo web") from error
    if parts.scheme not in PORTS:
        raise AddressError("non è un indirizzo http o https")
    if parts.username is not None or parts.password is not None:
        raise AddressError("contiene un nome utente o una password, che non si mandano")
    if len(url) > MAX_CHARS or port == 0 or not _is_host(host) or "\\" in url:
        raise AddressError("non è scritto come un indirizzo web")
    host = f"[{host}]" if ":" in host else host
    netloc = host if port in (None, PORTS[parts.scheme]) else f"{host}:{port}"
    return urlunsplit((parts.scheme, netloc, _path(parts.path), _escaped(parts.query), ""))


def join(base: str, link: str) -> str:
    """The canonical address that `link` means on the page at `base`; raises AddressError."""
    try:
        return canonical(urljoin(base, link.strip()))
    except ValueError as error:
        if isinstance(error, AddressError):
            raise
        raise AddressError("non è scritto come un indirizzo web") from error


def site_of(url: str) -> Site:
    """The folder that a canonical address opens: `/a/`, `/a` and `/a/index.html` open `/a/`."""
    parts = urlsplit(url)
    folder, _, last = parts.path.rpartition("/")
    # Many sites serve folders without the slash at the end; a page has a suffix.
    if last and not _PAGE_SUFFIX.fullmatch(PurePosixPath(last).suffix):
        folder = parts.path
    port = parts.port or PORTS[parts.scheme]
    return Site(parts.scheme, parts.hostname or "", port, folder.rstrip("/") + "/")


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def port_of(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or PORTS[parts.scheme]


def last_name(url: str) -> str:
    """The last part of the path, as a file name; empty for a folder."""
    return PurePosixPath(unquote(urlsplit(url).path)).name


def without_password(url: str) -> str:
    """An address as it was given, but for the name and password it may carry."""
    found = re.match(r"([^/]*:)?//([^/?#]*@)", url)
    return url[: found.start(2)] + "***@" + url[found.end(2) :] if found else url


def shown(url: str) -> str:
    """An address fit for a message: on one line, not too long, without its password."""
    text = "".join(c if c.isprintable() else "\ufffd" for c in without_password(url))
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"


def refused(url: str, why: str, remedy: str = _REMEDY) -> RefusedFileError:
    return RefusedFileError(f"L'indirizzo «{shown(url)}» {why}.", remedy=remedy)


def _is_host(host: str) -> bool:
    """A name, an IPv6 address, or an IPv4 one in the usual spelling: no `0x7f.1`, no `127.1`."""
    if ":" in host:
        return True  # urlsplit has checked what stands between brackets
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or len(host) > 253:
        return False
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):
        usual = re.compile(r"0|[1-9]\d{0,2}")
        return len(labels) == 4 and all(usual.fullmatch(x) and int(x) < 256 for x in labels)
    return True


def _path(path: str) -> str:
    parts: list[str] = []
    segments = _escaped(path).split("/")[1:]
    for segment in segments:
        if segment == "..":
            del parts[-1:]
        elif segment != ".":
            parts.append(segment)
    if segments and segments[-1] in (".", ".."):
        parts.append("")
    return "/" + "/".join(parts)


def _escaped(text: str) -> str:
    def simplest(found: re.Match[str]) -> str:
        character = chr(int(found[1], 16))
        return character if _UNRESERVED.fullmatch(character) else found[0].upper()

    return quote(_ESCAPE.sub(simplest, text), safe="%/:?@!$&'()*+,;=[]~|")
