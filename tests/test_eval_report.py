"""The page that a run becomes: whole, escaped, readable without a network, a script or a mouse."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from assistant.errors import NotFoundError
from assistant.models import Answer, AnswerHit, Document, Filters, Page, Quote
from assistant.settings import Settings
from eval.cases import load_cases
from eval.report import html, markdown
from eval.report.markup import anchor, esc
from eval.report.questions import entries, marked
from eval.run import Run, describe, read_run, run
from eval.score import Scores, score
from eval.worlds import only

CHROMIUM = shutil.which("chromium")
HOSTILE = '<script>alert("x")</script><img src=http://127.0.0.1:1/x>'
VOID = {"meta", "br", "wbr", "line", "rect", "img", "link", "input"}


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        f"shared_{name}", Path(__file__).with_name(f"{name}.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fakes = _load("test_eval_run")
LONG = "Vale poco. " * 300 + "La scheda 99 <b>riguarda</b> tutti & nessuno. " + "Fine. " * 600


class HostileLibrary(fakes.AlwaysAnswers):  # type: ignore[misc]
    """Documents whose title and text are markup; a long page too."""

    def documents(self) -> list[Document]:
        return [replace(fakes.DOCUMENT, title=f"Piano {HOSTILE}", source="corpus/piano.pdf")]

    def page(self, document_id: str, number: int) -> Page:
        if document_id != "abc":
            raise NotFoundError("Pagina assente.")
        if number == 3:
            return Page("abc", 3, LONG)
        page: Page = super().page(document_id, number)
        return Page("abc", number, f"{page.text}\r\n{HOSTILE} fine.")

    def ask(
        self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
    ) -> Answer:
        if "tutti" in question:
            start = LONG.index("La scheda 99")
            end = LONG.index("Fine.") - 1
            return fakes.answer(question, Quote("abc", 3, start, end, LONG[start:end]))  # type: ignore[no-any-return]
        if "partita" in question:
            raise ValueError(f"rotto {HOSTILE}")
        found: Answer = super().ask(question, filters=filters, history=history)
        hit = AnswerHit(1, "abc", "corpus/piano.pdf", 2, 1.5 + len(question) / 100, "p2")
        return replace(found, hits=(hit,), notices=(f"Attenzione {HOSTILE}",))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Scores]:
    folder = tmp_path_factory.mktemp("run")
    records = fakes.golden_records()
    records[1]["question"] += HOSTILE
    records += [
        {
            "id": "strana domanda/1",
            "question": "vale per tutti?",
            "group": "formatore",
            "category": f"prova {HOSTILE}",
            "answerable": True,
            "evidence": [[{"document": "piano.pdf", "page": 3, "quote": "La scheda 99"}]],
            "nuggets": [{"forms": ["scheda 99"]}],
        },
        {"id": "op-01-a", "question": "CHI ASSISTE UN FAMILIARE HA UNA SCHEDA?"}
        | {"group": "operatore", "category": "prova", "answerable": True}
        | {"variant_of": "op-01", "change": "maiuscole"},
    ]
    golden = folder / "domande.jsonl"
    golden.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    system = HostileLibrary()
    run(only(system), load_cases(golden), folder / "run", describe(Settings(), golden))
    return read_run(folder / "run"), score(read_run(folder / "run"))


@dataclass(frozen=True)
class Compared:
    metric: str
    n: int
    difference: float | None
    low: float | None
    high: float | None
    p_holm: float
    verdict: str
    got_better: tuple[str, ...]
    got_worse: tuple[str, ...]


@dataclass(frozen=True)
class Gated:
    gate: str
    passed: bool
    found: str
    wanted: str
    why: str = ""
    questions: tuple[str, ...] = ()


COMPARED = Compared(
    "nugget_recall", 3, -0.25, -0.5, -0.05, 0.01, "worse", ("op-01",), ("op-02", "sparita")
)
GATES = (
    Gated("quote_integrity: giusta in ogni domanda", True, "5 su 5", "100%"),
    Gated(
        f"abstention_recall {HOSTILE}", False, "0%", "almeno 90%", "2 domande", ("no-02", "sparita")
    ),
)
BASELINE = {"op-02": {"nugget_recall": 1.0}, "op-01": {"nugget_recall": 0.0}, "sparita": {"x": 1.0}}


@pytest.fixture(scope="module")
def page_text(made: tuple[Run, Scores]) -> str:
    return html(
        *made,
        baseline=BASELINE,
        comparisons=(COMPARED,),
        gates=GATES,
        peers_table="| misura | piano | <b>altro</b> |\n| --- | ---: | ---: |\n| x | 1 | 2 |\n",
    )


class Reader(HTMLParser):
    """Tags in order, the text of every `mark`, and that everything opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.marks: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "mark":
            self.marks.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open[-1:] == ["mark"]:
            self.marks[-1] += data


@pytest.fixture(scope="module")
def reader(page_text: str) -> Reader:
    found = Reader()
    found.feed(page_text)
    found.close()
    assert found.open == [], "a tag was left open"
    return found


def test_words_of_questions_and_documents_never_become_markup(
    page_text: str, reader: Reader
) -> None:
    assert not {"script", "img", "b:x"} & {tag for tag, _ in reader.tags}
    assert "<script" not in page_text
    assert page_text.count("&lt;script&gt;") > 5, "title, question, page, notice, error, gate"
    assert "rotto &lt;script" in page_text
    assert "Attenzione &lt;script" in page_text
    assert '<th scope="col">&lt;b&gt;altro' in page_text


def test_nothing_is_fetched_and_nothing_may_be(page_text: str, reader: Reader) -> None:
    for tag, attributes in reader.tags:
        assert tag not in {"link", "iframe", "object", "embed", "form", "base"}
        assert not attributes.get("src")
        assert (attributes.get("href") or "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"""<[^>]*\b(?:src|href)\s*=\s*["']?(?:https?:)?//""", page_text)
    assert "@import" not in page_text
    [policy] = [a["content"] for _, a in reader.tags if "http-equiv" in a]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_ids_are_unique_and_every_link_leads_somewhere(reader: Reader) -> None:
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in reader.tags:
        if href := attributes.get("href"):
            assert href[1:] in ids, href
    assert anchor("op-01") == "q-op-01"
    assert anchor("strana domanda/1") in ids


def test_headings_come_in_order_and_tables_say_what_they_hold(reader: Reader) -> None:
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    for before, after in pairwise(levels):
        assert after <= before + 1, "a level was skipped"
    tags = [tag for tag, _ in reader.tags]
    assert tags.count("caption") == tags.count("table") > 5
    assert all(attributes.get("scope") for tag, attributes in reader.tags if tag == "th")
    drawn = [attributes for tag, attributes in reader.tags if tag == "svg"]
    assert len(drawn) >= 3
    assert all(a["role"] == "img" and a["aria-labelledby"] for a in drawn)
    assert tags.count("desc") == len(drawn)
    assert ("html", {"lang": "it"}) in reader.tags


def test_every_quote_is_marked_as_it_stands_on_its_page(
    made: tuple[Run, Scores], reader: Reader
) -> None:
    found, _ = made
    told = [
        found.pages[citation.document_id, citation.page].text[citation.start : citation.end]
        for outcome in found.outcomes
        if outcome.gold.case.id != "op-01-a"  # went as its original: one line there
        for citation in outcome.answer.citations
    ]
    assert len(told) == 4
    assert sorted(reader.marks) == sorted(told)


def test_a_long_page_is_cut_far_from_the_quote() -> None:
    start = LONG.index("La scheda 99")
    text = marked(LONG, [(start, start + 12, "[1]")])
    assert text.count("[…]") == 2
    assert "<mark>La scheda 99</mark><sup>[1]</sup> &lt;b&gt;riguarda" in text
    assert len(text) < 1700
    whole = marked("abc\rdef", [(0, 2, ""), (4, 7, "[2]")])
    assert "<mark>ab</mark>c&#13;<mark>def</mark><sup>[2]</sup>" in whole
    assert "[…]" not in whole
    two = marked(LONG, [(0, 4, ""), (start, start + 12, "")])
    assert two.count("<mark>") == 2
    assert two.count("[…]") == 2, "between them and at the end"


def test_a_quote_that_is_not_on_its_page_is_told(tmp_path: Path) -> None:
    class Wrong(fakes.AlwaysAnswers):  # type: ignore[misc]
        def ask(
            self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
        ) -> Answer:
            absent = Quote("abc", 9, 0, 5, "Piano")
            changed = Quote("abc", 1, 0, 5, "Pieno")
            beyond = Quote("abc", 2, 0, 9000, "Fuori")
            return fakes.answer(question, absent, changed, beyond)  # type: ignore[no-any-return]

    golden = tmp_path / "domande.jsonl"
    golden.write_text("\n".join(map(json.dumps, fakes.golden_records())), encoding="utf-8")
    folder = run(only(Wrong()), load_cases(golden), tmp_path / "run", describe(Settings(), golden))
    text = html(read_run(folder), score(read_run(folder)))
    assert "questa pagina non c&#x27;è" in text or "questa pagina non c'è" in text
    assert "La citazione non è uguale alla pagina: <q>Pieno</q>" in text
    assert "questa posizione non c'è" in text


def test_a_variant_that_went_as_its_original_is_one_line_there(
    made: tuple[Run, Scores], page_text: str
) -> None:
    found, scores = made
    kept = entries(found.outcomes, scores.values(), BASELINE)
    assert "op-01-a" not in {one.id for one in kept}
    [original] = [one for one in kept if one.id == "op-01"]
    assert [one.gold.case.id for one in original.followers] == ["op-01-a"]
    assert original.words == ("a posto", "migliorata")
    wrong = [bool(one.faults) for one in kept]
    assert wrong == sorted(wrong, reverse=True), "those that went wrong come first"
    assert "Varianti andate allo stesso modo" in page_text
    assert 'id="q-op-01-a"' not in page_text


def test_a_question_tells_what_was_expected_and_what_moved(page_text: str) -> None:
    body = page_text.split('id="q-op-02"')[1].split("</details>")[0]
    assert "<b>Non detta</b> (indispensabile): 400 euro" in body
    assert "100,0% (−100,0, peggio)" in body
    assert "risposta incompleta o sbagliata" in body
    assert "fra le pagine trovate" in body
    body = page_text.split('id="q-op-01"')[1].split("</details>")[0]
    assert "<b>Vietata, non detta</b>: scheda 6" in body


def test_the_scorecard_tells_gates_differences_and_how_many_failures_there_may_be(
    page_text: str,
) -> None:
    assert "Criteri non rispettati: 1 su 2." in page_text
    first, second = (page_text.index(word) for word in (">non rispettato<", ">rispettato<"))
    assert first < second
    assert "−25,0 (da −50,0 a −5,0): peggiora" in page_text
    assert re.search(r"errori: 0 su \d+: al massimo \d+,\d%", page_text)
    assert '<a href="#q-no-02">no-02</a>, sparita' in page_text


def test_a_run_without_a_baseline_gates_or_answers_is_a_page_too(tmp_path: Path) -> None:
    golden = tmp_path / "domande.jsonl"
    golden.write_text("\n".join(map(json.dumps, fakes.golden_records())), encoding="utf-8")
    system = fakes.AlwaysRefuses()
    folder = run(only(system), load_cases(golden), tmp_path / "run", describe(Settings(), golden))
    text = html(read_run(folder), score(read_run(folder)))
    assert "rispetto al riferimento" not in text
    assert "Criteri di accettazione" not in text


def test_what_html_cannot_hold_is_replaced() -> None:
    assert esc("a\x00\ud800b\r\"'") == "a\ufffd\ufffdb&#13;&quot;&#x27;"


def test_the_summary_of_a_pull_request_is_short_and_starts_with_what_failed(
    made: tuple[Run, Scores],
) -> None:
    found, scores = made
    many = tuple(f"d-{n}" for n in range(300))
    compared = (replace(COMPARED, got_worse=("op-02", *many), got_better=many),)
    gates = [Gated(f"criterio {n}", False, "0%", "1%", "male") for n in range(40)]
    text = markdown(scores, found.outcomes, found.config, comparisons=compared, gates=gates)
    short, folded = text.split("<details>")
    assert short.count("\n") <= 60
    assert "**Criteri non rispettati: 40 su 40.**" in short
    assert "e altri 30" in short
    assert short.index("criterio 0") < short.index("| nugget_recall |")
    assert "−25,0 (da −50,0 a −5,0): peggiora" in short
    assert "**Peggiorate: 301**" in short
    assert "op-02 «quanti euro" in short
    assert "<script" not in text
    assert "## Da guardare" in folded


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    arguments = _load("test_browser").ARGUMENTS
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("profilo")),
            executable_path=CHROMIUM,
            env={**os.environ, "HOME": str(tmp_path_factory.mktemp("casa-del-browser"))},
            args=arguments,
            locale="it-IT",
            viewport={"width": 1200, "height": 900},
        )
        yield browser
        browser.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_shows_it_without_a_request_or_a_complaint(
    browser: Any, page_text: str, tmp_path: Path
) -> None:
    path = tmp_path / "rapporto.html"
    path.write_text(page_text, encoding="utf-8")
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    assert asked == [path.as_uri()]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Vai al contenuto"

    body = page.locator("#q-op-02")
    assert not body.is_visible()
    page.locator("details.question summary", has_text="op-02").click()
    body.wait_for(state="visible")
    assert body.locator("mark").first.inner_text() == fakes.PAGES[2].split(" Vale")[0]
    page.goto(f"{path.as_uri()}#q-op-01")
    page.locator("#q-op-01").wait_for(state="visible")  # a link opens what it leads to

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    printed = page.pdf()
    assert printed.startswith(b"%PDF")
    page.emulate_media(media="print")
    closed = page.locator("details.question:not([open]) .body").first
    assert closed.evaluate("element => element.getBoundingClientRect().height") > 100
    page.close()
    assert said == []
    assert [address for address in asked if not address.startswith("file:")] == []
