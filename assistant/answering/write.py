"""A chat model's sentences, each let through only when the verifier finds it in what it cites.

A sentence whose question asks for a number, an amount, an act or a contact waits until one that
holds it comes. When the model stops half-way, what was let through stays and no quote is added
for the same question: the answer is told to be incomplete instead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from assistant.answering.citations import Citations
from assistant.answering.generate import GeneratedSentence, generate
from assistant.answering.ground import Grounding, verify
from assistant.answering.relevance import Relevance, Service
from assistant.errors import ChatModelError
from assistant.models import AnswerSentence, Hit, Page, Quote
from assistant.settings import Settings

logger = logging.getLogger(__name__)

PASSAGES_GIVEN = 8
"""Passages put before the model."""

PagesOf = Callable[[Sequence[Quote]], dict[int, Page]]
"""The pages, by number, that some quotes of one document stand on."""


@dataclass(slots=True)
class Written:
    """What there is to say of the model's work, filled while it writes."""

    notices: list[str] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)
    """Positions of the questions that were answered."""
    interrupted: bool = False
    """The model failed after some sentences were let through."""
    unsupported: int = 0
    beside: int = 0
    """Sentences that their sources may say, but that do not answer."""


class _Checked(NamedTuple):
    """A verified sentence, the hits it was verified in, and what it does."""

    text: str
    grounding: Grounding
    hits: Sequence[Hit]
    service: Service


def write_with_model(
    question: str,
    hits: Sequence[Hit],
    settings: Settings,
    citations: Citations,
    relevance: Relevance,
    pages_of: PagesOf,
    written: Written,
) -> Iterator[AnswerSentence]:
    """Verified sentences, as they come; a model that fails leaves a notice, never an exception."""
    given = hits[:PASSAGES_GIVEN]
    said: set[str] = set()
    waiting: list[_Checked] = []
    try:
        for sentence in generate(question, given, settings):
            checked = _check(sentence, given, relevance, written)
            if checked is None or checked.text.casefold() in said:
                continue
            said.add(checked.text.casefold())
            written.answered |= checked.service.answers
            waiting.append(checked)
            for item in [item for item in waiting if item.service.about & written.answered]:
                waiting.remove(item)
                yield _sentence(item, citations, pages_of)
    except ChatModelError as error:
        logger.warning("chat model failed: %s", error)
        written.interrupted = bool(written.answered)
        written.notices.append(str(error))
    written.beside += len(waiting)
    written.notices += _account(written)


def _check(
    sentence: GeneratedSentence, given: Sequence[Hit], relevance: Relevance, written: Written
) -> _Checked | None:
    """The sentence with its evidence, or None, counted, when it may not be shown."""
    cited = [given[n - 1] for n in sentence.ids if 1 <= n <= len(given)]
    if not cited or len(cited) < len(sentence.ids):
        written.unsupported += 1
        return None
    # Only evidence on target may support it: a passage on another district proves nothing here.
    on_target = relevance.on_target(cited)
    if not on_target:
        written.beside += 1
        return None
    grounding = verify(sentence.text, [hit.passage for hit in on_target])
    if grounding.verdict != "supported":
        logger.info("sentence rejected: %s", grounding.why)
        written.unsupported += 1
        return None
    service = relevance.of(grounding.quotes, on_target)
    if not service.about:
        written.beside += 1
        return None
    return _Checked(sentence.text, grounding, on_target, service)


def _sentence(item: _Checked, citations: Citations, pages_of: PagesOf) -> AnswerSentence:
    numbers: list[int] = []
    for quote in item.grounding.quotes:
        hit = next(hit for hit in item.hits if _holds(hit, quote))
        numbers += citations.cite([quote], hit.passage, hit.document, pages_of([quote]))
    return AnswerSentence(item.text, "supported", tuple(dict.fromkeys(numbers)), item.grounding.why)


def _holds(hit: Hit, quote: Quote) -> bool:
    return hit.passage.document_id == quote.document_id and any(
        span.page == quote.page and span.start <= quote.start and quote.end <= span.end
        for span in hit.passage.spans
    )


def _account(written: Written) -> list[str]:
    """What was left out and what stays, in Italian."""
    notices = []
    if count := written.unsupported:
        notices.append(
            "1 frase del modello non era sostenuta dalle fonti citate ed è stata tolta."
            if count == 1
            else f"{count} frasi del modello non erano sostenute dalle fonti citate e sono state "
            "tolte."
        )
    if count := written.beside:
        notices.append(
            "1 frase del modello non rispondeva alla domanda ed è stata tolta."
            if count == 1
            else f"{count} frasi del modello non rispondevano alla domanda e sono state tolte."
        )
    if written.interrupted:
        notices.append(
            "Il modello si è fermato prima della fine: la risposta può essere incompleta. Le frasi "
            "mostrate erano già state controllate."
        )
    elif not written.answered:
        notices.append(
            "Il modello linguistico non ha dato frasi verificabili: ho cercato la risposta parola "
            "per parola nei documenti."
        )
    return notices
