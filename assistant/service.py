"""The assistant as everyone uses it: command line, API, evaluation.

It serves the current generation and moves to a new one by itself when `piano ingest` swaps it; the
old one is closed when the last request on it ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assistant.answering.answer import Answerer
from assistant.embedding.protocol import Embedder
from assistant.errors import AssistantError, CorruptIndexError, NoIndexError, UsageError
from assistant.index.entries import RecordEntry
from assistant.index.protocol import SearchBackend
from assistant.italian.analysis import readable
from assistant.models import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    Filters,
    Page,
    Passage,
    SearchResult,
    Stage,
    Status,
)
from assistant.record_models import Intervento, Record, Scheda
from assistant.retrieval.filters import parse_ignored
from assistant.retrieval.protocol import Reranker
from assistant.retrieval.remembered import Remembered
from assistant.retrieval.search import Choices, search
from assistant.schede import RecordFilters, RecordList, find
from assistant.settings import Settings

MAX_QUESTION = 10_000
"""Code points; a longer text is no question."""

MAX_K = 1000

MAX_HISTORY = 50
"""Earlier questions looked at, the latest ones; a follow-up leans on the few before it."""

OPENINGS = 3
"""Times an opening is tried: one can be overtaken by an ingest that prunes what it was opening."""


class Generations(Protocol):
    """What the service needs of the store of generations."""

    def current_id(self) -> str | None: ...

    def open_current(self) -> SearchBackend:
        """Raises NoIndexError, IndexMismatchError, CorruptIndexError."""
        ...

    def status(self) -> Status: ...

    def original(self, document_id: str) -> Path:
        """Raises NotFoundError."""
        ...


@dataclass(slots=True)
class _Lease:
    """An opened generation and how many requests are using it."""

    generation: str
    backend: SearchBackend
    users: int = 0
    retired: bool = False


class Assistant:
    """Search and answers over the current generation; safe to use from several threads."""

    def __init__(
        self,
        generations: Generations,
        load_embedder: Callable[[], Embedder],
        settings: Settings,
        reranker: Reranker | None = None,
    ) -> None:
        """`reranker` reads the best hits again; its model is loaded with the first of them."""
        self._generations = generations
        self._load_embedder = load_embedder
        self._settings = settings
        self._reranker = reranker
        self._embedder: Embedder | None = None
        self._lease: _Lease | None = None
        self._lock = threading.Lock()

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        filters: Filters | None = None,
        expand: bool = True,
        ignore: Sequence[str] = (),
    ) -> SearchResult:
        """The `k` best passages for a query; none for a query without words.

        `expand=False` searches the words as they are, without others, corrections or translation;
        `ignore` are pins (`distretto`, `anno`, …) that are not to influence the ranking.
        """
        query, choices = self._check(query), Choices(expand, parse_ignored(ignore))
        if not 1 <= k <= MAX_K:
            raise UsageError(f"-k deve essere tra 1 e {MAX_K}, non {k}.")
        started = time.perf_counter()
        with self._backend() as backend:
            found = search(
                backend,
                self.embedder(),
                query,
                k=k,
                filters=filters or Filters(),
                choices=choices,
                reranker=self._reranker,
            )
            generation = backend.manifest.generation
        elapsed = round((time.perf_counter() - started) * 1000, 2)
        return SearchResult(
            query,
            found.hits,
            generation,
            {"total": elapsed},
            found.understood,
            " + ".join(name for name in (self.embedder().name, found.reranker) if name),
            found.notices,
        )

    def ask(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[str] = (),
        expand: bool = True,
        ignore: Sequence[str] = (),
    ) -> Answer:
        """The whole answer; `history` holds the conversation's earlier questions, oldest first.

        `expand` and `ignore` are those of `search`.
        """
        answer: Answer | None = None
        for event in self.stream(
            question, filters=filters, history=history, expand=expand, ignore=ignore
        ):
            if isinstance(event, Answer):
                answer = event
        assert answer is not None, "the stream always ends with an answer"
        return answer

    def stream(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[str] = (),
        expand: bool = True,
        ignore: Sequence[str] = (),
    ) -> Iterator[Stage | Citation | AnswerSentence | Answer]:
        """Stages, then sentences (new citations before each), then the Answer that holds all.

        An earlier question too long to be one is left out of the history.
        """
        question, choices = self._check(question), Choices(expand, parse_ignored(ignore))
        history = [readable(text) for text in history[-MAX_HISTORY:] if len(text) <= MAX_QUESTION]
        with self._backend() as backend:
            answerer = Answerer(backend, self.embedder(), self._settings, self._reranker)
            yield from answerer.stream(
                question, filters=filters or Filters(), history=history, choices=choices
            )

    def documents(self) -> list[Document]:
        with self._backend() as backend:
            return backend.documents()

    def document(self, document_id: str) -> Document:
        with self._backend() as backend:
            return backend.document(document_id)

    def page(self, document_id: str, number: int) -> Page:
        with self._backend() as backend:
            return backend.page(document_id, number)

    def document_passages(self, document_id: str) -> list[Passage]:
        """The passages of one document in reading order; none for an unknown one."""
        with self._backend() as backend:
            return backend.document_passages(document_id)

    def schede(self) -> list[Scheda]:
        with self._backend() as backend:
            return backend.schede()

    def interventi(self) -> list[Intervento]:
        with self._backend() as backend:
            return backend.interventi()

    def find_records(self, filters: RecordFilters) -> list[RecordEntry]:
        """Every scheda and intervento that fulfils the filters, in short; raises UsageError."""
        with self._backend() as backend:
            return find(backend.record_entries(), filters)

    def list_records(
        self, filters: RecordFilters, *, offset: int = 0, limit: int | None = None
    ) -> RecordList:
        """A stretch of what `find_records` finds, whole; all from one generation."""
        with self._backend() as backend:
            found = find(backend.record_entries(), filters)
            end = None if limit is None else offset + limit
            part = found[offset:end]
            return RecordList(len(found), part, backend.records([entry.id for entry in part]))

    def record(self, identity: str) -> Record:
        """Raises NotFoundError."""
        with self._backend() as backend:
            return backend.records([identity])[0]

    def original(self, document_id: str) -> Path:
        """The file as it was ingested."""
        return self._generations.original(document_id)

    def status(self) -> Status:
        return self._generations.status()

    def ready(self) -> bool:
        """Whether questions can be answered now."""
        try:
            with self._backend():
                return True
        except AssistantError:
            return False

    def embedder(self) -> Embedder:
        """The embedding model, loaded at the first use."""
        with self._lock:
            if self._embedder is None:
                self._embedder = self._load_embedder()
            return self._embedder

    def load(self) -> None:
        """Loads the models that questions will need; raises EmbeddingError, RerankerError."""
        self.embedder()
        if self._reranker is not None:
            self._reranker.load()

    def close(self) -> None:
        """Lets the files go, once the requests in progress end; a later request opens them anew."""
        with self._lock:
            lease, self._lease = self._lease, None
            if lease is not None:
                lease.retired = True
                if lease.users == 0:
                    lease.backend.close()

    @contextmanager
    def _backend(self) -> Iterator[SearchBackend]:
        """The current generation's backend, kept open until the caller is done with it."""
        lease = self._acquire()
        try:
            yield lease.backend
        finally:
            with self._lock:
                lease.users -= 1
                if lease.retired and lease.users == 0:
                    lease.backend.close()

    def _acquire(self) -> _Lease:
        """Raises what opening the generation in use raises; the one opened before stays open."""
        for attempt in range(OPENINGS):
            current = self._generations.current_id()
            if current is None:
                raise NoIndexError(
                    "Non c'è ancora nessun documento indicizzato.",
                    remedy="Esegui `piano ingest` per caricare i documenti.",
                )
            with self._lock:
                try:
                    return self._lease_on(current)
                except CorruptIndexError:
                    if attempt == OPENINGS - 1 or self._generations.current_id() == current:
                        raise
        raise AssertionError("the last attempt returns or raises")

    def _lease_on(self, current: str) -> _Lease:
        """A lease on the generation in use, opened if need be; called with the lock held."""
        if self._lease is None or self._lease.generation != current:
            # Opened before the old one is let go: a generation that does not open leaves
            # the old one serving its last requests.
            backend = Remembered(self._generations.open_current())
            old, self._lease = self._lease, _Lease(backend.manifest.generation, backend)
            if old is not None:
                old.retired = True
                if old.users == 0:
                    old.backend.close()
        self._lease.users += 1
        return self._lease

    def _check(self, text: str) -> str:
        """The text as it can be searched; raises UsageError when it is too long to be one."""
        if len(text) > MAX_QUESTION:
            raise UsageError(
                f"Il testo è troppo lungo: {len(text)} caratteri.",
                remedy=f"Il massimo è {MAX_QUESTION}.",
            )
        return readable(text)
