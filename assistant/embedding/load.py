"""The one place that chooses the embedding model."""

from __future__ import annotations

from pathlib import Path

from assistant.embedding.protocol import Embedder
from assistant.embedding.static import StaticEmbedder

BUNDLED_NAME = "bundled"


def load_embedder(
    model: str,
    query_prefix: str = "",
    passage_prefix: str = "",
    *,
    batch_size: int = 32,
    cache_dir: Path | None = None,
) -> Embedder:
    """The embedder that a setting names: `bundled`, a local folder, or a hub name.

    An empty prefix is what the model or its family wants, `none` is none. `batch_size` is how many
    passages a sentence-transformers model gets at once. `cache_dir` is where hub models are
    kept; None is Hugging Face's own, in the home folder.

    Raises:
        EmbeddingError: the model cannot be found or loaded.
    """
    if model == BUNDLED_NAME:
        return StaticEmbedder(query_prefix=query_prefix, passage_prefix=passage_prefix)
    from assistant.embedding.hub import HubEmbedder

    return HubEmbedder(
        model,
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
        batch_size=batch_size,
        cache_dir=cache_dir,
    )
