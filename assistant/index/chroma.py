"""Vectors in Chroma: a folder of the generation, or a server's collection.

Importing chromadb takes about a second, so it happens here only, and only when this is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assistant.errors import CorruptIndexError, UsageError
from assistant.index.protocol import Scored, Vectors

BATCH = 1000
"""Rows per insertion; Chroma refuses more than 5,461."""

_EMBEDDED_NAME = "passages"
_SERVER_PREFIX = "piano-"
# Inner product, because vectors have unit length and one that is all zeros has no cosine.
# Fewer links than the default (12, not 16) insert in half the time; recall@50 over 16,000 clustered
# vectors was 0.998 for both.
_CONFIGURATION = {
    "hnsw": {"space": "ip", "max_neighbors": 12, "ef_construction": 64, "ef_search": 200}
}


class ChromaVectors:
    """Passage ids and vectors, nothing else: texts are in the catalogue."""

    def __init__(self, client: Any, name: str, where: str, *, create: bool) -> None:
        """Raises CorruptIndexError when the collection is not there and not to be created."""
        self._client = client
        self._where = where
        with self._translated():
            if create:
                self._collection = client.create_collection(
                    name, embedding_function=_guard(), configuration=_CONFIGURATION
                )
            else:
                self._collection = client.get_collection(name, embedding_function=_guard())

    @classmethod
    def in_folder(cls, folder: Path, *, create: bool = False) -> ChromaVectors:
        import chromadb

        where = f"nella cartella {folder}"
        with _translating(where):
            client = chromadb.PersistentClient(str(folder), settings=_settings())
        return cls(client, _EMBEDDED_NAME, where, create=create)

    @classmethod
    def on_server(cls, url: str, generation: str, *, create: bool = False) -> ChromaVectors:
        """`url` is `http[s]://host:port`; each generation has a collection of its own."""
        where = f"sul server {url}"
        return cls(_server(url), _SERVER_PREFIX + generation, where, create=create)

    @property
    def count(self) -> int:
        with self._translated():
            return int(self._collection.count())

    def add(self, ids: Sequence[str], vectors: Vectors) -> Iterator[int]:
        """Inserts in batches and tells the size of each; nothing happens unless iterated."""
        for start in range(0, len(ids), BATCH):
            part = list(ids[start : start + BATCH])
            with self._translated():
                self._collection.add(ids=part, embeddings=vectors[start : start + BATCH])
            yield len(part)

    def remove(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), BATCH):
            with self._translated():
                self._collection.delete(ids=list(ids[start : start + BATCH]))

    def nearest(self, vector: Vectors, k: int) -> list[Scored]:
        """Cosine with vectors of unit length, best first; approximate, ties by id."""
        k = min(k, self.count)
        if k < 1:
            return []
        with self._translated():
            found = self._collection.query(
                query_embeddings=[vector], n_results=k, include=["distances"]
            )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        scored = [Scored(identity, 1.0 - float(distance)) for identity, distance in pairs]
        return sorted(scored, key=lambda item: (-item.score, item.passage_id))

    def close(self) -> None:
        """Lets go of the folder's files; without it they stay open as long as the process."""
        with self._translated():
            self._client.close()

    def _translated(self) -> Any:
        return _translating(self._where)


def drop_from_server(url: str, generation: str) -> None:
    """Deletes a generation's collection; one that is not there is no error."""
    client = _server(url)
    with _translating(f"sul server {url}"):
        names = {collection.name for collection in client.list_collections()}
        if _SERVER_PREFIX + generation in names:
            client.delete_collection(_SERVER_PREFIX + generation)
        client.close()


def _server(url: str) -> Any:
    import chromadb

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"L'indirizzo del server Chroma non è valido: {url!r}.",
            remedy="PIANO_CHROMA_URL si scrive così: http://127.0.0.1:8000.",
        )
    ssl = parts.scheme == "https"
    with _translating(f"sul server {url}"):
        return chromadb.HttpClient(
            host=parts.hostname,
            port=parts.port or (443 if ssl else 80),
            ssl=ssl,
            settings=_settings(),
        )


def _settings() -> Any:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


def _guard() -> Any:
    """Chroma's default embedding function downloads a model; this one refuses to embed."""
    from chromadb import EmbeddingFunction

    class Guard(EmbeddingFunction[Any]):
        def __init__(self) -> None:
            pass

        def __call__(self, input: Any) -> Any:  # noqa: A002 - Chroma's own name
            raise RuntimeError("Vectors are always passed in: Chroma must never embed.")

        @staticmethod
        def name() -> str:
            return "default"

        def get_config(self) -> dict[str, Any]:
            return {}

        @staticmethod
        def build_from_config(config: dict[str, Any]) -> Guard:
            return Guard()

    return Guard()


@contextmanager
def _translating(where: str) -> Iterator[None]:
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, httpx.HTTPError, ValueError, RuntimeError, OSError) as error:
        server = where.startswith("sul server")
        raise CorruptIndexError(
            f"Chroma non funziona {where}: {str(error)[:300]}.",
            remedy="Controlla che il server sia acceso e PIANO_CHROMA_URL sia giusto."
            if server
            else "Esegui `piano rollback` oppure `piano ingest --rebuild`.",
        ) from error
