"""Golden questions: one JSON object a line, read, checked, located."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from assistant.errors import NotFoundError, UsageError
from assistant.models import Filters, Quote
from assistant.retrieval.filters import parse_filters
from eval.system import System

GOLDEN = Path(__file__).parent / "golden" / "domande.jsonl"

Split = Literal["dev", "test"]
Reason = Literal[
    "wrong_year",
    "wrong_district",
    "wrong_number",
    "wrong_region",
    "private_data",
    "absent_fact",
    "out_of_scope",
]


@dataclass(frozen=True, slots=True)
class GoldQuote:
    """Words of a document that answer a question; `document` is a name under corpus/documents."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    document: str
    page: int
    quote: str


@dataclass(frozen=True, slots=True)
class Nugget:
    """A fact that the answer must tell, in any of its written forms."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    forms: tuple[str, ...]
    vital: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """A golden question with what a right answer rests on."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    question: str
    group: Literal["operatore", "pianificatore", "formatore"]
    category: str
    answerable: bool
    split: Split
    evidence: tuple[tuple[GoldQuote, ...], ...] = ()
    """Sets of quotes: any one set suffices."""
    nuggets: tuple[Nugget, ...] = ()
    forbidden: tuple[str, ...] = ()
    """Words that would make the answer wrong: another year's figure, another district's."""
    abstain_reason: Reason | None = None
    filters: dict[str, str | int | list[str] | list[int]] = field(default_factory=dict)
    history: tuple[str, ...] = ()
    line: int = 0
    """Where it stands in its file, from 1; set by the loader."""

    def parsed_filters(self) -> Filters:
        return parse_filters(self.filters)


@dataclass(frozen=True, slots=True)
class Gold:
    """A case whose quotes were found in the index: document ids and offsets."""

    case: Case
    evidence: tuple[tuple[Quote, ...], ...]


_CASE = TypeAdapter(Case)


def split_of(case: Case) -> Split:
    """Half and half by hash of the first gold document, so that a document is never in both."""
    key = case.evidence[0][0].document if case.evidence else case.id
    return "test" if hashlib.sha256(key.encode()).digest()[0] & 1 else "dev"


def load_cases(path: Path = GOLDEN) -> tuple[Case, ...]:
    """The questions of a golden file, each checked by itself (the index is not needed).

    Raises:
        UsageError: the file cannot be read, or a line is wrong; the message names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"Il file delle domande non si può leggere: {path}.",
            remedy="Indica con --golden un file JSONL in UTF-8.",
        ) from error
    cases: list[Case] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        case = _read_line(line, path, number)
        if case.id in seen:
            raise _wrong(
                path, number, f"l'identificativo {case.id!r} è già alla riga {seen[case.id]}"
            )
        seen[case.id] = number
        cases.append(case)
    if not cases:
        raise UsageError(f"Nessuna domanda in {path}.", remedy="Scrivine almeno una per riga.")
    return tuple(cases)


def locate(cases: Iterable[Case], system: System, path: Path = GOLDEN) -> tuple[Gold, ...]:
    """Each quote found on its page of the index.

    Raises:
        UsageError: a document or page is not in the index, or a quote does not stand exactly once
            on its page; the message names file and line.
    """
    ids: dict[str, list[str]] = {}
    for document in system.documents():
        ids.setdefault(document.source.replace("\\", "/").rsplit("/", 1)[-1], []).append(
            document.id
        )
    found: list[Gold] = []
    for case in cases:
        sets = tuple(
            tuple(_locate_quote(gold, case, ids, system, path) for gold in quotes)
            for quotes in case.evidence
        )
        found.append(Gold(case, sets))
    return tuple(found)


def sample(cases: Sequence[Case], size: int) -> tuple[Case, ...]:
    """`size` cases chosen by hash of their ids: the same ones each time, in file order."""
    chosen = sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).digest())[:size]
    kept = {case.id for case in chosen}
    return tuple(case for case in cases if case.id in kept)


def normal(text: str) -> str:
    """Folded for comparison of forms: compatibility characters, case, apostrophes, spaces."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"\s+", " ", text.replace("\u2019", "'").replace("\u2018", "'")).strip()


def says(text: str, form: str) -> bool:
    """Whether `text` holds `form` as whole words and whole numbers ("400" is not in "1.400")."""
    pattern = rf"(?<!\w)(?<!\d[.,]){re.escape(normal(form))}(?!\w)(?![.,]\d)"
    return re.search(pattern, normal(text)) is not None


def _read_line(line: str, path: Path, number: int) -> Case:
    try:
        case = replace(_CASE.validate_json(line), line=number)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "riga"
        raise _wrong(path, number, f"{where}: {first['msg']}") from error
    problem = _problem(case)
    if problem:
        raise _wrong(path, number, problem)
    try:
        case.parsed_filters()
    except UsageError as error:
        raise _wrong(path, number, str(error)) from error
    return case


def _problem(case: Case) -> str | None:
    """What makes the case useless as gold, in Italian; None when nothing does."""
    if not case.id.strip() or not case.question.strip():
        return "id e domanda non possono essere vuoti"
    if any(not form.strip() for nugget in case.nuggets for form in nugget.forms or ("",)):
        return "un'informazione attesa (nuggets) non ha forme, o ne ha una vuota"
    if any(not word.strip() for word in case.forbidden):
        return "una parola vietata è vuota"
    if any(not quotes or any(not q.quote.strip() for q in quotes) for quotes in case.evidence):
        return "un insieme di prove è vuoto"
    vital = [nugget for nugget in case.nuggets if nugget.vital]
    if not case.answerable:
        if case.evidence or vital or case.abstain_reason is None:
            return "una domanda senza risposta vuole abstain_reason e nessuna prova"
    elif not case.evidence or not vital or case.abstain_reason is not None:
        return "una domanda con risposta vuole prove e informazioni vitali, non abstain_reason"
    for quotes in case.evidence:
        words = " ".join(gold.quote for gold in quotes)
        for nugget in vital:
            if not any(says(words, form) for form in nugget.forms):
                return f"l'informazione vitale {nugget.forms[0]!r} non è nelle prove"
    if case.split != split_of(case):
        return f"split dovrebbe essere {split_of(case)!r}: lo decide il documento"
    return None


def _locate_quote(
    gold: GoldQuote, case: Case, ids: dict[str, list[str]], system: System, path: Path
) -> Quote:
    named = ids.get(gold.document, [])
    if len(named) != 1:
        what = "non è nell'indice" if not named else "è nell'indice più di una volta"
        raise _wrong(path, case.line, f"il documento {gold.document!r} {what}")
    try:
        text = system.page(named[0], gold.page).text
    except NotFoundError as error:
        raise _wrong(path, case.line, f"{gold.document} non ha la pagina {gold.page}") from error
    times = text.count(gold.quote)
    if times != 1:
        raise _wrong(
            path,
            case.line,
            f"il brano {gold.quote[:80]!r} sta {times} volte, non una, in {gold.document}"
            f" a pagina {gold.page}",
        )
    start = text.index(gold.quote)
    return Quote(named[0], gold.page, start, start + len(gold.quote), gold.quote)


def _wrong(path: Path, line: int, problem: str) -> UsageError:
    return UsageError(f"{path}:{line}: {problem}.", remedy="Correggi la riga.")
