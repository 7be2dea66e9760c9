from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from assistant.models import (
    Answer,
    AnswerHit,
    AnswerSentence,
    AnswerStatus,
    Citation,
    Document,
    DocumentPage,
)
from assistant.settings import Settings
from ui.launch import api_address, command
from ui.render import (
    answer_html,
    citation_html,
    citation_label,
    closest_html,
    page_address,
    page_html,
    plain,
    question_html,
    sentences_html,
    told,
)

API = "http://127.0.0.1:8600"
HOSTILE = (
    "<img src=x onerror=alert(1)> <script>alert(2)</script> ![x](http://spia.example/p.png) "
    "[clic](javascript:alert(3)) \" ' & </p></div> :red[rosso] $x^2$ `c` www.spia.example"
)
TEXT = "prima " * 300 + "Il caregiver è la persona che assiste. " + "dopo " * 300
QUOTE = "Il caregiver è la persona che assiste."
CITATION = Citation(
    n=1,
    document_id="d" * 64,
    title="Scheda 5",
    kind="scheda",
    distretto="Valdora",
    year=2018,
    source="una/cartella/scheda5.pdf",
    page=3,
    section="Razionale",
    start=TEXT.index(QUOTE),
    end=TEXT.index(QUOTE) + len(QUOTE),
    quote=QUOTE,
    demonstration=True,
    printed_label="iii",
)
PAGE = DocumentPage(
    Document("d" * 64, "Scheda 5", "scheda", "scheda5.pdf", "application/pdf", 4),
    3,
    "iii",
    TEXT,
    2,
    4,
)
ANSWER = Answer(
    question="Chi è il caregiver?",
    understood_as="Chi è il caregiver?",
    status="answered",
    sentences=(AnswerSentence(QUOTE, "verbatim", (1,)),),
    citations=(CITATION,),
    notices=(),
    hits=(AnswerHit(1, "d" * 64, "scheda5.pdf", 3, 1.0, "p", "Scheda 5"),),
    mode="extractive",
    model="m",
    generation="g",
)


class Tags(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.shown = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.shown += data


def assert_inert(text: str) -> None:
    tags = Tags(text)
    ours = {
        "div", "p", "sup", "a", "span", "strong", "ul", "li", "mark", "em", "bdi",
    }  # fmt: skip
    assert set(tags.names) <= ours
    for name, value in tags.attributes:
        assert name in {
            "class", "href", "target", "rel", "title", "role", "tabindex", "lang", "aria-label",
        }  # fmt: skip
        if name == "href":
            assert value is not None
            assert value.startswith(API + "/documenti/")
    assert "<img src=x onerror=alert(1)>" in tags.shown + str(tags.attributes)


def test_a_sentence_carries_numbers_that_lead_to_the_marked_page() -> None:
    html = sentences_html(ANSWER.sentences, ANSWER.citations, API)
    tags = Tags(html)
    assert tags.shown == f"{QUOTE} [1] documento dimostrativo"
    href = dict(tags.attributes)["href"]
    assert href == page_address(API, "d" * 64, 3, start=CITATION.start, end=CITATION.end)
    assert href is not None
    assert href.endswith(f"/documenti/{'d' * 64}/pagine/3?start=1800&end=1838#citazione")
    hint = "Citazione 1: Scheda 5, pagina 3 (stampata: iii)"
    assert dict(tags.attributes)["title"] == hint
    assert dict(tags.attributes)["aria-label"] == f"{hint} (si apre in un'altra finestra)"


def test_a_number_whose_citation_is_not_here_yet_is_no_link() -> None:
    tags = Tags(sentences_html(ANSWER.sentences, (), API))
    assert tags.shown == f"{QUOTE} [1]"
    assert "a" not in tags.names


def test_what_was_understood_is_told_when_it_differs() -> None:
    assert "Ho capito" not in answer_html(ANSWER, API)
    html = answer_html(replace(ANSWER, understood_as="Chi è il caregiver a Valdora?"), API)
    assert "Ho capito: «Chi è il caregiver a Valdora?»" in Tags(html).shown


def test_a_demonstration_document_is_said_to_be_one() -> None:
    assert "documento dimostrativo" in answer_html(ANSWER, API)
    official = replace(ANSWER, citations=(replace(CITATION, demonstration=False),))
    assert "dimostrativo" not in answer_html(official, API)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("not_found", "Nessuna risposta nei documenti."),
        ("clarify", "Mi serve un chiarimento."),
        ("out_of_scope", "Questa domanda non riguarda i documenti."),
        ("partial", "Ho trovato solo una parte della risposta."),
    ],
)
def test_each_silence_is_said_as_such(status: AnswerStatus, said: str) -> None:
    silent = replace(ANSWER, status=status, sentences=(), citations=(), notices=("Perché sì.",))
    shown = Tags(answer_html(silent, API)).shown
    assert said in shown
    assert "Perché sì." in shown


def test_closest_pages_are_said_not_to_be_an_answer_and_come_once() -> None:
    html = closest_html(ANSWER.hits * 3, API)
    assert Tags(html).shown.count("Scheda 5, pagina 3") == 1
    assert "Non sono una risposta" in html


def test_the_quote_is_marked_in_its_page_between_whole_words() -> None:
    html = citation_html(CITATION, PAGE, API)
    assert f"<mark>{QUOTE}</mark>" in html
    assert "[…]" in html
    shown = Tags(html).shown
    for part in ("Scheda 5", "Scheda attuativa", "Distretto Valdora", "2018", "Sezione: Razionale"):
        assert part in shown
    assert "pagina 3 (stampata: iii)" in shown
    assert "Fonte: scheda5.pdf" in shown
    context = shown[shown.index("[…]") : shown.rindex("[…]")]
    assert set(context.split()) <= {"[…]", "prima", "dopo", *QUOTE.split()}


@pytest.mark.parametrize(
    ("page", "said"),
    [(None, "non è più fra i documenti"), (replace(PAGE, text="altro"), "è cambiato")],
)
def test_a_quote_whose_page_is_lost_or_changed_says_so(
    page: DocumentPage | None, said: str
) -> None:
    html = citation_html(CITATION, page, API)
    assert said in html
    assert f"<mark>{QUOTE}</mark>" in html


def test_hostile_text_never_becomes_a_tag_or_a_foreign_link() -> None:
    hostile = replace(
        CITATION,
        document_id="../../<x>",
        title=HOSTILE,
        distretto=HOSTILE,
        source=HOSTILE,
        section=HOSTILE,
        printed_label=HOSTILE,
        start=0,
        end=len(HOSTILE),
        quote=HOSTILE,
    )
    answer = replace(
        ANSWER,
        question="x",
        understood_as=HOSTILE,
        sentences=(AnswerSentence(HOSTILE, "verbatim", (1, 2)),),
        citations=(hostile,),
        notices=(HOSTILE,),
    )
    assert_inert(answer_html(answer, API))
    assert_inert(citation_html(hostile, replace(PAGE, text=HOSTILE * 3), API))
    assert_inert(citation_html(hostile, None, API))
    assert_inert(closest_html((AnswerHit(1, "d", HOSTILE, 1, 1.0, "p", HOSTILE),), API))
    assert_inert(page_html(replace(PAGE, text=HOSTILE)))
    assert_inert(question_html(HOSTILE))


def test_a_label_shows_hostile_text_as_it_is() -> None:
    inline = MarkdownIt("commonmark").enable("strikethrough").parse(plain(HOSTILE))[1]
    kinds = {token.type for token in inline.children or ()}
    assert kinds <= {"text", "text_special"}
    shown = "".join(token.content for token in inline.children or ())
    assert shown.replace("\u2060", "") == " ".join(HOSTILE.split())
    assert "www." not in shown
    assert "://" not in shown
    assert ":red" not in shown
    assert plain("# Titolo\n\n- voce") == "\\# Titolo \\- voce"
    assert plain("Scheda 5, pagina 3") == "Scheda 5, pagina 3"


def test_marks_of_direction_do_not_turn_a_label_round() -> None:
    assert plain("Bilancio \u202e8102\u202c del Piano") == "Bilancio 8102 del Piano"
    html = sentences_html((AnswerSentence("Sono \u202e001", "verbatim", (1,)),), (CITATION,), API)
    assert "<bdi>Sono \u202e001</bdi> <sup>" in html


def test_a_message_of_ours_shows_commands_and_nothing_else_as_markup() -> None:
    assert told("Avvia con `piano up` (o `piano api`).") == (
        r"Avvia con `piano up` \(o `piano api`\)\."
    )
    inline = MarkdownIt("commonmark").parse(told(HOSTILE))[1]
    assert {token.type for token in inline.children or ()} <= {
        "text",
        "text_special",
        "code_inline",
    }


def test_what_was_asked_keeps_its_lines() -> None:
    assert question_html(" a\nb ") == '<p class="question">a\nb</p>'
    assert Tags(question_html("  ")).shown == "…"


def test_a_citation_s_label_has_number_title_and_page() -> None:
    label = r"\[1\] Scheda 5, pagina 3 \(stampata: iii\)"
    assert citation_label(CITATION) == label


def test_the_ui_listens_here_only_and_tells_nobody() -> None:
    line = command(Settings(api_port=9001, ui_port=9002))
    assert line[1:4] == ["-m", "streamlit", "run"]
    assert "--server.address=127.0.0.1" in line
    assert "--server.port=9002" in line
    assert "--browser.gatherUsageStats=false" in line
    assert line[-2:] == ["--", "--api=http://127.0.0.1:9001"]
    assert "--server.headless=true" in line


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8600"),
        ("0.0.0.0", "http://127.0.0.1:8600"),
        ("::1", "http://[::1]:8600"),
    ],
)
def test_the_ui_finds_the_api_from_this_machine(host: str, address: str) -> None:
    assert api_address(Settings(api_host=host)) == address
