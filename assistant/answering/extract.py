"""Verbatim sentences that answer: scored by the question's own words, never rewritten."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.answering.question import Expected, Question
from assistant.italian.analysis import terms
from assistant.italian.references import dates, numbers, references
from assistant.italian.sentences import passage_sentences
from assistant.models import Hit, Quote

PASSAGES_READ = 12
"""Passages of the ranking whose sentences are read."""

MAX_SENTENCES = 3
"""Sentences in an answer, a list's items not counted."""

MAX_ITEMS = 8
"""Items shown of a list that a chosen sentence introduces."""

CONTEXT_WEIGHT = 0.55
"""What a question's word is worth when it stands not in the sentence but in its section title,
document title or the rest of its passage: the sentence may rely on it ("Tale gruppo…")."""

SECOND_BEST = 0.88
"""A further sentence must score at least this share of the best one."""

_CONTACT = re.compile(r"\d[\d ./\-]{5,}\d|[\w.\-]+@[\w\-]+\.\w+|www\.|https?://")
_AMOUNT = re.compile(r"€|\beuro\b|\bmilion[ei]\b|\bmld\b|\bmln\b|\bmiliard[oi]\b", re.IGNORECASE)
_PLACE = re.compile(
    r"\b(?:a|ad|in|nel|nella|nello|presso|sede|via|viale|piazza|salone|sala|comune di)\s+"
    r"(?:[a-zà-ù']+\s)?[A-ZÀ-Ý]"
)
_MONTH_OR_YEAR = re.compile(
    r"\b(?:gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|"
    r"dicembre|(?:19|20)\d\d)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage and how well it answers."""

    hit: Hit
    start: int
    end: int
    """Offsets in `hit.passage.text`."""
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
        return self.hit.passage.text[self.start : self.end]

    @property
    def quotes(self) -> tuple[Quote, ...]:
        return self.hit.passage.quotes(self.start, self.end)


def inverse_document_frequency(df: int, n: int) -> float:
    """BM25's IDF, `ln(1 + (n - df + .5) / (df + .5))`; never negative."""
    return math.log(1 + (n - df + 0.5) / (df + 0.5))


def rank_sentences(
    question: Question, hits: Sequence[Hit], idf: Callable[[str], float]
) -> list[Candidate]:
    """Every sentence of the first passages, best first."""
    wanted = {term: idf(term) for term in question.terms}
    mass = sum(wanted.values())
    if not hits or mass <= 0:
        return []
    top = hits[0].score or 1.0
    candidates: list[Candidate] = []
    for hit in hits[:PASSAGES_READ]:
        passage = hit.passage
        titles = set(terms(" ".join((hit.document.title, *passage.section))))
        if hit.document.distretto:
            titles |= set(terms(hit.document.distretto))
        around = titles | set(terms(passage.text))
        for start, end in passage_sentences(passage):
            text = passage.text[start:end]
            own = terms(text)
            if not own:
                continue
            inside = sum(weight for term, weight in wanted.items() if term in own)
            nearby = sum(
                weight for term, weight in wanted.items() if term in around and term not in own
            )
            in_sentence = inside / mass
            coverage = (inside + CONTEXT_WEIGHT * nearby) / mass
            holds = holds_expected(question.expected, text)
            score = (
                coverage
                + 0.15 * _order(question.terms, own)
                + 0.25 * (hit.score / top)
                + (0.2 if holds and question.expected != "any" else 0.0)
                - _oddity(text)
            )
            candidates.append(Candidate(hit, start, end, score, coverage, in_sentence, holds))
    candidates.sort(key=lambda item: (-item.score, item.hit.rank, item.start))
    return candidates


def choose(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best sentence, close rivals that say something else, and the items of a list."""
    if not candidates:
        return []
    best = candidates[0]
    chosen = [best]
    for item in candidates[1:]:
        if len(chosen) >= MAX_SENTENCES or item.score < SECOND_BEST * best.score:
            break
        if item.in_sentence < 0.8 * best.in_sentence or item.holds_expected < best.holds_expected:
            continue
        if any(_same(item, other) for other in chosen):
            continue
        chosen.append(item)
    return [sentence for item in chosen for sentence in (item, *_items_after(item))]


def holds_expected(expected: Expected, text: str) -> bool:
    """Whether a text holds the kind of thing a question asks for; True for `any`."""
    match expected:
        case "date":
            return bool(dates(text)) or bool(_MONTH_OR_YEAR.search(text))
        case "number":
            return bool(numbers(text))
        case "amount":
            return bool(_AMOUNT.search(text)) and bool(numbers(text))
        case "act":
            return bool(references(text))
        case "contact":
            return bool(_CONTACT.search(text))
        case "place":
            return bool(_PLACE.search(text))
        case "list":
            return text.endswith(":") or text.count(",") + text.count(";") >= 2
        case _:
            return True


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
    """A malus for what is seldom an answer: a question, a bare title, a page-long sentence."""
    malus = 0.0
    if text.rstrip().endswith("?"):
        malus += 0.3
    words = text.count(" ") + 1
    if words < 5 and not text.endswith(":"):
        malus += 0.15
    if len(text) > 450:
        malus += min(0.25, (len(text) - 450) / 2000)
    return malus


def _same(one: Candidate, other: Candidate) -> bool:
    """Whether two sentences say the same words (one inside the other included)."""
    if one.hit.passage.id == other.hit.passage.id and one.start == other.start:
        return True
    first, second = set(terms(one.text)), set(terms(other.text))
    return len(first & second) >= 0.8 * min(len(first), len(second))


def _items_after(candidate: Candidate) -> list[Candidate]:
    """The lines that follow a sentence ending with a colon, when they are its list."""
    if not candidate.text.endswith(":"):
        return []
    passage = candidate.hit.passage
    following = [span for span in passage_sentences(passage) if span[0] >= candidate.end]
    items: list[Candidate] = []
    for start, end in following[:MAX_ITEMS]:
        text = passage.text[start:end]
        if items and not _looks_like_item(text):
            break
        items.append(
            Candidate(
                candidate.hit,
                start,
                end,
                candidate.score,
                candidate.coverage,
                candidate.in_sentence,
                candidate.holds_expected,
            )
        )
    return items


def _looks_like_item(text: str) -> bool:
    return bool(re.match(r"[•\-–*·]|\(?\w{1,3}[.)]\s|[a-zà-ù]", text)) or text.endswith(";")
