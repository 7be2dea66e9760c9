"""A run: every golden question asked, kept on disk, to be scored apart.

A run folder holds config.json (settings, collections, machine, commit), golden.jsonl (the questions
as located in the index), answers.jsonl (one line a question), pages.jsonl (the text of every page
cited or expected), run.trec and qrels.trec (for other people's tools), and then what scoring makes
of it. Nothing outside the folder is needed to score it again or to report on it, and a run that was
interrupted goes on from the question it had reached.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from assistant.errors import AssistantError, NotFoundError, UsageError
from assistant.models import Answer, Hit
from assistant.settings import Settings
from eval.cases import GOLDEN, Case, Gold, locate
from eval.metrics.retrieval import page_key
from eval.outcome import Outcome, RankedPage, Seen, Stretch, digest
from eval.system import System
from eval.worlds import Worlds

T = TypeVar("T")
SEARCH_K = 10
AROUND = 160
"""Characters kept on each side of a citation."""
CONFIG, GOLDEN_FILE, ANSWERS, PAGES = "config.json", "golden.jsonl", "answers.jsonl", "pages.jsonl"


class KeptPage(NamedTuple):
    """A page as the system under test held it."""

    document_id: str
    number: int
    title: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Run:
    """A whole run, read back from its folder."""

    folder: Path
    config: dict[str, Any]
    outcomes: tuple[Outcome, ...]
    pages: Mapping[tuple[str, int], KeptPage]
    """By document id and page number."""


_OUTCOME = TypeAdapter(Outcome)
_PAGE = TypeAdapter(KeptPage)


def ask_one(system: System, gold: Gold, repeat: int = 1) -> Outcome:
    """Search and ask one question, and read every citation back from the index.

    It is asked `repeat` times: the first answer counts, the others must be the same. The search is
    for the question alone; a follow-up's search needs what `ask` understood.
    """
    case = gold.case
    filters = case.parsed_filters()
    started = time.perf_counter()
    answer, error = _attempt(
        lambda: system.ask(case.question, filters=filters, history=case.history),
        _no_answer(case.question),
    )
    asked = time.perf_counter()
    query = answer.understood_as if case.history and answer.understood_as else case.question
    nothing: tuple[Hit, ...] = ()
    found, search_error = _attempt(
        lambda: system.search(query, k=SEARCH_K, filters=filters).hits, nothing
    )
    error = error or search_error
    searched = time.perf_counter()
    again = () if error else range(repeat - 1)
    return Outcome(
        gold=gold,
        answer=answer,
        found=tuple(
            tuple(
                Stretch(hit.passage.document_id, span.page, span.start, span.end)
                for span in hit.passage.spans
            )
            for hit in found
        ),
        seen=tuple(
            _look(system, citation.document_id, citation.page, citation.start, citation.end)
            for citation in answer.citations
        ),
        ask_ms=round((asked - started) * 1000, 3),
        search_ms=round((searched - asked) * 1000, 3),
        repeats=tuple(_digest_again(system, gold) for _ in again),
        error=error,
    )


def run(
    worlds: Worlds,
    cases: Sequence[Case],
    folder: Path,
    config: dict[str, Any],
    *,
    repeat: int = 1,
    tick: Callable[[], None] = lambda: None,
) -> Path:
    """Ask every case in its world and write the run folder (not its scores).

    `tick` is called after each question. A folder that holds a part of the same run is gone on
    with: same questions, same documents, same settings.

    Raises:
        UsageError: a golden quote does not stand in the index, the folder is a finished run, or one
            of other questions, documents or settings.
    """
    begun = _begin(folder, {**config, "questions": len(cases), "golden_sha256": fingerprint(cases)})
    done = _rewind(folder)
    for _ in done:
        tick()
    for world in sorted({case.world for case in cases}):
        wanted = [case for case in cases if case.world == world]
        if world in begun["finished"]:
            continue
        with worlds(world) as collection:
            golds = locate(wanted, collection.system)
            _same_collection(folder, begun, world, collection.about)
            # The first question pays for the model and the index being opened: nobody's latency.
            collection.system.ask(golds[0].case.question or "?")
            with (
                (folder / ANSWERS).open("a", encoding="utf-8") as answers,
                (folder / GOLDEN_FILE).open("a", encoding="utf-8") as located,
            ):
                for gold in golds:
                    if gold.case.id in done:
                        continue
                    again = repeat if gold.case.variant_of is None else 1
                    outcome = ask_one(collection.system, gold, again)
                    _keep(outcome, located, answers)
                    tick()
            _keep_pages(folder, collection.system, {case.id for case in wanted})
        begun["finished"].append(world)
        _write_json(folder / CONFIG, begun)
    _write_trec(folder, _read_outcomes(folder))
    _write_json(folder / CONFIG, {**begun, "complete": True})
    return folder


def read_run(folder: Path) -> Run:
    """A finished run.

    Raises:
        UsageError: the folder is no run, is not finished, or its files do not fit each other.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if not config["complete"]:
            raise UsageError(
                f"La valutazione in {folder} è stata interrotta.",
                remedy=f"Riprendila con «piano eval --out {folder}».",
            )
        outcomes = _read_outcomes(folder)
        if len(outcomes) != config["questions"]:
            raise ValueError(f"{len(outcomes)} answers to {config['questions']} questions")
        kept = (folder / PAGES).read_text(encoding="utf-8").split("\n")
        pages = {
            (page.document_id, page.number): page
            for page in (_PAGE.validate_json(line) for line in kept if line)
        }
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise UsageError(
            f"La cartella {folder} non contiene una valutazione completa.",
            remedy="Ripetila con «piano eval».",
        ) from error
    by_id = {outcome.gold.case.id: outcome for outcome in outcomes}
    return Run(
        folder,
        config,
        tuple(
            replace(outcome, original=by_id.get(outcome.gold.case.variant_of or ""))
            for outcome in outcomes
        ),
        pages,
    )


def fingerprint(cases: Iterable[Case]) -> str:
    """SHA-256 of what the questions ask and expect, wherever they stand."""
    plain = [asdict(replace(case, file="", line=0)) for case in cases]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def describe(settings: Settings, golden: Path) -> dict[str, Any]:
    """What a run is made with; no key or password ever goes in."""
    kept = {name: value for name, value in asdict(settings).items() if "key" not in name}
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "golden": golden.name,
        "own_questions": golden.resolve() == GOLDEN.resolve(),
        "settings": {name: str(value) for name, value in kept.items() if name != "data_dir"},
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "cpus": os.cpu_count(),
        },
    }


def commit() -> str:
    """Short hash of the code's commit, with `+` when files differ; `unknown` without git."""
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return found.stdout.strip() or "unknown"


def default_folder(data_dir: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return data_dir / "runs" / f"{stamp}-{commit()}"


def _begin(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """The config of the run in `folder`: the new one, or that of the part already done."""
    path = folder / CONFIG
    new = {**config, "collections": {}, "finished": [], "complete": False}
    if not path.exists():
        if (folder / ANSWERS).exists():
            raise _refused(folder, "contiene risposte senza la loro configurazione")
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(path, new)
        return new
    try:
        old: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _refused(folder, "ha una configurazione che non si legge") from error
    if not set(new) <= set(old):
        raise _refused(folder, "ha una configurazione incompleta")
    if old["complete"]:
        raise _refused(folder, "contiene già una valutazione")
    if old["golden_sha256"] != config["golden_sha256"]:
        raise _refused(folder, "contiene una valutazione interrotta di altre domande")
    if old["settings"] != config["settings"]:
        raise _refused(folder, "contiene una valutazione interrotta fatta con altre impostazioni")
    if old["commit"] != config["commit"]:
        raise _refused(folder, f"contiene una valutazione interrotta del codice {old['commit']}")
    return old


def _refused(folder: Path, why: str) -> UsageError:
    return UsageError(f"La cartella {folder} {why}.", remedy="Indica un'altra --out.")


def _same_collection(
    folder: Path, config: dict[str, Any], world: str, about: Mapping[str, Any]
) -> None:
    """Remember what the world holds; when it was begun before, it must hold the same."""
    before = config["collections"].get(world)
    if before is not None and before.get("corpus") != about.get("corpus"):
        raise _refused(folder, "contiene una valutazione interrotta di altri documenti")
    config["collections"][world] = dict(about)
    _write_json(folder / CONFIG, config)


def _rewind(folder: Path) -> set[str]:
    """Drop what a kill left half written; the ids of the questions whose answers are whole."""
    kept: list[list[str]] = [[], []]
    ids: set[str] = set()
    pairs = zip(_read_lines(folder / GOLDEN_FILE), _read_lines(folder / ANSWERS), strict=False)
    for golden, answer in pairs:
        try:
            outcome = _outcome(golden, answer)
        except (ValueError, ValidationError):
            break
        kept[0].append(golden)
        kept[1].append(answer)
        ids.add(outcome.gold.case.id)
    for name, lines in zip((GOLDEN_FILE, ANSWERS), kept, strict=True):
        if (folder / name).exists():
            (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return ids


def _read_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []


def _read_outcomes(folder: Path) -> tuple[Outcome, ...]:
    golds = _read_lines(folder / GOLDEN_FILE)
    answers = _read_lines(folder / ANSWERS)
    return tuple(_outcome(gold, answer) for gold, answer in zip(golds, answers, strict=True))


def _outcome(gold: str, answer: str) -> Outcome:
    record = json.loads(answer)
    if record.pop("id") != json.loads(gold)["case"]["id"]:
        raise ValueError("answer and question differ")
    return _OUTCOME.validate_python({**record, "gold": json.loads(gold)})


def _keep(outcome: Outcome, located: Any, answers: Any) -> None:
    record = _OUTCOME.dump_python(outcome, mode="json", exclude={"original"})
    located.write(_line(record.pop("gold")))
    located.flush()
    answers.write(_line({"id": outcome.gold.case.id, **record}))
    answers.flush()


def _keep_pages(folder: Path, system: System, ids: set[str]) -> None:
    documents = {document.id: document for document in system.documents()}
    outcomes = [o for o in _read_outcomes(folder) if o.gold.case.id in ids]
    wanted: dict[tuple[str, int], None] = {}
    for outcome in outcomes:
        sets = (*outcome.gold.evidence, *outcome.gold.correction)
        wanted |= {(c.document_id, c.page): None for c in outcome.answer.citations}
        wanted |= {(quote.document_id, quote.page): None for quotes in sets for quote in quotes}
    with (folder / PAGES).open("a", encoding="utf-8") as out:
        for document_id, number in wanted:
            try:
                text = system.page(document_id, number).text
            except NotFoundError:
                continue  # cited, but not there: quote_integrity says so
            document = documents.get(document_id)
            title, source = (document.title, document.source) if document else ("", "")
            out.write(_line(KeptPage(document_id, number, title, source, text)))


def _write_trec(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """The two files that every retrieval tool reads (trec_eval, ir-measures, ranx)."""
    ranked, relevant = [], []
    for outcome in outcomes:
        name = outcome.gold.case.id
        for place, page in enumerate(outcome.ranked, start=1):
            ranked.append(f"{name} Q0 {page_key(page)} {place} {1 / place:.6f} piano\n")
        pages = {
            RankedPage(quote.document_id, quote.page): None
            for quotes in outcome.gold.evidence
            for quote in quotes
        }
        relevant += [f"{name} 0 {page_key(page)} 1\n" for page in pages]
    (folder / "run.trec").write_text("".join(ranked), encoding="utf-8")
    (folder / "qrels.trec").write_text("".join(relevant), encoding="utf-8")


def _look(system: System, document_id: str, page: int, start: int, end: int) -> Seen:
    """Empty when the page or the stretch does not exist: a quote is never empty."""
    try:
        text = system.page(document_id, page).text
    except AssistantError:
        return Seen("", "", "")
    if not 0 <= start < end <= len(text):
        return Seen("", "", "")
    return Seen(text[max(0, start - AROUND) : start], text[start:end], text[end : end + AROUND])


def _attempt(call: Callable[[], T], otherwise: T) -> tuple[T, str]:
    """What the call gives, or `otherwise` with the class and message of what it raised."""
    try:
        return call(), ""
    except Exception as problem:  # noqa: BLE001 - what a question breaks is a finding, not our end
        return otherwise, f"{type(problem).__name__}: {problem}"


def _digest_again(system: System, gold: Gold) -> str:
    """What the same question gives once more, be it what it raises."""
    case = gold.case
    answer, error = _attempt(
        lambda: system.ask(case.question, filters=case.parsed_filters(), history=case.history),
        _no_answer(case.question),
    )
    return error or digest(answer)


def _no_answer(question: str) -> Answer:
    return Answer(question, "", "not_found", (), (), (), (), "extractive", "", "")


def _line(record: object) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _write_json(path: Path, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
