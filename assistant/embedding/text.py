"""What the vector of a passage is made of."""

from __future__ import annotations

from assistant.models import Document, Passage


def embedded_text(document: Document, passage: Passage) -> str:
    """Title, headings and words, a line each."""
    return "\n".join([document.title, *passage.section, passage.text])
