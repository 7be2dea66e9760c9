"""`python -m eval.bench`: how fast the assistant is here.

Times depend on the machine, so every figure that can be is shown as a ratio too. Goals are marked
met or missed and never change the exit code: a slow machine is no failure.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from assistant.errors import AssistantError
from assistant.models import Filters
from assistant.settings import Settings
from eval.cases import Case, load_cases
from eval.commands import COMMAND_TIMEOUT_SECONDS, piano, run, serving, timed
from eval.figures import Figure, figure, print_table
from eval.intervals import summarise
from eval.load import peak_memory, run_measured, write_long_pdf
from eval.scale import FEWEST, HALF, PASSAGES, narrow
from eval.system import ingest_bundled, opened

PDFS = Path("../shared/pdfs")
"""Real PDFs beside the project, when there are some; the bundled documents otherwise."""
BUNDLED = Path(__file__).parent.parent / "corpus" / "documents"
LONG_PAGES, LONG_TIMEOUT_SECONDS = 2000, 900.0
BUILD_TIMEOUT_SECONDS = 1800.0
WARMING = 20
"""Questions asked before the clock runs."""
LARGE_QUESTIONS = 300
API_QUESTIONS = 100
"""Asked of the large index, about so many of the golden ones, evenly; and of its API."""
INGEST_RUNS = 3
QUESTION = "Quando è stato approvato il Piano sociale e sanitario regionale?"

PARTS = ("starts", "warm", "ingestion", "long", "api", "scale")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    settings = Settings.from_env()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="piano-bench-") as folder:
        data_dir = Path(folder) / "data"
        started = time.perf_counter()
        ingest_bundled(data_dir)
        _say(f"bundled corpus ingested in {time.perf_counter() - started:.1f} s")
        parts: dict[str, Callable[[], list[Figure]]] = {
            "starts": lambda: starts(data_dir, options.runs),
            "warm": lambda: warm(settings, data_dir, load_cases()),
            "ingestion": lambda: ingestion(options.pdfs, Path(folder) / "pdfs"),
            "long": lambda: long_ingestion(Path(folder)),
            "api": lambda: api_start(data_dir, max(3, options.runs // 2)),
            "scale": lambda: scale(settings, data_dir, Path(folder) / "large", options.passages),
        }
        for name in options.only or PARTS:
            figures += parts[name]()
            _say(f"{name}: done")
    if options.json:
        sys.stdout.write(json.dumps([asdict(one) for one in figures], ensure_ascii=False) + "\n")
    else:
        print_table(figures)
    return 0


def starts(data_dir: Path, runs: int) -> list[Figure]:
    """Process start to answer, beside an empty interpreter and the import of chromadb alone.

    The three take turns, so that a busy moment of the machine falls on all of them.
    """
    commands = {
        "ask_process": piano("ask", QUESTION, "--data-dir", str(data_dir), "--json"),
        "python_pass": [sys.executable, "-c", "pass"],
        "import_chromadb": [sys.executable, "-c", "import chromadb"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            elapsed = timed(command)
            if turn:  # the first turn fills the disk cache
                times[name].append(elapsed)
    base = summarise(times["python_pass"], "p50")
    chroma = summarise(times["import_chromadb"], "p50")
    ask = summarise(times["ask_process"], "p50")
    ratio = f"{ask / base:.1f} x an empty Python, {ask / chroma:.2f} x import chromadb"
    return [
        figure(name, "ms", found, ratio if name == "ask_process" else "")
        for name, found in times.items()
    ]


def warm(
    settings: Settings, data_dir: Path, cases: Sequence[Case], rounds: int = 3
) -> list[Figure]:
    """Search and extractive answer in a running process, over the golden questions."""
    settings = replace(settings, chat_model="")
    searches: list[float] = []
    answers: list[float] = []
    with opened(settings, data_dir) as system:
        for turn in range(rounds + 1):
            for case in cases:
                filters = case.parsed_filters()
                started = time.perf_counter()
                system.search(case.question, k=10, filters=filters)
                searched = time.perf_counter()
                system.ask(case.question, filters=filters, history=case.history)
                answered = time.perf_counter()
                if turn:
                    searches.append((searched - started) * 1000)
                    answers.append((answered - searched) * 1000)
    return [
        figure("search_warm", "ms", searches, "p95 is judged", judge="p95"),
        figure("answer_warm", "ms", answers, f"{len(cases)} questions", judge="p95"),
    ]


def ingestion(pdfs: Path | None, folder: Path, runs: int = INGEST_RUNS) -> list[Figure]:
    """Pages with text per second, each run into a new data directory under `folder`.

    Pages that are images are left unread: recognition takes seconds for each. Judged from the
    command's start to its end; beside it, what the ingest itself reports, without the start of
    Python and of its libraries.
    """
    given = pdfs or (PDFS if PDFS.is_dir() else None)
    whole: list[float] = []
    inside: list[float] = []
    note = ""
    for number in range(runs):
        data_dir = folder / str(number)
        command = piano("ingest", *([str(given)] if given else []), "--data-dir", str(data_dir))
        started = time.perf_counter()
        report = json.loads(run([*command, "--json"], accepted=(0, 3), ocr=False))
        elapsed = time.perf_counter() - started
        taken = [item for item in report["documents"] if item["status"] == "added"]
        pages = sum(item["pages"] - len(item["pages_without_text"]) for item in taken)
        if not pages:
            raise AssistantError(
                f"Nessuna pagina con testo in {given}.",
                remedy="Indica con --pdfs una cartella di PDF.",
            )
        whole.append(pages / elapsed)
        inside.append(pages / report["seconds"])
        note = f"{pages} pages of {len(taken)} documents, {given.name if given else 'corpus'}"
    return [
        figure("ingest_pages_per_second", "pages/s", whole, note),
        figure("ingest_without_start", "pages/s", inside, "as `piano ingest` reports"),
    ]


def long_ingestion(folder: Path) -> list[Figure]:
    """One PDF of 2,000 pages, from the command's start to its end, and the memory that it took.

    Fixed costs weigh little here; what is judged of the memory is the sum over all processes.
    """
    target = folder / "long.pdf"
    write_long_pdf(target, BUNDLED, LONG_PAGES)
    command = piano("ingest", str(target), "--data-dir", str(folder / "long"), "--json")
    # The speed is that of text layers: the bundled scan waits for nobody's OCR.
    measured = run_measured(
        command, LONG_TIMEOUT_SECONDS, accepted=(0,), env=os.environ | {"PIANO_OCR": "off"}
    )
    report = json.loads(measured.output)
    (document,) = report["documents"]
    pages = document["pages"] - len(document["pages_without_text"])
    note = f"{pages} pages recombined from the bundled PDFs, {document['passages']} passages"
    figures = [figure("ingest_long_pages_per_second", "pages/s", [pages / measured.seconds], note)]
    if measured.all_processes is not None and measured.largest_process is not None:
        note = f"all processes at once; the largest {measured.largest_process:.0f} MB"
        figures.append(figure("ingest_long_memory", "MB", [measured.all_processes], note))
    return figures


def api_start(data_dir: Path, runs: int) -> list[Figure]:
    """From the command to the first request that the API says it can serve."""
    times: list[float] = []
    for _ in range(runs):
        started = time.perf_counter()
        with serving(data_dir):
            times.append((time.perf_counter() - started) * 1000)
    return [figure("api_start", "ms", times)]


def scale(settings: Settings, corpus: Path, target: Path, passages: int) -> list[Figure]:
    """An index of many passages: its building, searches and answers, the API's memory.

    Every question is asked once, after a few others that fill the disk cache: nothing that belongs
    to it is remembered.
    """
    label = f"{passages // 1000}k" if passages % 1000 == 0 else str(passages)
    command = [sys.executable, "-m", "eval.scale", str(target), "--corpus", str(corpus)]
    measured = run_measured(
        [*command, "--passages", str(passages)], BUILD_TIMEOUT_SECONDS, accepted=(0,)
    )
    made = json.loads(measured.output)
    note = f"{made['passages']} passages of {made['documents']} documents, recombined"
    figures = [figure(f"build_{label}", "s", [made["seconds"]], note)]
    if measured.all_processes is not None:
        figures.append(figure(f"build_{label}_memory", "MB", [measured.all_processes]))
    # Attacks, noise and what no document answers are left out: they are quicker.
    questions = list(dict.fromkeys(case.question for case in load_cases() if case.evidence))
    questions = questions[:: max(1, len(questions) // LARGE_QUESTIONS)]
    figures += large_searches(settings, target, label, questions)
    return figures + api_memory(target, label, questions[:API_QUESTIONS])


def large_searches(
    settings: Settings, data_dir: Path, label: str, questions: Sequence[str]
) -> list[Figure]:
    """Searches without and with filters, in turns, then extractive answers; p95 is judged."""
    settings = replace(settings, chat_model="")
    with opened(settings, data_dir) as system:
        filters = {"": Filters(), "_half": HALF, "_narrow": narrow(system.documents())}
        times: dict[str, list[float]] = {name: [] for name in filters}
        answers: list[float] = []
        warming = questions[-WARMING:]
        asked = [*warming, *questions]
        for number, question in enumerate(asked):
            for name, wanted in filters.items():
                started = time.perf_counter()
                system.search(question, k=10, filters=wanted)
                if number >= len(warming):
                    times[name].append((time.perf_counter() - started) * 1000)
        for number, question in enumerate(asked):
            started = time.perf_counter()
            system.ask(question)
            if number >= len(warming):
                answers.append((time.perf_counter() - started) * 1000)
    notes = {"": "p95 is judged", "_half": "a filter that keeps half", "_narrow": "one of 0.5%"}
    return [
        *(
            figure(f"search_{label}{name}", "ms", found, notes[name], judge="p95")
            for name, found in times.items()
        ),
        figure(f"answer_{label}", "ms", answers, "extractive", judge="p95"),
    ]


def api_memory(data_dir: Path, label: str, questions: Sequence[str]) -> list[Figure]:
    """The most memory that the API's process holds while it answers and searches."""
    with serving(data_dir) as (server, address):
        for question in questions:
            body = json.dumps({"question": question}).encode()
            headers = {"Content-Type": "application/json"}
            asked = urllib.request.Request(f"{address}/v1/answers", body, headers)
            searched = f"{address}/v1/search?" + urllib.parse.urlencode({"q": question})
            for request in (asked, searched, f"{searched}&tipo=atto"):
                with urllib.request.urlopen(request, timeout=COMMAND_TIMEOUT_SECONDS) as response:
                    response.read()
        peak = peak_memory(server.pid)
    note = f"after {len(questions)} questions, as many searches, as many with a filter"
    return [] if peak is None else [figure(f"api_{label}_memory", "MB", [peak], note)]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m eval.bench", description=__doc__)
    parser.add_argument("--pdfs", type=Path, help="folder of PDFs to ingest")
    parser.add_argument("--runs", type=int, default=7, help="process starts (at least 1)")
    parser.add_argument("--passages", type=int, default=PASSAGES, help="of the part scale")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="NAME", help=", ".join(PARTS))
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    if options.passages < FEWEST:
        parser.error(f"--passages must be at least {FEWEST}")
    return options


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AssistantError as failure:
        _say(f"Errore: {failure}")
        sys.exit(failure.exit_code)
