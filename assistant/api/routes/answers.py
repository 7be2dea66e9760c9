"""Questions to answers, as JSON or as server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from assistant.api.deps import TheAssistant, TheConversations, TheMetrics
from assistant.api.events import RESPONSES, StreamRoute, as_events, guarded
from assistant.api.shapes import MAX_HISTORY, AskBody, Question
from assistant.conversations import ConversationStore
from assistant.errors import UsageError
from assistant.models import Answer

router = APIRouter(tags=["answers"])
streams = APIRouter(route_class=StreamRoute)


def _question(body: AskBody, conversations: TheConversations) -> Question:
    """Before a stream begins, so that what is wrong is still told by the status."""
    return Question.of(body, _history(body, conversations))


TheQuestion = Annotated[Question, Depends(_question)]


@router.post("/v1/answers", responses=RESPONSES)
def answer(question: TheQuestion, assistant: TheAssistant, metrics: TheMetrics) -> Answer:
    """Answers a question; `conversation_id` lends its earlier questions and keeps nothing."""
    made = assistant.ask(question.text, **question.asked)
    metrics.answers.labels(made.status, made.mode).inc()
    return made


@streams.post("/v1/answers", response_class=EventSourceResponse, include_in_schema=False)
def answer_stream(
    request: Request, question: TheQuestion, assistant: TheAssistant, metrics: TheMetrics
) -> Iterator[ServerSentEvent]:
    def events() -> Iterator[ServerSentEvent]:
        stream = assistant.stream(question.text, **question.asked)
        yield from as_events(stream, metrics, None)

    yield from guarded(events(), request.url.path, metrics)


def _history(body: AskBody, conversations: ConversationStore) -> list[str]:
    if body.conversation_id is None:
        return list(body.history)
    if body.history:
        raise UsageError(
            "La richiesta indica sia «history» sia «conversation_id».",
            remedy="Manda l'uno o l'altro.",
        )
    return conversations.questions(body.conversation_id)[-MAX_HISTORY:]
