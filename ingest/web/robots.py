"""What a site asks of programs that visit it: robots.txt, as RFC 9309 has it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from assistant.errors import RefusedFileError
from ingest.web.addresses import AddressError, join
from ingest.web.fetch import AGENT, Fetcher, HttpStatusError, RedirectLoopError, UnreachableError

MAX_BYTES = 512_000
"""What stands after is not read; the standard asks for 500 kibibytes at least."""
MAX_DELAY_SECONDS = 30.0

_TOKEN = re.compile(r"[A-Za-z_-]+|\*")


@dataclass(slots=True)
class Policy:
    """The rules of one site for this program: (pattern, whether it allows)."""

    rules: list[tuple[str, bool]] = field(default_factory=list)
    delay_seconds: float = 0.0
    """From `Crawl-delay`, which many sites use though no standard has it."""
    unread: str = ""
    """Why the file, which is there or may be, could not be read: nothing may be visited."""

    def refusal(self, url: str) -> str | None:
        """Why a canonical address is not to be visited; of all rules the longest one decides."""
        if self.unread:
            return f"non si visita: {self.unread}"
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        if target == "/robots.txt":
            return None
        fitting = [(len(p), allows) for p, allows in self.rules if matches(p, target)]
        if fitting and not max(fitting)[1]:
            return "è chiuso ai programmi dal robots.txt del sito"
        return None


class Robots:
    """The policies of the sites met in one run, each read once."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._policies: dict[str, Policy | UnreachableError] = {}

    def policy(self, url: str, deadline: float) -> Policy:
        """Raises UnreachableError when nobody answers there."""
        address = join(url, "/robots.txt")
        if address not in self._policies:
            self._policies[address] = self._read(address, deadline)
        found = self._policies[address]
        if isinstance(found, UnreachableError):
            raise found
        return found

    def _read(self, address: str, deadline: float) -> Policy | UnreachableError:
        try:
            response = self._fetcher.fetch(
                address, max_bytes=MAX_BYTES, whole=False, deadline=deadline
            )
        except UnreachableError as error:
            return error
        except HttpStatusError as error:
            # 4xx: there is no such file, and all may be visited; not so when asked to slow down.
            absent = 400 <= error.status < 500 and error.status != 429
            return Policy() if absent else _unread(error)
        except RedirectLoopError:
            return Policy()  # as if there were none (section 2.3.1.2)
        except RefusedFileError as error:
            return _unread(error)
        return parse((response.data or b"").decode("utf-8", "replace"), response.url)


def parse(text: str, url: str = "http://localhost/") -> Policy:
    """The rules for this program: those of its own groups, else those of everyone's."""
    groups: dict[str, Policy] = {}
    current: list[Policy] = []
    naming = False
    for line in text.lstrip("\ufeff").splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon:
            continue
        if name == "user-agent":
            token = _TOKEN.match(value)
            current = current if naming else []
            current.append(groups.setdefault(token[0].lower() if token else "", Policy()))
            naming = True
        elif name in ("allow", "disallow"):
            naming = False
            if value:
                rule = _pattern(value, url), name == "allow"
                for group in current:
                    group.rules.append(rule)
        elif name == "crawl-delay":
            naming = False
            for group in current:
                group.delay_seconds = _seconds(value)
    return groups.get(AGENT) or groups.get("*") or Policy()


def matches(pattern: str, target: str) -> bool:
    """Whether `target` begins as the pattern says: `*` is anything, a final `$` the end."""
    whole = pattern.endswith("$")
    first, *pieces = (pattern[:-1] if whole else pattern).split("*")
    if not target.startswith(first):
        return False
    if not pieces:
        return not whole or len(target) == len(first)
    place = len(first)
    for piece in pieces[:-1] if whole else pieces:
        found = target.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return not whole or (target.endswith(pieces[-1]) and len(target) - len(pieces[-1]) >= place)


def _unread(error: RefusedFileError) -> Policy:
    why = error.message.removesuffix(".")
    return Policy(unread=why[:1].lower() + why[1:])


def _pattern(value: str, url: str) -> str:
    """A path spelt as canonical addresses are, so that both can be compared."""
    if "*" in value or "$" in value or "?" in value:
        return value
    try:
        parts = urlsplit(join(url, value if value.startswith("/") else f"/{value}"))
    except AddressError:
        return value
    return parts.path


def _seconds(value: str) -> float:
    try:
        return min(max(0.0, float(value)), MAX_DELAY_SECONDS)
    except ValueError:
        return 0.0
