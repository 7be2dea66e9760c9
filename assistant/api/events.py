"""Answers as server-sent events, and the choice of them by the Accept header."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fastapi.routing import APIRoute
from fastapi.sse import ServerSentEvent
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

from assistant.api.metrics import Metrics
from assistant.api.problems import Problem, from_assistant, unexpected
from assistant.api.shapes import Event
from assistant.errors import AssistantError
from assistant.models import Answer, AnswerSentence, Citation, Stage

EVENT_STREAM = "text/event-stream"
DESCRIPTION = (
    "With `Accept: text/event-stream`, server-sent events: `stage` (Stage), `sentence` "
    "(`{sentence, citations}`: a verified AnswerSentence and the citations new with it), `answer` "
    "(the whole Answer) and, inside a conversation, `message` (MessageKept). `error` (problem "
    "details) ends a stream that fails."
)
RESPONSES: dict[int | str, dict[str, object]] = {
    200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}}}, "description": DESCRIPTION}
}


class StreamRoute(APIRoute):
    """Takes a request only when it asks for events; the JSON route beside it takes the others."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is not Match.NONE and EVENT_STREAM not in Headers(scope=scope).get("accept", ""):
            return Match.NONE, {}
        return match, child


def as_events(
    stream: Iterator[Event], metrics: Metrics, on_answer: Callable[[Answer], ServerSentEvent] | None
) -> Iterator[ServerSentEvent]:
    """The service's stream; `on_answer` makes the event that follows the whole answer."""
    fresh: list[Citation] = []
    for item in stream:
        if isinstance(item, Stage):
            yield ServerSentEvent(event="stage", data=item)
        elif isinstance(item, Citation):
            fresh.append(item)
        elif isinstance(item, AnswerSentence):
            yield ServerSentEvent(event="sentence", data={"sentence": item, "citations": fresh})
            fresh = []
        else:
            metrics.answers.labels(item.status, item.mode).inc()
            yield ServerSentEvent(event="answer", data=item)
            if on_answer is not None:
                yield on_answer(item)


def guarded(
    events: Iterator[ServerSentEvent], instance: str, metrics: Metrics
) -> Iterator[ServerSentEvent]:
    """Once the response has begun an error can no longer be a status: it becomes an event."""
    try:
        yield from events
    except AssistantError as error:
        yield _error_event(from_assistant(error, instance), metrics)
    except Exception as error:  # noqa: BLE001 - the stream's last word; logged by `unexpected`
        yield _error_event(unexpected(error, instance), metrics)


def _error_event(problem: Problem, metrics: Metrics) -> ServerSentEvent:
    metrics.stream_errors.inc()
    return ServerSentEvent(event="error", data=problem.members())
