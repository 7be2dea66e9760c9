"""What a title, cover line or file name states: kind, years, district, Ausl.

The rules are narrow on purpose: what they do not recognise stays open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.italian.distretti import canonical, is_known
from assistant.models import DocumentKind

_LEAD = r"^\W*(?:allegato\s+\w{1,3}\W+)?(?:il|lo|la|i|gli|le|l['’])?\s*"
_KIND_PATTERNS: dict[DocumentKind, str] = {
    "atto": (
        r"(?:(?:deliberazion[ei]|delibera|determinazione|determina|decreto|ordinanza|atto)\b"
        r".{0,90}?(?:\bn(?:um|r)?\s*[.°º]?\s*\d|\bdel\s+\d)"
        r"|(?:d\.?g\.?r\.?|d\.?a\.?l\.?)\s+(?:n\.?\s*)?\d|legge\s+(?:regionale|statale)?\s*\d"
        r"|legge regionale\b.{0,40}?n\.|accordo di programma\b|decreto ministeriale\b)"
    ),
    "scheda": r"sched[ae]\s+(?:attuativ[ae]|(?:n\.?\s*)?\d{1,2}\b(?!\s*[-/]\s*\d{2}))",
    "linea_guida": r"line[ae]\s+(?:guida|di\s+indirizzo|d['’]indirizzo)\b",
    "piano": (
        r"(?:piano\s+(?:regionale\s+)?sociale\s+e\s+sanitario"
        r"|piano\s+socio-?sanitario\s+regionale|pssr\b)"
    ),
}
_KIND_RULES = tuple(
    (kind, re.compile(_LEAD + pattern, re.IGNORECASE)) for kind, pattern in _KIND_PATTERNS.items()
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
    r"\b(?i:a\.?u\.?s\.?l\.?|azienda\s+(?:usl|unità\s+sanitaria\s+locale))\s+"
    r"(?:(?:di|del|della)\s+)?(?P<name>[A-ZÀ-Ý][\wà-ÿ]+(?:\s+Emilia)?)"
)


def kind_of(lines: Sequence[str], media_type: str) -> DocumentKind:
    """The kind that a line opens with; lines in order of trust. Web pages are `pagina`."""
    for line in lines:
        for kind, pattern in _KIND_RULES:
            if not pattern.match(line):
                continue
            if media_type == "text/html" and kind != "atto":
                return "pagina"
            if kind != "piano" or years_of([line]) != (None, None) or "regional" in line.lower():
                return kind
        if _PIANO_DI_ZONA.match(line):
            if media_type == "text/html":
                return "pagina"
            # A page about plans in general names neither a district nor years.
            dated = _YEAR.search(line) or years_of(lines, ranges_only=True) != (None, None)
            if dated or distretto_of(lines) is not None:
                return "piano_di_zona"
    return "pagina" if media_type == "text/html" else "altro"


def years_of(
    lines: Sequence[str], *, ranges_only: bool = False, longest: int = 15
) -> tuple[int | None, int | None]:
    """The first range of at most `longest` years; failing that, a line's only year, twice."""
    for line in lines:
        for found in _YEAR_RANGE.finditer(line):
            first, last = int(found[1]), int(found[2])
            last = last if last >= 1900 else first // 100 * 100 + last
            if first <= last <= first + longest:
                return first, last
    if ranges_only:
        return None, None
    for line in lines:
        years = {int(year) for year in _YEAR.findall(line)}
        if len(years) == 1:
            year = years.pop()
            return year, year
    return None, None


def distretto_of(lines: Sequence[str]) -> str | None:
    """The one district that the lines are headed with; None for none or several."""
    for line in lines:
        names = [name for found in _DISTRETTO.finditer(line) if (name := _cut_name(found["name"]))]
        if len({known_name(name) for name in names}) == 1:
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


def known_name(distretto: str | None) -> str | None:
    """The known spelling of a real district; any other name as it stands, shouting lowered."""
    if distretto is None:
        return None
    return canonical(distretto) or (distretto.title() if distretto.isupper() else distretto)


def ausl_of(lines: Sequence[str]) -> str | None:
    for line in lines:
        found = _AUSL.search(line)
        if found:
            return found["name"]
    return None
