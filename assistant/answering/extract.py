"""Verbatim sentences that answer: scored by the question's own words, never rewritten."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.answering.question import Expected, Question, weak_terms
from assistant.answering.reading import Reading, Sentence, read
from assistant.italian.acronyms import expansions, stands_in
from assistant.models import Document, Hit, Quote

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
    rival_far: float = 0.92
    """One of another passage."""
    rival_coverage: float = 0.7
    """And both must cover at least this share of what the best one covers."""


WEIGHTS = Weights()

_NUMERAL = re.compile(
    r"\d|\b(?:due|tre|quattro|cinque|sei|sette|otto|nove|dieci|undici|dodici|quindici|venti|trenta|"
    r"quaranta|cinquanta|cento|mille|nessun[oa]?|un[oa]? sol[oa]|met[aà]|terzo|quarto)\b",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"\d[\d ./\-]{5,}\d|[\w.\-]+@[\w\-]+\.\w+|www\.|https?://")
_AMOUNT = re.compile(
    r"€|\beuro\b|\bmilion[ei]\b|\bmld\b|\bmln\b|\bmiliard[oi]\b|\d{1,3}(?:\.\d{3})+|\d,\d",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(?:a|ad|in|nel|nella|nello|presso|sede|via|viale|piazza|salone|sala|comune di)\s+"
    r"(?:[a-zà-ù']+\s)?[A-ZÀ-Ý]"
)
_DATE = re.compile(
    r"\b(?:gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|"
    r"dicembre|(?:19|20)\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4})\b",
    re.IGNORECASE,
)
_ACT = re.compile(
    r"\b(?:legg[ei]|l\.?\s?r\.?|d\.?\s?g\.?\s?r|d\.?a\.?l|deliber\w+|decret\w+|d\.?\s?lgs|dm)\b"
    r"[^;]{0,60}?\d",
    re.IGNORECASE,
)


_WHO = re.compile(
    r"\b(?:Comun[ei]|Region[ei]|Aziend[ae]|Ausl|Agenzia|Uffici?o|Distrett[oi]|Unione|Giunta|"
    r"Assemblea|Comitato|Conferenza|Tavolo|Servizi?o?|Direttor[ei]|Sindac[io]|Università|Centro|"
    r"équipe|assistent[ei]|operator[ei]|infermier\w+|medic[io]|volontar\w+|facilitator[ei])\b"
)
_DEFINING = re.compile(
    r"\b(?:è|sono|indica|significa|raccoglie|riunisce|mette|serve|definisce)\b|[:(–—]"
)
_RECIPIENTS = re.compile(
    r"\b(?:destinatar|rivolt[oaie]\b|posson[oa]\b|diritto\b|spetta|beneficiar)",
    re.IGNORECASE,
)


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
        - (weights.superseded if _superseded(question, hit.document) else 0.0)
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
    with_items = [sentence for item in chosen for sentence in (item, *_items_after(item))]
    return list({(item.hit.passage.id, item.sentence.start): item for item in with_items}.values())


def holds_expected(question: Question, sentence: Sentence, reading: Reading) -> bool:
    """Whether a sentence holds the kind of thing a question asks for; True for `any`."""
    text = sentence.text
    signs: dict[Expected, re.Pattern[str]] = {
        "number": _NUMERAL,
        "act": _ACT,
        "contact": _CONTACT,
        "place": _PLACE,
        "amount": _AMOUNT,
        "who": _WHO,
    }
    if question.expected == "date":
        # The years of the question are no answer to "when".
        return any(
            not (match.group().isdigit() and int(match.group()) in question.years)
            for match in _DATE.finditer(text)
        )
    if question.expected in signs:
        return bool(signs[question.expected].search(text))
    if question.expected == "list":
        return text.endswith(":") or text.count(",") + text.count(";") >= 2
    if question.expected == "definition":
        return _defines(question, sentence)
    if question.expected == "recipients":
        heading = reading.passage.section[-1] if reading.passage.section else ""
        return bool(_RECIPIENTS.search(text) or _RECIPIENTS.search(heading))
    return True


def _bonus(expected: Expected, weights: Weights) -> float:
    if expected == "any":
        return 0.0
    return weights.label if expected in LABELLED else weights.expected


def _superseded(question: Question, document: Document) -> bool:
    """Whether a text no longer in force is read for a question that does not ask for its years."""
    if document.status != "superseded":
        return False
    last = document.year_to or document.year_from or 0
    return not any(year <= last for year in question.years)


def _defines(question: Question, sentence: Sentence) -> bool:
    """Whether a sentence opens with what is to be defined, or says "È …" under its title."""
    subject = [term for term in question.terms if term not in weak_terms()]
    if not subject:
        return False
    meanings = [meaning for term in subject for meaning in expansions(term)]
    if meanings:
        return any(all(word in sentence.terms for word in meaning) for meaning in meanings)
    if re.match(r"(?:È|E'|Sono|Si tratta)\b", sentence.text):
        return True
    opening = sentence.terms[: len(subject) + 1]
    return all(term in opening for term in subject) and bool(_DEFINING.search(sentence.text[:160]))


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


def _items_after(candidate: Candidate) -> list[Candidate]:
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
        if items and not _looks_like_item(sentence.text):
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
    return bool(re.match(r"[•\-–*·]|\(?\w{1,3}[.)]\s|[a-zà-ù]", text)) or text.endswith(";")
