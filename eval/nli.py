"""Citation recall and precision judged by a model of entailment, as in ALCE (Gao et al. 2023).

Optional, never a gate: a model judges here, and models agree with people only so far. Their
agreement on the run's hand labels (eval/label.py) is shown beside, when there are labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from assistant.errors import UsageError
from eval.intervals import Measure, measure
from eval.label import Agreement, Label, kappa
from eval.outcome import Outcome
from eval.run import Run

Entails = Callable[[str, str], bool]
"""Premise, hypothesis → whether the first entails the second."""


class SentenceVerdict(NamedTuple):
    """`recall`: the cited quotes together entail the sentence. `precision`, a citation each:
    it entails the sentence alone, or the others without it do not."""

    recall: bool
    precision: tuple[bool, ...]


class NliScore(NamedTuple):
    citation_recall: Measure
    citation_precision: Measure
    agreement: Agreement | None
    """Of `recall` with what people said of the same sentences."""


def load_entails(model: str) -> Entails:
    """A classifier of sentence-transformers (a folder or a hub name) with an entailment label.

    Raises:
        UsageError: the model cannot be loaded, or has no such label.
    """
    try:
        from sentence_transformers import CrossEncoder

        encoder = CrossEncoder(model)
        labels = encoder.config.id2label
    except (ImportError, OSError, ValueError) as error:
        raise UsageError(
            f"Il modello {model!r} non si può caricare: {error}.",
            remedy="Indica la cartella di un modello per l'inferenza (NLI) già scaricato.",
        ) from error
    wanted = [number for number, name in labels.items() if name.lower().startswith("entail")]
    if len(wanted) != 1:
        raise UsageError(
            f"Il modello {model!r} non ha un'etichetta «entailment»: {', '.join(labels.values())}.",
            remedy="Indica un modello per l'inferenza in linguaggio naturale (NLI).",
        )

    def entails(premise: str, hypothesis: str) -> bool:
        [scores] = encoder.predict([(premise, hypothesis)], show_progress_bar=False)
        return int(scores.argmax()) == int(wanted[0])

    return entails


def judge_sentence(outcome: Outcome, place: int, entails: Entails) -> SentenceVerdict:
    """ALCE's two judgements on one sentence of an answer."""
    sentence = outcome.answer.sentences[place]
    quotes = {citation.n: citation.quote for citation in outcome.answer.citations}
    cited = [quotes[n] for n in sentence.citations if n in quotes]
    whole = bool(cited) and entails("\n".join(cited), sentence.text)
    precision = []
    for number, quote in enumerate(cited):
        others = cited[:number] + cited[number + 1 :]
        alone = whole and entails(quote, sentence.text)
        needed = alone or not others or not entails("\n".join(others), sentence.text)
        precision.append(whole and needed)
    return SentenceVerdict(whole, tuple(precision))


def score_nli(run: Run, labels: Sequence[Label], entails: Entails) -> NliScore:
    """Both figures over the originals' answers, and the agreement with people."""
    recall: list[float] = []
    precision: list[float] = []
    of_recall: list[str] = []
    of_precision: list[str] = []
    said = {(label.id, label.sentence): label.proves for label in labels}
    pairs: list[tuple[bool, bool]] = []
    for outcome in run.outcomes:
        case = outcome.gold.case
        if case.variant_of:
            continue
        for place in range(len(outcome.answer.sentences)):
            verdict = judge_sentence(outcome, place, entails)
            recall.append(float(verdict.recall))
            of_recall.append(case.id)
            precision += [float(one) for one in verdict.precision]
            of_precision += [case.id] * len(verdict.precision)
            if (case.id, place) in said:
                pairs.append((verdict.recall, said[case.id, place]))
    agreement = None
    if pairs:
        share = sum(one == other for one, other in pairs) / len(pairs)
        agreement = Agreement("citation_recall (NLI)", len(pairs), share, kappa(pairs))
    return NliScore(
        measure(recall, "mean", clusters=of_recall),
        measure(precision, "mean", clusters=of_precision),
        agreement,
    )
