"""What is measured: each metric looks at one question.

The docstring of a `@metric` is the legend that users read in the report, so it is Italian.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol

from assistant.errors import AssistantError
from assistant.models import Answer, Quote
from eval.cases import Gold, normal, says
from eval.intervals import Summary

Suite = Literal["retrieval", "answers", "abstention", "speed"]
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question asked, with all that is needed to judge it without the index."""

    gold: Gold
    answer: Answer
    found: tuple[tuple[Stretch, ...], ...]
    """The passages found, best first, each with its stretches of pages."""
    read_back: tuple[str, ...]
    """For each citation, what the index holds at its page and offsets."""
    ask_ms: float
    search_ms: float

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
    def told(self) -> str:
        return "\n".join(sentence.text for sentence in self.answer.sentences)


Observe = Callable[[Outcome], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    suite: Suite
    observe: Observe
    legend: str
    summary: Summary
    better: Literal["higher", "lower"]
    unit: Literal["share", "ms", "count"]


METRICS: dict[str, Metric] = {}


def metric(
    suite: Suite,
    *,
    summary: Summary = "mean",
    better: Literal["higher", "lower"] = "higher",
    unit: Literal["share", "ms", "count"] = "share",
) -> Callable[[Observe], Observe]:
    """Register a metric under its function's name; its docstring is the legend."""

    def register(observe: Observe) -> Observe:
        name: str = getattr(observe, "__name__", "")
        legend = " ".join((observe.__doc__ or "").split())
        METRICS[name] = Metric(name, suite, observe, legend, summary, better, unit)
        return observe

    return register


@metric("retrieval")
def recall_at_1(outcome: Outcome) -> Sequence[float]:
    """Quota delle pagine che rispondono trovata al primo posto."""
    return _ranking(outcome, "R@1")


@metric("retrieval")
def recall_at_5(outcome: Outcome) -> Sequence[float]:
    """Quota delle pagine che rispondono trovata fra le prime 5 pagine."""
    return _ranking(outcome, "R@5")


@metric("retrieval")
def recall_at_10(outcome: Outcome) -> Sequence[float]:
    """Quota delle pagine che rispondono trovata fra le prime 10 pagine."""
    return _ranking(outcome, "R@10")


@metric("retrieval")
def mrr_at_10(outcome: Outcome) -> Sequence[float]:
    """Media di 1/posto della prima pagina che risponde, entro 10 (1 = sempre prima)."""
    return _ranking(outcome, "RR@10")


@metric("retrieval")
def ndcg_at_10(outcome: Outcome) -> Sequence[float]:
    """Bontà dell'ordine delle prime 10 pagine (1 = pagine che rispondono tutte in cima)."""
    return _ranking(outcome, "nDCG@10")


@metric("retrieval")
def evidence_at_5(outcome: Outcome) -> Sequence[float]:
    """Prove attese contenute (almeno per metà) nei primi 5 brani trovati: più severa delle pagine,
    perché un documento web è una pagina sola."""
    return _found_share(outcome, 5)


@metric("retrieval")
def evidence_at_10(outcome: Outcome) -> Sequence[float]:
    """Prove attese contenute (almeno per metà) nei primi 10 brani trovati."""
    return _found_share(outcome, 10)


@metric("answers")
def quote_integrity(outcome: Outcome) -> Sequence[float]:
    """Citazioni il cui testo, riletto dall'indice alla pagina e posizione dette, è identico."""
    pairs = zip(outcome.answer.citations, outcome.read_back, strict=True)
    return [float(citation.quote == actual) for citation, actual in pairs]


@metric("answers")
def sentence_support(outcome: Outcome) -> Sequence[float]:
    """Frasi con almeno una citazione e, se presentate come testuali, le cui parole stanno tutte
    nelle citazioni."""
    quotes = {citation.n: citation.quote for citation in outcome.answer.citations}
    found: list[float] = []
    for sentence in outcome.answer.sentences:
        words = normal(" ".join(quotes.get(n, "") for n in sentence.citations))
        cited = bool(sentence.citations) and all(n in quotes for n in sentence.citations)
        if sentence.verdict == "verbatim":
            cited = cited and normal(sentence.text) in words
        found.append(float(cited and sentence.verdict != "unsupported"))
    return found


@metric("answers")
def evidence_recall(outcome: Outcome) -> Sequence[float]:
    """Prove attese coperte dalle citazioni (almeno metà del brano, stessa pagina); un rifiuto
    vale 0."""
    if not outcome.gold.case.answerable:
        return []
    sets = outcome.gold.evidence
    return [max(_covered_share(quotes, outcome.answer.citations) for quotes in sets)]


@metric("answers")
def citation_precision(outcome: Outcome) -> Sequence[float]:
    """Citazioni che toccano una prova attesa, fra quelle date a domande con risposta. È un minimo:
    altre pagine possono dire lo stesso."""
    if not outcome.gold.case.answerable:
        return []
    wanted = [quote for quotes in outcome.gold.evidence for quote in quotes]
    return [
        float(any(len(_common(quote, citation)) for quote in wanted))
        for citation in outcome.answer.citations
    ]


@metric("answers")
def nugget_recall(outcome: Outcome) -> Sequence[float]:
    """Informazioni indispensabili dette nella risposta; un rifiuto vale 0."""
    if not outcome.gold.case.answerable:
        return []
    vital = [nugget for nugget in outcome.gold.case.nuggets if nugget.vital]
    told = [any(says(outcome.told, form) for form in nugget.forms) for nugget in vital]
    return [sum(told) / len(told)]


@metric("answers", summary="total", better="lower", unit="count")
def forbidden_hits(outcome: Outcome) -> Sequence[float]:
    """Risposte che dicono una cosa vietata (la cifra di un altro anno, di un altro distretto)."""
    return [float(any(says(outcome.told, word) for word in outcome.gold.case.forbidden))]


@metric("abstention")
def abstention_recall(outcome: Outcome) -> Sequence[float]:
    """Domande senza risposta nei documenti a cui l'assistente non risponde."""
    return [] if outcome.gold.case.answerable else [float(outcome.abstained)]


@metric("abstention", better="lower")
def false_refusals(outcome: Outcome) -> Sequence[float]:
    """Domande con risposta nei documenti che l'assistente rifiuta."""
    return [float(outcome.abstained)] if outcome.gold.case.answerable else []


@metric("abstention")
def clean_silence(outcome: Outcome) -> Sequence[float]:
    """Rifiuti che non contengono frasi né citazioni presentate come risposta."""
    if not outcome.abstained:
        return []
    return [float(not outcome.answer.sentences and not outcome.answer.citations)]


@metric("speed", summary="p50", better="lower", unit="ms")
def ask_p50(outcome: Outcome) -> Sequence[float]:
    """Tempo mediano di una risposta, a processo avviato."""
    return [outcome.ask_ms]


@metric("speed", summary="p95", better="lower", unit="ms")
def ask_p95(outcome: Outcome) -> Sequence[float]:
    """Tempo entro cui arriva il 95% delle risposte, a processo avviato."""
    return [outcome.ask_ms]


@metric("speed", summary="p50", better="lower", unit="ms")
def search_p50(outcome: Outcome) -> Sequence[float]:
    """Tempo mediano di una ricerca, a processo avviato."""
    return [outcome.search_ms]


@metric("speed", summary="p95", better="lower", unit="ms")
def search_p95(outcome: Outcome) -> Sequence[float]:
    """Tempo entro cui arriva il 95% delle ricerche, a processo avviato."""
    return [outcome.search_ms]


RANKING = ("R@1", "R@5", "R@10", "RR@10", "nDCG@10")


def _ranking(outcome: Outcome, name: str) -> Sequence[float]:
    """The best of the evidence sets: any one suffices."""
    if not outcome.gold.case.answerable:
        return []
    wanted = tuple(
        tuple(sorted({RankedPage(quote.document_id, quote.page) for quote in quotes}))
        for quotes in outcome.gold.evidence
    )
    return [max(ranking_scores(outcome.ranked, pages)[name] for pages in wanted)]


@lru_cache(maxsize=4096)
def ranking_scores(
    ranked: tuple[RankedPage, ...], relevant: tuple[RankedPage, ...]
) -> dict[str, float]:
    """ir-measures' figures (RANKING) for one ranked list of pages against one evidence set."""
    if not ranked:
        return dict.fromkeys(RANKING, 0.0)
    try:
        import ir_measures
    except ImportError as error:
        raise AssistantError(
            "Manca il pacchetto ir-measures, che calcola le misure di ricerca.",
            remedy="Esegui «make setup».",
        ) from error
    qrels = {"q": {_key(page): 1 for page in relevant}}
    run = {"q": {_key(page): float(len(ranked) - place) for place, page in enumerate(ranked)}}
    measures = [ir_measures.parse_measure(name) for name in RANKING]
    scores = ir_measures.calc_aggregate(measures, qrels, run)
    return {str(found): float(value) for found, value in scores.items()}


def _found_share(outcome: Outcome, k: int) -> Sequence[float]:
    if not outcome.gold.case.answerable:
        return []
    stretches = [stretch for parts in outcome.found[:k] for stretch in parts]
    return [max(_covered_share(quotes, stretches) for quotes in outcome.gold.evidence)]


def _key(page: RankedPage) -> str:
    return f"{page.document_id}#{page.page}"


def _covered_share(quotes: Sequence[Quote], places: Sequence[Place]) -> float:
    covered = 0
    for quote in quotes:
        held: set[int] = set()
        for place in places:
            held.update(_common(quote, place))
        covered += len(held) >= COVERED * (quote.end - quote.start)
    return covered / len(quotes)


def _common(quote: Quote, place: Place) -> range:
    """Offsets in common."""
    if (quote.document_id, quote.page) != (place.document_id, place.page):
        return range(0)
    return range(max(quote.start, place.start), min(quote.end, place.end))
