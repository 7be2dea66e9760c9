"""How a text was read: told, switched off, and never broken, through service, command and API."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from assistant.api.app import create_app
from assistant.build import build_assistant, build_embedder, build_generations
from assistant.conversations import ConversationStore
from assistant.errors import UsageError
from assistant.italian.analysis import terms
from assistant.models import Filters, Pin, Understood
from assistant.retrieval.filters import parse_ignored
from assistant.retrieval.pins import understood
from assistant.retrieval.query import read_query
from assistant.retrieval.search import NO_WORDS
from assistant.service import Assistant
from assistant.settings import Settings
from ingest.pipeline import ingest
from tests.command import Computer

DISTRETTI = ("Valdoro", "Montechiaro")
LONGEST_SECONDS = 1.0
_LETTERS = random.Random(7)

HOSTILE = {
    "empty": "",
    "blanks": " \n\t ",
    "stopwords": "il lo la che di e da",
    "controls": "\x00\x01\x1b[31m anziani \x07\u202e\ud800",
    "syntax": '"AND (',
    "more syntax": 'NEAR(a b) OR * NOT "x" ^ testo:y -z',
    "one letter": "a" * 10_000,
    "words of no language": " ".join(
        "".join(_LETTERS.choices("bcdfglmnprstaeiou", k=9)) for _ in range(1000)
    ),
    "acts": "delibera 1/2017, " * 580,
    "questions": "Chi? " * 2000,
}


@pytest.fixture(scope="module")
def computer(tmp_path_factory: pytest.TempPathFactory) -> Computer:
    """An index of two districts' plans that differ in one word."""
    computer = Computer.new(tmp_path_factory.mktemp("capito"))
    folder = computer.folder / "documenti"
    folder.mkdir()
    for name in DISTRETTI:
        (folder / f"{name}.md").write_text(
            f"# Piano di zona 2018-2020 – Distretto {name}\n\n## Assistenti familiari\n\n"
            f"Il percorso partecipato del distretto {name} ha coinvolto le assistenti familiari.\n",
            "utf-8",
        )
    settings = Settings(data_dir=computer.data)
    embedder = build_embedder(settings)
    store = build_generations(settings, embedder=lambda: embedder)
    ingest([str(folder)], settings=settings, store=store, embedder=embedder)
    return computer


@pytest.fixture(scope="module")
def assistant(computer: Computer) -> Iterator[Assistant]:
    assistant = build_assistant(Settings(data_dir=computer.data), long_lived=True)
    yield assistant
    assistant.close()


@pytest.fixture(scope="module")
def client(assistant: Assistant, computer: Computer, tmp_path_factory: Any) -> TestClient:
    store = ConversationStore(tmp_path_factory.mktemp("chat") / "conversations.sqlite")
    app = create_app(assistant, Settings(data_dir=computer.data), store)
    return TestClient(app, base_url="http://127.0.0.1:8600")


def pins(text: str, *ignore: str, filters: Filters | None = None) -> dict[str, str]:
    read = understood(read_query(text, ignore=ignore), DISTRETTI, filters or Filters())
    return {f"{pin.key} {pin.value}": pin.label for pin in read.pins}


def test_what_the_words_pin_down_is_named_in_italian() -> None:
    assert pins("piano di zona di valdoro nel 2019 e 2020") == {
        "distretto Valdoro": "Valdoro",
        "anno 2019-2020": "2019-2020",
        "tipo piano_di_zona": "piano di zona",
    }
    assert pins("la delibera 1423/2017 sulla scheda n. 5") == {
        "scheda 5": "5",
        "atto dgr:1423/2017": "delibera 1423/2017",
    }
    assert pins("quali schede e quali linee guida?").keys() == {"tipo scheda", "tipo linea_guida"}
    assert pins("che cosa è stato messo in atto?") == {}
    assert pins("a Valdoro nel 2019", filters=Filters(distretto=("Montechiaro",))) == {
        "anno 2019": "2019"
    }


def test_a_pin_taken_away_is_read_as_if_it_were_not_there() -> None:
    text = "la delibera 1423/2017 e la scheda 5 del piano di zona di Valdoro nel 2019"
    assert pins(text, "distretto", "anno", "scheda", "atto", "tipo") == {}
    query = read_query(text, ignore=["atto", "tipo"])
    assert "1423" not in query.searched and "zona" not in query.searched
    assert read_query("delibera 1423/2017", ignore=["atto"]).terms
    with pytest.raises(UsageError, match="distretto, anno, scheda, atto, tipo"):
        parse_ignored(["comune"])


def test_a_search_tells_what_it_read(assistant: Assistant) -> None:
    found = assistant.search("badante nel percorso partecippato di Valdoro")
    assert "assistente familiare" in found.understood.also_searched
    assert found.understood.corrections == (("partecippato", "partecipato"),)
    assert found.understood.pins == (Pin("distretto", "Valdoro", "Valdoro"),)
    assert found.model == assistant.embedder().name
    assert assistant.search("How many places are there in the day centre?").understood.translated
    rough = assistant.search("un posto per i matti").understood.also_searched
    assert not any("matt" in word for word in rough)


def test_exactly_the_words_that_were_written_can_be_searched(assistant: Assistant) -> None:
    found = assistant.search("badante nel percorso partecippato", expand=False)
    assert found.understood == Understood(exact=True)
    answer = assistant.ask("How many places are there?", expand=False)
    assert answer.understood == Understood(exact=True)


def test_a_pin_orders_hits_until_it_is_taken_away(assistant: Assistant) -> None:
    def scores(*ignore: str) -> dict[str | None, float]:
        found = assistant.search("percorso partecipato a Montechiaro", ignore=ignore)
        return {hit.document.distretto: hit.score for hit in reversed(found.hits)}

    preferred, free = scores(), scores("distretto")
    gap = preferred["Montechiaro"] - preferred["Valdoro"]
    assert gap > free["Montechiaro"] - free["Valdoro"]


def test_the_command_tells_it_in_words_and_in_json(computer: Computer) -> None:
    question = "Chi ha coinvolto il percorso partecippato di Valdoro nel 2019?"
    lines = computer.folder / "righe.jsonl"
    lines.write_text(
        '{"question": "badante a Valdoro", "exact": true}\n'
        '{"question": "badante a Valdoro", "ignore": []}\n'
        '{"question": "badante", "ignore": ["comune"]}\n'
        '{"question": "badante", "exact": "sì"}\n'
    )
    told, as_json, batch, wrong = computer.together(
        ["ask", question],
        ["search", question, "--json", "--esatto", "--ignora", "distretto", "--ignora", "anno"],
        ["search", "--file", str(lines), "--ignora", "distretto"],
        ["search", question, "--ignora", "comune"],
    )
    assert told.out.startswith("Ho letto «partecippato» come «partecipato»\n\n")
    assert told.out.endswith(
        "Preferisco: distretto Valdoro, anno 2019 "
        "(--ignora distretto --ignora anno per non farlo)\n"
    )
    assert as_json.json["understood"] == {
        "also_searched": [], "corrections": [], "translated": "", "pins": [],
        "exact": True, "ignored": ["anno", "distretto"],
    }  # fmt: skip
    assert batch.code == 3
    exact, own, no_pin, no_switch = batch.lines
    assert exact["understood"]["exact"] and exact["understood"]["ignored"] == ["distretto"]
    assert own["understood"]["pins"] and own["understood"]["also_searched"]
    assert "ignorare" in no_pin["error"] and "true o false" in no_switch["error"]
    assert (wrong.code, wrong.out) == (2, "")
    assert "Si possono ignorare: distretto" in wrong.err


def test_the_api_takes_the_switches_and_tells_what_was_read(client: TestClient) -> None:
    query: dict[str, Any] = {"q": "badante a Valdoro"}
    told = client.get("/v1/search", params=query).json()["understood"]
    assert told["pins"] == [{"key": "distretto", "value": "Valdoro", "label": "Valdoro"}]
    assert "assistente familiare" in told["also_searched"]
    query |= {"exact": "true", "ignore": ["distretto", "anno"]}
    told = client.get("/v1/search", params=query).json()["understood"]
    assert told["exact"] and told["ignored"] == ["anno", "distretto"] and not told["pins"]
    body = {"question": "badante a Valdoro", "exact": True, "ignore": ["distretto"]}
    assert client.post("/v1/answers", json=body).json()["understood"] == {
        "also_searched": [], "corrections": [], "translated": "", "pins": [],
        "exact": True, "ignored": ["distretto"],
    }  # fmt: skip
    chat = client.post("/v1/conversations", json={}).json()["id"]
    kept = client.post(f"/v1/conversations/{chat}/messages", json=body).json()
    assert kept["answer"]["understood"]["ignored"] == ["distretto"]
    wrong = client.post("/v1/answers", json={**body, "ignore": ["comune"]})
    assert wrong.status_code == 422 and "Si possono ignorare" in wrong.json()["detail"]
    parameters = client.get("/openapi.json").json()["paths"]["/v1/search"]["get"]["parameters"]
    described = {one["name"]: one.get("description", "") for one in parameters}
    assert "come sono scritte" in described["exact"] and "distretto" in described["ignore"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_breaks_a_search_or_takes_long(
    assistant: Assistant, client: TestClient, name: str
) -> None:
    text = HOSTILE[name][:10_000]
    for expand in (True, False):
        began = time.perf_counter()
        found = assistant.search(text, expand=expand)
        assert time.perf_counter() - began < LONGEST_SECONDS
        assert found.notices == (() if found.hits or terms(text) else (NO_WORDS,))
    response = client.get("/v1/search", params={"q": text.encode(errors="replace").decode()})
    assert response.status_code == (200 if len(text) <= 2000 else 422)
    assert response.headers["content-type"].startswith("application/")


def test_the_command_takes_hostile_texts_and_too_many_filters(computer: Computer) -> None:
    lines = computer.folder / "ostili.jsonl"
    lines.write_text("".join(json.dumps({"question": t[:10_000]}) + "\n" for t in HOSTILE.values()))
    filters = [part for year in range(1000) for part in ("--filter", f"anno={1000 + year}")]
    batch, empty, many = computer.together(
        ["search", "--file", str(lines)], ["search", ""], ["search", "anziani", *filters]
    )
    assert batch.code == 0
    assert all(line["timings_ms"]["total"] < 1000 * LONGEST_SECONDS for line in batch.lines[1:])
    assert empty.out == f"Nessun passo trovato.\nNota: {NO_WORDS}\n"
    assert many.code == 2 and "Troppi valori nei filtri" in many.err


def test_the_api_refuses_too_many_filters_in_italian(client: TestClient) -> None:
    params = {"q": "anziani", "anno": [str(1000 + year) for year in range(1000)]}
    response = client.get("/v1/search", params=params)
    assert response.status_code == 422
    assert "Troppi valori nei filtri" in response.json()["detail"]
    body = {"question": "anziani", "filters": {"anno": list(range(1000, 2000))}}
    assert client.post("/v1/answers", json=body).status_code == 422
