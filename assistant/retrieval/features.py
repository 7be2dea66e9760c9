"""What the re-ranker looks at: one row of numbers for each candidate passage.

Everything is computed from the candidate, the query and the collection's word counts; nothing
depends on which document a passage is from, so that a model trained on some documents serves
others. Shares of a query are shares of its IDF mass. The order of FEATURES is the model's: `make
models` after any change.
"""

from __future__ import annotations

import heapq
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from assistant.index.analysed import Analysed
from assistant.italian.analysis import terms
from assistant.retrieval.query import Query

FEATURES = (
    "words", "characters", "dense", "expanded",
    "words_place", "characters_place", "dense_place",
    "fused", "fused_share", "confidence",
    "body", "anywhere", "with_others", "headings", "title",
    "sentence", "sentence_short", "sentence_others", "neighbours",
    "near", "forms", "grams", "rarest",
    "numbers", "names", "length", "query_length", "matched", "verbatim", "preference",
    "distretto", "year", "scheda",
    "body_relative", "others_relative", "sentence_relative", "sentence_short_relative",
    "sentence_others_relative", "neighbours_relative", "near_relative", "forms_relative",
    "grams_relative",
)  # fmt: skip

_RELATIVE = (
    "body", "with_others", "sentence", "sentence_short", "sentence_others", "neighbours", "near",
    "forms", "grams",
)  # fmt: skip
"""Also given as shares of the best candidate's value."""

GRAM = 5
MOST_GRAMS = 32
"""The rarest 5-grams of a query say nearly all that the others do."""
_FAR = 200
_LONG = 1000
"""Characters of a query whose grams are looked at."""
_BLANKS = re.compile("[^a-z0-9\u0300-\u036f]+")
_K1, _B, _USUAL_LENGTH = 0.8, 0.75, 80.0

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage found by some leg, and what the legs say of it."""

    text: str
    analysed: Analysed
    section: tuple[str, ...]
    title: str
    legs: Mapping[str, float]
    """words, characters, expanded: shares of the query's best; dense: the cosine."""
    places: Mapping[str, int]
    """Place in each leg's own order, from 0."""
    fused: float
    verbatim: bool
    preference: float
    distretto: float
    """Whether the document is of a district that the query names; like the next two, 1 for yes, 0
    for no, one half when the query names none or the document has none."""
    year: float
    """Whether it covers a year that the query names."""
    scheda: float
    """Whether the passage is of a scheda that the query names."""


def feature_rows(
    query: Query,
    candidates: Sequence[Candidate],
    idf: Callable[[str], float],
    gram_idf: Callable[[str], float],
    confidence: float,
) -> Rows:
    """Shape `(len(candidates), len(FEATURES))`; candidates come best fused first.

    `confidence` is the best BM25 score divided by the query's IDF mass.
    """
    view = _View(query, idf, gram_idf)
    top = candidates[0].fused if candidates else 1.0
    rows = np.array(
        [view.row(candidate, top, confidence) for candidate in candidates],
        dtype=np.float32,
    ).reshape(len(candidates), len(FEATURES) - len(_RELATIVE))
    best = rows.max(axis=0, initial=1e-9) if len(candidates) else np.ones(rows.shape[1])
    columns = [FEATURES.index(name) for name in _RELATIVE]
    relative = rows[:, columns] / np.maximum(best[columns], 1e-9)
    return np.hstack([rows, relative.astype(np.float32)])


class _View:
    """A query prepared for reading many passages."""

    def __init__(
        self, query: Query, idf: Callable[[str], float], gram_idf: Callable[[str], float]
    ) -> None:
        self._query = query
        self._weights = {term: idf(term) for term in query.terms}
        self._mass = sum(self._weights.values()) or 1.0
        self._rarest = max(self._weights.values(), default=0.0) or 1.0
        self._others = _others(query, self._weights)
        self._other_words = frozenset(word for item in query.expansions for word in item.terms)
        self._pairs = list(zip(query.sequence, query.sequence[1:], strict=False))
        self._numbers = [term for term in query.terms if term[0].isdigit() or ":" in term]
        self._names = query.names
        self._forms = [
            (f" {form} ", self._weights.get(term, 0.0)) for form, term in query.forms.items()
        ]
        self._grams = _weighted_grams(query.searched, gram_idf)
        self._gram_mass = sum(weight for _, weight in self._grams) or 1.0

    def row(self, candidate: Candidate, top: float, confidence: float) -> list[float]:
        weights, mass = self._weights, self._mass
        analysed = candidate.analysed
        body = analysed.terms
        section, title = _heading_terms(candidate.section), _heading_terms((candidate.title,))
        legs, places = candidate.legs, candidate.places
        held = {term: weight for term, weight in weights.items() if term in body}
        in_body = sum(held.values())
        headings = sum(weight for term, weight in weights.items() if term in section)
        titled = sum(weight for term, weight in weights.items() if term in title)
        anywhere = others = 0.0
        missing: list[str] = []
        for term, weight in weights.items():
            if term in held or term in section or term in title:
                anywhere += weight
            else:
                missing.append(term)
        replaced = self._replaced(missing, body)
        others = anywhere + sum(replaced.values())
        sentence, short, with_others, neighbours = self._sentences(analysed, held)
        text = _plain(candidate.text)
        return [
            legs.get("words", 0.0),
            legs.get("characters", 0.0),
            legs.get("dense", 0.0),
            legs.get("expanded", legs.get("words", 0.0)),
            1 / (1 + places.get("words", _FAR)),
            1 / (1 + places.get("characters", _FAR)),
            1 / (1 + places.get("dense", _FAR)),
            candidate.fused,
            candidate.fused / (top or 1.0),
            confidence,
            in_body / mass,
            anywhere / mass,
            others / mass,
            headings / mass,
            titled / mass,
            sentence / mass,
            short / mass,
            with_others / mass,
            neighbours / mass,
            self._near(analysed.body, held),
            self._exact(text, len(analysed.body)),
            sum(weight for gram, weight in self._grams if gram in text) / self._gram_mass,
            max(held.values(), default=0.0) / self._rarest,
            _share(self._numbers, body, section, title),
            _share(self._names, body, section, title),
            math.log1p(len(analysed.body)),
            len(weights),
            len(held) / (len(weights) or 1),
            float(candidate.verbatim),
            candidate.preference,
            candidate.distretto,
            candidate.year,
            candidate.scheda,
        ]

    def _replaced(self, missing: Sequence[str], found: frozenset[str]) -> dict[str, float]:
        """What other words make up for the terms that are not there."""
        made: dict[str, float] = {}
        if found.isdisjoint(self._other_words):
            return made
        for term in missing:
            for form, weight in self._others.get(term, ()):
                if weight > made.get(term, 0.0) and all(word in found for word in form):
                    made[term] = weight
        return made

    def _sentences(
        self, analysed: Analysed, held: Mapping[str, float]
    ) -> tuple[float, float, float, float]:
        """IDF of the query in the best sentence: plain, cut by length, with other words, in two."""
        best = short = with_others = two = 0.0
        before: frozenset[str] = frozenset()
        wanted = held.keys()
        missing = [term for term in self._weights if term not in held and term in self._others]
        for words, found in zip(analysed.sentences, analysed.sets, strict=True):
            here = found & wanted
            if not here and not missing:
                before = here
                continue
            value = sum(held[term] for term in here)
            best = max(best, value)
            short = max(short, value / (1 + 0.02 * len(words)))
            if missing:
                replaced = self._replaced(missing, found)
                with_others = max(with_others, value + sum(replaced.values()))
            if before:
                two = max(two, value + sum(held[term] for term in before - here))
            before = here
        return best, short, max(best, with_others), max(best, two)

    def _near(self, body: Sequence[str], held: Mapping[str, float]) -> float:
        """How near the query's neighbours stand to each other: mean of 1/distance."""
        if not self._pairs or len(held) < 2:
            return 0.0
        at: dict[str, list[int]] = {}
        for place, term in enumerate(body):
            if term in held:
                at.setdefault(term, []).append(place)
        near = 0.0
        for first, second in self._pairs:
            if first in at and second in at and first != second:
                near += 1 / min(abs(a - b) for a in at[first] for b in at[second])
        return near / len(self._pairs)

    def _exact(self, text: str, length: int) -> float:
        """BM25 of the words as written, not stemmed."""
        norm = _K1 * (1 - _B + _B * length / _USUAL_LENGTH)
        score = 0.0
        for form, weight in self._forms:
            if count := text.count(form):
                score += weight * count * (_K1 + 1) / (count + norm)
        return score / self._mass


def _others(
    query: Query, weights: Mapping[str, float]
) -> dict[str, list[tuple[tuple[str, ...], float]]]:
    """For each term, other words with the IDF that they make up for."""
    found: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for item in query.expansions:
        for term in item.asked:
            found.setdefault(term, []).append((item.terms, item.weight * weights.get(term, 0.0)))
    return found


def _weighted_grams(text: str, gram_idf: Callable[[str], float]) -> list[tuple[str, float]]:
    plain = _plain(text)
    grams = dict.fromkeys(plain[i : i + GRAM] for i in range(min(len(plain), _LONG) - GRAM + 1))
    weighted = [(gram, gram_idf(gram)) for gram in grams]
    return heapq.nlargest(MOST_GRAMS, weighted, key=lambda item: item[1])


def _share(
    wanted: Sequence[str] | frozenset[str],
    body: frozenset[str],
    section: frozenset[str],
    title: frozenset[str],
) -> float:
    """Share of some terms that is there; one half when there is none to look for."""
    if not wanted:
        return 0.5
    return sum(t in body or t in section or t in title for t in wanted) / len(wanted)


@lru_cache(maxsize=16_384)
def _plain(text: str) -> str:
    """Folded words divided by single blanks, with a blank at each end."""
    small = text.lower()
    if not small.isascii():
        # Marks are dropped by the encoder, which is ten times as fast as looking at each letter.
        small = unicodedata.normalize("NFKD", small)
        small = _BLANKS.sub(" ", small).encode("ascii", "ignore").decode()
    return f" {_BLANKS.sub(' ', small).strip()} "


@lru_cache(maxsize=16_384)
def _heading_terms(headings: tuple[str, ...]) -> frozenset[str]:
    return frozenset(terms("\n".join(headings)))
