"""The application: routes, errors, limits and what surrounds them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from assistant.api import problems
from assistant.api.metrics import MeasureRequests, Metrics
from assistant.api.routes import ROUTERS
from assistant.api.shapes import Service
from assistant.api.shield import Shield
from assistant.conversations import ConversationStore
from assistant.settings import Settings


def create_app(assistant: Service, settings: Settings, conversations: ConversationStore) -> FastAPI:
    """The API over these parts; they are closed when the application stops."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        assistant.close()
        conversations.close()

    app = FastAPI(
        title="Piano",
        summary="Risposte con citazioni dai documenti del Piano sociale e sanitario.",
        version="1",
        lifespan=lifespan,
        # Their pages load scripts from outside; /openapi.json stays.
        docs_url=None,
        redoc_url=None,
    )
    app.state.assistant = assistant
    app.state.settings = settings
    app.state.conversations = conversations
    app.state.metrics = Metrics()
    for router in ROUTERS:
        app.include_router(router)
    problems.install(app)
    app.add_middleware(MeasureRequests, metrics=app.state.metrics)
    app.add_middleware(Shield, host=settings.api_host)
    return app
