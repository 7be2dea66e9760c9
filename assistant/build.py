"""The only place that chooses concrete parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from assistant.embedding.load import load_embedder
from assistant.embedding.protocol import Embedder
from assistant.index.generation import GenerationStore
from assistant.index.manifest import IndexProfile
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.retrieval.protocol import Reranker
    from assistant.service import Assistant


def build_embedder(settings: Settings) -> Embedder:
    """The embedding model that the settings name; hub models are kept in the data directory."""
    return load_embedder(
        settings.embedding_model,
        settings.embedding_query_prefix,
        settings.embedding_passage_prefix,
        batch_size=settings.embedding_batch_size,
        cache_dir=settings.data_dir / "models",
    )


def build_reranker(settings: Settings) -> Reranker | None:
    """The cross-encoder that the settings name, not loaded yet; None when they name none."""
    if not settings.cross_encoder:
        return None
    from assistant.retrieval.cross_encoder import CrossEncoderReranker

    return CrossEncoderReranker(
        settings.cross_encoder,
        seconds=settings.cross_encoder_seconds,
        cache_dir=settings.data_dir / "models",
    )


def build_generations(
    settings: Settings,
    *,
    long_lived: bool = False,
    embedder: Callable[[], Embedder] | None = None,
) -> GenerationStore:
    """The data directory's generations; the embedder is loaded only when one is opened.

    A process that lives for one question never imports Chroma, which costs a second: it searches
    the exact matrix. A long-lived one prefers Chroma's index where the matrix would be slow.
    """
    load = embedder or cache(lambda: build_embedder(settings))

    def profile() -> IndexProfile:
        return IndexProfile.of(load())

    return GenerationStore(settings, profile, prefer="chroma" if long_lived else "exact")


def build_assistant(settings: Settings, *, long_lived: bool = False) -> Assistant:
    """The assistant; `long_lived` for servers and evaluations, not for one question."""
    # Imported here: commands that only read or write the index do without the answer path.
    from assistant.service import Assistant

    embedder = cache(lambda: build_embedder(settings))
    store = build_generations(settings, long_lived=long_lived, embedder=embedder)
    return Assistant(store, embedder, settings, build_reranker(settings))
