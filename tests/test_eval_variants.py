"""Variants by rule: what each rule does to a sentence, and what it must never touch."""

from __future__ import annotations

import json
import random
import re
from collections import Counter

import pytest

from eval.cases import ATTACK_CATEGORIES, GOLDEN, Case, load_cases
from eval.variants import FILE, RULES, colloquiale, maiuscole, prolissa, refusi, senza_accenti
from eval.variants import variants as made

QUESTION = "Perché la DGR 1423/2017 non vale più per l'assistenza domiciliare, salvo le proroghe?"


def chance(seed: int = 1) -> random.Random:
    return random.Random(seed)


def test_accents_go_and_nothing_else() -> None:
    assert senza_accenti("Qual è l'età? Così, più.", chance()) == "Qual e l'eta? Cosi, piu."


def test_capitals_lose_the_question_mark() -> None:
    assert maiuscole("qual è il RES nel 2018?", chance()) == "QUAL È IL RES NEL 2018"


def test_long_winded_variants_hold_the_question_word_for_word() -> None:
    assert QUESTION in prolissa(QUESTION, chance())
    assert "senza punto. " in prolissa("senza punto", chance())


def test_colloquial_variants_keep_negations_and_names() -> None:
    text = colloquiale(QUESTION, chance())
    assert "xké" in text
    assert " non vale più" in text
    assert "salvo" in text
    assert "DGR 1423/2017" in text
    assert not text.endswith("?")
    assert colloquiale("Valdoro ha un piano?", chance()).endswith("Valdoro ha un piano")


@pytest.mark.parametrize("seed", range(40))
def test_a_slip_changes_letters_of_plain_words_only(seed: int) -> None:
    text = refusi(QUESTION, chance(seed))
    assert text != QUESTION
    before, after = QUESTION.split(), text.split()
    assert len(before) == len(after)
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert 1 <= len(changed) <= 3
    for one, other in changed:
        assert abs(len(one) - len(other)) <= 1
        assert not re.search(r"\d|DGR|non|salvo$", one)


@pytest.mark.parametrize("seed", range(40))
def test_dates_numbers_negations_and_limits_are_never_mistyped(seed: int) -> None:
    kept = "giugno settembre lunedì quattro cinquanta milioni nessuno soltanto almeno possono entro"
    assert refusi(f"{kept} tirocini", chance(seed)).startswith(f"{kept} ")
    assert refusi("entro giugno 2018 almeno quattro?", chance(seed)) == (
        "entro giugno 2018 almeno quattro?"
    )


@pytest.mark.parametrize("seed", range(60))
def test_a_slip_makes_no_other_word(seed: int) -> None:
    made_words = refusi("separano previsti percorso", chance(seed)).split()
    assert not {"sparano", "prevosti", "precorso"} & set(made_words)
    # the question says "prgetto" too, which a slip must not make of "progetto"
    assert refusi("prgetto progetto", chance(seed)).split().count("prgetto") <= 1


def test_the_ending_of_a_word_is_never_mistyped() -> None:
    for seed in range(40):
        assert refusi("votare", chance(seed)).endswith("are")


def test_per_becomes_x_but_not_in_fixed_expressions() -> None:
    assert colloquiale("un posto per anziani?", chance()).endswith("un posto x anziani")
    assert "per cento" in colloquiale("è il 5 per cento?", chance())
    assert "per forza" in colloquiale("serve per forza?", chance())


def test_what_is_no_question_word_is_not_asked_by_mi_sai_dire() -> None:
    opened = {colloquiale("quanto costa?", chance(seed)) for seed in range(60)}
    assert "ciao, mi sai dire quanto costa" in opened
    for question in (
        "mi serve l'elenco dei comuni",
        "il RES è ancora attivo?",
        "Valdoro ha piani?",
    ):
        assert not any("mi sai dire" in colloquiale(question, chance(seed)) for seed in range(60))


def test_each_rule_gives_the_same_for_the_same_seed() -> None:
    for rule in RULES.values():
        assert rule(QUESTION, chance(7)) == rule(QUESTION, chance(7))


def test_the_committed_variants_are_those_of_the_rules() -> None:
    committed = (GOLDEN / FILE).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in committed] == made(load_cases()), (
        "run `python -m eval.variants`"
    )


def test_there_are_enough_of_each_kind() -> None:
    varied = [case for case in load_cases() if case.variant_of]
    counts = Counter(case.change for case in varied)
    assert set(counts) == {*RULES, "inglese"}
    assert min(counts.values()) >= 70
    assert sum(counts.values()) >= 400
    assert all(case.question.strip() for case in varied)


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Case, Case]]:
    """Each committed variant by rule after its original."""
    cases = {case.id: case for case in load_cases()}
    return [
        (cases[case.variant_of], case)
        for case in cases.values()
        if case.variant_of and case.change in RULES
    ]


def test_every_variant_differs_and_keeps_figures(pairs: list[tuple[Case, Case]]) -> None:
    for original, variant in pairs:
        assert variant.question != original.question, variant.id
        figures = re.findall(r"\d+(?:[./,]\d+)*", original.question)
        assert re.findall(r"\d+(?:[./,]\d+)*", variant.question) == figures, variant.id


def test_every_variant_keeps_acronyms_and_names(pairs: list[tuple[Case, Case]]) -> None:
    for original, variant in pairs:
        if variant.change == "maiuscole":
            continue
        # Not the first word, which is capital for its place.
        names = re.findall(r"(?<=\W)(?<!^)[A-ZÀÈÉ]\w+", original.question)
        if variant.change == "senza_accenti":
            names = [senza_accenti(name, chance()) for name in names]
        words = Counter(re.findall(r"\w+", variant.question))
        assert not Counter(names) - words, variant.id


def test_every_variant_keeps_what_denies_or_limits(pairs: list[tuple[Case, Case]]) -> None:
    limits = re.compile(r"\b(non|senza|mai|nessun\w*|tranne|salvo|solo|almeno|entro|oltre)\b", re.I)
    for original, variant in pairs:
        said = [word.lower() for word in limits.findall(original.question)]
        assert [word.lower() for word in limits.findall(variant.question)][
            -len(said) :
        ] == said or (variant.change == "prolissa" and original.question in variant.question), (
            variant.id
        )


def test_every_variant_shows_its_own_rule(pairs: list[tuple[Case, Case]]) -> None:
    for original, variant in pairs:
        text = variant.question
        if variant.change == "maiuscole":
            assert text == text.upper() and not text.endswith("?"), variant.id
        elif variant.change == "prolissa":
            assert original.question.strip() in text, variant.id
        elif variant.change == "senza_accenti":
            assert not re.search("[àèéìòù]", text, re.I), variant.id


def test_originals_are_plain_and_differ_from_rule_to_rule(pairs: list[tuple[Case, Case]]) -> None:
    taken: dict[str, set[str]] = {}
    for original, variant in pairs:
        assert not original.world and not original.history
        assert original.category not in ATTACK_CATEGORIES
        taken.setdefault(variant.change or "", set()).add(original.id)
    for one in taken:
        for other in taken:
            assert one == other or len(taken[one] & taken[other]) <= len(taken[one]) / 2


def test_english_versions_come_from_more_than_one_file() -> None:
    cases = {case.id: case for case in load_cases()}
    english = [case for case in cases.values() if case.change == "inglese"]
    files = Counter(cases[case.source_id].file.rsplit("/", 1)[-1] for case in english)
    assert files["prime.jsonl"] >= 30 and files["distretti-b.jsonl"] >= 30
    assert sum(case.answerable for case in english) >= 70
    assert sum(not case.answerable for case in english) >= 10
