"""Optical recognition inside an ingest: what is known of a document's images, and the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assistant.index.progress import Progress
from assistant.models import Document
from assistant.settings import Settings
from ingest.models import OcrPage, Recognition
from ingest.ocr.cache import OcrCache
from ingest.ocr.engine import Engine, find_engine
from ingest.worker import ImageRead, ImageTask
from ingest.workers import recognise_all

FOLDER = "ocr"
"""In the data directory."""

_PASSES = 4
"""A page may be looked at more than once: across, in columns, for its orientation, turned."""


@dataclass(slots=True)
class _Found:
    keys: dict[int, str] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)


class Recogniser:
    """Knows what was recognised before; recognises what is asked, all cores at work."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        found = find_engine(settings.ocr, settings.ocr_timeout_seconds)
        self.engine: Engine | None = found if isinstance(found, Engine) else None
        self._remedy = "" if isinstance(found, Engine) else found.remedy
        self._cache = OcrCache(settings.data_dir / FOLDER)
        self._failed: dict[str, dict[int, str]] = {}

    def awaited(self, document: Document) -> bool:
        """Whether a document read without an engine may say more with the one there is now."""
        return bool(self.engine and document.pages_without_text and not document.ocr_engine)

    def known(self, document_id: str) -> Recognition:
        """What was recognised of a document until now, in this ingest or before."""
        if self.engine is None:
            return Recognition(remedy=self._remedy)
        pages: Mapping[int, OcrPage] = self._cache.document(document_id, self.engine)
        return Recognition(self.engine.name, "", pages, self._failed.get(document_id, {}))

    def pending(self, document_id: str, images: Collection[int]) -> list[int]:
        """Which of these pages nobody has tried to recognise yet; none without an engine."""
        if self.engine is None or not images:
            return []
        known = self.known(document_id)
        return sorted(set(images) - set(known.pages) - set(known.failed))

    def recognise(
        self,
        wanted: Mapping[str, Collection[int]],
        originals: Mapping[str, Path],
        scratch: Path,
        progress: Progress,
    ) -> None:
        """Recognises the `wanted` pages of documents, by id; `known` tells what came of it.

        Each document's results are kept as they come, so that an interrupted ingest is no loss.
        """
        if self.engine is None or not wanted:
            return
        progress.stage("Riconoscimento ottico delle pagine", sum(map(len, wanted.values())))
        found: dict[str, _Found] = {document_id: _Found() for document_id in wanted}
        left = {document_id: len(pages) for document_id, pages in wanted.items()}
        tasks = self._tasks(self.engine, wanted, originals)
        seconds = _PASSES * self._settings.ocr_timeout_seconds
        for task, result in recognise_all(tasks, seconds=seconds, scratch=scratch):
            progress.advance()
            of = found[task.document_id]
            if isinstance(result, ImageRead):
                if result.page is not None:
                    self._cache.keep_page(result.key, result.page)
                of.keys[task.page] = result.key
            else:
                of.failed[task.page] = result.reason
            left[task.document_id] -= 1
            if not left[task.document_id] or len(of.keys) % 20 == 0:
                self._cache.keep_document(task.document_id, self.engine, of.keys)
            self._failed[task.document_id] = of.failed

    def prune(self, document_ids: Collection[str]) -> None:
        """Forgets what was recognised of other documents than these."""
        self._cache.prune(document_ids)

    def _tasks(
        self, engine: Engine, wanted: Mapping[str, Collection[int]], originals: Mapping[str, Path]
    ) -> Iterator[ImageTask]:
        for document_id, pages in wanted.items():
            for page in sorted(pages):
                yield ImageTask(
                    document_id, originals[document_id], page, engine, self._cache.pages
                )
