"""ALCE's figures by hand, and a real (untrained) model through the whole command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.models import Answer, AnswerSentence, Citation
from assistant.settings import Settings
from eval.cases import load_cases
from eval.cli import app
from eval.label import Label
from eval.nli import judge_sentence, score_nli
from eval.outcome import Outcome, Seen
from eval.plan import plan
from eval.run import Run, describe, read_run, run
from eval.worlds import worlds_over


def holds(premise: str, hypothesis: str) -> bool:
    """Entailment that can be worked out by hand: every word of the hypothesis is in the premise."""
    return set(hypothesis.split()) <= set(premise.split())


def citing(*quotes: str, text: str) -> Answer:
    citations = tuple(
        Citation(n, "d", "D", "piano", None, None, "", 1, "", 0, len(quote), quote)
        for n, quote in enumerate(quotes, 1)
    )
    sentence = AnswerSentence(text, "supported", tuple(range(1, len(quotes) + 1)))
    return Answer("q", "q", "answered", (sentence,), citations, (), (), "generative", "m", "g")


@pytest.mark.parametrize(
    ("quotes", "recall", "precision"),
    [
        (("a b c",), True, (True,)),
        (("a b",), False, (False,)),
        (("a b", "c d"), True, (True, True)),  # each is needed
        (("a b c", "x y"), True, (True, False)),  # the second proves nothing and is not needed
        (("a b c", "a b c d"), True, (True, True)),  # each suffices alone
        ((), False, ()),
    ],
)
def test_alce_on_one_sentence(
    finished: Run, quotes: Sequence[str], recall: bool, precision: tuple[bool, ...]
) -> None:
    given = citing(*quotes, text="a b c")
    one = replace(finished.outcomes[0], answer=given, seen=(Seen("", "", ""),) * len(quotes))
    assert judge_sentence(one, 0, holds) == (recall, precision)


@pytest.fixture(scope="module")
def finished(bundled_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    settings = Settings(data_dir=bundled_data_dir)
    folder = tmp_path_factory.mktemp("nli") / "run"
    cases = [case for case in plan(load_cases(), ("answers",), 12) if case.variant_of is None]
    worlds = worlds_over(settings, bundled_data_dir)
    return read_run(run(worlds, cases, folder, describe(settings, Path("golden"))))


def test_verbatim_answers_are_proven_and_agreement_is_counted(finished: Run) -> None:
    def same(premise: str, hypothesis: str) -> bool:
        return " ".join(hypothesis.split()) in " ".join(premise.split())

    answered: list[Outcome] = [one for one in finished.outcomes if one.answer.sentences]
    assert answered
    labels = [Label(one.gold.case.id, 0, True, True, "", "") for one in answered[:2]]
    found = score_nli(finished, [*labels, replace(labels[0], sentence=99)], same)
    assert found.citation_recall.value == 1.0
    assert found.citation_recall.n == sum(len(one.answer.sentences) for one in answered)
    assert found.agreement is not None
    assert (found.agreement.n, found.agreement.share) == (2, 1.0)
    none = score_nli(finished, [], lambda premise, hypothesis: False)
    assert none.citation_recall.value == 0.0
    assert none.agreement is None


@pytest.mark.slow
def test_a_real_model_goes_through_the_command(finished: Run, tmp_path: Path) -> None:
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    def save(name: str, labels: dict[int, str]) -> Path:
        made = tmp_path / name
        made.mkdir()
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghilmnopqrstuvz"]
        (made / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
        BertTokenizerFast(vocab_file=str(made / "vocab.txt")).save_pretrained(made)
        config = BertConfig(
            vocab_size=len(words),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            num_labels=len(labels),
            id2label=labels,
            label2id={word: number for number, word in labels.items()},
        )
        BertForSequenceClassification(config).save_pretrained(made)
        return made

    model = save("nli", {0: "contradiction", 1: "entailment", 2: "neutral"})
    done = CliRunner().invoke(app, ["nli", str(finished.folder), "--model", str(model)])
    assert done.exit_code == 0, done.output
    assert "citation_recall:" in done.output
    kept = json.loads((finished.folder / "nli.json").read_text(encoding="utf-8"))
    assert kept["model"] == str(model)
    assert 0 <= kept["citation_recall"]["value"] <= 1
    other = save("other", {0: "bello", 1: "brutto"})
    done = CliRunner().invoke(app, ["nli", str(finished.folder), "--model", str(other)])
    assert done.exit_code == 2
    assert "entailment" in done.output
    missing = tmp_path / "niente"
    done = CliRunner().invoke(app, ["nli", str(finished.folder), "--model", str(missing)])
    assert done.exit_code == 2
