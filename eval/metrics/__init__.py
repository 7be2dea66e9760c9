"""What is measured, suite by suite; importing the package registers every metric."""

from eval.metrics import attacks, dialogue, grounding, retrieval, silence, speed
from eval.metrics.registry import METRICS, Metric, Suite, metric, value

__all__ = [
    "METRICS",
    "Metric",
    "Suite",
    "attacks",
    "dialogue",
    "grounding",
    "metric",
    "retrieval",
    "silence",
    "speed",
    "value",
]
