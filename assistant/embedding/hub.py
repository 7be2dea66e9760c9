"""Any sentence-transformers model, from a folder or a hub, imported on demand."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.embedding.folders import OTHER_RUNTIMES, Wanted, load_failures
from assistant.embedding.identity import Matrix
from assistant.embedding.prefixes import NONE, choose, names_of
from assistant.embedding.protocol import Prefixes
from assistant.errors import EmbeddingError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

BATCH = 32
_SETTING = "PIANO_EMBEDDING_MODEL"
_REMEDY = (
    f"Controlla {_SETTING}: vuole la cartella di un modello sentence-transformers, "
    "un nome di Hugging Face come «intfloat/multilingual-e5-small» (serve la rete la prima volta), "
    "oppure «bundled» per il modello compreso nel programma."
)


class HubEmbedder:
    """Embedder over sentence-transformers on the CPU; calls are made one at a time."""

    def __init__(
        self,
        model: str,
        *,
        query_prefix: str = "",
        passage_prefix: str = "",
        batch_size: int = BATCH,
        cache_dir: Path | None = None,
    ) -> None:
        """Load `model`; an empty prefix leaves the choice to `assistant.embedding.prefixes`.

        Raises:
            EmbeddingError: the model is not there, cannot be downloaded, or cannot be loaded.
        """
        wanted = Wanted(model, "Il modello di embedding", _REMEDY, EmbeddingError)
        folder = wanted.folder(cache_dir)
        self._name = wanted.name
        self._batch = batch_size
        self._model = _load(wanted, folder)
        self._dimension = _dimension(wanted, self._model)
        self._prefixes = choose(
            Prefixes(query_prefix, passage_prefix),
            _declared(self._model),
            names_of(model, folder),
        )
        logger.info("Model %s with prefixes %r and %r", self._name, *self._prefixes)
        self._fingerprint = _fingerprint(folder, self._model, self._prefixes)
        # Fast tokenizers fail with "Already borrowed" when two threads use one.
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._name

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def prefixes(self) -> Prefixes:
        return self._prefixes

    def embed_query(self, text: str) -> Matrix:
        with self._lock:
            vectors = self._model.encode_query(
                [text],
                prompt=self._prefixes.query,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return np.asarray(self._checked(vectors)[0])

    def embed_passages(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> Matrix:
        """The longest first, so that each batch is padded to lengths that are nearly the same."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        for start in range(0, len(order), self._batch):
            rows = order[start : start + self._batch]
            with self._lock:
                made = self._model.encode_document(
                    [texts[row] for row in rows],
                    prompt=self._prefixes.passage,
                    batch_size=self._batch,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            vectors[rows] = self._checked(made)
            if progress is not None:
                progress(len(rows))
        return vectors

    def _checked(self, vectors: object) -> Matrix:
        checked = np.asarray(vectors, dtype=np.float32)
        if (
            checked.ndim != 2
            or checked.shape[1] != self.dimension
            or not np.isfinite(checked).all()
        ):
            raise EmbeddingError(
                f"Il modello di embedding {self.name} ha dato vettori non validi.",
                remedy=_REMEDY,
            )
        return checked


def _load(wanted: Wanted, folder: Path) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except load_failures() as error:
        raise wanted.not_loaded(error) from error


def _dimension(wanted: Wanted, loaded: SentenceTransformer) -> int:
    dimension = loaded.get_embedding_dimension()
    if dimension is None:
        raise wanted.unusable("non dice quanto sono lunghi i suoi vettori")
    return int(dimension)


def _declared(loaded: SentenceTransformer) -> Prefixes:
    """The prompts that the model's files declare.

    The library looks for a passage's prompt under three names, but stops at the first one that is
    there, which always is, be it empty: a model that declares only `passage` would go without.
    """
    prompts = loaded.prompts
    passage = (prompts.get(name) for name in ("document", "passage", "corpus"))
    return Prefixes(prompts.get("query") or "", next(filter(None, passage), ""))


def _fingerprint(folder: Path, loaded: SentenceTransformer, prefixes: Prefixes) -> str:
    """SHA-256 of what decides the vectors: weights, configuration, tokenizer, prefixes.

    Prefixes that the library itself would take from the model's files are in their hash already.
    """
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        other = any(relative.match(pattern) for pattern in OTHER_RUNTIMES)
        if hidden or other or path.suffix == ".md":
            continue
        digest.update(f"{relative.as_posix()}\0".encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    by_itself = (loaded.prompts.get("query") or "", loaded.prompts.get("document") or "")
    told = ["" if p == own else p or NONE for p, own in zip(prefixes, by_itself, strict=True)]
    digest.update(f"\0{told[0]}\0{told[1]}".encode())
    return digest.hexdigest()
