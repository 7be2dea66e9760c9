"""The chat model behind one setting, with errors that users can act on."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from assistant.errors import ChatModelError
from assistant.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage

logger = logging.getLogger(__name__)

MAX_CHARACTERS = 8_000
"""A longer answer is cut: six sentences need far less, and a stuck model can go on for ever."""
MAX_TOKENS = 1_200
"""Asked of the server; the limit above holds for those that ignore it."""
_NO_KEY = "nessuna"
"""Sent to servers of one's own, which ask for no key: OpenAI's client refuses an empty one."""


def load_model(settings: Settings) -> BaseChatModel:
    """The model of `settings.chat_model`; importing LangChain takes seconds.

    Raises:
        ChatModelError: malformed setting, unknown provider, missing key.
    """
    provider, _, name = settings.chat_model.partition(":")
    if provider not in _OPTIONS or not name:
        raise ChatModelError(
            f"L'impostazione PIANO_CHAT_MODEL non è valida: «{settings.chat_model}».",
            remedy="Scrivila come fornitore:modello, con fornitore "
            + " o ".join(_OPTIONS)
            + ", per esempio ollama:llama3.1.",
        )
    if provider == "openai" and not (settings.chat_api_key or settings.chat_base_url):
        raise ChatModelError(
            "Il modello linguistico di OpenAI vuole una chiave.",
            remedy="Imposta PIANO_CHAT_API_KEY, oppure PIANO_CHAT_BASE_URL per un server locale.",
        )
    try:
        from langchain.chat_models import init_chat_model

        model: BaseChatModel = init_chat_model(
            name, model_provider=provider, temperature=0, **_OPTIONS[provider](settings)
        )
        return model
    except (ImportError, ValueError, TypeError) as error:
        raise ChatModelError(
            f"Il modello linguistico «{settings.chat_model}» non può essere preparato.",
            remedy="Controlla PIANO_CHAT_MODEL e PIANO_CHAT_BASE_URL, e che l'installazione sia "
            "completa (make setup).",
        ) from error


def _openai_options(settings: Settings) -> dict[str, Any]:
    return {
        "base_url": settings.chat_base_url or None,
        "api_key": settings.chat_api_key or _NO_KEY,
        # Both default to None, which is "for ever" and "as the library likes".
        "timeout": settings.chat_timeout_seconds,
        "max_retries": 1,
        "stream_usage": True,
        "max_tokens": MAX_TOKENS,
        # The protocol that every compatible server speaks; the newer one only OpenAI does.
        "use_responses_api": False,
    }


def _ollama_options(settings: Settings) -> dict[str, Any]:
    return {
        "base_url": settings.chat_base_url or None,
        "num_predict": MAX_TOKENS,
        "client_kwargs": {"timeout": settings.chat_timeout_seconds},
    }


_OPTIONS = {"openai": _openai_options, "ollama": _ollama_options}
"""A provider is its row here and its integration package in pyproject.toml."""


def stream_text(
    model: BaseChatModel, messages: Sequence[BaseMessage], settings: Settings
) -> Iterator[str]:
    """The model's words as they come, within one deadline for the whole answer.

    The model is read in a thread of its own: a read that hangs cannot hold the answer beyond its
    deadline, and the switch that keeps traces at home stays in that thread's context.

    Raises:
        ChatModelError: dead or slow server, refused key, malformed, empty or cut answer.
    """
    pieces: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
    abandoned = threading.Event()
    arguments = (model, messages, pieces, abandoned)
    threading.Thread(target=_read, args=arguments, name="chat-model", daemon=True).start()
    deadline = time.monotonic() + settings.chat_timeout_seconds
    total = 0
    try:
        while True:
            try:
                piece = pieces.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise _too_slow(settings) from None
            if piece is None:
                break
            if isinstance(piece, ChatModelError):
                raise piece
            if isinstance(piece, Exception):
                raise _translated(piece, settings) from piece
            total += len(piece)
            yield piece
            if total > MAX_CHARACTERS:
                logger.warning("chat model answer cut at %d characters", total)
                return
    finally:
        abandoned.set()
    if not total:
        raise ChatModelError(
            "Il modello linguistico ha dato una risposta vuota.",
            remedy="Riprova, o scegli un altro modello con PIANO_CHAT_MODEL.",
        )


def _read(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    pieces: queue.SimpleQueue[str | Exception | None],
    abandoned: threading.Event,
) -> None:
    from langsmith import tracing_context

    finish: str | None = None
    try:
        # Whatever LANGSMITH_* variables say, questions and passages are not sent to a tracer.
        with tracing_context(enabled=False):
            for chunk in model.stream(list(messages)):
                if abandoned.is_set():
                    return
                if text := str(chunk.text):
                    finish = ""
                    pieces.put(text)
                finish = _finish_reason(chunk) or finish
    except Exception as error:  # noqa: BLE001  (told, translated, by whoever waits)
        pieces.put(error)
    else:
        pieces.put(_cut(finish))


def _finish_reason(chunk: AIMessageChunk) -> str | None:
    """Why the model stopped, as OpenAI's protocol or Ollama's says it with the last chunk."""
    told = chunk.response_metadata
    return told.get("finish_reason") or told.get("done_reason")


def _cut(finish: str | None) -> ChatModelError | None:
    """The error of an answer that ended before its end; `finish` is empty when none was told."""
    if finish == "":
        return ChatModelError(
            "Il server del modello linguistico ha interrotto la risposta a metà.",
            remedy="Riprova; se continua, guarda il registro di quel server.",
        )
    if finish == "length":
        return ChatModelError(
            "Il modello linguistico ha raggiunto la lunghezza massima prima di finire.",
            remedy="Fai una domanda più precisa, o scegli un altro modello con PIANO_CHAT_MODEL.",
        )
    return None


def _too_slow(settings: Settings) -> ChatModelError:
    return ChatModelError(
        f"Il modello linguistico non ha finito entro {settings.chat_timeout_seconds:g} secondi.",
        remedy="Riprova, alza PIANO_CHAT_TIMEOUT_SECONDS o scegli un modello più leggero.",
    )


def _translated(error: Exception, settings: Settings) -> ChatModelError:
    """A client library's error, told by its status code or kind; never with its text.

    The text of such errors may hold the key or the whole prompt: it goes to the log of the cause
    only.
    """
    status = getattr(error, "status_code", None)
    kinds = " ".join(cls.__name__ for cls in type(error).__mro__)
    where = _address(settings)
    if status in (401, 403):
        return ChatModelError(
            f"Il server del modello linguistico{where} rifiuta la chiave.",
            remedy="Controlla PIANO_CHAT_API_KEY.",
        )
    if status == 404:
        return ChatModelError(
            f"Il server{where} non conosce il modello «{settings.chat_model}».",
            remedy="Controlla PIANO_CHAT_MODEL e PIANO_CHAT_BASE_URL.",
        )
    if status == 429:
        return ChatModelError(
            f"Il server del modello linguistico{where} ha troppe richieste.",
            remedy="Riprova fra qualche minuto.",
        )
    if "Timeout" in kinds:
        return _too_slow(settings)
    if "Connect" in kinds:
        return ChatModelError(
            f"Il server del modello linguistico{where} non risponde o ha interrotto la risposta.",
            remedy="Avvialo, o correggi PIANO_CHAT_BASE_URL.",
        )
    if isinstance(status, int):
        return ChatModelError(
            f"Il server del modello linguistico{where} ha dato un errore ({status}).",
            remedy="Riprova; se continua, guarda il registro di quel server.",
        )
    return ChatModelError(
        f"Il server del modello linguistico{where} ha dato una risposta che non si può leggere.",
        remedy="Controlla che PIANO_CHAT_BASE_URL sia l'indirizzo di un server compatibile.",
    )


def _address(settings: Settings) -> str:
    """` (host:port)`, without any user name or password of the address."""
    parts = urlsplit(settings.chat_base_url)
    return f" ({parts.netloc.rpartition('@')[2]})" if parts.netloc else ""
