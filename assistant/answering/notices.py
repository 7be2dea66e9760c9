"""What a reader must know of an answer besides its words, in Italian."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assistant.answering.abstain import Decision
from assistant.index.protocol import SearchBackend
from assistant.models import AnswerStatus, Citation, Document

UNREADABLE_NAMED = 3
"""Documents with pages that could not be read, named one by one; the others are counted."""


def answer_notices(citations: Sequence[Citation], backend: SearchBackend) -> list[str]:
    """Which citations come from demonstration, superseded or OCR-read text."""
    notices: list[str] = []
    demonstration = [item.n for item in citations if item.demonstration]
    if demonstration:
        one = len(demonstration) == 1
        notices.append(
            f"{_citations(demonstration)} da {'un documento dimostrativo' if one else 'documenti '}"
            f"{': non vale' if one else 'dimostrativi: non valgono'} come fonte ufficiale."
        )
    documents = {item.document_id: backend.document(item.document_id) for item in citations}
    superseded: dict[str, list[int]] = {}
    for item in citations:
        if item.status == "superseded":
            successor = item.superseded_by
            by = f"«{successor}»" if successor else "uno più recente"
            superseded.setdefault(by, []).append(item.n)
    notices += [
        f"{_citations(numbers)} da un testo superato da {by}." for by, numbers in superseded.items()
    ]
    notices += _updates(documents.values(), backend)
    scanned = {item.n: item.ocr_confidence for item in citations if item.ocr_confidence is not None}
    if scanned:
        pages = {(c.document_id, c.page): scanned[c.n] for c in citations if c.n in scanned}
        mean = sum(pages.values()) / len(pages)
        one = len(pages) == 1
        notices.append(
            f"{_citations(list(scanned))} da {'una pagina letta' if one else 'pagine lette'} con "
            f"riconoscimento ottico (confidenza media {mean:.0f}%): controlla l'originale."
        )
    return notices


def _updates(documents: Iterable[Document], backend: SearchBackend) -> list[str]:
    """Plans that are cited while their yearly update, which may change them, is not."""
    cited = {document.id: document for document in documents}
    notices = []
    for document in cited.values():
        others = [
            backend.document(identity).title
            for identity in document.updated_by
            if identity not in cited
        ]
        if others:
            named = " e ".join(f"«{title}»" for title in others)
            notices.append(f"«{document.title}» ha un aggiornamento da controllare: {named}.")
    return notices


def silence_notices(
    missing: Sequence[tuple[str, Decision]], status: AnswerStatus, backend: SearchBackend
) -> list[str]:
    """What was asked and not found, and which pages could not be read at all."""
    notices: list[str] = []
    for question, decision in missing:
        lacking = list(dict.fromkeys(decision.missing))
        subject = f"Per «{question}» non" if status == "partial" else "Non"
        found = f"{subject} ho trovato nei documenti una frase che risponda"
        closest = f": nelle pagine più vicine non c'è {', né '.join(lacking)}." if lacking else "."
        notices.append(found + closest)
    return notices + _unreadable(backend)


def _unreadable(backend: SearchBackend) -> list[str]:
    """Where an answer may stand that nobody could read."""
    documents = [document for document in backend.documents() if document.pages_without_text]
    notices = []
    for document in documents[:UNREADABLE_NAMED]:
        pages = len(document.pages_without_text)
        notices.append(
            f"Non ho potuto leggere {pages} {'pagina' if pages == 1 else 'pagine'} senza testo "
            f"di «{document.title}»."
        )
    if others := len(documents) - len(notices):
        notices.append(
            f"Ci sono pagine senza testo anche in {others} "
            f"{'altro documento' if others == 1 else 'altri documenti'}."
        )
    return notices


def _citations(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"La citazione {numbers[0]} viene"
    return f"Le citazioni {', '.join(map(str, numbers))} vengono"
