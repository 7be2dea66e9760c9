"""What `ingest` does to an index: what is taken, refused, replaced, removed, left alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from assistant.build import build_embedder, build_generations
from assistant.embedding.protocol import Prefixes
from assistant.errors import AssistantError, IndexMismatchError
from assistant.index.generation import GenerationStore
from assistant.index.manifest import IndexProfile
from assistant.models import Filters
from assistant.settings import Settings
from ingest.pipeline import ingest
from ingest.report import IngestEntry, IngestReport
from ingest.sources import find
from ingest.worker import Refusal, Task
from ingest.workers import read_all


class LengthEmbedder:
    """Embeds a text as the angle of its length: computable by hand."""

    name = "lunghezze"
    dimension = 2

    def __init__(self, fingerprint: str = "1") -> None:
        self.fingerprint = fingerprint
        self.prefixes = Prefixes()
        self.texts: list[str] = []

    def embed_query(self, text: str) -> np.ndarray:
        return self.embed_passages([text])[0]

    def embed_passages(self, texts: Sequence[str], progress: object = None) -> np.ndarray:
        self.texts += texts
        angles = np.array([len(text) / 1000 for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


class Index:
    """A data directory with what is needed to ingest into it and look at it."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, file_timeout_seconds=60)
        self.embedder = LengthEmbedder()
        self.store = GenerationStore(self.settings, self.profile)

    def profile(self) -> IndexProfile:
        e = self.embedder
        return IndexProfile(e.name, e.fingerprint, e.dimension)

    def ingest(self, *sources: object, **options: bool) -> IngestReport:
        return ingest(
            [str(source) for source in sources],
            settings=self.settings,
            store=self.store,
            embedder=self.embedder,
            **options,
        )

    def texts(self) -> dict[str, str]:
        """First page of each document, by source."""
        backend = self.store.open_current()
        try:
            return {d.source: backend.page(d.id, 1).text for d in backend.documents()}
        finally:
            backend.close()


@pytest.fixture()
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "dati")


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    """Two plans of invented districts."""
    folder = tmp_path / "piani"
    folder.mkdir()
    plan(folder / "a.md", "Valdoro", "Lo sportello sociale apre ogni giorno.")
    plan(folder / "b.md", "Montechiaro", "Il servizio domiciliare raggiunge gli anziani.")
    return folder


def plan(path: Path, distretto: str, sentence: str) -> None:
    path.write_text(f"# Piano di zona di {distretto}\n\n{sentence}\n", "utf-8")


def statuses(report: IngestReport) -> list[str]:
    return [entry.status for entry in report.documents]


def by_name(report: IngestReport) -> dict[str, IngestEntry]:
    return {Path(entry.source).name: entry for entry in report.documents}


def test_a_folder_is_taken_in_name_order_and_can_be_searched(index: Index, folder: Path) -> None:
    report = index.ingest(folder)
    assert statuses(report) == ["added", "added"]
    assert [e.source for e in report.documents] == [f"{folder}/a.md", f"{folder}/b.md"]
    assert all(e.pages == 1 and e.passages >= 1 for e in report.documents)
    assert report.generation == index.store.current_id()
    backend = index.store.open_current()
    (hit, *_) = backend.lexical(["sportell"], 5, Filters())
    (passage,) = backend.passages([hit.passage_id])
    assert "sportello" in passage.text
    assert index.store.original(passage.document_id).read_bytes() == (folder / "a.md").read_bytes()
    titled = next(text for text in index.embedder.texts if "sportello" in text)
    assert titled.startswith(backend.document(passage.document_id).title)


def test_a_second_run_changes_nothing_and_says_so(index: Index, folder: Path) -> None:
    first = index.ingest(folder)
    index.embedder.texts.clear()
    second = index.ingest(folder)
    assert statuses(second) == ["unchanged", "unchanged"]
    assert (second.changed, second.generation) == (False, first.generation)
    assert [e.passages for e in second.documents] == [e.passages for e in first.documents]
    assert index.embedder.texts == []
    assert index.store.generation_ids() == [first.generation]


def test_a_changed_file_replaces_its_old_self(index: Index, folder: Path) -> None:
    first = by_name(index.ingest(folder))
    index.embedder.texts.clear()
    plan(folder / "a.md", "Valdoro", "Lo sportello ora chiude il lunedì.")
    second = index.ingest(folder)
    assert statuses(second) == ["updated", "unchanged"]
    texts = index.texts()
    assert sorted(texts) == [f"{folder}/a.md", f"{folder}/b.md"]
    assert "lunedì" in texts[f"{folder}/a.md"]
    assert all("domiciliare" not in text for text in index.embedder.texts)
    assert first["a.md"].document_id not in {d.id for d in index.store.open_current().documents()}


def test_a_removed_file_goes_with_prune_only(index: Index, folder: Path) -> None:
    index.ingest(folder)
    (folder / "b.md").unlink()
    assert statuses(index.ingest(folder)) == ["unchanged"]
    assert len(index.texts()) == 2
    report = index.ingest(folder, prune=True)
    assert statuses(report) == ["unchanged", "removed"]
    assert list(index.texts()) == [f"{folder}/a.md"]


def test_prune_leaves_other_folders_alone(index: Index, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "piani-altri"
    other.mkdir()
    plan(other / "c.md", "Rocca", "La casa della salute apre a marzo.")
    index.ingest(folder, other)
    (other / "c.md").unlink()
    assert statuses(index.ingest(folder, prune=True)) == ["unchanged", "unchanged"]
    assert len(index.texts()) == 3


def test_the_same_content_is_indexed_once(index: Index, folder: Path) -> None:
    (folder / "copia.md").write_bytes((folder / "a.md").read_bytes())
    report = by_name(index.ingest(folder))
    assert report["copia.md"].status == "duplicate"
    assert report["copia.md"].duplicate_of == f"{folder}/a.md"
    assert report["copia.md"].document_id == report["a.md"].document_id
    again = index.ingest(folder)
    assert statuses(again) == ["unchanged", "unchanged", "duplicate"]
    assert not again.changed
    (folder / "a.md").unlink()
    index.ingest(folder, prune=True)
    assert f"{folder}/copia.md" in index.texts()


def test_a_moved_file_keeps_its_document(index: Index, folder: Path) -> None:
    index.ingest(folder)
    index.embedder.texts.clear()
    (folder / "b.md").rename(folder / "z.md")
    report = by_name(index.ingest(folder))
    assert report["z.md"].status == "unchanged"
    assert any("b.md" in note for note in report["z.md"].notes)
    assert sorted(index.texts()) == [f"{folder}/a.md", f"{folder}/z.md"]
    assert index.embedder.texts == []


def test_good_files_are_in_and_bad_ones_have_a_line_each(index: Index, folder: Path) -> None:
    (folder / "c.pdf").write_bytes(b"")
    (folder / "d.pdf").write_text("<!doctype html><html><body>Piano</body></html>")
    (folder / "e.xyz").write_text("Piano")
    missing = folder / "manca.pdf"
    report = by_name(index.ingest(folder, missing))
    assert report["a.md"].status == report["b.md"].status == "added"
    for name in ("c.pdf", "d.pdf", "e.xyz", "manca.pdf"):
        entry = report[name]
        assert (entry.status, entry.document_id) == ("refused", None)
        assert entry.reason and name in entry.reason and "\n" not in entry.reason
    assert len(index.texts()) == 2


def test_nothing_good_leaves_no_generation(index: Index, folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"")
    report = index.ingest(folder)
    assert statuses(report) == ["refused", "refused"]
    assert report.generation is None
    assert report.refused and not report.changed


def test_a_file_that_became_unreadable_keeps_its_former_version(index: Index, folder: Path) -> None:
    index.ingest(folder)
    (folder / "a.md").write_bytes(b"")
    report = by_name(index.ingest(folder, prune=True))
    assert report["a.md"].status == "refused"
    assert "versione precedente" in str(report["a.md"].reason)
    assert len(index.texts()) == 2


def test_rebuild_reads_all_originals_with_todays_settings(index: Index, folder: Path) -> None:
    index.ingest(folder)
    (folder / "a.md").unlink()
    index.embedder = LengthEmbedder("2")
    with pytest.raises(IndexMismatchError, match="piano reindex"):
        index.ingest(folder)
    report = index.ingest(folder, rebuild=True)
    assert {Path(e.source).name: e.status for e in report.documents} == {
        "a.md": "updated",
        "b.md": "updated",
    }
    assert len(index.texts()) == 2
    assert statuses(index.ingest(folder)) == ["unchanged"]


def test_rebuild_starts_from_the_originals_when_the_catalogue_is_lost(
    index: Index, folder: Path
) -> None:
    first = index.ingest(folder)
    (index.store.folder / str(first.generation) / "catalog.sqlite").write_bytes(b"x" * 5000)
    report = index.ingest(rebuild=True)
    assert statuses(report) == ["updated", "updated"]
    assert any("sportello" in text for text in index.texts().values())


def test_hidden_files_links_and_pipes_are_skipped_and_listed(index: Index, folder: Path) -> None:
    (folder / ".nascosto.md").write_text("# Segreto")
    (folder / "legame.md").symlink_to(folder / "a.md")
    (folder / "giro").symlink_to(folder)
    os.mkfifo(folder / "tubo.md")
    report = by_name(index.ingest(folder))
    for name in (".nascosto.md", "legame.md", "giro", "tubo.md"):
        assert report[name].status == "skipped"
        assert report[name].reason
    assert not report["tubo.md"].document_id
    assert len(index.texts()) == 2


def test_the_data_directory_is_no_source(folder: Path) -> None:
    index = Index(folder / "dati")
    index.ingest(folder)
    report = index.ingest(folder)
    assert [(Path(e.source).name, e.status) for e in report.documents] == [
        ("a.md", "unchanged"),
        ("b.md", "unchanged"),
        ("dati", "skipped"),
    ]


def test_a_disk_that_refuses_leaves_the_old_index(
    index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = index.ingest(folder)
    plan(folder / "c.md", "Rocca", "La casa della salute apre a marzo.")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("assistant.index.staging.sync_tree", full)
    with pytest.raises(AssistantError, match="spazio su disco"):
        index.ingest(folder)
    assert index.store.current_id() == first.generation
    assert [p.name for p in index.store.folder.iterdir()] == [first.generation]


def test_odd_names_are_taken(index: Index, folder: Path) -> None:
    plan(folder / "piano\nnuovo.md", "Rocca", "La mensa serve cento pasti.")
    plan(Path(os.fsdecode(bytes(folder) + b"/vecchio-\xe0.md")), "Fonte", "Il bus passa due volte.")
    report = index.ingest(folder)
    assert statuses(report) == ["added"] * 4
    assert any(entry.source.endswith("vecchio-\\xe0.md") for entry in report.documents)
    assert statuses(index.ingest(folder)) == ["unchanged"] * 4


def test_a_file_named_twice_is_found_once(folder: Path) -> None:
    assert len(find([str(folder), str(folder / "a.md"), f"{folder}/./b.md"])) == 2


def test_a_reader_that_crashes_or_hangs_costs_its_file_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Real processes, whose reader meets two files that no reader survives.
    code = (
        "import os, time, ingest.worker as w\n"
        "read = w.read_bytes\n"
        "def fatal(data, name, recognition=None):\n"
        "    if name == 'cade.md': os._exit(11)\n"
        "    if name == 'lento.md': time.sleep(60)\n"
        "    return read(data, name, recognition)\n"
        "w.read_bytes = fatal\n"
        "w.main()"
    )
    monkeypatch.setattr("ingest.workers._MAIN", code)
    names = ["uno.md", "cade.md", "due.md", "lento.md", "tre.md"]
    tasks = [Task(f"{n:064x}", name, name, b"# Piano\n\nTesto.") for n, name in enumerate(names)]
    results = list(read_all(tasks, seconds=2.5))
    assert [task.name for task, _ in results] == names
    refused = {task.name: r.reason for task, r in results if isinstance(r, Refusal)}
    assert sorted(refused) == ["cade.md", "lento.md"]
    assert "cadere" in refused["cade.md"]
    assert "PIANO_FILE_TIMEOUT_SECONDS" in refused["lento.md"]


def test_a_copy_of_a_refused_file_says_whose_copy_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "copie"
    folder.mkdir()
    for name in ("a.pdf", "b.txt"):
        (folder / name).write_bytes(b"")
    for name in ("riga\nnuova.md", "z.md"):
        (folder / name).write_bytes(b" \n")
    (folder / "c.md").write_text("# Titolo\n\nUn testo che si legge.\n", "utf-8")
    settings = Settings(data_dir=tmp_path / "dati")
    embedder = build_embedder(settings)
    store = build_generations(settings, embedder=lambda: embedder)
    report = ingest([str(folder)], settings=settings, store=store, embedder=embedder)
    reasons = {Path(entry.source).name: entry.reason or "" for entry in report.documents}
    assert reasons["a.pdf"].startswith("«a.pdf» è vuoto")
    assert f"stesso contenuto di {folder}/a.pdf" in reasons["b.txt"]
    assert f"stesso contenuto di {folder}/riga\\nnuova.md" in reasons["z.md"]
    assert all(reason.isprintable() for reason in reasons.values())
