"""The HTML report of a run: true, escaped, self-contained, opened in a real browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assistant.models import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    Filters,
    Hit,
    Page,
    Passage,
    SearchResult,
    Span,
)
from assistant.settings import Settings
from eval.cases import Case, GoldQuote, Nugget
from eval.compare import compare
from eval.gates import GateResult
from eval.metrics import METRICS
from eval.report import html
from eval.run import describe, read_run, run
from eval.score import score
from eval.worlds import only

CHROMIUM = shutil.which("chromium")
HOSTILE = "<script>document.title='preso'</script><img src=http://example.org/x onerror=alert(1)>"
TEXT = f"Prima frase. {HOSTILE} La retta è di 28 euro al giorno. " + "Altro testo. " * 300
QUOTE = "La retta è di 28 euro al giorno."
START = TEXT.index(QUOTE)
DOCUMENT = Document("d1", f"Titolo {HOSTILE}", "piano", "rette.html", "text/html", 1)


class Shelf:
    """One hostile page; every question gets its one sentence, but for those about the weather."""

    def documents(self) -> list[Document]:
        return [DOCUMENT]

    def page(self, document_id: str, number: int) -> Page:
        return Page("d1", 1, TEXT)

    def search(self, query: str, *, k: int = 10, filters: Filters | None = None) -> SearchResult:
        passage = Passage("p1", "d1", 0, TEXT, (), (Span(1, 0, len(TEXT)),))
        return SearchResult(query, (Hit(1, 1.0, passage, DOCUMENT),), "g1")

    def ask(
        self, question: str, *, filters: Filters | None = None, history: Sequence[str] = ()
    ) -> Answer:
        silent = "tempo" in question.lower()
        end = START + len(QUOTE)
        citation = Citation(
            1, "d1", DOCUMENT.title, "piano", None, 2018, "rette.html", 1, "", START, end, QUOTE
        )
        return Answer(
            question=question,
            understood_as=question,
            status="not_found" if silent else "answered",
            sentences=() if silent else (AnswerSentence(QUOTE, "verbatim", (1,)),),
            citations=() if silent else (citation,),
            notices=(HOSTILE,),
            hits=(),
            mode="extractive",
            model="",
            generation="g1",
        )


RIGHT = Case(
    id="op-01",
    question=f"quanto si paga al giorno? {HOSTILE}",
    group="operatore",
    category="fatto",
    answerable=True,
    evidence=((GoldQuote("rette.html", 1, QUOTE),),),
    nuggets=(Nugget(("28 euro",)), Nugget(("compresi i pasti",), vital=False)),
)
CASES = [
    RIGHT,
    replace(RIGHT, id="op-02", question="quanto costa di notte?", nuggets=(Nugget(("30 euro",)),)),
    replace(
        RIGHT, id="op-01~maiuscole", question="CHE TEMPO", variant_of="op-01", change="maiuscole"
    ),
    Case(
        "no-01", "che tempo farà?", "operatore", "fatto", False, abstain_reason="out_of_scope"
    ),
    Case(
        "no-02", "quanto si paga nel 2031?", "operatore", "fatto", False,
        abstain_reason="wrong_year", forbidden=("28 euro",),
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "run"
    done = read_run(
        run(only(Shelf()), CASES, folder, describe(Settings(), Path("prova")), repeat=2)  # type: ignore[arg-type]
    )
    scores = score(folder)
    before = {"op-01": {"grounded_correctness": 0.0}, "op-02": {"grounded_correctness": 1.0}}
    text = html(
        done,
        scores,
        reference_name="una prova",
        baseline=before,
        comparisons=compare(scores.values(), before, list(METRICS.values())),
        gates=[GateResult("quote_integrity", False, "0", "1", "perché sì", ("op-02",))],
        tables=[("Altri", [["misura", "piano"], ["recall_at_1", "50,0%"]])],
    )
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    return path


class Outline(HTMLParser):
    """Headings, ids and links of a page; and every tag that could fetch or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.dangers: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if name := values.get("id"):
            self.ids.append(name)
        if link := values.get("href"):
            self.links.append(link)
        if tag in ("script", "img", "iframe", "link", "object") or "src" in values:
            self.dangers.append(tag)
        self.dangers += [name for name in values if name.startswith("on")]


def test_nothing_hostile_is_markup_and_nothing_is_fetched(page: Path) -> None:
    outline = Outline()
    outline.feed(page.read_text(encoding="utf-8"))
    assert outline.dangers == []
    assert outline.links
    assert all(link.startswith("#") for link in outline.links)
    assert {link[1:] for link in outline.links} <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.levels[0] == 1
    assert outline.levels.count(1) == 1
    steps = zip(outline.levels, outline.levels[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)


def test_each_question_tells_its_answer_its_proofs_and_what_changed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert f"<mark>{QUOTE}</mark>" in text
    assert "[…]" in text, "a long page is cut around the quote"
    assert "pagina trovata al posto 1" in text
    assert "detta: 28 euro" in text
    assert "NON detta (facoltativa): compresi i pasti" in text
    assert "NON detta: 30 euro" in text
    assert "Cose vietate dette: 28 euro" in text
    assert "0,0% (cambiata)" in text
    assert "maiuscole: «CHE TEMPO», non ha trovato: rifiuto ingiusto" in text
    wrong, fine = text.index('id="q-op-02"'), text.index('id="q-op-01"')
    assert wrong < fine, "those to look at come first"
    assert "1 requisiti non rispettati su 1" in text
    assert "meglio 1, peggio 1" in text
    assert "0 errori in 2 casi di 2 domande" in text, "op-01 and op-02 quoted truly"


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_opens_it_without_requests_scripts_or_errors(page: Path, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page()
        requests: list[str] = []
        errors: list[str] = []
        tab.on("request", lambda request: requests.append(request.url))
        tab.on("console", lambda message: errors.append(message.text))
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(page.as_uri())
        assert tab.title() == "Valutazione dell'assistente"
        question = tab.locator("#q-op-01")
        assert not question.locator("mark").is_visible()
        question.locator("summary").click()
        assert question.locator("mark").inner_text() == QUOTE
        assert question.locator("mark").is_visible()
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.tagName") != "BODY"
        assert tab.evaluate("document.querySelectorAll('svg[role=img] title').length") == 4
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        printed = tab.pdf(path=str(tmp_path / "report.pdf"))
        assert printed.startswith(b"%PDF")
        browser.close()
    assert requests == [page.as_uri()]
    assert errors == []
