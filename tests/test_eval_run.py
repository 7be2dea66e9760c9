"""Whole runs of hand-made systems: what always refuses and what always answers score as such."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assistant.errors import NotFoundError, UsageError
from assistant.models import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    Filters,
    Hit,
    Page,
    Passage,
    Quote,
    SearchResult,
    Span,
)
from assistant.settings import Settings
from eval.cases import load_cases
from eval.cli import app
from eval.report import markdown, poor_questions, terminal
from eval.run import describe, read_run, run
from eval.score import Scores, as_json, score
from eval.worlds import only

PAGES = {
    1: "Piano di prova. Tre schede in due pagine.",
    2: "La scheda 5 riguarda chi assiste un familiare. Vale 400 euro al mese.",
}
DOCUMENT = Document("abc", "Piano di prova", "piano", "corpus/piano.pdf", "application/pdf", 2)


class Library:
    """Two pages and a passage for each; search ranks them by words in common with the query."""

    def documents(self) -> list[Document]:
        return [DOCUMENT]

    def page(self, document_id: str, number: int) -> Page:
        if document_id != "abc" or number not in PAGES:
            raise NotFoundError("Pagina assente.")
        return Page("abc", number, PAGES[number])

    def search(self, query: str, *, k: int = 10, filters: Filters | None = None) -> SearchResult:
        words = set(query.lower().split())
        best = sorted(PAGES, key=lambda n: (-len(words & set(PAGES[n].lower().split())), n))
        hits = [
            Hit(
                rank,
                1 / rank,
                Passage(f"p{n}", "abc", n, PAGES[n], (), (Span(n, 0, len(PAGES[n])),)),
                DOCUMENT,
            )
            for rank, n in enumerate(best[:k], start=1)
        ]
        return SearchResult(query, tuple(hits), "g1")

    def ask(
        self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
    ) -> Answer:
        raise AssertionError("retrieval is measured without asking")


class AlwaysRefuses(Library):
    def ask(
        self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
    ) -> Answer:
        return answer(question)


class AlwaysAnswers(Library):
    """Quotes the first sentence of the best page, whatever is asked."""

    def ask(
        self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
    ) -> Answer:
        best = self.search(question).hits[0].passage
        end = best.text.index(".") + 1
        return answer(question, Quote("abc", best.page_start, 0, end, best.text[:end]))


class Liar(AlwaysAnswers):
    """Changes a digit in what it quotes."""

    def ask(
        self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
    ) -> Answer:
        honest = super().ask(question, filters=filters, history=history)
        [citation] = honest.citations
        [sentence] = honest.sentences
        changed = citation.quote.replace("5", "6")
        return replace(
            honest,
            citations=(replace(citation, quote=changed),),
            sentences=(replace(sentence, text=changed),),
        )


def answer(question: str, *quotes: Quote) -> Answer:
    return Answer(
        question=question,
        understood_as=question,
        status="answered" if quotes else "not_found",
        sentences=tuple(AnswerSentence(q.text, "verbatim", (n,)) for n, q in enumerate(quotes, 1)),
        citations=tuple(
            Citation(n, "abc", "Piano", "piano", None, 2017, "", q.page, "", q.start, q.end, q.text)
            for n, q in enumerate(quotes, 1)
        ),
        notices=(),
        hits=(),
        mode="extractive",
        model="",
        generation="g1",
    )


def golden_records() -> list[dict[str, Any]]:
    def record(name: str, question: str, **rest: Any) -> dict[str, Any]:
        return {
            "id": name,
            "question": question,
            "group": "operatore",
            "category": "prova",
            "answerable": "evidence" in rest,
            **rest,
        }

    caregiver = [[{"document": "piano.pdf", "page": 2, "quote": PAGES[2][:46]}]]
    money = [[{"document": "piano.pdf", "page": 2, "quote": "Vale 400 euro al mese."}]]
    return [
        record(
            "op-01",
            "chi assiste un familiare ha una scheda?",
            evidence=caregiver,
            nuggets=[{"forms": ["scheda 5"]}],
            forbidden=["scheda 6"],
        ),
        record(
            "op-02",
            "quanti euro al mese vale?",
            evidence=money,
            nuggets=[{"forms": ["400 euro"]}],
        ),
        record("no-01", "chi ha vinto la partita?", abstain_reason="out_of_scope"),
        record("no-02", "e la scheda 57?", abstain_reason="wrong_number", history=["le schede?"]),
    ]


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    path = tmp_path / "domande.jsonl"
    lines = [json.dumps(record, ensure_ascii=False) for record in golden_records()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def scored(system: Library, golden: Path, folder: Path) -> Scores:
    cases = load_cases(golden)
    run(only(system), cases, folder, describe(Settings(), golden))
    return score(read_run(folder))


def value(scores: Scores, name: str) -> float | None:
    return scores.metrics[name]["all"].value


def test_a_system_that_always_refuses_is_silent_and_useless(golden: Path, tmp_path: Path) -> None:
    scores = scored(AlwaysRefuses(), golden, tmp_path / "run")
    assert value(scores, "abstention_recall") == 1.0
    assert value(scores, "clean_silence") == 1.0
    assert value(scores, "false_refusals") == 1.0
    assert value(scores, "nugget_recall") == 0.0
    assert value(scores, "evidence_recall") == 0.0
    assert value(scores, "quote_integrity") is None, "it quoted nothing: there is no figure"


def test_a_system_that_always_answers_never_keeps_silent(golden: Path, tmp_path: Path) -> None:
    scores = scored(AlwaysAnswers(), golden, tmp_path / "run")
    assert value(scores, "abstention_recall") == 0.0
    assert value(scores, "false_refusals") == 0.0
    assert value(scores, "quote_integrity") == 1.0
    assert value(scores, "sentence_support") == 1.0
    assert value(scores, "nugget_recall") == 0.5, "the first sentence answers op-01, not op-02"
    assert value(scores, "evidence_recall") == 0.5
    assert value(scores, "forbidden_hits") == 0.0


def test_a_system_that_changes_a_digit_is_caught(golden: Path, tmp_path: Path) -> None:
    scores = scored(Liar(), golden, tmp_path / "run")
    assert value(scores, "quote_integrity") == 0.0
    assert value(scores, "forbidden_hits") == 1.0
    assert value(scores, "nugget_recall") == 0.0


def test_search_is_measured_by_page(golden: Path, tmp_path: Path) -> None:
    scores = scored(AlwaysRefuses(), golden, tmp_path / "run")
    assert value(scores, "recall_at_1") == 1.0
    assert value(scores, "mrr_at_10") == 1.0


def test_scoring_again_needs_only_the_folder_and_gives_the_same(
    golden: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    first = scored(AlwaysAnswers(), golden, folder)
    written = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(as_json(first)))
    assert score(read_run(folder)) == first
    assert set(score(read_run(folder), ["abstention"]).metrics) == {
        "abstention_recall",
        "false_refusals",
        "asks_back",
        "clean_silence",
        "refusal_change",
        "abstention_change",
    }


def test_a_page_changed_after_the_answer_lowers_integrity(golden: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    scored(AlwaysAnswers(), golden, folder)
    path = folder / "answers.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    first = json.loads(lines[0])
    first["seen"] = [["", "Un altro testo.", ""]]
    path.write_text("\n".join([json.dumps(first), *lines[1:], ""]), encoding="utf-8")
    assert value(score(read_run(folder)), "quote_integrity") == 0.75


def test_a_citation_of_a_page_that_does_not_exist_reads_back_empty(
    golden: Path, tmp_path: Path
) -> None:
    class CitesPageNine(AlwaysAnswers):
        def ask(
            self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
        ) -> Answer:
            return answer(question, Quote("abc", 9, 0, 5, "Piano"))

    assert value(scored(CitesPageNine(), golden, tmp_path / "run"), "quote_integrity") == 0.0


def test_the_config_tells_what_was_run_and_hides_the_key(golden: Path, tmp_path: Path) -> None:
    cases = load_cases(golden)
    config = describe(Settings(chat_api_key="segretissima"), golden)
    folder = run(only(AlwaysRefuses()), cases, tmp_path / "run", config)
    kept = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert kept["collections"][""] == {"documents": 1}
    assert kept["questions"] == 4
    assert "segretissima" not in (folder / "config.json").read_text(encoding="utf-8")
    assert "chat_model" in kept["settings"]


def test_a_run_is_never_overwritten(golden: Path, tmp_path: Path) -> None:
    scored(AlwaysRefuses(), golden, tmp_path / "run")
    with pytest.raises(UsageError, match="già una valutazione"):
        scored(AlwaysRefuses(), golden, tmp_path / "run")


def test_an_answer_that_breaks_when_repeated_is_another_answer(
    golden: Path, tmp_path: Path
) -> None:
    class Tired(AlwaysRefuses):
        def __init__(self) -> None:
            self.asked: Counter[str] = Counter()

        def ask(
            self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
        ) -> Answer:
            self.asked[question] += 1
            if question.startswith("quanti") and self.asked[question] > 1:
                raise KeyError(question)
            return answer(question)

    cases = load_cases(golden)
    folder = run(only(Tired()), cases, tmp_path / "run", describe(Settings(), golden), repeat=2)
    assert value(score(read_run(folder)), "determinism") == 0.75
    assert value(score(read_run(folder)), "no_crash") == 1.0


def test_a_cut_run_is_no_run(golden: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    scored(AlwaysRefuses(), golden, folder)
    path = folder / "answers.jsonl"
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    with pytest.raises(UsageError, match="completa"):
        read_run(folder)


def test_the_report_names_each_poor_question_with_its_fault(golden: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    scores = scored(AlwaysAnswers(), golden, folder)
    outcomes = read_run(folder).outcomes
    poor = poor_questions(outcomes)
    assert [line.split()[0] for line in poor] == ["op-02", "no-01", "no-02"]
    assert "incompleta" in poor[0]
    assert "doveva tacere" in poor[1]
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = markdown(scores, outcomes, config)
    assert "| nugget_recall | 50,0% |" in text
    assert "| abstention_recall | 0,0% |" in text
    for name in scores.metrics:
        assert f"- `{name}`:" in text, "each figure has its legend"
    assert "op-02" in text


def test_the_terminal_report_shows_every_suite(golden: Path, tmp_path: Path) -> None:
    from rich.console import Console

    folder = tmp_path / "run"
    scores = scored(AlwaysAnswers(), golden, folder)
    console = Console(width=120, record=True, file=StringIO())
    console.print(terminal(scores, read_run(folder).outcomes, str(folder)))
    text = console.export_text()
    for title in ("Ricerca", "Risposte", "Silenzio onesto", "Velocità", "Da guardare (3)"):
        assert title in text


def test_the_command_explains_a_wrong_line_and_exits_two(tmp_path: Path) -> None:
    path = tmp_path / "domande.jsonl"
    path.write_text('{"id": 1}\n', encoding="utf-8")
    done = CliRunner().invoke(app, ["--golden", str(path), "--data-dir", str(tmp_path / "d")])
    assert done.exit_code == 2
    assert f"{path}:1:" in done.output


def test_the_command_refuses_an_unknown_suite() -> None:
    done = CliRunner().invoke(app, ["--suite", "bellezza"])
    assert done.exit_code == 2
    assert "retrieval, answers, abstention" in done.output


def test_the_help_is_in_italian() -> None:
    done = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "160"})
    assert done.exit_code == 0
    for word in ("domande di riferimento", "--sample", "--out", "Codici di uscita"):
        assert word in done.output
