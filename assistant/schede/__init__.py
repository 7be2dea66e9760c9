"""Finding, listing and exporting schede and interventi: counted from records, never from search."""

from __future__ import annotations

from assistant.schede.filters import RecordFilters
from assistant.schede.finder import RecordList, find

__all__ = ["RecordFilters", "RecordList", "find"]
