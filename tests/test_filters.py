"""Searches with filters find what the same search without them finds among the passages kept."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.errors import UsageError
from assistant.index import lexical, matrix
from assistant.index.backend import EmbeddedBackend
from assistant.index.catalog_writer import Parts
from assistant.index.matrix import ExactMatrix
from assistant.index.progress import NoProgress
from assistant.index.protocol import Scored
from assistant.index.records import name_key, scheda_key
from assistant.index.selection import Rows, Selection, merge
from assistant.italian.analysis import terms
from assistant.models import Document, Filters, Page, Passage, Relation, Span
from assistant.retrieval.filters import parse_filters
from tests.test_index import DIMENSION, PROFILE, make_store, vector

WORDS = [
    "caregiver",
    "sportello",
    "minori",
    "anziani",
    "casa",
    "lavoro",
    "piano",
    "zona",
    "sollievo",
    "bando",
]
DISTRETTI = ("Lugo", "Forlì", "San Cesario", None)
KINDS = ("piano", "atto", "piano_di_zona", "scheda")
SCHEDE = ("Scheda n. 5", "D-1", None, None)
DOCUMENTS = 40
EVERYTHING = 10_000


class World(NamedTuple):
    backend: EmbeddedBackend
    parts: list[Parts]
    superseded: set[str]


def made(number: int, chance: random.Random) -> Parts:
    """A document of one page; few words, so that many passages have the same score."""
    identity = f"{chance.getrandbits(256):064x}"
    year = chance.choice([None, 2015, 2018, 2021])
    document = Document(
        id=identity,
        title=f"Titolo {number // 2}",
        kind=chance.choice(KINDS),  # type: ignore[arg-type]
        source=f"d{number}.txt",
        media_type="text/plain",
        page_count=1,
        distretto=chance.choice(DISTRETTI),
        year_from=year,
        year_to=year + 2 if year and chance.random() < 0.8 else None,
        status="superseded" if number % 10 == 3 else chance.choice(["unknown", "in_force"]),  # type: ignore[arg-type]
    )
    paragraphs = [" ".join(chance.choices(WORDS, k=3)) for _ in range(chance.randint(0, 8))]
    text = "\n".join(paragraphs)
    passages, start = [], 0
    for ordinal, words in enumerate(paragraphs):
        name = f"{chance.getrandbits(48):012x}"
        span = Span(1, start, start + len(words))
        scheda = chance.choice(SCHEDE)
        passages.append(Passage(name, identity, ordinal, words, (), (span,), scheda))
        start += len(words) + 1
    return Parts(document, (Page(identity, 1, text),), tuple(passages))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    chance = random.Random(5)
    parts = [made(number, chance) for number in range(DOCUMENTS)]
    replaced = [(parts[n].document.id, parts[n + 1].document.id) for n in (0, 20)]
    store = make_store(tmp_path_factory.mktemp("dati"))
    with store.writer() as writer:
        staging = writer.stage(PROFILE)
        for one in parts:
            vectors = [vector(passage.text) for passage in one.passages]
            staging.add(one, np.array(vectors, np.float32).reshape(-1, DIMENSION))
        staging.settled_catalog().set_relations(
            [Relation("superseded_by", old, new, "prova") for old, new in replaced]
            + [Relation("updated_by", replaced[0][1], replaced[0][0], "prova")]
        )
        writer.publish(staging, staging.finish(NoProgress()))
    backend = store.open_current()
    own = {one.document.id for one in parts if one.document.status == "superseded"}
    yield World(backend, parts, own | {old for old, _ in replaced})
    backend.close()


def keeps(world: World, filters: Filters, parts: Parts, passage: Passage) -> bool:
    """The meaning of the filters, said in the plainest way."""
    document = parts.document
    first = document.year_from or document.year_to
    last = document.year_to or document.year_from
    status = "superseded" if document.id in world.superseded else "in_force"
    names = {name_key(name) for name in filters.distretto}
    return (
        (not filters.kind or document.kind in filters.kind)
        and (
            not names or (document.distretto is not None and name_key(document.distretto) in names)
        )
        and (
            not filters.year or bool(first and any(first <= y <= (last or 0) for y in filters.year))
        )
        and (not filters.status or status in filters.status)
        and (
            not filters.document
            or any(
                wanted in (document.source, document.title) or document.id.startswith(wanted)
                for wanted in filters.document
            )
        )
        and (
            not filters.scheda
            or (
                passage.scheda is not None
                and scheda_key(passage.scheda) in {scheda_key(one) for one in filters.scheda}
            )
        )
    )


def some(values: list[str] | list[int]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(st.sampled_from(values), max_size=3, unique=True).map(tuple)


ANY_FILTERS = st.builds(
    Filters,
    distretto=some(["LUGO", "forli", "San  Cesario", "Nessuno"]),
    kind=some(list(KINDS)),
    year=some([2014, 2016, 2019, 2022]),
    scheda=some(["5", "d1", "99"]),
    document=some(["d3.txt", "Titolo 4", "Titolo 7", "d21.txt"]),
    status=some(["in_force", "superseded"]),
)

# Only the documents' postings, whichever is quicker, only the best without the filter.
LEXICAL_WAYS = (0, lexical._FETCHED_PER_DOCUMENT, EVERYTHING)
MATRIX_WAYS = (0, EVERYTHING)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    filters=ANY_FILTERS,
    query=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4),
    k=st.sampled_from([1, 3, 10, 100]),
    lexical_way=st.sampled_from(LEXICAL_WAYS),
    matrix_way=st.sampled_from(MATRIX_WAYS),
)
def test_a_filtered_search_is_the_whole_search_without_the_rest(
    world: World,
    filters: Filters,
    query: list[str],
    k: int,
    lexical_way: int,
    matrix_way: int,
) -> None:
    kept = {p.id for one in world.parts for p in one.passages if keeps(world, filters, one, p)}
    text = " ".join(query)
    backend = world.backend

    def expected(everything: list[Scored]) -> list[Scored]:
        found = [one for one in everything if one.passage_id in kept]
        return sorted(found, key=lambda one: (-one.score, one.passage_id))[:k]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "_FETCHED_PER_DOCUMENT", lexical_way)
        patch.setattr(lexical, "_TIES", 1)
        patch.setattr(matrix, "_STRETCH_ROWS", matrix_way)
        every = Filters()
        words = backend.lexical(terms(text), k, filters)
        assert words == expected(backend.lexical(terms(text), EVERYTHING, every))
        characters = backend.characters(text, k, filters)
        assert characters == expected(backend.characters(text, EVERYTHING, every))
        nearest = backend.nearest(vector(text), k, filters)
        assert nearest == expected(backend.nearest(vector(text), EVERYTHING, every))


def test_superseded_is_what_says_so_or_is_said_to_be(world: World) -> None:
    shown = {one.id for one in world.backend.documents() if one.status == "superseded"}
    assert shown == world.superseded and len(shown) == 6
    query = vector("caregiver")
    count = len(world.backend.nearest(query, EVERYTHING, Filters()))
    both = [
        len(world.backend.nearest(query, EVERYTHING, Filters(status=(status,))))
        for status in ("in_force", "superseded")
    ]
    assert sum(both) == count and all(both)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("stato=in vigore", "in_force"),
        ("stato=In Vigore", "in_force"),
        ("stato=vigente", "in_force"),
        ("status=in_force", "in_force"),
        ("stato=superato", "superseded"),
        ("status=superseded", "superseded"),
    ],
)
def test_status_is_written_in_italian_or_as_in_the_models(given: str, status: str) -> None:
    assert parse_filters([given]).status == (status,)


def test_another_status_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        parse_filters({"stato": "boh"})
    assert "in vigore" in str(caught.value.remedy)


def test_a_thousand_values_are_a_quick_search(world: World) -> None:
    ids = [one.document.id for one in world.parts]
    thousand = [f"{number:08x}{'0' * 8}" for number in range(1000)]
    for filters in (
        Filters(document=(*thousand, ids[5][:8])),
        Filters(distretto=(*thousand, "Lugo"), year=tuple(range(1000, 2100))),
        Filters(scheda=(*thousand, "5")),
    ):
        started = time.perf_counter()
        assert world.backend.nearest(vector("x"), 5, filters)
        assert world.backend.lexical(terms(" ".join(WORDS)), 5, filters)
        assert time.perf_counter() - started < 1


def test_the_districts_are_each_told_once(world: World) -> None:
    assert world.backend.distretti() == ["Forlì", "Lugo", "San Cesario"]


def test_a_product_shared_out_is_the_same_product(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.random.default_rng(3).standard_normal((1000, 16)).astype(np.float32)
    path = tmp_path_factory.mktemp("matrix") / "m.npy"
    np.save(path, rows)
    query = rows[7]
    whole = ExactMatrix(path).nearest(query, 20)
    assert [one.row for one in whole] == list(np.argsort(-(rows @ query))[:20])
    monkeypatch.setattr(matrix, "_BLOCK_ROWS", 37)
    monkeypatch.setattr(matrix, "_HELPERS", 3)
    assert ExactMatrix(path).nearest(query, 20) == whole


def test_stretches_that_touch_are_one() -> None:
    given = [Rows(0, 2), Rows(2, 2), Rows(2, 5), Rows(7, 8)]
    assert merge(given) == [Rows(0, 5), Rows(7, 8)]
    selection = Selection(merge(given), 10)
    assert selection.count == 6 and selection.share == pytest.approx(0.6)
    assert list(np.flatnonzero(selection.kept)) == [0, 1, 2, 3, 4, 7]
