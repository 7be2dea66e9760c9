"""The bundled documents: rebuilt byte for byte, honest about what they are, readable."""

from __future__ import annotations

import re
import tomllib
from io import BytesIO
from urllib.parse import urlsplit
from zipfile import ZipFile

import pypdf
import pypdfium2
import pytest
from docx import Document as WordDocument
from lxml import etree, html

from corpus import CATALOGUE, DOCUMENTS, TRAPS
from corpus.blocks import parse_blocks
from corpus.build import build, differences
from corpus.pdf import trace_pdf
from corpus.records import RECORDS, read_records
from corpus.script import read_script
from corpus.sources import (
    DEMONSTRATION,
    KINDS,
    Source,
    SourceError,
    read_source,
    read_sources,
    split_keywords,
)
from corpus.sources import SOURCES as SOURCE_FOLDER
from corpus.truth import truths

SOURCES = tuple(read_sources())
ENOUGH = {"pdf": 25, "docx": 6, "odt": 4, "html": 14, "md": 8, "txt": 2}
INVENTED = {"Valdoro", "Lungacqua", "Selvachiara", "Pianterra", "Borgoacque", "Colleardito"}
SCANNED = [source.name for source in SOURCES if source.options.get("pagine")]


@pytest.fixture(scope="module")
def built() -> dict[str, bytes]:
    return build()


def render(source: Source) -> bytes:
    """A PDF before it is scanned."""
    return trace_pdf(source, read_script(source)).data


def first_page(source: Source) -> str:
    """What a reader sees first: page one of a PDF, the opening of anything else."""
    path = DOCUMENTS / source.filename
    if source.format == "pdf":
        written = render(source) if source.name in SCANNED else path.read_bytes()
        text: str = pypdfium2.PdfDocument(written)[0].get_textpage().get_text_range()
    elif source.format == "docx":
        text = "\n".join(p.text for p in WordDocument(str(path)).paragraphs[:3])
    elif source.format == "odt":
        text = whole_text(source)[:1000]
    elif source.format == "html":
        text = html.fromstring(path.read_bytes()).find(".//article").text_content()[:600]
    else:
        text = path.read_text("utf-8").rpartition("\n---\n")[2][:800]
    return " ".join(text.split())


def stored_metadata(source: Source) -> tuple[str, str]:
    """Title and keywords as the file itself carries them."""
    path = DOCUMENTS / source.filename
    if source.format == "pdf":
        info = pypdf.PdfReader(path).metadata
        assert info is not None
        return str(info["/Title"]), str(info["/Keywords"])
    if source.format == "docx":
        core = WordDocument(str(path)).core_properties
        return core.title, core.keywords
    if source.format == "odt":
        meta = etree.fromstring(ZipFile(path).read("meta.xml"))
        return tuple(meta.findtext(f".//{{*}}{name}") for name in ("title", "keyword"))
    if source.format == "html":
        page = html.fromstring(path.read_bytes())
        return page.findtext(".//title"), page.xpath("//meta[@name='keywords']/@content")[0]
    front = dict(
        line.split(": ", 1) for line in path.read_text("utf-8").split("---\n")[1].splitlines()
    )
    return front["title"], front["keywords"]


def whole_text(source: Source) -> str:
    path = DOCUMENTS / source.filename
    if source.format == "pdf":
        return "\n".join(
            page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(path)
        )
    if source.format == "odt":
        return "\n".join(etree.fromstring(ZipFile(path).read("content.xml")).itertext())
    if source.format == "docx":
        document = WordDocument(str(path))
        cells = [c.text for table in document.tables for row in table.rows for c in row.cells]
        return "\n".join([p.text for p in document.paragraphs] + cells)
    return path.read_text("utf-8")


def test_committed_files_are_what_the_sources_build(built: dict[str, bytes]) -> None:
    assert differences(built) == []


def test_building_twice_gives_the_same_bytes(tmp_path, built: dict[str, bytes]) -> None:
    names = ("scheda-05-caregiver", "verbale-bassa-stagione", "frna", "carcere")
    for name in (*names, "kit-valutazione-partecipazione", "rassegna-fonti-community-lab"):
        (tmp_path / f"{name}.md").write_bytes((SOURCE_FOLDER / f"{name}.md").read_bytes())
    again = build(tmp_path)
    assert {name.rpartition(".")[2] for name in again} == set(ENOUGH)
    assert again == {name: built[name] for name in again}


def test_check_notices_a_changed_file_a_missing_one_and_a_stranger(tmp_path, built) -> None:
    for name, content in built.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "frna.html").write_bytes(b"altro")
    (tmp_path / "carcere.md").unlink()
    (tmp_path / "estraneo.txt").write_text("x")
    assert differences(built, tmp_path) == ["carcere.md", "estraneo.txt", "frna.html"]


def test_there_are_enough_documents_of_each_format_and_four_hundred_pages() -> None:
    for extension, least in ENOUGH.items():
        assert sum(source.format == extension for source in SOURCES) >= least, extension
    assert {source.format for source in SOURCES} == set(ENOUGH)
    pages = sum(
        len(pypdf.PdfReader(DOCUMENTS / s.filename).pages) if s.format == "pdf" else 1
        for s in SOURCES
    )
    assert len(SOURCES) >= 60
    assert pages >= 400


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_document_says_what_it_is_on_its_first_page_and_in_its_metadata(source: Source) -> None:
    assert " ".join(source.notice.split()) in first_page(source)
    if source.demonstration:
        assert DEMONSTRATION in first_page(source)
    if source.format != "txt":  # plain text carries nothing about itself
        assert stored_metadata(source) == (source.title, source.keywords)
    assert source.tags["ufficiale"] == "no"


def test_a_document_of_an_invented_district_is_a_demonstration() -> None:
    for source in SOURCES:
        if "distretto" in source.tags:
            assert source.tags["distretto"] in INVENTED
            assert source.demonstration
            assert "inventat" in source.notice + source.title


def test_a_document_that_states_facts_names_its_sources() -> None:
    for source in SOURCES:
        if not source.demonstration and source.name != "glossario-sigle":
            assert re.search(r"[Ff]ont[ei]|\w\.it\b|Repubblica", source.body), source.name


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_no_working_mark_and_no_unconfirmed_scheda_number_leaks(source: Source) -> None:
    text = whole_text(source)
    for mark in ("[DV]", "DA VERIFICARE", "[F:", "[S00", "TODO", "<!-- "):
        assert mark not in text
    numbers = set(re.findall(r"^#+ Scheda (\d+)", source.body, re.MULTILINE))
    assert numbers <= {"5", "9", "11", "26"}


def test_every_intervention_sheet_has_the_fields_of_the_regional_form() -> None:
    fields = (
        "Soggetto capofila", "Ambito territoriale", "Riferimento scheda regionale", "Descrizione",
        "Destinatari", "Azioni previste", "Istituzioni/attori sociali coinvolti", "Referenti",
        "Preventivo di spesa", "Indicatori",
    )  # fmt: skip
    sheets = {
        source.name: re.split(r"^### (?=Intervento \d|Scheda intervento)", source.body, flags=re.M)
        for source in SOURCES
        if source.tags["tipo"] == "piano_di_zona"
        and "2018-2020" in source.tags["anni"]
        and "<!-- schede:" not in source.body
    }
    assert {name: len(parts) - 1 for name, parts in sheets.items()} == {
        "piano-di-zona-valdoro-2018-2020": 10,
        "piano-di-zona-lungacqua-2018-2020": 9,
        "piano-di-zona-selvachiara-2018-2020": 8,
    }
    for name, parts in sheets.items():
        for sheet in parts[1:]:
            assert [field for field in fields if field not in sheet] == [], (name, sheet[:40])


def test_three_districts_have_a_large_plan_and_an_update_that_changes_some_of_its_sheets() -> None:
    for district in ("pianterra", "borgoacque", "colleardito"):
        plan = {s.numero: s for s in read_records(f"interventi-{district}-2018")}
        update = {s.numero: s for s in read_records(f"interventi-{district}-2019")}
        assert len(plan) >= 25
        changed = [number for number in update if number in plan]
        assert len(changed) >= 10 and len(update) > len(changed)
        for number in changed:
            assert plan[number].descrizione != update[number].descrizione
            assert update[number].novita
        areas = {area for sheet in plan.values() for area in sheet.aree}
        assert areas == set("ABCDE")


def test_there_are_thirty_regional_schede_over_the_five_areas() -> None:
    schede = [
        sheet
        for path in RECORDS.glob("sched*.toml")
        for sheet in read_records(path.stem)
        if not sheet.intervento
    ]
    assert len(schede) >= 30
    assert len({sheet.numero for sheet in schede}) == len(schede)
    assert {area for sheet in schede for area in sheet.aree} == set("ABCDE")
    assert all(sheet.numero.startswith("D-") for sheet in schede)


def test_some_pdfs_are_in_columns_one_is_a_scan_one_is_protected() -> None:
    options = [source.options for source in SOURCES]
    assert sum("impaginazione" in given for given in options) >= 3
    assert len(SCANNED) >= 1
    scan = pypdfium2.PdfDocument(DOCUMENTS / f"{SCANNED[0]}.pdf")
    assert [page.get_textpage().get_text_range() for page in scan] == [""] * len(scan)
    protected = [source for source in SOURCES if "protezione" in source.options]
    assert protected
    assert all(pypdf.PdfReader(DOCUMENTS / source.filename).is_encrypted for source in protected)


def test_the_cost_of_a_sheet_is_the_sum_of_its_sources() -> None:
    valdoro = next(s for s in SOURCES if s.name == "piano-di-zona-valdoro-2018-2020").body
    sheets = re.split(r"^### Intervento ", valdoro, flags=re.MULTILINE)[1:]
    totals = []
    for sheet in sheets:
        total = re.search(r"totale 2018 euro ([\d.]+)", sheet)
        table = re.search(r"\| Fonte \| Euro \|\n\|---\|---\|\n((?:\|.*\n)+)", sheet)
        assert total and table
        amounts = re.findall(r"\| ([\d.]+) \|$", table[1], re.MULTILINE)
        totals.append(int(total[1].replace(".", "")))
        assert sum(int(amount.replace(".", "")) for amount in amounts) == totals[-1], sheet[:40]
    assert sum(totals) == 931_000


def test_a_pdf_has_bookmarks_and_one_numbers_its_front_matter_in_roman() -> None:
    for source in SOURCES:
        if source.format == "pdf" and source.name not in SCANNED:
            assert pypdf.PdfReader(DOCUMENTS / source.filename).outline, source.name
    reader = pypdf.PdfReader(DOCUMENTS / "pssr-2017-2019-quadro.pdf")
    assert reader.page_labels[:4] == ["i", "ii", "1", "2"]
    third = pypdfium2.PdfDocument(DOCUMENTS / "pssr-2017-2019-quadro.pdf")[2]
    assert "Pagina 1" in third.get_textpage().get_text_range()


def test_catalogue_entries_are_complete_distinct_and_addressed() -> None:
    entries = tomllib.loads(CATALOGUE.read_text("utf-8"))["fonte"]
    assert len(entries) >= 10
    assert len({entry["url"] for entry in entries}) == len(entries)
    for entry in entries:
        assert set(entry) <= {"titolo", "url", "tipo", "ente", "ufficiale", "anno"}
        assert isinstance(entry["ufficiale"], bool)
        assert entry["titolo"] and entry["ente"] and entry["tipo"] in KINDS
        address = urlsplit(entry["url"])
        assert address.scheme in ("http", "https") and "." in address.netloc
        assert 1978 <= entry.get("anno", 2000) <= 2030


def test_every_trap_stands_word_for_word_in_its_documents() -> None:
    traps = tomllib.loads(TRAPS.read_text("utf-8"))["trappola"]
    assert len({trap["nome"] for trap in traps}) == len(traps) >= 12
    texts = {
        truth.filename: "\n".join(" ".join(item.text.split()) for item in truth.items)
        for truth in truths()
    }
    for trap in traps:
        assert trap["spiegazione"].endswith(".") and trap["passi"]
        for place in trap["passi"]:
            assert place["testo"] in texts[place["documento"]], trap["nome"]
    raw = (DOCUMENTS / "legge-14-2015-lavoro.html").read_text("utf-8")
    assert "legge regionale\u00a014/2015" in raw


GOOD = (
    "---\ntitolo: T\nformato: md\nsoggetto: S\ndata: 2020-01-01\n"
    "keywords: tipo=atto; dimostrativo=si; ufficiale=no; stato=vigente\n"
    "avviso: Documento dimostrativo.\n---\n# T\n"
)


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("data: 2020-01-01\n", "", "data"),
        ("tipo=atto", "tipo=delibera", "tipo"),
        ("dimostrativo=si", "dimostrativo=no", "avviso"),
        ("formato: md", "formato: rtf", "formato"),
        ("formato: md", "formato: md\npagine: scansione", "PDF only"),
        ("stato=vigente", "stato=forse", "stato"),
        ("; stato", "; provincia=Parma; stato", "provincia"),
        ("# T", "T", "heading"),
        ("---\ntitolo", "titolo", "header"),
    ],
)
def test_a_source_that_is_not_coherent_is_refused(tmp_path, wrong, right, said) -> None:
    path = tmp_path / "prova.md"
    path.write_text(GOOD, "utf-8")
    assert read_source(path).demonstration
    path.write_text(GOOD.replace(wrong, right, 1), "utf-8")
    with pytest.raises(SourceError, match=said):
        read_source(path)


def test_markdown_that_the_writers_do_not_know_is_refused() -> None:
    with pytest.raises(SourceError, match="not known to the writers: fence"):
        parse_blocks("```\ncodice\n```\n")
    with pytest.raises(SourceError, match="unknown mark"):
        parse_blocks("<!-- qualcosa -->\n")


def test_keywords_are_read_as_pairs() -> None:
    assert split_keywords("tipo=atto; anni=2018-2020;vuoto") == {
        "tipo": "atto",
        "anni": "2018-2020",
    }


def test_docx_entries_carry_one_fixed_time(built: dict[str, bytes]) -> None:
    for name, content in built.items():
        if name.endswith((".docx", ".odt")):
            times = {entry.date_time for entry in ZipFile(BytesIO(content)).infolist()}
            assert times == {(2020, 1, 1, 0, 0, 0)}
