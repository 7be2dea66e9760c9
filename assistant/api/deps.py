"""What routes receive: the parts that the application was made with."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from assistant.api.metrics import Metrics
from assistant.api.shapes import Service
from assistant.conversations import ConversationStore
from assistant.settings import Settings


# Coroutines, so that FastAPI does not send each of them through a thread.
async def _assistant(request: Request) -> Service:
    return cast(Service, request.app.state.assistant)


async def _conversations(request: Request) -> ConversationStore:
    return cast(ConversationStore, request.app.state.conversations)


async def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


async def _metrics(request: Request) -> Metrics:
    return cast(Metrics, request.app.state.metrics)


TheAssistant = Annotated[Service, Depends(_assistant)]
TheConversations = Annotated[ConversationStore, Depends(_conversations)]
TheSettings = Annotated[Settings, Depends(_settings)]
TheMetrics = Annotated[Metrics, Depends(_metrics)]
