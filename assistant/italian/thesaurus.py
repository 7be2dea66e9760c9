"""Other words for what a question says: the field's terms, lay words, acronyms.

The concepts are in `thesaurus/*.toml`, one file an area, written to be reviewed: the concept's
name is the plans' own term, `same` its formal equivalents, `lay` how people say it, and `broader`,
`narrower`, `related` name other concepts. Acronyms come from `acronyms.toml`. `thesaurus.json` is
made of both (`make models`), because analysing 8,000 forms would cost every start 100 ms.
"""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from assistant.italian.analysis import fold, terms, tokens

Relation = Literal["same", "lay", "narrower", "broader", "related"]
RELATIONS: tuple[str, ...] = get_args(Relation)

WEIGHTS: dict[Relation, float] = {
    "same": 0.6,
    "lay": 0.4,
    "narrower": 0.3,
    "broader": 0.2,
    "related": 0.15,
}
"""What a form counts, against the words of the question that it stands for; never as much."""

AMBIGUOUS = 0.5
"""Share kept by each meaning of a form that has several."""

NESTED = 0.5
"""Share kept by a form inside a longer one: "badante" in "cercare una badante"."""

MOST_FORMS = 24
"""Forms searched for one question, those that weigh most."""

FOLDER = Path(__file__).parent / "thesaurus"
COMPILED = Path(__file__).parent / "thesaurus.json"


class Form(NamedTuple):
    """A way to say a concept, as written and as analysed."""

    text: str
    terms: tuple[str, ...]
    lay: bool


class Concept(NamedTuple):
    """Forms of one thing, its name first; relations as positions of other concepts."""

    forms: tuple[Form, ...]
    relations: tuple[tuple[Relation, int], ...]

    @property
    def name(self) -> str:
        return self.forms[0].text


class Thesaurus(NamedTuple):
    concepts: tuple[Concept, ...]
    by_form: dict[tuple[str, ...], tuple[int, ...]]
    """Analysed form → positions of the concepts that it may mean."""
    longest: int
    """Terms of the longest form."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """Other words for a part of a question."""

    asked: tuple[str, ...]
    """Terms of the question that it stands for."""
    concept: str
    text: str
    """As it is shown."""
    terms: tuple[str, ...]
    relation: Relation
    weight: float
    """Against the words it stands for, in `(0, 1)`."""


def expansions(query_terms: Sequence[str]) -> list[Expansion]:
    """Other words for each concept named in a question, heaviest first.

    A longer form counts more than those inside it. Forms that only repeat the question's own words
    are left out.
    """
    own = frozenset(query_terms)
    found: dict[tuple[str, ...], Expansion] = {}
    for asked, positions, share in _named(query_terms):
        for position in positions:
            for form, relation in _others(position):
                if own.issuperset(form.terms):
                    continue
                weight = WEIGHTS[relation] * share
                known = found.get(form.terms)
                if known is None or weight > known.weight:
                    name = load().concepts[position].name
                    found[form.terms] = Expansion(
                        asked, name, form.text, form.terms, relation, weight
                    )
    ordered = sorted(found.values(), key=lambda item: (-item.weight, item.terms))
    return ordered[:MOST_FORMS]


def shown(found: Sequence[Expansion], most: int = 6) -> tuple[str, ...]:
    """What to tell the user was searched too: the plans' own terms, never people's rough words.

    Each part of the question gets its turn, so that a concept with many forms hides no other.
    """
    told: dict[tuple[str, ...], list[str]] = {}
    for item in found:
        if item.relation in ("same", "lay"):
            text = item.concept if item.relation == "lay" else item.text
            if set(terms(text)) - set(item.asked):
                told.setdefault(item.asked, []).append(text)
    turns = zip_longest(*(dict.fromkeys(texts) for texts in told.values()))
    return tuple(dict.fromkeys(text for turn in turns for text in turn if text))[:most]


def _named(
    query_terms: Sequence[str],
) -> Iterator[tuple[tuple[str, ...], tuple[int, ...], float]]:
    """Forms met in the question with the concepts they may mean and the share they keep."""
    thesaurus = load()
    reached = 0
    for start in range(len(query_terms)):
        for length in range(min(thesaurus.longest, len(query_terms) - start), 0, -1):
            form = tuple(query_terms[start : start + length])
            if positions := thesaurus.by_form.get(form):
                share = NESTED if start + length <= reached else 1.0
                yield form, positions, share * (AMBIGUOUS if len(positions) > 1 else 1.0)
                reached = max(reached, start + length)


def _others(position: int) -> Iterator[tuple[Form, Relation]]:
    """Forms of a concept, and the formal ones of those related to it."""
    concepts = load().concepts
    for form in concepts[position].forms:
        yield form, "lay" if form.lay else "same"
    for relation, other in concepts[position].relations:
        for form in concepts[other].forms:
            if not form.lay:
                yield form, relation


@cache
def load() -> Thesaurus:
    """The compiled thesaurus, read once."""
    raw = json.loads(COMPILED.read_bytes())
    concepts = tuple(
        Concept(
            tuple(
                Form(text, tuple(words.split()), bool(lay)) for text, words, lay in entry["forms"]
            ),
            tuple((relation, position) for relation, position in entry["relations"]),
        )
        for entry in raw["concepts"]
    )
    by_form: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for position, concept in enumerate(concepts):
        for form in concept.forms:
            if position not in by_form[form.terms]:
                by_form[form.terms].append(position)
    longest = max(map(len, by_form), default=0)
    return Thesaurus(concepts, {form: tuple(found) for form, found in by_form.items()}, longest)


@cache
def vocabulary() -> frozenset[str]:
    """Every term of every form: words of the field, known whether or not a document holds them."""
    return frozenset(term for form in load().by_form for term in form)


@cache
def written_words() -> frozenset[str]:
    """The words of every form as they are written, folded."""
    texts = (form.text for concept in load().concepts for form in concept.forms)
    return frozenset(fold(token.text) for text in texts for token in tokens(text))


def compiled() -> bytes:
    """What `thesaurus.json` must hold for today's data files and analyser."""
    tables = read_sources()
    named = {name: position for position, name in enumerate(tables)}
    forms = [_forms(name, table) for name, table in tables.items()]
    known: defaultdict[str, list[int]] = defaultdict(list)
    for position, own in enumerate(forms):
        for words in own:
            known[words].append(position)
    for acronym, meanings in read_acronyms().items():
        short = " ".join(terms(acronym))
        for meaning in meanings:
            words = " ".join(terms(meaning))
            if not short or not words:
                continue
            if words not in known:
                known[words].append(len(forms))
                forms.append({words: [meaning, words, 0]})
            for position in known[words]:
                forms[position].setdefault(short, [acronym, short, 0])
    concepts = []
    relations = [
        sorted(
            {
                (relation, named[other])
                for relation in ("narrower", "broader", "related")
                for other in table.get(relation, ())
            }
        )
        for table in tables.values()
    ]
    for position, own in enumerate(forms):
        links = relations[position] if position < len(relations) else []
        concepts.append({"forms": list(own.values()), "relations": links})
    lines = ",\n".join(json.dumps(concept, ensure_ascii=False) for concept in concepts)
    return f'{{"concepts": [\n{lines}\n]}}\n'.encode()


def _forms(name: str, table: dict[str, list[str]]) -> dict[str, list[Any]]:
    """Analysed form → how it is stored; the first way to write it is kept."""
    forms: dict[str, list[Any]] = {}
    for lay, texts in ((0, [name, *table.get("same", ())]), (1, table.get("lay", ()))):
        for text in texts:
            words = " ".join(terms(text))
            if words:
                forms.setdefault(words, [text, words, lay])
    return forms


def read_sources() -> dict[str, dict[str, list[str]]]:
    """Each concept's table, over all areas; raises ValueError for a concept that comes twice."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        tables = tomllib.loads(path.read_text("utf-8"))
        if twice := sorted(found.keys() & tables.keys()):
            raise ValueError(f"{path.name}: concept twice: {twice[0]}")
        found |= tables
    return found


def read_acronyms() -> dict[str, list[str]]:
    """Acronym → what it may stand for; more than one meaning makes it ambiguous."""
    file = resources.files("assistant.italian").joinpath("acronyms.toml")
    return tomllib.loads(file.read_text("utf-8"))


if __name__ == "__main__":
    COMPILED.write_bytes(compiled())
