"""What to do with each file found, decided by content before anything is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from assistant.index.catalog import Source
from ingest.sources import Found, is_url

Action = Literal["read", "unchanged", "duplicate", "moved", "refused", "skipped"]


@dataclass(frozen=True, slots=True)
class Hashed:
    """A file found with the SHA-256 (hex) of its bytes, or with why it cannot be read."""

    found: Found
    document_id: str | None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    found: Found
    action: Action
    document_id: str | None = None
    reason: str | None = None
    same_as: str | None = None
    """For duplicates and moves: the source under which the content is or was known."""
    replaces: str | None = None
    """The document that this location held before."""


@dataclass(slots=True)
class Plan:
    steps: list[Step] = field(default_factory=list)
    wanted: dict[str, Source] = field(default_factory=dict)
    """By location: where each document will be known to be, if everything can be read."""
    pruned: list[Source] = field(default_factory=list)
    """Sources of ingested folders that are no longer there."""


def make_plan(
    files: Iterable[Hashed],
    known: Collection[Source],
    *,
    pruned_folders: Collection[str] = (),
) -> Plan:
    """`known` are the sources of the index in use; `pruned_folders` end with a slash."""
    plan = Plan(wanted={source.location: source for source in known})
    by_location = dict(plan.wanted)
    by_content: dict[str, list[Source]] = {}
    for source in known:
        by_content.setdefault(source.document_id, []).append(source)
    first_here: dict[str, Found] = {}
    for file in files:
        step = _step(file, by_location, by_content, first_here)
        plan.steps.append(step)
        if step.document_id is None:
            continue
        here = Source(step.found.location, step.found.source, step.document_id)
        if step.action == "read":
            first_here[step.document_id] = step.found
        elif step.action == "moved":
            for source in by_content[step.document_id]:
                plan.wanted.pop(source.location, None)
            # A second copy found in the same call is a duplicate of this one.
            by_content[step.document_id] = [here]
        before = by_location.get(here.location)
        if before is None or before.document_id != here.document_id:
            plan.wanted[here.location] = here
    present = {step.found.location for step in plan.steps}
    plan.pruned = [
        source
        for source in known
        if source.location not in present
        and source.location in plan.wanted
        and any(source.location.startswith(folder) for folder in pruned_folders)
    ]
    for source in plan.pruned:
        del plan.wanted[source.location]
    return plan


def _step(
    file: Hashed,
    by_location: dict[str, Source],
    by_content: dict[str, list[Source]],
    first_here: dict[str, Found],
) -> Step:
    found, identity = file.found, file.document_id
    before = by_location.get(found.location)
    if found.skipped is not None:
        return Step(found, "skipped", reason=found.skipped)
    if identity is None:
        return Step(found, "refused", reason=file.refusal)
    known = by_content.get(identity, [])
    if before is not None and before.document_id == identity:
        first = known[0]
        if first.location == found.location:
            return Step(found, "unchanged", identity)
        return Step(found, "duplicate", identity, same_as=first.source)
    replaces = before.document_id if before is not None else None
    if identity in first_here:
        same_as = first_here[identity].source
        return Step(found, "duplicate", identity, same_as=same_as, replaces=replaces)
    if known:
        action: Action = "moved" if all(map(_is_gone, known)) else "duplicate"
        return Step(found, action, identity, same_as=known[0].source, replaces=replaces)
    return Step(found, "read", identity, replaces=replaces)


def _is_gone(source: Source) -> bool:
    return not is_url(source.location) and not Path(source.location).exists()
