"""`piano ask` and `piano search`: one request, or a file of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.build import build_assistant
from assistant.cli.batch import Request, run_batch
from assistant.cli.options import (
    BatchFile,
    DataDir,
    Exact,
    Filter,
    Ignore,
    Json,
    JsonLines,
    settings_for,
)
from assistant.cli.show import answer_text, dump, search_text
from assistant.errors import UsageError
from assistant.models import Answer, SearchResult
from assistant.retrieval.filters import parse_filters, parse_ignored
from assistant.wire import answer_json, search_json

if TYPE_CHECKING:
    from assistant.service import Assistant

Question = Annotated[
    str | None,
    typer.Argument(metavar="DOMANDA", show_default=False, help="La domanda, tra virgolette."),
]
Text = Annotated[
    str | None,
    typer.Argument(metavar="TESTO", show_default=False, help="Il testo da cercare."),
]
Number = Annotated[int, typer.Option("-k", metavar="N", help="Quanti passi mostrare.")]


def ask(
    question: Question = None,
    filter_: Filter = None,
    exact: Exact = False,
    ignore: Ignore = None,
    file: BatchFile = None,
    jsonl: JsonLines = False,
    data_dir: DataDir = None,
    json_: Json = False,
) -> int:
    _one_or_many(question, file, jsonl)
    common = Request(
        question or "", parse_filters(filter_ or []), (), exact, parse_ignored(ignore or [])
    )
    assistant = build_assistant(settings_for(data_dir))
    if file is not None:
        return run_batch(assistant, file, common, _ask_reply)
    answer = _ask(assistant, common)
    print(dump(answer_json(answer)) if json_ else answer_text(answer))
    return 0


def search(
    query: Text = None,
    k: Number = 10,
    filter_: Filter = None,
    exact: Exact = False,
    ignore: Ignore = None,
    file: BatchFile = None,
    jsonl: JsonLines = False,
    data_dir: DataDir = None,
    json_: Json = False,
) -> int:
    _one_or_many(query, file, jsonl)
    common = Request(
        query or "", parse_filters(filter_ or []), (), exact, parse_ignored(ignore or [])
    )
    assistant = build_assistant(settings_for(data_dir))

    def found(request: Request) -> SearchResult:
        return assistant.search(
            request.question,
            k=k,
            filters=request.filters,
            expand=not request.exact,
            ignore=request.ignore or (),
        )

    if file is not None:
        return run_batch(assistant, file, common, lambda _, request: search_json(found(request)))
    result = found(common)
    print(dump(search_json(result)) if json_ else search_text(result))
    return 0


def _ask_reply(assistant: Assistant, request: Request) -> dict[str, Any]:
    return answer_json(_ask(assistant, request))


def _ask(assistant: Assistant, request: Request) -> Answer:
    return assistant.ask(
        request.question,
        filters=request.filters,
        history=request.history,
        expand=not request.exact,
        ignore=request.ignore or (),
    )


def _one_or_many(text: str | None, file: Path | None, jsonl: bool) -> None:
    if (text is None) == (file is None):
        raise UsageError("Serve un testo oppure --file FILE.jsonl, e non tutti e due.")
    if jsonl and file is None:
        raise UsageError("--jsonl si usa insieme a --file.")
