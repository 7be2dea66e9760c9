"""Make the re-ranker: LightGBM's LambdaMART over the features of candidate passages.

    python -m assistant.retrieval.train

Trained on questions written for it over the bundled documents (`training/*.jsonl`), and on
SQuAD-it's development articles (Croce et al. 2018, CC BY-SA 4.0), which are not in the repository:
without them the shipped model stays as it is. No question of the evaluation is among them. Only the
trees, numbers, are kept; the same input gives the same bytes on the same machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from assistant.embedding.load import load_embedder
from assistant.errors import AssistantError
from assistant.index.generation import GenerationStore
from assistant.index.manifest import IndexProfile
from assistant.index.protocol import SearchBackend
from assistant.models import Filters, Passage
from assistant.retrieval.candidates import DEPTH, gather
from assistant.retrieval.features import FEATURES, Rows
from assistant.retrieval.query import read_query
from assistant.retrieval.remembered import Remembered
from assistant.retrieval.retrieve import MODEL, judge
from assistant.retrieval.trees import Trees, flatten, make_trees, write_trees
from assistant.settings import ENV_PREFIX, Settings

logger = logging.getLogger(__name__)

QUESTIONS = Path(__file__).parent / "training"
SQUAD = Path("../shared/data/squad-it-dev.json")
"""Where SQuAD-it is looked for, from the root of the repository."""
ANSWERS, SAME_PAGE = 2, 1
"""Grades: the passage holds the answer; it is on the page that does."""

Grades = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """LightGBM's settings; chosen by cross-validation over the training documents and articles."""

    rounds: int = 250
    leaves: int = 7
    rate: float = 0.06
    least_in_leaf: int = 100
    feature_share: float = 0.5
    row_share: float = 0.7
    l2: float = 5.0
    truncation: int = 20
    squad_weight: float = 0.3
    """What a SQuAD-it question counts against one on plans."""
    seed: int = 20170712


@dataclass(frozen=True, slots=True)
class Example:
    """A question's candidates: their features `(n, len(FEATURES))` and grades `(n,)`."""

    group: str
    """Document or article, never in both training and test."""
    rows: Rows
    grades: Grades
    weight: float = 1.0

    @property
    def teaches(self) -> bool:
        """Whether there is an order to learn."""
        return bool(len(self.grades)) and self.grades.max() > self.grades.min()


class Place(NamedTuple):
    """A stretch of a page that answers."""

    document_id: str
    page: int
    start: int
    end: int


def train(examples: Sequence[Example], recipe: Recipe | None = None, about: str = "") -> Trees:
    """A ranking model; pure: no file is read or written."""
    import lightgbm

    recipe = recipe or Recipe()
    used = [example for example in examples if example.teaches]
    dataset = lightgbm.Dataset(
        np.concatenate([example.rows for example in used]),
        np.concatenate([example.grades for example in used]),
        group=[len(example.grades) for example in used],
        weight=np.concatenate([np.full(len(e.grades), e.weight) for e in used]),
        feature_name=list(FEATURES),
    )
    settings = {
        "objective": "lambdarank",
        "num_leaves": recipe.leaves,
        "learning_rate": recipe.rate,
        "min_data_in_leaf": recipe.least_in_leaf,
        "feature_fraction": recipe.feature_share,
        "bagging_fraction": recipe.row_share,
        "bagging_freq": 1,
        "lambda_l2": recipe.l2,
        "lambdarank_truncation_level": recipe.truncation,
        "label_gain": [0, 1, 3],
        "seed": recipe.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    booster = lightgbm.train(settings, dataset, recipe.rounds)
    trees = [flatten(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    return make_trees(FEATURES, trees, _about(used, recipe, about))


def examples(
    backend: SearchBackend,
    embedder: Any,
    questions: Iterable[tuple[str, str, Sequence[Place]]],
    weight: float = 1.0,
) -> Iterator[Example]:
    """One for each (group, question, places that answer)."""
    for group, question, places in questions:
        query = read_query(question, backend.document_frequency, backend.gram_frequency)
        pool = gather(backend, embedder, query, depth=DEPTH, filters=Filters())
        judged = judge(backend, query, pool, pool.order(), Filters())
        paged = [document.page_count > 1 for document in judged.documents]
        grades = [
            grade(passage, places, paged=has_pages)
            for passage, has_pages in zip(judged.passages, paged, strict=True)
        ]
        yield Example(group, judged.rows, np.array(grades, dtype=np.int64), weight)


def grade(passage: Passage, places: Sequence[Place], *, paged: bool) -> int:
    """ANSWERS when at least half of some place is in the passage, SAME_PAGE beside it, else 0.

    A document without pages is one page: being on it says nothing.
    """
    best = 0
    for place in places:
        if place.document_id != passage.document_id:
            continue
        spans = [span for span in passage.spans if span.page == place.page]
        common = sum(
            max(0, min(place.end, span.end) - max(place.start, span.start)) for span in spans
        )
        if 2 * common >= place.end - place.start:
            return ANSWERS
        if spans and paged:
            best = SAME_PAGE
    return best


def read_questions(
    backend: SearchBackend, folder: Path = QUESTIONS
) -> list[tuple[str, str, list[Place]]]:
    """The training questions, located; raises ValueError for a quote that is not on its page once.

    A question's group is the document that answers first.
    """
    documents = {Path(document.source).name: document for document in backend.documents()}
    found: list[tuple[str, str, list[Place]]] = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            entry = json.loads(line)
            places = []
            for evidence in entry.get("evidence") or [entry]:
                document = documents.get(evidence["document"])
                if document is None:
                    raise ValueError(f"{path.name}:{number}: no document {evidence['document']}")
                text = backend.page(document.id, evidence["page"]).text
                quote = evidence["quote"]
                if text.count(quote) != 1:
                    raise ValueError(f"{path.name}:{number}: quote not once on its page")
                start = text.index(quote)
                places.append(Place(document.id, evidence["page"], start, start + len(quote)))
            found.append((places[0].document_id, entry["question"], places))
    return found


@contextmanager
def ingested(source: Path | None) -> Iterator[tuple[SearchBackend, Any]]:
    """A folder, or the bundled documents, in an index of their own with the bundled embedding.

    Nothing of it comes from the environment's settings: the model must not depend on them.
    """
    environment = {name: v for name, v in os.environ.items() if not name.startswith(ENV_PREFIX)}
    with tempfile.TemporaryDirectory(prefix="piano-train-") as folder:
        command = [sys.executable, "-m", "assistant.cli", "ingest"]
        command += [str(source)] if source else []
        done = subprocess.run(
            [*command, "--data-dir", folder],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        if done.returncode != 0:
            raise AssistantError(f"L'ingestione non è riuscita: {done.stderr.strip()[-300:]}")
        settings = Settings(data_dir=Path(folder))
        embedder = load_embedder(settings.embedding_model)
        store = GenerationStore(settings, lambda: IndexProfile.of(embedder))
        backend = Remembered(store.open_current())
        try:
            yield backend, embedder
        finally:
            backend.close()


def plan_examples() -> list[Example]:
    """Of the training questions on the bundled documents."""
    with ingested(None) as (backend, embedder):
        return list(examples(backend, embedder, read_questions(backend)))


def squad_examples(path: Path, weight: float) -> list[Example]:
    """Of SQuAD-it: every paragraph is a document, an article's questions are a group."""
    with tempfile.TemporaryDirectory(prefix="piano-squad-") as folder:
        questions = write_squad(path, Path(folder))
        with ingested(Path(folder)) as (backend, embedder):
            located = located_squad(backend, questions)
            return list(examples(backend, embedder, located, weight))


def write_squad(path: Path, folder: Path) -> list[tuple[str, str, str]]:
    """A text file for each paragraph; returns (article, question, file name)."""
    questions: list[tuple[str, str, str]] = []
    for number, article in enumerate(json.loads(path.read_text("utf-8"))["data"]):
        for place, paragraph in enumerate(article["paragraphs"]):
            name = f"articolo-{number:02}-{place:03}.txt"
            (folder / name).write_text(paragraph["context"], "utf-8")
            questions += [(f"{number:02}", qa["question"], name) for qa in paragraph["qas"]]
    return questions


def located_squad(
    backend: SearchBackend, questions: Iterable[tuple[str, str, str]]
) -> list[tuple[str, str, list[Place]]]:
    """The same questions with the whole page of their paragraph as the place that answers."""
    documents = {
        Path(source).name: document
        for document in backend.documents()
        for source in (document.source, *document.also_at)
    }
    found = []
    for article, question, name in questions:
        document = documents[name]
        places = [
            Place(document.id, span.page, span.start, span.end)
            for passage in backend.document_passages(document.id)
            for span in passage.spans
        ]
        found.append((article, question, places))
    return found


def _about(used: Sequence[Example], recipe: Recipe, note: str) -> dict[str, Any]:
    digest = hashlib.sha256(json.dumps(asdict(recipe)).encode())
    for example in used:
        digest.update(example.rows.tobytes())
        digest.update(example.grades.tobytes())
    return {
        "name": "piano-lambdamart-1",
        "questions": len(used),
        "recipe": asdict(recipe),
        "examples_sha256": digest.hexdigest(),
        "licence": "EUPL-1.2",
        "provenance": note,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Rifà il modello che ordina i risultati.")
    parser.add_argument("--out", type=Path, default=MODEL, help="file del modello")
    parser.add_argument("--squad", type=Path, default=SQUAD, help="articoli (%(default)s)")
    parser.add_argument("--plans-only", action="store_true", help="senza SQuAD-it: altro modello")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if not options.plans_only and not options.squad.is_file():
        logger.warning(
            "%s non c'è: il modello distribuito, %s, resta com'è, perché senza SQuAD-it non si può "
            "riprodurre (`--squad FILE` dice dov'è; `--plans-only` ne fa uno diverso).",
            options.squad,
            MODEL.name,
        )
        return 0
    recipe = Recipe()
    found = plan_examples()
    note = "Questions written for this project over its own documents"
    if not options.plans_only:
        found += squad_examples(options.squad, recipe.squad_weight)
        note += ", and the development articles of SQuAD-it (Croce et al. 2018, CC BY-SA 4.0)"
    trees = train(found, recipe, note + ".")
    write_trees(options.out, trees)
    logger.info(
        "%d questions, %d features -> %d trees, %.0f kB in %s",
        trees.about["questions"],
        len(FEATURES),
        len(trees.values),
        options.out.stat().st_size / 1000,
        options.out,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
