"""What a question asks for and what it pins down, read from its words alone."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

from assistant.italian.analysis import fold, terms
from assistant.italian.places import places
from assistant.italian.references import numbers, references, years

Expected = Literal[
    "date",
    "number",
    "amount",
    "act",
    "contact",
    "place",
    "list",
    "definition",
    "recipients",
    "who",
    "any",
]

_EXPECTED: tuple[tuple[Expected, re.Pattern[str]], ...] = (
    (
        "contact",
        re.compile(
            r"\b(telefono|cellulare|telefonic\w+|e-?mail|posta elettronica|pec|fax|"
            r"numero verde|sito web|codice fiscale)\b"
        ),
    ),
    (
        "act",
        re.compile(
            r"\b(quale|qual|che|quali|quella?)\b(?:\s\w+){0,2}\s"
            r"(delibera\w*|dgr|legge|leggi|norma|atto|atti|decreto|articolo|deliberazion\w)\b"
        ),
    ),
    (
        "date",
        re.compile(
            r"\b(quando|in (che|quale) (data|anno|mese|giorno)|da quando|entro quando|"
            r"(che|quale) anno|a quale data|che giorno|data di)\b"
        ),
    ),
    (
        "amount",
        re.compile(
            r"\b(quant[oi] (?:(?:si|e|era|viene|veniva|sono|erano) )?"
            r"(costa\w*|spend\w*|previst\w+|destinat\w+|stanziat\w+|soldi|euro|denaro|fondi|"
            r"risorse|milioni)|(?:che|quale) (?:importo|cifra|budget|spesa)|"
            r"a quanto ammonta\w*|quanto vale\w*)\b"
        ),
    ),
    (
        "number",
        re.compile(
            r"\b(quant[aeio]|numero di|(?:che|quale|quanta) "
            r"(?:percentuale|eta|distanza|durata|ora)|da quanto|ogni quanto)\b"
        ),
    ),
    (
        "definition",
        re.compile(
            r"(?:^|[,:] ?|\w )(?:che )?(?:cos['a]? ?e'?|cosa sono)"
            r"(?= (?:il|lo|la|l'|i|gli|le|un|uno|una|un')\b| ?[?]?$)|"
            r"^(?:che )?cos(?:'e|a e) |cosa (?:vuol dire|significa|si intende)|"
            r"che (?:vuol dire|significa)|significato di|definizione di"
        ),
    ),
    (
        "recipients",
        re.compile(
            r"\b(?:a chi (?:e|sono|si|spetta|serve)|chi (?:puo|possono|ha diritto|ne ha)|"
            r"destinatar\w+|beneficiar\w+|rivolt[oaie])\b"
        ),
    ),
    (
        "who",
        re.compile(
            r"(?:^|, |: )(?:e |da |con |a )?chi\b|\bquale (?:ente|organo|ufficio|soggetto)\b"
        ),
    ),
    ("place", re.compile(r"\b(dove|in (che|quale) (luogo|sede|comune|citta))\b")),
    ("list", re.compile(r"\b(quali|elenc\w+)\b")),
)

_NAME = re.compile(r"[A-ZÀ-Ý][\w'’\-]*[\w]|[A-ZÀ-Ý]")
_SCHEDA = re.compile(
    r"\bsched[ae]\s+(?:attuativ[ae]\s+)?(?:n(?:umero|r)?\.?\s*(?:°\s*)?)?(\d{1,3})\b"
)
_CLAUSES = re.compile(
    r"\?\s+(?=\w)|[,;]?\s+e\s+(?=(?:a |in |per |con |da )?"
    r"(?:chi|cosa|che cosa|come|quando|dove|quant[oaie]|qual[ei]?|perch[eé])\b)",
    re.IGNORECASE,
)


class Name(NamedTuple):
    """A proper name or place as written, and its analysed terms."""

    text: str
    terms: tuple[str, ...]
    distretto: bool = False
    """Whether it names a district that the program or the documents know."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the answer path sees it."""

    text: str
    terms: tuple[str, ...]
    """Analysed content terms, in order, without repetitions."""
    expected: Expected
    years: frozenset[int]
    references: frozenset[str]
    """Laws and acts in canonical form, e.g. `lr:14/2015`."""
    numbers: frozenset[str]
    """Other numbers, normalised, e.g. `100000`."""
    schede: frozenset[str]
    """Numbers of the schede it names."""
    names: tuple[Name, ...]


def read_question(text: str, known: Collection[str] = ()) -> Question:
    """The question's type and pins; never fails, whatever the text.

    `known` are names of districts that the documents add to the real ones.
    """
    folded = fold(text)
    expected: Expected = next((kind for kind, sign in _EXPECTED if sign.search(folded)), "any")
    found_years = frozenset(years(text))
    schede = frozenset(_SCHEDA.findall(folded))
    found_references = frozenset(references(text))
    in_references = {part for item in found_references for part in re.split(r"[:/]", item)}
    plain = {
        number
        for number in numbers(text)
        if number not in schede
        and number not in in_references
        and not (number.isdigit() and int(number) in found_years)
    }
    return Question(
        text=text,
        terms=tuple(dict.fromkeys(terms(text))),
        expected=expected,
        years=found_years,
        references=found_references,
        numbers=frozenset(plain),
        schede=schede,
        names=_names(text, known),
    )


@cache
def weak_terms() -> frozenset[str]:
    """Analysed terms of the words that questions are built with (weak_words.txt)."""
    lines = resources.files("assistant.italian").joinpath("weak_words.txt").read_text("utf-8")
    words = " ".join(line for line in lines.splitlines() if not line.startswith("#"))
    return frozenset(terms(words))


def split_question(text: str) -> tuple[str, ...]:
    """The questions inside a double question, at most three; `(text,)` for a single one."""
    pieces = [piece.strip(" ,;") for piece in _CLAUSES.split(text)]
    pieces = [piece for piece in pieces if terms(piece)]
    if not 2 <= len(pieces) <= 3:
        return (text,)
    return tuple(piece if piece.endswith("?") else piece + "?" for piece in pieces)


def _names(text: str, known: Collection[str]) -> tuple[Name, ...]:
    """Capitalised words that do not open a sentence, and known places in any case."""
    found: dict[tuple[str, ...], Name] = {}
    for match in _NAME.finditer(text):
        before = text[: match.start()].rstrip(" «\"'“(")
        if before and before[-1] not in ".?!:":
            analysed = tuple(terms(match.group()))
            if analysed:
                found.setdefault(analysed, Name(match.group(), analysed))
    for place in places(text, known):
        analysed = tuple(terms(place))
        if analysed:
            found[analysed] = Name(place, analysed, distretto=True)
    return tuple(found.values())
