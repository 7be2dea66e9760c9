"""The peers over a small shelf: the real splitter, the real tantivy, the real Chroma and MiniLM."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import AssistantError, NotFoundError, UsageError
from assistant.models import Answer, Document, Filters, Page, Passage, SearchResult
from assistant.record_models import Intervento, Scheda
from assistant.settings import Settings
from eval.cases import Case, GoldQuote, Nugget, split_of
from eval.intervals import Measure
from eval.metrics import METRICS
from eval.peers import CHUNK_SIZE, MINILM, PEERS, Peer, bm25, chunks, tutorial
from eval.run import describe, read_run, run
from eval.score import Scores
from eval.side_by_side import SHOWN, TITLES, PeerResult, markdown_table, own_result, run_peers
from eval.system import System
from eval.worlds import only

FILLER = "Il tavolo si riunisce ogni mese e verbalizza le presenze. Poi si aggiorna. "
SHELF = {
    "anziani": (
        "Piano per gli anziani",
        [
            "Piano per gli anziani\n\nPremessa: l’assistenza non è un costo 🙂, perché vale.",
            "",
            # More than three chunks of words that repeat: their offsets are easy to mistake.
            FILLER * 40 + "\n\nL'assegno di cura vale 400 euro al mese.\n\n" + FILLER * 10,
        ],
    ),
    "casa": (
        "Piano per la casa",
        ["L'emergenza abitativa si affronta con alloggi temporanei e contributi per l'affitto."],
    ),
}


class Shelf:
    """Two documents; it finds nothing itself, so what a peer finds is the peer's."""

    def documents(self) -> list[Document]:
        return [
            Document(name, title, "piano", f"corpus/{name}.pdf", "application/pdf", len(pages))
            for name, (title, pages) in SHELF.items()
        ]

    def page(self, document_id: str, number: int, /) -> Page:
        try:
            return Page(document_id, number, SHELF[document_id][1][number - 1])
        except (KeyError, IndexError) as error:
            raise NotFoundError("Pagina assente.") from error

    def search(self, query: str, *, k: int = 10, filters: Filters | None = None) -> SearchResult:
        return SearchResult(query, (), "g7")

    def ask(
        self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
    ) -> Answer:
        return Answer(question, question, "not_found", (), (), (), (), "extractive", "", "g7")

    def document_passages(self, document_id: str, /) -> list[Passage]:
        raise AssertionError("peers have their own chunks")

    def schede(self) -> list[Scheda]:
        return []

    def interventi(self) -> list[Intervento]:
        return []


@pytest.fixture
def words() -> Iterator[Peer]:
    peer = bm25(Shelf())
    yield peer
    peer.close()


@pytest.fixture(scope="module")
def vectors() -> Iterator[Peer]:
    peer = tutorial(Shelf())
    yield peer
    peer.close()


def stands(system: System, answer: Answer) -> bool:
    """Whether every citation is what its page holds, and the sentences are the citations."""
    quotes = {citation.n: citation.quote for citation in answer.citations}
    return all(
        system.page(one.document_id, one.page).text[one.start : one.end] == one.quote != ""
        for one in answer.citations
    ) and all(
        sentence.text == "\n".join(quotes[n] for n in sentence.citations)
        for sentence in answer.sentences
    )


def test_chunks_stand_on_their_page_at_their_offsets() -> None:
    system = Shelf()
    found = chunks(system)
    for passage in found:
        [span] = passage.spans
        page = system.page(passage.document_id, span.page).text
        assert page[span.start : span.end] == passage.text
        assert 0 < len(passage.text) <= CHUNK_SIZE
    assert len({passage.id for passage in found}) == len(found)
    places = [(passage.document_id, passage.page_start, passage.start) for passage in found]
    assert places == sorted(set(places)), "in the order of the text, none twice"
    assert sum(place[:2] == ("anziani", 3) for place in places) > 3
    assert not any(place[:2] == ("anziani", 2) for place in places), "an empty page has none"
    for name, (_, pages) in SHELF.items():
        for number, text in enumerate(pages, start=1):
            held: set[int] = set()
            for one in found:
                if (one.document_id, one.page_start) == (name, number):
                    held.update(range(one.start, one.end))
            missed = [at for at in range(len(text)) if at not in held and not text[at].isspace()]
            assert missed == [], "no word of a page is left out"


def test_bm25_finds_the_page_of_an_obvious_question(words: Peer) -> None:
    answer = words.ask("quanti euro vale l'assegno di cura?")
    assert answer.status == "answered"
    [citation] = answer.citations
    assert (citation.document_id, citation.page) == ("anziani", 3)
    assert "400 euro al mese" in citation.quote
    assert stands(words, answer)
    assert answer.generation == "g7", "the generation whose pages were read"
    assert answer.mode == "extractive"


def test_bm25_takes_words_by_their_stems(words: Peer) -> None:
    best = words.search("un contributo per l'alloggio", k=3).hits[0]
    assert best.document.id == "casa"
    assert best.rank == 1
    scores = [hit.score for hit in words.search("piano assegno contributi", k=10).hits]
    assert scores == sorted(scores, reverse=True)


def test_bm25_has_nothing_to_show_only_when_no_word_is_there(words: Peer) -> None:
    assert words.ask("chi ha vinto il campionato ogni mese?").status == "answered"
    nothing = words.ask("xyzzy ?!* (:")
    assert nothing.status == "not_found"
    assert (nothing.sentences, nothing.citations) == ((), ())


def test_a_peer_has_its_own_chunks_and_the_pages_of_the_system(words: Peer) -> None:
    system = Shelf()
    assert words.documents() == system.documents()
    assert words.page("casa", 1) == system.page("casa", 1)
    assert words.passages == len(chunks(system))
    assert [one.ordinal for one in words.document_passages("casa")] == [0]


def test_filters_and_history_change_nothing(words: Peer) -> None:
    plain = words.ask("assegno di cura")
    filtered = words.ask("assegno di cura", filters=Filters(document=("casa",)), history=["e poi?"])
    assert replace(plain, timings_ms={}) == replace(filtered, timings_ms={})


def test_as_many_chunks_answer_as_are_asked_for() -> None:
    peer = bm25(Shelf(), shown=3)
    answer = peer.ask("il tavolo si riunisce ogni mese")
    assert len(answer.sentences) == 3
    assert [sentence.citations for sentence in answer.sentences] == [(1,), (2,), (3,)]
    assert stands(peer, answer)
    peer.close()


@pytest.mark.slow
def test_the_tutorial_answers_whatever_is_asked(vectors: Peer) -> None:
    for question in ("quanto vale l'assegno di cura?", "chi ha vinto il campionato?", "xyzzy"):
        answer = vectors.ask(question)
        assert answer.status == "answered"
        assert len(answer.sentences) == 4
        assert stands(vectors, answer)
        assert answer.model == MINILM


@pytest.mark.slow
def test_the_tutorial_finds_a_chunk_by_its_own_words(vectors: Peer) -> None:
    text = SHELF["casa"][1][0]
    best = vectors.search(text, k=2).hits[0]
    assert best.passage.text == text
    assert best.score == pytest.approx(1, abs=1e-3), "the cosine of a text with itself"
    assert len(vectors.search(text, k=1000).hits) == vectors.passages


@pytest.mark.slow
def test_two_tutorials_do_not_share_their_chunks(vectors: Peer) -> None:
    told: list[tuple[int, int]] = []
    other = tutorial(Shelf(), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (other.passages, other.passages)
    other.close()
    assert len(vectors.search("anziani", k=1000).hits) == vectors.passages


@pytest.mark.slow
def test_a_model_that_is_nowhere_is_named() -> None:
    with pytest.raises(AssistantError, match="/non/esiste"):
        tutorial(Shelf(), model="/non/esiste")


def cases() -> tuple[Case, ...]:
    quote = GoldQuote("anziani.pdf", 3, "L'assegno di cura vale 400 euro al mese.")
    known = Case(
        id="op-01",
        question="quanti euro vale l'assegno di cura?",
        group="operatore",
        category="fatto",
        answerable=True,
        split="dev",
        evidence=((quote,),),
        nuggets=(Nugget(("400 euro",)),),
    )
    unknown = Case(
        id="no-01",
        question="chi ha vinto il campionato ogni mese?",
        group="operatore",
        category="fatto",
        answerable=False,
        split="dev",
        abstain_reason="out_of_scope",
    )
    return tuple(replace(case, split=split_of(case)) for case in (known, unknown))


def value(result: PeerResult, name: str) -> float | None:
    return result.scores.metrics[name]["all"].value


@pytest.mark.slow
def test_each_peer_is_run_into_its_own_folder(tmp_path: Path) -> None:
    ticks: list[int] = []
    built: dict[str, tuple[int, int]] = {}

    def progress(name: str, done: int, total: int) -> None:
        built[name] = (done, total)

    results = run_peers(
        Shelf(), cases(), tmp_path, Settings(), lambda: ticks.append(1), progress=progress
    )
    assert [result.name for result in results] == list(PEERS)
    assert len(ticks) == len(PEERS) * len(cases())
    for result in results:
        assert result.folder == tmp_path / "peers" / result.name
        assert built[result.name] == (result.passages, result.passages)
        assert len(read_run(result.folder).outcomes) == len(cases())
        config = json.loads((result.folder / "config.json").read_text(encoding="utf-8"))
        assert config["peer"]["name"] == result.name
        assert config["complete"] is True
        assert (result.folder / "metrics.json").is_file()
        assert value(result, "quote_integrity") == value(result, "sentence_support") == 1
        assert value(result, "abstention_recall") == 0
    by_name = {result.name: result for result in results}
    assert value(by_name["bm25"], "nugget_recall") == 1
    assert value(by_name["bm25"], "evidence_recall") == 1
    assert by_name["tutorial"].words is not None and by_name["bm25"].words is not None
    with pytest.raises(UsageError, match="già una valutazione"):
        run_peers(Shelf(), cases(), tmp_path, Settings(), names=["bm25"])


def test_the_table_has_piano_first_and_an_interval_for_each_figure(tmp_path: Path) -> None:
    system, asked = Shelf(), cases()
    run(only(system), asked, tmp_path, describe(Settings(), Path("prova")))
    peers = run_peers(system, asked, tmp_path, Settings(), names=["bm25"])
    lines = markdown_table([*peers, own_result(tmp_path)]).splitlines()
    assert lines[0] == f"| misura | piano | {TITLES['bm25']} |"
    rows = {line.split(" | ")[0].strip("| "): line for line in lines[2:]}
    assert list(rows)[:-1] == list(SHOWN)
    # Of one question, a half-open bound: all that is known is that it is not almost always so.
    assert rows["nugget_recall"] == "| nugget_recall | 0,0% (0,0 - 95,0) | 100,0% (5,0 - 100,0) |"
    assert rows["citation_precision"].startswith("| citation_precision | - | "), "it cited nothing"
    assert rows["forbidden_hits"].endswith("| 0 (0 - 2) | 0 (0 - 2) |")
    assert " ms (" in rows["ask_p50"]
    assert list(rows)[-1].startswith("parole") and "| - |" in lines[-1]


def test_the_table_stands_figures_that_were_not_taken() -> None:
    scores = Scores({"recall_at_1": {"all": Measure(None, None, None, 0)}}, ())
    lines = markdown_table([PeerResult("piano", "piano", Path(), scores, None)]).splitlines()
    assert all(line.endswith("| - |") for line in lines[2:])


def test_every_peer_has_a_title_and_every_figure_of_the_table_exists() -> None:
    assert set(TITLES) == {"piano", *PEERS}
    assert set(SHOWN) <= set(METRICS)
