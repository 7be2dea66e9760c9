"""What a sheet should have and was not read: told, never filled in."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from assistant.record_models import Gap, RecordKind
from ingest.schede.fields import FieldDraft
from ingest.schede.labels import expected_fields, stand_ins


def find_gaps(
    kind: RecordKind,
    drafts: Sequence[FieldDraft],
    page_start: int,
    page_end: int,
    empty_pages: Collection[int],
) -> tuple[Gap, ...]:
    """The fields that the template of `kind` expects and that are missing or have no words."""
    found = {draft.label.name: draft for draft in drafts}
    filled = {name for name, draft in found.items() if draft.rows}
    gaps: list[Gap] = []
    for label in expected_fields(kind):
        name = label.name
        if name in filled or stand_ins(name) & filled:
            continue
        if name in found:
            page = found[name].printed.page
            gaps.append(Gap(name, f"{name}: l'etichetta è a pagina {page}, senza testo"))
        else:
            gaps.append(Gap(name, f"{name}: non trovato {_where(page_start, page_end)}"))
    blank = [page for page in range(page_start, page_end + 1) if page in empty_pages]
    if blank and gaps:
        many = len(blank) > 1
        told = f" ({'pagine' if many else 'pagina'} senza testo: {', '.join(map(str, blank))})"
        gaps = [Gap(gap.field, gap.text + told) for gap in gaps]
    return tuple(gaps)


def _where(first: int, last: int) -> str:
    return f"nella pagina letta {first}" if first == last else f"nelle pagine lette {first}-{last}"
