"""What asking one question gave: all that is needed to judge it without the index."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple, Protocol

from assistant.models import Answer, Quote
from eval.cases import Gold

ABSTAINED = ("not_found", "clarify", "out_of_scope")
COVERED = 0.5
"""Share of a gold quote's characters that a citation must hold to count as that evidence."""


class Place(Protocol):
    """Offsets on a page: a citation, or a stretch of a passage."""

    @property
    def document_id(self) -> str: ...
    @property
    def page(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class RankedPage(NamedTuple):
    document_id: str
    page: int


class Stretch(NamedTuple):
    """Where a part of a found passage stands."""

    document_id: str
    page: int
    start: int
    end: int


class Seen(NamedTuple):
    """What the index holds where a citation says: its own words and those around them."""

    before: str
    text: str
    after: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question asked."""

    gold: Gold
    answer: Answer
    found: tuple[tuple[Stretch, ...], ...]
    """The passages found, best first, each with its stretches of pages."""
    seen: tuple[Seen, ...]
    """For each citation, what the index holds at its page and offsets."""
    ask_ms: float
    search_ms: float
    repeats: tuple[str, ...] = ()
    """`digest` of the answers when the same was asked again."""
    error: str = ""
    """Class and message of what was raised instead of an answer, which is then empty."""
    original: Outcome | None = None
    """Of a variant: what its original question gave in the same run."""

    @property
    def ranked(self) -> tuple[RankedPage, ...]:
        """Distinct pages of the passages found, best first."""
        return tuple(
            dict.fromkeys(RankedPage(s.document_id, s.page) for parts in self.found for s in parts)
        )

    @property
    def abstained(self) -> bool:
        return self.answer.status in ABSTAINED

    @property
    def answer_crashed(self) -> bool:
        """A UsageError is an answer too: it tells the user what to do."""
        return bool(self.error) and not self.error.startswith("UsageError")

    @property
    def kept_silence(self) -> bool:
        """Chose not to answer: a crash answers nothing either, and earns nothing by it."""
        return self.abstained and not self.answer_crashed

    @property
    def told(self) -> str:
        return "\n".join(sentence.text for sentence in self.answer.sentences)

    @property
    def shown(self) -> str:
        """All that a reader is given to read: the sentences and the quotes under them."""
        return "\n".join((self.told, *(citation.quote for citation in self.answer.citations)))

    @property
    def is_original(self) -> bool:
        """Neither a variant nor an attack: what the headline figures are made of."""
        case = self.gold.case
        return not (case.variant_of or case.world or case.is_attack)


def digest(answer: Answer) -> str:
    """Equal for answers that say the same words from the same places, whatever time they took."""
    said = (
        answer.status,
        answer.understood_as,
        [asdict(sentence) for sentence in answer.sentences],
        [(c.document_id, c.page, c.start, c.end) for c in answer.citations],
        [hit.passage_id for hit in answer.hits],
        answer.notices,
    )
    text = json.dumps(said, ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def covered_share(quotes: Sequence[Quote], places: Sequence[Place]) -> float:
    """Share of `quotes` of which the places hold at least COVERED of the characters."""
    return sum(_is_covered(quote, places) for quote in quotes) / len(quotes)


def best_share(sets: Sequence[Sequence[Quote]], places: Sequence[Place]) -> float:
    """The same for the best of several sets of quotes: any one suffices."""
    return max(covered_share(quotes, places) for quotes in sets)


def touches(quote: Quote, place: Place) -> bool:
    return len(_common(quote, place)) > 0


def _is_covered(quote: Quote, places: Sequence[Place]) -> bool:
    held: set[int] = set()
    for place in places:
        held.update(_common(quote, place))
    return len(held) >= COVERED * (quote.end - quote.start)


def _common(quote: Quote, place: Place) -> range:
    """Offsets in common."""
    if (quote.document_id, quote.page) != (place.document_id, place.page):
        return range(0)
    return range(max(quote.start, place.start), min(quote.end, place.end))
