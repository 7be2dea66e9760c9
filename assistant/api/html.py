"""Plain pages that print well: a document page, an error."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import PurePath
from urllib.parse import quote

from assistant.models import DocumentPage

_STYLE = """
:root { color-scheme: light; }
body { font: 1.05rem/1.6 Georgia, 'Times New Roman', serif; color: #17202a; background: #fff;
  max-width: 46rem; margin: 0 auto; padding: 1rem 1.25rem 3rem; }
header, nav, footer { font-family: system-ui, 'Segoe UI', Roboto, sans-serif; }
h1 { font-size: 1.35rem; line-height: 1.3; margin: .5rem 0; }
.where { color: #44505c; margin: 0 0 1rem; }
.note { border-left: .35rem solid #b35c00; background: #fff6e9; padding: .6rem .9rem; }
.page { white-space: pre-wrap; overflow-wrap: anywhere; border-top: 1px solid #c5ccd3;
  border-bottom: 1px solid #c5ccd3; padding: 1rem 0; }
mark { background: #ffe58a; color: inherit; padding: .1em 0; scroll-margin-top: 30vh; }
nav { display: flex; gap: 1.5rem; flex-wrap: wrap; margin: 1rem 0; }
table { border-collapse: collapse; font: .9rem/1.4 system-ui, sans-serif; }
caption { text-align: left; font-weight: 600; padding: .5rem 0; }
td, th { border-bottom: 1px solid #c5ccd3; padding: .3rem .6rem .3rem 0; text-align: left;
  vertical-align: top; }
a { color: #0b4f8a; }
a:focus-visible { outline: 3px solid #0b4f8a; outline-offset: 2px; }
.hash { color: #44505c; font-size: .8rem; overflow-wrap: anywhere; }
@media print { nav { display: none; } body { max-width: none; padding: 0; font-size: 11pt; }
  mark { outline: 1px solid #000; } }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'"
)
DEMONSTRATION = (
    "Documento dimostrativo: è stato scritto per provare il programma e non è un atto ufficiale."
)


def document_page(page: DocumentPage, start: int | None = None, end: int | None = None) -> str:
    """A page with the words from `start` to `end` marked (offsets of its canonical text).

    Offsets that this page does not have are told to the reader, never moved.
    """
    document = page.document
    source = document.source
    if "://" not in source:
        source = PurePath(source).name  # folders say nothing to who reads
    printed = f" (numero stampato: {escape(page.label)})" if page.label else ""
    notes = [DEMONSTRATION] if document.demonstration else []
    if document.status == "superseded":
        successor = f" da «{document.superseded_by}»" if document.superseded_by else ""
        notes.append(f"Questo testo è superato{successor}.")
    if page.ocr_confidence is not None:
        notes.append(
            "Il testo di questa pagina è stato riconosciuto da un'immagine (confidenza media "
            f"{page.ocr_confidence:.0f}%): può avere errori, controlla l'originale."
        )
    body = escape(page.text)
    if start is not None or end is not None:
        if start is not None and end is not None and 0 <= start < end <= len(page.text):
            body = (
                f'{escape(page.text[:start])}<mark id="citazione">{escape(page.text[start:end])}'
                f"</mark>{escape(page.text[end:])}"
            )
        else:
            notes.append(
                "Il collegamento indica parole che in questa pagina non ci sono: "
                "il documento è forse cambiato. Sotto c'è la pagina intera."
            )
    if not page.text.strip():
        body = "<em>Questa pagina non ha testo: è vuota o è un'immagine.</em>"
    shown = "".join(f'<p class="note" role="note">{escape(note)}</p>' for note in notes)
    place = " · ".join(
        escape(part) for part in (document.distretto and f"Distretto {document.distretto}",) if part
    )
    navigation = _navigation(page)
    return _whole(
        f"{document.title}, pagina {page.number}",
        f"<header><h1>{escape(document.title)}</h1>"
        f'<p class="where">Pagina {page.number} di {document.page_count}{printed}'
        f"{' · ' + place if place else ''}</p>{shown}</header>{navigation}"
        f'<main class="page">{body}</main>{navigation}'
        f'<footer><p class="where">Fonte: {escape(source)}</p>'
        f'<p class="hash">Impronta SHA-256 del documento: {escape(document.id)}</p></footer>',
    )


def error_page(title: str, detail: str) -> str:
    return _whole(title, f"<main><h1>{escape(title)}</h1><p>{escape(detail)}</p></main>")


def home_page(ui_address: str, operations: Sequence[tuple[str, str, str]]) -> str:
    """What the API offers; `operations` are method, path and (English) description."""
    address = escape(ui_address, quote=True)
    rows = "".join(
        f"<tr><td>{escape(method)}</td><td><code>{escape(path)}</code></td>"
        f'<td lang="en">{escape(text)}</td></tr>'
        for method, path, text in operations
    )
    return _whole(
        "Piano: API",
        "<main><h1>Piano: API</h1><p>Questo è il servizio che risponde ai programmi. "
        f'Per fare domande apri <a href="{address}">{address}</a>.</p>'
        '<p>La descrizione completa è in <a href="/openapi.json">/openapi.json</a>.</p>'
        "<table><caption>Indirizzi</caption><thead><tr><th>Metodo</th><th>Indirizzo</th>"
        f"<th>Che cosa fa</th></tr></thead><tbody>{rows}</tbody></table></main>",
    )


def _navigation(page: DocumentPage) -> str:
    base = f"/documenti/{quote(page.document.id, safe='')}/pagine/"
    links = []
    if page.previous:
        links.append(f'<a rel="prev" href="{base}{page.previous}">← Pagina precedente</a>')
    if page.next:
        links.append(f'<a rel="next" href="{base}{page.next}">Pagina successiva →</a>')
    original = f"/v1/documents/{quote(page.document.id, safe='')}/original"
    links.append(f'<a href="{original}">Scarica il documento originale</a>')
    return f'<nav aria-label="Pagine del documento">{"".join(links)}</nav>'


def _whole(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="it"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )
