"""The hard facts of a sentence (acts, dates, quantities, names) in a source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from assistant.answering.polarity import is_word
from assistant.italian.analysis import fold, stem, terms, tokens
from assistant.italian.numerals import Quantity
from assistant.italian.references import Facts, Mention, cites, facts

_SENTENCE_OPENING = re.compile(r"^[\s\"«“(–—-]*")
_ITALIAN_MONTH_OR_DAY = re.compile(
    r"gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|dicembre"
)
_PART_END = re.compile(r"[,;:](?!\d)|\be\b")
_BOUND_REACH = 40
"""Characters before a number in which "almeno", "fino a" … belong to it."""
_NOUN_REACH = 30
"""Characters between a number and the noun it counts."""


class Name(NamedTuple):
    stem: str
    text: str
    start: int


@lru_cache(maxsize=4096)
def facts_of(text: str) -> Facts:
    return facts(text)


@lru_cache(maxsize=4096)
def names_of(text: str) -> tuple[Name, ...]:
    """Capitalised words but the first, which has a capital in any case."""
    text = plain(text)
    words = tokens(text)
    first = _SENTENCE_OPENING.match(text)
    opening = first.end() if first else 0
    return tuple(
        Name(stem(word.text), word.text, word.start)
        for word in words
        if word.text[0].isupper()
        and (word.start > opening or (len(word.text) > 1 and word.text.isupper()))
        and (terms(word.text) or len(word.text) > 3)  # "lo Stato" is a stop word too
        and not _ITALIAN_MONTH_OR_DAY.fullmatch(fold(word.text))
    )


def missing_fact(claim: str, sources: Sequence[str], context: str) -> str:
    """Why a hard fact of `claim` does not stand in `sources` (or in their headings), in Italian."""
    asked = facts_of(claim)
    held = [facts_of(text) for text in [*sources, context]]
    acts = {mention.canonical for read in held for mention in read.references}
    for mention in asked.references:
        if not cites(mention.canonical, acts):
            return f"L'atto «{claim[mention.start : mention.end]}» non è nella fonte."
    days = {mention.canonical for read in held for mention in read.dates}
    for text, read in zip([*sources, context], held, strict=True):
        for act in read.references:
            # "n. 44 del 9 maggio 2018" says a day too
            day = text[act.start : act.end].rpartition("del ")[2]
            days |= {mention.canonical for mention in facts_of(day).dates}
    for mention in asked.dates:
        if not any(_same_day(mention.canonical, day) for day in days):
            return f"La data «{claim[mention.start : mention.end]}» non è nella fonte."
    spoken = {mention.canonical for read in held for mention in read.years}
    for mention in asked.years:
        ends = mention.canonical.split("-")
        within = {end for span in spoken for end in span.split("-")} | {d[:4] for d in days}
        if mention.canonical not in spoken and not set(ends) <= within:
            return f"L'anno {mention.canonical} non è nella fonte."
    return _missing_quantity(claim, asked, sources, held) or _missing_name(
        claim, [*sources, context]
    )


def _same_day(asked: str, held: str) -> bool:
    """A date said with less detail stands in one with more: "luglio 2017" in "12 luglio 2017"."""
    if asked.startswith("--"):
        return held.endswith(asked[1:])
    return held == asked or held.startswith(asked + "-")


def _missing_quantity(
    claim: str, asked: Facts, sources: Sequence[str], held: Sequence[Facts]
) -> str:
    all_text = " ".join(sources)
    for quantity in asked.quantities:
        said = claim[quantity.start : quantity.end].strip()
        same = [
            (text, other)
            for text, read in zip([*sources, ""], held, strict=True)
            for other in read.quantities
            if other.canonical == quantity.canonical
        ]
        if not same:
            return f"Il numero «{said}» non è nella fonte."
        if quantity.euro and "euro" not in fold(all_text) and "€" not in all_text:
            return f"La fonte non dice che «{said}» sia in euro."
        bounds = [_bounds(text, other) for text, other in same if text]
        if bounds and _bounds(claim, quantity) not in bounds:
            return f"Il limite posto al numero «{said}» non è quello della fonte."
        if other_noun := _counts_another(claim, quantity, sources):
            return f"Nella fonte «{said}» non è il numero di «{other_noun}»."
    return ""


def _bounds(text: str, quantity: Quantity) -> frozenset[str]:
    """ "almeno", "fino a" and the like right before a number."""
    before = text[max(0, quantity.start - _BOUND_REACH) : quantity.start]
    clause = re.split(r"[,;:.()]|\d|\be\b", before)[-1]
    return frozenset(
        {fold(token.text) for token in tokens(clause) if is_word("bound", fold(token.text))}
    )


def _counts_another(claim: str, quantity: Quantity, sources: Sequence[str]) -> str:
    """The noun after a number, when in the sources other numbers count that noun, and not this."""
    noun = _noun_after(claim, quantity)
    if not noun or quantity.canonical.endswith("%"):
        return ""
    wanted, word = noun
    counted: list[bool] = []
    for text in sources:
        for other in facts_of(text).quantities:
            following = _noun_after(text, other)
            if not following:
                continue  # "quello di Lugo 18": what it counts was said before
            if other.canonical == quantity.canonical:
                counted.append(wanted in _terms_after(text, other))
            elif following[0] == wanted:
                counted.append(False)
    return word if counted and not any(counted) and _all_counted(quantity, sources) else ""


def _all_counted(quantity: Quantity, sources: Sequence[str]) -> bool:
    """Whether each place of a number in the sources has its noun right after it."""
    return all(
        _noun_after(text, other) is not None
        for text in sources
        for other in facts_of(text).quantities
        if other.canonical == quantity.canonical
    )


def _terms_after(text: str, quantity: Quantity) -> set[str]:
    """Content stems between a number and the end of its part, or the next number."""
    ends = [other.start for other in facts_of(text).quantities if other.start > quantity.start]
    if stop := _PART_END.search(text, quantity.end):
        ends.append(stop.start())
    return set(terms(text[quantity.end : min(ends, default=len(text))]))


def _noun_after(text: str, quantity: Quantity) -> tuple[str, str] | None:
    stop = _PART_END.search(text, quantity.end)
    end = min(stop.start() if stop else len(text), quantity.end + _NOUN_REACH)
    for token in tokens(text[quantity.end : end]):
        if terms(token.text):
            return (stem(token.text), token.text) if not token.text[0].isdigit() else None
    return None


def _missing_name(claim: str, texts: Sequence[str]) -> str:
    present = {term for text in texts for term in terms(text)}
    present |= {stem(token.text) for text in texts for token in tokens(text)}
    for name in names_of(claim):
        if name.stem not in present:
            return f"«{name.text}» non è nella fonte."
    return ""


def wrong_part(claim: str, sources: Sequence[str]) -> str:
    """Why a number of `claim` is said there of something else than in a source that lists several.

    In "il 60% agli anziani e il 40% ai minori" each number has its own part of the sentence; the
    part of the claim that holds a number must share a word with it.
    """
    for kind in ("quantities", "dates"):
        for fact in getattr(facts_of(claim), kind):
            ours = _part_terms(claim, fact)
            verdicts = []
            for text in sources:
                listed = getattr(facts_of(text), kind)
                for other in listed:
                    if other.canonical == fact.canonical:
                        theirs = _part_terms(text, other)
                        free = len(listed) < 2 or not ours or not theirs
                        verdicts.append(free or bool(ours & theirs))
            if verdicts and not any(verdicts):
                return f"Nella fonte «{claim[fact.start : fact.end].strip()}» è detto di altro."
    return ""


def _part_terms(text: str, fact: Quantity | Mention) -> set[str]:
    """Content stems of the stretch, between commas and "e", in which a fact stands."""
    start = max((m.end() for m in _PART_END.finditer(text, 0, fact.start)), default=0)
    stop = _PART_END.search(text, fact.end)
    part = text[start : fact.start] + " " + text[fact.end : stop.start() if stop else None]
    return {term for term in terms(part) if not term[0].isdigit()}


def plain(text: str) -> str:
    """The text without its hard facts, blanked in place: what is left is words."""
    read = facts_of(text)
    spans = [(fact.start, fact.end) for fact in (*read.references, *read.dates, *read.years)]
    for start, end in [*spans, *((fact.start, fact.end) for fact in read.quantities)]:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def wrong_owner(claim: str, sources: Sequence[str], context: str) -> str:
    """Why a number or date of `claim` belongs in the sources to another name, in Italian."""
    ours = {name.stem for name in names_of(claim)}
    if not ours:
        return ""
    for start, canonical in _anchors(claim):
        said = claim[start:].split(maxsplit=1)[0]
        verdicts = list(_owners(claim, start, canonical, ours, sources, context))
        if verdicts and not any(verdicts):
            return f"Nella fonte «{said}» è detto di altri."
    return ""


def _anchors(text: str) -> Iterator[tuple[int, str]]:
    read = facts_of(text)
    for quantity in read.quantities:
        yield quantity.start, quantity.canonical
    for mention in [*read.dates, *read.years]:
        yield mention.start, mention.canonical


def _owners(
    claim: str, start: int, canonical: str, ours: set[str], sources: Sequence[str], context: str
) -> Iterator[bool]:
    """For each place of a fact in the sources, whether it is said of whom the claim says it."""
    headings = {stem(token.text) for token in tokens(context)}
    for text in sources:
        places = list(_anchors(text))
        names = names_of(text)
        theirs = {stem(token.text) for token in tokens(text)}
        for at, other in places:
            if other != canonical:
                continue
            if ours - theirs - headings:
                # Not all our names are in this sentence: it must at least name nobody else.
                yield not {name.stem for name in names} - ours - headings
            elif len(names) >= 2 and len(facts_of(text).quantities) >= 2 and not _is_year(other):
                ours_here, theirs_here = _owner(claim, start), _owner(text, at)
                same = theirs_here in (ours_here, "") or ours == {theirs_here}
                yield same or not ours & {ours_here, theirs_here}
            else:
                yield True


def _is_year(canonical: str) -> bool:
    return re.fullmatch(r"(?:19|20)\d\d(?:-.*)?", canonical) is not None


def foreign_subject(claim: str, source: str) -> bool:
    """Whether a source speaks of acts or names that the claim does not, and lacks the claim's own.

    Two such sentences cannot be added up: what one says of its subject is not said of the other's.
    """
    acts = {mention.canonical for mention in facts_of(claim).references}
    theirs = {mention.canonical for mention in facts_of(source).references}
    if acts and any(not cites(act, acts) for act in theirs):
        return not all(cites(act, theirs) for act in acts)
    names = {name.stem for name in names_of(claim)}
    others = {name.stem for name in names_of(source)}
    return bool(names - set(terms(source)) and others - set(terms(claim)))


def _owner(text: str, at: int) -> str:
    """The name that a fact goes with, where names and facts alternate.

    In "Lugo 12 e Faenza 20" the name comes first; in "12 a Lugo e 20 a Faenza" the fact does.
    """
    names = names_of(text)
    read = facts_of(text).quantities
    anchors = [quantity.start for quantity in read] or [start for start, _ in _anchors(text)]
    if not names:
        return ""
    if min(anchors) < names[0].start:
        after = [name for name in names if name.start > at]
        return after[0].stem if after else names[-1].stem
    before = [name for name in names if name.start < at]
    return before[-1].stem
