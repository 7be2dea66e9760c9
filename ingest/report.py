"""What an ingest did, document by document: the contract of `piano ingest --json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from assistant.index.catalog import Source
from assistant.models import Document, Relation
from ingest.known import Known
from ingest.plan import Plan, Step
from ingest.worker import Refusal

EntryStatus = Literal["added", "updated", "unchanged", "duplicate", "refused", "skipped", "removed"]


@dataclass(frozen=True, slots=True)
class IngestEntry:
    """One file found, or one removed document; `document_id` is None for what was not taken."""

    source: str
    document_id: str | None
    status: EntryStatus
    reason: str | None = None
    duplicate_of: str | None = None
    """The source under which the same content is known."""
    pages: int = 0
    passages: int = 0
    pages_without_text: tuple[int, ...] = ()
    ocr_pages: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IngestReport:
    generation: str | None
    """The generation in use afterwards; None when there is still none."""
    documents: tuple[IngestEntry, ...]
    seconds: float
    changed: bool
    """Whether a new generation was made."""

    @property
    def refused(self) -> bool:
        return any(entry.status == "refused" for entry in self.documents)

    def to_dict(self) -> dict[str, Any]:
        """As printed by `piano ingest --json`: optional fields only where there is something."""
        documents = []
        for entry in self.documents:
            values = asdict(entry)
            for name in ("reason", "duplicate_of", "notes"):
                if not values[name]:
                    del values[name]
            documents.append(values)
        return {"generation": self.generation, "documents": documents, "seconds": self.seconds}


@dataclass(frozen=True, slots=True)
class Taken:
    """What a report needs of a document that was read; its texts would fill the memory."""

    document: Document
    passages: int


Outcome = Taken | Refusal

REBUILT = "Riletto con le impostazioni attuali."
PRUNED = "Il file non c'è più nella cartella: tolto dall'indice."
KEPT_FORMER = "Resta in uso la versione precedente."


def entries(
    plan: Plan, known: Known, outcomes: Mapping[str, Outcome], *, rebuilt: Sequence[Source]
) -> list[IngestEntry]:
    """One entry for each file found, then what was pruned, then what a rebuild read besides.

    `rebuilt` are the sources of everything that was read.
    """
    found = [_entry(step, known, outcomes) for step in plan.steps]
    here = {step.found.location for step in plan.steps}
    still = {source.document_id for source in plan.wanted.values()}
    for gone in plan.pruned:
        removed = None if gone.document_id in still else gone.document_id
        found.append(IngestEntry(gone.source, removed, "removed", reason=PRUNED))
    covered = {step.document_id for step in plan.steps}
    for read in rebuilt:
        if read.location not in here and read.document_id not in covered:
            found.append(_read_entry(read.source, read.document_id, outcomes, REBUILT))
    return found


def with_relations(
    found: Sequence[IngestEntry], relations: Sequence[Relation], documents: Sequence[Document]
) -> list[IngestEntry]:
    """The entries, each with what its document is to others of the index."""
    titles = {document.id: document.title for document in documents}
    words = {
        "superseded_by": "È superato da «{}».",
        "updated_by": "È aggiornato da «{}».",
        "near_duplicate": "È quasi uguale a «{}».",
    }
    told: dict[str, list[str]] = {}
    for relation in relations:
        note = words[relation.kind].format(titles[relation.other_id])
        told.setdefault(relation.document_id, []).append(f"{note} {relation.why}")
    return [
        replace(entry, notes=(*entry.notes, *told.get(entry.document_id or "", ())))
        for entry in found
    ]


def one_line(text: str) -> str:
    """A file's name may hold anything: what would break the line is written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _entry(step: Step, known: Known, outcomes: Mapping[str, Outcome]) -> IngestEntry:
    source, identity = step.found.source, step.document_id
    if step.action == "skipped":
        return IngestEntry(source, None, "skipped", reason=step.reason)
    if identity is None:
        return IngestEntry(source, None, "refused", reason=step.reason)
    outcome = outcomes.get(identity)
    if isinstance(outcome, Refusal):
        why = f"{outcome.reason} {KEPT_FORMER}" if step.replaces else outcome.reason
        if step.action == "duplicate" and step.same_as:
            # The reason names the file that was read.
            why = f"Ha lo stesso contenuto di {one_line(step.same_as)}: {why}"
        return IngestEntry(source, None, "refused", reason=why)
    if step.action == "duplicate":
        counts = _described(known, identity, outcome)
        return replace(counts, source=source, status="duplicate", duplicate_of=step.same_as)
    if isinstance(outcome, Taken):
        again = step.action != "read"
        status: EntryStatus = "updated" if step.replaces or again else "added"
        reason = REBUILT if again else None
        return replace(
            _described(known, identity, outcome), source=source, status=status, reason=reason
        )
    entry = replace(_described(known, identity, None), source=source)
    if step.action == "moved":
        return replace(entry, notes=(*entry.notes, f"Prima era in {step.same_as}."))
    return entry


def _read_entry(
    source: str, identity: str, outcomes: Mapping[str, Outcome], reason: str
) -> IngestEntry:
    outcome = outcomes.get(identity)
    if isinstance(outcome, Taken):
        entry = _from_document(outcome.document, outcome.passages)
        return replace(entry, source=source, status="updated", reason=reason)
    why = outcome.reason if isinstance(outcome, Refusal) else "Non letto."
    return IngestEntry(source, None, "refused", reason=why)


def _described(known: Known, identity: str, outcome: Outcome | None) -> IngestEntry:
    if isinstance(outcome, Taken):
        return _from_document(outcome.document, outcome.passages)
    return _from_document(known.documents[identity], known.passages[identity])


def _from_document(document: Document, passages: int) -> IngestEntry:
    return IngestEntry(
        document.source,
        document.id,
        "unchanged",
        pages=document.page_count,
        passages=passages,
        pages_without_text=document.pages_without_text,
        ocr_pages=document.ocr_pages,
        notes=document.notes,
    )
