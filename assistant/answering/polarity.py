"""Whether two sentences say yes or no of the same things.

A marker governs the content words that follow it in its clause; two sentences disagree when one
governs a word that the other states plainly. Word lists: assistant/italian/meaning.toml.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import NamedTuple

from assistant.italian.analysis import fold, stem, terms, tokens

SCOPE = 3
"""Content words that a marker governs."""

_CLAUSE_END = re.compile(r"[,;:.!?()]")


class Marker(NamedTuple):
    """A word such as "non" and the stems it governs, nearest first."""

    word: str
    scope: tuple[str, ...]


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    file = resources.files("assistant.italian").joinpath("meaning.toml")
    lists: dict[str, list[str]] = tomllib.loads(file.read_text("utf-8"))
    return {
        name: re.compile("|".join(re.escape(word).replace(r"\*", r"\w*") for word in words))
        for name, words in lists.items()
    }


def is_word(kind: str, word: str) -> bool:
    """Whether a folded word is in a list of meaning.toml."""
    return _patterns()[kind].fullmatch(word) is not None


def markers(kind: str, text: str) -> list[Marker]:
    """Words of a kind in `text`, with what each governs."""
    found = []
    words = tokens(text)
    for position, token in enumerate(words):
        word = fold(token.text)
        if not is_word(kind, word) or _idiom(words[position:], word):
            continue
        clause = _CLAUSE_END.split(text[token.end :], maxsplit=1)[0]
        found.append(Marker(word, tuple(terms(clause)[:SCOPE])))
    return found


def _idiom(words: list, word: str) -> bool:  # type: ignore[type-arg]
    """ "non solo … ma anche" denies nothing."""
    return word == "non" and len(words) > 1 and fold(words[1].text) in ("solo", "soltanto")


def disagreement(claim: str, source: str) -> str:
    """Why `claim` says more or other than `source`, in Italian; empty when it does not."""
    said = set(terms(claim))
    if reason := _negations(claim, source, said):
        return reason
    if reason := _exceptions(claim, source):
        return reason
    return _modality(claim, source, said)


def _negations(claim: str, source: str, said: set[str]) -> str:
    in_claim, in_source = markers("negation", claim), markers("negation", source)
    for marker in in_source:
        governed = set(marker.scope)
        touched = governed & said
        if not marker.scope or not (marker.scope[0] in said or len(touched) >= 2):
            continue
        if not any(governed & set(other.scope) for other in in_claim):
            return f"La fonte ha una negazione («{marker.word}») che nella frase è caduta."
    heard = set(terms(source))
    for marker in in_claim:
        governed = set(marker.scope)
        if any(governed & set(other.scope) for other in in_source):
            continue
        if governed & heard or not governed:
            return f"La frase nega («{marker.word}») ciò che la fonte afferma."
        return f"La fonte non contiene la negazione «{marker.word}» della frase."
    return ""


def _exceptions(claim: str, source: str) -> str:
    in_claim, in_source = markers("exception", claim), markers("exception", source)
    if in_source and not in_claim:
        return f"La fonte pone un'eccezione («{in_source[0].word}») che nella frase è caduta."
    if in_claim and not in_source:
        return f"La frase pone un'eccezione («{in_claim[0].word}») che la fonte non pone."
    return ""


def _modality(claim: str, source: str, said: set[str]) -> str:
    hedged = markers("possibility", claim)
    for marker in markers("possibility", source):
        if marker.scope and marker.scope[0] in said and not hedged:
            return f"La fonte parla di una possibilità («{marker.word}»), la frase di un fatto."
    if markers("duty", claim) and not markers("duty", source):
        return "La frase parla di un obbligo che la fonte non pone."
    if hedged and markers("duty", source) and not markers("possibility", source):
        return "La fonte pone un obbligo, la frase una possibilità."
    done = {term for marker in markers("past", claim) for term in marker.scope}
    for marker in markers("future", source):
        if set(marker.scope) & done and not markers("future", claim):
            return f"La fonte parla del futuro («{marker.word}»), la frase di un fatto compiuto."
    return ""


def added_weight(claim: str, source: str) -> str:
    """The first weighty word of `claim` that `source` lacks ("tutti", "gratuito"), or empty."""
    present = {fold(token.text) for token in tokens(source)}
    stems = {stem(word) for word in present}
    for token in tokens(claim):
        word = fold(token.text)
        if is_word("weighty", word) and word not in present and stem(word) not in stems:
            return token.text
    return ""
