"""Follow-ups to full questions, without a language model: slots swapped or words carried over."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from assistant.answering.question import weak_terms
from assistant.italian.analysis import fold, terms
from assistant.italian.places import places

_OPENING = re.compile(
    r"^\s*(?:e|ed|ma|anche|invece|allora|quindi|poi)\b[\s,]*(?:invece\s+|poi\s+|anche\s+)?",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(quest[oaie]|quell[oaie]|quel|cio|lo stesso|la stessa|li|loro|esso|essa|essi|esse|"
    r"suo|sua|suoi|sue|ne)\b|\b(chi|cosa|come|quando|dove|quanto|perche) "
    r"(lo|la|li|le|ne|gli|ci)\b"
)
_QUESTION_WORD = re.compile(
    r"^(?:(?:a|ad|in|per|con|da|di|su|entro) )?"
    r"(chi|cosa|che|come|quando|dove|quant[oaie]|qual[ei]?|perche)\b"
)
_YEARS = re.compile(r"\b(?:19|20)\d\d(?:\s?[-–/]\s?(?:(?:19|20)\d\d|\d\d))?\b")
_SCHEDA = re.compile(r"\b(sched[ae]\s+(?:n\.?\s*)?)(\d{1,3})\b", re.IGNORECASE)
_PLACE_AFTER = re.compile(
    r"\b(?:a|ad|di|da|per|in|nel|nella|del|della|dell'|distretto di|comune di)\s+"
    r"((?:[A-ZÀ-Ý][\w'’\-]+)(?:\s+(?:[A-ZÀ-Ý][\w'’\-]+))*)"
)

_DETERMINER = re.compile(
    r"\b(?:il|lo|la|i|gli|le|l'|un|uno|una|del|dello|della|dei|degli|delle|dell'|nel|nella|nei|"
    r"nelle|al|alla|ai|alle|sul|sulla|dal|dalla|di|a|in|per|con)(?=\W)|\b(?:significa|vuol dire)\b|"
    r"\bcos'e|\bcosa e\b|\bchi e\b"
)

_BODIES = frozenset(
    {"piano", "piani", "fondo", "regione", "comune", "comuni", "distretto", "distretti", "unione"}
    | {"azienda", "casa", "case", "scheda", "tavolo", "comitato", "community", "progetto"}
    | {"programma", "legge"}
)
"""First words of capitalised names that are no places."""

FEW_TERMS = 4
"""A question with fewer content words than this may lean on the one before."""


def resolve(question: str, history: Sequence[str], known: Collection[str] = ()) -> str:
    """The question in full, given the earlier ones (oldest first); itself when it stands alone.

    `known` are names of districts that the documents add to the real ones.
    """
    text = question.strip()
    previous = next((item.strip() for item in reversed(history) if item.strip()), "")
    if not previous or not text or not leans_back(text):
        return text
    # What the previous question meant may itself depend on the one before it.
    previous = resolve(previous, history[: _last_index(history, previous)], known)
    rest = _OPENING.sub("", text).strip()
    swapped = _swap(previous, rest, known)
    if swapped is not None:
        return swapped
    if _QUESTION_WORD.match(fold(rest)):
        return _carry(rest, previous)
    return f"{previous.rstrip(' ?.!')} {rest.rstrip(' ?.!')}?"


def leans_back(text: str) -> bool:
    """Whether a question reads as a follow-up: it opens with "e …", or points at what was said."""
    folded = fold(text)
    few = len(terms(text)) < FEW_TERMS
    if _OPENING.match(text) and few:
        return True
    if few and _POINTING.search(folded):
        return True
    # "Quanti posti ha?": one content word, and no noun phrase that says of what.
    return len(set(terms(text)) - weak_terms()) <= 1 and not _DETERMINER.search(folded)


def _last_index(history: Sequence[str], item: str) -> int:
    return max(index for index, text in enumerate(history) if text.strip() == item)


def _swap(previous: str, rest: str, known: Collection[str]) -> str | None:
    """`previous` with its place, year or scheda replaced by the one that `rest` is made of."""
    core = rest.rstrip(" ?.!")
    result, used = previous, core
    scheda = _SCHEDA.search(core)
    if scheda and _SCHEDA.search(previous):
        result = _SCHEDA.sub(lambda m: m.group(1) + scheda.group(2), result, count=1)
        used = used.replace(scheda.group(), " ")
    years = _YEARS.search(used)
    if years and _YEARS.search(result):
        result = _YEARS.sub(years.group(), result, count=1)
        used = used.replace(years.group(), " ")
    place, before = _place(used, known), _place(previous, known)
    if place and before:
        result = result.replace(before, place)
        used = used.replace(place, " ")
    elif (place or years or scheda) and not terms(used.replace(place or "", " ")):
        # A slot that the previous question did not have: it is added.
        return result if result != previous else f"{previous.rstrip(' ?.!')} {core}?"
    if result == previous or terms(used):
        return None
    return result


def _place(text: str, known: Collection[str]) -> str | None:
    named = places(text, known)
    if named:
        return named[0]
    capitalised = [match.group(1) for match in _PLACE_AFTER.finditer(text)]
    return next((name for name in capitalised if fold(name.split()[0]) not in _BODIES), None)


def _carry(rest: str, previous: str) -> str:
    """A new question word with the previous question's subject: its content words, kept."""
    seen = set(terms(rest))
    kept = [
        word
        for word in re.findall(r"[\w'’\-./]+", previous)
        if (analysed := terms(word)) and not set(analysed) <= seen
    ]
    return f"{rest.rstrip(' ?.!')} ({' '.join(kept)})?" if kept else rest
