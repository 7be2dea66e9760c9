"""What each step of the search adds, from BM25 on the question's words to the whole of it.

Every step is a configuration of the program's own `gather` and `retrieve`: nothing is ranked in
another way here. What a step ranks is kept question by question in a run folder, to be scored
apart (eval/steps.py).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from assistant.errors import UsageError
from assistant.index.protocol import SearchBackend
from assistant.models import Filters, Passage
from assistant.retrieval.candidates import DEPTH, FUSION, FusionWeights, gather
from assistant.retrieval.query import Query, read_query
from assistant.retrieval.retrieve import retrieve
from assistant.retrieval.trees import Trees
from eval.cases import ATTACK_CATEGORIES, Case, Gold
from eval.metrics.dialogue import OTHER_TOPIC
from eval.metrics.retrieval import page_scores
from eval.outcome import Outcome, RankedPage
from eval.plan import is_lay, typed
from eval.run import SEARCH_K
from eval.system import Engine

FILE = "steps.jsonl"
MS = "ms"

ALL, GOLDEN, LAY, ENGLISH = "tutte", "golden", "profane", "inglese"
LAY_ENGLISH = f"{LAY}, {ENGLISH}"
"""Parts: of a variant `<change>`, of a variant of a lay question `profane, <change>` too."""

EXPANDED = 0.5
"""What the thesaurus counts in the steps before the re-ranker: as much as the characters.

The program's own first order leaves it out (FUSION.expanded) and lets the re-ranker decide; so
weighed, what it adds by itself can be seen. Not tuned.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A configuration of the search."""

    name: str
    title: str
    against: str = ""
    """The step that it is compared with."""
    weights: FusionWeights = FUSION
    read: Literal["as written", "without other words", "whole"] = "whole"
    dense: bool = True
    reranked: bool = True

    def query(self, text: str, backend: SearchBackend) -> Query:
        if self.read == "as written":
            return read_query(text, expand=False)
        query = read_query(text, backend.document_frequency)
        return query if self.read == "whole" else replace(query, expansions=())


_WORDS = FusionWeights(words=FUSION.words, characters=0.0, expanded=0.0, dense=0.0)
_CHARACTERS = replace(_WORDS, characters=FUSION.characters)
_THESAURUS = replace(_CHARACTERS, expanded=EXPANDED)
_DENSE = replace(_THESAURUS, dense=FUSION.dense)

BM25, WHOLE = "bm25", "riordino"
STEPS = (
    Step(BM25, "BM25, parole", "", _WORDS, "as written", dense=False, reranked=False),
    Step("caratteri", "+ caratteri", BM25, _CHARACTERS, "as written", dense=False, reranked=False),
    Step(
        "lettura", "+ lettura della domanda", "caratteri", _CHARACTERS,
        "without other words", dense=False, reranked=False,
    ),
    Step("thesaurus", "+ thesaurus", "lettura", _THESAURUS, dense=False, reranked=False),
    Step("dense", "+ significato", "thesaurus", _DENSE, reranked=False),
    Step(WHOLE, "+ riordino = piano", "dense"),
)  # fmt: skip
"""Each adds to the one before. The re-ranker brings the preferences with it, as it sees them."""

LESS = (
    Step("senza caratteri", "piano senza caratteri", WHOLE, replace(FUSION, characters=0.0)),
    Step("senza thesaurus", "piano senza thesaurus", WHOLE, read="without other words"),
    Step("senza dense", "piano senza significato", WHOLE, dense=False),
)
"""The whole without a part, under the same re-ranker."""

BRIEF = (STEPS[0], STEPS[-1])
"""For variants: what is asked of them is what they lose."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One question under several steps."""

    id: str
    original: str
    """The question that it is a variant of, else empty."""
    cluster: str
    """Document or article that answers: its questions go right and wrong together."""
    parts: tuple[str, ...]
    steps: dict[str, dict[str, float]]
    """Step → RANKING measure or MS → value."""


_RANKED = TypeAdapter(Ranked)


def find(
    step: Step,
    engine: Engine,
    text: str,
    filters: Filters,
    *,
    k: int = SEARCH_K,
    trees: Trees | None = None,
) -> Sequence[Passage]:
    """The `k` best passages under a step; `trees` in place of the program's own re-ranker."""
    query = step.query(text, engine.backend)
    embedder = engine.embedder if step.dense else None
    if step.reranked:
        hits = retrieve(
            engine.backend, embedder, query, k=k, filters=filters, weights=step.weights, trees=trees
        )
        return [hit.passage for hit in hits]
    pool = gather(
        engine.backend, embedder, query, depth=DEPTH, filters=filters, weights=step.weights
    )
    return engine.backend.passages(pool.order()[:k])


def score_step(
    step: Step,
    engine: Engine,
    text: str,
    filters: Filters,
    wanted: Iterable[Iterable[RankedPage]],
    *,
    k: int = SEARCH_K,
    trees: Trees | None = None,
) -> dict[str, float]:
    """RANKING measures of the pages found, against the best of the sets wanted, and milliseconds.

    Time is the machine's, to be compared within a table.
    """
    started = time.perf_counter()
    passages = find(step, engine, text, filters, k=k, trees=trees)
    elapsed = (time.perf_counter() - started) * 1000
    pages = dict.fromkeys(
        RankedPage(passage.document_id, span.page) for passage in passages for span in passage.spans
    )
    return {**page_scores(tuple(pages), wanted), MS: round(elapsed, 3)}


def questions_of(outcomes: Sequence[Outcome]) -> list[tuple[Gold, str]]:
    """What a run asked that search can be held to, with the text to search; and lay questions typed
    otherwise, which the run did not ask.

    A follow-up is searched as the assistant understood it.
    """
    asked = [
        (outcome.gold, _searched(outcome)) for outcome in outcomes if _counts(outcome.gold.case)
    ]
    known = {gold.case.id for gold, _ in asked}
    golds = {gold.case.id: gold for gold, _ in asked}
    for case in typed([gold.case for gold, _ in asked]):
        if case.id not in known:
            original = golds[case.source_id]
            asked.append((replace(original, case=case), case.question))
    return asked


def rank_all(
    engine: Engine,
    asked: Sequence[tuple[Gold, str]],
    tick: Callable[[], None] = lambda: None,
) -> list[Ranked]:
    """Originals and English versions under every step, other variants under BRIEF."""
    lay = {gold.case.id for gold, _ in asked if is_lay(gold.case)}
    some = bool(lay)
    ranked = []
    for gold, text in asked:
        case = gold.case
        whole = case.variant_of is None or case.change == ENGLISH
        wanted = [
            [RankedPage(quote.document_id, quote.page) for quote in quotes]
            for quotes in gold.evidence
        ]
        filters = case.parsed_filters()
        ranked.append(
            Ranked(
                case.id,
                case.variant_of or "",
                case.evidence[0][0].document,
                _parts(case, case.source_id in lay, some),
                {
                    step.name: score_step(step, engine, text, filters, wanted)
                    for step in ((*STEPS, *LESS) if whole else BRIEF)
                },
            )
        )
        tick()
    return ranked


def keep(ranked: Sequence[Ranked], path: Path) -> None:
    lines = [json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in ranked]
    path.write_text("".join(lines), encoding="utf-8")


def kept(path: Path) -> tuple[Ranked, ...]:
    """What `keep` wrote; nothing when the file is not there. Raises UsageError."""
    if not path.exists():
        return ()
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        return tuple(_RANKED.validate_json(line) for line in lines if line)
    except (OSError, ValidationError) as error:
        raise UsageError(
            f"Il file {path} non contiene le misure dei passi della ricerca.",
            remedy="Ripetile con «piano eval --suite retrieval».",
        ) from error


def _counts(case: Case) -> bool:
    plain = not case.world and case.category not in ATTACK_CATEGORIES
    return plain and case.answerable and case.change != OTHER_TOPIC


def _searched(outcome: Outcome) -> str:
    case = outcome.gold.case
    understood = outcome.answer.understood_as if case.history else ""
    return understood or case.question


def _parts(case: Case, lay: bool, some_lay: bool) -> tuple[str, ...]:
    """`some_lay`: there are lay questions, so that the others are a part of their own."""
    if case.variant_of is not None:
        change = case.change or ""
        derived = case.line == 0  # of lay questions only, made by eval/plan.py
        own = () if derived else (change,)
        return (*own, f"{LAY}, {change}") if lay else own
    names = [ALL, case.split]
    if some_lay:
        names.append(LAY if lay else GOLDEN)
    return tuple(names)
