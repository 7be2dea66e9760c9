"""A chat model's sentences, let through only when their sources hold them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from assistant.answering.abstain import missing_pins
from assistant.answering.citations import Citations
from assistant.answering.generate import generate
from assistant.answering.ground import verify
from assistant.answering.question import Question
from assistant.errors import ChatModelError
from assistant.models import AnswerSentence, Hit, Quote
from assistant.settings import Settings

logger = logging.getLogger(__name__)

PASSAGES_GIVEN = 8
"""Passages put before the model."""


@dataclass(slots=True)
class Written:
    """What there is to say of the model's work, filled while it writes."""

    notices: list[str] = field(default_factory=list)
    rejected: int = 0


def write_with_model(
    question: Question,
    hits: Sequence[Hit],
    settings: Settings,
    citations: Citations,
    share: Callable[[str], float],
    written: Written,
) -> Iterator[AnswerSentence]:
    """Verified sentences, as they come; a model that fails leaves a notice, never an exception."""
    given = hits[:PASSAGES_GIVEN]
    accepted = 0
    try:
        for sentence in generate(question.text, given, settings):
            cited = [given[n - 1] for n in sentence.ids if 1 <= n <= len(given)]
            off_target = cited and all(missing_pins(question, hit, share) for hit in cited)
            if not cited or len(cited) < len(sentence.ids) or off_target:
                written.rejected += 1
                continue
            grounding = verify(sentence.text, [hit.passage for hit in cited])
            if grounding.verdict != "supported":
                logger.info("sentence rejected: %s", grounding.why)
                written.rejected += 1
                continue
            numbers = tuple(n for quote in grounding.quotes for n in _cite(quote, cited, citations))
            accepted += 1
            yield AnswerSentence(
                sentence.text, "supported", tuple(dict.fromkeys(numbers)), grounding.why
            )
    except ChatModelError as error:
        logger.warning("chat model failed: %s", error)
        written.notices.append(f"{error} Le frasi mostrate sono comunque tratte dai documenti.")
    if written.rejected:
        one = written.rejected == 1
        written.notices.append(
            f"{written.rejected} {'frase' if one else 'frasi'} del modello non "
            f"{'era sostenuta' if one else 'erano sostenute'} dalle fonti citate e "
            f"{'è stata tolta' if one else 'sono state tolte'}."
        )
    if not accepted:
        written.notices.append(
            "Il modello linguistico non ha dato frasi verificabili: ecco che cosa dicono i testi."
        )


def _cite(quote: Quote, hits: Sequence[Hit], citations: Citations) -> tuple[int, ...]:
    for hit in hits:
        if hit.passage.document_id == quote.document_id and any(
            span.page == quote.page and span.start <= quote.start and quote.end <= span.end
            for span in hit.passage.spans
        ):
            return citations.cite([quote], hit.passage, hit.document)
    return ()
