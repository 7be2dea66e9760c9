"""What was ingested before, and where the bytes of a document are."""

from __future__ import annotations

import logging
from pathlib import PurePath
from typing import NamedTuple

from assistant.errors import CorruptIndexError
from assistant.index.backend import CATALOG
from assistant.index.catalog import Catalog, Source
from assistant.index.generation import GenerationStore
from assistant.models import Document
from assistant.settings import Settings
from ingest.fetch import Fetched, fetch
from ingest.formats.reading import load
from ingest.sources import Found, is_url

logger = logging.getLogger(__name__)


class Known(NamedTuple):
    """What the generation in use holds."""

    sources: list[Source]
    documents: dict[str, Document]
    passages: dict[str, int]
    """Number of passages of each document."""


def read_known(store: GenerationStore, *, recover: bool) -> Known:
    """Raises CorruptIndexError, unless with `recover` the originals are to be read anyway."""
    try:
        generation = store.current_id()
        if generation is None:
            return Known([], {}, {})
        catalog = Catalog(store.folder / generation / CATALOG)
        try:
            documents = {document.id: document for document in catalog.documents()}
            return Known(catalog.sources(), documents, catalog.passage_counts())
        finally:
            catalog.close()
    except CorruptIndexError as error:
        if not recover:
            raise
        logger.warning("the index is unreadable, starting again from the originals: %s", error)
        originals = sorted(store.originals.iterdir())
        found = [Source(str(p.absolute()), p.name, p.name.partition(".")[0]) for p in originals]
        return Known(found, {}, {})


class Loader:
    """Bytes of files, web addresses and originals, within the limits of the settings."""

    def __init__(self, settings: Settings, *, allow_private: bool) -> None:
        self._limit = settings.max_file_mb * 1_000_000
        self._seconds = settings.file_timeout_seconds
        self._allow_private = allow_private
        self._fetched: dict[str, Fetched] = {}

    def load(self, found: Found) -> tuple[str, bytes]:
        """File name and content; raises RefusedFileError.

        A file is read again each time, so that memory holds one and not all of them; an address
        is fetched once.
        """
        if found.path is not None:
            return found.path.name, load(found.path, max_bytes=self._limit)
        if found.location not in self._fetched:
            self._fetched[found.location] = fetch(
                found.location,
                max_bytes=self._limit,
                timeout_seconds=self._seconds,
                allow_private=self._allow_private,
            )
        fetched = self._fetched[found.location]
        return fetched.name, fetched.data

    def load_original(self, store: GenerationStore, source: Source) -> tuple[str, bytes]:
        """The copy kept at the first ingest, under its source's name.

        Raises:
            NotFoundError: there is no copy.
            RefusedFileError: it cannot be read.
        """
        path = store.original(source.document_id)
        data = load(path, max_bytes=max(self._limit, path.stat().st_size))
        name = PurePath(source.source.partition("?")[0]).name
        if is_url(source.source) and PurePath(name).suffix.lower() != path.suffix:
            name += path.suffix
        return name, data
