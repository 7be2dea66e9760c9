"""A question with its answer: sentences, citations to open, feedback."""

from __future__ import annotations

import streamlit as st

from assistant.models import Citation, DocumentPage, FeedbackReason, Message
from ui.client import ApiProblemError, Client
from ui.render import answer_html, citation_html, citation_label, closest_html, question_html
from ui.views.understood import show_also, show_choices

PROBLEMS: dict[FeedbackReason, str] = {
    "pagina_sbagliata": "La pagina citata non è quella giusta",
    "incompleta": "Manca qualcosa",
    "non_trovata": "La risposta c'è, ma non è stata trovata",
    "errata": "La risposta è sbagliata",
}


def show_message(client: Client, message: Message, *, latest: bool = False) -> None:
    """The latest one can be asked again, read otherwise."""
    answer = message.answer
    with st.chat_message("user", avatar=":material/person:"):
        st.html(question_html(answer.question))
    with st.chat_message("assistant", avatar=":material/menu_book:"):
        st.html(answer_html(answer, client.address))
        if answer.status not in ("answered", "partial") and answer.hits:
            st.html(closest_html(answer.hits, client.address))
        with st.container(gap="xsmall"):
            for citation in answer.citations:
                _show_citation(client, message, citation)
        show_also(message)
        if latest:
            show_choices(client, message)
        _ask_feedback(client, message)


def _show_citation(client: Client, message: Message, citation: Citation) -> None:
    # The page is read from the API only when the citation is open.
    box = st.expander(
        citation_label(citation), key=f"citation-{message.id}-{citation.n}", on_change="rerun"
    )
    if box.open:
        with box:
            page = _page(client, citation, message.answer.generation)
            st.html(citation_html(citation, page, client.address))


def _page(client: Client, citation: Citation, generation: str) -> DocumentPage | None:
    """The cited page, or None when it is no longer in the index."""
    try:
        return _cached_page(client, client.address, citation.document_id, citation.page, generation)
    except ApiProblemError as error:
        if error.http_status != 404:
            raise
        return None


@st.cache_data(ttl=600, max_entries=500, show_spinner=False)
def _cached_page(
    _client: Client, address: str, document_id: str, number: int, generation: str
) -> DocumentPage:
    """One page; address and generation are part of the cache's key."""
    return _client.page(document_id, number)


def _ask_feedback(client: Client, message: Message) -> None:
    done = f"feedback-{message.id}"
    if st.session_state.get(done):
        st.caption("Grazie, il tuo parere è stato registrato.")
        return
    with st.container(horizontal=True):
        if st.button("Utile", key=f"useful-{message.id}", icon=":material/thumb_up:"):
            client.feedback(message.id, "utile")
            st.session_state[done] = True
            st.rerun()
        with (
            st.popover("C'è un problema", icon=":material/flag:", key=f"problem-{message.id}"),
            st.form(f"form-{message.id}", border=False),
        ):
            reason = st.radio("Che cosa non va?", list(PROBLEMS), format_func=PROBLEMS.__getitem__)
            comment = st.text_area("Vuoi aggiungere qualcosa?", max_chars=4_000)
            if st.form_submit_button("Invia"):
                client.feedback(message.id, reason, comment)
                st.session_state[done] = True
                st.rerun()
