"""Italian text to search terms: what a question and a page must have in common."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.italian.analysis import STOPWORDS, fold, located_terms, stem, terms, tokens
from assistant.italian.laws import law_references


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Attività", "attivita"),
        ("PERCHÉ", "perche"),
        ("l\u2019équipe", "l'equipe"),
        ("cosi\u0300", "cosi"),
    ],
)
def test_fold_drops_accents_and_straightens_apostrophes(text: str, expected: str) -> None:
    assert fold(text) == expected


def test_tokens_keep_their_place_in_the_text() -> None:
    text = "L’Ausl della Città: 100.000 abitanti, 3,5% dell’A.U.S.L."
    found = tokens(text)
    assert [token.text for token in found] == [
        *("L", "Ausl", "della", "Città", "100.000", "abitanti", "3,5", "dell", "A.U.S.L."),
    ]
    assert all(text[token.start : token.end] == token.text for token in found)


PIECES = [
    "12", "luglio", "2017", "1°", "marzo", "/", ".", ",", "-", "mila", "mln", "milioni", "€", " ",
    "L.R.", "n.", "14", "del", "legge", "regionale", "dopo", "di", "noi", "dell'", "perché", " ",
    "\n", "\u00a0", "A.U.S.L.", "e\u0300", "tre", "DGR", "d.lgs.", " ",
]  # fmt: skip
ITALIAN = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@given(st.text(max_size=200) | ITALIAN)
def test_any_text_gives_terms_that_stand_where_they_say(text: str) -> None:
    located = located_terms(text)
    assert terms(text) == [term.text for term in located]
    assert all(0 <= term.start < term.end <= len(text) for term in located)
    # The terms of one thing, a date or an amount, all stand where it does.
    assert all(a.end <= b.start or a[1:] == b[1:] for a, b in pairwise(located))
    assert all(text[token.start : token.end] == token.text for token in tokens(text))


def test_elision_leaves_the_noun() -> None:
    assert terms("dell'urbanistica") == terms("dell’urbanistica") == terms("urbanistica")


def test_accents_may_be_missing_or_written_as_apostrophes() -> None:
    assert terms("attività") == terms("attivita'") == terms("attivita") == terms("ATTIVITÀ")


def test_singular_and_plural_are_one_term() -> None:
    assert terms("scheda attuativa") == terms("schede attuative")


def test_words_of_different_meaning_stay_apart() -> None:
    assert stem("comunità") != stem("comune")
    assert stem("casi") == stem("caso") != stem("casa")


def test_question_words_and_articles_are_no_terms() -> None:
    assert terms("Chi è? Cosa fa? Quando e dove? Quali sono e quanti? Non c'è.") == []


def test_stop_words_are_folded() -> None:
    assert {"perche", "piu", "non", "dell"} <= STOPWORDS
    assert all(fold(word) == word for word in STOPWORDS)


def test_numbers_are_kept_and_thousands_joined() -> None:
    assert terms("100.000 e 100000") == ["100000", "100000"]
    assert terms("007 e 3,50") == ["7", "3,5"]
    assert terms("12.07.17") == ["12", "7", "17"]
    assert terms("2017-2019") == ["2017", "2019"]


def test_numbers_in_words_are_the_numbers() -> None:
    assert terms("tre schede") == terms("3 schede") == terms("le schede (tre)")[::-1]
    assert terms("sei") != ["6"], "it is a verb as well"


@pytest.mark.parametrize(
    "written",
    [
        "12/07/2017",
        "12/7/2017",
        "12.7.2017",
        "12.07.2017",
        "12-07-2017",
        "12 luglio 2017",
        "12 LUGLIO 2017",
        "12  luglio\n2017",
        "12 luglio del 2017",
    ],
)
def test_a_date_is_one_term_and_found_by_its_parts_too(written: str) -> None:
    assert terms(f"approvato il {written}.") == [*terms("approvato 12 luglio 2017")]
    assert terms(written)[-1] == "2017-07-12"
    assert set(terms("luglio 2017")) < set(terms(written))


def test_the_first_of_a_month_has_its_own_sign() -> None:
    expected = ["1", *terms("marzo"), "2019", "2019-03-01"]
    for written in ("1° marzo 2019", "1º marzo 2019", "1 marzo 2019", "01/03/2019"):
        assert terms(written) == expected


@pytest.mark.parametrize("text", ["12/13/2017", "45.7.2017", "12/07/17", "0 luglio 2017"])
def test_what_only_looks_like_a_date_is_numbers(text: str) -> None:
    assert not any("-" in term for term in terms(text))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1,2 milioni", "1200000"),
        ("1.200.000,00", "1200000"),
        ("1.200.000", "1200000"),
        ("1,2 mln", "1200000"),
        ("50 mila euro", "50000"),
        ("50.000,00 euro", "50000"),
        ("50000 euro", "50000"),
        ("2,5 miliardi", "2500000000"),
        ("1 milione", "1000000"),
    ],
)
def test_an_amount_is_one_term_however_it_is_written(written: str, value: str) -> None:
    found = terms(f"pari a {written}, come previsto")
    assert value in found
    assert [term for term in found if term[0].isdigit()] == [value]


def test_figures_know_where_they_stand() -> None:
    text = "Il 12 luglio 2017 stanzia 1,2 milioni di euro: v. la L.R. n. 2/2003 e il dopo di noi."
    stretches = {term.text: text[term.start : term.end] for term in located_terms(text)}
    assert stretches["2017-07-12"] == "12 luglio 2017"
    assert stretches["1200000"] == "1,2 milioni"
    assert stretches["lr:2/2003"] == "L.R. n. 2/2003"
    assert stretches[terms("dopo di noi")[0]] == "dopo di noi"


def test_services_named_with_stop_words_alone_are_one_term() -> None:
    (term,) = terms("il dopo di noi")
    assert terms("Progetti per il Dopo  di\nNoi")[-1] == term
    assert terms("durante noi") != terms("dopo di noi") != []
    assert terms("dopo di voi") == []


STEMS = [
    (words[0], words[1:])
    for line in (Path(__file__).parent.parent / "assistant/italian/stems.txt")
    .read_text("utf-8")
    .splitlines()
    if (words := line.partition("#")[0].split())
]


def test_the_forms_of_a_line_are_one_term_and_stand_on_no_other() -> None:
    assert len(STEMS) > 100
    for own, forms in STEMS:
        for form in forms:
            assert terms(form) == terms(form.upper()) == [own], form
    every = [form for _, forms in STEMS for form in set(forms)]
    assert len(every) == len(set(every)), sorted(f for f in set(every) if every.count(f) > 1)


def test_dotted_initials_are_one_word() -> None:
    assert terms("l'A.U.S.L. di Lugo") == terms("l'AUSL di Lugo")
    assert terms("S.Anna") == terms("S. Anna")


@pytest.mark.parametrize(
    "written",
    [
        "L.R. 14/2015",
        "l.r. n. 14/2015",
        "LR 14/15",
        "L.R. n.14 del 2015",
        "legge regionale n. 14 del 2015",
        "Legge regionale 14/2015",
        "Legge regionale\u00a014/2015",
        "legge regionale 30 luglio 2015, n. 14",
        "legge regionale n. 14 del 30 luglio 2015",
        "legge regionale dell'Emilia-Romagna 14/2015".replace("dell'", "della Regione "),
        "L. R. 30/07/2015 n. 14",
        "LR 14/2015",
    ],
)
def test_a_regional_law_is_one_term_however_it_is_written(written: str) -> None:
    assert terms(f"secondo la {written},") == ["lr:14/2015"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("DGR n. 1423 del 2 ottobre 2017", "dgr:1423/2017"),
        ("D.G.R. 1720/2018", "dgr:1720/2018"),
        ("delibera di Giunta regionale 858/2017", "dgr:858/2017"),
        ("deliberazione della Giunta n. 858 del 2017", "dgr:858/2017"),
        ("delibera n. 858/2017", "dgr:858/2017"),
        ("delibera 120/2017", "dal:120/2017"),
        ("DAL 120/2017", "dal:120/2017"),
        ("deliberazione dell'Assemblea legislativa n. 120 del 12 luglio 2017", "dal:120/2017"),
        ("D.Lgs. 147/2017", "dlgs:147/2017"),
        ("decreto legislativo 30 dicembre 1992, n. 502", "dlgs:502/1992"),
        ("L. 104/92", "l:104/1992"),
        ("legge 104", "l:104/1992"),
        ("legge 8 novembre 2000, n. 328", "l:328/2000"),
        ("DM 77/2022", "dm:77/2022"),
        ("decreto-legge 34/2020", "dl:34/2020"),
    ],
)
def test_acts_have_one_canonical_form(written: str, expected: str) -> None:
    assert terms(written) == [expected]


@pytest.mark.parametrize(
    "text", ["dal 12/2017 al 3/2018", "la legge 14 marzo", "Comunale 14/2015", "al 3/2018"]
)
def test_what_only_looks_like_an_act_is_not_one(text: str) -> None:
    assert law_references(text) == []


def test_an_act_knows_where_it_stands() -> None:
    text = "Vedi la L.R. 2/2003 e la DGR 1423/2017."
    assert [text[r.start : r.end] for r in law_references(text)] == ["L.R. 2/2003", "DGR 1423/2017"]


def test_hostile_text_is_analysed_in_linear_time() -> None:
    pieces = ["legge ", "1.000", "a.", "delibera della ", "n. 1 ", "L. ", "e\u0300", "' ", " "]
    pieces += ["12 luglio ", "12/07/", "1 mila ", "1,", "1°", "dopo di ", "9"]
    for piece in pieces:
        started = time.process_time()
        assert isinstance(terms(f"1{piece * 20_000}2017"), list)
        assert time.process_time() - started < 2, piece


def test_importing_the_analyser_loads_nothing_heavy() -> None:
    code = (
        "import sys; from assistant.italian.analysis import terms; terms('le schede');"
        "assert not {'numpy', 'snowballstemmer', 'nltk'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
