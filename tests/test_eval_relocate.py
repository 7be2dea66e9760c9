from __future__ import annotations

from typing import Any

from eval.relocate import occurrences, relocate


def record(quote: str, page: int = 1) -> dict[str, Any]:
    gold = {"document": "piano.pdf", "page": page, "quote": quote}
    return {"id": "op-01", "evidence": [[gold]]}


def quote_of(changed: dict[str, Any]) -> tuple[int, str]:
    gold = changed["evidence"][0][0]
    return gold["page"], gold["quote"]


def test_a_quote_that_stands_is_left_alone() -> None:
    one = record("Vale tre anni")
    assert relocate(one, {"piano.pdf": {1: "Vale tre anni."}}) == []
    assert quote_of(one) == (1, "Vale tre anni")


def test_line_ends_and_table_bars_may_change() -> None:
    one = record("Bologna\t90,3")
    assert relocate(one, {"piano.pdf": {1: "Modena | 65\nBologna | 90,3\n"}}) == []
    assert quote_of(one) == (1, "Bologna | 90,3")


def test_a_quote_follows_its_words_to_another_page() -> None:
    one = record("Vale  tre anni")
    assert relocate(one, {"piano.pdf": {1: "Copertina", 2: "Vale tre\nanni."}}) == []
    assert quote_of(one) == (2, "Vale tre\nanni")


def test_a_changed_word_is_lost_and_named() -> None:
    one = record("Vale tre anni")
    [lost] = relocate(one, {"piano.pdf": {1: "Vale due anni."}})
    assert "op-01" in lost
    assert quote_of(one) == (1, "Vale tre anni")


def test_words_standing_twice_are_not_guessed() -> None:
    one = record("Vale tre  anni")
    pages = {2: "Vale tre anni.", 3: "Vale tre anni."}
    assert len(relocate(one, {"piano.pdf": pages})) == 1


def test_a_missing_document_is_named() -> None:
    assert len(relocate(record("Vale"), {})) == 1


def test_a_percent_sign_stays_with_its_number() -> None:
    assert list(occurrences("giù del 21,1% in un anno", "del  21,1%")) == ["del 21,1%"]
    assert list(occurrences("giù del 21,1% in un anno", "del 21,1")) == ["del 21,1"]
