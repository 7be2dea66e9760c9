"""What the re-ranker sees of a passage: numbers worked out by hand over a small real index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log, log1p
from pathlib import Path

import numpy as np
import pytest

from assistant.index.protocol import SearchBackend
from assistant.models import Filters
from assistant.retrieval.candidates import DEPTH, gather, gram_idf_of, idf_of
from assistant.retrieval.features import FEATURES, feature_rows
from assistant.retrieval.query import Query, read_query
from assistant.retrieval.retrieve import Judged, judge, retrieve, shipped_trees
from tests.test_index import make_parts, make_store, write

MULINO = make_parts(
    "Zefiro",
    [
        "Il mulino apre alle sette. Il ponte del mulino costa 210 euro.",
        "La barca del mulino apre a mezzogiorno.",
        "Il lupo dorme.",
    ],
)
LAGO = make_parts(
    "lago", ["Il traghetto di Giuncaia parte il 12 luglio 2018."], distretto="Lago", year=2018
)
SHEET = make_parts("scheda", ["Il canneto resta chiuso."], scheda="Scheda n. 5")
PASSAGES = 5


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchBackend]:
    store = make_store(tmp_path_factory.mktemp("dati"))
    write(store, MULINO, LAGO, SHEET)
    opened = store.open_current()
    yield opened
    opened.close()


def judged(backend: SearchBackend, query: Query) -> Judged:
    pool = gather(backend, None, query, depth=DEPTH, filters=Filters())
    return judge(backend, query, pool, pool.order(), Filters())


def seen(backend: SearchBackend, text: str) -> dict[str, Mapping[str, float]]:
    """Passage id → feature → value."""
    found = judged(backend, read_query(text, backend.document_frequency))
    return {
        identity: dict(zip(FEATURES, row.tolist(), strict=True))
        for identity, row in zip(found.ids, found.rows, strict=True)
    }


def idf(frequency: int) -> float:
    return log(1 + (PASSAGES - frequency + 0.5) / (frequency + 0.5))


def test_features_are_those_worked_out_by_hand(backend: SearchBackend) -> None:
    rows = seen(backend, "ponte mulino")
    first, second = (rows[passage.id] for passage in MULINO.passages[:2])
    assert MULINO.passages[2].id not in rows
    ponte, mulino = idf(1), idf(2)
    mass = ponte + mulino
    # Terms: mulin apr 7 | pont mulin cost 210 eur; the other: barc mulin apr mezzogiorn
    norm = 0.8 * (1 - 0.75 + 0.75 * 8 / 80)
    expected = {
        "words": 1, "expanded": 1, "dense": 0, "words_place": 1, "dense_place": 1 / 201,
        "fused_share": 1,
        "body": 1, "anywhere": 1, "with_others": 1, "headings": 0, "title": 0,
        "sentence": 1, "sentence_short": 1 / (1 + 0.02 * 5), "sentence_others": 1, "neighbours": 1,
        "near": 1,
        "forms": (ponte * 1.8 / (1 + norm) + mulino * 2 * 1.8 / (2 + norm)) / mass,
        "rarest": 1, "numbers": 0.5, "names": 0.5,
        "length": log1p(8), "query_length": 2, "matched": 1, "verbatim": 0, "preference": 1,
        "distretto": 0.5, "year": 0.5, "scheda": 0.5,
        "body_relative": 1, "near_relative": 1, "sentence_short_relative": 1,
    }  # fmt: skip
    assert {name: first[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    expected = {
        "words_place": 1 / 2,
        "body": mulino / mass, "anywhere": mulino / mass, "sentence": mulino / mass,
        "sentence_short": mulino / mass / (1 + 0.02 * 4), "neighbours": mulino / mass, "near": 0,
        "rarest": mulino / ponte, "length": log1p(4), "matched": 0.5,
        "body_relative": mulino / mass, "near_relative": 0,
        "sentence_short_relative": mulino / mass / 1.08 * 1.1,
    }  # fmt: skip
    assert {name: second[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert 0 < second["words"] == second["expanded"] < 1
    assert first["confidence"] == second["confidence"] > 0
    assert first["grams"] > second["grams"] > 0


def test_two_neighbouring_sentences_count_together(backend: SearchBackend) -> None:
    row = seen(backend, "sette euro mulino")[MULINO.passages[0].id]
    mass = idf(2) + idf(1) + idf(1)
    assert row["sentence"] == pytest.approx((idf(2) + idf(1)) / mass)
    assert row["neighbours"] == pytest.approx(1)


def test_headings_and_title_count_apart(backend: SearchBackend) -> None:
    row = seen(backend, "ponte servizi Zefiro")[MULINO.passages[0].id]
    mass = idf(1) + 2 * idf(0)  # the body of no passage holds the other two
    assert row["body"] == pytest.approx(idf(1) / mass)
    assert row["headings"] == row["title"] == pytest.approx(idf(0) / mass)
    assert row["anywhere"] == pytest.approx(1)


def test_other_words_make_up_for_part_of_those_asked(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    parts = make_parts("cura", ["L'assistente familiare aiuta in casa.", "La casa è blu."])
    write(store, parts)
    backend = store.open_current()
    rows = seen(backend, "badante casa")
    backend.close()
    helped, plain = (rows[passage.id] for passage in parts.passages)
    casa, badante = log(1 + 0.5 / 2.5), log(1 + 2.5 / 0.5)
    assert helped["body"] == plain["body"] == pytest.approx(casa / (casa + badante), rel=1e-5)
    made_up = (casa + 0.6 * badante) / (casa + badante)
    assert helped["with_others"] == helped["sentence_others"] == pytest.approx(made_up, rel=1e-5)
    assert plain["with_others"] == plain["body"]
    assert plain["words"] == 1 == helped["expanded"]


def test_year_district_and_scheda_say_yes_no_or_nothing(backend: SearchBackend) -> None:
    lago, sheet = LAGO.passages[0].id, SHEET.passages[0].id
    named = seen(backend, "traghetto e canneto al Lago nel 2019, scheda 5")
    assert [named[lago][n] for n in ("distretto", "year", "scheda")] == [1, 1, 0]
    assert [named[sheet][n] for n in ("distretto", "year", "scheda")] == [0.5, 0.5, 1]
    other = seen(backend, "traghetto nel 2014, scheda 6")
    assert [other[lago][n] for n in ("distretto", "year", "scheda")] == [0.5, 0, 0]
    assert seen(backend, "traghetto")[lago]["year"] == 0.5


def test_numbers_and_names_are_looked_for(backend: SearchBackend) -> None:
    lago = LAGO.passages[0].id
    row = seen(backend, "il traghetto di Giuncaia il 12/7/2018")[lago]
    assert row["numbers"] == row["names"] == 1
    row = seen(backend, "il traghetto di Montalbo nel 2013")[lago]
    assert row["numbers"] == row["names"] == 0


def test_a_pasted_sentence_is_known(backend: SearchBackend) -> None:
    rows = seen(backend, "Il ponte del mulino costa 210 euro")
    assert rows[MULINO.passages[0].id]["verbatim"] == 1
    assert rows[MULINO.passages[1].id]["verbatim"] == 0


HOSTILE = ["", "?!", "di chi è?", "mulino" * 1_500, "mulino ponte " * 700, "12/07/2017 " * 900]
HOSTILE += ["MULINO", "è" * 9_000, "\ud800", "scheda 5 " * 1_000, "ponte\n\n" * 1_000, "badante"]


@pytest.mark.parametrize(
    "text",
    HOSTILE,
    ids=range(len(HOSTILE)),
)
def test_no_query_gives_a_number_that_is_none(backend: SearchBackend, text: str) -> None:
    query = read_query(text, backend.document_frequency)
    candidates = judged(backend, read_query("mulino ponte")).candidates
    for rows in (
        judged(backend, query).rows,
        feature_rows(query, candidates, idf_of(backend), gram_idf_of(backend), 0.0),
    ):
        assert rows.dtype == np.float32
        assert rows.shape[1] == len(FEATURES)
        assert np.isfinite(rows).all()
        assert np.isfinite(shipped_trees().scores(rows)).all()
    assert isinstance(retrieve(backend, None, query, k=3, filters=Filters()), tuple)


def test_no_candidates_are_no_rows(backend: SearchBackend) -> None:
    rows = feature_rows(read_query("mulino"), [], lambda _: 1.0, lambda _: 1.0, 0.0)
    assert rows.shape == (0, len(FEATURES))
    assert shipped_trees().scores(rows).shape == (0,)


def test_names_of_features_are_distinct() -> None:
    assert len(set(FEATURES)) == len(FEATURES)
