"""ODT becomes canonical text with its blocks in order; what is not shown is not read."""

from __future__ import annotations

import pytest

from assistant.errors import RefusedFileError
from ingest.cleaning import normalise
from ingest.formats import read_bytes
from ingest.metadata import describe
from ingest.models import SourceDocument
from tests.odt_file import NAMESPACES, content, odt

PLAN = """
<text:sequence-decls><text:sequence-decl text:name="Tabella"/></text:sequence-decls>
<text:tracked-changes><text:changed-region text:id="c1"><text:deletion>
  <text:p>Una frase cancellata.</text:p></text:deletion></text:changed-region>
  <text:changed-region text:id="c2"><text:insertion/></text:changed-region></text:tracked-changes>
<text:p text:style-name="Title">Piano di zona</text:p>
<text:h text:outline-level="1">1. Il distretto</text:h>
<text:p>Il distretto<text:s text:c="3"/>comprende <text:span>otto</text:span> comuni<text:note
  text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>
  <text:p>Dati del 2018.</text:p></text:note-body></text:note>, <text:change-start
  text:change-id="c2"/>dal 2014<text:change-end text:change-id="c2"/>.<office:annotation>
  <dc:creator>Anna</dc:creator><text:p>Da verificare!</text:p></office:annotation></text:p>
<text:h text:outline-level="2">1.1 I servizi</text:h>
<text:list><text:list-item><text:p>Lo sportello sociale</text:p>
  <text:list><text:list-item><text:p>aperto il lunedì</text:p></text:list-item>
  <text:list-item><text:p>aperto il giovedì</text:p><text:p>Su appuntamento.</text:p>
  </text:list-item></text:list></text:list-item>
  <text:list-item><text:p>Il centro famiglie</text:p></text:list-item></text:list>
<table:table><table:table-column table:number-columns-repeated="3"/>
  <table:table-header-rows><table:table-row><table:table-cell><text:p>Azione</text:p>
  </table:table-cell><table:table-cell><text:p>2018</text:p></table:table-cell>
  <table:table-cell><text:p>2019</text:p></table:table-cell></table:table-row>
  </table:table-header-rows>
  <table:table-row><table:table-cell><text:p>Assistenza</text:p><text:p>domiciliare</text:p>
  </table:table-cell><table:table-cell><text:p>10</text:p></table:table-cell>
  <table:table-cell><text:p>12</text:p></table:table-cell></table:table-row>
  <table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>Totale</text:p>
  </table:table-cell><table:covered-table-cell/><table:table-cell><text:p>22</text:p>
  </table:table-cell></table:table-row></table:table>
<text:section text:name="s" text:display="none"><text:p>Una sezione nascosta.</text:p>
</text:section>
<text:section text:name="t"><text:p>Una sezione<text:line-break/>visibile.</text:p>
</text:section>
<text:p text:style-name="P9">Un paragrafo nascosto.</text:p>
<text:p>Resta <text:span text:style-name="T9">questo no, </text:span>questo sì.</text:p>
<text:p><text:hidden-paragraph text:is-hidden="true"/>Nascosto dal campo.</text:p>
<text:p><draw:frame><draw:text-box><text:p>Nel riquadro.</text:p></draw:text-box></draw:frame>
Accanto al riquadro.</text:p>
"""
HIDDEN = (
    '<style:style style:name="P9" style:family="paragraph"><style:text-properties '
    'text:display="none"/></style:style><style:style style:name="T9" style:family="text" '
    'style:parent-style-name="Nascosto"/>'
)
COMMON = (
    '<style:style style:name="Nascosto" style:family="text"><style:text-properties '
    'text:display="none"/></style:style>'
)
MASTER = (
    '<style:master-page style:name="Standard"><style:header><text:p>Distretto Valdoro</text:p>'
    "</style:header><style:footer><text:p>Pagina 1</text:p></style:footer></style:master-page>"
)
META = (
    "<dc:title>Piano di zona di Valdoro</dc:title><meta:initial-creator>Ufficio di piano"
    "</meta:initial-creator><dc:date>2019-03-04T10:00:00</dc:date>"
    "<meta:keyword>tipo=piano_di_zona</meta:keyword><meta:keyword>distretto=Valdoro</meta:keyword>"
)


def blocks(document: SourceDocument) -> list[tuple[str, str]]:
    page = document.pages[0]
    return [
        (f"h{b.level}" if b.kind == "heading" else b.kind, page.text[b.start : b.end])
        for b in page.blocks
    ]


@pytest.fixture(scope="module")
def plan() -> SourceDocument:
    data = odt(PLAN, styles=HIDDEN, common_styles=COMMON, master=MASTER, meta=META)
    return read_bytes(data, "piano.odt")


def test_blocks_come_in_document_order(plan: SourceDocument) -> None:
    assert blocks(plan) == [
        ("header", "Distretto Valdoro"),
        ("h1", "Piano di zona"),
        ("h1", "1. Il distretto"),
        ("text", "Il distretto comprende otto comuni, dal 2014."),
        ("text", "1 Dati del 2018."),
        ("h2", "1.1 I servizi"),
        ("list_item", "Lo sportello sociale"),
        ("list_item", "aperto il lunedì"),
        ("list_item", "aperto il giovedì"),
        ("text", "Su appuntamento."),
        ("list_item", "Il centro famiglie"),
        ("table_row", "Azione 2018 2019"),
        ("table_row", "Assistenza domiciliare 10 12"),
        ("table_row", "Totale 22"),
        ("text", "Una sezione visibile."),
        ("text", "Resta questo sì."),
        ("text", "Accanto al riquadro."),
        ("text", "Nel riquadro."),
        ("footer", "Pagina 1"),
    ]


def test_deleted_hidden_and_commented_words_are_nowhere(plan: SourceDocument) -> None:
    for words in ("cancellata", "nascost", "questo no", "verificare", "Anna", "dal campo"):
        assert words not in plan.pages[0].text


def test_the_text_is_canonical_and_blocks_are_true(plan: SourceDocument) -> None:
    page = plan.pages[0]
    assert len(plan.pages) == 1
    assert normalise(page.text) == page.text
    assert all(
        page.text[b.start : b.end].strip() == page.text[b.start : b.end] for b in page.blocks
    )


def test_cells_and_header_of_a_table_are_told(plan: SourceDocument) -> None:
    page = plan.pages[0]
    rows = [b for b in page.blocks if b.kind == "table_row"]
    assert [b.header for b in rows] == [True, False, False]
    cells = [[page.text[a:z] for a, z in b.cells] for b in rows]
    assert cells == [
        ["Azione", "2018", "2019"],
        ["Assistenza domiciliare", "10", "12"],
        ["Totale", "", "22"],
    ]


def test_metadata_say_what_the_document_is(plan: SourceDocument) -> None:
    assert plan.title == "Piano di zona di Valdoro"
    assert plan.metadata["author"] == "Ufficio di piano"
    assert plan.metadata["date"] == "2019-03-04"
    document = describe("0" * 64, "piano.odt", plan)
    assert (document.kind, document.distretto) == ("piano_di_zona", "Valdoro")


def test_comments_inside_cells_and_nested_tables_are_read_rightly() -> None:
    inner = "<table:table><table:table-row><table:table-cell><text:p>dentro</text:p>"
    inner += "</table:table-cell></table:table-row></table:table>"
    body = (
        "<table:table><table:table-row><table:table-cell><text:p>fuori<office:annotation><text:p>"
        f"nota</text:p></office:annotation></text:p>{inner}</table:table-cell><table:table-cell>"
        "<text:list><text:list-item><text:p>voce</text:p></text:list-item></text:list>"
        "</table:table-cell></table:table-row><table:table-row table:visibility='collapse'>"
        "<table:table-cell><text:p>riga nascosta</text:p></table:table-cell></table:table-row>"
        "</table:table>"
    )
    assert blocks(read_bytes(odt(body), "a.odt")) == [("table_row", "fuori dentro voce")]


def test_a_repeated_cell_is_believed_within_reason() -> None:
    body = (
        "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
        "<table:table-cell table:number-columns-repeated='16000'/></table:table-row></table:table>"
        "<text:p>b<text:s text:c='999999999'/>c</text:p>"
    )
    assert [text for _, text in blocks(read_bytes(odt(body), "a.odt"))] == ["a", "b c"]


def refusal(data: bytes, name: str = "a.odt") -> str:
    with pytest.raises(RefusedFileError) as caught:
        read_bytes(data, name)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return str(caught.value)


def test_a_password_is_told_by_name() -> None:
    manifest = (
        f'<manifest:manifest {NAMESPACES}><manifest:file-entry manifest:full-path="content.xml">'
        "<manifest:encryption-data/></manifest:file-entry></manifest:manifest>"
    )
    locked = odt(parts={"META-INF/manifest.xml": manifest, "content.xml": "\x8f\x02 cifrato"})
    assert "protetto da password" in refusal(locked)
    assert "protetto da password" in refusal(odt(parts={"encrypted-package": "cifrato"}))


@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_a_truncated_file_is_refused(share: float) -> None:
    data = odt("<text:p>Testo.</text:p>" * 200)
    assert "troncato o danneggiato" in refusal(data[: int(len(data) * share)])


def test_a_file_without_its_content_is_refused() -> None:
    assert "danneggiato" in refusal(odt(parts={"content.xml": "<rotto"}))
    sheet = (
        f"<office:document-content {NAMESPACES}><office:body><office:spreadsheet/></office:body>"
    )
    sheet += "</office:document-content>"
    assert "altro tipo di file" in refusal(odt(parts={"content.xml": sheet}))
    ods = odt(mimetype="application/vnd.oasis.opendocument.spreadsheet")
    assert "un foglio" in refusal(ods)
    assert "Rinominalo in .odt" in refusal(odt(), "a.docx")


def test_entities_are_refused_and_read_no_file() -> None:
    laughs = '<!ENTITY a0 "ah">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)
    )
    for entities, use in (
        (laughs, "&a11;"),
        ('<!ENTITY f SYSTEM "file:///etc/passwd">', "&f;"),
        ('<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;', ""),
    ):
        text = content(f"<text:p>Testo {use}</text:p>", prolog=f"<!DOCTYPE d [{entities}]>")
        assert "root:" not in refusal(odt(parts={"content.xml": text}))


def test_what_unpacks_to_too_much_or_nests_too_deep_is_refused() -> None:
    assert "decompresso" in refusal(odt("<text:p>" + " " * 60_000_000 + "</text:p>"))
    assert "più di 20000 parti" in refusal(odt(parts={f"Pictures/{n}": "" for n in range(20_001)}))
    deep = "<text:list><text:list-item>" * 5_000 + "</text:list-item></text:list>" * 5_000
    assert "danneggiato" in refusal(odt(deep))
