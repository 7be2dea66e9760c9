"""Is the page that answers among the first found? Ranking measures are ir-measures' own.

A question's score is that of its best evidence set: any one set suffices (KILT, Petroni et al.
2021).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from assistant.errors import AssistantError
from eval.metrics.registry import answerable, metric
from eval.outcome import Outcome, RankedPage, best_share

RANKING = ("R@1", "R@5", "R@10", "RR@10", "nDCG@10")


@metric("retrieval", answerable)
def recall_at_1(outcome: Outcome) -> Sequence[float]:
    """Quota delle pagine che rispondono trovata al primo posto."""
    return [ranking(outcome, "R@1")]


@metric("retrieval", answerable)
def recall_at_5(outcome: Outcome) -> Sequence[float]:
    """Quota delle pagine che rispondono trovata fra le prime 5 pagine."""
    return [ranking(outcome, "R@5")]


@metric("retrieval", answerable)
def recall_at_10(outcome: Outcome) -> Sequence[float]:
    """Quota delle pagine che rispondono trovata fra le prime 10 pagine."""
    return [ranking(outcome, "R@10")]


@metric("retrieval", answerable)
def mrr_at_10(outcome: Outcome) -> Sequence[float]:
    """Media di 1/posto della prima pagina che risponde, entro 10 (1 = sempre prima)."""
    return [ranking(outcome, "RR@10")]


@metric("retrieval", answerable)
def ndcg_at_10(outcome: Outcome) -> Sequence[float]:
    """Bontà dell'ordine delle prime 10 pagine (1 = pagine che rispondono tutte in cima): somma di
    1/log2(posto+1) divisa per la migliore possibile (Järvelin e Kekäläinen 2002)."""
    return [ranking(outcome, "nDCG@10")]


@metric("retrieval", answerable)
def evidence_at_5(outcome: Outcome) -> Sequence[float]:
    """Prove attese contenute (almeno per metà) nei primi 5 brani trovati: più severa delle pagine,
    perché un documento web è una pagina sola."""
    return [found_share(outcome, 5)]


@metric("retrieval", answerable)
def evidence_at_10(outcome: Outcome) -> Sequence[float]:
    """Prove attese contenute (almeno per metà) nei primi 10 brani trovati."""
    return [found_share(outcome, 10)]


def varied(outcome: Outcome) -> bool:
    return outcome.original is not None and outcome.gold.case.answerable


@metric("retrieval", varied, summary="change", unit="points")
def recall_at_5_change(outcome: Outcome) -> Sequence[float]:
    """Differenza di recall_at_5 fra una variante (refusi, maiuscole, inglese, rumore…) e la sua
    domanda originale, a coppie: 0 = la forma non conta, sotto zero si perde."""
    assert outcome.original is not None
    return [ranking(outcome, "R@5") - ranking(outcome.original, "R@5")]


@metric("retrieval", varied, summary="change", unit="points")
def evidence_at_5_change(outcome: Outcome) -> Sequence[float]:
    """La stessa differenza a coppie per evidence_at_5."""
    assert outcome.original is not None
    return [found_share(outcome, 5) - found_share(outcome.original, 5)]


def ranking(outcome: Outcome, name: str) -> float:
    """One of RANKING for the pages found, against the best of the evidence sets."""
    wanted = [
        [RankedPage(quote.document_id, quote.page) for quote in quotes]
        for quotes in outcome.gold.evidence
    ]
    return page_scores(outcome.ranked, wanted)[name]


def page_scores(
    ranked: tuple[RankedPage, ...], wanted: Iterable[Iterable[RankedPage]]
) -> dict[str, float]:
    """RANKING for ranked pages, each measure against the best of the sets of pages wanted."""
    sets = {tuple(sorted(set(pages))) for pages in wanted}
    found = [ranking_scores(ranked, pages) for pages in sets]
    return {name: max(scores[name] for scores in found) for name in RANKING}


def found_share(outcome: Outcome, k: int) -> float:
    stretches = [stretch for parts in outcome.found[:k] for stretch in parts]
    return best_share(outcome.gold.evidence, stretches)


@lru_cache(maxsize=16_384)
def ranking_scores(
    ranked: tuple[RankedPage, ...], relevant: tuple[RankedPage, ...]
) -> dict[str, float]:
    """ir-measures' figures (RANKING) for one ranked list of pages against one evidence set."""
    if not set(ranked[:10]) & set(relevant):
        return dict.fromkeys(RANKING, 0.0)
    try:
        import ir_measures
    except ImportError as error:
        raise AssistantError(
            "Manca il pacchetto ir-measures, che calcola le misure di ricerca.",
            remedy="Esegui «make setup».",
        ) from error
    qrels = {"q": {page_key(page): 1 for page in relevant}}
    run = {"q": {page_key(page): float(len(ranked) - place) for place, page in enumerate(ranked)}}
    measures = [ir_measures.parse_measure(name) for name in RANKING]
    scores = ir_measures.calc_aggregate(measures, qrels, run)
    return {str(found): float(value) for found, value in scores.items()}


def page_key(page: RankedPage) -> str:
    """A page's name in TREC files."""
    return f"{page.document_id}#{page.page}"
