"""How truly documents were read: the index of the bundled corpus against what its writer drew.

The truth (corpus/truth.py) knows every sentence, row and field with its page. A metric here is a
function from one document's truth and reading to observations, 1 for right and 0 for wrong, each
with a word on what it is about. Legends are Italian, because the report shows them.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, Protocol

from assistant.italian.sentences import split_sentences
from assistant.models import Document, Page, Passage
from assistant.record_models import Intervento, Scheda
from corpus.truth import Item, Truth
from eval.cases import normal

MIN_SENTENCE_CHARS = 12
"""A shorter sentence ("Sì.") may stand anywhere by chance and proves nothing."""
_NOT_WORD = re.compile(r"[\W_]+")


class Reading(Protocol):
    """The part of assistant.service.Assistant that tells what was read."""

    def documents(self) -> list[Document]: ...
    def page(self, document_id: str, number: int, /) -> Page: ...
    def document_passages(self, document_id: str, /) -> list[Passage]: ...
    def schede(self) -> list[Scheda]: ...
    def interventi(self) -> list[Intervento]: ...


class Observation(NamedTuple):
    right: bool
    about: str


def letters(text: str) -> str:
    """Letters and digits alone: what stays equal over a page break inside a word."""
    return _NOT_WORD.sub("", unicodedata.normalize("NFKC", text)).casefold()


class _Searchable:
    """Texts one after the other in a folded form, which knows where each letter comes from."""

    def __init__(self, texts: Sequence[str], fold: Callable[[str], str]) -> None:
        self._starts: list[int] = []
        self._places: list[list[int]] = []
        parts: list[str] = []
        length = 0
        for text in texts:
            form, places = _with_places(text, fold)
            self._starts.append(length)
            self._places.append(places)
            parts.append(form)
            length += len(form) + 1
        self.text = "\x00".join(parts)

    def find(self, words: str) -> Iterator[tuple[int, int, int]]:
        """`(text, start, end)` of each occurrence, in the original's offsets."""
        at = self.text.find(words)
        while at >= 0 and words:
            which = bisect.bisect_right(self._starts, at) - 1
            inside = at - self._starts[which]
            places = self._places[which]
            yield which, places[inside], places[inside + len(words) - 1] + 1
            at = self.text.find(words, at + 1)


def _with_places(text: str, fold: Callable[[str], str]) -> tuple[str, list[int]]:
    form: list[str] = []
    places: list[int] = []
    for i, char in enumerate(text):
        if char.isspace():
            if fold is letters or not form or form[-1] == " ":
                continue
            form.append(" ")
            places.append(i)
            continue
        for one in fold(char):
            form.append(one)
            places.append(i)
    while form and form[-1] == " ":
        form.pop()
        places.pop()
    return "".join(form), places


@dataclass(frozen=True)
class Read:
    """One document as the index holds it."""

    document: Document
    pages: Sequence[Page]
    passages: Sequence[Passage]
    records: Sequence[Scheda | Intervento] = field(default=())

    @classmethod
    def of(cls, reading: Reading, document: Document) -> Read:
        numbers = range(1, document.page_count + 1)
        records: list[Scheda | Intervento] = [*reading.schede(), *reading.interventi()]
        own = [record for record in records if record.document_id == document.id]
        return cls(
            document,
            [reading.page(document.id, number) for number in numbers],
            reading.document_passages(document.id),
            sorted(own, key=lambda record: (record.page_start, records.index(record))),
        )

    @cached_property
    def exact(self) -> _Searchable:
        return _Searchable([passage.text for passage in self.passages], normal)

    @cached_property
    def loose(self) -> _Searchable:
        return _Searchable([passage.text for passage in self.passages], letters)

    @cached_property
    def page_texts(self) -> _Searchable:
        return _Searchable([page.text for page in self.pages], letters)


Observe = Callable[[Truth, Read], Iterator[Observation]]


class Fidelity(NamedTuple):
    name: str
    observe: Observe
    legend: str


FIDELITY: dict[str, Fidelity] = {}


def fidelity(observe: Observe) -> Observe:
    """Register a metric; its docstring is the legend."""
    name: str = getattr(observe, "__name__", "")
    FIDELITY[name] = Fidelity(name, observe, " ".join((observe.__doc__ or "").split()))
    return observe


def _sentences(item: Item) -> Iterator[tuple[int, int, str]]:
    for start, end in split_sentences(item.text):
        if end - start >= MIN_SENTENCE_CHARS:
            yield start, end, item.text[start:end]


@fidelity
def sentence_page(truth: Truth, read: Read) -> Iterator[Observation]:
    """Frasi che stanno intere in un brano, parola per parola, citate alla pagina vera."""
    if truth.scanned:
        return
    for item in truth.items:
        if item.kind not in ("text", "list_item"):
            continue
        for start, end, sentence in _sentences(item):
            wanted = (item.page_of(start), item.page_of(end - 1))
            crosses = wanted[0] != wanted[1]
            search, fold = (read.loose, letters) if crosses else (read.exact, normal)
            found = {
                (quotes[0].page, quotes[-1].page)
                for which, first, last in search.find(fold(sentence))
                if (quotes := read.passages[which].quotes(first, last))
            }
            yield Observation(wanted in found, f"p. {wanted[0]}: {sentence}")


@fidelity
def reading_order(truth: Truth, read: Read) -> Iterator[Observation]:
    """Capoversi vicini che nel testo letto stanno nell'ordine in cui furono scritti."""
    if truth.scanned:
        return
    blocks = [item for item in truth.items if len(letters(item.text)) >= MIN_SENTENCE_CHARS]
    seen: Counter[str] = Counter(letters(item.parts[0].text) for item in blocks)
    places = []
    for item in blocks:
        words = letters(item.parts[0].text)
        # What is said twice on a page has no one place in the order.
        found = list(read.page_texts.find(words)) if seen[words] == 1 else []
        own = [place for place in found if place[0] == item.parts[0].page - 1]
        places.append((own[0] if len(own) == 1 else None, item))
    known = [(place, item) for place, item in places if place is not None]
    for (before, _), (after, item) in pairwise(known):
        yield Observation(before < after, f"p. {item.parts[0].page}: {item.text[:80]}")


@fidelity
def running_lines_out(truth: Truth, read: Read) -> Iterator[Observation]:
    """Pagine le cui testatine e piè di pagina non entrano in nessun brano."""
    if truth.scanned or not truth.running:
        return
    said = {normal(item.text) for item in truth.items}
    patterns = [
        re.compile(re.escape(normal(line)).replace(r"\#", r"(?:\d+|[ivxlc]+)"))
        for line in truth.running
        if normal(line) not in said
    ]
    spoiled: dict[int, str] = {}
    for passage in read.passages:
        for span in passage.spans:
            for line in read.pages[span.page - 1].text[span.start : span.end].split("\n"):
                if any(pattern.fullmatch(normal(line)) for pattern in patterns):
                    spoiled[span.page] = line
    for page in read.pages:
        words = spoiled.get(page.number)
        yield Observation(words is None, f"p. {page.number}: {words}")


@fidelity
def row_readable(truth: Truth, read: Read) -> Iterator[Observation]:
    """Righe di tabella che in un brano stanno intere, con i nomi delle colonne."""
    if truth.scanned:
        return
    forms = [letters(passage.text) for passage in read.passages]
    for row in truth.rows:
        cells = [form for cell in row.cells if (form := letters(cell))]
        head = [form for name in row.head if (form := letters(name))]
        if not cells or (not row.head and len("".join(cells)) > 700):
            continue  # a row of fields as long as a passage is parted like any text
        wanted = [*head, "".join(cells)]
        # Cells of several lines may come interleaved line by line; each must be there whole.
        right = any(all(form in text for form in wanted) for text in forms) or any(
            all(form in text for form in [*head, *cells]) for text in forms
        )
        yield Observation(right, f"p. {row.page}: {' | '.join(row.cells)[:100]}")


@fidelity
def ocr_words(truth: Truth, read: Read) -> Iterator[Observation]:
    """Parole delle pagine scandite che il riconoscimento ottico ha letto giuste (quando c'è)."""
    if not truth.scanned or not read.document.ocr_pages:
        return
    said: dict[int, Counter[str]] = {}
    for item in truth.items:
        for part in item.parts:
            said.setdefault(part.page, Counter()).update(normal(part.text).split())
    for number, words in said.items():
        got = Counter(normal(read.pages[number - 1].text).split())
        for word, times in words.items():
            hit = min(times, got[word])
            yield from [Observation(True, word)] * hit
            yield from [Observation(False, f"p. {number}: {word}")] * (times - hit)
