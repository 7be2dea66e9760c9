"""Whether the best sentence is evidence enough: coverage of the question, and its pins.

A pin is what a question nails down: a year, an act, a scheda's number, a name, another number.
Evidence that speaks of another year or district is no evidence, however similar its words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assistant.answering.extract import Candidate
from assistant.answering.question import Question
from assistant.italian.analysis import terms
from assistant.italian.references import cites, numbers, references, years
from assistant.models import Hit

MIN_COVERAGE = 0.5
"""Least share of the question's IDF mass in the sentence and its context."""

MIN_IN_SENTENCE = 0.25
"""Least share in the sentence itself: a title that matches is not an answer."""

NEEDED: frozenset[str] = frozenset({"contact", "amount", "act", "number"})
"""What must be there when it is asked for; a date or a place can be said in other words."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`missing` says, in Italian, what the evidence lacks; empty when it is enough."""

    missing: tuple[str, ...] = ()

    @property
    def enough(self) -> bool:
        return not self.missing


def judge(question: Question, candidate: Candidate, known: Callable[[str], bool]) -> Decision:
    """Whether a sentence, read in its context, can answer.

    `known(term)` tells whether the collection holds the term at all.
    """
    missing = missing_pins(question, candidate.hit)
    if question.expected in NEEDED and not candidate.holds_expected:
        missing.append(_EXPECTED_WORDS[question.expected])
    if candidate.coverage < MIN_COVERAGE or candidate.in_sentence < MIN_IN_SENTENCE:
        unknown = any(not known(term) for term in question.terms)
        missing.append("parole che nei documenti non ci sono" if unknown else "il tema")
    return Decision(tuple(missing))


def missing_pins(question: Question, hit: Hit) -> list[str]:
    """What the question pins down and this passage, with its titles, does not speak of."""
    passage, document = hit.passage, hit.document
    context = "\n".join((document.title, *passage.section, passage.text))
    missing: list[str] = []

    found_years = set(years(context))
    if document.year_from is not None:
        found_years |= set(range(document.year_from, (document.year_to or document.year_from) + 1))
    missing += [f"l'anno {year}" for year in sorted(question.years - found_years)]

    found_references = references(context)
    missing += [
        f"il riferimento {show_reference(reference)}"
        for reference in sorted(question.references)
        if not cites(reference, found_references)
    ]

    found_numbers = set(numbers(context))
    missing += [
        f"la scheda {scheda}"
        for scheda in sorted(question.schede)
        if passage.scheda != scheda and scheda not in found_numbers
    ]
    missing += [f"il numero {number}" for number in sorted(question.numbers - found_numbers)]

    around = set(terms(context)) | set(terms(document.distretto or ""))
    missing += [
        f"«{name.text}»"
        for name in question.names
        if any(term not in around for term in name.terms)
    ]
    return missing


_EXPECTED_WORDS = {
    "contact": "un recapito",
    "amount": "un importo",
    "act": "un atto o una legge",
    "number": "un numero",
}


def show_reference(reference: str) -> str:
    """`dgr:1720/2018` as people write it: `DGR 1720/2018`."""
    kind, _, number = reference.partition(":")
    return f"{kind.upper()} {number}"
