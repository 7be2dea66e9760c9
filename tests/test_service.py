"""The service over a real data directory: generations swapped under its feet, damage, closing."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.build import build_assistant, build_embedder, build_generations
from assistant.embedding.protocol import Embedder
from assistant.errors import CorruptIndexError, NoIndexError, NotFoundError, UsageError
from assistant.index.files import write_atomically
from assistant.index.generation import GenerationStore
from assistant.index.protocol import SearchBackend
from assistant.models import Answer, Filters, Status
from assistant.retrieval.remembered import Remembered
from assistant.service import MAX_K, MAX_QUESTION, Assistant
from assistant.settings import Settings
from ingest.pipeline import ingest

QUESTION = "Quanti volontari ha la biblioteca di Pietranera?"


def page(volunteers: int) -> str:
    return (
        "# Biblioteca di Pietranera\n\n## Volontari\n\n"
        f"La biblioteca di Pietranera ha {volunteers} volontari nel turno serale.\n\n"
        "## Sede\n\nLa sede è nel vecchio mulino vicino al ponte di legno.\n"
    )


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return build_embedder(Settings())


class Library:
    """A folder with one document about the library, and the data directory it goes into."""

    def __init__(self, folder: Path, embedder: Embedder, keep_generations: int = 3) -> None:
        self.settings = Settings(data_dir=folder / "dati", keep_generations=keep_generations)
        self.documents = folder / "documenti"
        self.documents.mkdir()
        self.embedder = embedder
        self.store = build_generations(self.settings, embedder=lambda: embedder)

    def has(self, volunteers: int) -> str:
        """Ingests the document with this number; returns the generation."""
        (self.documents / "biblioteca.md").write_text(page(volunteers), "utf-8")
        report = ingest(
            [str(self.documents)], settings=self.settings, store=self.store, embedder=self.embedder
        )
        assert report.changed and report.generation is not None
        return report.generation


@pytest.fixture
def library(tmp_path: Path, embedder: Embedder) -> Library:
    return Library(tmp_path, embedder)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Library:
    """For tests that only read: twelve volunteers, and nobody ingests any more."""
    library = Library(tmp_path_factory.mktemp("quieta"), embedder)
    library.has(12)
    return library


@pytest.fixture
def reader(quiet: Library) -> Iterator[Assistant]:
    assistant = Assistant(quiet.store, lambda: quiet.embedder, quiet.settings)
    yield assistant
    assistant.close()


@pytest.fixture
def assistant(library: Library) -> Iterator[Assistant]:
    assistant = Assistant(library.store, lambda: library.embedder, library.settings)
    yield assistant
    assistant.close()


def count(answer: Answer) -> int:
    """How many volunteers an answer speaks of; sentence, citation and page agree."""
    assert answer.status == "answered"
    (sentence,) = answer.sentences
    (citation,) = answer.citations
    assert citation.quote == sentence.text
    return int(next(word for word in sentence.text.split() if word.isdigit()))


def test_without_an_index_the_remedy_is_named(assistant: Assistant) -> None:
    assert not assistant.ready()
    with pytest.raises(NoIndexError, match="piano ingest"):
        assistant.ask(QUESTION)
    with pytest.raises(NoIndexError, match="piano ingest"):
        assistant.search("biblioteca")
    assert assistant.status().generation is None


def test_the_first_ingest_is_noticed(library: Library, assistant: Assistant) -> None:
    assert not assistant.ready()
    generation = library.has(12)
    assert assistant.ready()
    answer = assistant.ask(QUESTION)
    assert (count(answer), answer.generation) == (12, generation)


def test_requests_see_the_old_or_the_new_generation_and_never_a_mix(
    tmp_path: Path, embedder: Embedder
) -> None:
    library = Library(tmp_path, embedder, keep_generations=1)
    expected = {library.has(10): 10}
    assistant = Assistant(library.store, lambda: embedder, library.settings)
    done = threading.Event()
    seen: list[tuple[str, int]] = []

    def ask() -> None:
        while not done.is_set():
            answer = assistant.ask(QUESTION)
            seen.append((answer.generation, count(answer)))
            assert assistant.search("mulino").hits

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        try:
            for volunteers in (11, 12):
                expected[library.has(volunteers)] = volunteers
                time.sleep(0.2)
        finally:
            done.set()
    for future in asking:
        future.result()
    assistant.close()
    assert {generation for generation, _ in seen} <= set(expected)
    assert all(expected[generation] == volunteers for generation, volunteers in seen)
    assert {volunteers for _, volunteers in seen} >= {10, 12}
    assert library.store.generation_ids() == [max(expected)]


def test_an_answer_begun_on_a_generation_ends_on_it(library: Library, assistant: Assistant) -> None:
    old = library.has(12)
    stream = assistant.stream(QUESTION)
    next(stream)
    new = library.has(15)
    assert assistant.ask(QUESTION).generation == new
    *_, answer = stream
    assert isinstance(answer, Answer)
    assert (answer.generation, count(answer)) == (old, 12)


class Watched:
    """The store, remembering which backends it opened and which of them are closed."""

    def __init__(self, store: GenerationStore) -> None:
        self._store = store
        self.opened: list[str] = []
        self.closed: list[str] = []

    def current_id(self) -> str | None:
        return self._store.current_id()

    def open_current(self) -> SearchBackend:
        backend = self._store.open_current()
        generation, close = backend.manifest.generation, backend.close
        self.opened.append(generation)

        def closing() -> None:
            self.closed.append(generation)
            close()

        backend.close = closing  # type: ignore[method-assign]
        return backend

    def status(self) -> Status:
        return self._store.status()

    def original(self, document_id: str) -> Path:
        return self._store.original(document_id)


def test_a_generation_is_closed_when_its_last_request_ends(library: Library) -> None:
    store = Watched(library.store)
    assistant = Assistant(store, lambda: library.embedder, library.settings)
    old = library.has(12)
    first, abandoned = assistant.stream(QUESTION), assistant.stream(QUESTION)
    next(first)
    next(abandoned)
    new = library.has(13)
    assistant.ask(QUESTION)
    assert (store.opened, store.closed) == ([old, new], [])
    list(first)
    assert store.closed == []
    abandoned.close()  # what a server does when its client goes away
    assert store.closed == [old]
    running = assistant.stream(QUESTION)
    next(running)
    assistant.close()
    assert store.closed == [old]
    list(running)
    assert store.closed == [old, new]
    assistant.close()
    assert store.closed == [old, new]


def test_requests_share_one_opening(quiet: Library) -> None:
    store = Watched(quiet.store)
    assistant = Assistant(store, lambda: quiet.embedder, quiet.settings)
    threads = [threading.Thread(target=assistant.ask, args=(QUESTION,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(store.opened) == 1
    assistant.close()
    assert store.closed == store.opened


def test_a_damaged_generation_is_told_and_a_rollback_heals(
    library: Library, assistant: Assistant
) -> None:
    old = library.has(12)
    begun = assistant.stream(QUESTION)
    next(begun)
    new = library.has(13)
    catalog = library.store.folder / new / "catalog.sqlite"
    catalog.write_bytes(catalog.read_bytes()[:-100])
    for _ in range(2):
        with pytest.raises(CorruptIndexError, match="piano rollback"):
            assistant.ask(QUESTION)
    assert not assistant.ready()
    *_, answer = begun
    assert isinstance(answer, Answer) and count(answer) == 12
    library.store.rollback()
    assert assistant.ready()
    assert assistant.ask(QUESTION).generation == old


def test_a_missing_generation_is_told(library: Library, assistant: Assistant) -> None:
    generation = library.has(12)
    shutil.rmtree(library.store.folder / generation)
    with pytest.raises(CorruptIndexError, match="piano ingest --rebuild"):
        assistant.ask(QUESTION)


class Overtaken(Watched):
    """Some openings find their generation pruned, because another took its place meanwhile."""

    def __init__(self, store: GenerationStore, times: int) -> None:
        super().__init__(store)
        self.times = times

    def open_current(self) -> SearchBackend:
        if self.times:
            self.times -= 1
            gone = self.current_id()
            other = next(i for i in two_generations(self._store) if i != gone)
            write_atomically(self._store.data_dir / "current", f"{other}\n".encode())
            raise CorruptIndexError(f"L'indice in uso, {gone}, non c'è più.")
        return super().open_current()


def two_generations(store: GenerationStore) -> list[str]:
    found = store.generation_ids()
    assert len(found) == 2
    return found


def test_an_opening_overtaken_by_an_ingest_is_tried_again(library: Library) -> None:
    volunteers = {library.has(12): 12, library.has(13): 13}
    for times in (1, 2):
        assistant = Assistant(
            Overtaken(library.store, times), lambda: library.embedder, library.settings
        )
        answer = assistant.ask(QUESTION)
        assert count(answer) == volunteers[answer.generation]
        assistant.close()
    for_ever = Overtaken(library.store, 1000)
    assistant = Assistant(for_ever, lambda: library.embedder, library.settings)
    with pytest.raises(CorruptIndexError, match="non c'è più"):
        assistant.ask(QUESTION)
    assert for_ever.times > 990


def test_after_a_close_the_files_are_opened_anew(reader: Assistant) -> None:
    assert count(reader.ask(QUESTION)) == 12
    reader.close()
    assert count(reader.ask(QUESTION)) == 12


def test_limits_are_told_with_their_value(reader: Assistant) -> None:
    with pytest.raises(UsageError, match=str(MAX_QUESTION)):
        reader.ask("a" * (MAX_QUESTION + 1))
    assert reader.ask("a" * MAX_QUESTION).status == "not_found"
    for k in (0, -1, MAX_K + 1):
        with pytest.raises(UsageError, match="-k"):
            reader.search("biblioteca", k=k)
    assert reader.search("").hits == ()
    assert reader.search("mulino", filters=Filters(distretto=("Nessuno",))).hits == ()


def test_documents_pages_and_originals_are_those_ingested(reader: Assistant) -> None:
    (document,) = reader.documents()
    assert reader.document(document.id) == document
    assert "mulino" in reader.page(document.id, 1).text
    assert reader.original(document.id).read_text("utf-8") == page(12)
    assert reader.schede() == reader.interventi() == []
    assert reader.status().documents == 1
    for call in (
        lambda: reader.document("0" * 64),
        lambda: reader.page(document.id, 2),
        lambda: reader.original("../../etc/passwd"),
    ):
        with pytest.raises(NotFoundError):
            call()


def test_what_is_remembered_is_what_the_generation_says(quiet: Library) -> None:
    plain = quiet.store.open_current()
    remembered = Remembered(plain)
    (document,) = plain.documents()
    ids = [passage.id for passage in plain.document_passages(document.id)]
    assert len(ids) == 2
    for _ in range(2):
        assert remembered.passages(ids[::-1]) == plain.passages(ids[::-1])
        assert remembered.passages([ids[0], ids[0]]) == plain.passages([ids[0], ids[0]])
        assert remembered.document_frequency("mulin") == plain.document_frequency("mulin")
        assert remembered.document(document.id) == document
        assert remembered.documents() == [document]
    assert remembered.passages(ids)[0] is remembered.passages(ids)[0]
    with pytest.raises(CorruptIndexError):
        remembered.passages(["non esiste"])
    remembered.close()


def test_settings_of_a_chat_model_do_not_slow_what_needs_none(quiet: Library) -> None:
    settings = replace(quiet.settings, chat_model="openai:x", chat_base_url="http://127.0.0.1:9")
    assistant = build_assistant(settings)
    assert assistant.ask("ciao").status == "out_of_scope"
    assert assistant.search("mulino").hits
    assistant.close()
