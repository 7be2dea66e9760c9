"""The committed baseline: each golden question's values in the run that later ones are held to.

{"commit", "golden_sha256", "metrics": [names], "cases": {id: [a value a metric, or null]}}, one
line a case, so that git shows which questions a new baseline changes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from assistant.errors import UsageError
from eval.compare import PLACES, Values

BASELINE = Path(__file__).parent / "baseline.json"
KEYS = ("commit", "golden_sha256", "metrics", "cases")
REMEDY = "Riprendi il file da git, oppure salvane una nuova."


@dataclass(frozen=True, slots=True)
class Baseline:
    commit: str
    golden_sha256: str
    """`eval.run.fingerprint` of the questions asked."""
    metrics: tuple[str, ...]
    cases: dict[str, dict[str, float]]
    """Question → metric → value, as `compare` takes them."""


def write_baseline(
    scores_by_case: Values,
    metrics: Sequence[str],
    path: Path = BASELINE,
    *,
    commit: str,
    golden_sha256: str,
) -> None:
    """Keep the values of `metrics`, in the order of the questions; leave times out, which vary."""
    rows = [
        f"  {_json(question)}: {_json([_kept(values.get(name)) for name in metrics])}"
        for question, values in scores_by_case.items()
    ]
    heads = [
        f' "commit": {_json(commit)}',
        f' "golden_sha256": {_json(golden_sha256)}',
        f' "metrics": {_json(list(metrics))}',
    ]
    cases = ",\n".join(rows)
    text = "{\n" + ",\n".join(heads) + ',\n "cases": {\n' + cases + "\n }\n}\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def read_baseline(path: Path = BASELINE) -> Baseline:
    """Raises UsageError when the file is not there or is no baseline, saying what is wrong."""
    try:
        found = json.loads(
            path.read_text(encoding="utf-8"),
            object_pairs_hook=_once,
            parse_constant=lambda name: _wrong(f"{name} non è un valore"),
        )
        return _checked(found)
    except FileNotFoundError as error:
        raise UsageError(
            f"La misura di riferimento non c'è: {path}.",
            remedy=REMEDY,
        ) from error
    except json.JSONDecodeError as error:
        raise UsageError(
            f"La misura di riferimento {path} non è JSON: errore alla riga {error.lineno}.",
            remedy=REMEDY,
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(
            f"La misura di riferimento {path} non si può leggere: {error}.",
            remedy=REMEDY,
        ) from error


def _checked(found: Any) -> Baseline:
    if not isinstance(found, dict) or set(found) != set(KEYS):
        _wrong(f"deve avere {', '.join(KEYS)} e nient'altro")
    commit, golden, metrics, cases = (found[key] for key in KEYS)
    if not isinstance(commit, str) or not isinstance(golden, str):
        _wrong("commit e golden_sha256 devono essere testi")
    if not isinstance(metrics, list) or not all(isinstance(name, str) for name in metrics):
        _wrong("metrics deve essere un elenco di nomi")
    if not metrics or len(set(metrics)) != len(metrics):
        _wrong("metrics è vuoto o ripete un nome")
    if not isinstance(cases, dict) or not cases:
        _wrong("cases deve elencare le domande")
    return Baseline(
        commit,
        golden,
        tuple(metrics),
        {question: _row(question, values, metrics) for question, values in cases.items()},
    )


def _row(question: str, values: Any, metrics: Sequence[str]) -> dict[str, float]:
    if not isinstance(values, list) or len(values) != len(metrics):
        _wrong(f"la domanda {question} deve avere {len(metrics)} valori, uno per misura")
    for value in values:
        # bool is an int to Python, and a mistake here; 1e999 is read as infinity.
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (number and math.isfinite(value)):
            _wrong(f"la domanda {question} ha {_json(value)}, che non è un numero")
    return {
        name: float(value) for name, value in zip(metrics, values, strict=True) if value is not None
    }


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A merge of two branches may leave a question twice; JSON would take the last in silence."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        _wrong(f"{next(name for name in names if names.count(name) > 1)} compare due volte")
    return found


def _kept(value: float | None) -> float | int | None:
    if value is None:
        return None
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be kept in a baseline")
    rounded = round(value, PLACES)
    return int(rounded) if rounded.is_integer() else rounded


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _wrong(problem: str) -> NoReturn:
    raise ValueError(problem)
