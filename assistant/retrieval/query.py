"""What a search text is read as: terms, other words for them, the language it is in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from assistant.index.protocol import Alternative
from assistant.italian.analysis import fold, readable, terms, tokens
from assistant.italian.english import in_italian, is_english
from assistant.italian.thesaurus import Expansion, expansions, shown

MOST_TERMS = 256
"""Distinct words taken from a text; the rest of a longer one is ignored."""


@dataclass(frozen=True)
class Query:
    """A text as it is searched; the texts of terms are those of `assistant.italian.analysis`."""

    text: str
    """As written."""
    searched: str
    """In Italian: the text itself, or the translation of a question in English."""
    terms: tuple[str, ...]
    """Distinct, in order."""
    expansions: tuple[Expansion, ...]

    @property
    def translated(self) -> bool:
        return self.searched != self.text

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

    def alternatives(self, idf: Callable[[str], float]) -> list[list[Alternative]]:
        """The expansions as a lexical search takes them, a group for each part of the query.

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
        return list(groups.values())


def read_query(text: str, *, expand: bool = True) -> Query:
    """Never fails, whatever the text; `expand=False` searches the words as they are."""
    text = readable(text)
    searched = in_italian(text) if is_english(text) else text
    sequence = terms(searched)[:MOST_TERMS]
    found = expansions(sequence) if expand else []
    return Query(text, searched, tuple(dict.fromkeys(sequence)), tuple(found))


