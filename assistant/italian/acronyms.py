"""The field's acronyms and what they stand for; their list is `acronyms.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from functools import cache
from importlib import resources

from assistant.italian.analysis import terms


@cache
def expansions(term: str) -> tuple[tuple[str, ...], ...]:
    """What an analysed term stands for, each as analysed terms; empty when it is no acronym."""
    return _table().get(term, ())


def stands_in(term: str, found: Collection[str]) -> bool:
    """Whether a term, or all the words it stands for, are among analysed terms."""
    if term in found:
        return True
    return any(all(word in found for word in words) for words in expansions(term))


@cache
def _table() -> dict[str, tuple[tuple[str, ...], ...]]:
    file = resources.files("assistant.italian").joinpath("acronyms.toml")
    table: dict[str, tuple[tuple[str, ...], ...]] = {}
    for acronym, meanings in tomllib.loads(file.read_text("utf-8")).items():
        # "SIA" and "DAL" in small letters are stop words: as terms they do not exist.
        for term in terms(acronym)[:1]:
            table[term] = tuple(tuple(terms(meaning)) for meaning in meanings)
    return table
