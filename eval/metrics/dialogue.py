"""Are questions understood that lean on those before them, and only on those?"""

from __future__ import annotations

from collections.abc import Sequence

from eval.metrics.grounding import is_right
from eval.metrics.registry import answerable, metric, unanswerable
from eval.metrics.retrieval import found_share, ranking
from eval.outcome import Outcome

OTHER_TOPIC = "altro_argomento"
"""The change of a variant that only has an unrelated question before it."""


def _follow_up(outcome: Outcome) -> bool:
    return answerable(outcome) and bool(outcome.gold.case.history)


@metric("conversation", _follow_up)
def follow_up_recall_at_5(outcome: Outcome) -> Sequence[float]:
    """Domande che ne seguono altre («e a Lungacqua?»): quota delle pagine che rispondono fra le
    prime 5, cercando la domanda come l'assistente l'ha capita."""
    return [ranking(outcome, "R@5")]


@metric("conversation", _follow_up)
def follow_up_evidence_at_5(outcome: Outcome) -> Sequence[float]:
    """Le stesse, per i brani: prove attese nei primi 5 trovati."""
    return [found_share(outcome, 5)]


@metric("conversation", _follow_up)
def follow_up_correctness(outcome: Outcome) -> Sequence[float]:
    """Le stesse: risposte giuste e provate insieme (grounded_correctness)."""
    return [float(is_right(outcome))]


@metric("conversation", _follow_up)
def follow_up_understood(outcome: Outcome) -> Sequence[float]:
    """Le stesse: domande che l'assistente ha completato con ciò che veniva prima, e lo mostra."""
    understood, asked = outcome.answer.understood_as.strip(), outcome.gold.case.question.strip()
    return [float(bool(understood) and understood.casefold() != asked.casefold())]


@metric("conversation", lambda o: unanswerable(o) and bool(o.gold.case.history))
def follow_up_silence(outcome: Outcome) -> Sequence[float]:
    """Domande che ne seguono altre e non hanno risposta nei documenti: silenzi tenuti."""
    return [float(outcome.kept_silence)]


@metric("conversation", lambda o: o.gold.case.change == OTHER_TOPIC)
def topic_change_kept(outcome: Outcome) -> Sequence[float]:
    """Domande complete poste dopo una domanda di tutt'altro argomento: risposta con le stesse
    citazioni che da sole."""
    if outcome.original is None:
        return []
    same = _cited(outcome) == _cited(outcome.original)
    return [float(same and not outcome.answer_crashed)]


def _cited(outcome: Outcome) -> list[tuple[str, int, int, int]]:
    return [(c.document_id, c.page, c.start, c.end) for c in outcome.answer.citations]
