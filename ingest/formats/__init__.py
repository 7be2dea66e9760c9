"""Readers: one per file format, each from bytes to pages of canonical text."""

from __future__ import annotations

from ingest.formats.reading import READERS, read_bytes, read_document

__all__ = ["READERS", "read_bytes", "read_document"]
