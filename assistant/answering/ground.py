"""Does a passage say what a generated sentence says? Checked by rules.

Acts, dates, years, quantities and names must stand in one or two sentences of the cited passages,
belong there to the same subject, with the same negations and limits; the other content words must
be covered by those sentences. No model judges another: research finds such judges agree with
people half of the time. What rules cannot see: who does what to whom inside one sentence, and a
condition left out. Measured in tests/test_ground.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal

from assistant.answering.claims import foreign_subject, missing_fact, plain, wrong_owner, wrong_part
from assistant.answering.polarity import added_weight, disagreement, is_word
from assistant.italian.analysis import fold, located_terms, terms
from assistant.italian.sentences import passage_sentences
from assistant.models import Passage, Quote

ONE_SENTENCE = 0.74
"""Least share of a claim's content words that one supporting sentence must hold."""
TWO_SENTENCES = 0.82
"""The same for two sentences together, where words meet by chance more easily."""
CANDIDATES = 6
"""Best single sentences of the passages that are tried, alone and in pairs."""
LIGHT_WEIGHT = 0.25
"""Weight of words that say little ("prevede", "documento") against 1 for others."""
SAME_ROOT = 6
"""Letters two stems must share at their beginning to count as one word family."""
LONGEST_CLAIM = 1_000
"""Characters; what is longer is no sentence."""


@dataclass(frozen=True, slots=True)
class Grounding:
    """`quotes` are the supporting sentences, exact; `why` is Italian and explains the verdict."""

    verdict: Literal["supported", "unsupported"]
    why: str
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    """A sentence of a passage."""

    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end].replace("\n", " ")


def verify(sentence: str, passages: Sequence[Passage]) -> Grounding:
    """Whether `sentence` is said by one or two sentences of the passages it cites."""
    claim = " ".join(sentence.split())
    weights = _weights(claim)
    if not weights or len(claim) > LONGEST_CLAIM:
        return Grounding("unsupported", "La frase non contiene un'affermazione verificabile.")
    sources = [
        _Source(passage, start, end)
        for passage in passages
        for start, end in passage_sentences(passage)
    ]
    if not sources:
        return Grounding("unsupported", "La fonte citata non contiene frasi.")
    ranked = sorted(sources, key=lambda source: -_coverage(weights, [source]))[:CANDIDATES]
    reason = ""
    for group in [*((one,) for one in ranked), *combinations(ranked, 2)]:
        ordered = sorted(group, key=lambda source: (source.passage.ordinal, source.start))
        problem = _problem(claim, weights, ordered)
        if not problem:
            quotes = tuple(
                quote
                for source in ordered
                for quote in source.passage.quotes(source.start, source.end)
            )
            return Grounding("supported", _praise(len(ordered)), quotes)
        # The reason told is that of the sentence nearest to the claim.
        reason = reason or problem
    return Grounding("unsupported", reason)


def _praise(count: int) -> str:
    found = "nella frase citata" if count == 1 else "nelle due frasi citate"
    return f"Numeri, nomi, date e parole della frase si ritrovano {found}."


def _problem(claim: str, weights: dict[str, float], group: Sequence[_Source]) -> str:
    texts = [source.text for source in group]
    whole = " ".join(texts)
    context = " ".join(
        " ".join((*source.passage.section, source.passage.scheda or "")) for source in group
    )
    if reason := missing_fact(claim, texts, context):
        return reason
    if reason := wrong_owner(claim, texts, context):
        return reason
    if reason := wrong_part(claim, texts):
        return reason
    if reason := disagreement(claim, whole):
        return reason
    if word := added_weight(plain(claim), f"{whole} {context}"):
        return f"La fonte non dice «{word}»."
    if len(group) == 2 and not _belong_together(claim, weights, group):
        return "Le parole della frase sono sparse in punti diversi della fonte."
    needed = ONE_SENTENCE if len(group) == 1 else TWO_SENTENCES
    if (share := _coverage(weights, group, context)) < needed:
        return f"La fonte contiene solo in parte ciò che la frase dice ({share:.0%})."
    return ""


def _belong_together(claim: str, weights: dict[str, float], group: Sequence[_Source]) -> bool:
    """Two sentences of one passage follow each other; of two passages, each says a good part."""
    first, second = group
    if any(foreign_subject(claim, source.text) for source in group):
        return False
    if first.passage.id == second.passage.id:
        between = [
            span
            for span in passage_sentences(first.passage)
            if first.start < span[0] < second.start
        ]
        return len(between) <= 1
    return min(_coverage(weights, [first]), _coverage(weights, [second])) >= 0.4


def _weights(claim: str) -> dict[str, float]:
    """Content stems of the claim and what each counts; hard facts are checked elsewhere.

    A claim made of facts alone keeps them, so that it has something to be covered.
    """
    words = located_terms(plain(claim)) or located_terms(claim)
    return {
        term.text: LIGHT_WEIGHT if is_word("light", fold(claim[term.start : term.end])) else 1.0
        for term in words
    }


def _coverage(weights: dict[str, float], group: Sequence[_Source], context: str = "") -> float:
    """Share, in `[0, 1]`, of the claim's weight whose stems stand in the sources.

    A word of the headings counts half: it says what the passage is about, not what it states.
    """
    stated = frozenset().union(*(_stems(source.text) for source in group))
    about = _stems(context)
    total = sum(weights.values())
    held = sum(
        weight * max(_held(term, stated), 0.5 * _held(term, about))
        for term, weight in weights.items()
    )
    return held / total


def _held(term: str, stems: frozenset[str]) -> float:
    if term in stems:
        return 1.0
    root = term[:SAME_ROOT]
    if len(root) == SAME_ROOT and any(other.startswith(root) for other in stems):
        return 0.8
    return 0.0


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    return frozenset(terms(text))
