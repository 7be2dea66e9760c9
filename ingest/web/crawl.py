"""Pages and documents of one folder of a site, by the links between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from assistant.errors import RefusedFileError
from assistant.index.progress import Progress
from ingest.formats.reading import READERS
from ingest.sources import Found
from ingest.web.addresses import AddressError, Site, canonical, host_of, last_name, port_of, site_of
from ingest.web.links import Reading, read_links
from ingest.web.session import Page, Web

_NO_DOCUMENTS = """
avi bmp bz2 css csv dmg doc epub exe gif gz ico ics jpeg jpg js json kml m4a mov mp3 mp4 mpeg mpg
msi odp ods ogg p7m png ppt pptx rar rss rtf shp svg tar tgz tif tiff vcf wav webm webp wmv woff
woff2 xls xlsm xlsx xml zip 7z
"""
"""Suffixes of what is surely not read: it is listed, and not transferred."""

NOINDEX = "La pagina chiede ai programmi di non prenderla (noindex)."
_LISTED_AT_MOST = 100


def visit(start: Found, web: Web) -> Found:
    """An address of a list, asked for as programs should; refused where it has moved.

    A page elsewhere, or the home page in the place of a missing one, is not what the list means.
    """
    host, port = host_of(start.location).removeprefix("www."), port_of(start.location)

    def rule(address: str) -> str | None:
        if address != start.location:
            there = host_of(address).removeprefix("www."), port_of(address) in (port, 443)
            if there != (host, True):
                return "è un altro sito: la fonte si è spostata"
            if address.count("/") == 3 and address.endswith("/"):
                return "è la pagina iniziale del sito: la fonte non c'è più"
        return web.policy(address).refusal(address)

    try:
        page = web.get(start.location, rule)
    except RefusedFileError:
        return start
    return start if _links(page).takeable else _skipped(start.location, NOINDEX)


class Crawl:
    """One visit of a folder; the pages stay in `web`, what became of each is what `run` yields."""

    def __init__(self, start: Found, *, depth: int, max_pages: int, web: Web) -> None:
        """`depth` is the number of links from the start; 0 is the start alone."""
        self._start = start
        self._depth = depth
        self._max_pages = max_pages
        self._web = web
        self._site: Site = site_of(start.location)

    def run(self, progress: Progress) -> Iterator[Found]:
        """Each address of the folder once, in the order of discovery."""
        waiting = deque([(self._start.location, 0)])
        seen = {self._start.location}
        asked = 0
        while waiting:
            url, level = waiting.popleft()
            if level and (why := self._unwanted(url)):
                yield _skipped(url, why)
                continue
            if asked == self._max_pages:
                waiting.appendleft((url, level))
                break
            asked += 1
            found = Found(url, url, None) if level else self._start
            try:
                page = self._web.get(url, self._rule)
            except RefusedFileError:
                yield found  # loading it gives the reason again
                progress.advance()
                continue
            progress.advance()
            seen.add(page.url)
            reading = _links(page)
            yield found if reading.takeable else _skipped(url, NOINDEX)
            if level < self._depth:
                for link in reading.links:
                    if link not in seen and self._site.holds(link):
                        seen.add(link)
                        waiting.append((link, level + 1))
        yield from self._left([url for url, _ in waiting])

    def _rule(self, address: str) -> str | None:
        if not self._site.holds(address):
            return f"è fuori dalla cartella {self._site.folder} del sito {self._site.host}"
        return self._web.policy(address).refusal(address)

    def _unwanted(self, url: str) -> str | None:
        suffix = PurePosixPath(last_name(url)).suffix.lower()
        if suffix.removeprefix(".") in _NO_DOCUMENTS.split() and suffix not in READERS:
            return f"I file {suffix} non si leggono."
        try:
            why = self._web.policy(url).refusal(url)
        except RefusedFileError:
            return None
        return f"L'indirizzo {why}." if why else None

    def _left(self, urls: list[str]) -> Iterator[Found]:
        why = f"Non visitato: il limite è di {self._max_pages} pagine (PIANO_WEB_MAX_PAGES)."
        for number, url in enumerate(urls[:_LISTED_AT_MOST], start=1):
            more = len(urls) - _LISTED_AT_MOST
            last = number == _LISTED_AT_MOST and more > 0
            yield _skipped(url, f"{why} Come questo, altri {more}." if last else why)


def expand(
    found: Iterable[Found],
    web: Web,
    *,
    depth: int,
    max_pages: int,
    listed: bool,
    progress: Progress,
) -> list[Found]:
    """`found` with each address crawled, or with `listed` visited as one of a list."""
    known: dict[str, Found] = {}
    for item in found:
        items: Iterable[Found] = [item]
        if item.path is None and _is_address(item.location):
            if listed:
                items = [visit(item, web)]
                progress.advance()
            else:
                items = Crawl(item, depth=depth, max_pages=max_pages, web=web).run(progress)
        for one in items:
            known.setdefault(one.location, one)
    return list(known.values())


def _is_address(location: str) -> bool:
    try:
        canonical(location)
    except AddressError:  # asking for it gives the reason
        return False
    return True


def _links(page: Page) -> Reading:
    """What a page says to programs; a document that is no page says it in the header only."""
    if READERS.get(PurePosixPath(page.name).suffix.lower()) != "html":
        return Reading((), read_links(b"<html></html>", page.url, page.robots).takeable)
    return read_links(page.path.read_bytes(), page.url, page.robots)


def _skipped(url: str, why: str) -> Found:
    return Found(url, url, None, why)
