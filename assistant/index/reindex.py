"""New vectors for the passages of an index: another model, and no file is read again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from assistant.embedding.protocol import Embedder
from assistant.embedding.text import embedded_text
from assistant.index.backend import CATALOG
from assistant.index.catalog import Catalog
from assistant.index.generation import GenerationStore
from assistant.index.manifest import IndexProfile, check_sizes, check_texts
from assistant.index.progress import Progress
from assistant.models import Document, Passage

SAMPLE = 64
"""Passages embedded to learn how long all of them take."""

SAMPLE_PARTS = 8
"""The sample is embedded in so many parts, each spread over the whole index."""

SAMPLE_SECONDS = 20.0
"""Once a sample has lasted so long, the parts that are done tell enough."""

BLOCK = 512
"""Passages held in memory at once."""

WRITTEN_A_SECOND = 900
"""Rows that Chroma takes, on two cores: what remains to be done when the model costs nothing."""


@dataclass(frozen=True, slots=True)
class Estimate:
    passages: int
    seconds: float
    """For all of them, on this machine, with the model already loaded."""


@dataclass(frozen=True, slots=True)
class Reindexed:
    generation: str
    previous: str
    """Where `piano rollback` goes."""
    passages: int
    seconds: float


def is_needed(store: GenerationStore, embedder: Embedder) -> bool:
    """Whether the index in use has vectors of another model, version or prefixes than `embedder`.

    Raises:
        NoIndexError, CorruptIndexError: there is no index to speak of.
        IndexMismatchError: its texts too were made with other rules; the remedy is a rebuild.
    """
    manifest = store.manifest()
    check_texts(manifest, IndexProfile.of(embedder))
    check_sizes(store.folder / manifest.generation, manifest)
    made_with = (manifest.embedding_model, manifest.embedding_fingerprint)
    return made_with != (embedder.name, embedder.fingerprint)


def estimate(store: GenerationStore, embedder: Embedder, progress: Progress) -> Estimate:
    """Measured on a sample of the passages; raises what opening the catalogue raises."""
    with closing(Catalog(store.folder / store.manifest().generation / CATALOG)) as catalog:
        count = catalog.counts()["passages"]
        texts = _sample(catalog, count)
    progress.stage("Misura di quanto ci vorrà", len(texts))
    # The first call pays for what later ones find ready.
    embedder.embed_passages(texts[:1])
    done, started = 0, time.perf_counter()
    for part in range(SAMPLE_PARTS):
        some = texts[part::SAMPLE_PARTS]
        embedder.embed_passages(some, progress.advance)
        done += len(some)
        if time.perf_counter() - started > SAMPLE_SECONDS:
            break
    each = (time.perf_counter() - started) / max(1, done) + 1 / WRITTEN_A_SECOND
    return Estimate(count, round(each * count, 3))


def reindex(store: GenerationStore, embedder: Embedder, progress: Progress) -> Reindexed:
    """Embeds every passage of the index in use anew, into a new generation.

    Texts, pages, records and words are those of the generation in use, which stays in use, and
    whole, until the new one has passed its checks.

    Raises:
        WriterBusyError: another process is writing.
        IndexMismatchError: the texts too were made with other rules.
        CorruptIndexError: the index in use, or the new one, fails its checks.
        EmbeddingError: the model fails.
    """
    started = time.perf_counter()
    with store.writer() as writer:
        previous = store.manifest()
        profile = IndexProfile.of(embedder, previous.passage_settings)
        staging = writer.stage(profile, keep_vectors=False)
        progress.stage("Vettori dei brani", previous.counts["passages"])
        stored = staging.settled_catalog().passages()
        for block in _blocks((document, passage) for document, passage, _ in stored):
            texts = [embedded_text(document, passage) for document, passage in block]
            vectors = embedder.embed_passages(texts, progress.advance)
            staging.add_vectors([passage.id for _, passage in block], vectors)
        manifest = staging.finish(progress)
        generation = writer.publish(staging, manifest)
    seconds = round(time.perf_counter() - started, 3)
    return Reindexed(generation, previous.generation, manifest.counts["passages"], seconds)


def _sample(catalog: Catalog, count: int) -> list[str]:
    """Texts of at most SAMPLE passages, evenly over the rows, as they are embedded."""
    size = min(SAMPLE, count)
    passages = catalog.passages(catalog.passage_ids([i * count // size for i in range(size)]))
    documents = {identity: catalog.document(identity) for identity in _documents(passages)}
    return [embedded_text(documents[one.document_id], one) for one in passages]


def _documents(passages: Sequence[Passage]) -> set[str]:
    return {passage.document_id for passage in passages}


def _blocks(
    passages: Iterator[tuple[Document, Passage]],
) -> Iterator[list[tuple[Document, Passage]]]:
    while block := list(islice(passages, BLOCK)):
        yield block
