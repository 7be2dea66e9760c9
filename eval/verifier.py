"""How well the verifier of generated sentences tells what a passage says from what it does not.

Two sources of pairs: sentences labelled by hand (eval/claims), and gold quotes with the passage
they stand in, word for word or damaged by one rule each. A damage that happens to stand in the
passage too is left out.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from assistant.answering.ground import verify
from assistant.models import Passage, Quote, Span
from eval.cases import Case, locate
from eval.intervals import measure
from eval.reading import Fault, ReadingScore
from eval.system import System

CLAIMS = Path(__file__).parent / "claims"
FILE, TITLE = "verifier.json", "Verifica delle frasi generate"
ALL = "all"
QUOTES = 120
"""Gold quotes taken, chosen by hash."""
MOST_NUMBERS = 3
_NUMBER = re.compile(r"(?<![\w./])\d+(?:[.,]\d+)*(?![\w/])")
_YEAR = re.compile(r"\b20[012]\d\b")
_ACT = re.compile(r"(?<![\w./])([1-9]\d{0,3})(?=\s?/\s?(?:19|20)\d\d\b)")
_NON = re.compile(r"\bnon (?!solo\b|soltanto\b)", re.IGNORECASE)
"""«Non solo» aside: without its «non» it says nearly the same."""
_VERB = re.compile(r"(?<!non )\b(è|sono|ha|hanno|può|possono|prevede|riguarda|vale|dura)\b")
_DISTRETTI = ("Valdoro", "Lungacqua", "Selvachiara", "Pianterra", "Borgoacque", "Colleardito")


class Pair(NamedTuple):
    """A sentence, the passage it cites, and whether the passage says it."""

    kind: str
    claim: str
    passage: Passage
    supported: bool


def score_verifier(system: System, cases: Sequence[Case]) -> tuple[ReadingScore, ...]:
    """Precision, recall and what is stopped, by kind of pair."""
    return score_pairs([*labelled_pairs(), *quoted_pairs(system, cases)])


def score_pairs(pairs: Sequence[Pair]) -> tuple[ReadingScore, ...]:
    judged = [(pair, verify(pair.claim, [pair.passage]).verdict == "supported") for pair in pairs]
    return (
        _score(
            "verifier_precision",
            "Frasi lasciate passare che la loro fonte dice davvero.",
            # By kind it would say only which kinds are true.
            [(pair._replace(kind=ALL), pair.supported) for pair, passed in judged if passed],
        ),
        _score(
            "verifier_recall",
            "Frasi dette dalla loro fonte che sono lasciate passare.",
            [(pair, passed) for pair, passed in judged if pair.supported],
        ),
        _score(
            "verifier_stops",
            "Frasi che la fonte non dice, fermate: cifre, anni o atti cambiati, «non» tolti o"
            " aggiunti, un altro distretto, e quelle scritte a mano.",
            [(pair, not passed) for pair, passed in judged if not pair.supported],
        ),
    )


def labelled_pairs(folder: Path = CLAIMS) -> Iterator[Pair]:
    """The pairs written and labelled by hand."""
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            text = record["passage"]
            section = (record["section"],)
            passage = Passage("p", "d", 0, text, section, (Span(1, 0, len(text)),))
            for claim in record["claims"]:
                yield Pair("a mano", claim["text"], passage, bool(claim["supported"]))


def quoted_pairs(system: System, cases: Iterable[Case]) -> Iterator[Pair]:
    """Gold quotes that are sentences, as they stand and damaged."""
    plain = [c for c in cases if c.answerable and not c.variant_of and not c.world]
    plain.sort(key=lambda case: hashlib.sha256(case.id.encode()).digest())
    passages: dict[str, list[Passage]] = {}
    taken = 0
    for gold in locate(plain, system):
        quote = gold.evidence[0][0]
        if not _is_sentence(quote.text):
            continue
        if quote.document_id not in passages:
            passages[quote.document_id] = system.document_passages(quote.document_id)
        around = _passage_of(quote, passages[quote.document_id])
        if around is None:
            continue
        claim = " ".join(quote.text.split())
        yield Pair("alla lettera", claim, around, True)
        for kind, damaged in damages(claim, random.Random(gold.case.id)):
            if damaged not in " ".join(around.text.split()):
                yield Pair(kind, damaged, around, False)
        taken += 1
        if taken == QUOTES:
            return


def damages(claim: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Each rule's damage, where it applies: kind and sentence."""
    if numbers := [found for found in _NUMBER.finditer(claim) if not _YEAR.match(found.group())]:
        found = chance.choice(numbers)
        digit = found.start()
        other = chance.choice([one for one in "123456789" if one != claim[digit]])
        yield "cifra", claim[:digit] + other + claim[digit + 1 :]
    if year := _YEAR.search(claim):
        moved = str(int(year.group()) + chance.choice((-3, 3, 7)))
        yield "anno", claim[: year.start()] + moved + claim[year.end() :]
    if act := _ACT.search(claim):
        number = str(int(act.group()) + chance.choice((1, 4, 10)))
        yield "atto", claim[: act.start()] + number + claim[act.end() :]
    if denied := _NON.search(claim):
        rest = claim[denied.end() :]
        opening = denied.group()[0].isupper()
        yield (
            "non tolto",
            claim[: denied.start()] + (rest[:1].upper() + rest[1:] if opening else rest),
        )
    elif verb := _VERB.search(claim):
        yield "non aggiunto", f"{claim[: verb.start()]}non {claim[verb.start() :]}"
    for name in _DISTRETTI:
        if name in claim:
            other = chance.choice([one for one in _DISTRETTI if one != name])
            yield "distretto", claim.replace(name, other)
            break


def _score(name: str, legend: str, observed: Sequence[tuple[Pair, bool]]) -> ReadingScore:
    kinds: dict[str, list[float]] = {ALL: []}
    for pair, right in observed:
        for kind in {ALL, pair.kind}:
            kinds.setdefault(kind, []).append(float(right))
    faults = tuple(Fault(pair.kind, pair.claim) for pair, right in observed if not right)
    slices = {kind: measure(values, "mean") for kind, values in kinds.items()}
    return ReadingScore(name, legend, slices, faults)


def _is_sentence(text: str) -> bool:
    """No table row: those are quoted, and never rewritten as sentences."""
    few = len(_NUMBER.findall(text)) <= MOST_NUMBERS
    return few and len(text.split()) >= 6 and "|" not in text and "\n\n" not in text


def _passage_of(quote: Quote, passages: Sequence[Passage]) -> Passage | None:
    for passage in passages:
        if any(
            span.page == quote.page and span.start <= quote.start and quote.end <= span.end
            for span in passage.spans
        ):
            return passage
    return None
