"""What a document is: title, kind, district, years. Stated or left open, never guessed.

The file's keywords win (`tipo=piano_di_zona; distretto=Valdoro; anni=2018-2020; …`); otherwise the
title, the cover (short lines at the top of the first page with text) and the file name are read
with narrow rules. A district named in the text but not in these is a mere mention.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

from assistant.italian.distretti import canonical, is_known
from assistant.models import KINDS, Document, DocumentKind, DocumentStatus
from ingest.models import SourceDocument
from ingest.sections import RUNNING

MAX_TITLE_CHARS = 200
COVER_BLOCKS = 8
COVER_LINE_CHARS = 160

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

_LEAD = r"^\W*(?:allegato\s+\w{1,3}\W+)?(?:il|lo|la|i|gli|le|l['’])?\s*"
_KIND_RULES: tuple[tuple[DocumentKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(_LEAD + pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            "atto",
            r"(?:(?:deliberazion[ei]|delibera|determinazione|determina|decreto|ordinanza|atto)\b"
            r".{0,90}?(?:\bn(?:um|r)?\s*[.°º]?\s*\d|\bdel\s+\d)"
            r"|(?:d\.?g\.?r\.?|d\.?a\.?l\.?)\s+(?:n\.?\s*)?\d|legge\s+(?:regionale|statale)?\s*\d"
            r"|legge regionale\b.{0,40}?n\.|accordo di programma\b|decreto ministeriale\b)",
        ),
        ("scheda", r"sched[ae]\s+(?:attuativ[ae]|(?:n\.?\s*)?\d{1,2}\b(?!\s*[-/]\s*\d{2}))"),
        ("linea_guida", r"line[ae]\s+(?:guida|di\s+indirizzo|d['’]indirizzo)\b"),
        (
            "piano",
            r"(?:piano\s+(?:regionale\s+)?sociale\s+e\s+sanitario|piano\s+socio-?sanitario\s+regionale"
            r"|pssr\b)",
        ),
    )
)
_PIANO_DI_ZONA = re.compile(
    _LEAD + r"(?:(?:piano|piani)\s+(?:sociale\s+)?di\s+zona\b|programma\s+attuativo\s+annuale\b"
    r"|sched[ae]\s+(?:d['’]\s*)?intervento\b)",
    re.IGNORECASE,
)
_YEAR_RANGE = re.compile(r"(?<!\d)((?:19|20)\d\d)\s*[-–—/_]\s*((?:19|20)?\d\d)(?![\d/])")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_DISTRETTO = re.compile(
    r"\bdistrett(?:o|uale)\s+(?:(?:sanitario|socio-?sanitario|sociale)\s+)?"
    r"(?:(?:di|del|della|delle|dei|dell['’])\s*)?(?P<name>[A-ZÀ-Ý][^\n,;:()\d|]{1,60})",
    re.IGNORECASE,
)
_DISTRETTO_END = re.compile(
    r"\s+[-–—]\s+|\s+(?:per|anni|anno|triennio|nel|ai|al|approvat\w+|piano|programma|ausl|azienda"
    r"|dell['’]|e\s+dell|e\s+il)\b|[.\"»”]",
    re.IGNORECASE,
)
_AUSL = re.compile(
    r"\b(?:a\.?u\.?s\.?l\.?|azienda\s+(?:usl|unità\s+sanitaria\s+locale))\s+"
    r"(?:(?:di|del|della)\s+)?(?P<name>[A-ZÀ-Ý][\wà-ÿ]+(?:\s+Emilia)?)"
)
_DEMONSTRATION = re.compile(
    r"document[oi]\s+(?:\w+\s+)?dimostrativ[oi]|(?:scopo|fini|esempio)\s+dimostrativ[oi]",
    re.IGNORECASE,
)
_JUNK_TITLE = re.compile(
    r"\W*$|microsoft\s+(?:word|powerpoint|excel)\b|untitled|senza\s+(?:titolo|nome)"
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
    stem = _clean_stem(source_name)
    title = _title(source, stem)
    cover = _cover_lines(source)
    stated = [title, *cover, stem]

    kind = _kind_from_keywords(keywords, notes) or _kind(source, stated)
    distretto = keywords.get("distretto") or _distretto([title, stem])
    if distretto is None and kind == "piano_di_zona":
        distretto = _distretto(cover)
    years = _years([keywords["anni"]]) if "anni" in keywords else (None, None)
    if "anni" in keywords and years == (None, None):
        notes.append(f"Anni non riconosciuti nei metadati: «{keywords['anni'][:60]}».")
    if years == (None, None):
        dated = kind in ("piano", "piano_di_zona", "scheda", "linea_guida")
        years = _years(stated if dated else [title], ranges_only=kind in ("pagina", "altro"))
    first_page = next((page.text for page in source.pages if page.text.strip()), "")
    return Document(
        id=document_id,
        title=title,
        kind=kind,
        source=source_name,
        media_type=source.media_type,
        page_count=len(source.pages),
        distretto=_name(distretto),
        ausl=keywords.get("ausl") or _ausl([title, *cover] if kind == "piano_di_zona" else [title]),
        year_from=years[0],
        year_to=years[1],
        official=keywords.get("ufficiale", "").lower() in _YES,
        demonstration=keywords.get("dimostrativo", "").lower() in _YES
        or bool(_DEMONSTRATION.search(first_page)),
        status=_status(keywords, notes),
        superseded_by=keywords.get("sostituito_da"),
        notes=tuple(notes),
        pages_without_text=source.pages_without_text,
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
    candidates = (source.title, source.metadata.get("title"), *_first_headings(source))
    for candidate in candidates:
        title = " ".join((candidate or "").split())
        if len(title) >= 4 and not _JUNK_TITLE.match(title) and title != stem:
            return title if len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1] + "…"
    return stem


def _first_headings(source: SourceDocument) -> Iterator[str]:
    for page in source.pages[:5]:
        for block in page.blocks:
            if block.kind == "heading":
                text = page.text[block.start : block.end]
                if " ".join(text.lower().split()) not in _GENERIC_HEADING:
                    yield text


def _clean_stem(source_name: str) -> str:
    """A file name or last part of a URL, as words."""
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
        for block in page.blocks:
            if block.kind in RUNNING:
                continue
            if len(lines) >= COVER_BLOCKS or block.end - block.start > COVER_LINE_CHARS:
                break
            lines.append(" ".join(page.text[block.start : block.end].split()))
        break
    return lines


def _kind(source: SourceDocument, stated: Sequence[str]) -> DocumentKind:
    for line in stated:
        for kind, pattern in _KIND_RULES:
            if not pattern.match(line):
                continue
            if source.media_type == "text/html" and kind != "atto":
                return "pagina"
            if kind != "piano" or _years([line]) != (None, None) or "regional" in line.lower():
                return kind
        if _PIANO_DI_ZONA.match(line):
            if source.media_type == "text/html":
                return "pagina"
            # A page about plans in general names neither a district nor years.
            if _years(stated) != (None, None) or _distretto(stated) is not None:
                return "piano_di_zona"
    return "pagina" if source.media_type == "text/html" else "altro"


def _years(lines: Sequence[str], *, ranges_only: bool = False) -> tuple[int | None, int | None]:
    for line in lines:
        for found in _YEAR_RANGE.finditer(line):
            first, last = int(found[1]), int(found[2])
            last = last if last >= 1900 else first // 100 * 100 + last
            if first <= last <= first + 15:
                return first, last
    if ranges_only:
        return None, None
    for line in lines:
        years = {int(year) for year in _YEAR.findall(line)}
        if len(years) == 1:
            year = years.pop()
            return year, year
    return None, None


def _distretto(lines: Sequence[str]) -> str | None:
    """The one district that the lines are headed with; None for none or several."""
    for line in lines:
        names = [name for found in _DISTRETTO.finditer(line) if (name := _cut_name(found["name"]))]
        if len({_name(name) for name in names}) == 1:
            return names[0]
        if names:
            return None
    return None


def _cut_name(name: str) -> str | None:
    name = name.strip()
    if not is_known(name):
        name = _DISTRETTO_END.split(name, maxsplit=1)[0].strip(" -–—'’")
    if is_known(name):
        return canonical(name)
    if not name[:1].isupper() or len(name.split()) > 5:
        return None
    return name


def _name(distretto: str | None) -> str | None:
    """The known spelling of a real district; any other name as it stands."""
    if distretto is None:
        return None
    return canonical(distretto) or distretto


def _ausl(lines: Sequence[str]) -> str | None:
    for line in lines:
        found = _AUSL.search(line)
        if found:
            return found["name"]
    return None
