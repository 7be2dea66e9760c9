"""Conversations kept on this machine, and the questions asked inside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from assistant.api.deps import TheAssistant, TheConversations, TheMetrics
from assistant.api.events import RESPONSES, StreamRoute, as_events, guarded
from assistant.api.shapes import (
    MAX_HISTORY,
    ConversationBody,
    ConversationsQuery,
    MessageBody,
    Question,
    RenameBody,
)
from assistant.models import Answer, Conversation, ConversationWithMessages, Message, MessageKept

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])
streams = APIRouter(prefix="/v1/conversations", route_class=StreamRoute)


@router.post("", status_code=201)
def create(body: ConversationBody, conversations: TheConversations) -> Conversation:
    return conversations.create(body.title)


@router.get("")
def recent(
    query: Annotated[ConversationsQuery, Query()], conversations: TheConversations
) -> list[Conversation]:
    """Latest used first; `q` is looked for in titles and questions.

    `empty=false` leaves out those in which nothing was asked yet.
    """
    return conversations.recent(query.q, limit=query.limit, empty=query.empty)


@router.get("/{conversation_id}")
def read(conversation_id: str, conversations: TheConversations) -> ConversationWithMessages:
    return ConversationWithMessages(
        conversations.get(conversation_id), tuple(conversations.messages(conversation_id))
    )


@router.patch("/{conversation_id}")
def rename(conversation_id: str, body: RenameBody, conversations: TheConversations) -> Conversation:
    return conversations.rename(conversation_id, body.title)


@router.delete("/{conversation_id}", status_code=204)
def delete(conversation_id: str, conversations: TheConversations) -> None:
    conversations.delete(conversation_id)


def _question(conversation_id: str, body: MessageBody, conversations: TheConversations) -> Question:
    """Before a stream begins, so that what is wrong is still told by the status."""
    history = conversations.questions(conversation_id)[-MAX_HISTORY:]
    return Question.of(body, history)


TheQuestion = Annotated[Question, Depends(_question)]


@router.post("/{conversation_id}/messages", status_code=201, responses={201: RESPONSES[200]})
def ask(
    conversation_id: str,
    question: TheQuestion,
    assistant: TheAssistant,
    conversations: TheConversations,
    metrics: TheMetrics,
) -> Message:
    """Asks with the conversation's earlier questions, and keeps question and answer."""
    answer = assistant.ask(question.text, **question.asked)
    metrics.answers.labels(answer.status, answer.mode).inc()
    return conversations.add(conversation_id, answer)


@streams.post(
    "/{conversation_id}/messages", response_class=EventSourceResponse, include_in_schema=False
)
def ask_stream(
    request: Request,
    conversation_id: str,
    question: TheQuestion,
    assistant: TheAssistant,
    conversations: TheConversations,
    metrics: TheMetrics,
) -> Iterator[ServerSentEvent]:
    """The exchange is kept once it is whole: a stream left half-way keeps nothing."""

    def keep(answer: Answer) -> ServerSentEvent:
        message = conversations.add(conversation_id, answer)
        kept = MessageKept(message.id, message.conversation_id, message.created)
        return ServerSentEvent(event="message", data=kept)

    def events() -> Iterator[ServerSentEvent]:
        stream = assistant.stream(question.text, **question.asked)
        yield from as_events(stream, metrics, keep)

    yield from guarded(events(), request.url.path, metrics)
