"""Verbatim sentences that answer: scored by the question's own words, never rewritten."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.answering.expected import holds_expected
from assistant.answering.question import Expected, Question, weak_terms
from assistant.answering.reading import Reading, Sentence, read
from assistant.italian.acronyms import stands_in
from assistant.models import Hit, Quote
from assistant.retrieval.preference import is_past

PASSAGES_READ = 12
"""Passages of the ranking whose sentences are read."""

MAX_SENTENCES = 3
"""Sentences in an answer, a list's items not counted."""

MAX_ITEMS = 8
"""Items shown of a list that a chosen sentence introduces."""

LABELLED: frozenset[Expected] = frozenset({"recipients", "definition", "act", "contact"})

WEAK = 0.2
"""What a word that questions are built with counts, against its IDF."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How a sentence's score is made; chosen on SQuAD-it articles and development questions."""

    titles: float = 0.9
    """A question's word that stands not in the sentence but in its section's title: a row or a
    field is read under its heading."""
    document: float = 0.7
    """One that stands in the document's title or district."""
    context: float = 0.5
    """One that stands elsewhere in its passage."""
    order: float = 0.15
    """Share of the question's word pairs that stand near each other."""
    passage: float = 0.5
    """The passage's score, divided by the best one's."""
    expected: float = 0.25
    """The kind of thing asked for is there."""
    label: float = 0.4
    """The same, for what a label or an opening tells surely: recipients, definitions, acts."""
    superseded: float = 0.2
    """Taken from a superseded document, unless the question names its years."""
    rival_near: float = 0.75
    """A further sentence of the same passage must score at least this share of the best one."""
    rival_far: float = 0.95
    """One of another passage."""
    rival_coverage: float = 0.7
    """And both must cover at least this share of what the best one covers."""


WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage and how well it answers."""

    hit: Hit
    reading: Reading
    sentence: Sentence
    score: float
    """For ranking sentences of one question."""
    coverage: float
    """Share, in `[0, 1]`, of the question's IDF mass found in the sentence and its context."""
    in_sentence: float
    """The same share, for the sentence alone."""
    holds_expected: bool
    """Whether it holds what the question asks for: a date, an amount, an act …"""

    @property
    def text(self) -> str:
        return self.sentence.text

    @property
    def quotes(self) -> tuple[Quote, ...]:
        return self.hit.passage.quotes(self.sentence.start, self.sentence.end)


def inverse_document_frequency(df: int, n: int) -> float:
    """BM25's IDF, `ln(1 + (n - df + .5) / (df + .5))`; never negative."""
    return math.log(1 + (n - df + 0.5) / (df + 0.5))


def rank_sentences(
    question: Question,
    hits: Sequence[Hit],
    idf: Callable[[str], float],
    weights: Weights = WEIGHTS,
) -> list[Candidate]:
    """Every sentence of the first passages, best first."""
    weak = weak_terms()
    wanted = {term: idf(term) * (WEAK if term in weak else 1.0) for term in question.terms}
    mass = sum(wanted.values())
    if not hits or mass <= 0:
        return []
    top = hits[0].score or 1.0
    candidates = [
        _weigh(question, hit, reading, sentence, wanted, mass, hit.score / top, weights)
        for hit in hits[:PASSAGES_READ]
        for reading in [read(hit.passage, hit.document)]
        for sentence in reading.sentences
    ]
    candidates.sort(key=lambda item: (-item.score, item.hit.rank, item.sentence.start))
    return candidates


def _weigh(
    question: Question,
    hit: Hit,
    reading: Reading,
    sentence: Sentence,
    wanted: Mapping[str, float],
    mass: float,
    relative: float,
    weights: Weights,
) -> Candidate:
    inside = titled = headed = nearby = 0.0
    for term, weight in wanted.items():
        if stands_in(term, sentence.terms):
            inside += weight
        elif stands_in(term, reading.section_terms):
            titled += weight
        elif stands_in(term, reading.title_terms):
            headed += weight
        elif stands_in(term, reading.terms):
            nearby += weight
    beside = weights.titles * titled + weights.document * headed + weights.context * nearby
    coverage = (inside + beside) / mass
    holds = holds_expected(question, sentence, reading)
    score = (
        coverage
        + weights.order * _order(question.terms, sentence.terms)
        + weights.passage * relative
        + (_bonus(question.expected, weights) if holds else 0.0)
        - _oddity(sentence.text)
        - (weights.superseded if is_past(hit.document, question.years) else 0.0)
    )
    return Candidate(hit, reading, sentence, score, coverage, inside / mass, holds)


def choose(candidates: Sequence[Candidate], weights: Weights = WEIGHTS) -> list[Candidate]:
    """The best sentence, close rivals that say something else, and the items of a list."""
    if not candidates:
        return []
    best = candidates[0]
    chosen = [best]
    for item in candidates[1:]:
        if len(chosen) >= MAX_SENTENCES:
            break
        near = item.hit.passage.id == best.hit.passage.id
        share = weights.rival_near if near else weights.rival_far
        if (
            item.score < share * best.score
            or item.coverage < weights.rival_coverage * best.coverage
            or item.holds_expected < best.holds_expected
        ):
            continue
        if any(_same(item, other) for other in chosen):
            continue
        chosen.append(item)
    with_items = [sentence for item in chosen for sentence in (item, *items_after(item))]
    return list({(item.hit.passage.id, item.sentence.start): item for item in with_items}.values())


def _bonus(expected: Expected, weights: Weights) -> float:
    if expected == "any":
        return 0.0
    return weights.label if expected in LABELLED else weights.expected


def _order(wanted: Sequence[str], own: Sequence[str]) -> float:
    """Share of the question's neighbouring word pairs that stand within three words here."""
    pairs = list(pairwise(wanted))
    if not pairs:
        return 0.0
    places: dict[str, list[int]] = {}
    for index, term in enumerate(own):
        places.setdefault(term, []).append(index)
    near = sum(
        any(abs(a - b) <= 3 for a in places.get(first, ()) for b in places.get(second, ()))
        for first, second in pairs
    )
    return near / len(pairs)


def _oddity(text: str) -> float:
    """A malus for what is seldom an answer: a question, a fragment, a page-long sentence."""
    malus = 0.0
    if text.endswith("?"):
        malus += 0.3
    words = text.count(" ") + 1
    if words < 5 and not text.endswith(":"):
        malus += 0.15
    if not re.search(r"[.;:!?»”)\d]$", text):
        malus += 0.1
    if len(text) > 450:
        malus += min(0.25, (len(text) - 450) / 2000)
    return malus


def _same(one: Candidate, other: Candidate) -> bool:
    """Whether two sentences say the same words (one inside the other included)."""
    first, second = set(one.sentence.terms), set(other.sentence.terms)
    return len(first & second) >= 0.8 * min(len(first), len(second))


def items_after(candidate: Candidate) -> list[Candidate]:
    """The lines that follow a sentence ending with a colon, when they are its list."""
    if not candidate.text.endswith(":"):
        return []
    following = [
        sentence
        for sentence in candidate.reading.sentences
        if sentence.start >= candidate.sentence.end
    ]
    items: list[Candidate] = []
    for sentence in following[:MAX_ITEMS]:
        if not _looks_like_item(sentence.text):
            break
        items.append(
            Candidate(
                candidate.hit,
                candidate.reading,
                sentence,
                candidate.score,
                candidate.coverage,
                candidate.in_sentence,
                candidate.holds_expected,
            )
        )
    return items


def _looks_like_item(text: str) -> bool:
    """A bullet, a number or letter, a small first letter, or a line that is no full sentence."""
    return bool(re.match(r"[•▪➢✓\-–*·]|\(?\w{1,3}[.)]\s|\d{1,2}\s|[a-zà-ù]", text)) or (
        not text.endswith((".", "!", "?")) and len(text) < 250
    )
