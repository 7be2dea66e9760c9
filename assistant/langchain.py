"""The search as a LangChain retriever; nothing of `piano` imports this module.

Whether a program that uses it sends traces to LangSmith is that program's own choice.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, field_validator

from assistant.build import build_assistant
from assistant.models import Filters, Hit, Understood
from assistant.retrieval.filters import parse_filters, parse_ignored
from assistant.service import Assistant
from assistant.settings import Settings


class PianoRetriever(BaseRetriever):
    """The passages that `piano search` finds, each with where it stands."""

    assistant: Assistant
    k: int = Field(default=10, ge=1)
    """How many passages."""
    filters: Filters = Filters()
    """Also given as `{"distretto": "Lugo", "anno": 2019}`, as on the command line."""

    expand: bool = True
    """Whether other words, corrections and a translation are searched too."""
    ignore: tuple[str, ...] = ()
    """What the query names and the ranking is not to prefer: `distretto`, `anno`, …"""

    @field_validator("ignore")
    @classmethod
    def _known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return parse_ignored(given)

    @field_validator("filters", mode="before")
    @classmethod
    def _parsed(cls, given: Any) -> Filters:
        return given if isinstance(given, Filters) else parse_filters(given or {})

    @classmethod
    def over(cls, data_dir: Path | str | None = None, **fields: Any) -> PianoRetriever:
        """Over the index in a data directory; None is the one that the environment names.

        Nothing is opened before the first query. `retriever.assistant.close()` lets its files go.
        """
        settings = Settings.from_env()
        if data_dir is not None:
            settings = replace(settings, data_dir=Path(data_dir))
        return cls(assistant=build_assistant(settings, long_lived=True), **fields)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[LangChainDocument]:
        """Best first. Raises AssistantError: no index, one of other settings, too long a query."""
        result = self.assistant.search(
            query, k=self.k, filters=self.filters, expand=self.expand, ignore=self.ignore
        )
        return [to_langchain(hit, result.generation, result.understood) for hit in result.hits]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[LangChainDocument]:
        """The same in a thread: the loop is free meanwhile."""
        return await asyncio.to_thread(
            self._get_relevant_documents, query, run_manager=run_manager.get_sync()
        )


def to_langchain(
    hit: Hit, generation: str, understood: Understood | None = None
) -> LangChainDocument:
    """`start` counts in the canonical text of `page`, `end` in that of `page_end`; pages from 1.

    What was searched besides the query's words is the same for all of its documents.
    """
    understood = understood or Understood()
    passage, document = hit.passage, hit.document
    return LangChainDocument(
        id=passage.id,
        page_content=passage.text,
        metadata={
            "title": document.title,
            "source": document.source,
            "document_id": document.id,
            "page": passage.page_start,
            "page_end": passage.page_end,
            "section": " › ".join(passage.section),
            "distretto": document.distretto,
            "year": document.year_from,
            "kind": document.kind,
            "passage_id": passage.id,
            "rank": hit.rank,
            "score": hit.score,
            "start": passage.start,
            "end": passage.end,
            "generation": generation,
            "also_searched": list(understood.also_searched),
            "corrections": dict(understood.corrections),
            "translated": understood.translated,
        },
    )
