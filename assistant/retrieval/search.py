"""A search as users get it: hits, how the words were read, and what went otherwise than asked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from assistant.embedding.protocol import Embedder
from assistant.index.protocol import SearchBackend
from assistant.models import Filters, Hit, Understood
from assistant.retrieval.pins import understood
from assistant.retrieval.protocol import Reranker
from assistant.retrieval.query import Query, read_query
from assistant.retrieval.retrieve import retrieve

NO_WORDS = "Il testo non ha parole da cercare: scrivi per esempio «assegno di cura»."

REREAD = 20
"""Hits that a cross-encoder is given: what it reads in a second or so on a processor."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a user may choose about a search, beside the filters."""

    expand: bool = True
    """Whether other words, corrections and a translation are searched too."""
    ignore: Collection[str] = ()
    """Keys of pins that do not influence the ranking."""


@dataclass(frozen=True, slots=True)
class Found:
    hits: tuple[Hit, ...]
    understood: Understood
    query: Query
    notices: tuple[str, ...] = ()
    """Italian."""
    reranker: str = ""
    """The cross-encoder that put the hits in order; empty when none did."""


def search(
    backend: SearchBackend,
    embedder: Embedder,
    text: str,
    *,
    k: int,
    filters: Filters,
    choices: Choices | None = None,
    reranker: Reranker | None = None,
) -> Found:
    """Raises RerankerError when the cross-encoder cannot be loaded or used."""
    choices = choices or Choices()
    query = read_query(
        text,
        backend.document_frequency,
        backend.gram_frequency,
        expand=choices.expand,
        ignore=choices.ignore,
    )
    read = understood(query, backend.distretti(), filters)
    if reranker is None:
        hits = retrieve(backend, embedder, query, k=k, filters=filters)
        return Found(hits, read, query, () if hits or query.terms else (NO_WORDS,))
    hits = retrieve(backend, embedder, query, k=max(k, REREAD), filters=filters)
    hits, notice = reread(hits, reranker, query)
    if notice:
        return Found(hits[:k], read, query, (notice,))
    if not hits and not query.terms:
        return Found(hits, read, query, (NO_WORDS,))
    return Found(hits[:k], read, query, reranker=reranker.name if hits else "")


def reread(hits: tuple[Hit, ...], reranker: Reranker, query: Query) -> tuple[tuple[Hit, ...], str]:
    """The hits with the best ones in the cross-encoder's order, and why they are not, if so.

    Each place keeps its score, so that scores go on falling and mean what they meant; the
    cross-encoder's own is among the hit's parts.
    """
    from assistant.retrieval.cross_encoder import reorder

    best = hits[:REREAD]
    if not best:
        return hits, ""
    asked = query.text if query.translated else query.searched
    order, scores, notice = reorder(reranker, asked, [hit.passage.text for hit in best])
    if scores is None:
        return hits, notice
    moved = tuple(
        replace(
            best[position],
            rank=place.rank,
            score=place.score,
            parts={**best[position].parts, "cross_encoder": round(float(scores[position]), 6)},
        )
        for place, position in zip(best, order, strict=True)
    )
    return moved + hits[REREAD:], ""
