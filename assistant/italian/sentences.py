"""Where Italian sentences begin and end, with exact offsets.

Made for administrative prose: law references, abbreviated titles, dates and amounts do not end a
sentence. In canonical text a newline is always a real break, so no sentence crosses one, but for
the newline that joins two spans of a passage (`passage_sentences`).
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple

from assistant.models import Passage

# A run of stops and the closing marks behind it. Possessive: each character is looked at once.
_STOP = re.compile(r"[.!?…]++[\"»”’')\]]*+")
_BULLET = re.compile(r"[•▪◦‣·●○■□➢➤✓\uf0b7\uf0a7\uf0d8*–—-](?=\s)")
_OPENING = "\"«“‘'([–—-•▪ \t\u00a0\u2009\u202f"
_DOTTED = re.compile(r"(?:[^\W\d_]{1,4}\.)+[^\W\d_]{0,4}\.?$")
_ENUMERATOR = re.compile(r"(?:\d{1,2}(?:\.\d{1,2})*|[ivxIVX]{1,4}|[a-zA-Z])\.$")
_GLUED = re.compile(r"(?<=[^\W\d_]{3})\.(?=[A-ZÀ-Ý][a-zà-ÿ]*[\s’'])")
_WORD = re.compile(r"[^\W\d_]+")
_TOKEN_REACH = 40
"""Longest token looked at before a stop, in characters."""
_TERMINAL = ".!?…:;"
_CLOSERS = "\"»”’')]"


class _Words(NamedTuple):
    never_final: frozenset[str]
    maybe_final: frozenset[str]
    before_letter: frozenset[str]
    openers: frozenset[str]
    numbered: frozenset[str]


@cache
def _words() -> _Words:
    file = resources.files("assistant.italian").joinpath("abbreviations.toml")
    lists = tomllib.loads(file.read_text(encoding="utf-8"))
    return _Words(*(frozenset(lists[name]) for name in _Words._fields))


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Half-open spans of the sentences of `text`, in order, stripped and never empty.

    A bullet at the start of a line is left out of its sentence; a line without a letter or digit
    holds none. Time is linear in the length of `text`.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        _split_line(text, start, end, spans)
        start = end + 1
    return spans


def passage_sentences(passage: Passage) -> list[tuple[int, int]]:
    """Spans in `passage.text` of its sentences, headings and what leads in left out.

    A sentence that runs on from one span to the next (over a page break or a running header) is
    one sentence here; `passage.quotes` then gives a quote for each page.
    """
    joins: list[int] = []
    offset = lead = 0
    for span, following in pairwise(passage.spans):
        offset += span.end - span.start
        if span.lead:
            lead = offset + 1
        elif not following.lead:
            joins.append(offset)
        offset += 1
    text = passage.text
    soft = [at for at in joins if runs_on(text[:at], text[at + 1 :])]
    # A space has the length of the newline it stands for, so offsets stay true.
    flat = text
    for at in soft:
        flat = f"{flat[:at]} {flat[at + 1 :]}"
    headings = set(passage.section)
    return [
        (start, end)
        for start, end in split_sentences(flat)
        if start >= lead and " ".join(text[start:end].split()) not in headings
    ]


def runs_on(before: str, after: str) -> bool:
    """Whether a sentence left open at the end of `before` goes on at the start of `after`."""
    before, after = before[-80:].rstrip(), after[:80].lstrip()
    if not before or not after or not after[0].islower():
        return False
    return before.rstrip(_CLOSERS)[-1:] not in _TERMINAL


def _split_line(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    bullet = _BULLET.match(text, _skip_space(text, start, end), end)
    if bullet:
        start = bullet.end()
    begin = _skip_space(text, start, end)
    for at in _boundaries(text, begin, end):
        _add(text, begin, at, spans)
        begin = _skip_space(text, at, end)
    _add(text, begin, end, spans)


def _skip_space(text: str, start: int, end: int) -> int:
    while start < end and text[start].isspace():
        start += 1
    return start


def _add(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    sentence = text[start:end]
    stripped = sentence.strip()
    if any(map(str.isalnum, stripped)):
        start += len(sentence) - len(sentence.lstrip())
        spans.append((start, start + len(stripped)))


def _boundaries(text: str, begin: int, end: int) -> list[int]:
    """Offsets just behind each sentence of one line but the last."""
    found: list[int] = []
    sentence_start = begin
    for stop in _STOP.finditer(text, begin, end):
        at = stop.end()
        if at >= end:
            break
        if text[at].isspace():
            ends = _ends_sentence(text, sentence_start, stop, end)
        else:
            ends = _glued(text, stop)
        if ends:
            found.append(at)
            sentence_start = _skip_space(text, at, end)
    return found


def _glued(text: str, stop: re.Match[str]) -> bool:
    """A full stop without the space that should follow ("servizi.Il Piano")."""
    if stop.end() - stop.start() != 1 or not _GLUED.match(text, stop.start()):
        return False
    token = _token(text, stop.start())
    return token.isalpha() and token.islower() and token + "." not in _words().never_final


def _token(text: str, stop: int) -> str:
    """The characters without blanks just before `stop`, opening marks removed."""
    window = text[max(0, stop - _TOKEN_REACH) : stop]
    parts = window.split()
    if not parts or window[-1].isspace():
        return ""
    return parts[-1].lstrip("\"«“‘'([")


def _ends_sentence(text: str, sentence_start: int, stop: re.Match[str], end: int) -> bool:
    marks = stop.group()
    after = stop.end()
    while after < end and text[after] in _OPENING:
        after += 1
    if after >= end:
        return False
    following = text[after]
    if following.islower() or not following.isalnum():
        return False
    dots = marks.rstrip(_CLOSERS)
    if dots != ".":
        # Leaders of a table of contents are no ellipsis.
        return not (following.isdigit() and (len(dots) > 3 or "…" in dots))
    return _full_stop_ends(text, sentence_start, stop, text[after : after + _TOKEN_REACH])


def _full_stop_ends(text: str, sentence_start: int, stop: re.Match[str], rest: str) -> bool:
    words = _words()
    token = _token(text, stop.start())
    if not token:
        # A stop behind a closing mark ends the sentence; one among blanks is a leader.
        return stop.start() > 0 and not text[stop.start() - 1].isspace()
    lowered = token.lower() + "."
    # "(art." and "all'art." hold the same abbreviation.
    tail = re.split(r"[’'/(\-–]", lowered)[-1]
    enumerates = _at_item_start(text, sentence_start, stop.start() - len(token))
    if enumerates and _ENUMERATOR.match(token + "."):
        return False
    if not any(map(str.isalnum, token)):
        return token[-1] in _CLOSERS or _opens(rest)
    if token[-1].isdigit():
        return not (rest[0].isdigit() and len(token) <= 2) and not _opens_caption(
            text, sentence_start, stop.start() - len(token)
        )
    if lowered in words.never_final or tail in words.never_final:
        return False
    closes = len(stop.group()) > 1
    if lowered in words.maybe_final or tail in words.maybe_final:
        return not closes and _opens(rest)
    if len(token) == 1 and token.isalpha():
        return _letter_ends(text, stop.start(), token, rest)
    if _DOTTED.match(lowered) and "." in token:
        return not closes and _opens(rest)
    return True


def _at_item_start(text: str, sentence_start: int, token_start: int) -> bool:
    if token_start <= sentence_start:
        return True
    before = text[max(sentence_start, token_start - 3) : token_start].rstrip()
    return before[-1:] in (":", ";")


def _opens_caption(text: str, sentence_start: int, number_start: int) -> bool:
    before = text[sentence_start : min(number_start, sentence_start + _TOKEN_REACH)].strip()
    return before.rstrip(".").lstrip("«“(").lower() in _words().numbered


def _letter_ends(text: str, stop: int, letter: str, rest: str) -> bool:
    """ "area B. Le azioni" ends; "M. Rossi" and "L. 328" do not."""
    before = _WORD.findall(text, max(0, stop - 1 - _TOKEN_REACH), stop - 1)
    named = bool(before) and before[-1].lower() in _words().before_letter
    return named and _opens(rest) and letter.isupper()


def _opens(rest: str) -> bool:
    """Whether a sentence plausibly starts here: a common opening word, with a capital."""
    word = _WORD.match(rest)
    return word is not None and word.group().lower() in _words().openers
