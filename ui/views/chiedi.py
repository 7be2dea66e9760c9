"""Ask: the conversation, the answer as it comes, the way to each cited page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from assistant.errors import AssistantError
from assistant.models import Answer, Citation, ConversationWithMessages, MessageKept, Stage
from ui.client import ApiProblemError, Client, Sentence
from ui.render import plain, question_html, sentences_html, told
from ui.views import sidebar
from ui.views.messages import show_message
from ui.views.understood import Choices, take_choices

EXAMPLES = (
    "Che cos'è il Community Lab?",
    "Chi è il caregiver familiare?",
    "Quando è stato approvato il Piano sociale e sanitario 2017-2019?",
)
MAX_QUESTION = 2_000


def show(client: Client) -> None:
    # Kept before anything is asked of the API: if it is down, the next try still has the words.
    typed = st.session_state.get("question")
    if typed is not None:
        st.session_state["waiting"] = typed
    conversation = _open(client, st.query_params.get("c", ""))
    filters = sidebar.show(client, conversation.conversation if conversation else None)
    st.title("Chiedi ai documenti del Piano", anchor=False)
    messages = conversation.messages if conversation else ()
    for message in messages:
        show_message(client, message, latest=message is messages[-1])
    st.chat_input("Scrivi una domanda", max_chars=MAX_QUESTION, key="question")
    question = st.session_state.pop("waiting", None)
    if question is not None:
        choices = take_choices(messages[-1] if messages else None)
        _ask(client, conversation, question, filters, choices)
    elif not messages:
        _welcome()


def _open(client: Client, conversation_id: str) -> ConversationWithMessages | None:
    """The conversation of the address bar; one that is gone is said to be, and forgotten."""
    if not conversation_id:
        return None
    try:
        return client.conversation(conversation_id)
    except ApiProblemError as error:
        if error.http_status != 404:
            raise
        del st.query_params["c"]
        st.warning("Questa conversazione non esiste più. Ne inizi una nuova.")
        return None


def _welcome() -> None:
    st.write(
        "Rispondo con frasi prese dai documenti: ogni frase porta un numero, e il numero porta "
        "alla pagina. Se nei documenti la risposta non c'è, lo dico."
    )
    st.write("Per esempio:")
    for example in EXAMPLES:
        st.button(example, on_click=_choose, args=(example,))


def _choose(question: str, choices: Choices | None = None) -> None:
    st.session_state["waiting"] = question
    if choices is not None:
        st.session_state["choices"] = choices


def _ask(
    client: Client,
    conversation: ConversationWithMessages | None,
    question: str,
    filters: Mapping[str, Sequence[Any]],
    choices: Choices,
) -> None:
    with st.chat_message("user", avatar=":material/person:"):
        st.html(question_html(question))
    with st.chat_message("assistant", avatar=":material/menu_book:"):
        work = st.status("Leggo la domanda…")
        place = st.empty()
        conversation_id = conversation.conversation.id if conversation else None
        try:
            if conversation_id is None:
                conversation_id = client.create_conversation().id
            _follow(client, conversation_id, question, filters, choices, work, place)
        except AssistantError as error:
            work.update(label=plain(error.title), state="error")
            st.error(told(str(error)))
            st.button(
                "Riprova",
                icon=":material/refresh:",
                on_click=_choose,
                args=(question, choices),
            )
            return
    st.query_params["c"] = conversation_id
    st.rerun()


def _follow(
    client: Client,
    conversation_id: str,
    question: str,
    filters: Mapping[str, Sequence[Any]],
    choices: Choices,
    work: Any,
    place: Any,
) -> None:
    """Shows stages and verified sentences as they come, until the answer is kept."""
    sentences: list[Any] = []
    citations: list[Citation] = []
    for event in client.ask(
        conversation_id, question, filters, exact=choices.exact, ignore=choices.ignore
    ):
        if isinstance(event, Stage):
            work.update(label=f"{plain(event.label)}…")
        elif isinstance(event, Sentence):
            sentences.append(event.sentence)
            citations.extend(event.citations)
            shown = sentences_html(sentences, citations, client.address)
            place.html(f'<div class="answer" lang="it">{shown}</div>')
        elif isinstance(event, Answer):
            work.update(label="Risposta pronta", state="complete")
        else:
            assert isinstance(event, MessageKept)
