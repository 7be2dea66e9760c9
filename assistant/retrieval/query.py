"""What a search text is read as: terms, other words for them, slips, language, what it is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property

from assistant.index.protocol import Alternative
from assistant.italian.analysis import fold, readable, stem, terms, tokens
from assistant.italian.english import in_italian, is_english
from assistant.italian.places import places
from assistant.italian.references import facts, references, years
from assistant.italian.sentences import split_sentences
from assistant.italian.spelling import corrected, corrections
from assistant.italian.thesaurus import (
    Expansion,
    expansions,
    shown,
    vocabulary,
    written_words,
)
from assistant.models import DocumentKind

GRAM = 5
"""Characters of a gram, blanks around a word included."""

MOST_TERMS = 256
"""Distinct words taken from a text; the rest of a longer one is ignored."""

LEAST_FOCUS = 2
"""Terms that the questions in a longer text must have to be searched without the rest."""

CONTEXT = 0.2
"""What a word beside the question counts, against one in it."""

MOST_CONTEXT = 16
"""Words beside the question that are searched."""

_ASKS = re.compile(
    r"\?\s*$|(?:^|: )(?:(?:a|con|da|di|in|per|su|tra) )?"
    r"(?:chi|che cosa|cosa|cos'|come|dove|quando|quale|quali|qual|quant[oaie]|perche)\b",
)
SCHEDA = re.compile(
    r"\bsched[ae]\s+(?:(?:attuativ[ae]|regionale|intervento)\s+)*(?:n(?:umero|r)?\.?\s*(?:°\s*)?)?"
    r"((?:d-)?\d{1,3})\b"
)

_NUMBERED = r"(?!\s+(?:(?:attuativ[ae]|regionale|intervento)\s+)*(?:n\w*\.?\s*(?:°\s*)?)?(?:d-)?\d)"
_NAMES: dict[DocumentKind, str] = {
    "piano_di_zona": r"pian[oi] (?:distrettual[ei] |social[ei] )?di zona\b",
    "piano": r"piano (?:regionale )?sociale e sanitario(?: regionale)?\b|pssr\b",
    "scheda": rf"sched[ae]\b(?: attuativ[ae]\b)?{_NUMBERED}",
    "linea_guida": r"line[ae][ -]guida\b|linee di indirizzo\b",
    "atto": r"deliber[ae]\b|deliberazion[ei]\b|decret[oi]\b|(?<!\bin )att[oi]\b",
    "pagina": r"pagin[ae] web\b|sit[oi] (?:web|internet)\b",
}
"""How the kinds of documents are called in questions."""
_KINDS = {kind: re.compile(rf"\b(?:{form})", re.IGNORECASE) for kind, form in _NAMES.items()}


@dataclass(frozen=True)
class Query:
    """A text as it is searched; terms are those of `assistant.italian.analysis`."""

    text: str
    """As written."""
    searched: str
    """In Italian, slips put right; of a text of several sentences those that ask."""
    terms: tuple[str, ...]
    """Distinct, in order."""
    expansions: tuple[Expansion, ...] = ()
    context: tuple[str, ...] = ()
    """Terms of the sentences that ask nothing."""
    corrections: tuple[tuple[str, str], ...] = ()
    """Words as written, and what was probably meant."""
    translated: bool = False
    """Whether `searched` is the translation of a question in English."""
    exact: bool = False
    """Whether the user's own words alone are searched."""
    ignore: frozenset[str] = frozenset()
    """Pins that the user took away: they are read as if the words had none."""

    @property
    def also_searched(self) -> tuple[str, ...]:
        """Other words to tell the user about."""
        return shown(self.expansions)

    @cached_property
    def sequence(self) -> tuple[str, ...]:
        """Terms in order, repetitions included."""
        return tuple(terms(self.searched)[:MOST_TERMS])

    @cached_property
    def forms(self) -> dict[str, str]:
        """The words as written, folded → their term."""
        found: dict[str, str] = {}
        for token in tokens(self.searched):
            own = terms(token.text)
            if own:
                found.setdefault(fold(token.text), own[0])
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """Terms of words with a capital, the first word's not counted."""
        written = tokens(self.searched)[1:]
        capital = [token.text for token in written if token.text[0].isupper()]
        if len(capital) == len(written):  # all in capitals: no word stands out
            return frozenset()
        return frozenset(term for text in capital for term in terms(text))

    @cached_property
    def years(self) -> frozenset[int]:
        return frozenset() if "anno" in self.ignore else frozenset(years(self.text))

    @cached_property
    def schede(self) -> frozenset[str]:
        """Numbers of the schede that it names, `5` or `d-27`."""
        if "scheda" in self.ignore:
            return frozenset()
        return frozenset(SCHEDA.findall(fold(self.searched)))

    @cached_property
    def acts(self) -> frozenset[str]:
        """Acts that it names, `dgr:1423/2017`; like kinds, preferred for their words alone."""
        return frozenset() if "atto" in self.ignore else frozenset(references(self.text))

    @cached_property
    def kinds(self) -> tuple[DocumentKind, ...]:
        """Kinds of documents that it calls by name; a numbered scheda or act is no kind."""
        if "tipo" in self.ignore:
            return ()
        return tuple(dict.fromkeys(kind for kind, _, _ in _kinds(self.searched)))

    def distretti(self, known: Collection[str]) -> frozenset[str]:
        """Districts that it names, folded; `known` are those of the documents."""
        if "distretto" in self.ignore:
            return frozenset()
        return frozenset(fold(place) for place in places(self.text, known))

    def alternatives(self, idf: Callable[[str], float]) -> list[list[Alternative]]:
        """Expansions and context as a lexical search takes them, a group for each part.

        Rare words weigh more in BM25: a form's weight is cut so that it never counts more than its
        share of the words that it stands for.
        """
        groups: dict[tuple[str, ...], list[Alternative]] = {}
        for item in self.expansions:
            theirs = sum(idf(term) for term in item.terms)
            own = sum(idf(term) for term in item.asked)
            if theirs > 0:
                weight = item.weight * min(1.0, own / theirs)
                groups.setdefault(item.asked, []).append((item.terms, weight))
        beside: list[list[Alternative]] = [[((term,), CONTEXT)] for term in self.context]
        return [*groups.values(), *beside]


def read_query(
    text: str,
    frequency: Callable[[str], int] | None = None,
    gram_frequency: Callable[[str], int] | None = None,
    *,
    expand: bool = True,
    ignore: Collection[str] = (),
) -> Query:
    """Never fails, whatever the text.

    `frequency(term)` is how many passages hold a term; with it slips are put right.
    `gram_frequency(gram)`, how many hold a character 5-gram, keeps them from becoming no words.
    `expand=False` searches the words as they are: no other words, no corrections, no translation.
    `ignore` are keys of pins; the words that name an act or a kind are not searched then.
    """
    text, ignored = readable(text), frozenset(ignore)
    if not expand:
        searched = _without(text, ignored)
        distinct = tuple(dict.fromkeys(terms(searched)[:MOST_TERMS]))
        return Query(text, searched, distinct, exact=True, ignore=ignored)
    translated = is_english(text)
    searched = in_italian(text) if translated else text
    slips: dict[str, str] = {}
    if frequency is not None and not translated:
        words = vocabulary()

        def known(term: str) -> int:
            return frequency(term) or int(term in words)

        def is_word(form: str) -> bool:
            padded = f" {form} "
            grams = [padded[i : i + GRAM] for i in range(len(padded) - GRAM + 1)]
            if gram_frequency is None or all(map(gram_frequency, grams)):
                return True
            return not frequency(stem(form)) and form in written_words()

        slips = corrections(searched, known, is_word)
        searched = corrected(searched, slips)
    searched, context = _focus(_without(searched, ignored))
    sequence = terms(searched)[:MOST_TERMS]
    distinct = tuple(dict.fromkeys(sequence))
    return Query(
        text,
        searched,
        distinct,
        tuple(expansions(sequence)),
        tuple(term for term in dict.fromkeys(context) if term not in distinct)[:MOST_CONTEXT],
        tuple(slips.items()),
        translated,
        ignore=ignored,
    )


def _kinds(text: str) -> list[tuple[DocumentKind, int, int]]:
    """Kinds called by name and where."""
    acts = [(mention.start, mention.end) for mention in facts(text).references]
    return [
        (kind, match.start(), match.end())
        for kind, pattern in _KINDS.items()
        for match in pattern.finditer(text)
        if not any(start <= match.start() < end for start, end in acts)
    ]


def _without(text: str, ignored: Collection[str]) -> str:
    """The text without the names of acts or kinds that are ignored, unless nothing is left."""
    spans: list[tuple[int, int]] = []
    if "atto" in ignored:
        spans += [(mention.start, mention.end) for mention in facts(text).references]
    if "tipo" in ignored:
        spans += [(start, end) for _, start, end in _kinds(text)]
    rest = text
    for start, end in sorted(spans, reverse=True):
        rest = rest[:start] + rest[end:]
    return rest if terms(rest) else text


def _focus(text: str) -> tuple[str, list[str]]:
    """The sentences that ask, and the terms of the others; the whole text when none asks enough."""
    spans = split_sentences(text)
    if len(spans) < 2:
        return text, []
    sentences = [text[start:end] for start, end in spans]
    asking = [bool(_ASKS.search(fold(sentence))) for sentence in sentences]
    asked = " ".join(one for one, asks in zip(sentences, asking, strict=True) if asks)
    if len(set(terms(asked))) < LEAST_FOCUS:
        return text, []
    rest = [one for one, asks in zip(sentences, asking, strict=True) if not asks]
    return asked, [term for one in rest for term in terms(one)]
