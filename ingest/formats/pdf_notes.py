"""What a reader must know of the pages of a PDF that have no text of their own, in Italian."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.formats.pdf_scans import Recognised
from ingest.models import Recognition, SourcePage

_REBUILD = "Restano senza testo; `piano ingest --rebuild` riprova."
_INSTALL = "installa tesseract con `sudo apt install tesseract-ocr tesseract-ocr-ita`"
_REMEDY = f"{_INSTALL}, poi ripeti `piano ingest`"


def page_notes(
    pages: Sequence[SourcePage], seen: Recognised, recognition: Recognition
) -> tuple[str, ...]:
    """One note for each kind of trouble: recognised, unread, illegible, blank pages."""
    notes: list[str] = []
    if seen.confidence:
        numbers = sorted(seen.confidence)
        mean = sum(seen.confidence.values()) / len(numbers)
        notes.append(
            f"{_begin(page_list(numbers))} {_agree(numbers, 'letta', 'lette')} con riconoscimento "
            f"ottico ({recognition.engine}, confidenza media {mean:.0f}%): il testo può avere "
            "errori, controlla l'originale."
        )
    done = {*seen.confidence, *seen.poor, *recognition.failed}
    waiting = [number for number in seen.images if number not in done]
    if waiting:
        notes.append(_unread(waiting, len(pages), pages, recognition))
    for why, numbers in _by_reason(seen, recognition).items():
        notes.append(f"{_begin(page_list(numbers))}: {why} {_REBUILD}")
    images = set(seen.images)
    blank = [page.number for page in pages if not page.text and page.number not in images]
    if blank:
        notes.append(f"Nel documento {page_list(blank)} {_agree(blank, 'è vuota', 'sono vuote')}.")
    return tuple(notes)


def page_list(numbers: Sequence[int]) -> str:
    """ "pagina 4", "pagine 1-3, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    words = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
    return ("pagina " if len(numbers) == 1 else "pagine ") + words


def _unread(
    waiting: Sequence[int], count: int, pages: Sequence[SourcePage], recognition: Recognition
) -> str:
    start = "Il documento non ha testo: " if len(waiting) == count else "Manca del testo: "
    what = _agree(waiting, "è un'immagine", "sono immagini")
    stamped = [number for number in waiting if pages[number - 1].text]
    of_stamps = (
        f" ({page_list(stamped)}: si legge solo quello che è scritto in margine)" if stamped else ""
    )
    return (
        f"{start}{page_list(waiting)} {what}{of_stamps}. Serve il riconoscimento ottico (OCR) per "
        f"cercarvi dentro: {recognition.remedy or _REMEDY}."
    )


def _by_reason(seen: Recognised, recognition: Recognition) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, sure in sorted(seen.poor.items()):
        why = "nell'immagine non è stato riconosciuto alcun testo."
        if sure:
            why = f"l'immagine è illeggibile (confidenza media {sure:.0f}%)."
        found.setdefault(why, []).append(number)
    for number, reason in sorted(recognition.failed.items()):
        if number in seen.images:
            why = f"il riconoscimento ottico non è riuscito ({reason})."
            found.setdefault(why, []).append(number)
    return found


def _agree(numbers: Sequence[int], one: str, many: str) -> str:
    return one if len(numbers) == 1 else many


def _begin(text: str) -> str:
    return text[:1].upper() + text[1:]
