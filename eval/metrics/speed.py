"""How long answers take, in a process already started."""

from __future__ import annotations

from collections.abc import Sequence

from eval.metrics.registry import metric, originals
from eval.outcome import Outcome


@metric("speed", originals, summary="p50", better="lower", unit="ms")
def ask_p50(outcome: Outcome) -> Sequence[float]:
    """Tempo mediano di una risposta, a processo avviato."""
    return [outcome.ask_ms]


@metric("speed", originals, summary="p95", better="lower", unit="ms")
def ask_p95(outcome: Outcome) -> Sequence[float]:
    """Tempo entro cui arriva il 95% delle risposte, a processo avviato."""
    return [outcome.ask_ms]


@metric("speed", originals, summary="p50", better="lower", unit="ms")
def search_p50(outcome: Outcome) -> Sequence[float]:
    """Tempo mediano di una ricerca, a processo avviato."""
    return [outcome.search_ms]


@metric("speed", originals, summary="p95", better="lower", unit="ms")
def search_p95(outcome: Outcome) -> Sequence[float]:
    """Tempo entro cui arriva il 95% delle ricerche, a processo avviato."""
    return [outcome.search_ms]
