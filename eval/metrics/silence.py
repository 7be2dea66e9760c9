"""Is silence kept where it is due, and only there?"""

from __future__ import annotations

from collections.abc import Sequence

from eval.metrics.grounding import corrects
from eval.metrics.registry import answerable, everything, metric, unanswerable
from eval.outcome import Outcome


@metric("abstention", unanswerable)
def abstention_recall(outcome: Outcome) -> Sequence[float]:
    """Domande senza risposta nei documenti a cui l'assistente non risponde, o che corregge con la
    prova attesa. Un guasto non è un silenzio."""
    return [float(outcome.kept_silence or corrects(outcome))]


@metric("abstention", answerable, better="lower")
def false_refusals(outcome: Outcome) -> Sequence[float]:
    """Domande con risposta nei documenti che l'assistente rifiuta."""
    return [float(outcome.abstained)]


def _unclear(outcome: Outcome) -> bool:
    return unanswerable(outcome) and outcome.gold.case.abstain_reason == "unclear"


@metric("abstention", _unclear)
def asks_back(outcome: Outcome) -> Sequence[float]:
    """Domande ambigue o incomplete a cui l'assistente chiede che cosa si intende."""
    return [float(outcome.answer.status == "clarify")]


@metric("abstention", everything)
def clean_silence(outcome: Outcome) -> Sequence[float]:
    """Rifiuti che non contengono frasi né citazioni presentate come risposta."""
    if not outcome.kept_silence:
        return []
    return [float(not outcome.answer.sentences and not outcome.answer.citations)]


def _varied(outcome: Outcome) -> bool:
    return outcome.original is not None


@metric("abstention", _varied, summary="change", unit="points", better="lower")
def refusal_change(outcome: Outcome) -> Sequence[float]:
    """Differenza dei rifiuti fra una variante di una domanda con risposta e la sua originale, a
    coppie: sopra zero la forma della domanda fa tacere a torto."""
    assert outcome.original is not None
    if not outcome.gold.case.answerable:
        return []
    return [float(outcome.abstained) - float(outcome.original.abstained)]


@metric("abstention", _varied, summary="change", unit="points")
def abstention_change(outcome: Outcome) -> Sequence[float]:
    """Differenza dei silenzi dovuti fra una variante di una domanda senza risposta e la sua
    originale, a coppie: sotto zero basta un'altra forma per farlo parlare."""
    assert outcome.original is not None
    if outcome.gold.case.answerable:
        return []
    return [float(outcome.kept_silence) - float(outcome.original.kept_silence)]
