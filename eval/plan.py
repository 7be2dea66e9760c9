"""Which questions a run asks: those that the suites need, a sample of them, and the derived ones.

Derived questions are golden questions asked in another situation: among noise documents, after a
question on another subject, or typed otherwise. They are made here and not written in eval/golden,
since their words are those of their originals.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from assistant.errors import UsageError
from eval.cases import Case
from eval.metrics.dialogue import OTHER_TOPIC
from eval.variants import RULES, seed_of
from eval.worlds import NOISE

NOISE_QUESTIONS = 50
OTHER_TOPIC_QUESTIONS = 80
LAY_FILE = "profane.jsonl"
"""Golden questions in the words of people who do not know those of the plans."""
TYPED = ("refusi", "senza_accenti", "maiuscole")
"""Rules of eval/variants.py by which every lay question is typed otherwise."""


def _is_plain(case: Case) -> bool:
    return not case.world and not case.is_attack


_NEEDED: dict[str, Callable[[Case], bool]] = {
    "retrieval": lambda case: _is_plain(case) and case.answerable,
    "answers": lambda case: _is_plain(case),
    "abstention": lambda case: _is_plain(case),
    "adversarial": lambda case: case.is_attack or case.world in NOISE,
    "conversation": lambda case: bool(case.history) and not case.is_attack,
    "speed": lambda case: not case.is_attack and case.variant_of is None,
}


def plan(cases: Sequence[Case], suites: Sequence[str], size: int | None = None) -> tuple[Case, ...]:
    """The cases to ask for some suites, originals before their variants' need of them.

    With `size`, that many originals chosen by hash of their ids (the same ones each time, attacks
    among them) and the variants of those.

    Raises:
        UsageError: no case is of these suites.
    """
    if size is not None:
        cases = sample(cases, size)
    every = (*cases, *_among_noise(cases, size), *_after_another_topic(cases, size))
    wanted = {case.id for case in every if any(_NEEDED[suite](case) for suite in suites)}
    wanted |= {case.variant_of for case in every if case.id in wanted and case.variant_of}
    if not wanted:
        raise UsageError(
            f"Nessuna domanda serve alle serie di misure chieste ({', '.join(suites)}).",
            remedy="Scegli un'altra --suite, o aggiungi domande al file.",
        )
    return tuple(case for case in every if case.id in wanted)


def sample(cases: Sequence[Case], size: int) -> tuple[Case, ...]:
    """`size` originals chosen by hash of their ids, and their variants, in file order."""
    chosen = _by_hash([case for case in cases if case.variant_of is None])[:size]
    kept = {case.id for case in chosen}
    return tuple(case for case in cases if case.source_id in kept)


def is_lay(case: Case) -> bool:
    return Path(case.file).name == LAY_FILE


def typed(cases: Iterable[Case]) -> list[Case]:
    """Each lay original typed otherwise, where a rule changes it; for search alone.

    The ids and words are those that eval/variants.py would write; `line` is 0.
    """
    originals = [case for case in cases if is_lay(case) and case.variant_of is None]
    derived = []
    for case in originals:
        for name in TYPED:
            text = RULES[name](case.question, random.Random(seed_of(case.id)))
            if case.answerable and not case.history and text != case.question:
                derived.append(
                    replace(
                        case,
                        id=f"{case.id}~{name}",
                        question=text,
                        variant_of=case.id,
                        change=name,
                        line=0,
                    )
                )
    return derived


def _among_noise(cases: Sequence[Case], size: int | None) -> list[Case]:
    chosen = _plain(cases)[: _share(NOISE_QUESTIONS, size)]
    return [
        replace(case, id=f"{case.id}~{world}", variant_of=case.id, change=world, world=world)
        for world in NOISE
        for case in chosen
    ]


def _after_another_topic(cases: Sequence[Case], size: int | None) -> list[Case]:
    """Each after the question that comes a third of the way further, of other documents."""
    plain = _plain(cases)
    derived = []
    for place, case in enumerate(plain[: _share(OTHER_TOPIC_QUESTIONS, size)]):
        other = plain[(place + max(1, len(plain) // 3)) % len(plain)]
        if not _documents(case) & _documents(other):
            derived.append(
                replace(
                    case,
                    id=f"{case.id}~{OTHER_TOPIC}",
                    variant_of=case.id,
                    change=OTHER_TOPIC,
                    history=(other.question,),
                )
            )
    return derived


def _plain(cases: Sequence[Case]) -> list[Case]:
    return _by_hash(
        case
        for case in cases
        if case.answerable and case.variant_of is None and not case.history and not case.is_attack
    )


def _by_hash(cases: Iterable[Case]) -> list[Case]:
    return sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).digest())


def _share(whole: int, size: int | None) -> int:
    return whole if size is None else max(1, min(whole, size // 10))


def _documents(case: Case) -> set[str]:
    return {gold.document for quotes in case.evidence for gold in quotes}
