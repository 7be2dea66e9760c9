from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from assistant.models import Answer, MessageKept, Stage
from ui.client import ApiProblemError, ApiUnreachableError, Client, Sentence
from ui.views.sidebar import SHOWN
from ui.views.stato import made_at

APP = Path(__file__).parents[1] / "ui" / "app.py"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


running = _load("running")


@pytest.fixture(scope="module")
def api(bundled_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    data_dir = tmp_path_factory.mktemp("dati") / "copia"
    shutil.copytree(bundled_data_dir, data_dir)
    with running.running_api(data_dir) as api:
        yield api


@pytest.fixture
def app(api: Any, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    st.cache_data.clear()
    monkeypatch.setattr(sys, "argv", ["app.py", f"--api={api.address}"])
    return AppTest.from_file(str(APP), default_timeout=30)


def shown(app: AppTest) -> str:
    """All the HTML and notices on the page."""
    found = [*app.main.get("html"), *app.warning, *app.error, *app.caption]
    return "\n".join(str(getattr(item, "body", None) or item.value) for item in found)


def ask(app: AppTest, question: str) -> AppTest:
    return app.chat_input[0].set_value(question).run()


def chat_of(app: AppTest) -> str:
    """The conversation in the address bar."""
    value = app.query_params["c"]
    return value if isinstance(value, str) else value[0]


def test_the_client_reads_the_stream_as_typed_events(api: Any) -> None:
    client = Client(api.address)
    chat = client.create_conversation()
    events = list(client.ask(chat.id, "Chi è il caregiver familiare?", {"tipo": ["pagina"]}))
    assert isinstance(events[0], Stage)
    assert any(isinstance(event, Sentence) for event in events)
    answer, kept = events[-2:]
    assert isinstance(answer, Answer)
    assert answer.status == "answered"
    assert isinstance(kept, MessageKept)
    for citation in answer.citations:
        page = client.page(citation.document_id, citation.page)
        assert page.text[citation.start : citation.end] == citation.quote
    whole = client.conversation(chat.id)
    assert whole.messages[0].id == kept.id
    assert whole.messages[0].answer == answer


def test_each_sentence_of_the_stream_brings_the_citations_it_needs(api: Any) -> None:
    client = Client(api.address)
    chat = client.create_conversation()
    known: set[int] = set()
    for event in client.ask(chat.id, "Chi è il caregiver familiare?", {}):
        if isinstance(event, Sentence):
            known |= {citation.n for citation in event.citations}
            assert set(event.sentence.citations) <= known
    assert known


def test_the_client_says_what_to_do_when_nothing_answers() -> None:
    with pytest.raises(ApiUnreachableError, match=r"http://127\.0\.0\.1:9 .*piano up"):
        Client("http://127.0.0.1:9").documents()


def test_the_client_says_when_another_program_answers() -> None:
    client = Client("http://127.0.0.1:1")
    client._http = httpx.Client(
        base_url="http://127.0.0.1:1",
        transport=httpx.MockTransport(lambda request: httpx.Response(200, text="<html>")),
    )
    with pytest.raises(ApiUnreachableError, match="un altro programma"):
        client.documents()


def test_the_client_repeats_the_api_s_own_words(api: Any) -> None:
    with pytest.raises(ApiProblemError, match="non esiste") as caught:
        Client(api.address).conversation("niente")
    assert caught.value.http_status == 404
    with pytest.raises(ApiProblemError, match="Filtro sconosciuto"):
        chat = Client(api.address).create_conversation()
        list(Client(api.address).ask(chat.id, "x", {"provincia": ["PC"]}))


def test_a_question_gets_sentences_and_citations_that_open(app: AppTest, api: Any) -> None:
    app.run()
    assert not app.exception
    ask(app, "Chi è il caregiver familiare?")
    assert not app.exception
    message = Client(api.address).conversation(chat_of(app)).messages[0]
    assert message.answer.status == "answered"
    page = shown(app)
    for sentence in message.answer.sentences:
        assert escape(sentence.text) in page
    assert "[1]</a></sup>" in page
    assert "<mark>" not in page
    citation = message.answer.citations[0]
    assert f"pagina {citation.page}" in next(
        box.label for box in app.expander if box.label.startswith("\\[1\\]")
    )
    app.session_state[f"citation-{message.id}-1"] = True
    app.run()
    assert f"<mark>{escape(citation.quote)}</mark>" in shown(app)


def test_a_follow_up_is_understood_from_what_came_before(app: AppTest) -> None:
    ask(app.run(), "Qual è l'ente capofila del Piano di zona del Distretto Valdoro?")
    ask(app, "e a Selvachiara?")
    assert "Ho capito: «Qual è l&#x27;ente capofila" in shown(app)


def test_silence_is_shown_as_silence(app: AppTest) -> None:
    ask(app.run(), "Qual è il numero di telefono del sindaco di Lugo?")
    page = shown(app)
    assert "Nessuna risposta nei documenti." in page
    assert "Non sono una risposta" in page
    ask(app, "   ")
    assert "Mi serve un chiarimento." in shown(app)


def test_the_address_brings_the_conversation_back_after_a_reload(app: AppTest, api: Any) -> None:
    ask(app.run(), "Che cos'è il Community Lab?")
    again = AppTest.from_file(str(APP), default_timeout=30)
    again.query_params["c"] = chat_of(app)
    again.run()
    assert "Che cos&#x27;è il Community Lab?" in shown(again)
    gone = AppTest.from_file(str(APP), default_timeout=30)
    gone.query_params["c"] = "sparita"
    gone.run()
    assert "non esiste più" in shown(gone)
    assert "c" not in gone.query_params


def test_a_conversation_is_renamed_found_and_deleted(app: AppTest, api: Any) -> None:
    ask(app.run(), "Che cosa fa l'Ufficio di piano?")
    client = Client(api.address)
    current = chat_of(app)
    app.text_input(key=f"title-{current}").set_value("La mia *ricerca*")
    next(button for button in app.button if button.label == "Rinomina").click()
    app.run()
    assert client.conversation(current).conversation.title == "La mia *ricerca*"
    app.text_input(key="search").set_value("MIA").run()
    assert [b.label for b in app.button if b.key == f"open-{current}"] == ["La mia \\*ricerca\\*"]
    app.checkbox(key=f"sure-{current}").check().run()
    next(button for button in app.button if button.label == "Elimina").click()
    app.run()
    assert "c" not in app.query_params
    with pytest.raises(ApiProblemError):
        client.conversation(current)


def test_filters_come_from_the_documents_and_reach_the_question(app: AppTest) -> None:
    app.run()
    district = app.multiselect[0]
    assert "Valdoro" in district.options
    district.set_value(["Selvachiara"]).run()
    ask(app, "Chi è il soggetto capofila del Piano di zona?")
    client = Client(sys.argv[1].removeprefix("--api="))
    answer = client.conversation(chat_of(app)).messages[0].answer
    documents = {document.id: document for document in client.documents()}
    assert answer.hits
    assert {documents[hit.document_id].distretto for hit in answer.hits} == {"Selvachiara"}
    assert "Filtri attivi: Selvachiara" in "".join(c.value for c in app.caption)


def test_a_pin_is_taken_away_or_made_a_filter(app: AppTest, api: Any) -> None:
    ask(app.run(), "Che cosa fa la badante nel distretto Valdoro?")
    client = Client(api.address)
    first = client.conversation(chat_of(app)).messages[-1]
    assert "Ho cercato anche: assistente familiare" in shown(app)
    chip = app.button(key=f"unpin-{first.id}-distretto")
    assert chip.label == "distretto: Valdoro ✕"
    chip.click().run()
    assert not app.exception
    second = client.conversation(chat_of(app)).messages[-1]
    assert second.question == first.question
    assert second.answer.understood.ignored == ("distretto",)
    assert "Senza preferenza per: distretto" in shown(app)
    assert not [button for button in app.button if (button.key or "").startswith("unpin-")]
    ask(app, "Che cosa fa la badante nel distretto Valdoro?")
    third = client.conversation(chat_of(app)).messages[-1]
    assert third.answer.understood.pins == first.answer.understood.pins
    app.button(key=f"filter-by-{third.id}-distretto").click().run()
    assert app.multiselect[0].value == ["Valdoro"]
    assert "Filtri attivi: Valdoro" in shown(app) + "".join(c.value for c in app.caption)
    documents = {document.id: document for document in client.documents()}
    hits = client.conversation(chat_of(app)).messages[-1].answer.hits
    assert {documents[hit.document_id].distretto for hit in hits} == {"Valdoro"}


def test_only_the_own_words_are_searched_until_the_switch_is_turned_back(
    app: AppTest, api: Any
) -> None:
    ask(app.run(), "Chi ha partecippato al percorso?")
    assert "Ho letto «partecippato» come «partecipato»" in shown(app)
    app.toggle[0].set_value(True).run()
    assert app.toggle[0].label == "Cerca solo le mie parole" and app.toggle[0].value
    ask(app, "Che cosa fa la badante?")
    messages = Client(api.address).conversation(chat_of(app)).messages
    assert [message.answer.understood.exact for message in messages] == [False, True, True]
    app.toggle[0].set_value(False).run()
    last = Client(api.address).conversation(chat_of(app)).messages[-1]
    assert last.question == "Che cosa fa la badante?" and not last.answer.understood.exact


def test_feedback_is_kept_with_its_message(app: AppTest, api: Any) -> None:
    ask(app.run(), "Che cos'è il Community Lab?")
    message = Client(api.address).conversation(chat_of(app)).messages[0]
    app.button(key=f"useful-{message.id}").click().run()
    assert "Grazie" in shown(app)
    metrics = httpx.get(f"{api.address}/metrics", trust_env=False).text
    assert 'piano_feedback_total{reason="utile"} 1.0' in metrics


def test_the_other_rooms_open(app: AppTest, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def room() -> None:
        import sys

        from ui.client import Client
        from ui.views import documenti, stato

        client = Client(sys.argv[1].removeprefix("--api="))
        documenti.show(client)
        stato.show(client)

    rooms = AppTest.from_function(room, default_timeout=30).run()
    assert not rooms.exception
    assert "Deliberazione dimostrativa" in shown(rooms)
    assert "documento dimostrativo" in shown(rooms)
    assert rooms.success[0].value == "Pronto a rispondere."
    assert int(rooms.metric[0].value) == len(Client(api.address).documents())


def test_a_question_asked_while_the_api_is_down_is_asked_again_when_it_is_back(
    api: Any, app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.run()
    monkeypatch.setattr(sys, "argv", ["app.py", "--api=http://127.0.0.1:9"])
    st.cache_data.clear()
    ask(app, "Che cos'è il Community Lab?")
    assert "piano up" in app.error[0].value
    monkeypatch.setattr(sys, "argv", ["app.py", f"--api={api.address}"])
    next(button for button in app.button if button.label == "Riprova").click().run()
    assert not app.exception
    message = Client(api.address).conversation(chat_of(app)).messages[0]
    assert message.question == "Che cos'è il Community Lab?"


def test_a_long_list_of_conversations_opens_by_steps(app: AppTest, api: Any) -> None:
    client = Client(api.address)
    for number in range(SHOWN + 2):
        chat = client.create_conversation()
        list(client.ask(chat.id, f"Domanda {number}: chi è il caregiver?", {}))
    client.create_conversation()
    app.run()
    assert sum((b.key or "").startswith("open-") for b in app.button) == SHOWN
    next(button for button in app.button if button.label == "Mostra altre").click().run()
    assert sum((b.key or "").startswith("open-") for b in app.button) >= SHOWN + 2


def test_the_moment_of_a_generation_is_told_in_italian() -> None:
    assert made_at("20261122T041326789115-7677d2").startswith(("22 novembre", "21 novembre"))
    assert made_at("") == ""
    assert made_at("altro") == ""


def test_without_an_api_the_page_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    st.cache_data.clear()
    monkeypatch.setattr(sys, "argv", ["app.py", "--api=http://127.0.0.1:9"])
    app = AppTest.from_file(str(APP), default_timeout=30).run()
    assert not app.exception
    assert "piano up" in app.error[0].value


def test_without_an_index_the_page_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    st.cache_data.clear()
    with running.running_api(tmp_path) as empty:
        monkeypatch.setattr(sys, "argv", ["app.py", f"--api={empty.address}"])
        app = AppTest.from_file(str(APP), default_timeout=30).run()
        assert not app.exception
        assert "piano ingest" in app.error[0].value
