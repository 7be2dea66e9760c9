"""Italian text to search terms: tokens, stop words, stems, and single terms for what is one thing.

Acts, dates and amounts have one canonical form however they are written (`acts`, `figures`).

Words are folded before they are stemmed, so that "attivita'" and "attività" are one term.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import tantivy

from assistant.italian.figures import figures
from assistant.italian.laws import law_references

ANALYSER_VERSION = "italiano-2"
"""Changes whenever the same text would give other terms: stored in each generation's manifest."""

_CACHE_SIZE = 200_000
"""Distinct written forms remembered; a hostile text cannot make the memory grow further."""

# A number keeps its thousands ("100.000") and decimals ("3,5"); dotted initials are one word
# ("A.U.S.L."); elsewhere a word is letters and digits, with combining accents of decomposed text.
_TOKEN = re.compile(
    r"[^\W\d_](?:(?:\.[^\W\d_])+\.?(?![^\W_])|[^\W_]*(?:[\u0300-\u036f]+[^\W_]*)*)"
    r"|(?<![\d.])\d{1,3}(?:\.\d{3})+(?:,\d+)?(?!\.?\d)|\d+(?:,\d+)?"
)
_SET_PHRASES = re.compile(r"\b(?:dopo|durante)\s+di\s+noi\b|\bdurante\s+noi\b", re.IGNORECASE)
"""Names of services made of stop words alone: each is one term."""
_HALVES = re.compile("[\ud800-\udfff]")
_APOSTROPHES = str.maketrans(dict.fromkeys("‘’‛′ʼ´`", "'"))


class Token(NamedTuple):
    """A word or number as it stands in the text: `text == original[start:end]`."""

    text: str
    start: int
    end: int


class Term(NamedTuple):
    """A search term and the stretch `original[start:end]` that it comes from."""

    text: str
    start: int
    end: int


def readable(text: str) -> str:
    """`text` without the halves of surrogate pairs, that no index holds: U+FFFD in their place.

    They come from bytes of a terminal that is not in UTF-8, and from JSON's \\ud800.
    """
    return _HALVES.sub("\ufffd", text)


def fold(text: str) -> str:
    """Small letters, no accents, one kind of apostrophe; the length may change."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES).lower())
    return decomposed.translate(_WITHOUT_MARKS)


class _WithoutMarks(dict[int, int | None]):
    """For `str.translate`: each character to itself, marks that go on others to nothing."""

    def __missing__(self, code: int) -> int | None:
        self[code] = kept = None if unicodedata.combining(chr(code)) else code
        return kept


_WITHOUT_MARKS = _WithoutMarks()


def tokens(text: str) -> list[Token]:
    """Words and numbers with their offsets; what elision leaves ("dell") is a token of its own."""
    return [Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]


def terms(text: str) -> list[str]:
    """Search terms in the order of the text, stop words out."""
    found: list[str] = []
    position = 0
    for item in _single(text):
        found += filter(
            None,
            map(_TERMS.__getitem__, _TOKEN.findall(text, position, item.start)),
        )
        found += item.terms
        position = item.end
    found += filter(None, map(_TERMS.__getitem__, _TOKEN.findall(text, position)))
    return found


def located_terms(text: str) -> list[Term]:
    """Search terms with the offsets of the words they come from."""
    found = []
    position = 0
    for item in _single(text):
        found += _plain_terms(text, position, item.start)
        found += (Term(term, item.start, item.end) for term in item.terms)
        position = item.end
    return found + _plain_terms(text, position, len(text))


def stem(word: str) -> str:
    """Italian Snowball stem of one word, folded; a number in its plainest form: 1200,5."""
    folded = fold(word).replace("'", "")
    if folded[:1].isdigit():
        whole, _, decimals = folded.replace(".", "").partition(",")
        decimals = decimals.rstrip("0")
        return (whole.lstrip("0") or "0") + (f",{decimals}" if decimals else "")
    if "." in folded:
        return folded.replace(".", "")
    return _exceptions().get(folded) or _analyzer().analyze(folded)[0]


def _plain_terms(text: str, start: int, end: int) -> list[Term]:
    return [
        Term(term, match.start(), match.end())
        for match in _TOKEN.finditer(text, start, end)
        if (term := _TERMS[match.group()])
    ]


class _Single(NamedTuple):
    """A stretch of text that is one thing, and its terms."""

    start: int
    end: int
    terms: tuple[str, ...]


def _single(text: str) -> list[_Single]:
    """Acts, dates, amounts and set phrases, in order, none over another; acts come first."""
    found = [_Single(act.start, act.end, (act.term,)) for act in law_references(text)]
    for figure in figures(text):
        words = (_TERMS[word] for word in figure.words)
        found.append(_Single(figure.start, figure.end, (*filter(None, words), figure.term)))
    found += (
        _Single(match.start(), match.end(), (_TERMS["".join(match.group().split())],))
        for match in _SET_PHRASES.finditer(text)
    )
    if len(found) < 2:
        return found
    kept: list[_Single] = []
    for item in sorted(found, key=lambda item: item.start):
        if not kept or item.start >= kept[-1].end:
            kept.append(item)
    return kept


class _TermCache(dict[str, str]):
    """Written form to term, empty for a stop word."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def __missing__(self, word: str) -> str:
        folded = fold(word)
        # The analyzer keeps the word in itself while it works.
        with self._lock:
            term = "" if folded in STOPWORDS else stem(folded)
            if len(self) >= _CACHE_SIZE:
                self.clear()
            self[word] = term
        return term


@cache
def _analyzer() -> tantivy.TextAnalyzer:
    """tantivy's Italian Snowball stemmer, 80 times as fast as pure Python."""
    # Imported here: who only folds text (the readers' processes) does without.
    import tantivy

    raw = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw())
    return raw.filter(tantivy.Filter.stemmer("italian")).build()


def _words(name: str) -> list[list[str]]:
    """Lines of a data file split into words, without comments."""
    lines = (Path(__file__).parent / name).read_text("utf-8").splitlines()
    return [words for line in lines if (words := line.partition("#")[0].split())]


@cache
def _exceptions() -> dict[str, str]:
    return {form: words[0] for words in _words("stems.txt") for form in words[1:]}


STOPWORDS: frozenset[str] = frozenset(word for words in _words("stopwords.txt") for word in words)
"""Folded words that are no search terms."""

_TERMS = _TermCache()
