"""Places of the field named in a text, however they are capitalised."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from assistant.italian.distretti import names_by_form


def places(text: str, known: Iterable[str] = ()) -> list[str]:
    """Districts named in `text`, as written there, in order; `known` adds names to look for."""
    return [match.group() for match in _pattern(frozenset(known)).finditer(text)]


@lru_cache(maxsize=16)
def _pattern(known: frozenset[str]) -> re.Pattern[str]:
    # Longest first, so that "Reggio Emilia" is not read as a shorter name.
    forms = sorted({*_forms(), *known}, key=lambda form: (-len(form), form))
    names = "|".join(r"[\s'’\-/]+".join(map(re.escape, re.findall(r"\w+", form))) for form in forms)
    return re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.IGNORECASE)


@cache
def _forms() -> tuple[str, ...]:
    return tuple(form for form in names_by_form() if len(form) > 3)
