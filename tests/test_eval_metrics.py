"""Each metric against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.models import Answer, AnswerSentence, Citation, Quote
from eval.cases import Case, Gold, GoldQuote, Nugget
from eval.metrics import METRICS
from eval.outcome import Outcome, Seen, Stretch

PAGE = "Il Piano è stato approvato il 12 luglio 2017. Vale per tre anni. Lo segue un Tavolo."
APPROVED = Quote("piano", 2, 0, 45, PAGE[0:45])
LASTS = Quote("piano", 2, 46, 64, PAGE[46:64])
WATCHED = Quote("piano", 2, 65, 84, PAGE[65:84])

ANSWERABLE = Case(
    id="op-01",
    question="quando è stato approvato?",
    group="operatore",
    category="quando",
    answerable=True,
    split="dev",
    evidence=((GoldQuote("piano.pdf", 2, APPROVED.text),),),
    nuggets=(Nugget(("12 luglio 2017", "12/07/2017")), Nugget(("Assemblea",), vital=False)),
    forbidden=("2018",),
)
UNANSWERABLE = Case(
    id="no-01",
    question="quando è stato approvato quello del 2030?",
    group="operatore",
    category="wrong_year",
    answerable=False,
    split="dev",
    abstain_reason="wrong_year",
)


def cite(n: int, quote: Quote) -> Citation:
    return Citation(
        n=n,
        document_id=quote.document_id,
        title="Piano",
        kind="piano",
        distretto=None,
        year=2017,
        source="piano.pdf",
        page=quote.page,
        section="",
        start=quote.start,
        end=quote.end,
        quote=quote.text,
    )


def answered(*quotes: Quote) -> Answer:
    return Answer(
        question="q",
        understood_as="q",
        status="answered",
        sentences=tuple(
            AnswerSentence(quote.text, "verbatim", (n,)) for n, quote in enumerate(quotes, 1)
        ),
        citations=tuple(cite(n, quote) for n, quote in enumerate(quotes, 1)),
        notices=(),
        hits=(),
        mode="extractive",
        model="m",
        generation="g",
    )


REFUSED = replace(answered(), status="not_found")


def outcome(
    answer: Answer,
    case: Case = ANSWERABLE,
    *sets: tuple[Quote, ...],
    found: tuple[tuple[Stretch, ...], ...] = (),
    read_back: tuple[str, ...] | None = None,
) -> Outcome:
    if not sets and case.answerable:
        sets = ((APPROVED,),)
    if read_back is None:
        read_back = tuple(PAGE[c.start : c.end] for c in answer.citations)
    seen = tuple(Seen("", text, "") for text in read_back)
    return Outcome(Gold(case, sets), answer, found, seen, ask_ms=12.0, search_ms=3.0)


def observe(name: str, one: Outcome) -> list[float]:
    return list(METRICS[name].observe(one))


def pages(*numbers: int) -> tuple[tuple[Stretch, ...], ...]:
    """A passage for each page, holding its first hundred characters."""
    return tuple((Stretch("piano", number, 0, 100),) for number in numbers)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("recall_at_1", 0.0),
        ("recall_at_5", 1.0),
        ("recall_at_10", 1.0),
        ("mrr_at_10", 1 / 3),
        ("ndcg_at_10", 0.5),  # 1/log2(3+1)
    ],
)
def test_the_only_right_page_third(name: str, expected: float) -> None:
    one = outcome(answered(APPROVED), found=pages(7, 8, 2, 9))
    assert observe(name, one) == pytest.approx([expected])


def test_ranking_takes_the_best_evidence_set() -> None:
    elsewhere = Quote("sintesi", 1, 0, 10, "x" * 10)
    one = outcome(
        answered(APPROVED),
        ANSWERABLE,
        (elsewhere,),
        (APPROVED,),
        found=pages(2),
    )
    assert observe("recall_at_1", one) == [1.0]


def test_half_of_a_set_on_two_pages_is_half_recall() -> None:
    second = Quote("piano", 5, 0, 10, "x" * 10)
    one = outcome(answered(APPROVED), ANSWERABLE, (APPROVED, second), found=pages(2, 3))
    assert observe("recall_at_10", one) == [0.5]


def test_a_page_beyond_the_tenth_is_not_found() -> None:
    one = outcome(answered(APPROVED), found=pages(*range(20, 30), 2))
    assert observe("recall_at_10", one) == [0.0]
    assert observe("mrr_at_10", one) == [0.0]


def test_a_passage_over_two_pages_ranks_both_in_order() -> None:
    over = (Stretch("piano", 1, 900, 1000), Stretch("piano", 2, 0, 100))
    one = outcome(answered(APPROVED), found=(over, *pages(2)))
    assert [page.page for page in one.ranked] == [1, 2]
    assert observe("mrr_at_10", one) == [0.5]


def test_the_right_page_but_another_passage_of_it_holds_no_evidence() -> None:
    elsewhere = (Stretch("piano", 2, 40, 84),)
    one = outcome(answered(APPROVED), found=(elsewhere,))
    assert observe("recall_at_1", one) == [1.0]
    assert observe("evidence_at_5", one) == [0.0]


def test_evidence_sixth_is_within_ten_and_not_within_five() -> None:
    one = outcome(answered(APPROVED), found=pages(11, 12, 13, 14, 15, 2))
    assert observe("evidence_at_5", one) == [0.0]
    assert observe("evidence_at_10", one) == [1.0]


def test_nothing_found_scores_zero() -> None:
    assert observe("ndcg_at_10", outcome(REFUSED)) == [0.0]


def test_questions_without_answer_are_left_out_of_ranking() -> None:
    assert observe("recall_at_5", outcome(REFUSED, UNANSWERABLE)) == []


def test_quotes_read_back_as_given_are_whole() -> None:
    assert observe("quote_integrity", outcome(answered(APPROVED, LASTS))) == [1.0, 1.0]


def test_a_changed_page_breaks_the_quote() -> None:
    one = outcome(answered(APPROVED, LASTS), read_back=("Altro testo", LASTS.text))
    assert observe("quote_integrity", one) == [0.0, 1.0]


def test_a_swapped_digit_breaks_quote_and_fact() -> None:
    wrong = replace(APPROVED, text=APPROVED.text.replace("2017", "2018"))
    one = outcome(answered(wrong))
    assert observe("quote_integrity", one) == [0.0]
    assert observe("nugget_recall", one) == [0.0]
    assert observe("forbidden_hits", one) == [1.0]


def test_a_quote_trimmed_below_half_no_longer_covers_the_evidence() -> None:
    trimmed = Quote("piano", 2, 0, 20, PAGE[0:20])
    assert observe("evidence_recall", outcome(answered(APPROVED))) == [1.0]
    assert observe("evidence_recall", outcome(answered(trimmed))) == [0.0]
    assert observe("nugget_recall", outcome(answered(trimmed))) == [0.0]


def test_two_halves_cover_the_evidence_once_each() -> None:
    first, again = Quote("piano", 2, 0, 12, PAGE[:12]), Quote("piano", 2, 2, 14, PAGE[2:14])
    rest = Quote("piano", 2, 12, 45, PAGE[12:45])
    assert observe("evidence_recall", outcome(answered(first, again))) == [0.0]
    assert observe("evidence_recall", outcome(answered(first, rest))) == [1.0]


def test_an_invented_sentence_is_not_supported() -> None:
    honest = answered(APPROVED)
    invented = AnswerSentence("Fu approvato all'unanimità.", "verbatim", (1,))
    uncited = AnswerSentence("Fu approvato all'unanimità.", "supported", ())
    dangling = AnswerSentence(APPROVED.text, "verbatim", (9,))
    judged = AnswerSentence(APPROVED.text, "unsupported", (1,))
    for added in (invented, uncited, dangling, judged):
        one = outcome(replace(honest, sentences=(*honest.sentences, added)))
        assert observe("sentence_support", one) == [1.0, 0.0]


def test_spaces_and_line_ends_do_not_make_a_sentence_invented() -> None:
    broken = replace(APPROVED, text=APPROVED.text.replace(" approvato", "\napprovato"))
    honest = answered(APPROVED)
    one = outcome(replace(honest, citations=(cite(1, broken),)))
    assert observe("sentence_support", one) == [1.0]


def test_half_the_citations_beside_the_point() -> None:
    assert observe("citation_precision", outcome(answered(APPROVED, WATCHED))) == [1.0, 0.0]


def test_the_right_offsets_on_the_wrong_page_are_no_evidence() -> None:
    astray = replace(APPROVED, page=3)
    one = outcome(answered(astray))
    assert observe("evidence_recall", one) == [0.0]
    assert observe("citation_precision", one) == [0.0]


def test_only_vital_facts_are_required_and_any_form_will_do() -> None:
    short = Quote("piano", 2, 0, 30, "approvato il 12/07/2017")
    assert observe("nugget_recall", outcome(answered(short))) == [1.0]


def test_numbers_count_as_whole_numbers() -> None:
    case = replace(ANSWERABLE, nuggets=(Nugget(("400",)),))
    for text, expected in [
        ("fino a 400 euro", 1.0),
        ("fino a 400.", 1.0),
        ("1.400 euro", 0.0),
        ("400,5 euro", 0.0),
        ("4000", 0.0),
    ]:
        one = outcome(answered(replace(APPROVED, text=text)), case)
        assert observe("nugget_recall", one) == [expected], text


def test_a_refusal_of_an_answerable_question_is_false_and_finds_nothing() -> None:
    one = outcome(REFUSED)
    assert observe("false_refusals", one) == [1.0]
    assert observe("evidence_recall", one) == [0.0]
    assert observe("nugget_recall", one) == [0.0]
    assert observe("abstention_recall", one) == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("not_found", 1.0),
        ("clarify", 1.0),
        ("out_of_scope", 1.0),
        ("answered", 0.0),
        ("partial", 0.0),
    ],
)
def test_silence_before_a_question_without_answer(status: str, expected: float) -> None:
    answer = replace(answered(), status=status)  # type: ignore[arg-type]
    one = outcome(answer, UNANSWERABLE)
    assert observe("abstention_recall", one) == [expected]
    assert observe("false_refusals", one) == []


def test_a_refusal_that_claims_something_is_not_clean() -> None:
    assert observe("clean_silence", outcome(REFUSED, UNANSWERABLE)) == [1.0]
    talking = replace(answered(APPROVED), status="not_found")
    assert observe("clean_silence", outcome(talking, UNANSWERABLE)) == [0.0]
    assert observe("clean_silence", outcome(answered(APPROVED))) == []


def test_times_are_taken_as_measured() -> None:
    one = outcome(answered(APPROVED))
    assert (observe("ask_p95", one), observe("search_p50", one)) == ([12.0], [3.0])


def test_every_metric_has_a_legend_in_one_paragraph() -> None:
    for metric in METRICS.values():
        assert metric.legend.endswith("."), metric.name
        assert len(metric.legend) > 30, metric.name
