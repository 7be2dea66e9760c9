"""A passage's terms, sentence by sentence, kept with it.

Reading them again would cost each search more than everything else that it does. On disk they are
one text: terms divided by blanks, sentences by newlines.
"""

from __future__ import annotations

from itertools import chain

from assistant.italian.analysis import located_terms
from assistant.italian.sentences import split_sentences


def analyse(text: str) -> str:
    """The terms of a text, one line a sentence; what stands outside of sentences is a line too.

    A term that crosses a line ("legge regionale", newline, "14/2015") belongs where it begins.
    """
    found = located_terms(text)
    if not found:
        return ""
    ends = [end for _, end in split_sentences(text)]
    lines: list[list[str]] = [[]]
    reached = 0
    for term in found:
        while reached < len(ends) and term.start >= ends[reached]:
            reached += 1
            if lines[-1]:
                lines.append([])
        lines[-1].append(term.text)
    return "\n".join(" ".join(line) for line in lines if line)


class Analysed:
    """What ranking reads of one passage."""

    __slots__ = ("body", "sentences", "sets", "terms")

    def __init__(self, text: str) -> None:
        """`text` as `analyse` wrote it."""
        self.sentences = [line.split(" ") for line in text.split("\n")] if text else []
        self.sets = [frozenset(sentence) for sentence in self.sentences]
        self.body = list(chain.from_iterable(self.sentences))
        self.terms = frozenset(self.body)
