"""Words with their letters spaced out for emphasis, as acts set them: "D E L I B E R A".

A run of single letters of one case is a word when it can be an Italian one: five letters or more
that end in a vowel, with the vowels and the groups of consonants that Italian has. So lists of
letters ("A B C D E", "a e i o u", "E A B C") and columns of marks ("X X X", "S N S N S") stay as
they are.
"""

from __future__ import annotations

import re

_CAPITAL, _SMALL = "A-ZÀÈÉÌÒÙ", "a-zàèéìòù"
_RUN = "|".join(rf"[{case}](?: [{case}])+(?![^\W_])" for case in (_CAPITAL, _SMALL))
_RUN = rf"(?<![^\W_])(?<![^\W_]['’.-])(?:{_RUN})"
_WORDS = re.compile(rf"{_RUN}(?: {{2,6}}{_RUN})*")
"""Spaced words stand further apart than the letters of each."""
_CANDIDATE = re.compile(rf"(?:\b[{_CAPITAL}{_SMALL}] ){{3}}")
_GAP = re.compile(" {2,}")
_MIN_LETTERS = 5
_SHORT = frozenset({"DATO", "ATTO"})
"""Words of four letters that acts set so, one after the other."""
_AREAS = frozenset("ABCDE")
"""The letters of the plans' areas, listed in any order."""
_VOWELS = "AEIOUÀÈÉÌÒÙ"
_GROUP = (
    r"(?:Q(?=U)|[BCDFGLMNPRSTVZ]"
    r"|([BCDFGLMNPRSTVZ])\1[RL]?|S(?:[BCDFGLMNPRTV][RL]?|Q(?=U))|[BCDFGPTV][RL]|CH[RL]?|GH|SCH|GN|C?CH|G?GH"
    r"|[LMNR](?:[BCDFGLMNPSTVZ][RL]?|CH|GH|Q(?=U)|ST?R?)|CQ(?=U)|H|PS|X)"
)
_WORD = re.compile(
    rf"(?:{_GROUP})?[{_VOWELS}]{{1,3}}(?:(?:{_GROUP.replace('1', '2')})[{_VOWELS}]{{1,3}})+"
)


def join_spaced(text: str) -> str:
    """`text` with such words closed up; runs never cross a line break. Idempotent when no two
    blanks stand in a row."""
    return _WORDS.sub(_joined, text) if _CANDIDATE.search(text) else text


def _joined(match: re.Match[str]) -> str:
    words = [run.replace(" ", "") for run in _GAP.split(match[0])]
    upper = [word.upper() for word in words]
    if all(word in _SHORT for word in upper):
        return " ".join(words)
    if not any(_is_word(word) for word in upper):
        return match[0]
    return " ".join(words)


def _is_word(word: str) -> bool:
    return (
        len(word) >= _MIN_LETTERS
        and not _AREAS.issuperset(word)
        and len(set(word)) > len(word) // 3
        and _WORD.fullmatch(word) is not None
    )
