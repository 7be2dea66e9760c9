"""What each step of the search adds: the steps, their figures, and SQuAD-it cross-validated."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from assistant.errors import UsageError
from assistant.models import Filters
from assistant.retrieval.preference import PreferenceWeights
from assistant.retrieval.query import read_query
from assistant.retrieval.retrieve import retrieve
from assistant.retrieval.train import Example, Recipe, ingested, train, write_squad
from assistant.retrieval.trees import Trees
from assistant.settings import Settings
from eval import squad
from eval.ablation import (
    ALL,
    BM25,
    FILE,
    GOLDEN,
    LAY,
    LESS,
    MS,
    STEPS,
    WHOLE,
    Ranked,
    find,
    keep,
    kept,
    questions_of,
    rank_all,
)
from eval.cases import Case, GoldQuote, load_cases, locate
from eval.cli import _measure_squad, app
from eval.documented import END, START, section, write
from eval.metrics.retrieval import RANKING
from eval.outcome import Outcome
from eval.plan import LAY_FILE, typed
from eval.publish import PAGE, SUMMARY, publish
from eval.run import describe, read_run, run
from eval.score import FILE as METRICS
from eval.squad import PART, SQUAD, folds_of, rank_squad
from eval.steps import contributions
from eval.system import Engine, System
from eval.worlds import only

PARAGRAPHS = {
    "Il faro di Capo Lumera": (
        "Il faro di Capo Lumera fu acceso nel 1874 e il suo primo guardiano fu Bastiano Orru.",
        "La lanterna del faro gira su un bagno di mercurio e si vede da trenta miglia.",
        "Nel magazzino accanto alla torre si conservano le reti dei pescatori di corallo.",
    ),
    "La lana di Montefusco": (
        "A Montefusco la tosatura delle pecore comincia in maggio, dopo la fiera del bestiame.",
        "La tintura azzurra della lana viene dalle foglie di guado, raccolte in montagna.",
        "Il telaio grande della bottega Verdesi tesse coperte larghe quattro metri.",
    ),
}
QUESTIONS = (
    ("Chi fu il primo guardiano del faro?", "Quando fu acceso il faro di Capo Lumera?"),
    ("Su che cosa gira la lanterna?", "Da quante miglia si vede la lanterna?"),
    ("Che cosa si conserva nel magazzino?", "Di chi sono le reti?"),
    ("Quando comincia la tosatura delle pecore?", "Dopo quale fiera comincia la tosatura?"),
    ("Da quali foglie viene la tintura azzurra?", "Dove si raccoglie il guado?"),
    ("Quanto sono larghe le coperte del telaio?", "Che cosa tesse il telaio grande?"),
)
QUICK = Recipe(rounds=3, leaves=3, least_in_leaf=1)


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        f"shared_{name}", Path(__file__).with_name(f"{name}.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fakes = _load("test_eval_run")


@pytest.fixture(scope="module")
def squad_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = iter(QUESTIONS)
    articles = [
        {
            "title": title,
            "paragraphs": [
                {"context": text, "qas": [{"question": one} for one in next(asked)]}
                for text in texts
            ],
        }
        for title, texts in PARAGRAPHS.items()
    ]
    path = tmp_path_factory.mktemp("squad") / "due-articoli.json"
    path.write_text(json.dumps({"data": articles}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def engine(squad_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("paragrafi")
    write_squad(squad_file, folder)
    with ingested(folder) as (backend, embedder):
        yield Engine(backend, embedder)


@pytest.fixture
def ready(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    """Without a second ingest; each training tells the groups it was taught by."""
    taught: list[frozenset[str]] = []

    def watched(examples: Sequence[Example], recipe: Recipe) -> Trees:
        taught.append(frozenset(example.group for example in examples))
        return train(examples, recipe)

    class Opened:
        def __init__(self, folder: Path) -> None: ...

        def __enter__(self) -> Engine:
            return engine

        def __exit__(self, *details: object) -> None: ...

    monkeypatch.setattr(squad, "train", watched)
    monkeypatch.setattr(squad, "ingested", Opened)
    return taught


def step(name: str) -> Any:
    return next(one for one in (*STEPS, *LESS) if one.name == name)


def first(engine: Engine, name: str, text: str) -> str:
    passages = find(step(name), engine, text, Filters())
    return passages[0].text if passages else ""


def test_a_question_is_ranked_by_a_model_that_never_saw_its_article(
    squad_file: Path, ready: list[frozenset[str]]
) -> None:
    ranked = rank_squad(squad_file, recipe=QUICK)
    assert ready == [frozenset({"01"}), frozenset({"00"})]
    assert [one.cluster for one in ranked] == ["00"] * 6 + ["01"] * 6
    assert {one.parts for one in ranked} == {(PART,)}
    for one in ranked:
        assert set(one.steps) == {each.name for each in STEPS}
        assert set(one.steps[WHOLE]) == {*RANKING, MS}
    found = contributions(ranked)
    whole = {row.step: row for row in found.steps}[WHOLE]
    assert (whole.n, whole.clusters) == (12, 2)
    assert (whole.measures["R@5"].value or 0) > 0.8
    assert [goal.measure for goal in found.goals] == ["R@1", "R@5", "RR@10", "nDCG@10"]


def test_articles_are_dealt_into_folds_in_turn() -> None:
    assert folds_of(["b", "a", "c", "a"], 2) == {"a": 0, "b": 1, "c": 0}
    assert folds_of(["a", "b"], 6) == {"a": 0, "b": 1}


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"data": [{"paragraphs": []}]}'])
def test_what_is_no_collection_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "altro.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"altro\.json"):
        rank_squad(path)


def test_a_collection_that_is_not_there_is_told_before_any_question() -> None:
    done = CliRunner().invoke(app, ["--suite", "retrieval", "--squad", "manca.json"])
    assert done.exit_code == 2
    assert "manca.json" in done.output


def test_without_the_collection_it_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for looked_for, why in ((True, f"manca {SQUAD}"), (False, "si misura con")):
        _measure_squad(tmp_path, None, looked_for=looked_for)
        assert f"SQuAD-it è lasciata fuori: {why}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_bm25_alone_takes_whole_words_and_the_characters_forgive(engine: Engine) -> None:
    assert "guado" in first(engine, BM25, "foglie di guado")
    assert first(engine, BM25, "mercurrio") == ""
    assert "mercurio" in first(engine, "caratteri", "mercurrio")


def test_a_first_order_is_that_of_retrieve_without_re_ranker_and_preferences(
    engine: Engine,
) -> None:
    none = PreferenceWeights(1.0, 1.0, 1.0)
    for text in ("la lanterna del faro", "quando comincia la tosatura"):
        asked = step("dense")
        query = read_query(text, engine.backend.document_frequency)
        hits = retrieve(
            engine.backend, engine.embedder, query, k=5, filters=Filters(),
            weights=asked.weights, preferences=none, rerank=False,
        )  # fmt: skip
        passages = find(asked, engine, text, Filters(), k=5)
        assert [hit.passage.id for hit in hits] == [passage.id for passage in passages]


def test_the_last_step_is_the_search_of_the_program(engine: Engine) -> None:
    text = "Chi fu il primo guardiano del faro?"
    hits = retrieve(engine.backend, engine.embedder, text, k=5, filters=Filters())
    passages = find(step(WHOLE), engine, text, Filters(), k=5)
    assert [hit.passage.id for hit in hits] == [passage.id for passage in passages]


def lay_case(name: str, question: str, **rest: Any) -> Case:
    quotes = ((GoldQuote("articolo-00-000.txt", 1, "Il faro di Capo Lumera"),),)
    case = Case(name, question, "operatore", "fatto", True, evidence=quotes, line=1)
    return replace(replace(case, file=f"golden/{LAY_FILE}"), **rest)


def test_lay_questions_are_typed_otherwise_where_that_changes_them() -> None:
    lay = lay_case("la-1", "Perché il guardiano accende la lanterna?")
    other = lay_case("op-1", "Perché?", file="golden/prime.jsonl")
    silent = lay_case("la-2", "Perché no?", answerable=False, evidence=())
    made = {case.id: case for case in typed([lay, other, silent])}
    assert set(made) == {"la-1~refusi", "la-1~senza_accenti", "la-1~maiuscole"}
    assert made["la-1~maiuscole"].question == "PERCHÉ IL GUARDIANO ACCENDE LA LANTERNA"
    assert made["la-1~maiuscole"].variant_of == "la-1"
    assert made["la-1~refusi"].evidence == lay.evidence
    plain = typed([lay_case("la-3", "dove si va?")])
    assert [case.change for case in plain] == ["maiuscole"], "no long word, no accent"


def test_a_run_s_questions_are_put_to_the_steps_with_the_derived_ones(engine: Engine) -> None:
    lay = lay_case("la-1", "Quando accesero il faro?", split="dev")
    other = lay_case("op-1", "e il guardiano?", split="test", history=("il faro di Capo Lumera",))
    cases = [lay, replace(other, file="golden/prime.jsonl")]
    empty = fakes.answer("")
    outcomes = [
        Outcome(gold, replace(empty, understood_as=understood), (), (), 0.0, 0.0)
        for gold, understood in zip(
            locate(cases, cast(System, _System(engine))),
            ("altro", "il guardiano del faro"),
            strict=True,
        )
    ]
    asked = questions_of(outcomes)
    assert [(gold.case.id, text) for gold, text in asked] == [
        ("la-1", "Quando accesero il faro?"),
        ("op-1", "il guardiano del faro"),
        ("la-1~refusi", asked[2][1]),
        ("la-1~maiuscole", "QUANDO ACCESERO IL FARO"),
    ]
    ranked = {one.id: one for one in rank_all(engine, asked)}
    assert ranked["la-1"].parts == (ALL, "dev", LAY)
    assert ranked["op-1"].parts == (ALL, "test", GOLDEN)
    assert ranked["la-1~maiuscole"].parts == (f"{LAY}, maiuscole",)
    assert set(ranked["la-1"].steps) == {one.name for one in (*STEPS, *LESS)}
    assert set(ranked["la-1~maiuscole"].steps) == {BM25, WHOLE}
    assert ranked["op-1"].cluster == "articolo-00-000.txt"


class _System:
    """What `locate` asks."""

    def __init__(self, engine: Engine) -> None:
        self.documents = engine.backend.documents
        self.page = engine.backend.page


def hand_made(found: dict[str, tuple[float, ...]]) -> list[Ranked]:
    """Documents `a`, `a`, `b`, `c`; each step finds what is said at the first place or nowhere."""
    steps = {name: found.get(name, found[BM25]) for name in (one.name for one in (*STEPS, *LESS))}
    return [
        Ranked(
            f"q{place}", "", cluster, (ALL, GOLDEN),
            {name: {**dict.fromkeys(RANKING, v[place]), MS: 2.0} for name, v in steps.items()},
        )
        for place, cluster in enumerate("aabc")
    ]  # fmt: skip


def test_a_step_is_compared_with_the_one_before_in_clusters() -> None:
    ranked = hand_made({BM25: (0, 0, 0, 1), WHOLE: (1, 1, 1, 1)})
    rows = {row.step: row for row in contributions(ranked).steps if row.part == ALL}
    assert rows[BM25].measures["R@5"].value == 0.25
    assert rows[BM25].differences == {}
    whole = rows[WHOLE].differences["R@5"]
    assert whole.change.value == 0.75
    # Of the clusters, a (+2) and b (+1) differ: 2 of the 4 assignments of signs reach 3.
    assert whole.p == 0.5
    assert whole.p_holm == 1.0, "the smallest of five"
    assert rows["thesaurus"].differences["R@5"].p == 1.0
    without = rows["senza dense"].differences["R@5"]
    assert without.change.value == -0.75
    assert without.p_holm == 1.0
    assert rows[WHOLE].measures[MS].value == 2.0


def test_variants_are_paired_with_their_originals() -> None:
    ranked = hand_made({BM25: (1, 1, 1, 1)})
    lost = {BM25: dict.fromkeys(RANKING, 0.0), WHOLE: dict.fromkeys(RANKING, 1.0)}
    ranked.append(Ranked("q0~refusi", "q0", "a", ("refusi", f"{LAY}, refusi"), lost))
    ranked.append(Ranked("x~refusi", "x", "a", ("refusi",), lost))
    found = contributions(ranked)
    rows = {(row.part, row.step): row for row in found.wordings}
    assert rows["refusi", BM25].n == 1, "one has no original here"
    assert rows["refusi", BM25].loss.change.value == 1.0
    assert rows["refusi", WHOLE].loss.change.value == 0.0
    assert "refusi" not in {row.part for row in found.steps}
    goals = {(goal.part, goal.measure): goal for goal in found.goals}
    assert goals[f"{LAY}, refusi", "R@5"].met
    assert goals[ALL, "R@10"].met, "without lay questions the golden ones are all"
    assert contributions(ranked, goals=False).goals == ()


def test_what_was_ranked_is_kept_and_read_back(tmp_path: Path) -> None:
    ranked = hand_made({BM25: (0, 0.5, 1, 1)})
    keep(ranked, tmp_path / FILE)
    assert kept(tmp_path / FILE) == tuple(ranked)
    assert kept(tmp_path / "altro.jsonl") == ()
    (tmp_path / FILE).write_text("{}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="passi"):
        kept(tmp_path / FILE)


def test_the_figures_are_in_json_page_summary_and_guide(tmp_path: Path) -> None:
    golden = tmp_path / "domande.jsonl"
    lines = [json.dumps(one, ensure_ascii=False) for one in fakes.golden_records()]
    golden.write_text("\n".join(lines), encoding="utf-8")
    config = {**describe(Settings(), golden), "suites": ["retrieval"]}
    folder = tmp_path / "run"
    run(only(fakes.AlwaysRefuses()), load_cases(golden), folder, config)
    assert publish(folder, questions=True).steps is None
    with pytest.raises(UsageError, match="passi"):
        section(read_run(folder))
    keep(hand_made({BM25: (0, 0, 0, 1), WHOLE: (1, 1, 1, 1)}), folder / FILE)
    published = publish(folder, questions=True)
    assert published.steps is not None
    assert published.steps.goals == (), "the goals are not for other people's questions"
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    assert set(metrics) == {"metrics", "steps"}
    assert published.as_json()["steps"]["steps"][0]["step"] == BM25
    assert "Contributo di ogni passo" in (folder / PAGE).read_text(encoding="utf-8")
    summary = (folder / SUMMARY).read_text(encoding="utf-8")
    assert "| BM25, parole | 25,0 (" in summary
    assert "| + riordino = piano | 100,0 (" in summary
    guide = tmp_path / "guida.md"
    guide.write_text(f"Prima.\n{START}\nvecchio\n{END}\nDopo.\n", encoding="utf-8")
    write(section(read_run(folder)), guide)
    text = guide.read_text(encoding="utf-8")
    assert text.startswith(f"Prima.\n{START}\n\nMisurato il 2")
    assert text.endswith(f"{END}\nDopo.\n")
    assert "vecchio" not in text
    with pytest.raises(UsageError, match="segni"):
        write("", golden)
