"""The suite `ingest`: how truly the bundled documents were read, metric by metric.

Kept in a run folder as reading.json, beside the answers: figures by format, and what went wrong.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from rich.table import Table

from assistant.errors import UsageError
from corpus import DOCUMENTS
from eval import fidelity_records  # noqa: F401 - registers its measures
from eval.fidelity import FIDELITY, Observation, Read, Reading
from eval.intervals import Measure, measure

FILE, TITLE = "reading.json", "Lettura dei documenti"
FAULTS_KEPT = 200
"""Of each metric, written in the run folder."""


@dataclass(frozen=True, slots=True)
class Fault:
    document: str
    about: str


@dataclass(frozen=True, slots=True)
class ReadingScore:
    """One metric: its measure over all documents and by format, and its faults."""

    name: str
    legend: str
    slices: dict[str, Measure]
    """`all`, then the formats that had something to observe."""
    faults: tuple[Fault, ...]


_SCORES = TypeAdapter(tuple[ReadingScore, ...])


def holds_bundled(reading: Reading) -> bool:
    """Whether the index holds any of the project's documents, the only ones known word by word."""
    names = {path.name for path in DOCUMENTS.iterdir()}
    return any(one.source.rsplit("/", 1)[-1] in names for one in reading.documents())


def score_reading(reading: Reading) -> tuple[ReadingScore, ...]:
    """Every metric over the bundled documents that the index holds.

    Raises:
        UsageError: the index holds none of them, or what builds them is not installed.
    """
    try:
        from corpus.truth import truths
    except ImportError as error:
        raise UsageError(
            "La serie «ingest» ricostruisce i documenti del progetto, e manca ciò che serve"
            f" ({error.name}).",
            remedy="Installa le dipendenze di sviluppo (`make setup`).",
        ) from error
    by_name = {document.source.rsplit("/", 1)[-1]: document for document in reading.documents()}
    pairs = [
        (truth, Read.of(reading, by_name[truth.filename]))
        for truth in truths()
        if truth.filename in by_name
    ]
    if not pairs:
        raise UsageError(
            "L'indice non contiene i documenti del progetto, i soli di cui si conosce il testo.",
            remedy="Togli --data-dir, oppure ingeriscili con `piano ingest`.",
        )
    scores = []
    for metric in FIDELITY.values():
        seen: dict[str, list[Observation]] = {}
        faults: list[Fault] = []
        for truth, read in pairs:
            found = list(metric.observe(truth, read))
            if found:
                seen.setdefault(truth.format, []).extend(found)
            faults += [Fault(truth.filename, one.about) for one in found if not one.right]
        every = [one for found in seen.values() for one in found]
        slices = {"all": every, **dict(sorted(seen.items()))}
        measured = {
            name: measure([float(one.right) for one in found], "mean")
            for name, found in slices.items()
        }
        scores.append(ReadingScore(metric.name, metric.legend, measured, tuple(faults)))
    return tuple(scores)


def write_scores(scores: Sequence[ReadingScore], folder: Path, file: str = FILE) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept = [
        {**asdict(one), "faults": [asdict(f) for f in one.faults[:FAULTS_KEPT]]} for one in scores
    ]
    text = json.dumps(kept, ensure_ascii=False, indent=1)
    (folder / file).write_text(text + "\n", encoding="utf-8")


def read_scores(folder: Path, file: str = FILE) -> tuple[ReadingScore, ...]:
    """Raises UsageError when the folder holds no such scores."""
    try:
        return _SCORES.validate_json((folder / file).read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(
            f"La cartella {folder} non contiene la valutazione della lettura.",
            remedy="Ripetila con «piano eval --suite ingest».",
        ) from error


def as_json(scores: Sequence[ReadingScore]) -> dict[str, Any]:
    return {one.name: {name: asdict(found) for name, found in one.slices.items()} for one in scores}


def terminal_table(scores: Sequence[ReadingScore], title: str = TITLE) -> Table:
    """A row a metric, a column a format or kind; what was not there to observe is a dash."""
    formats = sorted({name for one in scores for name in one.slices if name != "all"})
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("misura", no_wrap=True)
    for column in ("tutti", "intervallo 95%", "n"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in formats:
        table.add_column(column, justify="right")  # names of several words fold
    for row in rows(scores, formats):
        table.add_row(*row)
    return table


def markdown_lines(scores: Sequence[ReadingScore], title: str = TITLE) -> list[str]:
    formats = sorted({name for one in scores for name in one.slices if name != "all"})
    heads = ["misura", "tutti", "intervallo 95%", "n", *formats]
    table = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows(scores, formats)]
    return [
        f"## {title}",
        "",
        *("| " + " | ".join(row) + " |" for row in table),
        "",
        *(f"- `{one.name}`: {one.legend}" for one in scores),
        "",
    ]


def rows(scores: Sequence[ReadingScore], formats: Sequence[str]) -> list[list[str]]:
    nothing = Measure(None, None, None, 0)
    return [
        [
            one.name,
            _share(one.slices["all"].value),
            _interval(one.slices["all"]),
            str(one.slices["all"].n),
            *(_share(one.slices.get(name, nothing).value) for name in formats),
        ]
        for one in scores
    ]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.2f}%".replace(".", ",")


def _interval(found: Measure) -> str:
    return "-" if found.value is None else f"{_share(found.low)} - {_share(found.high)}"
