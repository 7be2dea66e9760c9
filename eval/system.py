"""The system under test: what eval needs of it, and how a real one is opened."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

from assistant.embedding.protocol import Embedder
from assistant.errors import AssistantError
from assistant.index.protocol import SearchBackend
from assistant.models import (
    Answer,
    Document,
    Filters,
    Page,
    Passage,
    SearchResult,
)
from assistant.record_models import Intervento, Scheda
from assistant.settings import Settings

INGEST_TIMEOUT_SECONDS = 600.0


class System(Protocol):
    """The part of assistant.service.Assistant that questions go through."""

    def ask(
        self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
    ) -> Answer: ...

    def search(
        self, query: str, *, k: int = 10, filters: Filters | None = None
    ) -> SearchResult: ...

    def page(self, document_id: str, number: int, /) -> Page: ...

    def documents(self) -> list[Document]: ...

    def document_passages(self, document_id: str, /) -> list[Passage]: ...

    def schede(self) -> list[Scheda]: ...

    def interventi(self) -> list[Intervento]: ...


class Engine(NamedTuple):
    """What the assistant searches with, for measures that take its search apart."""

    backend: SearchBackend
    embedder: Embedder


@contextmanager
def opened(settings: Settings, data_dir: Path | None) -> Iterator[System]:
    """The assistant over the index in `data_dir`, or over a fresh one of the bundled corpus.

    Raises:
        NoIndexError: `data_dir` is given and holds no index.
        AssistantError: the bundled corpus could not be ingested.
    """
    with prepared(data_dir) as folder, assistant_over(settings, folder) as assistant:
        yield assistant


@contextmanager
def prepared(data_dir: Path | None) -> Iterator[Path]:
    """`data_dir` itself, or a temporary one with the bundled corpus, removed at the end."""
    if data_dir is not None:
        yield data_dir
        return
    with tempfile.TemporaryDirectory(prefix="piano-eval-") as fresh:
        ingest_bundled(Path(fresh))
        yield Path(fresh)


@contextmanager
def assistant_over(settings: Settings, data_dir: Path) -> Iterator[System]:
    from assistant.build import build_assistant

    assistant = build_assistant(replace(settings, data_dir=data_dir), long_lived=True)
    try:
        yield assistant
    finally:
        assistant.close()


@contextmanager
def engine_over(settings: Settings, data_dir: Path) -> Iterator[Engine]:
    from assistant.build import build_embedder, build_generations
    from assistant.retrieval.remembered import Remembered

    settings = replace(settings, data_dir=data_dir)
    embedder = build_embedder(settings)
    store = build_generations(settings, long_lived=True, embedder=lambda: embedder)
    backend = Remembered(store.open_current())
    try:
        yield Engine(backend, embedder)
    finally:
        backend.close()


def ingest_bundled(data_dir: Path) -> None:
    """Ingest the bundled corpus as a user would, with the command line in its own process.

    Raises:
        AssistantError: the command failed or refused a document.
    """
    _ingest(data_dir, [], accepted=(0,))


def ingest_into(data_dir: Path, folder: Path) -> None:
    """Ingest a folder in the same way; some of its files may be refused.

    Raises:
        AssistantError: the command failed.
    """
    _ingest(data_dir, [str(folder)], accepted=(0, 3))


def _ingest(data_dir: Path, sources: Sequence[str], accepted: Sequence[int]) -> None:
    command = [sys.executable, "-m", "assistant.cli", "ingest", *sources]
    command += ["--data-dir", str(data_dir)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INGEST_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise AssistantError(
            f"L'ingestione dei documenti del progetto supera {INGEST_TIMEOUT_SECONDS:.0f} secondi.",
            remedy="Esegui «piano ingest» e poi «piano eval --data-dir CARTELLA».",
        ) from error
    if done.returncode not in accepted:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise AssistantError(
            "L'ingestione dei documenti del progetto non è riuscita"
            f" (codice {done.returncode}): {' '.join(last) or 'nessun messaggio'}",
            remedy="Esegui «piano ingest» per vedere il motivo.",
        )
