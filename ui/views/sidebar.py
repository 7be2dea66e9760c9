"""Beside the chat: kept conversations, filters for the next questions."""

from __future__ import annotations

from typing import Any

import streamlit as st

from assistant.models import Conversation, Document
from ui.client import Client
from ui.render import KINDS, plain

TITLE_LENGTH = 100
"""Longest title put on a button, in characters; the button shows as many as it has room for."""
STATUSES = ("in vigore", "superato")
"""As the API reads them."""
_FILTER = "filter-"
SHOWN = 12
"""Conversations listed at first, and added each time more are asked for."""


def show(client: Client, current: Conversation | None) -> dict[str, list[Any]]:
    """Draws both; returns the filters chosen, as the API names them."""
    with st.sidebar:
        if st.button("Nuova conversazione", icon=":material/add:", width="stretch"):
            st.query_params.clear()
            st.rerun()
        filters = _filters(client)
        if current:
            _current(client, current)
        _conversations(client, current)
    return filters


def _filters(client: Client) -> dict[str, list[Any]]:
    options = filter_options(client)
    with st.expander("Filtri", icon=":material/filter_alt:", expanded=False):
        chosen: dict[str, list[Any]] = {
            "distretto": st.multiselect(
                "Distretto", options["distretto"], placeholder="Tutti", key=f"{_FILTER}distretto"
            ),
            "tipo": st.multiselect(
                "Tipo di documento",
                options["tipo"],
                format_func=lambda kind: KINDS.get(kind, kind),
                placeholder="Tutti",
                key=f"{_FILTER}tipo",
            ),
            "anno": st.multiselect(
                "Anno", options["anno"], placeholder="Tutti", key=f"{_FILTER}anno"
            ),
            "stato": st.multiselect(
                "Stato", options["stato"], placeholder="Tutti", key=f"{_FILTER}stato"
            ),
        }
    active = [KINDS.get(str(v), str(v)) for values in chosen.values() for v in values]
    if active:
        st.caption("Filtri attivi: " + plain(", ".join(active)))
    return chosen


def filter_options(client: Client) -> dict[str, list[Any]]:
    """What each filter may be set to, as the documents have it."""
    documents = cached_documents(client, client.address)
    return {
        "distretto": sorted({d.distretto for d in documents if d.distretto}),
        "tipo": sorted({d.kind for d in documents}),
        "anno": sorted({year for d in documents for year in _years(d)}, reverse=True),
        "stato": list(STATUSES),
    }


def use_filter(key: str, values: list[Any]) -> None:
    """Sets a filter; called before it is drawn."""
    st.session_state[f"{_FILTER}{key}"] = values


@st.cache_data(ttl=30, show_spinner=False)
def cached_documents(_client: Client, address: str) -> list[Document]:
    """The documents; the address is the cache's key."""
    return _client.documents()


def _years(document: Document) -> range:
    if document.year_from is None:
        return range(0)
    return range(document.year_from, (document.year_to or document.year_from) + 1)


def _current(client: Client, current: Conversation) -> None:
    with st.expander("Rinomina o elimina", icon=":material/edit:"):
        with st.form(f"rename-{current.id}", border=False):
            title = st.text_input(
                "Nome", value=current.title, max_chars=200, key=f"title-{current.id}"
            )
            if st.form_submit_button("Rinomina") and title.strip():
                client.rename(current.id, title)
                st.rerun()
        sure = st.checkbox("Voglio eliminarla per sempre", key=f"sure-{current.id}")
        if st.button("Elimina", disabled=not sure, icon=":material/delete:"):
            client.delete(current.id)
            st.query_params.clear()
            st.rerun()


def _conversations(client: Client, current: Conversation | None) -> None:
    st.header("Conversazioni", anchor=False)
    search = st.text_input(
        "Cerca nelle conversazioni",
        placeholder="Cerca…",
        label_visibility="collapsed",
        max_chars=200,
        key="search",
    )
    wanted = int(st.session_state.get("listed", SHOWN))
    found = client.conversations(search, limit=wanted + 1)
    if not found:
        st.caption("Nessuna conversazione trovata." if search else "Non ce ne sono ancora.")
    with st.container(gap="xxsmall"):
        for chat in found[:wanted]:
            _open_button(chat, current)
    if len(found) > wanted:
        st.button("Mostra altre", icon=":material/expand_more:", on_click=_list_more)


def _open_button(chat: Conversation, current: Conversation | None) -> None:
    title = chat.title or "Senza nome"
    shown = title if len(title) <= TITLE_LENGTH else title[: TITLE_LENGTH - 1] + "…"
    if st.button(
        plain(shown),
        key=f"open-{chat.id}",
        type="secondary" if current and chat.id == current.id else "tertiary",
        width="stretch",
        help=plain(title),
    ):
        st.query_params["c"] = chat.id
        st.rerun()


def _list_more() -> None:
    st.session_state["listed"] = int(st.session_state.get("listed", SHOWN)) + 2 * SHOWN
