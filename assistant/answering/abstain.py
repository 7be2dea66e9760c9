"""Whether the best sentence is evidence enough: coverage of the question, and its pins.

A pin is what a question nails down: a year, an act, a scheda's number, a name, another number.
Evidence that speaks of another year or district is no evidence, however similar its words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from assistant.answering.extract import Candidate, items_after
from assistant.answering.question import Question
from assistant.answering.reading import Reading, read
from assistant.italian.acronyms import stands_in
from assistant.italian.analysis import terms
from assistant.italian.references import Facts, cites
from assistant.models import Hit

MIN_COVERAGE = 0.55
"""Least share of the question's IDF mass in the sentence and its context."""

MIN_IN_SENTENCE = 0.1
"""Least share in the sentence itself: a title that matches is not an answer."""

COMMON = 0.04
"""A name in more than this share of the passages names the field, not a case: no pin."""

NEEDED: frozenset[str] = frozenset({"contact", "amount", "act", "number"})
"""What must be there when it is asked for; a date or a place can be said in other words."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`missing` says, in Italian, what the evidence lacks; empty when it is enough."""

    missing: tuple[str, ...] = ()

    @property
    def enough(self) -> bool:
        return not self.missing


def judge(question: Question, candidate: Candidate, share: Callable[[str], float]) -> Decision:
    """Whether a sentence, read in its context, can answer.

    `share(term)` is the share of the collection's passages that hold a term.
    """
    missing = missing_pins(question, candidate.hit, share)
    if question.expected in NEEDED and not candidate.holds_expected:
        missing.append(_EXPECTED_WORDS[question.expected])
    if candidate.text.endswith(":") and not items_after(candidate):
        missing.append("l'elenco che una frase annuncia")
    labelled = question.expected in ("recipients", "definition") and candidate.holds_expected
    if candidate.coverage < MIN_COVERAGE or (
        candidate.in_sentence < MIN_IN_SENTENCE and not labelled
    ):
        missing.append(_what_is_missing(question, share))
    return Decision(tuple(missing))


def missing_pins(question: Question, hit: Hit, share: Callable[[str], float]) -> list[str]:
    """What the question pins down and this passage, with its titles, does not speak of."""
    reading = read(hit.passage, hit.document)
    missing = [*_missing_years(question, hit, reading), *_missing_acts(question, reading.facts)]
    quantities = _quantities(reading.facts)
    missing += [
        f"la scheda {scheda}"
        for scheda in sorted(question.schede)
        if hit.passage.scheda != scheda and not _names_scheda(hit, scheda)
    ]
    missing += [f"il numero {number}" for number in sorted(question.numbers - quantities)]
    missing += _missing_distretto(question, hit)
    missing += [
        f"«{name.text}»"
        for name in question.names
        if any(share(term) <= COMMON for term in name.terms)
        and not all(stands_in(term, reading.terms) for term in name.terms)
    ]
    return missing


def _names_scheda(hit: Hit, number: str) -> bool:
    """Whether the passage or its titles speak of the scheda: a mere "57" is something else."""
    text = " ".join((hit.document.title, *hit.passage.section, hit.passage.text))
    return re.search(rf"\bsched[ae]\b[^.;:\n]{{0,60}}?(?<!\d){number}\b", text, re.I) is not None


def _missing_distretto(question: Question, hit: Hit) -> list[str]:
    """A district's document answers for no other one, even where it mentions it."""
    asked = [name for name in question.names if name.distretto]
    if not asked or not hit.document.distretto:
        return []
    own = set(terms(hit.document.distretto))
    if any(own >= set(name.terms) or own <= set(name.terms) for name in asked):
        return []
    return [f"il distretto richiesto ({', '.join(name.text for name in asked)})"]


def _missing_years(question: Question, hit: Hit, reading: Reading) -> list[str]:
    if not question.years:
        return []
    found: set[int] = set()
    for mention in reading.facts.years:
        first, _, last = mention.canonical.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    found |= {int(m.canonical[:4]) for m in reading.facts.dates if m.canonical[0] != "-"}
    document = hit.document
    if document.year_from is not None:
        found |= set(range(document.year_from, (document.year_to or document.year_from) + 1))
    return [f"l'anno {year}" for year in sorted(question.years - found)]


def _missing_acts(question: Question, facts: Facts) -> list[str]:
    if not question.references:
        return []
    found = {mention.canonical for mention in facts.references}
    return [
        f"il riferimento {show_reference(reference)}"
        for reference in sorted(question.references)
        if not cites(reference, found)
    ]


def _quantities(facts: Facts) -> set[str]:
    """Numbers spoken of, those of acts included: "la legge 14" is LR 14/2015."""
    acts = {mention.canonical.partition(":")[2].partition("/")[0] for mention in facts.references}
    return acts | {quantity.canonical for quantity in facts.quantities}


def _what_is_missing(question: Question, share: Callable[[str], float]) -> str:
    unknown = any(share(term) == 0 for term in question.terms)
    return "parte delle parole della domanda" if unknown else "il tema della domanda"


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
