"""The search on SQuAD-it (Croce, Zelenanska and Basili 2018): questions on other subjects.

Paragraphs are documents in an index of their own; the whole paragraph is what is sought. The
re-ranker is cross-validated: a question is ranked by a model that never saw its article. The other
articles' questions and the training questions on plans teach it, by the program's own recipe.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from assistant.errors import UsageError
from assistant.models import Filters
from assistant.retrieval.train import (
    Example,
    Place,
    Recipe,
    examples,
    ingested,
    located_squad,
    train,
    write_squad,
)
from assistant.retrieval.trees import Trees
from eval.ablation import STEPS, WHOLE, Ranked, score_step
from eval.outcome import RankedPage
from eval.progress import Progress, silent
from eval.system import Engine

SQUAD = Path("../shared/data/squad-it-dev.json")
"""Beside the project, when it is there: no part of it."""
FILE = "squad.jsonl"
PART = "SQuAD-it"
FOLDS = 6
DEEP = 20
"""Passages asked for: a long paragraph has more than one, and ten paragraphs are scored."""


class _Question(NamedTuple):
    id: str
    article: str
    text: str
    places: Sequence[Place]


def rank_squad(
    path: Path,
    plans: Sequence[Example] = (),
    recipe: Recipe | None = None,
    *,
    folds: int = FOLDS,
    progress: Progress = silent,
) -> list[Ranked]:
    """Every question under every step; `plans` are examples that teach in every fold.

    Raises:
        UsageError: the file is no SQuAD file, or has fewer than two articles.
        AssistantError: the paragraphs could not be ingested.
    """
    recipe = recipe or Recipe()
    with tempfile.TemporaryDirectory(prefix="piano-squad-") as folder:
        written = _write(path, Path(folder))
        with ingested(Path(folder)) as (backend, embedder):
            engine = Engine(backend, embedder)
            questions = [
                _Question(f"squad-{number:04}", *one)
                for number, one in enumerate(located_squad(backend, written))
            ]
            models = _models(engine, questions, plans, recipe, folds, progress)
            with progress("Ricerca su SQuAD-it", len(questions)) as tick:
                ranked = []
                for question in questions:
                    ranked.append(_rank(engine, question, models[question.article]))
                    tick()
    return ranked


def _write(path: Path, folder: Path) -> list[tuple[str, str, str]]:
    try:
        written = write_squad(path, folder)
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise UsageError(
            f"Il file {path} non è una raccolta nel formato di SQuAD.",
            remedy="Indica con --squad il file JSON di SQuAD-it.",
        ) from error
    if len({article for article, _, _ in written}) < 2:
        raise UsageError(
            f"Il file {path} ha domande su meno di due articoli.",
            remedy="La convalida incrociata vuole articoli diversi per imparare e per misurare.",
        )
    return written


def folds_of(articles: Sequence[str], folds: int) -> dict[str, int]:
    """Article → its fold, in turn; never more folds than articles."""
    distinct = sorted(set(articles))
    return {article: place % min(folds, len(distinct)) for place, article in enumerate(distinct)}


def _models(
    engine: Engine,
    questions: Sequence[_Question],
    plans: Sequence[Example],
    recipe: Recipe,
    folds: int,
    progress: Progress,
) -> Mapping[str, Trees]:
    """Article → a model that was not taught by it."""
    with progress("Esempi di SQuAD-it", len(questions)) as tick:

        def told() -> Iterator[tuple[str, str, Sequence[Place]]]:
            for question in questions:
                yield question.article, question.text, question.places
                tick()

        taught = list(examples(*engine, told(), recipe.squad_weight))
    fold = folds_of([question.article for question in questions], folds)
    models: dict[str, Trees] = {}
    by_fold = sorted(fold, key=lambda article: fold[article])
    with progress("Convalida incrociata", len(set(fold.values()))) as tick:
        for held_out, articles in groupby(by_fold, key=lambda article: fold[article]):
            others = [example for example in taught if fold[example.group] != held_out]
            models |= dict.fromkeys(articles, train([*plans, *others], recipe))
            tick()
    return models


def _rank(engine: Engine, question: _Question, trees: Trees) -> Ranked:
    wanted = [[RankedPage(place.document_id, place.page) for place in question.places]]
    return Ranked(
        question.id,
        "",
        question.article,
        (PART,),
        {
            step.name: score_step(
                step, engine, question.text, Filters(), wanted, k=DEEP,
                trees=trees if step.name == WHOLE else None,
            )
            for step in STEPS
        },
    )  # fmt: skip
