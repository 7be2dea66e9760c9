"""What was ingested before, and where the bytes of a document are."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from assistant.errors import CorruptIndexError
from assistant.index.backend import CATALOG
from assistant.index.catalog import Catalog, Source
from assistant.index.generation import GenerationStore
from assistant.models import Document
from assistant.settings import Settings
from ingest.formats.reading import load
from ingest.sources import Found, is_url

if TYPE_CHECKING:
    from ingest.web.session import Web

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

    def __init__(self, settings: Settings, store: GenerationStore, *, allow_private: bool) -> None:
        self._settings = settings
        self._store = store
        self._limit = settings.max_file_mb * 1_000_000
        self._allow_private = allow_private
        self._web: Web | None = None
        self.known: Sequence[Source] = ()
        """What the index holds: addresses among it are asked only whether they have changed."""

    @property
    def web(self) -> Web:
        """Made when first needed: files are read without loading any of it."""
        if self._web is None:
            from ingest.web.fetch import Fetcher
            from ingest.web.network import is_public
            from ingest.web.session import Web

            self._web = Web(
                self._settings,
                self._store,
                {source.location: source.document_id for source in self.known},
                Fetcher(
                    timeout_seconds=self._settings.web_timeout_seconds,
                    allowed=(lambda address: True) if self._allow_private else is_public,
                ),
            )
        return self._web

    def load(self, found: Found) -> tuple[str, bytes]:
        """File name and content; raises RefusedFileError.

        A file is read again each time, so that memory holds one and not all of them; an address
        is fetched once, and read again from the disk.
        """
        if found.path is not None:
            return found.path.name, load(found.path, max_bytes=self._limit)
        page = self.web.get(found.location)
        return page.name, load(page.path, max_bytes=max(self._limit, page.path.stat().st_size))

    def remember(self) -> None:
        """Keeps what servers said of the addresses that are now in the index."""
        if self._web is not None:
            self._web.remember(read_known(self._store, recover=False).sources)

    def close(self) -> None:
        if self._web is not None:
            self._web.close()

    def load_original(self, source: Source) -> tuple[str, bytes]:
        """The copy kept at the first ingest, under its source's name.

        Raises:
            NotFoundError: there is no copy.
            RefusedFileError: it cannot be read.
        """
        path = self._store.original(source.document_id)
        data = load(path, max_bytes=max(self._limit, path.stat().st_size))
        name = PurePath(source.source.partition("?")[0]).name
        if is_url(source.source) and PurePath(name).suffix.lower() != path.suffix:
            name += path.suffix
        return name, data
