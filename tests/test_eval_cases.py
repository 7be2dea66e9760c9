"""Golden questions are refused when they are wrong, naming file and line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import NotFoundError, UsageError
from assistant.models import Answer, Document, Filters, Page, SearchResult
from eval.cases import load_cases, locate, says
from eval.plan import sample

PAGE_TWO = "Il Piano è stato approvato il 12 luglio 2017.\nVale tre anni. Vale tre anni."


class TwoPages:
    """An index of one two-page plan; it answers nothing."""

    def documents(self) -> list[Document]:
        return [Document("abc", "Piano", "piano", "corpus/piano.pdf", "application/pdf", 2)]

    def page(self, document_id: str, number: int) -> Page:
        if (document_id, number) not in {("abc", 1), ("abc", 2)}:
            raise NotFoundError(f"Pagina {number} assente.")
        return Page("abc", number, PAGE_TWO if number == 2 else "Copertina")

    def ask(
        self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
    ) -> Answer:
        raise AssertionError("loading golden questions asks nothing")

    def search(self, query: str, *, k: int = 10, filters: Filters | None = None) -> SearchResult:
        raise AssertionError("loading golden questions searches nothing")


def line(**changed: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": "op-01",
        "question": "quando è stato approvato il piano?",
        "group": "operatore",
        "category": "quando",
        "answerable": True,
        "split": "dev",
        "evidence": [
            [{"document": "piano.pdf", "page": 2, "quote": "approvato il 12 luglio 2017"}]
        ],
        "nuggets": [{"forms": ["12 luglio 2017"], "vital": True}],
    }
    made.update(changed)
    return {key: value for key, value in made.items() if value is not None}


def without_answer(**changed: Any) -> dict[str, Any]:
    return line(
        **{
            "id": "no-01",
            "answerable": False,
            "evidence": None,
            "nuggets": None,
            "abstain_reason": "wrong_year",
            "split": "dev",
            **changed,
        }
    )


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    return tmp_path / "domande.jsonl"


def write(path: Path, *records: dict[str, Any] | str) -> Path:
    lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_quote_is_located_on_its_page(golden: Path) -> None:
    cases = load_cases(write(golden, line()))
    [gold] = locate(cases, TwoPages())
    [[quote]] = gold.evidence
    assert quote.text == PAGE_TWO[quote.start : quote.end] == "approvato il 12 luglio 2017"
    assert (quote.document_id, quote.page) == ("abc", 2)


def test_line_numbers_count_empty_lines(golden: Path) -> None:
    cases = load_cases(write(golden, "", line(), "", without_answer()))
    assert [case.line for case in cases] == [2, 4]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ("{", "json"),
        ("[]", "riga"),
        (line(group="sindaco"), "group"),
        (line(extra=1), "extra"),
        (line(question="  "), "vuota"),
        (line(id="  "), "vuoto"),
        (line(evidence=None), "prove"),
        (line(evidence=[[]]), "vuoto"),
        (line(nuggets=None), "vitali"),
        (line(nuggets=[{"forms": []}]), "forme"),
        (line(nuggets=[{"forms": ["13 luglio"]}]), "13 luglio"),
        (line(forbidden=[""]), "vietata"),
        (line(abstain_reason="absent_fact"), "abstain_reason"),
        (line(split="test"), "split"),
        (line(filters={"colore": "rosso"}), "colore"),
        (without_answer(abstain_reason=None), "abstain_reason"),
        (without_answer(evidence=line()["evidence"]), "nessuna prova"),
        (without_answer(correction=line()["evidence"]), "vanno insieme"),
        (line(change="refusi"), "variant_of"),
        (line(variant_of="op-00"), "prende il resto"),
        (without_answer(abstain_reason="boh"), "abstain_reason"),
    ],
)
def test_a_wrong_line_is_named_with_its_problem(
    golden: Path, wrong: dict[str, Any] | str, word: str
) -> None:
    good = line(id="op-00")
    with pytest.raises(UsageError) as caught:
        load_cases(write(golden, good, wrong))
    assert f"{golden}:2:" in str(caught.value)
    assert word.lower() in str(caught.value).lower()
    assert caught.value.exit_code == 2


def test_the_same_id_twice_is_refused(golden: Path) -> None:
    with pytest.raises(UsageError, match=r"già in .*:1"):
        load_cases(write(golden, line(), line()))


def test_a_missing_binary_or_empty_file_is_refused(golden: Path) -> None:
    with pytest.raises(UsageError, match="non si può leggere"):
        load_cases(golden)
    golden.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="non si può leggere"):
        load_cases(golden)
    with pytest.raises(UsageError, match="Nessuna domanda"):
        load_cases(write(golden, ""))


@pytest.mark.parametrize(
    ("document", "page", "quote", "word"),
    [
        ("altro.pdf", 2, "approvato il 12 luglio 2017", "non è nell'indice"),
        ("piano.pdf", 1, "approvato il 12 luglio 2017", "sta 0 volte"),
        ("piano.pdf", 9, "approvato il 12 luglio 2017", "non ha la pagina 9"),
        ("piano.pdf", 2, "Approvato il 12 luglio 2017", "sta 0 volte"),
    ],
)
def test_a_quote_that_does_not_stand_where_it_says_is_named(
    golden: Path, document: str, page: int, quote: str, word: str
) -> None:
    evidence = [[{"document": document, "page": page, "quote": quote}]]
    record = line(evidence=evidence)
    record["split"] = "dev" if document == "piano.pdf" else _other_split(record, golden)
    cases = load_cases(write(golden, record))
    with pytest.raises(UsageError, match=word) as caught:
        locate(cases, TwoPages())
    assert f"{golden}:1:" in str(caught.value)


def test_a_quote_standing_twice_is_ambiguous(golden: Path) -> None:
    evidence = [[{"document": "piano.pdf", "page": 2, "quote": "Vale tre anni."}]]
    cases = load_cases(write(golden, line(evidence=evidence, nuggets=[{"forms": ["tre"]}])))
    with pytest.raises(UsageError, match="sta 2 volte"):
        locate(cases, TwoPages())


def test_a_sample_is_the_same_each_time_and_keeps_the_order(golden: Path) -> None:
    cases = load_cases(write(golden, *(line(id=f"op-{n:02d}") for n in range(20))))
    chosen = sample(cases, 5)
    assert len(chosen) == 5
    assert chosen == sample(cases, 5)
    assert [case.line for case in chosen] == sorted(case.line for case in chosen)
    assert sample(cases, 99) == cases


def test_forms_are_compared_without_case_apostrophes_or_odd_spaces() -> None:
    assert says("Legge regionale\u00a014/2015", "legge regionale 14/2015")
    assert says("l\u2019Assemblea\nlegislativa", "L'assemblea legislativa")
    assert not says("DGR 1720/2018", "172")


def _other_split(record: dict[str, Any], golden: Path) -> str:
    """The split that the loader wants for this record."""
    try:
        load_cases(write(golden, {**record, "split": "dev"}))
    except UsageError:
        return "test"
    return "dev"
