"""`piano ask` and `piano search`: one request, or a file of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.build import build_assistant
from assistant.cli.options import BatchFile, DataDir, Filter, Json, JsonLines, settings_for
from assistant.errors import AssistantError, UsageError
from assistant.models import Answer, Filters, SearchResult
from assistant.retrieval.filters import parse_filters
from assistant.service import Assistant
from assistant.wire import answer_json, search_json

Text = Annotated[str | None, typer.Argument(metavar="TESTO", show_default=False)]
Number = Annotated[int, typer.Option("-k", metavar="N", help="Quanti passi mostrare.")]

Reply = Callable[[Assistant, str, Filters, list[str]], dict[str, Any]]


def ask(
    question: Annotated[str | None, typer.Argument(metavar="DOMANDA", show_default=False)] = None,
    filter_: Filter = None,
    file: BatchFile = None,
    jsonl: JsonLines = False,
    data_dir: DataDir = None,
    json_: Json = False,
) -> int:
    _one_or_many(question, file, jsonl)
    assistant = build_assistant(settings_for(data_dir))
    filters = parse_filters(filter_ or [])
    if file is not None:
        return _batch(assistant, file, filters, _ask_reply)
    answer = assistant.ask(question or "", filters=filters)
    print(_dump(answer_json(answer)) if json_ else _answer_text(answer))
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
    assistant = build_assistant(settings_for(data_dir))
    filters = parse_filters(filter_ or [])

    def reply(
        assistant: Assistant, text: str, filters: Filters, history: list[str]
    ) -> dict[str, Any]:
        return search_json(assistant.search(text, k=k, filters=filters))

    if file is not None:
        return _batch(assistant, file, filters, reply)
    result = assistant.search(query or "", k=k, filters=filters)
    print(_dump(search_json(result)) if json_ else _search_text(result))
    return 0


def _ask_reply(
    assistant: Assistant, text: str, filters: Filters, history: list[str]
) -> dict[str, Any]:
    return answer_json(assistant.ask(text, filters=filters, history=history))


def _one_or_many(text: str | None, file: Path | None, jsonl: bool) -> None:
    if (text is None) == (file is None):
        raise UsageError("Serve un testo oppure --file FILE.jsonl, e non tutti e due.")
    if jsonl and file is None:
        raise UsageError("--jsonl si usa insieme a --file.")


def _batch(assistant: Assistant, file: Path, common: Filters, reply: Reply) -> int:
    """One output line for each input line, in order; 3 when some could not be read."""
    try:
        stream = file.open("rb")
    except OSError as error:
        raise UsageError(
            f"Non riesco ad aprire {file}: {error.strerror}.", remedy="Controlla il percorso."
        ) from error
    failed = False
    with stream:
        for raw in stream:
            identity: dict[str, Any] = {}
            try:
                request = _read_line(raw)
                if "id" in request:
                    identity["id"] = request["id"]
                filters = parse_filters(request["filter"]) if request.get("filter") else common
                out = reply(assistant, request["question"], filters, request.get("history") or [])
            except AssistantError as error:
                failed = True
                out = {"error": str(error)}
            print(_dump({**identity, **out}), flush=True)
    return 3 if failed else 0


def _read_line(raw: bytes) -> dict[str, Any]:
    try:
        request = json.loads(raw.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UsageError("La riga non è JSON valido in UTF-8.") from error
    if not isinstance(request, dict) or not isinstance(request.get("question"), str):
        # The id is still told back when it can be read.
        raise _LineError("Manca il campo «question» (testo).", request)
    history = request.get("history")
    if history is not None and not (
        isinstance(history, list) and all(isinstance(item, str) for item in history)
    ):
        raise _LineError("Il campo «history» deve essere una lista di testi.", request)
    if request.get("filter") is not None and not isinstance(request["filter"], dict):
        raise _LineError("Il campo «filter» deve essere un oggetto.", request)
    return request


class _LineError(UsageError):
    """A line that is JSON but no request."""

    def __init__(self, message: str, request: object) -> None:
        super().__init__(message)
        self.request = request


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _answer_text(answer: Answer) -> str:
    lines: list[str] = []
    if answer.understood_as != answer.question.strip():
        lines += [f"Ho capito: {answer.understood_as}", ""]
    titles = {
        "not_found": "Non l'ho trovato nei documenti.",
        "clarify": "Ho bisogno di una precisazione.",
        "out_of_scope": "Questa domanda non riguarda i documenti.",
        "partial": "Risposta parziale:",
    }
    if answer.status in titles:
        lines += [titles[answer.status]]
    for sentence in answer.sentences:
        marks = "".join(f"[{n}]" for n in sentence.citations)
        lines.append(f"{sentence.text} {marks}")
    if answer.citations:
        lines += ["", "Fonti"]
    for item in answer.citations:
        label = f" (n. stampato {item.printed_label})" if item.printed_label else ""
        section = f" — {item.section}" if item.section else ""
        lines.append(f"[{item.n}] {item.title}, pagina {item.page}{label}{section}")
        lines.append(f"    {item.source}")
    if not answer.sentences and answer.hits:
        lines += ["", "Pagine più vicine (non sono una risposta):"]
        lines += [f"- {hit.title}, pagina {hit.page} ({hit.source})" for hit in answer.hits[:3]]
    if answer.notices:
        lines += ["", *(f"Nota: {notice}" for notice in answer.notices)]
    return "\n".join(lines)


def _search_text(result: SearchResult) -> str:
    if not result.hits:
        return "Nessun passo trovato."
    lines: list[str] = []
    for hit in result.hits:
        passage = hit.passage
        section = f" — {' › '.join(passage.section)}" if passage.section else ""
        lines.append(f"{hit.rank}. {hit.document.title}, pagina {passage.page_start}{section}")
        text = " ".join(passage.text.split())
        lines.append(f"   {text[:300]}{'…' if len(text) > 300 else ''}")
    return "\n".join(lines)


if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
    # A console in another encoding must not break on an Italian text.
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
