"""A passage read once for many questions: its sentences, terms and facts, remembered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from assistant.italian.analysis import terms
from assistant.italian.references import Facts, facts
from assistant.italian.sentences import passage_sentences
from assistant.models import Document, Passage

REMEMBERED = 4096
"""Passages kept read; a passage is a few kilobytes so."""

DISCLAIMER = "Documento dimostrativo"
"""How a demonstration document says what it is; a notice tells it, not an answer."""

_LEADERS = re.compile(r"(?:[.·_]\s?){5,}")
_SHEET_TITLE = re.compile(
    r"(?:scheda(?: intervento)?|intervento)\s+(?:n\.\s*)?[\w-]{1,5}\s*[:–—-]", re.I
)


_ACT_WORDS = {
    "l": "legge",
    "lr": "legge regionale",
    "dlgs": "decreto legislativo",
    "dm": "decreto ministeriale",
    "dl": "decreto legge",
    "dgr": "delibera giunta regionale",
    "dal": "delibera assemblea legislativa",
    "dcr": "delibera consiglio regionale",
}


def own_terms(text: str) -> tuple[str, ...]:
    """Terms of a text, with the words that an act's one term stands for: `lr:14/2015` is a law."""
    found: list[str] = []
    for term in terms(text):
        found.append(term)
        kind, colon, rest = term.partition(":")
        if colon:
            found += (*_act_terms(kind), rest.partition("/")[2])
    return tuple(found)


@cache
def _act_terms(kind: str) -> tuple[str, ...]:
    return tuple(terms(_ACT_WORDS.get(kind, "")))


@dataclass(frozen=True, slots=True)
class Sentence:
    """`passage.text[start:end]` and its analysed terms, in order."""

    start: int
    end: int
    text: str
    terms: tuple[str, ...]


class Reading:
    """What the answer path needs of one passage in its document."""

    def __init__(self, passage: Passage, document: Document) -> None:
        self.passage = passage
        self.titles = "\n".join((document.title, *passage.section))
        self.section_terms = frozenset(own_terms("\n".join(passage.section[1:] or passage.section)))
        self.title_terms = frozenset(own_terms(self.titles)) | frozenset(
            terms(document.distretto or "")
        )
        self.terms = self.title_terms | frozenset(own_terms(passage.text))
        self.sentences = tuple(_sentences(passage))

    @cached_property
    def facts(self) -> Facts:
        """Acts, dates, years and quantities of the passage and its titles."""
        return facts(f"{self.titles}\n{self.passage.text}")


def _sentences(passage: Passage) -> list[Sentence]:
    """Sentences that could answer: no lines of a table of contents, no sheet's own title."""
    found = []
    for start, end in passage_sentences(passage):
        text = passage.text[start:end]
        if _LEADERS.search(text) or _SHEET_TITLE.match(text) or text.startswith(DISCLAIMER):
            continue
        own = own_terms(text)
        if own:
            found.append(Sentence(start, end, text, own))
    return found


@lru_cache(maxsize=REMEMBERED)
def read(passage: Passage, document: Document) -> Reading:
    """The reading of a passage; both are immutable, so it never goes stale."""
    return Reading(passage, document)
