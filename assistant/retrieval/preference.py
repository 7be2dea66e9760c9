"""Which text is meant when several match about as well: in force, and of the place asked about."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from assistant.italian.analysis import terms
from assistant.italian.references import years
from assistant.models import Document, Filters


@dataclass(frozen=True, slots=True)
class PreferenceWeights:
    """Shares of its score that a passage keeps; 1 is no preference.

    A preference only orders texts that match about as well: one that alone answers is still found.
    Chosen on the golden questions for development.
    """

    superseded: float = 0.85
    """No longer in force, for a query that does not ask for its years."""
    elsewhere: float = 0.7
    """Of another district than those that the query names."""
    local: float = 0.8
    """Of one district, for a query that names none: what holds everywhere comes first."""


class Preference:
    """What one query prefers, among documents of the districts in `distretti`."""

    def __init__(
        self,
        text: str,
        filters: Filters,
        distretti: Iterable[str],
        weights: PreferenceWeights | None = None,
        *,
        ignore: Collection[str] = (),
    ) -> None:
        """`ignore` are keys of pins that the text is read without."""
        self._weights = weights or PreferenceWeights()
        self._filters = filters
        self._years = frozenset() if "anno" in ignore else frozenset(years(text))
        words = set() if "distretto" in ignore else set(terms(text))
        self._named = {name for name in distretti if _stands_in(name, words)}

    def share(self, document: Document) -> float:
        """What a passage of `document` keeps of its score, in `(0, 1]`."""
        if self._filters.document:
            return 1.0
        yields = not self._filters.year and is_past(document, self._years)
        share = self._weights.superseded if yields else 1.0
        if self._filters.distretto or document.distretto is None:
            return share
        if self._named:
            return share * (1.0 if document.distretto in self._named else self._weights.elsewhere)
        return share * self._weights.local


def is_past(document: Document, asked: Collection[int]) -> bool:
    """Whether a text no longer in force is met by somebody who did not ask for its years."""
    if document.status != "superseded":
        return False
    last = document.year_to or document.year_from or 0
    return not any(year <= last for year in asked)


def _stands_in(name: str, words: Collection[str]) -> bool:
    own = _terms_of(name)
    return bool(own) and all(term in words for term in own)


@lru_cache(1024)
def _terms_of(name: str) -> tuple[str, ...]:
    """Every query meets the same few names."""
    return tuple(terms(name))
