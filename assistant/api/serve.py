"""Runs the API until it is told to stop."""

from __future__ import annotations

import errno
import logging
import socket
from typing import Any, cast

import uvicorn
from fastapi import FastAPI

from assistant.api.app import create_app
from assistant.conversations import ConversationStore
from assistant.errors import UsageError
from assistant.settings import Settings

logger = logging.getLogger(__name__)

STOP_SECONDS = 5
"""How long open requests may take to end when the API is told to stop."""


def serve(settings: Settings) -> None:
    """Listens on `api_host:api_port` until SIGINT or SIGTERM.

    Raises:
        UsageError: the address cannot be had.
        StorageError: the conversations cannot be opened.
        EmbeddingError, RerankerError: a model that the settings name cannot be loaded.
    """
    listener = bind(settings.api_host, settings.api_port)
    try:
        from assistant.build import build_assistant

        assistant = build_assistant(settings, long_lived=True)
        if settings.cross_encoder:
            assistant.load()
        conversations = ConversationStore(settings.data_dir / "conversations.sqlite")
        run(create_app(assistant, settings, conversations), listener)
    finally:
        listener.close()


def run(app: FastAPI, listener: socket.socket) -> None:
    """Serves `app` on a bound socket; returns after a graceful stop."""
    host, port = listener.getsockname()[:2]
    logger.info("listening on %s port %s", host, port)
    make_server(app).run(sockets=[listener])


def make_server(app: FastAPI) -> uvicorn.Server:
    """The server, ready to run on a bound socket."""
    return uvicorn.Server(
        uvicorn.Config(
            cast(Any, app),  # uvicorn and starlette spell ASGI differently
            log_config=None,  # the entry point configures logging
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address, so that a taken port is known before anything is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"La porta {port} di {host} è già in uso.",
                remedy="Forse l'API è già avviata. Fermala, oppure scegli un'altra porta con "
                "PIANO_API_PORT.",
            ) from error
        raise UsageError(
            f"L'API non può mettersi in ascolto su {host}, porta {port}: {error}.",
            remedy="Correggi PIANO_API_HOST e PIANO_API_PORT.",
        ) from error
    return listener
