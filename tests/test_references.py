"""Acts, dates, years and quantities, however they are written."""

from __future__ import annotations

import pytest

from assistant.italian.references import cites, dates, facts, numbers, references, years


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("legge regionale 14/2015", {"lr:14/2015"}),
        ("L.R. 30 luglio 2015, n. 14", {"lr:14/2015"}),
        ("l.r. n. 14 del 30/07/2015", {"lr:14/2015"}),
        ("LR 24/2016, 7/2018", {"lr:24/2016", "lr:7/2018"}),
        ("DGR n. 1423 del 2 ottobre 2017", {"dgr:1423/2017"}),
        ("deliberazione della Giunta regionale n. 1423/2017", {"dgr:1423/2017"}),
        ("DGR 1229 e 1230/2016", {"atto:1229/2016", "atto:1230/2016"}),
        ("deliberazione dell’Assemblea legislativa n. 120 del 12 luglio 2017", {"dal:120/2017"}),
        ("dal 2017 al 2019", set()),
        ("dal 120/2017", {"atto:120/2017"}),
        ("L. 112/2016", {"l:112/2016"}),
        ("D.Lgs. 147/2017", {"dlgs:147/2017"}),
        ("decreto legislativo 15 settembre 2017, n. 147", {"dlgs:147/2017"}),
        ("DM 77/2022", {"dm:77/2022"}),
        ("legge n. 328 del 2000", {"l:328/2000"}),
        ("il triennio 2017/2019", set()),
        ("nel 07/2017", set()),
        ("il 12/07/2017", set()),
    ],
)
def test_acts_have_one_form(text: str, expected: set[str]) -> None:
    assert references(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("approvato il 12/07/2017", {"2017-07-12"}),
        ("approvato il 12 luglio 2017", {"2017-07-12"}),
        ("approvato il 12.7.2017", {"2017-07-12"}),
        ("il 1° gennaio 2018", {"2018-01-01"}),
        ("a ottobre 2017", {"2017-10"}),
        ("entro il 31 dicembre", {"--12-31"}),
        ("il 45/07/2017", set()),
        ("LR 14 del 30 luglio 2015", set()),
    ],
)
def test_dates_have_one_form(text: str, expected: set[str]) -> None:
    assert dates(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nel triennio 2017-2019", {2017, 2018, 2019}),
        ("2017–2019", {2017, 2018, 2019}),
        ("2017/2019", {2017, 2018, 2019}),
        ("dal 2017 al 2019", {2017, 2018, 2019}),
        ("anni 2018-20", {2018, 2019, 2020}),
        ("il 12 luglio 2017", {2017}),
        ("nel 2016 e nel 2018", {2016, 2018}),
        ("LR 14/2015", set()),
        ("2.018 persone", set()),
    ],
)
def test_years_fill_in_ranges_and_leave_acts_out(text: str, expected: set[int]) -> None:
    assert years(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.776", {"1776"}),
        ("3,5", {"3.5"}),
        ("435,45 mln", {"435450000"}),
        ("435,45 milioni di euro", {"435450000"}),
        ("435.450.000 euro", {"435450000"}),
        ("1,6 miliardi", {"1600000000"}),
        ("35 mila", {"35000"}),
        ("35mila", {"35000"}),
        ("trentacinquemila", {"35000"}),
        ("64,7%", {"64.7%"}),
        ("64,7 per cento", {"64.7%"}),
        ("dodici operatori", {"12"}),
        ("ventotto e ventuno", {"28", "21"}),
        ("un milione di euro", {"1000000"}),
        ("un'area e uno sportello", set()),
        ("100.000 abitanti", {"100000"}),
        ("ogni centomila abitanti", {"100000"}),
        ("12-15 anni", {"12", "15"}),
        ("tre obiettivi nel 2017 con la LR 14/2015", {"3"}),
    ],
)
def test_quantities_have_one_form(text: str, expected: set[str]) -> None:
    assert numbers(text) == expected


def test_euro_is_told_from_other_quantities() -> None:
    read = facts("€ 300 per 12 persone e 5 mila euro per 3 sportelli").quantities
    assert [(quantity.canonical, quantity.euro) for quantity in read] == [
        ("300", True),
        ("12", False),
        ("5000", True),
        ("3", False),
    ]


def test_an_act_without_kind_or_year_stands_for_any() -> None:
    assert cites("atto:120/2017", {"dal:120/2017"})
    assert cites("l:328", {"l:328/2000"})
    assert not cites("dgr:120/2017", {"dal:120/2017"})
    assert not cites("lr:14/2015", {"lr:14/2016"})


def test_hostile_text_is_read_in_linear_time() -> None:
    hostile = "12, " * 20_000 + "1.000" * 5_000 + " luglio" * 5_000
    assert facts(hostile).dates == ()
