"""Optional generation: a chat model's sentences with the passages they cite.

Nothing here is believed: who calls checks every sentence (ground.py) before showing it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from assistant.answering.chat_model import load_model, stream_text
from assistant.answering.prompts import read_prompt
from assistant.models import Hit
from assistant.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

NO_ANSWER = "NESSUNA_RISPOSTA"
MAX_SENTENCES = 8
MAX_LINE = 1_200
"""Characters of one line; a longer one is not a sentence and ends the answer."""
MAX_PASSAGE = 2_400
"""Characters of a passage put before the model."""
MAX_QUESTION = 1_000

_CITED = re.compile(r"\s*((?:\[\s*\d{1,4}(?:\s*[,;]\s*\d{1,4})*\s*\]\s*)+)[.;]?")
_LEADING_MARK = re.compile(r"^\s*(?:[-*•–]\s+|\d{1,2}[.)]\s+|#+\s+|>\s*)")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]|\*\*|__")
_THINKING = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)


class GeneratedSentence(NamedTuple):
    """A sentence as the model wrote it, unverified; `ids` are numbers of the passages given.

    Ids start at 1; they may be none, or numbers that no passage has.
    """

    text: str
    ids: tuple[int, ...]


def generate(
    question: str,
    hits: Sequence[Hit],
    settings: Settings,
    *,
    model: BaseChatModel | None = None,
) -> Iterator[GeneratedSentence]:
    """Sentences as their lines complete; none when the model finds no answer in the passages.

    `hits` are numbered from 1 in the order given. Sentences already yielded stand when an error
    follows.

    Raises:
        ChatModelError: the model cannot be loaded, or its server fails, stalls or talks nonsense.
    """
    if not hits:
        return
    model = model or load_model(settings)
    from langchain_core.messages import HumanMessage, SystemMessage

    messages = [SystemMessage(read_prompt("sistema")), HumanMessage(_ask(question, hits))]
    written = 0
    for line in _lines(stream_text(model, messages, settings)):
        if NO_ANSWER in line.upper():
            return
        for sentence in read_line(line):
            yield sentence
            written += 1
            if written == MAX_SENTENCES:
                return


def _ask(question: str, hits: Sequence[Hit]) -> str:
    # The code changes at every call, so that no passage can hold the line that would end it.
    code = secrets.token_hex(6)
    blocks = []
    for number, hit in enumerate(hits, start=1):
        section = " › ".join(hit.passage.section)
        about = f"{hit.document.title}{' — ' + section if section else ''}"
        blocks.append(
            f"INIZIO BRANO {number} {code}\n({about})\n{hit.passage.text[:MAX_PASSAGE]}\n"
            f"FINE BRANO {number} {code}"
        )
    values = {
        "question": " ".join(question.split())[:MAX_QUESTION],
        "passages": "\n\n".join(blocks),
    }
    # One pass and no str.format: braces in a question or a passage are text.
    return re.sub(r"\{(question|passages)\}", lambda m: values[m[1]], read_prompt("domanda"))


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Lines as they complete; what a reasoning model thinks aloud is left out."""
    buffer = ""
    for piece in pieces:
        buffer += piece
        if "<think>" in buffer:
            if "</think>" not in buffer:
                continue
            buffer = _THINKING.sub("", buffer)
        *complete, buffer = buffer.split("\n")
        yield from complete
        if len(buffer) > MAX_LINE:
            yield buffer
            return
    yield _THINKING.sub("", buffer)


def read_line(line: str) -> Iterator[GeneratedSentence]:
    """The sentences of a line: usually one, closed by its ids."""
    text = _NOT_TEXT.sub("", _LEADING_MARK.sub("", line)).strip()
    position = 0
    for match in _CITED.finditer(text):
        sentence = text[position : match.start()].strip()
        position = match.end()
        if sentence:
            ids = dict.fromkeys(int(digits) for digits in re.findall(r"\d+", match[1]))
            yield GeneratedSentence(_closed(sentence), tuple(ids))
    if rest := text[position:].strip(" .;"):
        yield GeneratedSentence(_closed(rest), ())


def _closed(sentence: str) -> str:
    return sentence if sentence[-1] in ".!?…»" else sentence + "."
