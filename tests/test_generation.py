"""Generations: swapped atomically, rolled back, verified, pruned, whole after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import (
    AssistantError,
    CorruptIndexError,
    IndexMismatchError,
    NoIndexError,
    NotFoundError,
    WriterBusyError,
)
from assistant.index.catalog import Source
from assistant.index.catalog_writer import Parts
from assistant.index.generation import GenerationStore
from assistant.index.manifest import IndexProfile
from assistant.index.progress import NoProgress
from assistant.models import Document, Filters, Page, Passage, Span
from assistant.settings import Settings

PROFILE = IndexProfile("prova", "impronta-1", 2, passage_settings="taglio-1")


def make_parts(number: int, passages: int = 1) -> Parts:
    """Document `number`: a page with a sentence for each passage."""
    identity = f"{number:064x}"
    sentences = [f"Il distretto numero {number} apre lo sportello {i}." for i in range(passages)]
    found, start = [], 0
    for i, sentence in enumerate(sentences):
        span = Span(1, start, start + len(sentence))
        found.append(Passage(f"{number}-{i}", identity, i, sentence, ("Servizi",), (span,)))
        start = span.end + 1
    document = Document(identity, f"Piano {number}", "piano", f"{number}.txt", "text/plain", 1)
    return Parts(document, (Page(identity, 1, "\n".join(sentences)),), tuple(found))


def make_store(folder: Path, profile: IndexProfile = PROFILE, keep: int = 3) -> GenerationStore:
    return GenerationStore(Settings(data_dir=folder, keep_generations=keep), lambda: profile)


def add(store: GenerationStore, *numbers: int, passages: int = 1) -> str:
    with store.writer() as writer:
        staging = writer.stage(PROFILE)
        for number in numbers:
            parts = make_parts(number, passages)
            staging.add(parts, np.tile(np.float32([[0.6, 0.8]]), (passages, 1)))
            identity = parts.document.id
            staging.set_sources([Source(f"/{number}.txt", f"{number}.txt", identity)])
            writer.keep_original(identity, ".txt", parts.pages[0].text.encode())
        return writer.publish(staging, staging.finish(NoProgress()))


def titles(store: GenerationStore) -> list[str]:
    backend = store.open_current()
    try:
        return [document.title for document in backend.documents()]
    finally:
        backend.close()


def test_before_the_first_ingest_the_remedy_is_named(tmp_path: Path) -> None:
    store = make_store(tmp_path / "dati")
    assert store.current_id() is None
    with pytest.raises(NoIndexError, match="piano ingest"):
        store.open_current()
    status = store.status()
    assert (status.generation, status.documents, status.embedding) == (None, 0, None)
    assert not (tmp_path / "dati").exists()


def test_status_counts_what_is_in_use(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    generation = add(store, 1, 2, passages=3)
    status = store.status()
    assert (status.generation, status.documents, status.pages, status.passages) == (
        generation,
        2,
        2,
        6,
    )
    assert (status.embedding, status.vector_search, status.writer) == ("prova", "exact", None)
    assert status.disk_bytes > 10_000


def test_a_reader_keeps_its_generation_while_others_come_and_go(tmp_path: Path) -> None:
    store = make_store(tmp_path, keep=1)
    first = add(store, 1)
    reader = store.open_current()
    second = add(store, 2)
    assert store.generation_ids() == [second]
    assert reader.manifest.generation == first
    assert [d.title for d in reader.documents()] == ["Piano 1"]
    assert len(reader.lexical(["distrett"], 5, Filters())) == 1
    assert len(reader.nearest(np.float32([1, 0]), 5, Filters())) == 1
    assert titles(store) == ["Piano 1", "Piano 2"]


def test_readers_never_see_a_half_written_index(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    add(store, 0)
    wrong: list[str] = []
    seen: set[int] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                backend = store.open_current()
                count = len(backend.documents())
                hits = backend.nearest(np.float32([1, 0]), 100, Filters())
                words = backend.lexical(["distrett"], 100, Filters())
                if not count == len(hits) == len(words) == backend.manifest.counts["documents"]:
                    wrong.append(f"{count} {len(hits)} {len(words)}")
                seen.add(count)
                backend.close()
            except AssistantError as error:
                wrong.append(str(error))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(1, 4):
        add(store, number)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert max(seen) >= 3


def test_rollback_goes_to_where_the_generation_came_from(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    first, second = add(store, 1), add(store, 2)
    assert store.rollback() == first == store.current_id()
    assert titles(store) == ["Piano 1"]
    with pytest.raises(NoIndexError):
        store.rollback()
    third = add(store, 3)
    assert titles(store) == ["Piano 1", "Piano 3"]
    assert store.generation_ids() == [first, second, third]
    assert store.rollback() == first


def test_old_generations_and_their_originals_are_pruned(tmp_path: Path) -> None:
    store = make_store(tmp_path, keep=2)
    add(store, 1)
    second = add(store, 2)
    with store.writer() as writer:
        staging = writer.stage(PROFILE)
        staging.remove([f"{1:064x}"])
        third = writer.publish(staging, staging.finish(NoProgress()))
    assert store.generation_ids() == [second, third]
    assert store.original(f"{1:064x}").read_text() == "Il distretto numero 1 apre lo sportello 0."
    fourth = add(store, 4)
    assert store.generation_ids() == [third, fourth]
    with pytest.raises(NotFoundError):
        store.original(f"{1:064x}")
    with pytest.raises(NotFoundError):
        store.original("../current")


def test_other_settings_are_an_error_that_names_them(tmp_path: Path) -> None:
    add(make_store(tmp_path), 1)
    other = make_store(tmp_path, IndexProfile("altro-modello", "x", 384))
    with pytest.raises(IndexMismatchError, match=r"prova → altro-modello.*2 → 384.*piano reindex"):
        other.open_current()
    newer = make_store(tmp_path, IndexProfile("prova", "impronta-2", 2))
    with pytest.raises(IndexMismatchError, match="impronta-1 → impronta-2"):
        newer.open_current()
    with pytest.raises(IndexMismatchError, match="taglio-1 → taglio-2"), newer.writer() as writer:
        writer.stage(IndexProfile("prova", "impronta-1", 2, passage_settings="taglio-2"))


def test_an_index_of_another_schema_is_a_mismatch(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    path = store.folder / add(store, 1) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99}))
    with pytest.raises(IndexMismatchError, match="99"):
        store.open_current()


@pytest.mark.parametrize(
    "name", ["catalog.sqlite", "vectors/matrix.npy", "manifest.json", "lexical/meta.json"]
)
def test_a_truncated_or_missing_file_is_found_at_opening(tmp_path: Path, name: str) -> None:
    store = make_store(tmp_path)
    path = store.folder / add(store, 1) / name
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(CorruptIndexError, match="piano rollback"):
        store.open_current()
    path.unlink()
    with pytest.raises(CorruptIndexError, match="piano rollback"):
        store.open_current()


def test_a_changed_byte_is_found_by_verify(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    generation = add(store, 1, passages=50)
    assert store.verify().generation == generation
    path = store.folder / generation / "vectors/matrix.npy"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptIndexError, match=r"matrix\.npy"):
        store.verify()


def test_a_damaged_pointer_is_repaired_by_rollback(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    add(store, 1)
    second = add(store, 2)
    for content in ("", "../../etc", "20200101T000000000000-abcdef"):
        (tmp_path / "current").write_text(content)
        with pytest.raises(CorruptIndexError):
            store.open_current()
        assert store.rollback() == second
        assert len(titles(store)) == 2


def writing_process(folder: Path, wait_for: str) -> subprocess.Popen[str]:
    """A process that holds the lock, staged, and prints a line where `wait_for` says."""
    code = f"""
        import sys, time
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_generation import *
        import assistant.index.generation as g, assistant.index.staging as s
        def pause(where):
            if where == {wait_for!r}:
                print("here", flush=True)
                time.sleep(60)
        real_sync, real_write = s.sync_tree, g.write_atomically
        def sync(folder):
            pause("before sync"); real_sync(folder); pause("after sync")
        def write(path, data):
            if path.name == "current": pause("before swap")
            real_write(path, data)
            if path.name == "current": pause("after swap")
        s.sync_tree, g.write_atomically = sync, write
        real_add = s.Staging.add
        def add_slowly(self, parts, vectors):
            real_add(self, parts, vectors); pause("adding")
        s.Staging.add = add_slowly
        prune = g.GenerationStore.prune
        def pruning(self):
            pause("before prune"); prune(self)
        g.GenerationStore.prune = pruning
        add(make_store(Path({str(folder)!r}), keep=1), 7, 8)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    return process


def test_a_second_writer_is_refused_by_the_name_of_the_first(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    add(store, 1)
    process = writing_process(tmp_path, "adding")
    try:
        with pytest.raises(WriterBusyError, match=str(process.pid)):
            add(store, 2)
        writer = store.status().writer
        assert writer is not None
        assert writer["pid"] == str(process.pid)
        assert titles(store) == ["Piano 1"]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert store.status().writer is None
    add(store, 2)
    assert titles(store) == ["Piano 1", "Piano 2"]


@pytest.mark.parametrize(
    ("where", "new"),
    [
        ("adding", False),
        ("before sync", False),
        ("after sync", False),
        ("before swap", False),
        ("after swap", True),
        ("before prune", True),
    ],
)
def test_kill_9_leaves_the_old_index_or_the_new(tmp_path: Path, where: str, new: bool) -> None:
    store = make_store(tmp_path, keep=1)
    first = add(store, 1)
    process = writing_process(tmp_path, where)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (store.current_id() != first) == new
    store.verify()
    expected = ["Piano 1", "Piano 7", "Piano 8"] if new else ["Piano 1"]
    assert titles(store) == expected
    add(store, 2)
    assert titles(store) == sorted([*expected, "Piano 2"])
    store.verify()
    # Nothing of the killed writer stays behind.
    assert [p.name for p in store.folder.iterdir()] == [store.current_id()]
    held = {f"{number}" for number in (1, 2, *((7, 8) if new else ()))}
    assert {str(int(p.stem, 16)) for p in store.originals.iterdir()} == held


def test_a_kill_at_any_instant_leaves_a_whole_index(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    add(store, 1)
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_generation import *\n"
        f"store = make_store(Path({str(tmp_path)!r}))\n"
        "print('here', flush=True)\n"
        "add(store, *range(10, 60), passages=20)\n"
    )
    for delay in (0.05, 0.3, 0.7):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.kill()
        process.wait()
        store.verify()
        assert len(titles(store)) in (1, 51)
        if len(titles(store)) == 51:
            break
