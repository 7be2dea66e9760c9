"""Sheets inside documents: regional schede and interventions of districts, as typed records."""

from __future__ import annotations

from ingest.schede.records import Records, find_records

__all__ = ["Records", "find_records"]
