"""The answer path: understand, search, read; sentences or a typed silence."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

from assistant.answering.abstain import Decision, judge
from assistant.answering.citations import Citations
from assistant.answering.converse import resolve
from assistant.answering.extract import (
    Candidate,
    choose,
    inverse_document_frequency,
    rank_sentences,
)
from assistant.answering.notices import answer_notices, silence_notices
from assistant.answering.question import Question, read_question, split_question
from assistant.answering.relevance import Relevance
from assistant.answering.smalltalk import is_small_talk
from assistant.answering.write import Written, write_with_model
from assistant.embedding.protocol import Embedder
from assistant.index.protocol import SearchBackend
from assistant.italian.analysis import terms
from assistant.models import (
    Answer,
    AnswerHit,
    AnswerSentence,
    AnswerStatus,
    Citation,
    Filters,
    Hit,
    Mode,
    Page,
    Quote,
    Stage,
    Understood,
)
from assistant.retrieval.protocol import Reranker
from assistant.retrieval.search import Choices, Found, search
from assistant.settings import Settings

HITS_READ = 20
"""Passages retrieved for an answer."""

HITS_SHOWN = 10
"""Hits that travel with the answer ("closest pages")."""


SMALL = 250
"""Passages that a smaller collection counts as having: a name in ten of thirty still is a case."""


@dataclass(slots=True)
class _Draft:
    """What is known so far of the answer being made."""

    question: str
    understood_as: str
    started: float
    citations: Citations = field(default_factory=Citations)
    sentences: list[AnswerSentence] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    hits: tuple[Hit, ...] = ()
    understood: Understood = field(default_factory=Understood)
    reranker: str = ""
    mode: Mode = "extractive"
    timings_ms: dict[str, float] = field(default_factory=dict)

    def clock(self, name: str, since: float) -> None:
        self.timings_ms[name] = round((time.perf_counter() - since) * 1000, 2)


class Answerer:
    """Answers over one opened generation; holds no state between questions."""

    def __init__(
        self,
        backend: SearchBackend,
        embedder: Embedder,
        settings: Settings,
        reranker: Reranker | None = None,
    ) -> None:
        self._backend = backend
        self._embedder = embedder
        self._settings = settings
        self._reranker = reranker

    def stream(
        self,
        question: str,
        *,
        filters: Filters,
        history: Sequence[str],
        choices: Choices | None = None,
    ) -> Iterator[Stage | Citation | AnswerSentence | Answer]:
        """Stages as they begin, sentences as they are ready, then the whole answer, once."""
        draft = _Draft(question, question.strip(), time.perf_counter())
        yield Stage("understand", "Leggo la domanda")
        if not draft.understood_as:
            draft.notices.append("Scrivi una domanda, per esempio: «Che cos'è il Community Lab?»")
            yield self._finish(draft, "clarify")
            return
        if is_small_talk(question):
            draft.notices.append(
                "Rispondo solo a domande sui documenti del Piano sociale e sanitario e dei Piani "
                "di zona caricati."
            )
            yield self._finish(draft, "out_of_scope")
            return
        known = set(self._backend.distretti())
        draft.understood_as = resolve(question, history, known)
        draft.clock("understand", draft.started)
        if not terms(draft.understood_as):
            draft.notices.append(
                "La domanda non dice di che cosa: aggiungi l'argomento, per esempio una scheda, un "
                "servizio, un distretto o un anno."
            )
            yield self._finish(draft, "clarify")
            return

        yield Stage("search", "Cerco nei documenti")
        since = time.perf_counter()
        found = self._search(draft, draft.understood_as, filters, choices)
        draft.hits, draft.understood = found.hits, found.understood
        draft.clock("search", since)

        # As written: a word put right helps to find pages, but might change what was asked.
        questions = [read_question(piece, known) for piece in split_question(draft.understood_as)]
        open_questions, interrupted = questions, False
        if self._settings.chat_model and draft.hits:
            yield Stage("write", "Il modello scrive; ogni frase viene controllata sulle fonti")
            written = yield from self._write(draft, questions)
            interrupted = written.interrupted
            open_questions = [q for n, q in enumerate(questions) if n not in written.answered]
        missing: list[tuple[str, Decision]] = []
        if open_questions:
            yield Stage("read", "Leggo le pagine trovate")
            since = time.perf_counter()
            alone = len(questions) == 1
            missing = yield from self._extract(
                draft, open_questions, None if alone else filters, choices
            )
            draft.clock("read", since)
        yield self._finish(draft, _status(draft.sentences, missing, interrupted), missing)

    def _search(self, draft: _Draft, text: str, filters: Filters, choices: Choices | None) -> Found:
        found = search(
            self._backend,
            self._embedder,
            text,
            k=HITS_READ,
            filters=filters,
            choices=choices,
            reranker=self._reranker,
        )
        draft.notices.extend(found.notices)
        draft.reranker = draft.reranker or found.reranker
        return found

    def _write(
        self, draft: _Draft, questions: Sequence[Question]
    ) -> Generator[Citation | AnswerSentence, None, Written]:
        """Sentences of the chat model that passed the verifier, and what came of it."""
        since = time.perf_counter()
        written = Written()
        for sentence in write_with_model(
            draft.understood_as,
            draft.hits,
            self._settings,
            draft.citations,
            Relevance(questions, self._idf, self._share),
            self._pages,
            written,
        ):
            draft.sentences.append(sentence)
            draft.mode = "generative"
            yield from draft.citations.fresh()
            yield sentence
        draft.notices.extend(written.notices)
        draft.clock("write", since)
        return written

    def _extract(
        self,
        draft: _Draft,
        questions: Sequence[Question],
        filters: Filters | None,
        choices: Choices | None,
    ) -> Generator[Citation | AnswerSentence, None, list[tuple[str, Decision]]]:
        """Verbatim sentences for each question; returns those left without an answer.

        With `filters`, each question is searched for itself, as the halves of a double one are.
        """
        missing: list[tuple[str, Decision]] = []
        for question in questions:
            hits = draft.hits
            if filters is not None:
                hits = self._search(draft, question.text, filters, choices).hits
            chosen, decision = self._choose(question, hits)
            if not chosen:
                missing.append((question.text, decision))
            for candidate in chosen:
                sentence = AnswerSentence(
                    text=candidate.text,
                    verdict="verbatim",
                    citations=draft.citations.cite(
                        candidate.quotes,
                        candidate.hit.passage,
                        candidate.hit.document,
                        self._pages(candidate.quotes),
                    ),
                    why="testuale",
                )
                if sentence in draft.sentences:
                    continue
                draft.sentences.append(sentence)
                yield from draft.citations.fresh()
                yield sentence
        return missing

    def _choose(self, question: Question, hits: Sequence[Hit]) -> tuple[list[Candidate], Decision]:
        """Sentences that answer and whose evidence holds, or none and what the best one lacks."""
        ranked = rank_sentences(question, hits, self._idf)
        first: Decision | None = None
        for position, candidate in enumerate(ranked[:8]):
            decision = judge(question, candidate, self._share)
            if decision.enough:
                rivals = [
                    rival
                    for rival in ranked[position : position + 20]
                    if rival is candidate or judge(question, rival, self._share).enough
                ]
                return choose(rivals), decision
            first = first or decision
        return [], first or Decision()

    def _idf(self, term: str) -> float:
        passages = self._backend.manifest.counts["passages"]
        return inverse_document_frequency(self._backend.document_frequency(term), passages)

    def _share(self, term: str) -> float:
        passages = self._backend.manifest.counts["passages"]
        return self._backend.document_frequency(term) / max(SMALL, passages)

    def _pages(self, quotes: Sequence[Quote]) -> dict[int, Page]:
        """The pages, by number, that quotes of one document stand on."""
        return {q.page: self._backend.page(q.document_id, q.page) for q in quotes}

    def _finish(
        self,
        draft: _Draft,
        status: AnswerStatus,
        missing: Sequence[tuple[str, Decision]] = (),
    ) -> Answer:
        if draft.sentences:
            draft.notices.extend(answer_notices(draft.citations.all(), self._backend))
        if missing:
            draft.notices.extend(silence_notices(missing, status, self._backend))
        draft.clock("total", draft.started)
        chat = self._settings.chat_model if draft.mode == "generative" else ""
        return Answer(
            question=draft.question,
            understood_as=draft.understood_as,
            status=status,
            sentences=tuple(draft.sentences),
            citations=draft.citations.all(),
            notices=tuple(dict.fromkeys(draft.notices)),
            hits=tuple(AnswerHit.of(hit) for hit in draft.hits[:HITS_SHOWN]),
            mode=draft.mode,
            model=" + ".join(part for part in (self._embedder.name, draft.reranker, chat) if part),
            generation=self._backend.manifest.generation,
            timings_ms=draft.timings_ms,
            understood=draft.understood,
        )


def _status(
    sentences: Sequence[AnswerSentence],
    missing: Sequence[tuple[str, Decision]],
    interrupted: bool,
) -> AnswerStatus:
    """Also `partial`: what a model that stopped half-way had written until then."""
    if not sentences:
        return "not_found"
    return "partial" if missing or interrupted else "answered"
