"""Lines that belong to a web site, not to its page: skip links, share buttons.

They stay in the page's text, marked as header or footer, and never enter a passage.
"""

from __future__ import annotations

import re
from typing import Literal

_TOP = frozenset(
    {
        "salta al contenuto",
        "vai al contenuto",
        "vai al contenuto principale",
        "salta al contenuto principale",
        "vai al menu",
        "vai al menu principale",
        "vai alla navigazione",
        "vai al footer",
        "vai al piè di pagina",
        "sei in",
        "sei qui",
        "rotate-mobile",
    }
)
_BOTTOM = frozenset(
    {
        "azioni sul documento",
        "strumenti personali",
        "questa pagina ti è stata utile?",
        "quanto sono chiare le informazioni su questa pagina?",
        "valuta il servizio",
        "valuta questa pagina",
        "condividi",
        "condividi su",
        "stampa",
        "invia",
        "torna su",
        "torna all'inizio",
        "torna indietro",
        "si parla di",
        "in evidenza",
        "potrebbe interessarti",
        "leggi anche",
        "potrebbe interessarti anche",
        "commenti",
        "accetta tutti i cookie",
        "gestisci i cookie",
        "preferenze cookie",
        "cookie policy",
        "privacy policy",
        "informativa sulla privacy",
        "note legali",
        "dichiarazione di accessibilità",
    }
)
_LOADING = re.compile(r".{1,40} è in caricamento\W*", re.IGNORECASE)
_UPDATED = re.compile(
    r"(?:ultim[oa] (?:modifica|aggiornamento)|aggiornat[oa] (?:il|al)|pubblicat[oa] (?:il|in data))"
    r"[\s:]*(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})",
    re.IGNORECASE,
)


def furniture_kind(line: str) -> Literal["header", "footer"] | None:
    text = line.strip().lower().rstrip(":")
    if text in _TOP:
        return "header"
    return "footer" if text in _BOTTOM or _LOADING.fullmatch(text) else None


def page_date(text: str) -> str | None:
    """The latest date of publication or change that a page declares, as YYYY-MM-DD."""
    found = [
        f"{year}-{int(month):02}-{int(day):02}"
        for day, month, year in _UPDATED.findall(text)
        if 1 <= int(month) <= 12 and 1 <= int(day) <= 31
    ]
    return max(found, default=None)
