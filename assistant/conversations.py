"""Conversations and feedback in one SQLite file, outside every index generation."""

from __future__ import annotations

import re
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from assistant.errors import NotFoundError, StorageError
from assistant.models import Answer, Conversation, Feedback, FeedbackReason, Message

SCHEMA_VERSION = 1
TITLE_LENGTH = 80
"""Longest title made from a first question, in characters."""

_ANSWER = TypeAdapter(Answer)
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SCHEMA = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL
);
CREATE TABLE messages (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    created TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL
);
CREATE INDEX messages_by_conversation ON messages(conversation_id, ordinal);
CREATE TABLE feedback (
    id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
    created TEXT NOT NULL, reason TEXT NOT NULL, comment TEXT NOT NULL
);
CREATE INDEX feedback_by_message ON feedback(message_id);
"""
_LIST = """
SELECT id, title, created, updated,
       (SELECT count(*) FROM messages WHERE conversation_id = conversations.id) AS messages
FROM conversations
"""


class Reported(NamedTuple):
    """A user's feedback with what it is about."""

    feedback: Feedback
    answer: Answer
    history: tuple[str, ...]
    """The questions asked before it in the same conversation."""


class ConversationStore:
    """Safe to use from several threads; another process may use the same file meanwhile.

    Raises:
        StorageError: the file cannot be opened, read or written, or a newer version made it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # What people ask may be personal: the file is for its owner alone.
            path.touch(mode=0o600, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, timeout=10)
        except (OSError, sqlite3.Error) as error:
            raise _storage_error(path, error) from error
        self._db.row_factory = sqlite3.Row
        self._db.create_function("folded", 1, _folded, deterministic=True)
        self._prepare()

    def create(self, title: str = "") -> Conversation:
        conversation_id, now = uuid.uuid4().hex, _now()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO conversations VALUES (?, ?, ?, ?)",
                (conversation_id, _one_line(title), now, now),
            )
        return self.get(conversation_id)

    def get(self, conversation_id: str) -> Conversation:
        """Raises NotFoundError."""
        with self._transaction() as db:
            row = db.execute(_LIST + "WHERE id = ?", (conversation_id,)).fetchone()
        if row is None:
            raise _no_conversation(conversation_id)
        return Conversation(**row)

    def recent(
        self, search: str = "", *, limit: int = 200, empty: bool = True
    ) -> list[Conversation]:
        """Latest used first; `search` is looked for in titles and questions, in any case.

        `empty` False leaves out those in which nothing was asked yet.
        """
        pattern = "%" + _escaped(_folded(_one_line(search))) + "%"
        with self._transaction() as db:
            rows = db.execute(
                _LIST
                + r"""
                WHERE (?3 OR messages > 0) AND (folded(title) LIKE ?1 ESCAPE '\' OR EXISTS (
                    SELECT 1 FROM messages WHERE conversation_id = conversations.id
                    AND folded(question) LIKE ?1 ESCAPE '\'))
                ORDER BY updated DESC, rowid DESC LIMIT ?2""",
                (pattern, limit, empty),
            ).fetchall()
        return [Conversation(**row) for row in rows]

    def rename(self, conversation_id: str, title: str) -> Conversation:
        """Raises NotFoundError."""
        with self._transaction() as db:
            changed = db.execute(
                "UPDATE conversations SET title = ? WHERE id = ?",
                (_one_line(title), conversation_id),
            ).rowcount
        if not changed:
            raise _no_conversation(conversation_id)
        return self.get(conversation_id)

    def delete(self, conversation_id: str) -> None:
        """Its messages and feedback go with it, from the disk too. Raises NotFoundError."""
        with self._transaction() as db:
            changed = db.execute(
                "DELETE FROM conversations WHERE id = ?", (conversation_id,)
            ).rowcount
        if not changed:
            raise _no_conversation(conversation_id)
        with self._lock:
            # Otherwise the deleted words would stay readable in the write-ahead log.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def add(self, conversation_id: str, answer: Answer) -> Message:
        """Keeps a question with its answer. Raises NotFoundError for an unknown conversation."""
        message_id, now = uuid.uuid4().hex, _now()
        title = _one_line(answer.question)
        title = title if len(title) <= TITLE_LENGTH else title[: TITLE_LENGTH - 1].rstrip() + "…"
        with self._transaction() as db:
            changed = db.execute(
                "UPDATE conversations SET updated = ?, title = iif(title = '', ?, title) "
                "WHERE id = ?",
                (now, title, conversation_id),
            ).rowcount
            if not changed:
                raise _no_conversation(conversation_id)
            db.execute(
                "INSERT INTO messages (id, conversation_id, created, question, answer) "
                "VALUES (?, ?, ?, ?, ?)",
                (
                    message_id,
                    conversation_id,
                    now,
                    answer.question,
                    _ANSWER.dump_json(answer).decode(),
                ),
            )
        return Message(message_id, conversation_id, now, answer)

    def messages(self, conversation_id: str) -> list[Message]:
        """In the order they were asked. Raises NotFoundError, StorageError."""
        self.get(conversation_id)
        with self._transaction() as db:
            rows = db.execute(
                "SELECT id, created, answer FROM messages WHERE conversation_id = ? "
                "ORDER BY ordinal",
                (conversation_id,),
            ).fetchall()
        return [
            Message(row["id"], conversation_id, row["created"], self._answer(row)) for row in rows
        ]

    def questions(self, conversation_id: str) -> list[str]:
        """The questions asked so far, first one first. Raises NotFoundError."""
        self.get(conversation_id)
        with self._transaction() as db:
            rows = db.execute(
                "SELECT question FROM messages WHERE conversation_id = ? ORDER BY ordinal",
                (conversation_id,),
            ).fetchall()
        return [row["question"] for row in rows]

    def give_feedback(self, message_id: str, reason: FeedbackReason, comment: str = "") -> Feedback:
        """Raises NotFoundError for an unknown message."""
        feedback = Feedback(uuid.uuid4().hex, message_id, _now(), reason, comment.strip())
        with self._transaction() as db:
            if not db.execute("SELECT 1 FROM messages WHERE id = ?", (message_id,)).fetchone():
                raise NotFoundError(
                    f"La risposta {message_id[:40]!r} non è in nessuna conversazione.",
                    remedy="Ricarica la pagina: forse la conversazione è stata eliminata.",
                )
            db.execute(
                "INSERT INTO feedback VALUES (?, ?, ?, ?, ?)",
                (feedback.id, message_id, feedback.created, reason, feedback.comment),
            )
        return feedback

    def feedback(self, message_id: str) -> list[Feedback]:
        with self._transaction() as db:
            rows = db.execute(
                "SELECT * FROM feedback WHERE message_id = ? ORDER BY rowid", (message_id,)
            ).fetchall()
        return [Feedback(**row) for row in rows]

    def reported(self) -> list[Reported]:
        """All feedback with the answer it is about, oldest first."""
        with self._transaction() as db:
            rows = db.execute(
                """SELECT feedback.*, messages.answer, messages.ordinal, messages.conversation_id
                FROM feedback JOIN messages ON messages.id = feedback.message_id
                ORDER BY feedback.rowid"""
            ).fetchall()
            before = [
                db.execute(
                    "SELECT question FROM messages WHERE conversation_id = ? AND ordinal < ?"
                    " ORDER BY ordinal",
                    (row["conversation_id"], row["ordinal"]),
                ).fetchall()
                for row in rows
            ]
        names = ("id", "message_id", "created", "reason", "comment")
        return [
            Reported(
                Feedback(**{name: row[name] for name in names}),
                _ANSWER.validate_json(row["answer"]),
                tuple(earlier["question"] for earlier in questions),
            )
            for row, questions in zip(rows, before, strict=True)
        ]

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _prepare(self) -> None:
        with self._transaction() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA secure_delete = ON")
            # Taken before the version is read: two processes may open a new file at once.
            db.execute("BEGIN IMMEDIATE")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        if version > SCHEMA_VERSION:
            self._db.close()
            raise StorageError(
                f"L'archivio {self.path} è stato scritto da una versione più recente.",
                remedy="Aggiorna il programma, oppure sposta il file altrove.",
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                with self._db as db:
                    yield db
            except sqlite3.Error as error:
                raise _storage_error(self.path, error) from error

    def _answer(self, row: sqlite3.Row) -> Answer:
        try:
            return _ANSWER.validate_json(row["answer"])
        except ValidationError as error:
            raise StorageError(
                f"La risposta {row['id']} nell'archivio {self.path} non si legge.",
                remedy="Elimina la conversazione, oppure ripristina una copia del file.",
            ) from error


def _folded(text: str) -> str:
    return text.casefold()


def _one_line(text: str) -> str:
    """Without control characters (SQLite stops at a NUL) and marks that turn text round."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def _escaped(text: str) -> str:
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, "\\" + sign)
    return text


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _no_conversation(conversation_id: str) -> NotFoundError:
    return NotFoundError(
        f"La conversazione {conversation_id[:40]!r} non esiste.",
        remedy="Forse è stata eliminata: aprine un'altra o iniziane una nuova.",
    )


def _storage_error(path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"L'archivio delle conversazioni {path} non si può usare: {error}.",
        remedy="Controlla i permessi e lo spazio su disco, oppure sposta il file altrove.",
    )
