"""Golden questions: one JSON object a line, read, checked, located."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from assistant.errors import NotFoundError, UsageError
from assistant.models import Filters, Quote
from assistant.retrieval.filters import parse_filters
from eval.system import System

GOLDEN = Path(__file__).parent / "golden"

Split = Literal["dev", "test"]
Reason = Literal[
    "wrong_year",
    "wrong_district",
    "wrong_number",
    "wrong_region",
    "wrong_body",
    "private_data",
    "absent_fact",
    "out_of_scope",
    "false_premise",
    "unclear",
    "injection",
    "nonsense",
]
NEAR_MISS: frozenset[Reason] = frozenset(
    ("wrong_year", "wrong_district", "wrong_number", "wrong_region", "wrong_body")
)
"""The documents hold nearly the same fact, of another year, district, number, region or body."""

QUESTION_CATEGORIES = (
    "fatto",
    "definizione",
    "elenco",
    "conteggio",
    "confronto",
    "piu_documenti",
    "seguito",
    "tabella",
    "record",
)
ATTACK_CATEGORIES = (
    "iniezione",
    "avvelenamento",
    "dati_personali",
    "falsa_premessa",
    "versioni",
    "conflitto",
    "scambio",
    "negazione",
    "strano",
)
"""What tries to make an answer wrong: asked by the suite `adversarial`."""


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
    derived: bool = False
    """Counted or compared from the evidence, so that no quote holds its words."""


@dataclass(frozen=True, slots=True)
class Case:
    """A golden question with what a right answer rests on."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    question: str
    group: Literal["operatore", "pianificatore", "formatore"]
    category: str
    answerable: bool
    split: Split = "dev"
    """By the first gold document (`split_of`); the loader sets it, a line may leave it out."""
    evidence: tuple[tuple[GoldQuote, ...], ...] = ()
    """Sets of quotes: any one set suffices. Of a `conflitto`, the text in force comes first."""
    correction: tuple[tuple[GoldQuote, ...], ...] = ()
    """Sets of quotes that may be told instead of silence, as they correct what is asked."""
    nuggets: tuple[Nugget, ...] = ()
    forbidden: tuple[str, ...] = ()
    """Words that would make the answer wrong: another year's figure, another district's."""
    abstain_reason: Reason | None = None
    filters: dict[str, str | int | list[str] | list[int]] = field(default_factory=dict)
    history: tuple[str, ...] = ()
    variant_of: str | None = None
    """The question that this one says in other words; it shares what a right answer rests on."""
    change: str | None = None
    """What was changed in it, for a variant: `refusi`, `inglese`, `rumore-40`…"""
    world: str = ""
    """The collection it is asked of: empty for the documents themselves (eval/worlds.py)."""
    worded: Literal["topic", "passage"] | None = None
    """Whether the question was written from the topic alone or with the passage in view."""
    file: str = ""
    line: int = 0
    """Where it stands, from 1; file and line are set by the loader."""

    def parsed_filters(self) -> Filters:
        return parse_filters(self.filters)

    @property
    def is_attack(self) -> bool:
        """Asked by the suite `adversarial`, and no part of the headline figures."""
        asked_so = self.category in ATTACK_CATEGORIES or bool(self.world)
        return asked_so and self.variant_of is None

    @property
    def source_id(self) -> str:
        """The question it comes from: variants of one question are one cluster."""
        return self.variant_of or self.id

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Gold:
    """A case whose quotes were found in the index: document ids and offsets."""

    case: Case
    evidence: tuple[tuple[Quote, ...], ...]
    correction: tuple[tuple[Quote, ...], ...] = ()


_CASE = TypeAdapter(Case)


def split_of(case: Case) -> Split:
    """Half and half by hash of the first gold document, so that a document is never in both."""
    key = case.evidence[0][0].document if case.evidence else case.id
    return "test" if hashlib.sha256(key.encode()).digest()[0] & 1 else "dev"


def load_cases(path: Path = GOLDEN) -> tuple[Case, ...]:
    """The questions of a golden file, or of every *.jsonl of a folder, in order of name.

    Each is checked by itself, and variants against their originals; the index is not needed.

    Raises:
        UsageError: nothing can be read, or a line is wrong; the message names file and line.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    cases: dict[str, Case] = {}
    for file in files:
        for number, line in enumerate(_lines(file), start=1):
            if not line.strip():
                continue
            case = _read_line(line, file, number)
            if first := cases.get(case.id):
                raise _wrong(case.where, f"l'identificativo {case.id!r} è già in {first.where}")
            cases[case.id] = case
    if not cases:
        raise UsageError(f"Nessuna domanda in {path}.", remedy="Scrivine almeno una per riga.")
    return tuple(_with_original(case, cases) for case in cases.values())


def locate(cases: Iterable[Case], system: System) -> tuple[Gold, ...]:
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
    return tuple(
        Gold(
            case,
            _locate_sets(case.evidence, case, ids, system),
            _locate_sets(case.correction, case, ids, system),
        )
        for case in cases
    )


def normal(text: str) -> str:
    """Folded for comparison of forms: compatibility characters, case, apostrophes, spaces."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"\s+", " ", text.replace("\u2019", "'").replace("\u2018", "'")).strip()


def says(text: str, form: str) -> bool:
    """Whether `text` holds `form` as whole words and whole numbers ("400" is not in "1.400")."""
    pattern = rf"(?<!\w)(?<!\d[.,]){re.escape(normal(form))}(?!\w)(?![.,]\d)"
    return re.search(pattern, normal(text)) is not None


def _lines(file: Path) -> list[str]:
    try:
        # Not splitlines(): a question may hold any other line separator of Unicode.
        return file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"Il file delle domande non si può leggere: {file}.",
            remedy="Indica con --golden un file JSONL in UTF-8, o una cartella che ne contiene.",
        ) from error


def _read_line(line: str, path: Path, number: int) -> Case:
    here = f"{path}:{number}"
    try:
        case = replace(_CASE.validate_json(line), file=str(path), line=number)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "riga"
        raise _wrong(here, f"{place}: {first['msg']}") from error
    problem = _problem(case)
    if problem:
        raise _wrong(here, problem)
    try:
        case.parsed_filters()
    except UsageError as error:
        raise _wrong(here, str(error)) from error
    if case.variant_of is None:
        stated, true = json.loads(line).get("split"), split_of(case)
        if stated not in (None, true):
            raise _wrong(here, f"split dovrebbe essere {true!r}: lo decide il documento")
        case = replace(case, split=true)
    return case


def _with_original(case: Case, cases: Mapping[str, Case]) -> Case:
    """A variant takes from its original what a right answer rests on."""
    if case.variant_of is None:
        return case
    original = cases.get(case.variant_of)
    if original is None or original.variant_of is not None:
        raise _wrong(case.where, f"variant_of {case.variant_of!r} non è una domanda originale")
    if case.answerable != original.answerable:
        raise _wrong(case.where, f"answerable non è quello di {original.id!r}")
    return replace(
        case,
        group=original.group,
        category=original.category,
        split=original.split,
        evidence=original.evidence,
        correction=original.correction,
        nuggets=original.nuggets,
        forbidden=original.forbidden,
        abstain_reason=original.abstain_reason,
        filters=original.filters,
        history=case.history or original.history,
    )


def _problem(case: Case) -> str | None:
    """What makes the case useless as gold, in Italian; None when nothing does."""
    if not case.id.strip():
        return "id non può essere vuoto"
    if any(not form.strip() for nugget in case.nuggets for form in nugget.forms or ("",)):
        return "un'informazione attesa (nuggets) non ha forme, o ne ha una vuota"
    if any(not word.strip() for word in case.forbidden):
        return "una parola vietata è vuota"
    if any(
        not quotes or any(not q.quote.strip() for q in quotes)
        for quotes in (*case.evidence, *case.correction)
    ):
        return "un insieme di prove è vuoto"
    if case.variant_of is not None:
        own = case.evidence or case.correction or case.nuggets or case.forbidden
        if own or case.abstain_reason or case.filters or not case.change:
            return "una variante ha change, e prende il resto dalla domanda originale"
        return None
    if case.change:
        return "change è soltanto delle varianti (variant_of)"
    vital = [nugget for nugget in case.nuggets if nugget.vital]
    if not case.answerable:
        if case.evidence or case.abstain_reason is None:
            return "una domanda senza risposta vuole abstain_reason e nessuna prova (evidence)"
        if bool(vital) != bool(case.correction):
            return "correction e informazioni vitali vanno insieme in una domanda senza risposta"
    elif not case.question.strip():
        return "la domanda è vuota"
    elif not case.evidence or not vital or case.abstain_reason or case.correction:
        return "una domanda con risposta vuole prove e informazioni vitali, non abstain_reason"
    for quotes in (*case.evidence, *case.correction):
        words = " ".join(gold.quote for gold in quotes)
        for nugget in vital:
            if not nugget.derived and not any(says(words, form) for form in nugget.forms):
                return f"l'informazione vitale {nugget.forms[0]!r} non è nelle prove"
    return None


def _locate_sets(
    sets: Sequence[Sequence[GoldQuote]], case: Case, ids: dict[str, list[str]], system: System
) -> tuple[tuple[Quote, ...], ...]:
    return tuple(tuple(_locate_quote(gold, case, ids, system) for gold in one) for one in sets)


def _locate_quote(gold: GoldQuote, case: Case, ids: dict[str, list[str]], system: System) -> Quote:
    named = ids.get(gold.document, [])
    if len(named) != 1:
        what = "non è nell'indice" if not named else "è nell'indice più di una volta"
        raise _wrong(case.where, f"il documento {gold.document!r} {what}")
    try:
        text = system.page(named[0], gold.page).text
    except NotFoundError as error:
        raise _wrong(case.where, f"{gold.document} non ha la pagina {gold.page}") from error
    times = text.count(gold.quote)
    if times != 1:
        raise _wrong(
            case.where,
            f"il brano {gold.quote[:80]!r} sta {times} volte, non una, in {gold.document}"
            f" a pagina {gold.page}",
        )
    start = text.index(gold.quote)
    return Quote(named[0], gold.page, start, start + len(gold.quote), gold.quote)


def _wrong(where: str, problem: str) -> UsageError:
    return UsageError(f"{where}: {problem}.", remedy="Correggi la riga.")
