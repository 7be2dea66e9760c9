"""Whether a true sentence answers what was asked: a chat model may quote well and off the point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.answering.abstain import NEEDED, missing_pins
from assistant.answering.extract import Candidate, rank_sentences
from assistant.answering.question import Question
from assistant.models import Hit, Quote

RELEVANT = 0.3
"""Least share of a question's IDF mass in the sentences behind a generated one, and their context.

Less than a quoted sentence needs (abstain.MIN_COVERAGE), because a model finds answers in other
words. On the golden questions, with the pins: of 96 evidence sentences among the passages 91 pass
(pins alone 93, MIN_COVERAGE 74); of the sentences near an unanswerable question 7% do (pins alone
33%).
"""


@dataclass(frozen=True, slots=True)
class Service:
    """What a sentence does for the questions asked, by their position."""

    about: frozenset[int]
    """Those that its evidence is about."""
    answers: frozenset[int]
    """Those of them whose evidence holds the number, amount, act or contact asked for, if any."""


class Relevance:
    """Judges evidence for the questions (one, or the halves of a double one) of one answer."""

    def __init__(
        self,
        questions: Sequence[Question],
        idf: Callable[[str], float],
        share: Callable[[str], float],
    ) -> None:
        """`idf(term)` and `share(term)` are those of the collection's passages."""
        self._questions = questions
        self._idf = idf
        self._share = share

    def on_target(self, hits: Sequence[Hit]) -> list[Hit]:
        """Hits that speak of the year, district, act … that one of the questions pins down."""
        return [hit for hit in hits if any(self._pinned(q, hit) for q in self._questions)]

    def of(self, quotes: Sequence[Quote], hits: Sequence[Hit]) -> Service:
        """What the sentences of `hits` that `quotes` come from do for each question."""
        about, answers = set(), set()
        for number, question in enumerate(self._questions):
            pinned = [hit for hit in hits if self._pinned(question, hit)]
            evidence = [
                candidate
                for candidate in rank_sentences(question, pinned, self._idf)
                if candidate.coverage >= RELEVANT and _quoted(candidate, quotes)
            ]
            if evidence:
                about.add(number)
            if any(item.holds_expected or question.expected not in NEEDED for item in evidence):
                answers.add(number)
        return Service(frozenset(about), frozenset(answers))

    def _pinned(self, question: Question, hit: Hit) -> bool:
        return not missing_pins(question, hit, self._share)


def _quoted(candidate: Candidate, quotes: Sequence[Quote]) -> bool:
    return any(
        own.document_id == quote.document_id
        and own.page == quote.page
        and own.start < quote.end
        and quote.start < own.end
        for own in candidate.quotes
        for quote in quotes
    )
