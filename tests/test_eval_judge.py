"""`piano eval` on the bundled documents, gates, comparison, labels, resuming."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.conversations import ConversationStore
from assistant.errors import UsageError
from assistant.models import Answer, Filters
from assistant.settings import Settings
from eval.cases import GOLDEN, load_cases
from eval.cli import app
from eval.judge import compared, reference_run
from eval.label import Label, agreement, items, kappa, read_labels
from eval.noise import noise_document
from eval.plan import plan, sample
from eval.run import describe, read_run, run
from eval.score import score
from eval.system import assistant_over, ingest_into
from eval.worlds import HOSTILE, HOSTILE_DOCUMENTS, NOISE, only, worlds_over

SIZE = 380
SUITES = ("retrieval", "answers", "abstention", "adversarial", "conversation", "speed")


@pytest.fixture(scope="module")
def folder(bundled_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the sample that gates every build."""
    settings = Settings(data_dir=bundled_data_dir)
    made = tmp_path_factory.mktemp("judge") / "run"
    config = {**describe(settings, GOLDEN), "suites": list(SUITES), "sample": SIZE}
    worlds = worlds_over(settings, bundled_data_dir)
    return run(worlds, plan(load_cases(), SUITES, SIZE), made, config, repeat=2)


def invoke(*arguments: object, typed: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(one) for one in arguments], input=typed)
    return done.exit_code, done.output


def test_a_sample_of_the_golden_questions_passes_the_gates(folder: Path) -> None:
    code, output = invoke("score", folder, "--gate")
    assert code == 0, output
    for name in ("quote_integrity", "personal_data_kept", "injection_resisted", "no_crash"):
        assert f"rispettato: {name}" in output
    assert "NON RISPETTATO" not in output


def test_a_damaged_answer_fails_the_gate_with_code_five_naming_it(
    folder: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "run"
    damaged.mkdir()
    for path in folder.iterdir():
        (damaged / path.name).write_bytes(path.read_bytes())
    lines = (damaged / "answers.jsonl").read_text(encoding="utf-8").split("\n")
    for place, line in enumerate(lines):
        record = json.loads(line)
        if record["answer"]["citations"]:
            record["answer"]["citations"][0]["quote"] += " E altro."
            lines[place] = json.dumps(record, ensure_ascii=False)
            break
    (damaged / "answers.jsonl").write_text("\n".join(lines), encoding="utf-8")
    code, output = invoke("score", damaged, "--gate")
    assert code == 5
    assert "Requisito non rispettato: quote_integrity" in output
    assert record["id"] in output
    other = read_run(damaged)
    scores = score(read_run(damaged))
    [integrity] = [
        one
        for one in compared(other, scores, reference_run(folder, other))
        if one.metric == "quote_integrity"
    ]
    assert integrity.got_worse == (record["id"],)


def test_worlds_hold_the_documents_and_what_was_added(folder: Path) -> None:
    done = read_run(folder)
    collections = done.config["collections"]
    bundled = collections[""]["counts"]["documents"]
    hostile = sum(path.is_file() for path in HOSTILE_DOCUMENTS.iterdir())
    assert collections[HOSTILE]["counts"]["documents"] == bundled + hostile
    for name, share in NOISE.items():
        documents = collections[name]["counts"]["documents"]
        assert (documents - bundled) / documents == pytest.approx(share, abs=0.01)


def test_variants_know_their_originals_and_weigh_as_one_question(folder: Path) -> None:
    varied = [one for one in read_run(folder).outcomes if one.gold.case.variant_of]
    assert varied
    assert all(one.original is not None for one in varied)
    found = score(read_run(folder)).metrics["recall_at_5_change"]["all"]
    assert found.clusters < found.n


def test_every_answer_was_given_twice_alike(folder: Path) -> None:
    found = score(read_run(folder)).metrics["determinism"]["all"]
    assert found.value == 1.0
    assert found.n >= SIZE


def test_trec_files_are_read_by_other_peoples_tools(folder: Path) -> None:
    import ir_measures
    from ir_measures import RR

    done = read_run(folder)
    qrels = list(ir_measures.read_trec_qrels(str(folder / "qrels.trec")))
    ranked = list(ir_measures.read_trec_run(str(folder / "run.trec")))
    assert {line.query_id for line in qrels} <= {o.gold.case.id for o in done.outcomes}
    single = [o for o in done.outcomes if o.is_original and len(o.gold.evidence) == 1 and o.ranked]
    assert single
    by_id = {one.query_id: one.value for one in ir_measures.iter_calc([RR @ 10], qrels, ranked)}
    for outcome in single:
        assert outcome.gold.case.id in by_id


def test_a_run_that_was_cut_goes_on_where_it_stopped(
    bundled_data_dir: Path, tmp_path: Path
) -> None:
    settings = Settings(data_dir=bundled_data_dir)
    cases = plan(load_cases(), ("abstention",), 25)
    whole = run(
        worlds_over(settings, bundled_data_dir), cases, tmp_path / "whole", describe_here(settings)
    )
    with assistant_over(settings, bundled_data_dir) as system:

        class Stopped:
            """The real assistant, whose user presses Ctrl-C at the tenth question."""

            asked = 0

            def __getattr__(self, name: str) -> object:
                return getattr(system, name)

            def ask(
                self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
            ) -> Answer:
                self.asked += 1
                if self.asked == 10:
                    raise KeyboardInterrupt
                return system.ask(question, filters=filters, history=history)

        with pytest.raises(KeyboardInterrupt):
            run(only(Stopped()), cases, tmp_path / "cut", describe_here(settings))  # type: ignore[arg-type]
        cut = tmp_path / "cut"
        with (cut / "answers.jsonl").open("a", encoding="utf-8") as file:
            file.write('{"id": "mezza')
        with pytest.raises(UsageError, match="interrotta"):
            read_run(cut)
        with pytest.raises(UsageError, match="altre domande"):
            run(only(system), cases[1:], cut, describe_here(settings))
        with pytest.raises(UsageError, match="altre impostazioni"):
            other = {**describe_here(settings), "settings": {"chat_model": "altro"}}
            run(only(system), cases, cut, other)
        ticks: list[int] = []
        run(only(system), cases, cut, describe_here(settings), tick=lambda: ticks.append(1))
    assert len(ticks) == len(cases)
    first, second = read_run(whole), read_run(cut)
    assert [o.gold for o in first.outcomes] == [o.gold for o in second.outcomes]
    assert [o.answer.sentences for o in first.outcomes] == [
        o.answer.sentences for o in second.outcomes
    ]
    assert first.pages == second.pages


def describe_here(settings: Settings) -> dict[str, object]:
    return describe(settings, Path("golden"))


def test_a_run_of_other_documents_is_not_gone_on_with(
    bundled_data_dir: Path, tmp_path: Path
) -> None:
    settings = Settings(data_dir=bundled_data_dir)
    cases = plan(load_cases(), ("abstention",), 5)
    made = run(
        worlds_over(settings, bundled_data_dir), cases, tmp_path / "run", describe_here(settings)
    )
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    config |= {"complete": False, "finished": []}
    config["collections"][""]["corpus"] = "un altro"
    (made / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(UsageError, match="altri documenti"):
        run(worlds_over(settings, bundled_data_dir), cases, made, describe_here(settings))


def test_runs_without_a_common_question_are_not_compared(
    folder: Path, bundled_data_dir: Path, tmp_path: Path
) -> None:
    done = read_run(folder)
    asked = {one.gold.case.id for one in done.outcomes}
    others = [case for case in load_cases() if case.id not in asked and not case.world][:3]
    settings = Settings(data_dir=bundled_data_dir)
    with assistant_over(settings, bundled_data_dir) as system:
        made = run(
            only(system),
            [case for case in others if case.variant_of is None],
            tmp_path / "other",
            describe_here(settings),
        )
    with pytest.raises(UsageError, match="domande in comune"):
        reference_run(made, done)


def test_the_same_noise_each_time_and_more_has_less_within() -> None:
    assert noise_document(7) == noise_document(7)
    assert noise_document(7) != noise_document(8)
    assert "Documento di prova" in noise_document(1)


def test_a_sample_keeps_originals_with_their_variants() -> None:
    cases = load_cases()
    kept = sample(cases, 30)
    originals = {case.id for case in kept if case.variant_of is None}
    assert len(originals) == 30
    assert {case.variant_of for case in kept if case.variant_of} <= originals
    planned = plan(cases, ("conversation",), 200)
    assert {case.variant_of for case in planned if case.variant_of} <= {c.id for c in planned}
    assert any(case.change == "altro_argomento" and case.history for case in plan(cases, SUITES))


def test_a_person_labels_sentences_takes_one_back_and_goes_on_later(
    folder: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "run"
    mine.mkdir()
    for path in folder.iterdir():
        (mine / path.name).write_bytes(path.read_bytes())
    typed = "s\nn\n" + "boh\nn\nn\n" + "annulla\n" + "s\ns\n" + "esci\n"
    code, output = invoke("label", mine, "--sample", "6", "--chi", "prova", typed=typed)
    assert code == 0, output
    assert "[1 di 6]" in output
    assert "Scrivi s, n, salta, annulla oppure esci." in output
    assert "2 giudizi nuovi, 2 in tutto." in output
    assert "kappa di Cohen" in output
    labels = read_labels(mine)
    assert [(one.proves, one.answers, one.who) for one in labels] == [
        (True, False, "prova"),
        (True, True, "prova"),
    ]
    code, output = invoke("label", mine, "--sample", "6", typed="salta\n" * 4)
    assert "[3 di 6]" in output
    assert "0 giudizi nuovi, 2 in tutto." in output
    assert "»" in output, "the quote stands in its page's words"
    (mine / "labels.jsonl").write_text("{}\n", encoding="utf-8")
    code, output = invoke("label", mine, typed="")
    assert code == 2
    assert "labels.jsonl:1" in output


def test_agreement_with_people_is_shown_with_that_of_chance_taken_off(folder: Path) -> None:
    # 10 yes together, 5 no together, 3 and 2 apart: observed .75; by chance .6*.65 + .4*.35 = .53.
    pairs = [(True, True)] * 10 + [(False, False)] * 5 + [(True, False)] * 2 + [(False, True)] * 3
    assert kappa(pairs) == pytest.approx((0.75 - 0.53) / (1 - 0.53))
    assert kappa([(True, True)] * 3) is None
    done = read_run(folder)
    chosen = items(done, 4)
    labels = [Label(*item.key, True, True, "", "") for item in chosen]
    proves = agreement(done, labels)[0]
    assert (proves.measure, proves.n, proves.share) == ("sentence_support", 4, 1.0)
    assert agreement(done, [replace(one, proves=False) for one in labels])[0].share == 0.0


def test_feedback_becomes_candidates_that_a_person_must_complete(
    folder: Path, tmp_path: Path
) -> None:
    given = [one.answer for one in read_run(folder).outcomes if one.answer.citations][:2]
    store = ConversationStore(tmp_path / "conversations.sqlite")
    conversation = store.create()
    messages = [store.add(conversation.id, answer) for answer in given]
    store.give_feedback(messages[0].id, "utile")
    store.give_feedback(messages[1].id, "incompleta", "manca il sabato")
    store.close()
    out = tmp_path / "candidate.jsonl"
    code, output = invoke("promote", "--data-dir", tmp_path, "--out", out)
    assert code == 0, output
    assert "1 candidate" in output
    assert "2 segnalazioni" in output
    [line] = [json.loads(one) for one in out.read_text(encoding="utf-8").splitlines()]
    assert line["question"] == given[1].question
    assert line["history"] == [given[0].question]
    assert line["evidence"][0][0]["quote"] == given[1].citations[0].quote
    assert "manca il sabato" in line["da_completare"]
    with pytest.raises(UsageError, match="da_completare"):
        load_cases(out)
    assert "0 candidate" in invoke("promote", "--data-dir", tmp_path, "--out", out)[1]
    with sqlite3.connect(tmp_path / "conversations.sqlite") as db:
        assert db.execute("SELECT count(*) FROM feedback").fetchone() == (2,)


def test_promotion_without_conversations_says_what_to_do(tmp_path: Path) -> None:
    code, output = invoke("promote", "--data-dir", tmp_path, "--out", tmp_path / "c.jsonl")
    assert code == 2
    assert "--data-dir" in output


def test_anybody_may_check_and_ask_their_own_questions(
    bundled_data_dir: Path, tmp_path: Path
) -> None:
    cases = [case for case in load_cases() if case.id in ("op-01", "no-19")]
    golden = tmp_path / "mie_domande.jsonl"
    lines = [
        line
        for line in Path(cases[0].file).read_text(encoding="utf-8").split("\n")
        if line and json.loads(line)["id"] in ("op-01", "no-19")
    ]
    golden.write_text("\n".join(lines), encoding="utf-8")
    code, output = invoke("check", "--golden", golden, "--data-dir", bundled_data_dir)
    assert code == 0, output
    assert "2 domande in ordine" in output
    out = tmp_path / "run"
    arguments = ("--golden", golden, "--data-dir", bundled_data_dir, "--out", out)
    code, output = invoke(*arguments, "--suite", "answers,abstention", "--json")
    assert code == 0, output
    assert json.loads(output)["metrics"]["abstention_recall"]["all"]["n"] == 1
    golden.write_text(lines[0].replace("12 luglio 2017", "13 luglio 2017"), encoding="utf-8")
    code, output = invoke("check", "--golden", golden, "--data-dir", bundled_data_dir)
    assert code == 2
    assert f"{golden}:1:" in output


@pytest.fixture(scope="module")
def own_corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An office's own document in its own index, and its one question: data folder, golden file."""
    folder = tmp_path_factory.mktemp("ufficio")
    documents = folder / "documenti"
    documents.mkdir()
    text = "# Carta dei servizi\n\nLo sportello sociale apre alle 9 e chiude alle 13.\n"
    (documents / "carta.md").write_text(text, encoding="utf-8")
    golden = folder / "mie_domande.jsonl"
    quote = {"document": "carta.md", "page": 1, "quote": "apre alle 9"}
    line = {
        "id": "op-01",  # as one of ours: it must not be compared with that
        "question": "a che ora apre lo sportello sociale?",
        "group": "operatore",
        "category": "orari",
        "answerable": True,
        "evidence": [[quote]],
        "nuggets": [{"forms": ["9"]}],
    }
    golden.write_text(json.dumps(line), encoding="utf-8")
    ingest_into(folder / "dati", documents)
    return folder / "dati", golden


def test_an_office_evaluates_its_own_documents_with_nothing_of_ours(
    own_corpus: tuple[Path, Path], tmp_path: Path
) -> None:
    data_dir, golden = own_corpus
    out = tmp_path / "run"
    options = ("--golden", golden, "--data-dir", data_dir, "--out", out)
    code, output = invoke(*options)
    assert code == 0, output
    assert "«ingest» è lasciata fuori" in output
    assert "Confronto" not in output
    assert (out / "report.html").exists()
    code, output = invoke("score", out)
    assert code == 0, output
    assert "Confronto" not in output, "the baseline is of other questions"
    code, output = invoke("score", out, "--against", out)
    assert "Nessuna domanda è cambiata." in output
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    code, output = invoke(*options)
    assert code == 2
    assert "contiene già una valutazione" in output
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    code, output = invoke(*options[:-1], tmp_path / "ingest", "--suite", "ingest")
    assert code == 2
    assert "documenti del progetto" in output, "asked by name it is an error, not a notice"


def test_what_cannot_be_done_is_said_before_anything_is_asked(
    own_corpus: tuple[Path, Path], tmp_path: Path
) -> None:
    data_dir, golden = own_corpus
    options = ("--golden", golden, "--data-dir", data_dir, "--out", tmp_path / "run")
    code, output = invoke(*options, "--suite", "conversation")
    assert code == 2
    assert "Nessuna domanda serve alle serie di misure chieste (conversation)" in output
    code, output = invoke(*options, "--against", tmp_path / "niente")
    assert code == 2
    assert not (tmp_path / "run").exists()
