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
    Filter,
    Json,
    JsonLines,
    settings_for,
)
from assistant.cli.show import answer_text, dump, search_text
from assistant.errors import UsageError
from assistant.retrieval.filters import parse_filters
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
    file: BatchFile = None,
    jsonl: JsonLines = False,
    data_dir: DataDir = None,
    json_: Json = False,
) -> int:
    _one_or_many(question, file, jsonl)
    filters = parse_filters(filter_ or [])
    assistant = build_assistant(settings_for(data_dir))
    if file is not None:
        return run_batch(assistant, file, filters, _ask_reply)
    answer = assistant.ask(question or "", filters=filters)
    print(dump(answer_json(answer)) if json_ else answer_text(answer))
    return 0


def search(
    query: Text = None,
    k: Number = 10,
    filter_: Filter = None,
    file: BatchFile = None,
    jsonl: JsonLines = False,
    data_dir: DataDir = None,
    json_: Json = False,
) -> int:
    _one_or_many(query, file, jsonl)
    filters = parse_filters(filter_ or [])
    assistant = build_assistant(settings_for(data_dir))

    def reply(assistant: Assistant, request: Request) -> dict[str, Any]:
        return search_json(assistant.search(request.question, k=k, filters=request.filters))

    if file is not None:
        return run_batch(assistant, file, filters, reply)
    result = assistant.search(query or "", k=k, filters=filters)
    print(dump(search_json(result)) if json_ else search_text(result))
    return 0


def _ask_reply(assistant: Assistant, request: Request) -> dict[str, Any]:
    return answer_json(
        assistant.ask(request.question, filters=request.filters, history=request.history)
    )


def _one_or_many(text: str | None, file: Path | None, jsonl: bool) -> None:
    if (text is None) == (file is None):
        raise UsageError("Serve un testo oppure --file FILE.jsonl, e non tutti e due.")
    if jsonl and file is None:
        raise UsageError("--jsonl si usa insieme a --file.")
