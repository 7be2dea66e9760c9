"""People's judgements on a sample of answers, and how far the automatic measures agree with them.

A judgement is two yes-or-no questions on one sentence of one answer: do the quotes prove it, does
it answer what was asked. Kept in labels.jsonl of the run folder, one line each, as soon as given.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from assistant.errors import UsageError
from eval.metrics.grounding import sentence_support, tells_forbidden
from eval.outcome import Outcome, best_share
from eval.run import Run

LABELS = "labels.jsonl"
YES, NO, SKIP, UNDO, QUIT = "s", "n", "salta", "annulla", "esci"


class Item(NamedTuple):
    """A sentence to judge: the question's outcome and the sentence's place in the answer."""

    outcome: Outcome
    place: int

    @property
    def key(self) -> tuple[str, int]:
        return self.outcome.gold.case.id, self.place


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said of one sentence."""

    id: str
    sentence: int
    proves: bool
    answers: bool
    who: str
    when: str
    """ISO 8601, UTC."""


class Agreement(NamedTuple):
    """Of a measure with people: share of equal judgements, and Cohen's kappa.

    Kappa takes off the agreement of chance: (observed - expected) / (1 - expected), Cohen 1960; it
    is None when both always say the same one thing.
    """

    measure: str
    n: int
    share: float
    kappa: float | None


_LABEL = TypeAdapter(Label)


def items(run: Run, size: int) -> list[Item]:
    """`size` sentences of the run's answers, chosen by hash: the same ones for everybody."""
    every = [
        Item(outcome, place)
        for outcome in run.outcomes
        for place in range(len(outcome.answer.sentences))
        if outcome.gold.case.variant_of is None
    ]
    return sorted(every, key=lambda item: hashlib.sha256(repr(item.key).encode()).digest())[:size]


def read_labels(folder: Path) -> list[Label]:
    """Raises UsageError, naming the line, when one is not a label."""
    path = folder / LABELS
    if not path.exists():
        return []
    labels = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line:
            continue
        try:
            labels.append(_LABEL.validate_json(line))
        except ValidationError as error:
            raise UsageError(
                f"{path}:{number}: non è un giudizio.", remedy="Correggi o togli la riga."
            ) from error
    return labels


def ask_labels(
    run: Run, size: int, who: str, read: Callable[[str], str], show: Callable[[str], None]
) -> int:
    """Walk a person through the sentences not yet judged by anybody; how many were judged.

    `read` shows a prompt and gives what the person typed; "annulla" takes back the last judgement.
    """
    labels = read_labels(run.folder)
    given: list[Label] = []
    chosen = items(run, size)
    todo = [item for item in chosen if item.key not in {(one.id, one.sentence) for one in labels}]
    place = 0
    while place < len(todo):
        item = todo[place]
        show(f"\n[{len(chosen) - len(todo) + place + 1} di {len(chosen)}] " + describe(run, item))
        proves = _choice(read, "Le citazioni provano la frase?", show)
        answers = proves if proves in (SKIP, UNDO, QUIT) else ""
        answers = answers or _choice(read, "La frase risponde alla domanda?", show)
        if QUIT in (proves, answers):
            break
        if UNDO in (proves, answers):
            if given:
                place = todo.index(_of(todo, given.pop()))
                _write(run.folder, [*labels, *given])
            else:
                show("Non c'è un giudizio da annullare.")
            continue
        if SKIP not in (proves, answers):
            now = datetime.now(UTC).isoformat(timespec="seconds")
            given.append(Label(*item.key, proves == YES, answers == YES, who, now))
            _write(run.folder, [*labels, *given])
        place += 1
    return len(given)


def describe(run: Run, item: Item) -> str:
    """What a person needs to judge: question, sentence, quotes with the words around them."""
    outcome, sentence = item.outcome, item.outcome.answer.sentences[item.place]
    lines = [f"Domanda: {outcome.gold.case.question}"]
    lines += [f"  dopo: {before}" for before in outcome.gold.case.history]
    lines.append(f"Frase: {sentence.text}")
    for citation, seen in zip(outcome.answer.citations, outcome.seen, strict=True):
        if citation.n in sentence.citations:
            lines.append(f"  [{citation.n}] {citation.title}, pagina {citation.page}:")
            lines.append(f"      …{seen.before}»{citation.quote}«{seen.after}…")
    return "\n".join(lines)


def agreement(run: Run, labels: Sequence[Label]) -> list[Agreement]:
    """How the automatic measures agree with people, over the sentences judged."""
    by_id = {outcome.gold.case.id: outcome for outcome in run.outcomes}
    proves: list[tuple[bool, bool]] = []
    answers: list[tuple[bool, bool]] = []
    for label in labels:
        outcome = by_id.get(label.id)
        if outcome is None or label.sentence >= len(outcome.answer.sentences):
            continue
        proves.append((sentence_support(outcome)[label.sentence] == 1.0, label.proves))
        answers.append((_hits(outcome, label.sentence), label.answers))
    return [
        Agreement(name, len(pairs), _share(pairs), kappa(pairs))
        for name, pairs in (("sentence_support", proves), ("prova attesa citata", answers))
        if pairs
    ]


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    n = len(pairs)
    first = sum(one for one, _ in pairs) / n
    second = sum(other for _, other in pairs) / n
    expected = first * second + (1 - first) * (1 - second)
    return None if expected == 1.0 else (_share(pairs) - expected) / (1 - expected)


def _hits(outcome: Outcome, place: int) -> bool:
    """Whether a sentence rests on the expected evidence and says nothing forbidden."""
    numbers = outcome.answer.sentences[place].citations
    cited = [c for c in outcome.answer.citations if c.n in numbers]
    evidence = (*outcome.gold.evidence, *outcome.gold.correction)
    return bool(evidence) and best_share(evidence, cited) > 0 and not tells_forbidden(outcome)


def _share(pairs: Sequence[tuple[bool, bool]]) -> float:
    return sum(one == other for one, other in pairs) / len(pairs)


def _choice(read: Callable[[str], str], question: str, show: Callable[[str], None]) -> str:
    words = {"s": YES, "sì": YES, "si": YES, "n": NO, "no": NO}
    words |= {name: name for name in (SKIP, UNDO, QUIT)}
    while True:
        typed = read(f"{question} (s, n, salta, annulla, esci) ").strip().lower()
        if typed in words:
            return words[typed]
        show("Scrivi s, n, salta, annulla oppure esci.")


def _of(todo: Sequence[Item], label: Label) -> Item:
    return next(item for item in todo if item.key == (label.id, label.sentence))


def _write(folder: Path, labels: Sequence[Label]) -> None:
    text = "".join(_lines(labels))
    (folder / LABELS).write_text(text, encoding="utf-8")


def _lines(labels: Sequence[Label]) -> Iterator[str]:
    for label in labels:
        yield json.dumps(asdict(label), ensure_ascii=False) + "\n"
