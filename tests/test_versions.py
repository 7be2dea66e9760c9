"""How documents stand to one another: next plans, updates, revised acts, texts published again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.build import build_assistant, build_embedder, build_generations
from assistant.models import Document, Filters
from assistant.service import Assistant
from assistant.settings import Settings
from ingest.pipeline import ingest
from ingest.report import IngestReport
from ingest.sketch import read_sketch, shingles, sketch
from ingest.versions import NearPair, near_pairs, relate

WORDS = [f"parola{n}" for n in range(400)]
TEXT = " ".join(WORDS)


def plan(identity: str, first: int, last: int, **more: object) -> Document:
    values: dict[str, object] = {"distretto": "Collina", "kind": "piano_di_zona"} | more
    return Document(
        identity,
        f"Piano di zona {first}-{last}",
        source=f"{identity}.pdf",
        media_type="application/pdf",
        page_count=1,
        year_from=first,
        year_to=last,
        **values,  # type: ignore[arg-type]
    )


def told(documents: list[Document], pairs: tuple[NearPair, ...] = ()) -> set[tuple[str, str, str]]:
    return {(r.kind, r.document_id, r.other_id) for r in relate(documents, pairs)}


def test_a_plan_yields_to_the_next_one_of_its_district_and_is_updated_within_its_years() -> None:
    old, middle, new = plan("a", 2009, 2014), plan("b", 2015, 2017), plan("c", 2018, 2020)
    update, elsewhere = plan("d", 2019, 2019), plan("e", 2018, 2020, distretto="Pianura")
    assert told([new, update, old, elsewhere, middle]) == {
        ("superseded_by", "a", "b"),
        ("superseded_by", "b", "c"),
        ("updated_by", "c", "d"),
    }


def test_what_a_document_states_of_itself_wins_over_what_is_inferred() -> None:
    old = plan("a", 2015, 2017, status="in_force")
    assert told([old, plan("b", 2018, 2020)]) == set()
    named = plan("c", 2018, 2020, superseded_by="Piano di zona 2018-2019", distretto="Altrove")
    other = plan("d", 2018, 2019)
    assert told([named, other]) == {("superseded_by", "c", "d")}


def test_a_demonstration_plan_never_replaces_a_real_one_nor_a_plan_without_district() -> None:
    assert told([plan("a", 2015, 2017), plan("b", 2018, 2020, demonstration=True)]) == set()
    nowhere = [plan("a", 2015, 2017, distretto=None), plan("b", 2018, 2020, distretto=None)]
    assert told(nowhere) == set()


def test_of_two_nearly_equal_acts_the_revised_one_stays() -> None:
    act = Document("a", "Atto di indirizzo", "atto", "a.pdf", "application/pdf", 1)
    revised = Document("b", "Atto di indirizzo. Testo coordinato", "atto", "b.pdf", "x/y", 1)
    pair = NearPair("a", "b", 0.95)
    both = {("near_duplicate", "a", "b"), ("near_duplicate", "b", "a")}
    assert told([act, revised], (pair,)) == {("superseded_by", "a", "b"), *both}
    twin = Document("b", "Atto di indirizzo", "atto", "b.pdf", "x/y", 1)
    assert told([act, twin], (pair,)) == both


def test_shingles_are_five_words_in_a_row_whatever_their_dress() -> None:
    assert len(shingles(["uno due tre quattro cinque sei"])) == 2
    assert shingles(["Uno, DUE tre", "quattro: cinqué"]) == shingles(["uno due tre quattro cinque"])
    assert shingles(["uno due tre quattro"]) == frozenset()
    whole = shingles([TEXT])
    assert read_sketch(sketch([TEXT])) == {h for h in whole if h % 8 == 0}


@pytest.mark.parametrize(
    ("changed", "near"),
    [(0, True), (4, True), (8, True), (60, False), (400, False)],
)
def test_nearly_equal_texts_are_told_by_their_common_words(changed: int, near: bool) -> None:
    step = len(WORDS) // changed if changed else 1
    places = set(range(0, len(WORDS), step)) if changed else set()
    other = " ".join(f"altra{i}" if i in places else word for i, word in enumerate(WORDS))
    texts = {"a": TEXT, "b": other}
    pairs = near_pairs(
        {name: sketch([text]) for name, text in texts.items()}, lambda i: shingles([texts[i]])
    )
    assert bool(pairs) is near
    if near:
        a, b = shingles([TEXT]), shingles([other])
        assert pairs == [NearPair("a", "b", round(len(a & b) / len(a | b), 4))]


SENTENCE = "La navetta parte dalla stazione alle otto e torna alle tredici ogni giorno feriale"
FILLER = " ".join(f"Il punto {n} riguarda le fermate della linea {n * 7}." for n in range(60))


def write(folder: Path, name: str, keywords: str, text: str, title: str) -> None:
    (folder / name).write_text(
        f"---\ntitle: {title}\nkeywords: {keywords}\n---\n# {title}\n\n{text}\n"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("versioni")
    district = "tipo=piano_di_zona; distretto=Collina; anni="
    # The old plan says it twice: by words alone it would come first.
    write(folder, "vecchio.md", district + "2015-2017", f"{SENTENCE}. {SENTENCE}.", "Piano vecchio")
    write(
        folder, "nuovo.md", district + "2018-2020", f"{SENTENCE}, salvo il lunedì.", "Piano nuovo"
    )
    rest = "La navetta riposa in agosto."
    write(folder, "anno.md", district + "2019", rest, "Programma annuale 2019")
    write(folder, "atto.md", "tipo=atto", FILLER, "Atto sulle fermate")
    changed = FILLER.replace("linea 140", "linea 141")
    write(folder, "atto-2.md", "tipo=atto", changed, "Atto sulle fermate. Testo coordinato")
    (folder / "copia.md").write_bytes((folder / "nuovo.md").read_bytes())
    return folder


@pytest.fixture(scope="module")
def taken(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Assistant, IngestReport]]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("dati"))
    embedder = build_embedder(settings)
    store = build_generations(settings, embedder=lambda: embedder)
    report = ingest([str(folder)], settings=settings, store=store, embedder=embedder)
    assistant = build_assistant(settings)
    yield assistant, report
    assistant.close()


def by_title(assistant: Assistant) -> dict[str, Document]:
    return {document.title: document for document in assistant.documents()}


def test_the_catalogue_knows_what_is_superseded_updated_and_published_again(taken) -> None:
    found = by_title(taken[0])
    assert found["Piano vecchio"].status == "superseded"
    assert found["Piano vecchio"].superseded_by == "Piano nuovo"
    assert found["Piano vecchio"].superseded_by_id == found["Piano nuovo"].id
    assert found["Piano nuovo"].status == "unknown"
    assert found["Piano nuovo"].updated_by == (found["Programma annuale 2019"].id,)
    act, revised = found["Atto sulle fermate"], found["Atto sulle fermate. Testo coordinato"]
    assert act.superseded_by_id == revised.id
    assert (act.near_duplicates, revised.near_duplicates) == ((revised.id,), (act.id,))


def test_equal_content_is_one_document_with_two_sources(taken, folder: Path) -> None:
    document = by_title(taken[0])["Piano nuovo"]
    names = {Path(place).name for place in (document.source, *document.also_at)}
    assert names == {"nuovo.md", "copia.md"}


def test_the_report_of_an_ingest_tells_near_duplicates_and_superseded_texts(taken) -> None:
    notes = {Path(e.source).name: " ".join(e.notes) for e in taken[1].documents}
    assert "È quasi uguale a «Atto sulle fermate»" in notes["atto-2.md"]
    assert "È superato da «Piano nuovo»" in notes["vecchio.md"]


def test_the_text_in_force_comes_first_unless_the_question_names_the_years(taken) -> None:
    assistant = taken[0]
    question = "Quando parte la navetta dalla stazione?"
    first = assistant.search(question).hits[0].document.title
    assert first == "Piano nuovo"
    assert assistant.search(f"{question[:-1]} nel 2016?").hits[0].document.title == "Piano vecchio"
    filters = Filters(year=(2016,))
    hits = assistant.search(question, filters=filters).hits
    assert {hit.document.title for hit in hits} == {"Piano vecchio"}


def test_a_citation_from_a_superseded_text_says_so_and_names_its_successor(taken) -> None:
    answer = taken[0].ask("Quando parte la navetta dalla stazione?", filters=Filters(year=(2016,)))
    assert answer.status == "answered"
    assert answer.citations[0].status == "superseded"
    assert answer.citations[0].superseded_by == "Piano nuovo"
    assert any("superato da «Piano nuovo»" in notice for notice in answer.notices)


def test_a_citation_from_a_plan_points_to_its_yearly_update(taken) -> None:
    answer = taken[0].ask("Quando parte la navetta dalla stazione?", filters=Filters(year=(2020,)))
    assert any("aggiornamento" in n and "«Programma annuale 2019»" in n for n in answer.notices)


def test_relations_follow_what_is_added_and_taken_away(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "dati")
    embedder = build_embedder(settings)
    store = build_generations(settings, embedder=lambda: embedder)
    folder = tmp_path / "piani"
    folder.mkdir()
    district = "tipo=piano_di_zona; distretto=Collina; anni="
    write(folder, "a.md", district + "2015-2017", f"{SENTENCE}.", "Piano primo")

    def status() -> str:
        ingest([str(folder)], settings=settings, store=store, embedder=embedder, prune=True)
        assistant = build_assistant(settings)
        try:
            return by_title(assistant)["Piano primo"].status
        finally:
            assistant.close()

    assert status() == "unknown"
    write(folder, "b.md", district + "2018-2020", "Altro piano, con altre parole.", "Piano secondo")
    assert status() == "superseded"
    (folder / "b.md").unlink()
    assert status() == "unknown"
