"""The API as the UI calls it: typed answers in, Italian errors out."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from assistant.errors import AssistantError
from assistant.models import (
    Answer,
    AnswerSentence,
    Citation,
    Conversation,
    ConversationWithMessages,
    Document,
    DocumentPage,
    Feedback,
    FeedbackReason,
    MessageKept,
    Stage,
    Status,
)

T = TypeVar("T")

READ_SECONDS = 90.0
"""Longest silence from the API: a chat model may think before its first word."""


class ApiUnreachableError(AssistantError):
    title = "Il servizio non risponde"


class ApiProblemError(AssistantError):
    """The API answered with a problem; `status` is its HTTP status."""

    def __init__(self, title: str, detail: str, status: int) -> None:
        super().__init__(detail)
        self.title = title
        self.http_status = status


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer in the making, with the citations new with it."""

    sentence: AnswerSentence
    citations: tuple[Citation, ...]


Event = Stage | Sentence | Answer | MessageKept
_EVENTS: Mapping[str, type[Event]] = {
    "stage": Stage,
    "sentence": Sentence,
    "answer": Answer,
    "message": MessageKept,
}


class Client:
    """Calls one API; safe to share between sessions.

    Raises:
        ApiUnreachableError: nothing answers at the address, or not in time.
        ApiProblemError: the API refused; the message is its own.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._http = httpx.Client(
            base_url=self.address,
            timeout=httpx.Timeout(10.0, read=READ_SECONDS),
            trust_env=False,  # a proxy for the web must not see what stays on this machine
        )

    def status(self) -> Status:
        return self._get(Status, "/v1/status")

    def ready(self) -> None:
        """Raises when the API has no index to answer from."""
        self._send("GET", "/ready")

    def documents(self) -> list[Document]:
        return self._get(list[Document], "/v1/documents")

    def page(self, document_id: str, number: int) -> DocumentPage:
        return self._get(DocumentPage, f"/v1/documents/{_safe(document_id)}/pages/{number}")

    def conversations(self, search: str = "", *, limit: int = 30) -> list[Conversation]:
        """Those with at least one question, latest used first."""
        params: dict[str, str | int] = {"q": search, "limit": limit, "empty": "false"}
        return self._get(list[Conversation], "/v1/conversations", params)

    def conversation(self, conversation_id: str) -> ConversationWithMessages:
        return self._get(ConversationWithMessages, f"/v1/conversations/{_safe(conversation_id)}")

    def create_conversation(self) -> Conversation:
        return self._read(Conversation, self._send("POST", "/v1/conversations", body={}))

    def rename(self, conversation_id: str, title: str) -> Conversation:
        address = f"/v1/conversations/{_safe(conversation_id)}"
        return self._read(Conversation, self._send("PATCH", address, body={"title": title}))

    def delete(self, conversation_id: str) -> None:
        self._send("DELETE", f"/v1/conversations/{_safe(conversation_id)}")

    def feedback(self, message_id: str, reason: FeedbackReason, comment: str = "") -> Feedback:
        body = {"message_id": message_id, "reason": reason, "comment": comment}
        return self._read(Feedback, self._send("POST", "/v1/feedback", body=body))

    def ask(
        self,
        conversation_id: str,
        question: str,
        filters: Mapping[str, Sequence[Any]],
        *,
        exact: bool = False,
        ignore: Sequence[str] = (),
    ) -> Iterator[Event]:
        """Stages and sentences as they come, then the Answer, then where it was kept."""
        address = f"/v1/conversations/{_safe(conversation_id)}/messages"
        body = {
            "question": question,
            "filters": {k: list(v) for k, v in filters.items() if v},
            "exact": exact,
            "ignore": list(ignore),
        }
        with (
            self._translated(),
            self._http.stream(
                "POST", address, json=body, headers={"Accept": "text/event-stream"}
            ) as response,
        ):
            if response.is_error:
                response.read()
            _raise_problem(response)
            complete = False
            for name, data in _server_sent(response.iter_lines()):
                if name == "error":
                    raise _problem(data)
                if name in _EVENTS:
                    complete = complete or name == "answer"
                    yield _adapter(cast(Hashable, _EVENTS[name])).validate_python(data)
            if not complete:
                raise ApiUnreachableError(
                    "La risposta si è interrotta prima della fine.", remedy="Ripeti la domanda."
                )

    def _get(self, kind: type[T], path: str, params: Mapping[str, str | int] | None = None) -> T:
        return self._read(kind, self._send("GET", path, params=params))

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
    ) -> httpx.Response:
        with self._translated():
            response = self._http.request(method, path, params=params, json=body)
        _raise_problem(response)
        return response

    def _read(self, kind: type[T], response: httpx.Response) -> T:
        try:
            return cast(T, _adapter(cast(Hashable, kind)).validate_json(response.content))
        except ValidationError as error:
            raise self._unreadable() from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise ApiUnreachableError(
                f"Il servizio all'indirizzo {self.address} non ha risposto in tempo.",
                remedy="Riprova fra poco.",
            ) from error
        except httpx.HTTPError as error:
            raise ApiUnreachableError(
                f"All'indirizzo {self.address} non c'è nessuna risposta.",
                remedy="Se il programma è su questo computer, avvialo con `piano up` (o solo il "
                "servizio, con `piano api`), poi premi «Riprova»; altrimenti avvisa chi lo "
                "gestisce.",
            ) from error
        except (ValidationError, json.JSONDecodeError) as error:
            raise self._unreadable() from error

    def _unreadable(self) -> ApiUnreachableError:
        return ApiUnreachableError(
            f"All'indirizzo {self.address} risponde un altro programma, o un'altra versione.",
            remedy="Ferma tutto e riavvia con `piano up`.",
        )


def _server_sent(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Names and data of server-sent events whose data is one line of ASCII JSON, as ours is."""
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


def _raise_problem(response: httpx.Response) -> None:
    if not response.is_error:
        return
    try:
        data = response.json()
    except ValueError:
        data = {}
    raise _problem(data if isinstance(data, dict) else {}, response.status_code)


def _problem(data: Mapping[str, Any], status: int = 500) -> ApiProblemError:
    return ApiProblemError(
        str(data.get("title", "Errore")),
        str(data.get("detail", f"Il servizio ha risposto con il codice {status}.")),
        int(data.get("status", status)),
    )


def _safe(part: str) -> str:
    return quote(part, safe="")
