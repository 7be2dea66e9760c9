"""Slips of the keyboard: a word that no document holds, one letter away from one that some do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from assistant.italian.analysis import STOPWORDS, fold, stem, tokens

LEAST_LETTERS = 5
"""A shorter word is one letter away from too many others."""

MOST_LETTERS = 30
"""No word of the documents is longer, and the neighbours of a word are as many as its letters."""

MOST_WORDS = 4
"""Words of a text that are put right."""

MOST_TRIED = 16
"""Words of a text that are tried; each costs some milliseconds."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def corrections(
    text: str, frequency: Callable[[str], int], is_word: Callable[[str], bool] | None = None
) -> dict[str, str]:
    """Written word → the word that was probably meant.

    `frequency(term)` is how many passages hold a term; `is_word(form)` is whether one may hold a
    form as it is written: stems alone would make of "vorrei" a "vorrie". Words with a capital are
    left alone, unless all have one: a name that the collection does not know is a name.
    """
    found: dict[str, str] = {}
    tried: set[str] = set()
    written = tokens(text)
    shouted = all(token.text[0].isupper() for token in written if token.text[0].isalpha())
    for token in written:
        word = fold(token.text)
        if (
            len(found) < MOST_WORDS
            and len(tried) < MOST_TRIED
            and LEAST_LETTERS <= len(word) <= MOST_LETTERS
            and word not in tried
            and word.isascii()
            and word.isalpha()
            and (shouted or not token.text[0].isupper())
            and word not in STOPWORDS
            and frequency(stem(word)) == 0
        ):
            tried.add(word)
            if meant := _meant(word, frequency, is_word):
                found[token.text] = meant
    return found


def corrected(text: str, found: dict[str, str]) -> str:
    """The text with those words put right."""
    pieces: list[str] = []
    position = 0
    for token in tokens(text):
        if token.text in found:
            pieces += (text[position : token.start], found[token.text])
            position = token.end
    return "".join([*pieces, text[position:]])


def _meant(
    word: str, frequency: Callable[[str], int], is_word: Callable[[str], bool] | None
) -> str | None:
    """The most frequent neighbour; letters swapped, doubled or dropped before letters replaced."""
    for likely in (_swapped, _shorter, _longer, _replaced):
        best: tuple[int, str] | None = None
        for other in likely(word):
            if other[:1] not in _LETTERS or other in STOPWORDS:
                continue
            count = frequency(stem(other))
            better = count and (best is None or (count, other) > best)
            if better and (is_word is None or is_word(other)):
                best = count, other
        if best:
            return best[1]
    return None


def _swapped(word: str) -> Iterator[str]:
    for i in range(len(word) - 1):
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def _shorter(word: str) -> Iterator[str]:
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]


def _longer(word: str) -> Iterator[str]:
    for i in range(len(word) + 1):
        for letter in _LETTERS:
            yield word[:i] + letter + word[i:]


def _replaced(word: str) -> Iterator[str]:
    for i in range(len(word)):
        for letter in _LETTERS:
            if letter != word[i]:
                yield word[:i] + letter + word[i + 1 :]
