"""One generation, read and written: catalogue, words, characters, vectors, filters, removals."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import (
    CorruptIndexError,
    EmbeddingError,
    IndexMismatchError,
    NotFoundError,
    UsageError,
)
from assistant.index.backend import EmbeddedBackend
from assistant.index.catalog import Catalog, Source
from assistant.index.catalog_writer import Parts
from assistant.index.generation import GenerationStore, Writer
from assistant.index.lexical import MAX_GRAMS, query_grams
from assistant.index.manifest import IndexProfile
from assistant.index.matrix import ExactMatrix
from assistant.index.progress import NoProgress
from assistant.index.selection import Rows, Selection
from assistant.italian.analysis import terms
from assistant.models import (
    Document,
    Filters,
    Page,
    Passage,
    Quote,
    Span,
)
from assistant.record_models import Field, Intervento, Scheda
from assistant.settings import Settings

DIMENSION = 8
PROFILE = IndexProfile("prova", "impronta-1", DIMENSION, passage_settings="taglio-1")
NO_FILTERS = Filters()


def vector(text: str) -> np.ndarray:
    """Unit vector that depends on the text alone."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
    values = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    return values / np.linalg.norm(values)


def make_parts(
    name: str,
    paragraphs: list[str],
    *,
    distretto: str | None = None,
    year: int | None = None,
    scheda: str | None = None,
) -> Parts:
    """A one-page document whose paragraphs are its passages."""
    identity = hashlib.sha256((name + "\n".join(paragraphs)).encode()).hexdigest()
    text = "\n".join(paragraphs)
    document = Document(
        id=identity,
        title=f"Titolo di {name}",
        kind="piano_di_zona" if distretto else "piano",
        source=f"{name}.txt",
        media_type="text/plain",
        page_count=1,
        distretto=distretto,
        year_from=year,
        year_to=year + 2 if year else None,
        notes=("prova",),
        pages_without_text=(),
    )
    passages = []
    start = 0
    for ordinal, paragraph in enumerate(paragraphs):
        span = Span(1, start, start + len(paragraph))
        passages.append(
            Passage(
                f"{identity[:12]}-{ordinal}",
                identity,
                ordinal,
                paragraph,
                ("Parte prima", "Servizi"),
                (span,),
                scheda,
            )
        )
        start += len(paragraph) + 1
    return Parts(document, (Page(identity, 1, text, "i"),), tuple(passages))


CAREGIVER = make_parts(
    "caregiver",
    ["Il caregiver familiare assiste una persona cara.", "I Comuni organizzano il sollievo."],
    scheda="Scheda n. 5",
)
LUGO = make_parts(
    "lugo",
    ["Il distretto di Lugo apre uno sportello sociale.", "Le attività per i giovani crescono."],
    distretto="Lugo",
    year=2018,
)
FORLI = make_parts(
    "forli", ["Il distretto di Forlì sostiene la domiciliarità."], distretto="Forlì", year=2021
)


def write(store: GenerationStore, *added: Parts, remove: tuple[str, ...] = ()) -> str:
    with store.writer() as writer:
        return write_with(writer, *added, remove=remove)


def write_with(writer: Writer, *added: Parts, remove: tuple[str, ...] = ()) -> str:
    staging = writer.stage(PROFILE)
    for parts in added:
        vectors = np.array([vector(p.text) for p in parts.passages]).reshape(-1, DIMENSION)
        source = Source(f"/{parts.document.source}", parts.document.source, parts.document.id)
        staging.add(parts, vectors)
        staging.set_sources([source])
    staging.remove(remove)
    return writer.publish(staging, staging.finish(NoProgress()))


def make_store(folder: Path, **settings: object) -> GenerationStore:
    return GenerationStore(Settings(data_dir=folder, **settings), lambda: PROFILE)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> GenerationStore:
    store = make_store(tmp_path_factory.mktemp("dati"))
    write(store, CAREGIVER, LUGO, FORLI)
    return store


@pytest.fixture()
def backend(filled: GenerationStore) -> Iterator[EmbeddedBackend]:
    opened = filled.open_current()
    yield opened
    opened.close()


def found(scored: list) -> list[str]:  # type: ignore[type-arg]
    return [item.passage_id for item in scored]


def test_everything_comes_back_as_it_went_in(backend: EmbeddedBackend) -> None:
    assert backend.document(LUGO.document.id) == LUGO.document
    assert backend.page(LUGO.document.id, 1) == LUGO.pages[0]
    assert backend.document_passages(LUGO.document.id) == list(LUGO.passages)
    wanted = [FORLI.passages[0], CAREGIVER.passages[1], LUGO.passages[0]]
    assert backend.passages([p.id for p in wanted]) == wanted
    assert [d.title for d in backend.documents()] == sorted(
        p.document.title for p in (CAREGIVER, LUGO, FORLI)
    )
    assert backend.manifest.counts["passages"] == 5


def test_records_keep_their_fields_and_quotes(tmp_path: Path) -> None:
    quote = Quote(FORLI.document.id, 1, 0, 12, FORLI.pages[0].text[:12])
    fields = (Field("Descrizione", quote.text, (quote,)),)
    scheda = Scheda("s1", FORLI.document.id, "5", "Caregiver", 1, 1, fields)
    intervento = Intervento("i1", FORLI.document.id, None, "Sportello", 1, 1, "Forlì", fields)
    store = make_store(tmp_path)
    write(store, FORLI._replace(schede=(scheda,), interventi=(intervento,)))
    backend = store.open_current()
    assert backend.schede() == [scheda]
    assert backend.interventi() == [intervento]
    assert store.status().schede == store.status().interventi == 1


def test_what_is_not_there_is_said_with_the_value(backend: EmbeddedBackend) -> None:
    with pytest.raises(NotFoundError, match="abc"):
        backend.document("abc")
    with pytest.raises(NotFoundError, match="1 pagine"):
        backend.page(LUGO.document.id, 2)
    with pytest.raises(NotFoundError):
        backend.page(LUGO.document.id, 10**30)
    with pytest.raises(CorruptIndexError, match="inventato"):
        backend.passages(["inventato"])


def test_words_find_inflected_forms(backend: EmbeddedBackend) -> None:
    hits = backend.lexical(terms("sportelli sociali"), 10, NO_FILTERS)
    assert found(hits)[0] == LUGO.passages[0].id
    assert hits[0].score > 0


def test_characters_forgive_a_typing_error(backend: EmbeddedBackend) -> None:
    assert backend.lexical(terms("caregivver familliare"), 10, NO_FILTERS) == []
    hits = backend.characters("caregivver familliare", 10, NO_FILTERS)
    assert found(hits)[0] == CAREGIVER.passages[0].id


@pytest.mark.parametrize(
    "text", ["", "ab", "AND OR (", '"', "a:b* ~2 ^3 [x TO y]", "\\", "\x00" * 9]
)
def test_no_text_is_query_syntax(backend: EmbeddedBackend, text: str) -> None:
    plain = "familiare"
    with_it = found(backend.lexical([*terms(plain), text], 10, NO_FILTERS))
    assert with_it == found(backend.lexical(terms(plain), 10, NO_FILTERS))
    assert set(found(backend.characters(text, 10, NO_FILTERS))) <= {
        passage.id
        for document in backend.documents()
        for passage in backend.document_passages(document.id)
    }


def test_a_very_long_question_is_cut_evenly_and_stays_quick(backend: EmbeddedBackend) -> None:
    text = " ".join(f"parola{i}" for i in range(1500)) + " caregiver familiare"
    assert len(query_grams(text)) == MAX_GRAMS
    analysed = terms(text)
    started = time.process_time()
    backend.characters(text, 100, NO_FILTERS)
    backend.lexical(analysed, 100, NO_FILTERS)
    assert time.process_time() - started < 0.3


def test_document_frequency_counts_passages(backend: EmbeddedBackend) -> None:
    assert backend.document_frequency(terms("distretti")[0]) == 2
    assert backend.document_frequency("inesistente") == 0


def test_nearest_is_the_exact_cosine_order(backend: EmbeddedBackend) -> None:
    passages = [*CAREGIVER.passages, *LUGO.passages, *FORLI.passages]
    query = vector("domanda")
    expected = sorted(passages, key=lambda p: -float(vector(p.text) @ query))
    hits = backend.nearest(query, 3, NO_FILTERS)
    assert found(hits) == [p.id for p in expected[:3]]
    assert hits[0].score == pytest.approx(float(vector(expected[0].text) @ query), abs=1e-6)
    assert backend.nearest(np.zeros(DIMENSION, np.float32), 3, NO_FILTERS) == []
    with pytest.raises(EmbeddingError):
        backend.nearest(np.ones(3, np.float32), 3, NO_FILTERS)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(distretto=("LUGO",)), LUGO.passages),
        (Filters(distretto=("forli",)), FORLI.passages),
        (Filters(distretto=("lugo", "Forlì")), LUGO.passages + FORLI.passages),
        (Filters(year=(2020,)), LUGO.passages),
        (Filters(year=(2020, 2023)), LUGO.passages + FORLI.passages),
        (Filters(kind=("piano",)), CAREGIVER.passages),
        (Filters(kind=("piano_di_zona",), year=(2022,)), FORLI.passages),
        (Filters(scheda=("5",)), CAREGIVER.passages),
        (Filters(scheda=("5",), distretto=("Lugo",)), ()),
        (Filters(document=(LUGO.document.id[:8],)), LUGO.passages),
        (Filters(document=("lugo.txt",)), LUGO.passages),
        (Filters(document=("titolo di LUGO",)), LUGO.passages),
        (Filters(document=(LUGO.document.id[:3],)), ()),
        (Filters(distretto=("' OR 1=1 --",)), ()),
    ],
)
def test_filters_hold_for_every_ranker(
    backend: EmbeddedBackend, filters: Filters, expected: tuple[Passage, ...]
) -> None:
    every = {p.id for p in expected}
    assert set(found(backend.nearest(vector("x"), 10, filters))) == every
    words = terms("distretto sportello attività caregiver sollievo")
    assert set(found(backend.lexical(words, 10, filters))) == every
    text = "distretto attività caregiver sollievo"
    assert set(found(backend.characters(text, 10, filters))) == every


def test_a_filter_does_not_change_scores(backend: EmbeddedBackend) -> None:
    free = {s.passage_id: s.score for s in backend.lexical(terms("distretto"), 9, NO_FILTERS)}
    filtered = backend.lexical(terms("distretto"), 9, Filters(distretto=("Lugo",)))
    assert filtered[0].score == pytest.approx(free[filtered[0].passage_id])


def test_removal_leaves_the_same_index_as_never_having_been_there(tmp_path: Path) -> None:
    grown = make_store(tmp_path / "a")
    write(grown, CAREGIVER, LUGO)
    write(grown, FORLI)
    write(grown, remove=(CAREGIVER.document.id,))
    straight = make_store(tmp_path / "b")
    write(straight, LUGO, FORLI)
    one, other = grown.open_current(), straight.open_current()
    assert one.manifest.document_ids == other.manifest.document_ids
    assert one.manifest.counts == other.manifest.counts
    query = vector("domanda")
    assert one.nearest(query, 9, NO_FILTERS) == other.nearest(query, 9, NO_FILTERS)
    words = terms("distretto di Lugo, sportello")
    assert one.lexical(words, 9, NO_FILTERS) == other.lexical(words, 9, NO_FILTERS)
    assert one.document_frequency(terms("caregiver")[0]) == 0
    narrow = Filters(distretto=("Forlì",))
    assert one.nearest(query, 9, narrow) == other.nearest(query, 9, narrow)


def test_everything_can_be_removed(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    write(store, LUGO)
    write(store, remove=(LUGO.document.id,))
    backend = store.open_current()
    assert backend.documents() == []
    assert backend.nearest(vector("x"), 3, NO_FILTERS) == []
    assert backend.lexical(terms("Lugo"), 3, NO_FILTERS) == []


def test_a_passage_that_is_not_its_page_is_never_published(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    write(store, LUGO)
    before = store.current_id()
    moved = FORLI._replace(pages=(Page(FORLI.document.id, 1, "x" + FORLI.pages[0].text),))
    with pytest.raises(CorruptIndexError, match="non coincide"):
        write(store, moved)
    assert store.current_id() == before
    assert [p.name for p in store.folder.iterdir()] == [before]


def test_vectors_of_another_shape_or_not_finite_are_refused(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    for bad in (np.ones((1, 3), np.float32), np.full((1, DIMENSION), np.nan, np.float32)):
        with store.writer() as writer, pytest.raises(EmbeddingError):
            writer.stage(PROFILE).add(FORLI, bad)


def test_matrix_gives_rows_in_order_when_scores_tie(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.tile(np.float32([[1, 0]]), (6, 1)))
    matrix = ExactMatrix(tmp_path / "m.npy")
    query = np.float32([1, 0])
    assert [row for row, _ in matrix.nearest(query, 3)] == [0, 1, 2, 3, 4, 5], "all that tie"
    some = Selection([Rows(1, 2), Rows(4, 6)], 6)
    assert [row for row, _ in matrix.nearest(query, 9, some)] == [1, 4, 5]
    assert matrix.nearest(query, 3, Selection([], 6)) == []


def test_catalogue_is_read_from_many_threads(filled: GenerationStore) -> None:
    catalog = Catalog(filled.folder / str(filled.current_id()) / "catalog.sqlite")
    ids = [p.id for p in LUGO.passages]
    wrong: list[object] = []

    def read() -> None:
        for _ in range(50):
            if catalog.passages(ids) != list(LUGO.passages):
                wrong.append("passages")

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_opening_for_exact_search_never_imports_chroma(filled: GenerationStore) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from assistant.index.generation import GenerationStore\n"
        "from assistant.index.manifest import IndexProfile\n"
        "from assistant.settings import Settings\n"
        f"profile = IndexProfile('prova', 'impronta-1', {DIMENSION})\n"
        f"settings = Settings(data_dir=Path({str(filled.data_dir)!r}))\n"
        "store = GenerationStore(settings, lambda: profile)\n"
        "assert store.open_current().vector_search == 'exact'\n"
        "assert not {'chromadb', 'torch', 'httpx'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def many(count: int) -> list[Parts]:
    return [make_parts(f"d{n}", [f"Servizio {n} e {i}" for i in range(40)]) for n in range(count)]


@pytest.fixture(scope="module")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("chroma")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = Path(sys.executable).with_name("chroma")
    process = subprocess.Popen(
        [command, "run", "--path", folder, "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"ANONYMIZED_TELEMETRY": "False", "PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("where", ["embedded", "server"])
def test_chroma_finds_what_the_exact_matrix_finds(
    tmp_path: Path, where: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("chroma_server") if where == "server" else ""
    settings = Settings(data_dir=tmp_path, chroma_url=url, keep_generations=1)
    store = GenerationStore(settings, lambda: PROFILE, prefer="chroma", exact_rows=10)
    documents = many(10)
    first = write(store, *documents)
    write(store, LUGO, remove=(documents[0].document.id,))
    by_chroma = store.open_current()
    exact = GenerationStore(settings, lambda: PROFILE).open_current()
    assert (by_chroma.vector_search, exact.vector_search) == ("chroma", "exact")
    assert store.status().vector_search == "chroma"
    for text in ("uno", "due", "tre"):
        expected = exact.nearest(vector(text), 10, NO_FILTERS)
        hits = by_chroma.nearest(vector(text), 10, NO_FILTERS)
        assert found(hits) == found(expected)
        assert [h.score for h in hits] == pytest.approx([h.score for h in expected], abs=1e-5)
        narrow = Filters(distretto=("Lugo",))
        assert by_chroma.nearest(vector(text), 5, narrow) == exact.nearest(vector(text), 5, narrow)
    removed = {p.id for p in documents[0].passages}
    assert not removed & set(found(by_chroma.nearest(vector("uno"), 400, NO_FILTERS)))
    by_chroma.close()
    assert store.generation_ids() == [store.current_id()] != [first]
    if url:
        import chromadb

        client = chromadb.HttpClient(host="127.0.0.1", port=int(url.rpartition(":")[2]))
        assert [c.name for c in client.list_collections()] == [f"piano-{store.current_id()}"]


def test_vectors_on_another_chroma_than_the_settings_say_are_not_used(tmp_path: Path) -> None:
    write(make_store(tmp_path), LUGO)
    settings = Settings(data_dir=tmp_path, chroma_url="http://127.0.0.1:1")
    store = GenerationStore(settings, lambda: PROFILE, prefer="chroma")
    with pytest.raises(IndexMismatchError, match="embedded"):
        store.open_current()


def test_a_chroma_server_that_is_off_or_misspelt_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    off = make_store(tmp_path / "a", chroma_url="http://127.0.0.1:1")
    with pytest.raises(CorruptIndexError, match="PIANO_CHROMA_URL"):
        write(off, LUGO)
    assert off.current_id() is None
    misspelt = make_store(tmp_path / "b", chroma_url="localhost")
    with pytest.raises(UsageError, match="localhost"):
        write(misspelt, LUGO)


def test_a_copied_data_directory_opens_as_it_is(filled: GenerationStore, tmp_path: Path) -> None:
    shutil.copytree(filled.data_dir, tmp_path / "copia?#%41")
    copy = make_store(tmp_path / "copia?#%41")
    assert len(copy.open_current().documents()) == 3
    copy.verify()
