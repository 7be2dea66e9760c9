"""Routes by resource; ROUTERS lists them all."""

from __future__ import annotations

from fastapi import APIRouter

from assistant.api.routes import (
    answers,
    conversations,
    documents,
    feedback,
    health,
    pages,
    schede,
    search,
)

ROUTERS: tuple[APIRouter, ...] = (
    # Streams first: they decline what does not ask for events.
    answers.streams,
    answers.router,
    conversations.streams,
    conversations.router,
    search.router,
    documents.router,
    schede.router,
    feedback.router,
    pages.router,
    health.router,
)

__all__ = ["ROUTERS"]
