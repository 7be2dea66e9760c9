from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from assistant.api.app import create_app
from assistant.api.routes.documents import file_name
from assistant.api.serve import bind
from assistant.api.shapes import Event
from assistant.conversations import ConversationStore
from assistant.errors import ChatModelError, NoIndexError, NotFoundError, UsageError
from assistant.index.entries import make_entry
from assistant.models import (
    Answer,
    AnswerHit,
    AnswerSentence,
    Citation,
    Document,
    Filters,
    Hit,
    Page,
    Passage,
    SearchResult,
    Span,
    Stage,
    Status,
)
from assistant.record_models import Field, Intervento, Record, Scheda
from assistant.schede import RecordFilters, RecordList, find
from assistant.settings import Settings
from assistant.wire import answer_json, search_json

HOSTILE = "<script>alert('x')</script> & \"virgolette\""
TEXT = f"Premessa.\nIl Distretto è lo snodo dell'integrazione. {HOSTILE}"
QUOTE = "Il Distretto è lo snodo dell'integrazione."
START = TEXT.index(QUOTE)
DOCUMENT = Document(
    id="d" * 64,
    title=f"Piano di prova {HOSTILE}",
    kind="piano",
    source="cartella/Piano di prova «finale».html",
    media_type="text/html",
    page_count=2,
    demonstration=True,
    distretto="Valdora",
    year_from=2017,
    year_to=2019,
)
SCHEDA = Scheda("s1", DOCUMENT.id, "5", "Caregiver", 1, 2, (Field("Target", "adulti", ()),))
INTERVENTO = Intervento("i1", DOCUMENT.id, "12", "Sportello", 1, 1, "Valdora", ())
RECORDS: tuple[Record, ...] = (SCHEDA, INTERVENTO)


class OnePlan:
    """One document, one answer: the sentence that holds a word of the question, or silence."""

    def __init__(self, original: Path) -> None:
        self.empty = False
        self.file = original
        self.asked: list[tuple[str, Filters, list[str]]] = []

    def _index(self) -> None:
        if self.empty:
            raise NoIndexError("Nessun indice.", remedy="Esegui `piano ingest`.")

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        filters: Filters | None = None,
        expand: bool = True,
        ignore: Sequence[str] = (),
    ) -> SearchResult:
        self._index()
        passage = Passage("p1", DOCUMENT.id, 0, TEXT, ("Obiettivi",), (Span(1, 0, len(TEXT)),))
        return SearchResult(query, (Hit(1, 2.5, passage, DOCUMENT),)[:k], "g1", {"total": 1.0})

    def stream(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[str] = (),
        expand: bool = True,
        ignore: Sequence[str] = (),
    ) -> Iterator[Event]:
        self._index()
        self.asked.append((question, filters or Filters(), list(history)))
        yield Stage("search", "Cerco nei documenti")
        if "rotto" in question:
            raise ChatModelError("Il modello non risponde.", remedy="Avvialo.")
        if "bomba" in question:
            raise ZeroDivisionError("segreto interno")
        found = "distretto" in question.lower()
        citation = Citation(
            1, DOCUMENT.id, DOCUMENT.title, "piano", "Valdora", 2017, DOCUMENT.source, 1,
            "Obiettivi", START, START + len(QUOTE), QUOTE, True,
        )  # fmt: skip
        sentence = AnswerSentence(QUOTE, "verbatim", (1,), "testuale")
        if found:
            yield citation
            yield sentence
        yield Answer(
            question, question, "answered" if found else "not_found",
            (sentence,) if found else (), (citation,) if found else (), (),
            (AnswerHit(1, DOCUMENT.id, DOCUMENT.source, 1, 2.5, "p1", DOCUMENT.title),),
            "extractive", "prova", "g1", {"total": 1.0},
        )  # fmt: skip

    def ask(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        history: Sequence[str] = (),
        expand: bool = True,
        ignore: Sequence[str] = (),
    ) -> Answer:
        *_, last = self.stream(
            question, filters=filters, history=history, expand=expand, ignore=ignore
        )
        assert isinstance(last, Answer)
        return last

    def documents(self) -> list[Document]:
        self._index()
        return [DOCUMENT]

    def document(self, document_id: str) -> Document:
        if document_id != DOCUMENT.id:
            raise NotFoundError("Il documento non esiste.", remedy="Vedi /v1/documents.")
        return DOCUMENT

    def page(self, document_id: str, number: int) -> Page:
        if not 1 <= number <= 2:
            raise NotFoundError(f"La pagina {number} non esiste.")
        return Page(document_id, number, TEXT if number == 1 else "", "i" * number)

    def schede(self) -> list[Scheda]:
        return [SCHEDA]

    def interventi(self) -> list[Intervento]:
        return [INTERVENTO]

    def list_records(
        self, filters: RecordFilters, *, offset: int = 0, limit: int | None = None
    ) -> RecordList:
        known = {record.id: record for record in RECORDS}
        found = find([make_entry(record, DOCUMENT) for record in RECORDS], filters)
        part = found[offset:] if limit is None else found[offset : offset + limit]
        return RecordList(len(found), part, [known[entry.id] for entry in part])

    def record(self, identity: str) -> Record:
        for record in RECORDS:
            if record.id == identity:
                return record
        raise NotFoundError("Non c'è.")

    def status(self) -> Status:
        return Status(None if self.empty else "g1", 1, 2, 1, 1, 1, "prova", None, "data", 10)

    def original(self, document_id: str) -> Path:
        return self.file

    def ready(self) -> bool:
        return not self.empty

    def close(self) -> None:
        pass


@pytest.fixture
def plan(tmp_path: Path) -> OnePlan:
    original = tmp_path / ("a" * 64 + ".html")
    original.write_text("<script>alert(1)</script>", encoding="utf-8")
    return OnePlan(original)


@pytest.fixture
def client(plan: OnePlan, tmp_path: Path) -> Iterator[TestClient]:
    store = ConversationStore(tmp_path / "conversations.sqlite")
    app = create_app(plan, Settings(data_dir=tmp_path), store)
    with TestClient(app, base_url="http://localhost:8600", raise_server_exceptions=False) as client:
        yield client


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        found.append((fields["event"], json.loads(fields["data"])))
    return found


SSE = {"Accept": "text/event-stream"}


def test_an_answer_is_the_contract_s_object(client: TestClient, plan: OnePlan) -> None:
    response = client.post("/v1/answers", json={"question": "Cos'è il distretto?"})
    assert response.status_code == 200
    expected = json.loads(json.dumps(answer_json(plan.ask("Cos'è il distretto?"))))
    assert response.json() == expected
    assert TypeAdapter(Answer).validate_json(response.content) == plan.ask("Cos'è il distretto?")


def test_filters_and_history_reach_the_service(client: TestClient, plan: OnePlan) -> None:
    body = {
        "question": "e qui?",
        "filters": {"distretto": "Valdora", "anno": [2018, 2019], "tipo": "piano_di_zona"},
        "history": ["Cos'è il distretto?"],
    }
    assert client.post("/v1/answers", json=body).status_code == 200
    filters = Filters(distretto=("Valdora",), year=(2018, 2019), kind=("piano_di_zona",))
    assert plan.asked == [("e qui?", filters, ["Cos'è il distretto?"])]


def test_a_stream_tells_stages_then_sentences_with_citations_then_the_answer(
    client: TestClient,
) -> None:
    response = client.post("/v1/answers", json={"question": "Il distretto?"}, headers=SSE)
    assert response.headers["content-type"].startswith("text/event-stream")
    (stage, sentence, answer) = events(response.text)
    assert stage == ("stage", {"name": "search", "label": "Cerco nei documenti"})
    assert sentence[0] == "sentence"
    assert sentence[1]["sentence"]["citations"] == [1]
    assert sentence[1]["citations"][0]["quote"] == QUOTE
    assert answer[0] == "answer"
    assert answer[1]["citations"] == sentence[1]["citations"]


@pytest.mark.parametrize(
    ("question", "status", "detail"),
    [
        ("è rotto", 502, "Il modello non risponde. Avvialo."),
        ("una bomba", 500, "Si è verificato un errore imprevisto"),
    ],
)
def test_an_error_in_mid_stream_is_an_error_event(
    client: TestClient, question: str, status: int, detail: str
) -> None:
    response = client.post("/v1/answers", json={"question": question}, headers=SSE)
    kind, problem = events(response.text)[-1]
    assert kind == "error"
    assert problem["status"] == status
    assert problem["detail"].startswith(detail)
    assert "segreto" not in response.text


def test_an_unexpected_error_tells_nothing_of_the_inside(client: TestClient) -> None:
    response = client.post("/v1/answers", json={"question": "una bomba"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "segreto" not in response.text
    assert "Traceback" not in response.text


def test_without_an_index_every_answer_names_the_remedy(client: TestClient, plan: OnePlan) -> None:
    plan.empty = True
    for response in (
        client.get("/ready"),
        client.post("/v1/answers", json={"question": "Il distretto?"}),
        client.get("/v1/documents"),
        client.get("/v1/search", params={"q": "x"}),
    ):
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert "piano ingest" in response.json()["detail"]
    streamed = client.post("/v1/answers", json={"question": "Il distretto?"}, headers=SSE)
    assert events(streamed.text)[-1][1]["status"] == 503
    assert client.get("/health").status_code == 200
    assert client.get("/v1/status").json()["generation"] is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "«question» è obbligatorio"),
        ({"question": 5}, "«question» deve essere un testo"),
        ({"question": "a" * 2001}, "«question» è troppo lungo: al massimo 2000 caratteri"),
        ({"question": "x", "filtri": {}}, "«filtri» non è previsto"),
        ({"question": "x", "filters": []}, "«filters» deve essere un oggetto JSON"),
        ({"question": "x", "filters": {"provincia": "PC"}}, "Filtro sconosciuto: 'provincia'"),
        ({"question": "x", "filters": {"anno": "duemila"}}, "L'anno 'duemila' non è valido"),
        ({"question": "x", "history": ["a"] * 51}, "«history» ha troppi elementi"),
        ({"question": "x", "history": "a"}, "«history» deve essere un elenco"),
        (
            {"question": "x", "history": ["a"], "conversation_id": "c"},
            "sia «history» sia «conversation_id»",
        ),
    ],
)
def test_a_wrong_request_is_told_in_italian_with_the_field(
    client: TestClient, body: dict[str, Any], said: str
) -> None:
    response = client.post("/v1/answers", json=body)
    assert response.status_code == 422
    assert said in response.json()["detail"]
    assert response.json()["instance"] == "/v1/answers"


def test_bytes_that_are_no_json_are_refused(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    for content in (b"{", b"\xff\xfe", b"[" * 50_000, b'{"question": "\\ud800"}'):
        response = client.post("/v1/answers", content=content, headers=headers)
        assert response.status_code in (400, 422), content[:20]
        assert response.headers["content-type"] == "application/problem+json"


def test_a_form_from_another_page_is_not_taken_as_json(client: TestClient) -> None:
    text = client.post(
        "/v1/conversations", content=b'{"title": "x"}', headers={"Content-Type": "text/plain"}
    )
    assert text.status_code == 415
    assert "application/json" in text.json()["detail"]
    cross = client.post("/v1/conversations", json={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403
    for origin in ("http://spia.example", "null", "http://127.0.0.1.spia.example:80"):
        foreign = client.post("/v1/conversations", json={}, headers={"Origin": origin})
        assert foreign.status_code == 403, origin
    assert client.get("/v1/conversations").json() == []
    ours = client.post("/v1/conversations", json={}, headers={"Origin": "http://localhost:8601"})
    assert ours.status_code == 201


def test_a_body_beyond_the_limit_is_refused(client: TestClient) -> None:
    response = client.post("/v1/answers", json={"question": "x", "history": ["a" * 1900] * 40})
    assert response.status_code == 413
    assert "64 kB" in response.json()["detail"]
    without_length = client.post(
        "/v1/answers",
        content=(b" " * 10_000 for _ in range(10)),
        headers={"Content-Type": "application/json"},
    )
    assert without_length.status_code == 413


def test_unknown_routes_and_methods_are_problems(client: TestClient) -> None:
    missing, wrong = client.get("/v1/niente"), client.delete("/v1/answers")
    assert (missing.status_code, wrong.status_code) == (404, 405)
    for response in (missing, wrong):
        assert response.headers["content-type"] == "application/problem+json"
        assert set(response.json()) >= {"type", "title", "status", "detail", "instance"}


@pytest.mark.parametrize("host", ["cattivo.example", "localhost.cattivo.example", "", "a:b:c"])
def test_a_foreign_host_name_is_refused(client: TestClient, host: str) -> None:
    response = client.get("/v1/documents", headers={"Host": host})
    assert response.status_code == 421
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8600", "[::1]:8600", "LOCALHOST:1"])
def test_this_machine_s_names_are_taken(client: TestClient, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


def test_search_has_the_contract_s_shape(client: TestClient, plan: OnePlan) -> None:
    response = client.get("/v1/search", params={"q": "snodo", "k": 3, "distretto": ["A", "B"]})
    assert response.json() == json.loads(json.dumps(search_json(plan.search("snodo"))))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("k=3", "«q» è obbligatorio"),
        ("q=x&k=0", "«k» deve essere almeno 1"),
        ("q=x&k=tre", "«k» deve essere un numero intero"),
        ("q=x&distreto=Lugo", "«distreto» non è previsto"),
        ("q=x&anno=19", "L'anno '19' non è valido"),
    ],
)
def test_a_wrong_search_is_told_and_never_searched_without_its_filter(
    client: TestClient, query: str, said: str
) -> None:
    response = client.get(f"/v1/search?{query}")
    assert response.status_code == 422
    assert said in response.json()["detail"]


def test_documents_pages_and_records(client: TestClient) -> None:
    assert client.get("/v1/documents").json()[0]["id"] == DOCUMENT.id
    page = client.get(f"/v1/documents/{DOCUMENT.id}/pages/1").json()
    assert page["text"][START : START + len(QUOTE)] == QUOTE
    assert (page["label"], page["previous"], page["next"]) == ("i", None, 2)
    last = client.get(f"/v1/documents/{DOCUMENT.id}/pages/2").json()
    assert (last["previous"], last["next"]) == (1, None)
    assert client.get(f"/v1/documents/{DOCUMENT.id}/pages/3").status_code == 404
    assert client.get(f"/v1/documents/{DOCUMENT.id}/pages/tre").status_code == 422
    assert client.get("/v1/documents/altro").status_code == 404
    assert client.get("/v1/schede/s1").json()["fields"][0]["text"] == "adulti"
    assert client.get("/v1/schede/s2").status_code == 404
    assert len(client.get("/v1/interventi", params={"distretto": "VALDORA"}).json()) == 1
    assert client.get("/v1/interventi", params={"distretto": "Altrove"}).json() == []
    assert client.get("/v1/interventi/i1").json()["number"] == "12"
    assert client.get("/v1/interventi/s1").status_code == 404
    assert client.get("/v1/schede/i1").status_code == 404


def test_lists_of_records_are_counted_and_parted(client: TestClient) -> None:
    whole = client.get("/v1/interventi", params={"anno": "2018"})
    assert (len(whole.json()), whole.headers["x-total-count"]) == (1, "1")
    beyond = client.get("/v1/interventi", params={"limit": 1, "offset": 1})
    assert (beyond.json(), beyond.headers["x-total-count"]) == ([], "1")
    for wrong in ({"limit": 0}, {"limit": 5001}, {"offset": -1}, {"anno": "x"}, {"colore": "blu"}):
        assert client.get("/v1/interventi", params=wrong).status_code == 422, wrong
    assert client.get("/v1/schede", params={"scheda": "5"}).status_code == 422


def test_an_html_original_is_only_ever_a_download(client: TestClient) -> None:
    response = client.get(f"/v1/documents/{DOCUMENT.id}/original")
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"].startswith("attachment")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ('a"b\r\nSet-Cookie: x.pdf', "a_b_Set-Cookie_ x.pdf"),
        ("https://example.org/atti/Piano%20di%20zona.html?x=/y", "Piano di zona.pdf"),
        ("...", "documento.pdf"),
        ("x" * 500 + ".pdf", "x" * 100 + ".pdf"),
    ],
)
def test_a_download_s_name_is_safe(source: str, name: str) -> None:
    assert file_name(source, Path("0.pdf")) == name


def test_the_printable_page_marks_the_quote_and_escapes_the_rest(client: TestClient) -> None:
    address = f"/documenti/{DOCUMENT.id}/pagine/1?start={START}&end={START + len(QUOTE)}"
    page = client.get(address)
    assert page.headers["content-type"].startswith("text/html")
    assert '<html lang="it">' in page.text
    assert (
        '<mark id="citazione">Il Distretto è lo snodo dell&#x27;integrazione.</mark>' in page.text
    )
    assert "<script" not in page.text
    assert "Documento dimostrativo" in page.text
    assert "Pagina 1 di 2 (numero stampato: i)" in page.text
    assert f"/documenti/{DOCUMENT.id}/pagine/2" in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("offsets", ["start=5&end=4", "start=0&end=99999", "start=3", "end=3"])
def test_a_link_to_words_that_are_not_there_says_so(client: TestClient, offsets: str) -> None:
    page = client.get(f"/documenti/{DOCUMENT.id}/pagine/1?{offsets}")
    assert page.status_code == 200
    assert "<mark" not in page.text
    assert "parole che in questa pagina non ci sono" in page.text


def test_a_dead_link_shows_a_page_to_a_browser(client: TestClient) -> None:
    address = "/documenti/sparito/pagine/1"
    browser = client.get(address, headers={"Accept": "text/html"})
    assert browser.status_code == 404
    assert "Il documento non esiste. Vedi /v1/documents." in browser.text
    assert client.get(address, headers={"Accept": "*/*"}).json()["status"] == 404


def test_a_conversation_lends_its_questions_and_keeps_the_answers(
    client: TestClient, plan: OnePlan
) -> None:
    chat = client.post("/v1/conversations", json={}).json()
    address = f"/v1/conversations/{chat['id']}"
    first = client.post(f"{address}/messages", json={"question": "Cos'è il distretto?"})
    assert first.status_code == 201
    streamed = client.post(f"{address}/messages", json={"question": "e qui?"}, headers=SSE)
    kinds = [kind for kind, _ in events(streamed.text)]
    assert kinds == ["stage", "answer", "message"]
    assert plan.asked[-1][2] == ["Cos'è il distretto?"]
    client.post("/v1/answers", json={"question": "ancora?", "conversation_id": chat["id"]})
    assert plan.asked[-1][2] == ["Cos'è il distretto?", "e qui?"]

    whole = client.get(address).json()
    assert whole["conversation"]["title"] == "Cos'è il distretto?"
    assert [m["answer"]["question"] for m in whole["messages"]] == ["Cos'è il distretto?", "e qui?"]
    assert whole["messages"][1]["id"] == events(streamed.text)[-1][1]["id"]

    given = {"message_id": first.json()["id"], "reason": "pagina_sbagliata", "comment": "è la 3"}
    assert client.post("/v1/feedback", json=given).status_code == 201
    assert client.post("/v1/feedback", json={**given, "reason": "boh"}).status_code == 422
    assert client.post("/v1/feedback", json={**given, "message_id": "x"}).status_code == 404

    assert client.patch(address, json={"title": "Distretti"}).json()["title"] == "Distretti"
    assert client.patch(address, json={"title": "  "}).status_code == 422
    assert [c["title"] for c in client.get("/v1/conversations?q=DISTRETTI").json()] == ["Distretti"]
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_an_unknown_conversation_is_told_in_both_forms(client: TestClient) -> None:
    address, body = "/v1/conversations/niente/messages", {"question": "x"}
    assert client.post(address, json=body).status_code == 404
    assert client.post(address, json=body, headers=SSE).status_code == 404


def test_what_is_wrong_with_a_question_is_told_before_the_stream_begins(
    client: TestClient,
) -> None:
    body = {"question": "x", "filters": {"provincia": "PC"}}
    response = client.post("/v1/answers", json=body, headers=SSE)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert "Filtro sconosciuto" in response.json()["detail"]


def test_records_and_documents_are_filtered_and_unknown_filters_refused(
    client: TestClient,
) -> None:
    for address in ("/v1/documents", "/v1/schede", "/v1/interventi", "/v1/conversations"):
        refused = client.get(address, params={"provincia": "PC"})
        assert refused.status_code == 422, address
        assert "«provincia» non è previsto" in refused.json()["detail"]
    everything = client.get("/v1/documents").json()
    assert [d["id"] for d in everything] == [DOCUMENT.id]
    for given, found in (
        ({"tipo": DOCUMENT.kind}, 1),
        ({"tipo": "atto"}, 0),
        ({"anno": ["2018", "2030"]}, 1),
        ({"anno": "1900"}, 0),
        ({"distretto": "VALDORA"}, 1),
        ({"distretto": "Altrove"}, 0),
        ({"stato": "in vigore"}, 1),
        ({"stato": ["in vigore", "superato"]}, 1),
        ({"stato": "superato"}, 0),
    ):
        assert len(client.get("/v1/documents", params=given).json()) == found, given
    assert client.get("/v1/documents", params={"tipo": "boh"}).status_code == 422
    assert client.get("/v1/search", params={"q": "x", "stato": "boh"}).status_code == 422
    schede = client.get("/v1/schede").json()
    assert schede
    word = schede[0]["title"].split()[0].upper()
    assert schede[0] in client.get("/v1/schede", params={"q": word}).json()
    assert client.get("/v1/schede", params={"q": "zzz"}).json() == []
    assert client.get("/v1/schede", params={"documento": "altro"}).json() == []


def test_head_answers_as_get_without_a_body(client: TestClient) -> None:
    assert client.head("/health").status_code == 200
    assert client.head("/v1/documents/niente").status_code == 404


def test_broken_json_is_told_without_a_made_up_field(client: TestClient) -> None:
    response = client.post(
        "/v1/answers", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 422
    assert "«corpo della richiesta» non è JSON valido" in response.json()["detail"]


def test_a_failed_stream_keeps_nothing(client: TestClient) -> None:
    chat = client.post("/v1/conversations", json={}).json()["id"]
    client.post(f"/v1/conversations/{chat}/messages", json={"question": "è rotto"}, headers=SSE)
    assert client.get(f"/v1/conversations/{chat}").json()["messages"] == []


def test_metrics_count_routes_not_addresses(client: TestClient) -> None:
    client.get(f"/v1/documents/{DOCUMENT.id}")
    client.get("/v1/casuale-123")
    client.post("/v1/answers", json={"question": "Il distretto?"})
    text = client.get("/metrics").text
    assert 'route="/v1/documents/{document_id}"' in text
    assert "casuale" not in text
    assert 'piano_answers_total{mode="extractive",status="answered"} 1.0' in text


def test_openapi_describes_every_resource_and_no_page_loads_from_outside(
    client: TestClient,
) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/v1/answers", "/v1/search", "/v1/schede", "/v1/conversations", "/ready"} <= set(paths)
    assert "text/event-stream" in paths["/v1/answers"]["post"]["responses"]["200"]["content"]
    home = client.get("/docs")
    assert "/v1/documents/{document_id}" in home.text
    assert "https://" not in home.text


def test_a_taken_port_is_told_with_its_remedy() -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"La porta {port} .* PIANO_API_PORT"):
            bind("127.0.0.1", port)


def test_the_api_starts_fast_and_loads_no_model() -> None:
    script = (
        "import sys; import assistant.api.serve;"
        "heavy = {'torch', 'sentence_transformers', 'langchain', 'langchain_core', 'streamlit'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert time.perf_counter() - started < 10  # a loaded machine; alone it takes one second
