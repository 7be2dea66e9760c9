"""Questions in English: the field's terms in Italian, word by word, for the search alone.

`english.tsv` is a bilingual list of the field's terms, written for this project. What it does not
know stays as it is: names, acts and places are the same in both languages.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from assistant.italian.analysis import STOPWORDS, fold

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?|[^\w\s]+|\s+|_+")
_FUNCTION = frozenset({
    "the", "of", "and", "or", "how", "many", "much", "what", "which", "who", "whose", "whom",
    "when", "where", "why", "is", "are", "was", "were", "does", "do", "did", "has", "have", "had",
    "can", "could", "should", "would", "will", "shall", "must", "be", "been", "being", "for",
    "from", "with", "without", "into", "about", "under", "over", "between", "this", "that",
    "these", "those", "there", "their", "its", "it", "they", "we", "you", "your", "our", "my",
    "his", "her", "not", "any", "some", "to", "by", "at", "on", "as", "if", "an", "i", "than",
    "then", "each", "every", "all",
})  # fmt: skip
"""Words that questions in English are built with; none is an Italian word of a question."""

_BOTH = frozenset(
    {"a", "in", "per", "come", "se", "i", "on", "do", "can", "any", "all", "an", "me"}
)
"""Also Italian words or letters: they decide nothing."""

LEAST_ENGLISH = 2


def is_english(text: str) -> bool:
    """Whether more of the words that sentences are built with are English than Italian."""
    words = [fold(word) for word in re.findall(r"[^\W\d_]+", text)]
    english = sum(word in _FUNCTION and word not in _BOTH for word in words)
    italian = sum(word in STOPWORDS and word not in _BOTH for word in words)
    known = sum(_singular(word) in _table() for word in words if word not in STOPWORDS)
    if english >= LEAST_ENGLISH:
        return english >= italian
    return english > 0 and italian == 0 and known > 0


def in_italian(text: str) -> str:
    """The text with every term of the list in Italian, the longest first, the rest as it is.

    What is written together stays together: "L.R. 14/2015", "12,5".
    """
    pieces = [match for match in _WORD.finditer(text) if not match.group().isspace()]
    words = [fold(piece.group()).removesuffix("'s") for piece in pieces]
    table, longest = _table(), _longest()
    found: list[str] = []
    start = reached = 0
    while start < len(pieces):
        for length in range(min(longest, len(pieces) - start), 0, -1):
            if translation := _translation(words[start : start + length], table):
                break
        else:
            length = 1
            translation = "" if words[start] in _FUNCTION else pieces[start].group()
        if translation:
            apart = found and pieces[start].start() > reached
            found.append(f" {translation}" if apart else translation)
            reached = pieces[start + length - 1].end()
        start += length
    return "".join(found)


def _translation(words: list[str], table: dict[str, str]) -> str | None:
    plain = " ".join(words)
    if plain in table:
        return table[plain]
    return table.get(" ".join([*words[:-1], _singular(words[-1])]))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word[:-1]
    return word


@cache
def _table() -> dict[str, str]:
    """English term → Italian, alternatives side by side: a search takes both."""
    file = resources.files("assistant.italian").joinpath("english.tsv")
    table: dict[str, str] = {}
    for line in file.read_text("utf-8").splitlines():
        english, tab, italian = line.partition("\t")
        if tab and not line.startswith("#"):
            table.setdefault(fold(english), italian.replace(" | ", " "))
    return table


@cache
def _longest() -> int:
    return max(term.count(" ") + 1 for term in _table())
