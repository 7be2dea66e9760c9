"""Any sentence-transformers model, from a folder or a hub, imported on demand.

A local folder never touches the network. A hub model is downloaded once and then read from disk.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.embedding.identity import Matrix
from assistant.errors import EmbeddingError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

_BATCH = 32
_PASSAGES_A_STEP = 256
"""Passages between two reports of progress."""
_OTHER_RUNTIMES = (
    "*.onnx",
    "*.h5",
    "*.ot",
    "*.msgpack",
    "*.tflite",
    "onnx/*",
    "openvino/*",
)
"""Copies of the weights for programs other than PyTorch: neither downloaded nor hashed."""
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
        cache_dir: Path | None = None,
    ) -> None:
        """Load `model`; an empty prefix leaves the model's own prompt, if it has one.

        Raises:
            EmbeddingError: the model is not there, cannot be downloaded, or cannot be loaded.
        """
        folder = _local_folder(model) or _downloaded_folder(model, cache_dir)
        # Two parts, like a hub name: many packages call their model's folder just "model".
        local = Path(model).is_dir()
        self._name = "/".join(Path(model).resolve().parts[-2:]) if local else model
        self._query_prefix, self._passage_prefix = query_prefix, passage_prefix
        self._model = _load(model, folder)
        self._dimension = _dimension(model, self._model)
        self._fingerprint = _fingerprint(folder, query_prefix, passage_prefix)
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

    def embed_query(self, text: str) -> Matrix:
        with self._lock:
            vectors = self._model.encode_query(
                [text],
                prompt=self._query_prefix or None,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return np.asarray(self._checked(vectors)[0])

    def embed_passages(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> Matrix:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), _PASSAGES_A_STEP):
            step = list(texts[start : start + _PASSAGES_A_STEP])
            with self._lock:
                made = self._model.encode_document(
                    step,
                    prompt=self._passage_prefix or None,
                    batch_size=_BATCH,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            vectors[start : start + len(step)] = self._checked(made)
            if progress is not None:
                progress(len(step))
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


def _local_folder(model: str) -> Path | None:
    """The folder that the setting names; None when it can only be a hub's name."""
    path = Path(model).expanduser()
    if path.is_dir():
        if not (path / "modules.json").is_file() and not (path / "config.json").is_file():
            raise EmbeddingError(
                f"La cartella {model} non contiene un modello sentence-transformers "
                "(mancano modules.json e config.json).",
                remedy=_REMEDY,
            )
        return path
    looks_like_path = path.is_absolute() or path.exists() or model.count("/") != 1
    if looks_like_path or model.startswith((".", "~")) or "\\" in model:
        # Short hub names without an owner ("all-MiniLM-L6-v2") would be guesses: ask for both.
        raise EmbeddingError(
            f"Il modello di embedding «{model}» non è una cartella che esiste, "
            "né un nome della forma «autore/modello».",
            remedy=_REMEDY,
        )
    return None


def _downloaded_folder(model: str, cache_dir: Path | None) -> Path:
    """The hub model's folder on disk, downloaded when it is not there yet."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(model, cache_dir=cache_dir, local_files_only=True))
        if _has_weights(folder):
            return folder
    except HFValidationError as error:
        raise _not_available(model, error) from error
    except LocalEntryNotFoundError:
        pass
    logger.info("Downloading embedding model %s", model)
    try:
        for weights in ("*.safetensors", "*.bin"):
            wanted = ["*.json", "*.txt", "*.model", weights]
            folder = Path(
                snapshot_download(
                    model,
                    cache_dir=cache_dir,
                    allow_patterns=wanted,
                    ignore_patterns=list(_OTHER_RUNTIMES),
                )
            )
            if _has_weights(folder):
                return folder
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise _not_available(model, error) from error
    raise _not_available(model, FileNotFoundError("il modello non ha pesi per PyTorch"))


def _has_weights(folder: Path) -> bool:
    """False for the remains of an interrupted download."""
    return any(folder.glob("*.safetensors")) or any(folder.glob("*.bin"))


def _load(model: str, folder: Path) -> SentenceTransformer:
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ImportError,
        RuntimeError,
        SafetensorError,
    ) as error:
        raise EmbeddingError(
            f"Il modello di embedding «{model}» c'è, ma non si può caricare "
            f"({_first_line(error)}).",
            remedy=_REMEDY,
        ) from error


def _dimension(model: str, loaded: SentenceTransformer) -> int:
    dimension = loaded.get_embedding_dimension()
    if dimension is None:
        raise EmbeddingError(
            f"Il modello di embedding «{model}» non dice quanto sono lunghi i suoi vettori.",
            remedy=_REMEDY,
        )
    return int(dimension)


def _fingerprint(folder: Path, query_prefix: str, passage_prefix: str) -> str:
    """SHA-256 of what decides the vectors: weights, configuration, tokenizer, prefixes."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        other = any(relative.match(pattern) for pattern in _OTHER_RUNTIMES)
        if hidden or other or path.suffix == ".md":
            continue
        digest.update(f"{relative.as_posix()}\0".encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    digest.update(f"\0{query_prefix}\0{passage_prefix}".encode())
    return digest.hexdigest()


def _not_available(model: str, error: Exception) -> EmbeddingError:
    return EmbeddingError(
        f"Il modello di embedding «{model}» non è su questo computer e non si è potuto scaricare "
        f"({_first_line(error)}).",
        remedy=_REMEDY,
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
