"""How documents stand to one another: the next plan, the yearly update, the same text again.

What a document states of itself wins. The rest is inferred by narrow rules, each with its reason
in words; what the rules do not recognise stays open.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assistant.italian.distretti import fold_name
from assistant.models import Document, Relation
from ingest.sketch import read_sketch

SAME_TEXT = 0.8
"""Share of common shingles (of both texts together) from which two texts are nearly one."""
CANDIDATE = 0.6
"""Share in the sketches from which the texts themselves are compared: an estimate may be low."""
MIN_SKETCH = 8
"""Of fewer sampled shingles (about 70 words) nothing is concluded."""
COMMON = 50
"""A shingle in more documents than this is a formula of the offices and proves nothing."""

_REVISED = re.compile(
    r"\b(?:testo\s+(?:coordinato|aggiornato|vigente)|rettific\w+|errata\s+corrige"
    r"|versione\s+(?:aggiornata|corretta|definitiva))\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class NearPair:
    """Two documents whose texts are nearly one; `share` of common shingles, 0 to 1."""

    first: str
    second: str
    share: float


def near_pairs(
    sketches: Mapping[str, bytes], shingles_of: Callable[[str], frozenset[int]]
) -> list[NearPair]:
    """Pairs of documents (ids) with nearly the same text, judged on the whole texts."""
    sampled = {identity: read_sketch(data) for identity, data in sketches.items()}
    holders: dict[int, list[str]] = {}
    for identity, hashes in sampled.items():
        if len(hashes) >= MIN_SKETCH:
            for one in hashes:
                holders.setdefault(one, []).append(identity)
    shared: Counter[tuple[str, str]] = Counter()
    for found in holders.values():
        if 1 < len(found) <= COMMON:
            ordered = sorted(found)
            shared.update((a, b) for i, a in enumerate(ordered) for b in ordered[i + 1 :])
    pairs: list[NearPair] = []
    whole: dict[str, frozenset[int]] = {}
    for (a, b), common in sorted(shared.items()):
        if common / (len(sampled[a]) + len(sampled[b]) - common) < CANDIDATE:
            continue
        for identity in (a, b):
            if identity not in whole:
                whole[identity] = shingles_of(identity)
        share = len(whole[a] & whole[b]) / max(1, len(whole[a] | whole[b]))
        if share >= SAME_TEXT:
            pairs.append(NearPair(a, b, round(share, 4)))
    return pairs


def relate(documents: Sequence[Document], pairs: Sequence[NearPair] = ()) -> list[Relation]:
    """Every relation that the documents state or that the rules infer, in a fixed order."""
    by_id = {document.id: document for document in documents}
    found: list[Relation] = []
    found += _stated(documents)
    replaced = {relation.document_id for relation in found}
    found += [r for r in _next_plans(documents) if r.document_id not in replaced]
    replaced = {relation.document_id for relation in found}
    for pair in pairs:
        first, second = by_id[pair.first], by_id[pair.second]
        revision = _revision(first, second)
        if revision is not None and revision.document_id not in replaced:
            found.append(revision)
            replaced.add(revision.document_id)
        why = f"Testo uguale per il {pair.share * 100:.0f}%."
        found.append(Relation("near_duplicate", first.id, second.id, why, pair.share))
        found.append(Relation("near_duplicate", second.id, first.id, why, pair.share))
    found += _updates(documents)
    return sorted(found, key=lambda r: (r.document_id, r.kind, r.other_id))


def _stated(documents: Sequence[Document]) -> list[Relation]:
    """Replacements that a document declares, by the title, source or id of the other."""
    names: dict[str, list[Document]] = {}
    for document in documents:
        for name in {fold_name(document.title), fold_name(document.source), document.id}:
            names.setdefault(name, []).append(document)
    found = []
    for document in documents:
        wanted = document.superseded_by
        others = names.get(fold_name(wanted), names.get(wanted, [])) if wanted else []
        if len(others) == 1 and others[0].id != document.id:
            why = "Lo dichiara il documento."
            found.append(Relation("superseded_by", document.id, others[0].id, why))
    return found


def _next_plans(documents: Sequence[Document]) -> list[Relation]:
    """A plan of several years yields to the next one of the same district or of the same name."""
    plans = [d for d in documents if _is_plan(d)]
    found = []
    for plan in plans:
        if plan.status == "in_force":
            continue
        later = [
            other
            for other in plans
            if _line(other) == _line(plan) and (other.year_from or 0) > (plan.year_to or 0)
        ]
        if later:
            following = min(later, key=lambda d: (d.year_from or 0, d.id))
            why = f"È seguito dal piano {following.year_from}-{following.year_to}."
            found.append(Relation("superseded_by", plan.id, following.id, why))
    return found


def _is_plan(document: Document) -> bool:
    return (
        document.kind in ("piano", "piano_di_zona")
        and document.year_from is not None
        and document.year_to is not None
        and document.year_to > document.year_from
    )


def _line(document: Document) -> tuple[str, str, bool]:
    """What two plans that follow one another have in common."""
    if document.kind == "piano_di_zona":
        key = fold_name(document.distretto) if document.distretto else f"#{document.id}"
    else:
        key = fold_name(_DIGITS.sub(" ", document.title))
    return document.kind, key, document.demonstration


def _revision(first: Document, second: Document) -> Relation | None:
    """Of two versions of one text, the one whose title says that it is the revised one stays."""
    revised = [bool(_REVISED.search(document.title)) for document in (first, second)]
    if revised[0] == revised[1] or first.kind != second.kind:
        return None
    older, newer = (second, first) if revised[0] else (first, second)
    if older.status == "in_force":
        return None
    why = "L'altro documento è la versione aggiornata dello stesso testo."
    return Relation("superseded_by", older.id, newer.id, why)


def _updates(documents: Sequence[Document]) -> list[Relation]:
    """A district's plan is updated by its document for one of the plan's years."""
    found = []
    for plan in documents:
        if not (_is_plan(plan) and plan.kind == "piano_di_zona" and plan.distretto):
            continue
        assert plan.year_from is not None and plan.year_to is not None
        for other in documents:
            year = other.year_from
            if (
                other.kind == "piano_di_zona"
                and other.distretto
                and fold_name(other.distretto) == fold_name(plan.distretto)
                and year is not None
                and year == other.year_to
                and plan.year_from <= year <= plan.year_to
                and other.demonstration == plan.demonstration
            ):
                why = f"Aggiornamento per il {year}."
                found.append(Relation("updated_by", plan.id, other.id, why))
    return found
