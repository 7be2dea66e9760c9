"""Where a sentence-transformers model is on disk: a folder, or a hub's copy, downloaded once.

A local folder never touches the network, nor does a hub model once it is there.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import AssistantError

logger = logging.getLogger(__name__)

OTHER_RUNTIMES = (
    "*.onnx",
    "*.h5",
    "*.ot",
    "*.msgpack",
    "*.tflite",
    "onnx/*",
    "openvino/*",
)
"""Copies of the weights for programs other than PyTorch: neither downloaded nor hashed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model that a setting names, and how it is spoken of when it cannot be had."""

    model: str
    """A folder, or a hub name `author/model`."""
    kind: str
    """Italian, with its article: `Il modello di embedding`."""
    remedy: str
    error: type[AssistantError]

    @property
    def name(self) -> str:
        """Two parts, like a hub name: many packages call their model's folder just "model"."""
        path = Path(self.model).expanduser()
        return "/".join(path.resolve().parts[-2:]) if path.is_dir() else self.model

    def folder(self, cache_dir: Path | None) -> Path:
        """`cache_dir` holds hub models; None is Hugging Face's own folder. Raises `self.error`."""
        return self._local() or self._downloaded(cache_dir)

    def unusable(self, why: str) -> AssistantError:
        """The error for a model that is there and does not serve."""
        return self.error(f"{self.kind} «{self.model}» {why}.", remedy=self.remedy)

    def not_loaded(self, error: Exception) -> AssistantError:
        return self.unusable(f"c'è, ma non si può caricare ({first_line(error)})")

    def _local(self) -> Path | None:
        """The folder that the setting names; None when it can only be a hub's name."""
        model = self.model
        path = Path(model).expanduser()
        if path.is_dir():
            if not (path / "modules.json").is_file() and not (path / "config.json").is_file():
                raise self.error(
                    f"La cartella {model} non contiene un modello sentence-transformers "
                    "(mancano modules.json e config.json).",
                    remedy=self.remedy,
                )
            return path
        looks_like_path = path.is_absolute() or path.exists() or model.count("/") != 1
        if looks_like_path or model.startswith((".", "~")) or "\\" in model:
            # Short hub names without an owner ("all-MiniLM-L6-v2") would be guesses: ask for both.
            raise self.unusable(
                "non è una cartella che esiste, né un nome della forma «autore/modello»"
            )
        return None

    def _downloaded(self, cache_dir: Path | None) -> Path:
        """The hub model's folder on disk, downloaded when it is not there yet."""
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )

        try:
            folder = Path(snapshot_download(self.model, cache_dir=cache_dir, local_files_only=True))
            if _has_weights(folder):
                return folder
        except HFValidationError as error:
            raise self._not_available(error) from error
        except LocalEntryNotFoundError:
            pass
        logger.info("Downloading model %s", self.model)
        try:
            for weights in ("*.safetensors", "*.bin"):
                wanted = ["*.json", "*.txt", "*.model", weights]
                folder = Path(
                    snapshot_download(
                        self.model,
                        cache_dir=cache_dir,
                        allow_patterns=wanted,
                        ignore_patterns=list(OTHER_RUNTIMES),
                    )
                )
                if _has_weights(folder):
                    return folder
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            raise self._not_available(error) from error
        raise self._not_available(FileNotFoundError("il modello non ha pesi per PyTorch"))

    def _not_available(self, error: Exception) -> AssistantError:
        return self.unusable(
            f"non è su questo computer e non si è potuto scaricare ({first_line(error)})"
        )


def load_failures() -> tuple[type[Exception], ...]:
    """What sentence-transformers and those below it raise for files that are no good."""
    from safetensors import SafetensorError

    return (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ImportError,
        RuntimeError,
        SafetensorError,
    )


def first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _has_weights(folder: Path) -> bool:
    """False for the remains of an interrupted download."""
    return any(folder.glob("*.safetensors")) or any(folder.glob("*.bin"))
