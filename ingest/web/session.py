"""The web addresses of one ingest: each asked for once, politely, and kept on disk meanwhile."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import NamedTuple

from assistant.errors import NotFoundError, RefusedFileError
from assistant.index.catalog import Source
from assistant.index.files import sha256
from assistant.index.generation import GenerationStore
from assistant.settings import Settings
from ingest.web.addresses import AddressError, canonical, host_of, last_name, refused
from ingest.web.bodies import BodyError, file_name, in_utf8
from ingest.web.fetch import Fetcher, HttpStatusError, Response, Rule, UnreachableError, Validators
from ingest.web.robots import Policy, Robots
from ingest.web.visits import Visit, load_visits, save_visits

OFFLINE_AFTER = 3
"""So many domains that cannot be reached, and none that can, mean that there is no network.

Domains and not hosts: all sites of one body may be out of order together.
"""

_FOLDER = ".fetched"
_LATER = "Controlla la rete e riprova più tardi."


class Page(NamedTuple):
    """What an address held: a file on disk until the ingest ends."""

    name: str
    """File name whose suffix says the format."""
    path: Path
    url: str
    """Canonical address that answered, after redirects."""
    robots: str
    """The header X-Robots-Tag."""


class Web:
    """Used under the writer's lock, by one thread; `close` takes away what it kept."""

    def __init__(
        self,
        settings: Settings,
        store: GenerationStore,
        current: Mapping[str, str],
        fetcher: Fetcher,
    ) -> None:
        """`current` tells the document that the index holds for each location."""
        self._settings = settings
        self._store = store
        self._current = current
        self._fetcher = fetcher
        self._robots = Robots(fetcher)
        self._folder = settings.data_dir / _FOLDER
        self._deadline = time.monotonic() + settings.web_total_seconds
        self._known = load_visits(settings.data_dir)
        self._visited: dict[str, Visit] = {}
        self._pages: dict[str, Page | RefusedFileError] = {}
        self._down: set[str] = set()
        self._reached = False
        self._next: dict[str, float] = {}
        self._delays: dict[str, float] = {}
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)

    def close(self) -> None:
        self._fetcher.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def get(self, url: str, rule: Rule = lambda _: None) -> Page:
        """What the address holds; asked again in the same run, the same page or error.

        Raises:
            RefusedFileError: nothing there that can be taken, or not allowed by `rule`.
        """
        if url not in self._pages:
            try:
                self._pages[url] = self._take(url, rule)
            except RefusedFileError as error:
                self._pages[url] = error
        found = self._pages[url]
        if isinstance(found, RefusedFileError):
            raise found
        return found

    def policy(self, url: str) -> Policy:
        """What the site of `url` asks of programs; raises UnreachableError."""
        try:
            policy = self._robots.policy(url, self._deadline)
        except UnreachableError as error:
            raise UnreachableError(url, url, error.why, silent=error.silent) from error
        self._reached = self._reached or not policy.unread
        self._delays[host_of(url)] = policy.delay_seconds
        return policy

    def remember(self, sources: Iterable[Source]) -> None:
        """Keeps, for the addresses among `sources`, what will tell whether they have changed."""
        held = {source.location: source.document_id for source in sources}
        visits = {
            url: visit
            for url, visit in (self._known | self._visited).items()
            if held.get(url) == visit.document_id and (visit.etag or visit.last_modified)
        }
        if visits != self._known:
            save_visits(self._settings.data_dir, visits)

    def _take(self, url: str, rule: Rule) -> Page:
        try:
            url = canonical(url)
        except AddressError as error:
            raise refused(url, str(error)) from error
        host = host_of(url)
        self._check_hope(url, host)
        known = self._conditions(url)
        self._pause(host)
        try:
            response = self._fetcher.fetch(
                url,
                max_bytes=self._settings.max_file_mb * 1_000_000,
                rule=rule,
                known=known,
                deadline=self._deadline,
            )
            self._reached = True
        except UnreachableError as error:
            self._down.add(error.host)
            self._reached = self._reached or not error.silent
            raise
        except HttpStatusError:
            self._reached = True
            raise
        finally:
            self._next[host] = time.monotonic() + self._delay(host)
        return self._kept(url, response) if response.data is None else self._new(url, response)

    def _check_hope(self, url: str, host: str) -> None:
        """Raises RefusedFileError where asking is no use: it would only cost time."""
        if time.monotonic() >= self._deadline:
            raise refused(url, "non è stato chiesto: il tempo è finito", _SLOW)
        domains = {tuple(down.split(".")[-2:]) for down in self._down}
        if not self._reached and len(domains) >= OFFLINE_AFTER:
            raise refused(url, "non è stato chiesto: sembra che la rete non ci sia", _LATER)
        if host in self._down:
            raise refused(url, "non è stato chiesto: il suo sito non risponde", _LATER)

    def _pause(self, host: str) -> None:
        """Waits until the host may be asked again."""
        now = time.monotonic()
        time.sleep(max(0.0, min(self._next.get(host, now), self._deadline) - now))

    def _delay(self, host: str) -> float:
        return max(self._settings.web_delay_seconds, self._delays.get(host, 0.0))

    def _conditions(self, url: str) -> tuple[str, Validators] | None:
        """The validators of the version in the index, if its original is there to be used."""
        visit = self._known.get(url)
        if visit is None or self._current.get(url) != visit.document_id:
            return None
        try:
            whole = sha256(self._store.original(visit.document_id)) == visit.document_id
        except (NotFoundError, OSError):
            return None
        return (visit.final, visit.validators) if whole else None

    def _kept(self, url: str, response: Response) -> Page:
        path = self._store.original(self._known[url].document_id)
        name = last_name(response.url) or "pagina"
        if PurePath(name).suffix.lower() != path.suffix:
            name += path.suffix
        return Page(name, path, response.url, response.robots)

    def _new(self, url: str, response: Response) -> Page:
        data = response.data or b""
        try:
            name = file_name(
                last_name(response.url), data, response.content_type, response.disposition
            )
        except BodyError as error:
            raise refused(url, str(error)) from error
        if not name.lower().endswith((".pdf", ".docx", ".odt")):
            data = in_utf8(data, response.content_type)
        path = self._folder / hashlib.sha256(url.encode()).hexdigest()
        path.write_bytes(data)
        document_id = hashlib.sha256(data).hexdigest()
        self._visited[url] = Visit(document_id, response.url, *response.validators)
        return Page(name, path, response.url, response.robots)


_SLOW = "Riprova, indica meno indirizzi o alza PIANO_WEB_TOTAL_SECONDS."
