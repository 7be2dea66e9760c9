"""`python -m eval.bench`: how fast the assistant is here.

Times depend on the machine, so every figure that can be is shown as a ratio too. Goals are marked
met or missed and never change the exit code: a slow machine is no failure.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from assistant.errors import AssistantError
from assistant.settings import Settings
from eval.cases import Case, load_cases
from eval.intervals import summarise
from eval.load import run_measured, write_long_pdf
from eval.system import ingest_bundled, opened

PDFS = Path("../shared/pdfs")
"""Real PDFs beside the project, when there are some; the bundled documents otherwise."""
BUNDLED = Path(__file__).parent.parent / "corpus" / "documents"
COMMAND_TIMEOUT_SECONDS = 120.0
LONG_PAGES, LONG_TIMEOUT_SECONDS = 2000, 900.0
START_TIMEOUT_SECONDS = 60.0
INGEST_RUNS = 3
QUESTION = "Quando è stato approvato il Piano sociale e sanitario regionale?"

GOALS: dict[str, tuple[float, str]] = {
    "ask_process": (1500.0, "at most"),
    "search_warm": (15.0, "at most"),
    "ingest_pages_per_second": (100.0, "at least"),
    "ingest_long_pages_per_second": (100.0, "at least"),
    "ingest_long_memory": (600.0, "at most"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing; `judged` is the number that the goal is about."""

    name: str
    unit: str
    n: int
    median: float
    p95: float
    judged: float
    goal: str | None = None
    met: bool | None = None
    note: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    settings = Settings.from_env()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="piano-bench-") as folder:
        data_dir = Path(folder) / "data"
        started = time.perf_counter()
        ingest_bundled(data_dir)
        _say(f"bundled corpus ingested in {time.perf_counter() - started:.1f} s")
        parts: tuple[Callable[[], list[Figure]], ...] = (
            lambda: starts(data_dir, options.runs),
            lambda: warm(settings, data_dir, load_cases()),
            lambda: ingestion(options.pdfs, Path(folder) / "pdfs"),
            lambda: long_ingestion(Path(folder)),
            lambda: api_start(data_dir, max(3, options.runs // 2)),
        )
        for part in parts:
            figures += part()
            _say(f"{figures[-1].name}: done")
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
        "ask_process": _piano("ask", QUESTION, "--data-dir", str(data_dir), "--json"),
        "python_pass": [sys.executable, "-c", "pass"],
        "import_chromadb": [sys.executable, "-c", "import chromadb"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            elapsed = _timed(command)
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
        command = _piano("ingest", *([str(given)] if given else []), "--data-dir", str(data_dir))
        started = time.perf_counter()
        report = json.loads(_run([*command, "--json"], accepted=(0, 3), ocr=False))
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
    command = _piano("ingest", str(target), "--data-dir", str(folder / "long"), "--json")
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
        port = _free_port()
        started = time.perf_counter()
        command = _piano("api", "--port", str(port), "--data-dir", str(data_dir))
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                _wait_until_ready(server, port, started)
                times.append((time.perf_counter() - started) * 1000)
            finally:
                server.terminate()
                try:
                    server.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    server.kill()
    return [figure("api_start", "ms", times)]


def figure(
    name: str, unit: str, values: Sequence[float], note: str = "", judge: str = "median"
) -> Figure:
    """Median and p95 of the values, against the goal if there is one for the name."""
    median, p95 = summarise(values, "p50"), summarise(values, "p95")
    judged = p95 if judge == "p95" else median
    goal: str | None = None
    met: bool | None = None
    if name in GOALS:
        limit, side = GOALS[name]
        goal = f"{side} {limit:g} {unit}"
        met = judged <= limit if side == "at most" else judged >= limit
    return Figure(
        name=name,
        unit=unit,
        n=len(values),
        median=round(median, 2),
        p95=round(p95, 2),
        judged=round(judged, 2),
        goal=goal,
        met=met,
        note=note,
    )


def print_table(figures: Iterable[Figure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"piano bench, {os.cpu_count()} CPUs", title_justify="left")
    for column in ("what", "n", "median", "p95", "goal", ""):
        right = column in ("n", "median", "p95")
        table.add_column(column, justify="right" if right else "left", no_wrap=True)
    shown = list(figures)
    for one in shown:
        mark = "" if one.met is None else "met" if one.met else "MISSED"
        middle = f"{one.median:.1f} {one.unit}"
        table.add_row(one.name, str(one.n), middle, f"{one.p95:.1f}", one.goal or "", mark)
    console = Console()
    if not console.is_terminal:
        console.width = 110  # a log is not 80 columns wide
    console.print(table)
    for one in shown:
        if one.note:
            console.print(f"{one.name}: {one.note}", soft_wrap=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m eval.bench", description=__doc__)
    parser.add_argument("--pdfs", type=Path, help="folder of PDFs to ingest")
    parser.add_argument("--runs", type=int, default=7, help="process starts (at least 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    return options


def _piano(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "assistant.cli", *arguments]


def _timed(command: Sequence[str]) -> float:
    started = time.perf_counter()
    _run(command)
    return (time.perf_counter() - started) * 1000


def _run(command: Sequence[str], accepted: Sequence[int] = (0,), *, ocr: bool = True) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_SECONDS,
        check=False,
        env=os.environ if ocr else os.environ | {"PIANO_OCR": "off"},
    )
    if done.returncode not in accepted:
        raise AssistantError(
            f"Il comando «{' '.join(command[1:6])} …» è finito con codice {done.returncode}: "
            f"{' '.join(done.stderr.strip().splitlines()[-1:])}"
        )
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, started: float) -> None:
    while time.perf_counter() - started < START_TIMEOUT_SECONDS:
        if server.poll() is not None:
            raise AssistantError(f"L'API si è fermata con codice {server.returncode}.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise AssistantError(f"L'API non risponde dopo {START_TIMEOUT_SECONDS:.0f} secondi.")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AssistantError as failure:
        _say(f"Errore: {failure}")
        sys.exit(failure.exit_code)
