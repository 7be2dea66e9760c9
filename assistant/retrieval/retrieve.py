"""From a question to ranked passages: read the query, gather candidates, put them in order."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assistant.embedding.protocol import Embedder
from assistant.errors import AssistantError
from assistant.index.protocol import SearchBackend
from assistant.index.records import scheda_key
from assistant.italian.analysis import fold
from assistant.models import Document, Filters, Hit, Passage
from assistant.retrieval.candidates import (
    DEPTH,
    FUSION,
    FusionWeights,
    Pool,
    gather,
    gram_idf_of,
    holds_verbatim,
    idf_of,
)
from assistant.retrieval.features import FEATURES, Candidate, Rows, feature_rows
from assistant.retrieval.preference import Preference, PreferenceWeights
from assistant.retrieval.query import SCHEDA, Query, read_query
from assistant.retrieval.trees import Trees, read_trees

MODEL = Path(__file__).parent / "reranker.json"

RERANKED = 50
"""Candidates of the first order that are looked at again."""

ABOUT_AS_WELL = 0.8
"""Share of a superseded passage's score that one of its successor must have to come first."""

BESIDE = 10
"""And the best of the dense and expanded legs that are not among them."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The candidates that are looked at again, with what the model sees of them."""

    ids: tuple[str, ...]
    passages: tuple[Passage, ...]
    documents: tuple[Document, ...]
    candidates: tuple[Candidate, ...]
    rows: Rows


def retrieve(
    backend: SearchBackend,
    embedder: Embedder | None,
    text: str | Query,
    *,
    k: int,
    filters: Filters,
    weights: FusionWeights = FUSION,
    preferences: PreferenceWeights | None = None,
    trees: Trees | None = None,
    rerank: bool = True,
) -> tuple[Hit, ...]:
    """The `k` best passages, ranked from 1; fewer when fewer match.

    Without `trees` the model that comes with the program puts them in order; `rerank=False` leaves
    the first order, with the preferences.
    """
    query = (
        text
        if isinstance(text, Query)
        else read_query(text, backend.document_frequency, backend.gram_frequency)
    )
    pool = gather(backend, embedder, query, depth=max(DEPTH, k), filters=filters, weights=weights)
    first = pool.order()
    judged = judge(backend, query, pool, first, filters, preferences)
    if rerank:
        given = (trees or shipped_trees()).scores(judged.rows)
        scores = {i: 1 / (1 + math.exp(-float(s))) for i, s in zip(judged.ids, given, strict=True)}
        scores |= _yielding(scores, judged)
    else:
        scores = {
            identity: pool.fused[identity] * candidate.preference
            for identity, candidate in zip(judged.ids, judged.candidates, strict=True)
        }
    rest = [identity for identity in first if identity not in scores]
    if rest and k > len(scores):
        # Behind the last one that was looked at again, in the first order.
        low = min(scores.values(), default=1.0) / (pool.fused[rest[0]] or 1.0)
        scores |= {i: 0.999 * low * pool.fused[i] for i in rest[: k - len(scores)]}
    best = sorted(scores, key=lambda i: (-round(scores[i], 6), i))[:k]
    passages = {
        passage.id: passage
        for passage in (
            *judged.passages,
            *backend.passages([identity for identity in best if identity not in judged.ids]),
        )
    }
    return tuple(
        Hit(
            rank=rank,
            score=round(scores[identity], 6),
            passage=passages[identity],
            document=backend.document(passages[identity].document_id),
            parts={
                name: round(leg[identity], 6) for name, leg in pool.legs.items() if identity in leg
            },
        )
        for rank, identity in enumerate(best, start=1)
    )


def _yielding(scores: Mapping[str, float], judged: Judged) -> dict[str, float]:
    """New scores of superseded passages that come behind one of their successor's.

    They yield to one that the first order prefers and that answers about as well; where the query
    asks for their years nothing is preferred.
    """
    found: dict[str, float] = {}
    every = list(zip(judged.ids, judged.documents, judged.candidates, strict=True))
    for own, document, candidate in every:
        if document.status != "superseded" or document.superseded_by_id is None:
            continue
        first = candidate.fused * candidate.preference
        for other, successor, rival in every:
            if (
                successor.id == document.superseded_by_id
                and rival.preference > candidate.preference
                and rival.fused * rival.preference >= first
                and scores[other] >= ABOUT_AS_WELL * scores[own]
            ):
                found[own] = min(found.get(own, scores[own]), 0.999 * scores[other])
    return found


def judge(
    backend: SearchBackend,
    query: Query,
    pool: Pool,
    first: list[str],
    filters: Filters,
    preferences: PreferenceWeights | None = None,
) -> Judged:
    """The candidates worth another look, and the model's features of each."""
    ids = tuple(dict.fromkeys([*first[:RERANKED], *pool.nearest(BESIDE)]))
    passages = tuple(backend.passages(ids))
    documents = tuple(backend.document(passage.document_id) for passage in passages)
    distretti = backend.distretti()
    districts = query.distretti(distretti)
    preference = Preference(query.searched, filters, distretti, preferences, ignore=query.ignore)
    places = {
        name: {identity: place for place, identity in enumerate(leg)}
        for name, leg in pool.legs.items()
    }
    verbatim = holds_verbatim(query.text, [passage.text for passage in passages])
    candidates = tuple(
        Candidate(
            text=passage.text,
            analysed=analysed,
            section=passage.section,
            title=document.title,
            legs={name: leg[passage.id] for name, leg in pool.legs.items() if passage.id in leg},
            places={
                name: places[name][passage.id] for name in pool.legs if passage.id in places[name]
            },
            fused=pool.fused.get(passage.id, 0.0),
            verbatim=same,
            preference=preference.share(document),
            distretto=_named(districts, document.distretto and fold(document.distretto)),
            year=_covers(query.years, document),
            scheda=_of_scheda(query.schede, passage),
        )
        for passage, document, analysed, same in zip(
            passages, documents, backend.analysed(ids), verbatim, strict=True
        )
    )
    idf = idf_of(backend)
    mass = sum(idf(term) for term in query.terms)
    confidence = pool.best_words / mass if mass else 0.0
    rows = feature_rows(query, candidates, idf, gram_idf_of(backend), confidence)
    return Judged(ids, passages, documents, candidates, rows)


def _named(asked: Collection[str], own: str | None) -> float:
    if not asked or own is None:
        return 0.5
    return float(own in asked)


def _covers(years: Collection[int], document: Document) -> float:
    if not years or document.year_from is None:
        return 0.5
    last = document.year_to or document.year_from
    return float(any(document.year_from <= year <= last for year in years))


def _of_scheda(asked: Collection[str], passage: Passage) -> float:
    """A passage outside of any scheda may still speak of it in its headings."""
    if not asked:
        return 0.5
    if passage.scheda is not None and scheda_key(passage.scheda) in asked:
        return 1.0
    return float(any(number in asked for number in SCHEDA.findall(fold(" ".join(passage.section)))))


@cache
def shipped_trees() -> Trees:
    """The model that comes with the program; raises AssistantError."""
    trees = read_trees(MODEL)
    if trees.features != FEATURES:
        raise AssistantError(
            f"Il modello per l'ordine dei risultati in {MODEL} è fatto per altre misure.",
            remedy="Rifallo con «make models».",
        )
    return trees
