"""What a document is (kind, district, years): stated or left open, never guessed.

The file's keywords win (`tipo=piano_di_zona; distretto=Valdoro; anni=2018-2020; …`); otherwise the
title, the cover (short lines at the top of the first page with text) and the file name are read
with narrow rules. A district named in the text but not in these is a mere mention.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

from assistant.models import KINDS, Document, DocumentKind, DocumentStatus
from ingest.models import SourceDocument
from ingest.sections import RUNNING
from ingest.stated import ausl_of, distretto_of, kind_of, known_name, years_of

MAX_TITLE_CHARS = 200
COVER_BLOCKS = 8
COVER_LINE_CHARS = 160
COVER_LINE_WORDS = 6
"""A longer line that ends as a sentence does is the beginning of the text."""
DATED_KINDS = ("piano", "piano_di_zona", "scheda", "linea_guida")
"""Kinds whose cover tells the years that they are about."""

_KEYWORD = re.compile(r"\s*([a-z_ ]{2,30}?)\s*=\s*(.*?)\s*", re.IGNORECASE | re.DOTALL)
_KEYWORD_BREAK = re.compile(r"[;\n]|,(?=\s*[a-z_]{2,30}\s*=)", re.IGNORECASE)
_YES = frozenset({"si", "sì", "true", "1", "yes", "vero"})
_STATUSES: dict[str, DocumentStatus] = {
    "vigente": "in_force",
    "in vigore": "in_force",
    "superato": "superseded",
    "sostituito": "superseded",
    "abrogato": "superseded",
}

_DEMONSTRATION = re.compile(
    r"document[oi]\s+(?:\w+\s+)?dimostrativ[oi]|(?:scopo|fini|esempio)\s+dimostrativ[oi]",
    re.IGNORECASE,
)
_JUNK_TITLE = re.compile(
    r"\W*$|microsoft\s+(?:word|powerpoint|excel)\b|untitled|senza\s+(?:titolo|nome)"
    r"|immagine\s+scansionata|scansione|(?!sched|interv|allegat|titol)[^\W\d]+\s+[\d.,]+$"
    r"|(?:nuovo\s+)?document[oi]?\s*\d*$|presentazione(?:\s+(?:standard|di\s+powerpoint))?$"
    r"|layout\s*\d*$|diapositiva\s*\d*$|slide\s*\d*$|home(?:\s*page)?$|index$|pagina\s*\d*$"
    r"|.*\.(?:docx?|pdf|odt|rtf|indd|xlsx?|pptx?|html?|txt|md|dot|tmp|qxd|p65)$"
    r"|[\w.-]*\d{5,}[\w.-]*$|[^\W_]+(?:_[^\W_]+)+$",
    re.IGNORECASE,
)
_GENERIC_HEADING = frozenset(
    {"indice", "sommario", "premessa", "introduzione", "allegato", "indice generale", "menu",
     "salta al contenuto", "contenuto", "regione emilia-romagna", "documento dimostrativo"}
)  # fmt: skip


def describe(document_id: str, source_name: str, source: SourceDocument) -> Document:
    """The document's record; notes tell which keywords could not be used."""
    notes = list(source.notes)
    keywords = read_keywords(source.metadata.get("keywords", ""))
    stem = fallback_title(source_name)
    title = _title(source, stem)
    cover = _cover_lines(source)
    stated = [title, *cover, stem]

    kind = _kind_from_keywords(keywords, notes) or kind_of(stated, source.media_type)
    distretto = keywords.get("distretto") or distretto_of([title, stem])
    if distretto is None and kind == "piano_di_zona":
        distretto = distretto_of(cover)
    years = years_of([keywords["anni"]], longest=200) if "anni" in keywords else (None, None)
    if "anni" in keywords and years == (None, None):
        notes.append(f"Anni non riconosciuti nei metadati: «{keywords['anni'][:60]}».")
    if years == (None, None):
        years = years_of(stated if kind in DATED_KINDS else [title], ranges_only=True)
    if years == (None, None) and kind in (*DATED_KINDS, "atto"):
        years = years_of([title, stem])
    first_page = next((page.text for page in source.pages if page.text.strip()), "")
    return Document(
        id=document_id,
        title=title,
        kind=kind,
        source=source_name,
        media_type=source.media_type,
        page_count=len(source.pages),
        distretto=known_name(distretto),
        ausl=keywords.get("ausl")
        or ausl_of([title, *cover] if kind == "piano_di_zona" else [title]),
        year_from=years[0],
        year_to=years[1],
        official=keywords.get("ufficiale", "").lower() in _YES,
        demonstration=keywords.get("dimostrativo", "").lower() in _YES
        or bool(_DEMONSTRATION.search(first_page)),
        status=_status(keywords, notes),
        superseded_by=keywords.get("sostituito_da"),
        notes=tuple(notes),
        pages_without_text=source.pages_without_text,
        ocr_pages=source.ocr_pages,
        ocr_engine=source.ocr_engine,
    )


def read_keywords(text: str) -> dict[str, str]:
    """`tipo=piano; anni=2017-2019` as a dictionary; parts without `=` are plain keywords."""
    pairs: dict[str, str] = {}
    for part in _KEYWORD_BREAK.split(text[:5000]):
        found = _KEYWORD.fullmatch(part)
        if found and found[2]:
            pairs[found[1].lower().replace(" ", "_")] = found[2]
    return pairs


def _kind_from_keywords(keywords: dict[str, str], notes: list[str]) -> DocumentKind | None:
    stated = keywords.get("tipo")
    if stated is None:
        return None
    wanted = stated.lower().replace(" ", "_")
    for kind in KINDS:
        if kind == wanted:
            return kind  # type: ignore[return-value]
    notes.append(f"Tipo di documento non riconosciuto nei metadati: «{stated[:60]}».")
    return None


def _status(keywords: dict[str, str], notes: list[str]) -> DocumentStatus:
    stated = keywords.get("stato")
    if stated is None:
        return "superseded" if "sostituito_da" in keywords else "unknown"
    if stated.lower() not in _STATUSES:
        notes.append(f"Stato non riconosciuto nei metadati: «{stated[:60]}».")
    return _STATUSES.get(stated.lower(), "unknown")


def _title(source: SourceDocument, stem: str) -> str:
    stated = (source.title, source.metadata.get("title"))
    for words, candidate in (*((1, text) for text in stated), *((2, t) for t in _headings(source))):
        title = " ".join((candidate or "").split())
        if len(title.split()) >= words and _reads_as_title(title) and title != stem:
            return title if len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1] + "…"
    return stem


def _reads_as_title(title: str) -> bool:
    if sum(map(str.isalpha, title)) < 4 or title.lower() in _GENERIC_HEADING:
        return False
    return not (title[0] in "([-" or _JUNK_TITLE.match(title) or _ISSUER.match(title))


_ISSUER = re.compile(
    r"(?:(?:il\s+)?comune|provincia|regione|giunta|ministero|unione|azienda|ausl|repubblica|città"
    r"|gazzetta|asp|servizio\s+sanitario|assemblea)\b(?!.*\bpiano\b)(?:\s+\S+){0,6}$",
    re.IGNORECASE,
)
"""Letterheads: who publishes, not what."""


def _headings(source: SourceDocument) -> Iterator[str]:
    for page in source.pages[:5]:
        for block in page.blocks:
            if block.kind == "heading":
                yield page.text[block.start : block.end]


def fallback_title(source_name: str) -> str:
    """A file name or last part of a URL, as words: the title of what has none."""
    if re.match(r"[a-z][a-z0-9+.-]+://", source_name, re.IGNORECASE):
        address = urlsplit(source_name)
        name = unquote(address.path).rstrip("/").rsplit("/", 1)[-1] or address.netloc
    else:
        name = source_name
    stem = PurePath(name).stem or name
    words = " ".join(re.sub(r"[_+]+|(?<!\d)-|-(?!\d)", " ", stem).split())
    return words[:MAX_TITLE_CHARS] or "Documento senza titolo"


def _cover_lines(source: SourceDocument) -> list[str]:
    lines: list[str] = []
    for page in source.pages:
        if not page.text.strip():
            continue
        blocks = [block for block in page.blocks if block.kind not in RUNNING]
        for block in blocks[:COVER_BLOCKS]:
            text = page.text[block.start : block.end].strip()
            sentence = text.endswith((".", ";", ":")) and len(text.split()) > COVER_LINE_WORDS
            if len(text) > COVER_LINE_CHARS or sentence:
                break
            lines.extend(" ".join(line.split()) for line in text.split("\n"))
        break
    return lines
