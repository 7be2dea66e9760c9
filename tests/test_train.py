"""The re-ranker's training: the same bytes each time, true grades, questions that are located."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.build import build_embedder, build_generations
from assistant.index.protocol import SearchBackend
from assistant.italian.analysis import terms
from assistant.models import Passage, Span
from assistant.retrieval import train as program
from assistant.retrieval.features import FEATURES
from assistant.retrieval.train import (
    ANSWERS,
    QUESTIONS,
    SAME_PAGE,
    Example,
    Place,
    Recipe,
    examples,
    grade,
    located_squad,
    main,
    read_questions,
    train,
    write_squad,
)
from assistant.retrieval.trees import write_trees
from assistant.settings import Settings
from tests.test_index import LUGO, make_parts, make_store, write

ROOT = Path(__file__).parent.parent
TINY = Recipe(rounds=8, leaves=4, least_in_leaf=2)


def dozen(seed: int = 1) -> list[Example]:
    """Examples where the share of the words in the body tells what answers."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(12):
        rows = rng.random((10, len(FEATURES))).astype(np.float32)
        grades = np.digitize(rows[:, FEATURES.index("body")], [0.5, 0.8]).astype(np.int64)
        made.append(Example(f"documento {number % 3}", rows, grades))
    return made


def test_training_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        write_trees(tmp_path / name, train(dozen(), TINY, "prova"))
    first = (tmp_path / "a.json").read_bytes()
    assert first == (tmp_path / "b.json").read_bytes()
    about = json.loads(first)["about"]
    assert (about["questions"], about["provenance"]) == (12, "prova")
    write_trees(tmp_path / "c.json", train(dozen(2), TINY, "prova"))
    other = json.loads((tmp_path / "c.json").read_text("utf-8"))["about"]
    assert other["examples_sha256"] != about["examples_sha256"]


def test_what_is_learned_orders_what_it_never_saw() -> None:
    trees = train(dozen(), TINY)
    right = wrong = 0
    for example in dozen(3):
        scores = trees.scores(example.rows)
        better = example.grades[:, None] > example.grades[None, :]
        higher = scores[:, None] > scores[None, :]
        right += int((better & higher).sum())
        wrong += int((better & ~higher).sum())
    assert right > 4 * wrong


def test_questions_without_an_order_teach_nothing() -> None:
    flat = Example("x", np.ones((4, len(FEATURES)), np.float32), np.zeros(4, np.int64))
    empty = Example("y", np.ones((0, len(FEATURES)), np.float32), np.zeros(0, np.int64))
    assert not flat.teaches and not empty.teaches
    assert train([*dozen(), flat, empty], TINY).about["questions"] == 12


def passage(*spans: tuple[int, int, int], document: str = "d") -> Passage:
    return Passage("p", document, 0, "testo", (), tuple(Span(*span) for span in spans), None)


@pytest.mark.parametrize(
    ("found", "paged", "expected"),
    [
        (passage((1, 0, 100)), True, ANSWERS),
        (passage((1, 50, 90)), True, ANSWERS),  # half of the quote
        (passage((1, 51, 90)), True, SAME_PAGE),
        (passage((1, 51, 90)), False, 0),  # one page: being on it says nothing
        (passage((1, 200, 300)), True, SAME_PAGE),
        (passage((2, 0, 100)), True, 0),
        (passage((2, 0, 9), (1, 40, 60)), True, ANSWERS),
        (passage((1, 0, 100), document="altro"), True, 0),
    ],
)
def test_grades_are_answer_same_page_and_nothing(
    found: Passage, paged: bool, expected: int
) -> None:
    assert grade(found, [Place("d", 1, 40, 60)], paged=paged) == expected
    assert grade(found, [Place("x", 1, 0, 9), Place("d", 1, 40, 60)], paged=paged) == expected
    assert grade(found, [], paged=paged) == 0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchBackend]:
    store = make_store(tmp_path_factory.mktemp("dati"))
    write(store, LUGO, make_parts("eco", ["Il ponte è lungo.", "Il ponte è lungo."]))
    opened = store.open_current()
    yield opened
    opened.close()


def write_questions(folder: Path, *entries: dict[str, object]) -> Path:
    text = "".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in entries)
    (folder / "prova.jsonl").write_text(text, "utf-8")
    return folder


SPORTELLO = {"document": "lugo.txt", "page": 1, "quote": "apre uno sportello sociale"}
GIOVANI = {"document": "lugo.txt", "page": 1, "quote": "attività per i giovani"}


def test_questions_are_located(small: SearchBackend, tmp_path: Path) -> None:
    both = {"question": "Che cosa fa Lugo?", "evidence": [SPORTELLO, GIOVANI]}
    folder = write_questions(tmp_path, {"question": "Chi apre?", **SPORTELLO}, both)
    (group, question, places), (_, _, two) = read_questions(small, folder)
    assert (group, question) == (LUGO.document.id, "Chi apre?")
    page = LUGO.pages[0].text
    assert [page[p.start : p.end] for p in (*places, *two)] == [
        SPORTELLO["quote"],
        SPORTELLO["quote"],
        GIOVANI["quote"],
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        SPORTELLO | {"quote": "apre tre sportelli"},
        {"document": "eco.txt", "page": 1, "quote": "Il ponte è lungo."},  # there twice
    ],
)
def test_a_quote_that_is_not_once_on_its_page_is_named_with_its_line(
    small: SearchBackend, tmp_path: Path, wrong: dict[str, object]
) -> None:
    entries = ({"question": "Chi apre?", **SPORTELLO}, {"question": "E poi?", **wrong})
    with pytest.raises(ValueError, match=r"prova\.jsonl:2: quote not once on its page"):
        read_questions(small, write_questions(tmp_path, *entries))


def test_a_document_that_is_not_there_is_named_with_its_line(
    small: SearchBackend, tmp_path: Path
) -> None:
    folder = write_questions(tmp_path, {"question": "Chi?", **SPORTELLO, "document": "via.pdf"})
    with pytest.raises(ValueError, match=r"prova\.jsonl:1: no document via\.pdf"):
        read_questions(small, folder)


def test_examples_hold_the_candidates_with_their_grades(small: SearchBackend) -> None:
    span = LUGO.passages[0].spans[0]
    place = Place(LUGO.document.id, 1, span.start, span.end)
    (made,) = examples(small, None, [("g", "sportello sociale di Lugo", [place])], 0.3)
    assert (made.group, made.weight, made.teaches) == ("g", 0.3, True)
    assert made.rows.shape == (len(made.grades), len(FEATURES))
    assert made.grades[0] == ANSWERS
    assert made.grades[1:].max(initial=0) == 0, "the document has one page"


def test_every_training_question_stands_in_the_bundled_documents(bundled_data_dir: Path) -> None:
    settings = Settings(data_dir=bundled_data_dir)
    backend = build_generations(settings).open_current()
    try:
        found = read_questions(backend)
        lines = sum(len(p.read_text("utf-8").splitlines()) for p in QUESTIONS.glob("*.jsonl"))
        assert len(found) == lines >= 700
        sample = found[::150]
        made = list(examples(backend, build_embedder(settings), sample))
        assert sum(example.grades.max(initial=0) == ANSWERS for example in made) >= 4
    finally:
        backend.close()


def lines_of(folder: str, pattern: str) -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / folder).glob(pattern)):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            yield f"{path.name}:{number}", line


def test_no_question_of_the_evaluation_is_trained_on() -> None:
    """Nor one with nearly the same terms: seven in ten of those that either has."""
    golden: defaultdict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
    for place, line in lines_of("eval/golden", "*.jsonl"):
        asked = frozenset(terms(json.loads(line)["question"]))
        for term in asked:
            golden[term].append((place, asked))
    assert len(golden) > 1000
    trained = [
        (place, json.loads(line)["question"])
        for place, line in lines_of("assistant/retrieval/training", "*.jsonl")
    ]
    pairs = lines_of("assistant/embedding/training/coppie", "*.tsv")
    trained += [(place, line.partition("\t")[0]) for place, line in pairs]
    twice = set()
    for place, question in trained:
        own = frozenset(terms(question))
        for other, asked in (near for term in own for near in golden[term]):
            if 10 * len(own & asked) >= 7 * len(own | asked):
                twice.add(f"{place} asks what {other} asks: {question}")
    assert not twice, "\n".join(sorted(twice))


def test_paragraphs_of_squad_become_documents_that_answer(tmp_path: Path) -> None:
    paragraphs = [
        {"context": "Il ponte è lungo.", "qas": [{"question": "Com'è il ponte?"}]},
        {"context": "Il lupo dorme.", "qas": [{"question": "Chi dorme?"}, {"question": "E poi?"}]},
    ]
    source = tmp_path / "squad.json"
    source.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), "utf-8")
    folder = tmp_path / "testi"
    folder.mkdir()
    questions = write_squad(source, folder)
    assert [(article, question) for article, question, _ in questions] == [
        ("00", "Com'è il ponte?"),
        ("00", "Chi dorme?"),
        ("00", "E poi?"),
    ]
    assert (folder / questions[1][2]).read_text("utf-8") == "Il lupo dorme."
    store = make_store(tmp_path / "dati")
    lupo = make_parts(questions[1][2].removesuffix(".txt"), ["Il lupo dorme."])
    write(store, lupo)
    backend = store.open_current()
    ((_, _, places),) = located_squad(backend, questions[1:2])
    assert places == [Place(lupo.document.id, 1, 0, len("Il lupo dorme."))]
    backend.close()


def test_without_squad_the_shipped_model_stays_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "reranker.json"
    with caplog.at_level(logging.WARNING, logger=program.__name__):
        assert main(["--out", str(out), "--squad", str(tmp_path / "manca.json")]) == 0
    assert not out.exists()
    assert "manca.json non c'è" in caplog.text
    assert "non si può riprodurre" in caplog.text
