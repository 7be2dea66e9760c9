"""Settings, read once from the environment; nothing else reads `os.environ`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from assistant.errors import UsageError

ENV_PREFIX = "PIANO_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is set by `PIANO_<FIELD IN CAPITALS>`; docs and README list them all."""

    data_dir: Path = Path("data")
    """Where originals, generations and conversations live; nothing is written elsewhere."""
    corpus_dir: Path | None = None
    """Folder that `piano ingest` takes by default; None is the bundled corpus."""
    embedding_model: str = "bundled"
    """`bundled`, or a sentence-transformers model: a local folder or a hub name."""
    embedding_query_prefix: str = ""
    """Put before each query, e.g. `query: `; empty is what the model or its family (E5, nomic …)
    wants, `none` is nothing."""
    embedding_passage_prefix: str = ""
    """Put before each passage, e.g. `passage: `; empty and `none` as for queries."""
    embedding_batch_size: int = 32
    """Passages that a sentence-transformers model gets at once; fewer need less memory."""
    cross_encoder: str = ""
    """Model that reads question and passage together to put the best passages in order: a local
    folder or a hub name; empty is none."""
    cross_encoder_seconds: float = 2.0
    """Longest time it may take for a question, in seconds; beyond it the order stays as it was."""
    chat_model: str = ""
    """`provider:model` for LangChain's init_chat_model, e.g. `ollama:llama3.1`; empty is none."""
    chat_base_url: str = ""
    """Address of the chat model's server; empty is the provider's own default."""
    chat_api_key: str = field(default="", repr=False)
    """Key for the chat model's server, when it wants one."""
    chat_timeout_seconds: float = 30.0
    """Longest wait for a chat model's whole answer, in seconds; then the quotes are served."""
    chroma_url: str = ""
    """`http://host:port` of a Chroma server for the vectors; empty is the embedded store."""
    api_host: str = "127.0.0.1"
    """Address the API listens on; loopback unless an administrator decides otherwise."""
    api_port: int = 8600
    """Port of the API."""
    ui_port: int = 8601
    """Port of the Streamlit UI."""
    keep_generations: int = 3
    """How many index generations stay on disk for rollback, the current one included."""
    max_file_mb: int = 200
    """Files larger than this are refused, in megabytes (10**6 bytes)."""
    file_timeout_seconds: float = 120.0
    """Longest time one file may take to be read, in seconds."""
    ocr: str = "auto"
    """`auto` recognises the text of pages that are images, if tesseract is there; `off` never."""
    ocr_timeout_seconds: float = 120.0
    """Longest time one page may take to be recognised, in seconds."""
    catalogue: Path | None = None
    """Catalogue of sources that `piano sync` takes; None is the project's own."""
    web_timeout_seconds: float = 120.0
    """Longest time one web address may take, redirects included, in seconds."""
    web_total_seconds: float = 900.0
    """Longest time for all web addresses of one command together, in seconds."""
    web_delay_seconds: float = 1.0
    """Pause between two requests to the same site, in seconds; robots.txt may ask for more."""
    web_max_pages: int = 200
    """How many addresses a crawl of one site folder asks for at most."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **overrides: object) -> Settings:
        """Settings from `PIANO_*` variables; keyword arguments win over them.

        Raises:
            UsageError: a value that cannot be read, or a `PIANO_*` variable that is no setting
                (a misspelt setting would otherwise be ignored in silence).
        """
        env = os.environ if env is None else env
        known = {ENV_PREFIX + f.name.upper(): f for f in fields(cls)}
        values: dict[str, object] = {}
        for name, raw in env.items():
            if not name.startswith(ENV_PREFIX) or raw == "":
                continue
            if name not in known:
                raise UsageError(
                    f"La variabile {name} non corrisponde a nessuna impostazione.",
                    remedy="Le impostazioni valide sono: " + ", ".join(sorted(known)) + ".",
                )
            setting = known[name]
            values[setting.name] = _convert(name, raw, str(setting.type))
        values.update({k: v for k, v in overrides.items() if v is not None})
        settings = cls(**values)  # type: ignore[arg-type]
        if settings.ocr not in ("auto", "off"):
            raise UsageError(
                f"Il valore di {ENV_PREFIX}OCR non è valido: {settings.ocr!r}.",
                remedy="Scrivi auto oppure off.",
            )
        for name in ("embedding_batch_size", "cross_encoder_seconds"):
            if not getattr(settings, name) > 0:
                raise UsageError(
                    f"Il valore di {ENV_PREFIX}{name.upper()} non è valido: "
                    f"{getattr(settings, name)!r}.",
                    remedy="Scrivi un numero maggiore di zero.",
                )
        return settings


def _convert(name: str, raw: str, annotation: str) -> object:
    try:
        if annotation.startswith("Path"):
            return Path(raw).expanduser()
        if annotation == "int":
            return int(raw)
        if annotation == "float":
            return float(raw)
    except ValueError as error:
        raise UsageError(
            f"Il valore di {name} non è un numero: {raw!r}.", remedy="Correggilo o toglilo."
        ) from error
    return raw
