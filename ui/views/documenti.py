"""Documents: what there is, and each of them page by page; the address says which is open."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import streamlit as st

from assistant.models import Document
from ui.client import Client
from ui.render import DEMONSTRATION, KINDS, page_address, page_html, plain, recognised
from ui.views.sidebar import cached_documents


def show(client: Client) -> None:
    documents = cached_documents(client, client.address)
    wanted = st.query_params.get("d", "")
    chosen = next((document for document in documents if document.id == wanted), None)
    if chosen:
        _read(client, chosen)
        return
    st.title("Documenti", anchor=False)
    if wanted:
        del st.query_params["d"]
        st.warning("Questo documento non c'è più: forse è stato sostituito. Cercalo nell'elenco.")
    _list(documents)


def _list(documents: Sequence[Document]) -> None:
    words = st.text_input("Cerca per titolo, distretto o nome del file", max_chars=200)
    found = [
        document
        for document in sorted(documents, key=lambda document: document.title.casefold())
        if all(word in _described(document) for word in words.casefold().split())
    ]
    if len(found) == len(documents):
        st.caption(_count(len(found), "documento", "documenti"))
    else:
        st.caption(f"{len(found)} su {_count(len(documents), 'documento', 'documenti')}")
    if found:
        st.html(_listing(found))


def _read(client: Client, document: Document) -> None:
    if st.button("Torna all'elenco", icon=":material/arrow_back:"):
        st.query_params.clear()
        st.rerun()
    st.title(plain(document.title), anchor=False)
    badge = f" {DEMONSTRATION}" if document.demonstration else ""
    st.html(f'<p class="where">{escape(_facts(document))}{badge}</p>')
    for note in (*_standing(document), *document.notes):
        st.warning(plain(note))
    key, last = f"page-{document.id}", max(1, document.page_count)
    if key not in st.session_state:
        st.session_state[key] = _page_in_address(last)
    _pages(key, last)
    number = int(st.session_state[key])
    st.query_params["p"] = str(number)
    page = client.page(document.id, number)
    if page.label and page.label != str(number):
        st.caption(f"Numero stampato sulla pagina: {plain(page.label)}")
    if page.ocr_confidence is not None:
        st.caption(
            f"Testo da {recognised(page.ocr_confidence)}: può avere errori, controlla l'originale."
        )
    st.html(page_html(page))
    with st.container(horizontal=True):
        st.link_button(
            "Pagina stampabile",
            page_address(client.address, document.id, number),
            icon=":material/print:",
        )
        st.link_button(
            "Scarica l'originale",
            f"{client.address}/v1/documents/{document.id}/original",
            icon=":material/download:",
        )


def _standing(document: Document) -> list[str]:
    """What a reader must know of the texts beside this one."""
    notes = []
    if document.status == "superseded":
        successor = f" da «{document.superseded_by}»" if document.superseded_by else ""
        notes.append(f"Questo testo è superato{successor}.")
    if document.updated_by:
        notes.append("Questo piano ha un aggiornamento annuale: controlla anche quello.")
    if document.also_at:
        notes.append("Lo stesso contenuto è stato letto anche da: " + ", ".join(document.also_at))
    return notes


def _pages(key: str, last: int) -> None:
    """Page before, page number, page after."""
    if last == 1:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.session_state[key]
        st.button(
            "Precedente",
            icon=":material/chevron_left:",
            disabled=number <= 1,
            on_click=_turn,
            args=(key, -1),
        )
        st.number_input(f"Pagina (di {last})", min_value=1, max_value=last, key=key, width=160)
        st.button(
            "Successiva",
            icon=":material/chevron_right:",
            disabled=number >= last,
            on_click=_turn,
            args=(key, 1),
        )


def _turn(key: str, by: int) -> None:
    st.session_state[key] += by


def _page_in_address(last: int) -> int:
    asked = st.query_params.get("p", "")
    return max(1, min(int(asked[:9]), last)) if asked.isascii() and asked.isdigit() else 1


def _described(document: Document) -> str:
    return f"{document.title} {document.distretto or ''} {document.source}".casefold()


def _listing(documents: Sequence[Document]) -> str:
    items = "".join(
        f'<li><a href="?d={quote(document.id, safe="")}" target="_self">{escape(document.title)}'
        f"</a>{' ' + DEMONSTRATION if document.demonstration else ''}"
        f'<p class="where">{escape(_facts(document))}</p></li>'
        for document in documents
    )
    return f'<ul class="listing" lang="it">{items}</ul>'


def _facts(document: Document) -> str:
    facts = [KINDS.get(document.kind, document.kind)]
    if document.distretto:
        facts.append(f"Distretto {document.distretto}")
    if document.year_from is not None:
        facts.append(_years(document.year_from, document.year_to))
    facts.append(_count(document.page_count, "pagina", "pagine"))
    return " · ".join(facts)


def _years(first: int, last: int | None) -> str:
    return str(first) if last in (None, first) else f"{first}-{last}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
