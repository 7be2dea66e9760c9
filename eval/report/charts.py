"""What the plots show: the questions' scores, when to keep silent, how long answers take."""

from __future__ import annotations

import math
from collections.abc import Sequence

from eval.intervals import summarise
from eval.metrics import value
from eval.outcome import Outcome
from eval.report.plots import Chart, Series, bin_of, bins

SCORE_BINS = 10
HIT_BINS = 8
TIME_BINS = 12


def charts(outcomes: Sequence[Outcome]) -> list[Chart]:
    return [*_scores(outcomes), *_silence(outcomes), *_times(outcomes)]


def _scores(outcomes: Sequence[Outcome]) -> list[Chart]:
    told = [found for one in outcomes if (found := value("nugget_recall", one)) is not None]
    right = [found for one in outcomes if (found := value("grounded_correctness", one)) is not None]
    if not told:
        return []
    labels = tuple(f"{10 * n}-{10 * n + 10}%" for n in range(SCORE_BINS))
    return [
        Chart(
            "punteggi",
            "Punteggi delle domande",
            f"Domande con risposta ({len(told)}) per quota di informazioni indispensabili dette"
            " (nugget_recall) e per risposta giusta e provata (grounded_correctness, che vale 0 o"
            " 100%). L'ultima colonna comprende il 100%.",
            "punteggio",
            labels,
            (
                Series("nugget_recall", _counts(told, 0, 1, SCORE_BINS)),
                Series("grounded_correctness", _counts(right, 0, 1, SCORE_BINS)),
            ),
            drawn=2,
        )
    ]


def _silence(outcomes: Sequence[Outcome]) -> list[Chart]:
    """By the score of the best passage found: who was answered, and how well."""
    asked = [one for one in outcomes if one.is_original and one.answer.hits]
    if not asked:
        return []
    points = [one.answer.hits[0].score for one in asked]
    low, high = min(points), max(points)
    placed: list[list[Outcome]] = [[] for _ in range(HIT_BINS)]
    for one, score in zip(asked, points, strict=True):
        placed[bin_of(score, low, high, HIT_BINS)].append(one)
    wide = (high - low) / HIT_BINS
    labels = tuple(f"{low + wide * n:.2f}".replace(".", ",") + "+" for n in range(HIT_BINS))
    answered = [[one for one in members if not one.abstained] for members in placed]
    right = [[one for one in members if value("crag_score", one) == 1.0] for members in answered]
    with_answer = [sum(one.gold.case.answerable for one in members) for members in placed]
    return [
        Chart(
            "somiglianza",
            "Punteggio del miglior brano: domande con e senza risposta",
            "Più le due distribuzioni sono separate, più il punteggio del primo brano trovato basta"
            " a decidere se tacere.",
            "punteggio del primo brano (da)",
            labels,
            (
                Series("con risposta nei documenti", tuple(map(float, with_answer))),
                Series(
                    "senza risposta",
                    tuple(
                        float(len(members) - n)
                        for members, n in zip(placed, with_answer, strict=True)
                    ),
                ),
            ),
            drawn=2,
        ),
        Chart(
            "silenzio",
            "Quando risponde, e quanto spesso è giusto",
            "Quota di domande a cui l'assistente risponde e, fra queste, quota di risposte giuste e"
            " provate: una risposta data dove si doveva tacere è sbagliata.",
            "punteggio del primo brano (da)",
            labels,
            (
                Series("ha risposto", _shares(answered, placed), share=True),
                Series("giuste fra le risposte", _shares(right, answered), share=True),
                Series("domande", tuple(float(len(members)) for members in placed)),
            ),
            drawn=2,
        ),
    ]


def _times(outcomes: Sequence[Outcome]) -> list[Chart]:
    times = [one.ask_ms for one in outcomes if one.is_original]
    if not times:
        return []
    p50, p95 = summarise(times, "p50"), summarise(times, "p95")
    width = _round_up(max(p95 * 1.2, 1.0) / TIME_BINS)
    high = width * TIME_BINS
    labels = [_number(width * n) for n in range(TIME_BINS)]
    labels[-1] += " e oltre"
    return [
        Chart(
            "tempi",
            "Tempo delle risposte",
            f"Domande per tempo di risposta. La metà arriva entro {_number(p50)} ms (p50), il 95%"
            f" entro {_number(p95)} ms (p95); la più lenta in {_number(max(times))} ms.",
            "millisecondi (da)",
            tuple(labels),
            (Series("domande", _counts(times, 0, high, TIME_BINS)),),
            marks=(
                (p50 / width, f"p50 {_number(p50)} ms"),
                (min(p95 / width, TIME_BINS), f"p95 {_number(p95)} ms"),
            ),
        )
    ]


def _counts(values: Sequence[float], low: float, high: float, count: int) -> tuple[float, ...]:
    return tuple(map(float, bins(values, low, high, count)))


def _shares(
    parts: Sequence[Sequence[Outcome]], wholes: Sequence[Sequence[Outcome]]
) -> tuple[float | None, ...]:
    return tuple(
        len(part) / len(whole) if whole else None for part, whole in zip(parts, wholes, strict=True)
    )


def _round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value))


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == 0 else f"{value:.1f}".replace(".", ",")
