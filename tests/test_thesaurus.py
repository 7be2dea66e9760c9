"""Other words for those of a question: the data agree with themselves, and never outweigh it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from assistant.italian import thesaurus
from assistant.italian.analysis import terms
from assistant.italian.thesaurus import (
    AMBIGUOUS,
    COMPILED,
    MOST_FORMS,
    NESTED,
    WEIGHTS,
    Expansion,
    expansions,
    load,
    read_acronyms,
    read_sources,
    shown,
)
from assistant.retrieval.query import Query, read_query

QUESTIONS = (
    "Come trovo una badante per la nonna?",
    "Chi paga la retta della casa di riposo?",
    "Dove dormono i senza tetto a Natale?",
    "Che cosa fa il PUA e a chi serve il FRNA?",
    "Quanto costa il nido e quando apre lo sportello sociale?",
    "Un anziano che dimentica tutto: a chi si rivolge la famiglia?",
)


def of(text: str) -> list[Expansion]:
    return expansions(terms(text))


def test_the_compiled_file_agrees_with_its_sources() -> None:
    same = COMPILED.read_bytes() == thesaurus.compiled()
    assert same, "thesaurus.json is not what its sources give: make models"


def test_the_sources_hold_what_they_promise() -> None:
    sources = read_sources()
    assert len(sources) >= 400
    assert len(load().by_form) >= 2_000, "distinct once analysed"
    for name, table in sources.items():
        assert terms(name), name
        assert set(table) <= {"same", "lay", "narrower", "broader", "related"}, name
        for relation in ("narrower", "broader", "related"):
            unknown = [other for other in table.get(relation, ()) if other not in sources]
            assert not unknown, f"{name}: {relation} names no concept: {unknown}"
            assert name not in table.get(relation, ()), f"{name} is related to itself"


def test_every_form_leads_back_to_its_concept() -> None:
    loaded = load()
    assert loaded.longest == max(len(form) for form in loaded.by_form)
    for position, concept in enumerate(loaded.concepts):
        assert all(position in loaded.by_form[form.terms] for form in concept.forms)
        assert all(0 <= other < len(loaded.concepts) for _, other in concept.relations)


def test_every_acronym_is_a_form_of_what_it_stands_for() -> None:
    loaded = load()
    for acronym, meanings in read_acronyms().items():
        for meaning in meanings:
            if terms(acronym) and terms(meaning):
                own = loaded.by_form[tuple(terms(acronym))]
                assert set(loaded.by_form[tuple(terms(meaning))]) <= set(own), acronym


@pytest.mark.parametrize("question", QUESTIONS)
def test_other_words_never_weigh_as_much_as_those_asked(question: str) -> None:
    found = of(question)
    asked = set(terms(question))
    assert 0 < len(found) <= MOST_FORMS
    assert [item.weight for item in found] == sorted((i.weight for i in found), reverse=True)
    for item in found:
        assert 0 < item.weight <= WEIGHTS[item.relation] < 1
        assert set(item.asked) <= asked
        assert set(item.terms) - asked, "it only repeats the question"


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("rarer", [0.1, 1.0, 10.0])
def test_a_rare_form_is_cut_to_its_share_of_the_words_it_stands_for(
    question: str, rarer: float
) -> None:
    query = read_query(question)

    def idf(term: str) -> float:
        return 2.0 if term in query.terms else 2.0 * rarer

    best = {item.asked: item for item in reversed(query.expansions)}
    groups = query.alternatives(idf)
    assert len(groups) == len(best)
    for asked, group in zip(dict.fromkeys(i.asked for i in query.expansions), groups, strict=True):
        own = sum(map(idf, asked))
        for form, weight in group:
            assert 0 < weight < 1
            assert weight * sum(map(idf, form)) <= best[asked].weight * own + 1e-9 < own


def test_a_form_that_no_passage_could_hold_is_no_alternative() -> None:
    query = read_query("badante")
    assert query.expansions
    assert query.alternatives(lambda _: 0.0) == []


def test_the_longest_form_counts_most() -> None:
    found = of("cercare una badante")
    long, short = tuple(terms("cercare badante")), tuple(terms("badante"))
    assert found[0].asked == long
    assert max(i.weight for i in found if i.asked == long) == WEIGHTS["same"]
    assert max(i.weight for i in found if i.asked == short) == WEIGHTS["same"] * NESTED
    assert of("badante")[0].weight == WEIGHTS["same"], "alone it keeps all"


def test_an_acronym_of_several_meanings_keeps_half_for_each() -> None:
    meanings = read_acronyms()["FSR"]
    assert len(meanings) > 1
    found = {item.terms: item for item in of("a quanto ammonta il FSR")}
    for meaning in meanings:
        assert found[tuple(terms(meaning))].weight == WEIGHTS["same"] * AMBIGUOUS
    assert len({item.concept for item in found.values()}) > 1
    (alone,) = read_acronyms()["FRNA"]
    assert {i.terms: i for i in of("FRNA")}[tuple(terms(alone))].weight == WEIGHTS["same"]


def test_people_s_own_words_are_searched_and_never_shown() -> None:
    formal = {form.text for c in load().concepts for form in c.forms if not form.lay}
    every = [form for concept in load().concepts for form in concept.forms]
    for form in every[::12]:
        assert set(shown(expansions(form.terms))) <= formal, form.text
    assert "barbone" in [form.text for form in every if form.lay]
    assert shown(of("senza dimora")) and "barbone" not in shown(of("senza dimora"))
    assert any(item.relation == "lay" for item in of("senza dimora"))


def test_what_is_shown_is_short_and_gives_each_part_its_turn() -> None:
    found = of("la badante e la casa di riposo")
    told = shown(found)
    assert 2 <= len(told) <= 6 == len(set(told))
    first = {item.text: item.asked for item in reversed(found)}
    assert {first[text] for text in told[:2]} == {("badant",), tuple(terms("casa di riposo"))}
    assert len(shown(found, most=1)) == 1


@pytest.mark.parametrize("text", ["", "quanti alberi ci sono", "Zanzibarri?", "di chi è?", "1984"])
def test_a_question_without_words_of_the_field_has_none(text: str) -> None:
    assert of(text) == []
    assert shown(of(text)) == ()


def test_a_question_of_every_form_is_still_short() -> None:
    words = [term for concept in load().concepts[::10] for term in concept.forms[0].terms]
    assert len(expansions(words[:256])) == MOST_FORMS


def test_a_lay_word_leads_to_the_plans_own_term() -> None:
    found = {item.text: item for item in of("badante")}
    assert "assistente familiare" in found
    assert math.isclose(found["assistente familiare"].weight, WEIGHTS["same"])
    assert isinstance(read_query("badante"), Query)
    assert "assistente familiare" in read_query("Chi mi trova una badante?").also_searched


def test_a_concept_that_comes_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text('["nido"]\nsame = ["asilo nido"]\n', "utf-8")
    monkeypatch.setattr(thesaurus, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"b\.toml: concept twice: nido"):
        read_sources()
