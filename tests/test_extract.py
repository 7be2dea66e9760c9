"""Sentences are chosen verbatim, and evidence of another year or place is no evidence."""

from __future__ import annotations

from assistant.answering.abstain import judge
from assistant.answering.extract import Candidate, choose, rank_sentences
from assistant.answering.question import read_question
from assistant.models import Document, Hit, Passage, Span

PAGE = (
    "Il Tavolo di monitoraggio è stato istituito con la deliberazione n. 1720 del 22 ottobre 2018. "
    "Si riunisce due volte l'anno. "
    "Gli strumenti sono tre:\n"
    "• la relazione annuale;\n"
    "• gli indicatori;\n"
    "• l'ascolto dei territori."
)


def _hit(text: str = PAGE, title: str = "Il monitoraggio del Piano", **fields: object) -> Hit:
    document = Document(
        id="d" * 64,
        title=title,
        kind="pagina",
        source="monitoraggio.md",
        media_type="text/markdown",
        page_count=1,
        **fields,  # type: ignore[arg-type]
    )
    passage = Passage("p1", document.id, 0, text, ("Verifica",), (Span(1, 0, len(text)),))
    return Hit(rank=1, score=1.0, passage=passage, document=document)


def _rank(text: str, *hits: Hit) -> list[Candidate]:
    return rank_sentences(read_question(text), hits, lambda term: 1.0)


def _enough(text: str, hit: Hit) -> bool:
    question = read_question(text)
    best = rank_sentences(question, [hit], lambda term: 1.0)[0]
    return judge(question, best, lambda term: 0.01).enough


def test_sentence_that_holds_the_act_asked_for_comes_first() -> None:
    best = _rank("Con quale delibera è stato istituito il Tavolo di monitoraggio?", _hit())[0]
    assert best.text.startswith("Il Tavolo di monitoraggio è stato istituito")
    assert best.holds_expected


def test_quotes_of_a_candidate_are_its_words_in_the_page() -> None:
    for candidate in _rank("Quando si riunisce il Tavolo?", _hit()):
        (quote,) = candidate.quotes
        assert PAGE[quote.start : quote.end] == quote.text == candidate.text


def test_sentence_with_a_colon_brings_its_list() -> None:
    chosen = choose(_rank("Quali sono gli strumenti del monitoraggio?", _hit()))
    texts = [item.text for item in chosen]
    assert any(text.endswith("tre:") for text in texts)
    assert any("gli indicatori" in text for text in texts)
    assert any("ascolto dei territori" in text for text in texts)


def test_evidence_of_the_right_year_is_enough_and_of_another_is_not() -> None:
    hit = _hit(year_from=2018, year_to=2018)
    assert _enough("Con quale delibera è stato istituito il Tavolo nel 2018?", hit)
    assert not _enough("Con quale delibera è stato istituito il Tavolo nel 2021?", hit)


def test_evidence_of_another_place_or_act_is_not_enough() -> None:
    assert not _enough("Con quale delibera è stato istituito il Tavolo di Modena?", _hit())
    assert not _enough("La DGR 999/2015 ha istituito il Tavolo di monitoraggio?", _hit())


def test_contact_asked_and_not_there_is_not_enough() -> None:
    assert not _enough("Qual è il telefono del Tavolo di monitoraggio?", _hit())


def test_question_of_other_things_is_not_answered() -> None:
    assert not _enough("Come si cucinano i tortellini in brodo?", _hit())


def test_document_of_another_district_answers_for_none_but_its_own() -> None:
    text = "L'ente capofila è l'Unione montana. Il distretto sta, con la Valdoro, in una Ausl."
    question = read_question("Qual è l'ente capofila del distretto Valdoro?", {"Valdoro"})
    for distretto, enough in (("Selvachiara", False), ("Valdoro", True)):
        hit = _hit(text, title=f"Piano del distretto {distretto}", distretto=distretto)
        best = rank_sentences(question, [hit], lambda term: 1.0)[0]
        assert judge(question, best, lambda term: 0.01).enough is enough


def test_a_count_is_of_the_thing_counted() -> None:
    other = _hit("Dal 2018 chi abita a Torre presenta la domanda in cinque sedi del distretto.")
    right = _hit("Il distretto conta 18.260 abitanti in quattro Comuni di montagna.")
    asked = "Quanti abitanti ha il distretto?"
    assert not _enough(asked, other)
    assert _enough(asked, right)
