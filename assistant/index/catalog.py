"""The SQLite catalogue of one generation, read-only: what was ingested, verbatim.

Passages are numbered by `row` from 0 without holes, each document's rows one after the other; the
same number is the passage's row in the vector matrix.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from assistant.errors import CorruptIndexError, NotFoundError
from assistant.index.entries import RecordEntry, entry_from_json
from assistant.index.records import (
    document_from_json,
    intervento_from_json,
    name_key,
    passage_from_row,
    scheda_from_json,
    scheda_key,
)
from assistant.index.selection import Rows, Selection, merge
from assistant.models import Document, Filters, Page, Passage, Relation
from assistant.record_models import Intervento, Record, Scheda

SCHEMA_VERSION = 4
"""Raised when older generations cannot be read any more: they are then made again."""

MIN_ID_PREFIX = 6
"""A document filter shorter than this is never taken for the beginning of an id."""

_PASSAGE = (
    "passages.id, documents.id, ordinal, text, section, spans, scheda"
    " FROM passages JOIN documents ON documents.number = passages.document"
)
_SUPERSEDED = (
    "(documents.status = 'superseded' OR EXISTS (SELECT 1 FROM relations"
    " WHERE relations.kind = 'superseded_by' AND relations.document_id = documents.id))"
)
"""By its own words or by what the index knows: see `Catalog._related`."""

_IDS_PER_QUERY = 500


class Source(NamedTuple):
    """Where a document was read: `location` is absolute, `source` as the user gave it."""

    location: str
    source: str
    document_id: str


class Catalog:
    """Safe to use from several threads; the file is never written, so no lock is taken on it."""

    def __init__(self, path: Path) -> None:
        """Raises CorruptIndexError when the file is no catalogue."""
        self._path = path
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1",
                uri=True,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise self._corrupt(error) from error
        # Few, and read with every document: kept in memory.
        self._relations = self._read_relations()
        self._places = self._read_places()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def counts(self) -> dict[str, int]:
        """Number of documents, pages, passages, schede, interventi."""
        queries = {
            "documents": "SELECT count(*) FROM documents",
            "pages": "SELECT count(*) FROM pages",
            "passages": "SELECT count(*) FROM passages",
            "schede": "SELECT count(*) FROM records WHERE kind = 'scheda'",
            "interventi": "SELECT count(*) FROM records WHERE kind = 'intervento'",
        }
        return {name: int(self._all(query)[0][0]) for name, query in queries.items()}

    def passages(self, ids: Sequence[str]) -> list[Passage]:
        """In the order of `ids`; raises CorruptIndexError for an unknown id."""
        found: dict[str, Passage] = {}
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _IDS_PER_QUERY):
            part = wanted[start : start + _IDS_PER_QUERY]
            marks = ",".join("?" * len(part))
            for row in self._all(f"SELECT {_PASSAGE} WHERE passages.id IN ({marks})", part):
                found[row[0]] = passage_from_row(row)
        missing = next((i for i in wanted if i not in found), None)
        if missing is not None:
            raise CorruptIndexError(
                f"Il brano {missing} non è nel catalogo {self._path}.",
                remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
            )
        return [found[i] for i in ids]

    def document_passages(self, document_id: str) -> list[Passage]:
        rows = self._all(f"SELECT {_PASSAGE} WHERE documents.id = ? ORDER BY row", [document_id])
        return [passage_from_row(row) for row in rows]

    def analysed(self, ids: Sequence[str]) -> list[str]:
        """Terms of passages in the order of `ids`, as `assistant.index.analysed` writes them."""
        found: dict[str, str] = {}
        for start in range(0, len(ids), _IDS_PER_QUERY):
            part = ids[start : start + _IDS_PER_QUERY]
            marks = ",".join("?" * len(part))
            query = f"SELECT id, analysed FROM passages WHERE id IN ({marks})"
            found.update(self._all(query, part))
        return [found[identity] for identity in ids]

    def passage_ids(self, rows: Sequence[int]) -> list[str]:
        """Ids of the passages at `rows`, in the same order."""
        ids = self._passage_ids
        return [ids[row] for row in rows]

    @cached_property
    def _passage_ids(self) -> list[str]:
        """By row, all of them: 70 bytes each, and every ranker needs a hundred for every query."""
        ids = [""] * self._passage_count
        # The index on ids answers this by itself, without touching the texts.
        for row, identity in self._all("SELECT row, id FROM passages"):
            ids[row] = identity
        return ids

    @cached_property
    def _passage_count(self) -> int:
        return int(self._all("SELECT coalesce(max(row) + 1, 0) FROM passages")[0][0])

    def documents(self) -> list[Document]:
        rows = self._all("SELECT data FROM documents ORDER BY title, source")
        return [self._related(document_from_json(row[0])) for row in rows]

    def document(self, document_id: str) -> Document:
        rows = self._all("SELECT data FROM documents WHERE id = ?", [document_id])
        if not rows:
            raise NotFoundError(
                f"Nessun documento ha l'identificativo {document_id[:80]!r}.",
                remedy="Gli identificativi sono nell'elenco dei documenti.",
            )
        return self._related(document_from_json(rows[0][0]))

    def relations(self, document_id: str) -> list[Relation]:
        """How a document stands to others, in a fixed order."""
        return [relation for relation, _ in self._relations.get(document_id, ())]

    def _read_relations(self) -> dict[str, list[tuple[Relation, str]]]:
        """By document, its relations with the title of the other one."""
        found: dict[str, list[tuple[Relation, str]]] = {}
        for *values, title in self._all(
            "SELECT relations.kind, document_id, other_id, why, share, title FROM relations"
            " JOIN documents ON documents.id = other_id ORDER BY relations.rowid"
        ):
            found.setdefault(values[1], []).append((Relation(*values), title))
        return found

    def _read_places(self) -> dict[str, list[str]]:
        """By document, its sources, where there are several."""
        found: dict[str, list[str]] = {}
        for identity, source in self._all(
            "SELECT document_id, source FROM sources WHERE document_id IN"
            " (SELECT document_id FROM sources GROUP BY document_id HAVING count(*) > 1)"
            " ORDER BY rowid"
        ):
            found.setdefault(identity, []).append(source)
        return found

    def _related(self, document: Document) -> Document:
        """The document with what the index knows of it besides its own words."""
        related = self._relations.get(document.id, [])
        others = {
            kind: tuple(r.other_id for r, _ in related if r.kind == kind)
            for kind in ("updated_by", "near_duplicate")
        }
        places = self._places.get(document.id, [])
        found = replace(
            document,
            updated_by=others["updated_by"],
            near_duplicates=others["near_duplicate"],
            also_at=tuple(place for place in places if place != document.source),
        )
        for relation, title in related:
            if relation.kind == "superseded_by":
                return replace(
                    found,
                    status="superseded",
                    superseded_by=title,
                    superseded_by_id=relation.other_id,
                )
        return found

    def page(self, document_id: str, number: int) -> Page:
        rows = self._all(
            "SELECT text, label, ocr_confidence FROM pages"
            " JOIN documents ON documents.number = pages.document"
            " WHERE documents.id = ? AND pages.number = ?",
            # Beyond 64 bits SQLite cannot even compare: there is no such page either.
            [document_id, number if abs(number) < 2**63 else -1],
        )
        if not rows:
            count = self.document(document_id).page_count
            raise NotFoundError(
                f"La pagina {number} non c'è: il documento ha {count} pagine.",
                remedy="Le pagine si contano da 1.",
            )
        return Page(document_id, number, *rows[0])

    def schede(self) -> list[Scheda]:
        rows = self._all(
            "SELECT data FROM records WHERE kind = 'scheda' ORDER BY document, position"
        )
        return [scheda_from_json(row[0]) for row in rows]

    def interventi(self) -> list[Intervento]:
        rows = self._all(
            "SELECT data FROM records WHERE kind = 'intervento' ORDER BY document, position"
        )
        return [intervento_from_json(row[0]) for row in rows]

    def record_entries(self) -> list[RecordEntry]:
        """All records in short: schede first, each kind in the order of its documents."""
        rows = self._all(
            "SELECT entry, documents.title, documents.source FROM records"
            " JOIN documents ON documents.number = records.document"
            " ORDER BY records.kind DESC, document, position"
        )
        return [entry_from_json(*row) for row in rows]

    def records(self, ids: Sequence[str]) -> list[Record]:
        """In the order of `ids`; raises NotFoundError for an unknown id."""
        found: dict[str, Record] = {}
        for start in range(0, len(ids), _IDS_PER_QUERY):
            part = ids[start : start + _IDS_PER_QUERY]
            marks = ",".join("?" * len(part))
            query = f"SELECT id, kind, data FROM records WHERE id IN ({marks})"
            for identity, kind, data in self._all(query, part):
                read = scheda_from_json if kind == "scheda" else intervento_from_json
                found[identity] = read(data)
        missing = next((identity for identity in ids if identity not in found), None)
        if missing is not None:
            raise NotFoundError(
                f"Nessuna scheda ha l'identificativo {missing[:60]!r}.",
                remedy="Gli identificativi sono nell'elenco delle schede: `piano schede --json`.",
            )
        return [found[identity] for identity in ids]

    def passage_counts(self) -> dict[str, int]:
        """Number of passages of each document, by its id."""
        return dict(self._all("SELECT id, row_count FROM documents"))

    def sources(self) -> list[Source]:
        rows = self._all("SELECT location, source, document_id FROM sources ORDER BY rowid")
        return [Source(*row) for row in rows]

    def distretti(self) -> list[str]:
        """Names of the districts that documents are of, each once, in a fixed order."""
        rows = self._all(
            "SELECT DISTINCT json_extract(data, '$.distretto') AS name FROM documents"
            " WHERE distretto_key IS NOT NULL ORDER BY name"
        )
        return [row[0] for row in rows]

    def select(self, filters: Filters) -> Selection:
        """The passages that fulfil all filters."""
        where, values = _document_conditions(filters)

        found = self._all(
            "SELECT id, first_row, first_row + row_count FROM documents"
            f" WHERE {where or '1'} ORDER BY first_row",
            values,
        )
        stretches = [Rows(*row[1:]) for row in found]
        keys = [scheda_key(value) for value in filters.scheda]
        if keys:
            stretches = [
                Rows(*row)
                for row in self._all(
                    "SELECT row, row + 1 FROM passages"
                    " JOIN documents ON documents.number = passages.document"
                    f" WHERE scheda_key IN ({','.join('?' * len(keys))}) AND ({where or '1'})"
                    " ORDER BY row",
                    [*keys, *values],
                )
            ]
        return Selection(
            merge(stretches),
            self._passage_count,
            documents=[row[0] for row in found] if where else None,
            schede=keys,
        )

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._connection.execute(query, values).fetchall()
        except sqlite3.ProgrammingError as error:
            raise CorruptIndexError(
                "Il catalogo è stato chiuso durante la lettura.", remedy="Ripeti la richiesta."
            ) from error
        except sqlite3.Error as error:
            raise self._corrupt(error) from error

    def _corrupt(self, error: Exception) -> CorruptIndexError:
        return CorruptIndexError(
            f"Il catalogo {self._path} non si legge ({error}).",
            remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
        )


def _document_conditions(filters: Filters) -> tuple[str, list[Any]]:
    """An SQL condition over the table `documents`, empty when nothing is asked, and its values.

    Lists and JSON, not alternatives one by one: SQLite refuses an expression a thousand deep.
    """
    groups: list[str] = []
    values: list[Any] = []

    def among(column: str, wanted: Sequence[Any]) -> str:
        values.extend(wanted)
        return f"{column} IN ({','.join('?' * len(wanted))})"

    if filters.distretto:
        groups.append(among("distretto_key", [name_key(name) for name in filters.distretto]))
    if filters.kind:
        groups.append(among("kind", filters.kind))
    if filters.year:
        values.append(json.dumps(filters.year))
        groups.append(
            "EXISTS (SELECT 1 FROM json_each(?) AS year"
            " WHERE year.value BETWEEN year_from AND year_to)"
        )
    if filters.status:
        # What is not known to be superseded is taken to be in force.
        groups.append(
            among(f"CASE WHEN {_SUPERSEDED} THEN 'superseded' ELSE 'in_force' END", filters.status)
        )
    if filters.document:
        alternatives = [
            among("documents.id", [wanted.lower() for wanted in filters.document]),
            among("source", filters.document),
            among("title_key", [name_key(wanted) for wanted in filters.document]),
        ]
        beginnings: dict[int, list[str]] = {}
        for wanted in map(str.lower, filters.document):
            if len(wanted) >= MIN_ID_PREFIX and set(wanted) <= set("0123456789abcdef"):
                beginnings.setdefault(len(wanted), []).append(wanted)
        alternatives += [
            among(f"substr(documents.id, 1, {length})", same) for length, same in beginnings.items()
        ]
        groups.append(" OR ".join(alternatives))
    return " AND ".join(f"({group})" for group in groups), values
