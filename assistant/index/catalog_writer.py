"""Writing the catalogue of a generation that nobody reads yet."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from assistant.errors import CorruptIndexError
from assistant.index.catalog import Source
from assistant.index.entries import entry_to_json, make_entry
from assistant.index.records import (
    document_from_json,
    name_key,
    passage_from_row,
    scheda_key,
    spans_from_json,
    spans_to_json,
    to_json,
)
from assistant.index.selection import Rows
from assistant.models import Document, Page, Passage, Relation
from assistant.record_models import Intervento, Record, Scheda

_SCHEMA = """
CREATE TABLE documents (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
    title_key TEXT NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL, distretto_key TEXT,
    year_from INTEGER, year_to INTEGER, status TEXT NOT NULL, first_row INTEGER NOT NULL,
    row_count INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE pages (
    document INTEGER NOT NULL, number INTEGER NOT NULL, label TEXT, text TEXT NOT NULL,
    ocr_confidence REAL, UNIQUE (document, number));
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document INTEGER NOT NULL,
    ordinal INTEGER NOT NULL, text TEXT NOT NULL, section TEXT NOT NULL, spans TEXT NOT NULL,
    scheda TEXT, scheda_key TEXT, analysed TEXT NOT NULL);
CREATE INDEX passages_scheda ON passages (scheda_key) WHERE scheda_key IS NOT NULL;
CREATE TABLE records (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, document INTEGER NOT NULL, position INTEGER NOT NULL,
    data TEXT NOT NULL, entry TEXT NOT NULL);
CREATE TABLE sources (
    location TEXT PRIMARY KEY, source TEXT NOT NULL, document_id TEXT NOT NULL);
CREATE TABLE sketches (document INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
CREATE TABLE relations (
    kind TEXT NOT NULL, document_id TEXT NOT NULL, other_id TEXT NOT NULL, why TEXT NOT NULL,
    share REAL);
CREATE INDEX relations_document ON relations (document_id);
"""


class Parts(NamedTuple):
    """A document with everything that was made of it."""

    document: Document
    pages: Sequence[Page]
    passages: Sequence[Passage]
    schede: Sequence[Scheda] = ()
    interventi: Sequence[Intervento] = ()
    sketch: bytes = b""
    """The words of the text, sampled, by which near duplicates are found."""


class CatalogWriter:
    """One writer, one thread. Nothing is safe on disk before `close`."""

    def __init__(self, path: Path) -> None:
        new = not path.exists()
        self._db = sqlite3.connect(path, isolation_level=None)
        # A crash throws the whole staging folder away, so the file needs no journal of its own.
        # Without the last, SQLite would put what it sorts into the system's temporary folder.
        self._db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY;"
        )
        if new:
            self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN")
        self._open = True

    def close(self, *, commit: bool) -> None:
        """May be called again: what was done first stands."""
        if self._open:
            self._open = False
            if commit:
                self._db.execute("COMMIT")
            self._db.close()

    @property
    def row_count(self) -> int:
        # Rows have no holes, and counting them would read the table at every addition.
        found = self._db.execute("SELECT coalesce(max(row) + 1, 0) FROM passages").fetchone()
        return int(found[0])

    def rows_of(self, document_ids: Collection[str]) -> list[Rows]:
        """Rows of these documents, ascending."""
        return sorted(
            Rows(first, first + count)
            for identity, first, count in self._db.execute(
                "SELECT id, first_row, row_count FROM documents"
            )
            if identity in document_ids
        )

    def passage_ids(self, rows: Rows) -> list[str]:
        found = self._db.execute(
            "SELECT id FROM passages WHERE row >= ? AND row < ? ORDER BY row", rows
        )
        return [row[0] for row in found]

    def add(self, parts: Parts, analysed: Sequence[str]) -> int:
        """Returns the row of the first passage.

        `analysed` are the passages' terms, as `assistant.index.analysed` writes them. Raises
        CorruptIndexError for an id already there or a passage that is not its pages'.
        """
        document = parts.document
        check_passages(parts.pages, parts.passages)
        first = self.row_count
        year_from = document.year_from if document.year_from is not None else document.year_to
        year_to = document.year_to if document.year_to is not None else document.year_from
        try:
            cursor = self._db.execute(
                "INSERT INTO documents VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    document.id,
                    document.title,
                    name_key(document.title),
                    document.source,
                    document.kind,
                    name_key(document.distretto) if document.distretto else None,
                    year_from,
                    year_to,
                    document.status,
                    first,
                    len(parts.passages),
                    to_json(document),
                ),
            )
            self._add_content(int(cursor.lastrowid or 0), first, parts, analysed)
        except sqlite3.IntegrityError as error:
            raise CorruptIndexError(
                f"«{document.source}» porta un identificativo già in uso ({error}).",
                remedy="Esegui `piano ingest --rebuild`.",
            ) from error
        return first

    def remove(self, document_ids: Collection[str]) -> None:
        """Takes documents out and closes the holes that they leave in the rows."""
        for identity in document_ids:
            row = self._db.execute("SELECT number FROM documents WHERE id=?", [identity]).fetchone()
            if row is None:
                continue
            for table in ("pages", "passages", "records", "sketches"):
                self._db.execute(f"DELETE FROM {table} WHERE document = ?", row)
            self._db.execute("DELETE FROM documents WHERE number = ?", row)
        self._close_holes()

    def set_sources(self, sources: Iterable[Source], gone: Iterable[str] = ()) -> None:
        """Records where documents were read and forgets the locations in `gone`."""
        self._db.executemany("DELETE FROM sources WHERE location = ?", [(g,) for g in gone])
        self._db.executemany("INSERT OR REPLACE INTO sources VALUES (?,?,?)", sources)

    def rename(self, document_id: str, source: str) -> None:
        """Says that a document is now read from `source`."""
        row = self._db.execute("SELECT data FROM documents WHERE id=?", [document_id]).fetchone()
        if row is not None:
            data = json.loads(row[0]) | {"source": source}
            self._db.execute(
                "UPDATE documents SET source = ?, data = ? WHERE id = ?",
                [source, json.dumps(data, ensure_ascii=False), document_id],
            )

    def documents(self) -> list[Document]:
        """As they describe themselves, without relations."""
        rows = self._db.execute("SELECT data FROM documents ORDER BY number")
        return [document_from_json(row[0]) for row in rows]

    def sketches(self) -> dict[str, bytes]:
        rows = self._db.execute(
            "SELECT documents.id, hashes FROM sketches"
            " JOIN documents ON documents.number = sketches.document"
        )
        return dict(rows.fetchall())

    def passage_texts(self, document_id: str) -> list[str]:
        rows = self._db.execute(
            "SELECT text FROM passages JOIN documents ON documents.number = passages.document"
            " WHERE documents.id = ? ORDER BY row",
            [document_id],
        )
        return [row[0] for row in rows]

    def set_relations(self, relations: Iterable[Relation]) -> None:
        """Replaces all of them: each ingest looks at all documents again."""
        self._db.execute("DELETE FROM relations")
        self._db.executemany(
            "INSERT INTO relations VALUES (?,?,?,?,?)",
            ((r.kind, r.document_id, r.other_id, r.why, r.share) for r in relations),
        )

    def passages(self) -> Iterator[tuple[Document, Passage, str]]:
        """Every passage in row order, with its document and its analysed terms."""
        document: Document | None = None
        for row in self._db.execute(
            "SELECT passages.id, documents.id, ordinal, text, section, spans, scheda,"
            " documents.data, analysed FROM passages"
            " JOIN documents ON documents.number = passages.document ORDER BY row"
        ):
            if document is None or document.id != row[1]:
                document = document_from_json(row[7])
            yield document, passage_from_row(row), row[8]

    def counts(self) -> dict[str, int]:
        tables = {
            "documents": "documents",
            "pages": "pages",
            "passages": "passages",
            "schede": "records WHERE kind = 'scheda'",
            "interventi": "records WHERE kind = 'intervento'",
        }
        return {
            name: int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for name, table in tables.items()
        }

    def document_ids(self) -> tuple[str, ...]:
        return tuple(row[0] for row in self._db.execute("SELECT id FROM documents ORDER BY number"))

    def _add_content(self, number: int, first: int, parts: Parts, analysed: Sequence[str]) -> None:
        self._db.executemany(
            "INSERT INTO pages VALUES (?,?,?,?,?)",
            (
                (number, page.number, page.printed_label, page.text, page.ocr_confidence)
                for page in parts.pages
            ),
        )
        self._db.executemany(
            "INSERT INTO passages VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                (
                    row,
                    passage.id,
                    number,
                    passage.ordinal,
                    passage.text,
                    json.dumps(list(passage.section), ensure_ascii=False),
                    spans_to_json(passage.spans),
                    passage.scheda,
                    scheda_key(passage.scheda) if passage.scheda else None,
                    terms,
                )
                for row, (passage, terms) in enumerate(
                    zip(parts.passages, analysed, strict=True), start=first
                )
            ),
        )
        self._db.execute("INSERT INTO sketches VALUES (?,?)", [number, parts.sketch])
        records: list[Record] = [*parts.schede, *parts.interventi]
        self._db.executemany(
            "INSERT INTO records VALUES (?,?,?,?,?,?)",
            (
                (
                    record.id,
                    "scheda" if isinstance(record, Scheda) else "intervento",
                    number,
                    place,
                    to_json(record),
                    entry_to_json(make_entry(record, parts.document)),
                )
                for place, record in enumerate(records)
            ),
        )

    def _close_holes(self) -> None:
        expected = 0
        for number, first, count in self._db.execute(
            "SELECT number, first_row, row_count FROM documents ORDER BY first_row, number"
        ).fetchall():
            if first != expected:
                # By way of negative numbers, so that no row meets another on its way down.
                self._db.execute(
                    "UPDATE passages SET row = -1 - (row - ?) WHERE row >= ? AND row < ?",
                    [first - expected, first, first + count],
                )
                self._db.execute("UPDATE passages SET row = -1 - row WHERE row < 0")
                self._db.execute(
                    "UPDATE documents SET first_row = ? WHERE number = ?", [expected, number]
                )
            expected += count


def check_passages(pages: Sequence[Page], passages: Sequence[Passage]) -> None:
    """Raises CorruptIndexError unless each passage is its spans' words, joined by newlines."""
    texts = {page.number: page.text for page in pages}
    for passage in passages:
        words = "\n".join(texts.get(s.page, "")[s.start : s.end] for s in passage.spans)
        inside = all(0 <= s.start < s.end <= len(texts.get(s.page, "")) for s in passage.spans)
        if not passage.spans or not inside or words != passage.text:
            raise CorruptIndexError(
                f"Il brano {passage.id} non coincide con il testo delle sue pagine.",
                remedy="Segnala il documento: non è stato indicizzato.",
            )


def check_stored_passages(path: Path) -> None:
    """The same check over a whole catalogue file."""
    db = sqlite3.connect(path)
    try:
        texts: dict[int, str] = {}
        seen = -1
        for number, identity, text, spans in db.execute(
            "SELECT document, id, text, spans FROM passages ORDER BY row"
        ):
            if number != seen:
                found = db.execute("SELECT number, text FROM pages WHERE document=?", [number])
                texts, seen = dict(found.fetchall()), number
            words = "\n".join(
                texts.get(s.page, "")[s.start : s.end] for s in spans_from_json(spans)
            )
            if words != text:
                raise CorruptIndexError(
                    f"Il brano {identity} non coincide con il testo delle sue pagine.",
                    remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
                )
    except sqlite3.Error as error:
        raise CorruptIndexError(
            f"Il catalogo {path} non si legge ({error}).",
            remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
        ) from error
    finally:
        db.close()
