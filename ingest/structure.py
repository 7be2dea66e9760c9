"""From a file as read to what the index takes: document, passages, records."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.models import Document, Page, Passage
from assistant.record_models import Intervento, Scheda
from ingest.metadata import describe
from ingest.models import SourceDocument
from ingest.passages import PassageSettings, make_passages
from ingest.schede import find_records
from ingest.sections import place_blocks
from ingest.sketch import sketch


@dataclass(frozen=True, slots=True)
class Structured:
    document: Document
    pages: tuple[Page, ...]
    passages: tuple[Passage, ...]
    schede: tuple[Scheda, ...]
    interventi: tuple[Intervento, ...]
    sketch: bytes
    images: tuple[int, ...] = ()
    """Pages whose words stand in an image, recognised or not."""


def structure(
    document_id: str,
    source_name: str,
    source: SourceDocument,
    settings: PassageSettings | None = None,
) -> Structured:
    """Everything that can be told of one file; the same input always gives the same output.

    `document_id` is the SHA-256 (hex) of the file's bytes, `source_name` the path as given or URL.
    """
    document = describe(document_id, source_name, source)
    blocks = place_blocks(source)
    records = find_records(document, source, blocks)
    if records.promoted:
        blocks = place_blocks(source, records.promoted)
    passages = make_passages(document_id, source, settings, blocks, records.ranges)
    pages = tuple(
        Page(document_id, page.number, page.text, page.printed_label, page.ocr_confidence)
        for page in source.pages
    )
    return Structured(
        document,
        pages,
        tuple(passages),
        records.schede,
        records.interventi,
        sketch(passage.text for passage in passages),
        source.images,
    )
