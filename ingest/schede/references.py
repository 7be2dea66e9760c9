"""Which regional schede a sheet refers to, and which of them prevails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from assistant.models import Quote
from assistant.record_models import SchedaReference
from ingest.schede.flow import Flow

NUMBER = r"(?:[A-Z]{1,2}\s?[-.]\s?)?\d{1,3}(?:\s?(?:bis|ter|quater))?(?![\d/]|[.,]\d)"
_NAME = (
    r"(?:[Ss]ched[ae]|SCHED[AE])(?:\s+(?:attuativ[ae]|regional[ei]|dimostrativ[ae]|tematic[ahe]+))*"
)
_REFERENCE = re.compile(
    rf"(?:(?P<name>{_NAME})\s*)?(?:(?:nn?|N|nr|num)\s*[.°º]\s*|numer[oi]\s+)?(?<![\w/.,])(?P<number>{NUMBER})"
    r"(?!\w)"
)
_OPENS = re.compile(r"(?:^|[;\n,/+&(:]|\s(?:e|ed)|(?:[Pp]revalent[ei]|PREVALENT[EI])\s*:?)\s*$")
_CLOSES = re.compile(r"\s*(?:$|[;\n,/+&().:|*]|[-–—](?:\s|$)|(?:e|ed)\s|[A-ZÀ-Ý«\"]|prevalent)")
_MAIN = re.compile(r"[\s(,;–-]*\b(?:prevalent[ei]|principale)\b(?!\s*:?\s*[\w-]*\d)", re.IGNORECASE)
_SAID_MAIN = re.compile(r"prevalent[ei]|principale", re.IGNORECASE)
_EDGE = " \n-–—:.,;|*"
_CONNECTIVES = (" e", " ed", " altra", " altre", " anche")
_NEXT = re.compile(r"\s[A-ZÀ-Ý«\"]")
_LAW = re.compile(
    r"(?:\b(?:n|art|legge|l\.?r|dgr|dal|agenda|misura|del|dell)\.?\s*)$", re.IGNORECASE
)


class _Mention(NamedTuple):
    number: str
    start: int
    end: int
    title_end: int


def key_of(number: str) -> str:
    """By which two spellings of one number are compared: "D-12", "D 12"."""
    return re.sub(r"[\s.-]", "", number).lower().lstrip("0")


def read_references(field: Flow, main_field: Flow) -> tuple[SchedaReference, ...]:
    """The schede named in the field of references, and in the one of the prevailing scheda."""
    found: dict[str, SchedaReference] = {}
    for flow, prevailing in ((field, False), (main_field, True)):
        for mention in _mentions(flow.text):
            reference = _made(flow, mention, main=prevailing)
            key = key_of(mention.number)
            known = found.get(key)
            if known is None:
                found[key] = reference
            elif reference.main or (reference.title and not known.title):
                quotes: tuple[Quote, ...] = (*known.quotes, *reference.quotes)
                title = known.title or reference.title
                main = known.main or reference.main
                found[key] = SchedaReference(known.number, title, main, quotes)
    return tuple(found.values())


def _made(flow: Flow, mention: _Mention, *, main: bool) -> SchedaReference:
    text = flow.text
    end = mention.title_end
    said = text[max(0, mention.start - 16) : mention.start]
    main = main or bool(re.search(r"prevalent[ei]\s*:?\s*$", said, re.IGNORECASE))
    if told := _MAIN.search(text, mention.end, end):
        main, end = True, told.start()
    title = _without_tail(text[mention.end : end])
    end = mention.end + len(title)
    title = title.lstrip(_EDGE)
    if ")" in title and "(" not in title:
        end, title = mention.end, ""  # what closes "(prevalente D-12)"
    if title.startswith("(") and title.endswith(")"):
        title = title[1:-1]
    return SchedaReference(
        " ".join(mention.number.split()), " ".join(title.split()), main,
        flow.quotes(mention.start, end),
    )  # fmt: skip


def _without_tail(title: str) -> str:
    """The title without the marks and words that only lead to the next one."""
    while True:
        shorter = title.rstrip(_EDGE + "(+&/")
        shorter = next((shorter[: -len(c)] for c in _CONNECTIVES if shorter.endswith(c)), shorter)
        if shorter == title:
            return title
        title = shorter


def _mentions(text: str) -> Iterator[_Mention]:
    """Numbers that open an item or follow the word "scheda"; others belong to titles."""
    matches: list[re.Match[str]] = []
    for match in _REFERENCE.finditer(text):
        named = match["name"] is not None
        opens = bool(_OPENS.search(text, max(0, match.start() - 20), match.start()))
        if not opens and matches and text[match.start() - 1] == " " and match["number"].isdigit():
            # A cell loses its line breaks: "21 Anziani non autosufficienti 15 Primi 1000 giorni".
            opens = bool(_NEXT.match(text, match.end())) and not _LAW.search(
                text[max(0, match.start() - 16) : match.start()]
            )
        if not (opens or named) or not (named or _CLOSES.match(text, match.end())):
            continue
        before = text[: match.start()]
        if before.count("(") > before.count(")") and not _SAID_MAIN.search(before[-16:]):
            continue
        matches.append(match)
    for at, match in enumerate(matches):
        limit = matches[at + 1].start() if at + 1 < len(matches) else len(text)
        # An opened parenthesis that names the prevailing scheda ends the title before it.
        aside = re.search(r"\(\s*prevalent[ei]\s*:?\s*$", text[match.end() : limit], re.IGNORECASE)
        if aside:
            limit = match.end() + aside.start()
        start = match.start("name") if match["name"] else match.start("number")
        yield _Mention(match["number"], start, match.end("number"), limit)
