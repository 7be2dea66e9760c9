"""Every error of ours, and the exit code and HTTP status it maps to.

AssistantError
├── UsageError            a wrong argument, filter or option                 2   422
├── NoIndexError          nothing was ingested yet                           1   503
├── IndexMismatchError    the index was made with other settings             1   503
├── CorruptIndexError     a generation fails its own checks                  1   503
├── WriterBusyError       another process is writing                         1   409
├── NotFoundError         no such document, page, conversation               1   404
├── EmbeddingError        the embedding model cannot be loaded or used       1   503
├── RerankerError         the re-ranking model cannot be loaded or used      1   503
│   └── RerankerTimeoutError  its time is over: the first order stands       1   503
├── StorageError          the conversations cannot be read or kept         1   503
├── ChatModelError        the chat model does not answer as it should        1   502
└── RefusedFileError      a file that cannot be read truthfully              3   422

Messages are Italian and end with the remedy: users read them as they are.
"""

from __future__ import annotations


class AssistantError(Exception):
    """Base of the family; `remedy` is what to do about it, in Italian."""

    exit_code = 1
    http_status = 500
    title = "Errore"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UsageError(AssistantError):
    exit_code = 2
    http_status = 422
    title = "Richiesta non valida"


class NoIndexError(AssistantError):
    http_status = 503
    title = "Indice assente"


class IndexMismatchError(AssistantError):
    http_status = 503
    title = "Indice creato con altre impostazioni"


class CorruptIndexError(AssistantError):
    http_status = 503
    title = "Indice danneggiato"


class WriterBusyError(AssistantError):
    http_status = 409
    title = "Un'altra ingestione è in corso"


class NotFoundError(AssistantError):
    http_status = 404
    title = "Non trovato"


class EmbeddingError(AssistantError):
    http_status = 503
    title = "Modello di embedding non disponibile"


class RerankerError(AssistantError):
    http_status = 503
    title = "Modello di riordino non disponibile"


class RerankerTimeoutError(RerankerError):
    title = "Tempo del riordino finito"


class ChatModelError(AssistantError):
    http_status = 502
    title = "Modello linguistico non disponibile"


class StorageError(AssistantError):
    http_status = 503
    title = "Archivio delle conversazioni non disponibile"


class RefusedFileError(AssistantError):
    """Raised by readers: the reason is one line, complete with what to do."""

    exit_code = 3
    http_status = 422
    title = "File rifiutato"
