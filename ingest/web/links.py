"""Where an HTML page leads, and what it asks of programs that read it."""

from __future__ import annotations

import re
from typing import NamedTuple

from ingest.web.addresses import AddressError, join

MAX_BYTES = 4_000_000
"""Of a page; links that come later are not seen."""
MAX_LINKS = 5_000


class Reading(NamedTuple):
    links: tuple[str, ...]
    """Canonical addresses in the order of the page, each once; none marked `nofollow`."""
    takeable: bool
    """Whether the page may be taken."""


def read_links(data: bytes, url: str, robots: str = "") -> Reading:
    """Links of the page that was found at `url`; `robots` is the header X-Robots-Tag."""
    from lxml import etree
    from lxml import html as lxml_html

    parser = lxml_html.HTMLParser(remove_comments=True, remove_pis=True, huge_tree=False)
    words = directives(robots)
    try:
        root = lxml_html.document_fromstring(data[:MAX_BYTES].replace(b"\x00", b""), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, LookupError):
        return Reading((), "noindex" not in words)
    base = url
    for meta in root.iter("meta", "base"):
        if meta.tag == "meta" and (meta.get("name") or "").strip().lower() in ("robots", "piano"):
            words |= directives(meta.get("content") or "")
        elif meta.tag == "base" and base == url and meta.get("href"):
            base = _joined(url, meta.get("href")) or url
    if "nofollow" in words:
        return Reading((), "noindex" not in words)
    found: dict[str, None] = {}
    for anchor in root.iter("a", "area"):
        link, relation = anchor.get("href"), (anchor.get("rel") or "").lower().split()
        if link and "nofollow" not in relation and (address := _joined(base, link)):
            found.setdefault(address)
        if len(found) >= MAX_LINKS:
            break
    return Reading(tuple(found), "noindex" not in words)


def directives(text: str) -> set[str]:
    """The words of a robots meta or header that concern this program; `none` is both."""
    words: set[str] = set()
    agent = ""
    for part in text.lower().split(","):
        # In the header "bot: noindex, nofollow" is for one program, until the next name.
        named = re.match(r"\s*([\w-]+)\s*:(?!\s*\d)\s*(.*)", part, re.DOTALL)
        if named and named[1] not in ("unavailable_after", "max-snippet", "max-image-preview"):
            agent, part = named[1], named[2]
        if agent in ("", "piano"):
            words.add(part.strip())
    return words | ({"noindex", "nofollow"} if "none" in words else set())


def _joined(base: str, link: str) -> str | None:
    try:
        return join(base, link)
    except AddressError:  # mailto:, javascript:, or nothing that makes sense
        return None
