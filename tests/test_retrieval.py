"""Ranking over a small real index: words first, typos forgiven, pasted sentences on their page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.build import build_assistant, build_embedder, build_generations
from assistant.errors import UsageError
from assistant.models import Filters
from assistant.retrieval.candidates import holds_verbatim
from assistant.retrieval.filters import parse_filters
from assistant.service import Assistant
from assistant.settings import Settings
from ingest.pipeline import ingest

SENTENCE = "Lo sportello riceve le famiglie il martedì mattina nella sala della biblioteca"

DOCUMENTS = {
    "collina.md": (
        "keywords: tipo=piano_di_zona; distretto=Collina; anni=2018-2020",
        f"{SENTENCE} di Borgo Alto. Chi non può venire telefona il giorno prima.",
    ),
    "pianura.md": (
        "keywords: tipo=piano_di_zona; distretto=Pianura; anni=2015-2017",
        "Lo sportello riceve le famiglie. Le famiglie trovano lo sportello in biblioteca. La sala "
        "della biblioteca apre il martedì. Ogni mattina lo sportello riceve, anche il martedì "
        "mattina: le famiglie della sala e le famiglie dello sportello.",
    ),
    "acqua.md": (
        "keywords: tipo=pagina",
        "La piscina comunale offre corsi di nuoto dolce alle persone anziane due volte la "
        "settimana, con il trasporto organizzato dalle associazioni.",
    ),
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("documenti")
    for name, (keywords, text) in DOCUMENTS.items():
        (folder / name).write_text(f"---\n{keywords}\n---\n# {name}\n\n{text}\n", "utf-8")
    settings = Settings(data_dir=tmp_path_factory.mktemp("dati"))
    embedder = build_embedder(settings)
    store = build_generations(settings, embedder=lambda: embedder)
    ingest([str(folder)], settings=settings, store=store, embedder=embedder)
    built = build_assistant(settings)
    yield built
    built.close()


def _first(assistant: Assistant, text: str, filters: Filters | None = None) -> str:
    return Path(assistant.search(text, filters=filters).hits[0].document.source).name


def test_pasted_sentence_finds_the_page_that_holds_it_word_for_word(assistant: Assistant) -> None:
    hits = assistant.search(SENTENCE.upper()).hits
    assert Path(hits[0].document.source).name == "collina.md"
    held = holds_verbatim(SENTENCE.upper(), [hit.passage.text for hit in hits])
    assert held == [True] + [False] * (len(hits) - 1)


def test_question_is_never_taken_for_a_pasted_sentence() -> None:
    page = f"Avviso. {SENTENCE}."
    assert holds_verbatim(SENTENCE, [page]) == [True]
    assert holds_verbatim(f"{SENTENCE}?", [page]) == [False]
    assert holds_verbatim("Lo sportello riceve le famiglie", [page]) == [False], "by chance"


def test_typos_are_forgiven(assistant: Assistant) -> None:
    assert _first(assistant, "pisccina comunle corsi di nuotto") == "acqua.md"


def test_hits_are_ranked_from_one_with_falling_scores(assistant: Assistant) -> None:
    hits = assistant.search("sportello famiglie biblioteca").hits
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_filters_restrict_and_never_widen(assistant: Assistant) -> None:
    filters = parse_filters({"distretto": "collina"})
    hits = assistant.search("sportello famiglie", filters=filters).hits
    assert {hit.document.distretto for hit in hits} == {"Collina"}
    assert _first(assistant, "sportello", parse_filters(["anno=2016"])) == "pianura.md"
    assert assistant.search("sportello", filters=parse_filters({"distretto": "Nessuno"})).hits == ()


def test_text_without_words_finds_nothing(assistant: Assistant) -> None:
    for text in ("", "   ", "?!", "\x00\x01"):
        assert assistant.search(text).hits == ()


def test_query_syntax_is_only_text(assistant: Assistant) -> None:
    for text in ('"AND (', "title:*", "sportello~2 OR [a TO b]", "\\", "((((" * 200):
        assert isinstance(assistant.search(text).hits, tuple)


@pytest.mark.parametrize(
    "wrong",
    [{"colore": "blu"}, {"anno": "duemila"}, {"tipo": "romanzo"}, {"distretto": ""}],
)
def test_wrong_filters_are_refused_with_a_remedy(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        parse_filters(wrong)


def test_filters_without_an_equals_sign_and_too_many_are_refused() -> None:
    with pytest.raises(UsageError, match="chiave=valore"):
        parse_filters(["Lugo"])
    with pytest.raises(UsageError, match="Troppi"):
        parse_filters({"documento": [str(n) for n in range(1000)]})
