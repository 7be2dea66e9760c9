"""Documents: what there is, and each of them page by page."""

from __future__ import annotations

from html import escape

import streamlit as st

from assistant.models import Document
from ui.client import Client
from ui.render import DEMONSTRATION, KINDS, page_address, page_html, plain
from ui.views.sidebar import cached_documents


def show(client: Client) -> None:
    st.header("Documenti", anchor=False)
    documents = cached_documents(client, client.address)
    listing, reading = st.tabs(["Elenco", "Leggi"])
    with listing:
        words = st.text_input("Cerca nei titoli", max_chars=200).casefold().split()
        found = [d for d in documents if all(word in _described(d) for word in words)]
        st.caption(f"{len(found)} documenti su {len(documents)}")
        if found:
            st.html(_table(found))
    with reading:
        _read(client, documents)


def _read(client: Client, documents: list[Document]) -> None:
    if not documents:
        return
    ids = [document.id for document in documents]
    wanted = st.query_params.get("d", "")
    chosen = st.selectbox(
        "Documento",
        documents,
        index=ids.index(wanted) if wanted in ids else 0,
        format_func=lambda document: document.title,
    )
    st.query_params["d"] = chosen.id
    number = st.number_input(
        "Pagina", min_value=1, max_value=max(1, chosen.page_count), key=f"page-{chosen.id}"
    )
    page = client.page(chosen.id, int(number))
    if chosen.demonstration:
        st.html(f"<p>{DEMONSTRATION}</p>")
    for note in chosen.notes:
        st.warning(plain(note))
    printed = f" (stampata: {plain(page.label)})" if page.label else ""
    st.caption(f"Pagina {page.number} di {chosen.page_count}{printed}")
    st.html(page_html(page))
    with st.container(horizontal=True):
        st.link_button(
            "Pagina stampabile",
            page_address(client.address, chosen.id, page.number),
            icon=":material/print:",
        )
        st.link_button(
            "Scarica l'originale",
            f"{client.address}/v1/documents/{chosen.id}/original",
            icon=":material/download:",
        )


def _described(document: Document) -> str:
    return f"{document.title} {document.distretto or ''} {document.source}".casefold()


def _table(documents: list[Document]) -> str:
    rows = "".join(
        f"<tr><td>{escape(d.title)}{' ' + DEMONSTRATION if d.demonstration else ''}</td>"
        f"<td>{escape(KINDS.get(d.kind, d.kind))}</td><td>{escape(d.distretto or '')}</td>"
        f'<td class="years">{_years(d)}</td><td>{d.page_count}</td></tr>'
        for d in documents
    )
    heads = "".join(
        f'<th scope="col">{name}</th>' for name in ("Titolo", "Tipo", "Distretto", "Anni", "Pagine")
    )
    return f'<table class="documents"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _years(document: Document) -> str:
    if document.year_from is None:
        return ""
    if document.year_to in (None, document.year_from):
        return str(document.year_from)
    return f"{document.year_from}-{document.year_to}"
