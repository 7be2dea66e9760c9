"""Gates: what a run must reach before it may be published, read from gates.toml.

`[[hard]]`: right in every single question, but for those listed as `known` to fail, which must
leave the list when they pass. `[[floor]]`: the whole 95% interval on the good side of `low` (or of
`high`, where less is better). `[[no_loss]]`: not significantly worse than the baseline. A gate with
nothing to measure fails, as a check that cannot fail protects from nothing; one with
`optional = true` passes then.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assistant.errors import UsageError
from eval.compare import Compared, Comparison, Values
from eval.intervals import ALPHA, Measure

GATES = Path(__file__).parent / "gates.toml"
SHOWN = 5
"""Question ids named in a sentence; a result keeps them all."""

Kind = Literal["hard", "floor", "no_loss"]
KEYS: dict[Kind, set[str]] = {
    "hard": {"metric", "part", "optional", "known"},
    "floor": {"metric", "part", "low", "high", "optional"},
    "no_loss": {"metric", "optional"},
}
NOTHING = "niente"
UNMEASURED = "non è stato misurato niente"


@dataclass(frozen=True, slots=True)
class Gate:
    kind: Kind
    metric: str
    part: str = "all"
    bound: float | None = None
    """Of a floor: `low`, or `high` where less is better."""
    optional: bool = False
    known: tuple[str, ...] = ()
    """Of a hard gate: questions known to fail it today. One that passes must leave the list."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """A gate and how it went, in Italian."""

    gate: str
    passed: bool
    found: str
    wanted: str
    why: str
    """What failed; of a gate that passed, empty unless there is something to know."""
    questions: tuple[str, ...] = ()
    """Ids of those that failed, the worst first."""


@dataclass(frozen=True, slots=True)
class Results:
    """A run's figures, as gates look at them."""

    metrics: Mapping[str, Compared]
    measures: Mapping[str, Mapping[str, Measure]]
    """Metric → part → measure."""
    cases: Values
    """Question → metric → value."""
    parts: Mapping[str, Collection[str]]
    """Part → ids of its questions."""
    comparisons: Sequence[Comparison] = ()
    """Of the `guarded` metrics with the baseline; empty when there is none."""


def read_gates(
    metrics: Mapping[str, Compared], parts: Collection[str], path: Path = GATES
) -> tuple[Gate, ...]:
    """The gates of a file, each checked against the metrics and parts that exist.

    Raises:
        UsageError: the file cannot be read, or one of its gates is wrong or could never fail.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"I criteri {path} non si possono leggere: {error}.",
            remedy="Indica un file TOML in UTF-8.",
        ) from error
    for kind, listed in found.items():
        if kind not in KEYS or not isinstance(listed, list):
            raise UsageError(
                f"{path}: «{kind}» non è un tipo di criterio.",
                remedy="Scrivi " + ", ".join(f"[[{name}]]" for name in KEYS) + ".",
            )
    gates = tuple(
        _gate(kind, entry, metrics, parts, path) for kind in KEYS for entry in found.get(kind, [])
    )
    if not gates:
        raise UsageError(f"{path} non contiene criteri.", remedy="Scrivine almeno uno.")
    return gates


def guarded(gates: Iterable[Gate], metrics: Mapping[str, Compared]) -> list[Compared]:
    """The metrics to compare with the baseline: those of `no_loss`, as more would blunt it."""
    names = dict.fromkeys(gate.metric for gate in gates if gate.kind == "no_loss")
    return [metrics[name] for name in names]


def check(gates: Iterable[Gate], results: Results, *, sampled: bool = False) -> list[GateResult]:
    """How each gate went.

    Of a sample (`sampled`) the interval is wide because the questions are few, and its worse end
    would fail any floor: then a floor fails only when even the better end misses it.
    """
    checked: list[GateResult] = []
    for gate in gates:
        match gate.kind:
            case "hard":
                checked.append(_hard(gate, results, sampled))
            case "floor":
                checked.append(_floor(gate, results, sampled))
            case "no_loss":
                checked.append(_no_loss(gate, results))
    return checked


def failed(results: Iterable[GateResult]) -> list[GateResult]:
    return [result for result in results if not result.passed]


def _hard(gate: Gate, results: Results, sampled: bool) -> GateResult:
    metric = results.metrics[gate.metric]
    right = _perfect(metric)
    name = f"{_where(gate)}: giusta in ogni domanda"
    wanted = f"{_figure(right, metric)} in ogni domanda"
    values = _values(gate, results)
    if not values:
        return _nothing(gate, name, wanted, UNMEASURED)
    wrong = _imperfect(metric, values)
    known = tuple(question for question in wrong if question in gate.known)
    new = tuple(question for question in wrong if question not in gate.known)
    mended = tuple(
        question
        for question in gate.known
        if question not in wrong and (question in values or not sampled)
    )
    found = f"{len(values) - len(wrong)} domande giuste su {len(values)}"
    why = []
    if new:
        number = f"{_questions(len(new))} su {len(values)} non ci arriva"
        why.append(f"{number}{_plural(new)}: {_first(new)}")
    if mended:
        why.append(
            f"sono fra i guasti noti ma non falliscono più, o non esistono: {_first(mended)}"
        )
    if known:
        why.append(f"guasti noti, da correggere: {len(known)} ({_first(known)})")
    return GateResult(name, not new and not mended, found, wanted, "; ".join(why), new + mended)


def _floor(gate: Gate, results: Results, sampled: bool) -> GateResult:
    metric = results.metrics[gate.metric]
    bound = math.nan if gate.bound is None else gate.bound  # which no value reaches
    higher = metric.better == "higher"
    side, sense = ("almeno", "sotto") if higher else ("al massimo", "sopra")
    name = f"{_where(gate)}: {side} {_figure(bound, metric)}"
    end = "l'estremo migliore dell'intervallo" if sampled else "tutto l'intervallo"
    wanted = f"{side} {_figure(bound, metric)} con {end} al 95%"
    measure = results.measures.get(gate.metric, {}).get(gate.part)
    if measure is None or measure.value is None or measure.low is None or measure.high is None:
        return _nothing(gate, name, wanted, UNMEASURED)
    found = (
        f"{_figure(measure.value, metric)}"
        f" (fra {_figure(measure.low, metric)} e {_figure(measure.high, metric)}, n {measure.n})"
    )
    judged = measure.low if higher != sampled else measure.high
    if judged >= bound if higher else judged <= bound:
        return GateResult(name, True, found, wanted, "")
    questions = _imperfect(metric, _values(gate, results))
    why = f"l'intervallo arriva a {_figure(judged, metric)}, {sense} {_figure(bound, metric)}"
    if measure.value >= bound if higher else measure.value <= bound:
        why += ", benché il valore basti: servono meno errori o più domande"
    if questions:
        why += f"; le peggiori: {_first(questions)}"
    return GateResult(name, False, found, wanted, why, questions)


def _no_loss(gate: Gate, results: Results) -> GateResult:
    metric = results.metrics[gate.metric]
    name = f"{gate.metric}: non peggiora rispetto alla misura di riferimento"
    wanted = f"nessuna perdita con p < {_decimal(ALPHA)}"
    family = [one for one in results.comparisons if one.n]
    one = next((one for one in family if one.metric == gate.metric), None)
    if one is None or one.mean_base is None or one.mean_new is None:
        return _nothing(
            gate, name, wanted, "nessuna domanda in comune con la misura di riferimento"
        )
    # Were every question worse, p would be 2/2^n, times the metrics compared.
    if len(family) * 2.0 ** (1 - one.clusters) >= ALPHA:
        few = f"{_questions(one.n)} in comune con la misura di riferimento: troppo poche per capire"
        return _nothing(gate, name, wanted, few)
    found = (
        f"da {_figure(one.mean_base, metric)} a {_figure(one.mean_new, metric)}"
        f" su {_questions(one.n)} (p {_p_value(one.p_holm)})"
    )
    if one.verdict != "worse":
        return GateResult(name, True, found, wanted, "")
    why = (
        f"{_questions(len(one.got_worse))} peggiora{_plural(one.got_worse)}"
        f" e {len(one.got_better)} migliora{_plural(one.got_better)}: {_first(one.got_worse)}"
    )
    return GateResult(name, False, found, wanted, why, one.got_worse)


def _nothing(gate: Gate, name: str, wanted: str, why: str) -> GateResult:
    tolerated = f"{why} (criterio facoltativo)" if gate.optional else why
    return GateResult(name, gate.optional, NOTHING, wanted, tolerated)


def _values(gate: Gate, results: Results) -> dict[str, float]:
    members = results.parts.get(gate.part, ())
    return {
        question: values[gate.metric]
        for question, values in results.cases.items()
        if question in members and gate.metric in values
    }


def _perfect(metric: Compared) -> float:
    return 1.0 if metric.better == "higher" else 0.0


def _imperfect(metric: Compared, values: Mapping[str, float]) -> tuple[str, ...]:
    right = _perfect(metric)
    wrong = (question for question, value in values.items() if value != right)
    return tuple(sorted(wrong, key=lambda question: -abs(values[question] - right)))


def _gate(
    kind: Kind,
    entry: Any,
    metrics: Mapping[str, Compared],
    parts: Collection[str],
    path: Path,
) -> Gate:
    def wrong(problem: str, remedy: str) -> UsageError:
        return UsageError(f"{path}, [[{kind}]]: {problem}.", remedy=remedy)

    if not isinstance(entry, dict):
        raise wrong(f"{entry!r} non è un criterio", "Scrivi una riga per chiave: metric = …")
    for key in entry:
        if key not in KEYS[kind]:
            raise wrong(f"«{key}» non è una chiave", f"Sono: {', '.join(sorted(KEYS[kind]))}.")
    name, part = entry.get("metric"), entry.get("part", "all")
    metric = metrics.get(name) if isinstance(name, str) else None
    if metric is None:
        raise wrong(f"la misura {name!r} non esiste", f"Sono: {', '.join(metrics)}.")
    if metric.unit == "ms":
        raise wrong(f"{name} è un tempo", "I tempi dipendono dalla macchina: togli il criterio.")
    if not isinstance(part, str) or part not in parts:
        raise wrong(f"{name}: la parte {part!r} non esiste", f"Sono: {', '.join(parts)}.")
    if metric.unit == "points" and kind != "no_loss":
        raise wrong(f"{name} è una differenza", "Usa [[no_loss]].")
    optional = entry.get("optional", False)
    if not isinstance(optional, bool):
        raise wrong(f"{name}: optional vale {optional!r}", "Scrivi true o false.")
    known = entry.get("known", [])
    if not isinstance(known, list) or not all(isinstance(one, str) for one in known):
        raise wrong(f"{name}: known vale {known!r}", "Scrivi un elenco di identificativi.")
    if kind != "floor":
        return Gate(kind, metric.name, part, optional=optional, known=tuple(known))
    side = "low" if metric.better == "higher" else "high"
    if set(entry) & {"low", "high"} != {side}:
        raise wrong(f"{name} vuole «{side}», e solo quello", f"Scrivi {side} = …")
    bound = entry[side]
    if isinstance(bound, bool) or not isinstance(bound, int | float) or not math.isfinite(bound):
        raise wrong(f"{name}: {side} vale {bound!r}", "Scrivi un numero.")
    # At 0 and 1 an interval of a share always passes, or never does.
    if metric.unit == "share" and not 0 < bound < 1:
        raise wrong(f"{name}: {side} vale {bound!r}", "Scrivi una quota fra 0 e 1, esclusi.")
    if bound < 0:
        raise wrong(f"{name}: {side} vale {bound!r}", "Scrivi un numero non negativo.")
    return Gate(kind, metric.name, part, float(bound), optional)


def _first(questions: Sequence[str]) -> str:
    more = len(questions) - SHOWN
    tail = "" if more <= 0 else " e un'altra" if more == 1 else f" e altre {more}"
    return ", ".join(questions[:SHOWN]) + tail


def _questions(n: int) -> str:
    return "1 domanda" if n == 1 else f"{n} domande"


def _plural(questions: Sequence[str]) -> str:
    """Ending of a third person in -are, and of «arriva»: one «peggiora», two «peggiorano»."""
    return "" if len(questions) == 1 else "no"


def _where(gate: Gate) -> str:
    return gate.metric if gate.part == "all" else f"{gate.metric} su {gate.part}"


def _figure(value: float, metric: Compared) -> str:
    """Two decimals, or "85,0% is below 85,0%" would be said of 84.97%."""
    if metric.unit == "share":
        return f"{_decimal(value * 100)}%"
    return _decimal(value)


def _p_value(p: float) -> str:
    return "< 0,001" if p < 0.001 else f"{p:.3f}".replace(".", ",")


def _decimal(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace(".", ",")
