"""Pages that are images: recognised with tesseract, marked as such, or told to be unread."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.answering.answer import Answerer
from assistant.api.html import document_page
from assistant.cli.show import answer_text
from assistant.index.generation import GenerationStore
from assistant.models import Answer, DocumentPage, Filters
from assistant.settings import Settings
from assistant.wire import answer_json
from ingest.cleaning import normalise
from ingest.formats import read_bytes
from ingest.formats.pdf_scans import is_garbage, put_recognised
from ingest.models import OcrCell, OcrLine, OcrPage, Recognition
from ingest.ocr.cache import OcrCache
from ingest.ocr.engine import Engine, NoEngine, RecognitionError, find_engine, recognise
from ingest.ocr.lines import HocrError, read_hocr
from ingest.report import IngestEntry
from tests.scans import drawn, printed, scanned
from tests.test_ingest import Index

SHARED = Path(__file__).resolve().parents[2] / "shared"
FOUND = find_engine("auto", 60)
needs_tesseract = pytest.mark.skipif(
    isinstance(FOUND, NoEngine), reason="tesseract with Italian data is not installed"
)

ACT = [
    "COMITATO DI DISTRETTO",
    "",
    "Verbale della seduta del 12 marzo 2019",
    "",
    "Il Comitato approva il programma attuativo annuale del Distretto di Valdoro.",
    "Lo sportello sociale apre il lunedì e il giovedì nella sede del Comune.",
    "La spesa prevista per il trasporto degli anziani è di 48.000 euro.",
    "",
    "1. Il servizio è gratuito per chi ha più di settantacinque anni.",
    "2. Le domande si presentano entro il 30 settembre.",
]
SECOND = ["La seduta è tolta alle ore 18.", "", "Il segretario verbalizzante"]


def engine() -> Engine:
    assert isinstance(FOUND, Engine)
    return FOUND


def entry(index: Index, *sources: object, **options: bool) -> IngestEntry:
    (only,) = index.ingest(*sources, **options).documents
    return only


def read_scan(data: bytes) -> Recognition:
    """What tesseract sees in every page that is an image."""
    import pypdfium2

    from ingest.formats.pdf_scans import render

    document = pypdfium2.PdfDocument(data)
    try:
        images = read_bytes(data, "a.pdf").images
        return Recognition(
            engine().name,
            pages={n: recognise(*render(document[n - 1]), engine()) for n in images},
        )
    finally:
        document.close()


@pytest.fixture()
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "dati")


@pytest.fixture()
def act(tmp_path: Path) -> Path:
    path = tmp_path / "verbale.pdf"
    path.write_bytes(scanned([ACT, SECOND]))
    return path


@needs_tesseract
def test_a_scan_is_read_cited_and_marked(index: Index, act: Path) -> None:
    taken = entry(index, act)
    assert (taken.status, taken.pages_without_text, taken.ocr_pages) == ("added", (), (1, 2))
    (note,) = [note for note in taken.notes if "riconoscimento ottico" in note]
    assert engine().name in note and "controlla l'originale" in note
    backend = index.store.open_current()
    try:
        (document,) = backend.documents()
        page = backend.page(document.id, 1)
        assert page.ocr_confidence is not None and 80 < page.ocr_confidence <= 100
        assert page.text == normalise(page.text)
        for sentence in (*ACT[4:7], ACT[8], ACT[9]):
            assert sentence in page.text.replace("\n", " ")
        answer = ask(index, "Qual è la spesa prevista per il trasporto degli anziani?")
        shown = document_page(DocumentPage.of(document, page))
    finally:
        backend.close()
    assert "48.000 euro" in answer.sentences[0].text
    (citation, *_) = answer.citations
    assert page.text[citation.start : citation.end] == citation.quote
    assert citation.ocr_confidence == page.ocr_confidence
    told = f"confidenza media {page.ocr_confidence:.0f}%"
    assert any(told in notice and "controlla l'originale" in notice for notice in answer.notices)
    assert f"riconoscimento ottico, confidenza {page.ocr_confidence:.0f}%" in answer_text(answer)
    assert answer_json(answer)["citations"][0]["ocr_confidence"] == page.ocr_confidence
    assert told in shown


def ask(index: Index, question: str) -> Answer:
    backend = index.store.open_current()
    try:
        answerer = Answerer(backend, index.embedder, index.settings)
        *_, answer = answerer.stream(question, filters=Filters(), history=())
    finally:
        backend.close()
    assert isinstance(answer, Answer)
    return answer


@needs_tesseract
def test_what_was_recognised_once_costs_nothing_later(
    index: Index, act: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = entry(index, act)
    # From here on the program that answers to `tesseract` recognises nothing.
    stand_in(tmp_path, monkeypatch, "exit 1")
    rebuilt = entry(index, rebuild=True)
    assert (rebuilt.status, rebuilt.ocr_pages) == ("updated", first.ocr_pages)
    # The same scan in another file: other bytes, the same dots.
    copy = tmp_path / "copia.pdf"
    copy.write_bytes(scanned([ACT, SECOND], title="Un altro nome"))
    assert entry(index, copy).ocr_pages == (1, 2)


@needs_tesseract
def test_kept_results_go_with_the_document(index: Index, act: Path) -> None:
    index.ingest(act.parent)
    kept = index.settings.data_dir / "ocr" / "pages"
    assert len(list(kept.iterdir())) == 2
    act.write_bytes(printed([ACT]))
    index.settings = Settings(data_dir=index.settings.data_dir, keep_generations=1)
    index.store = GenerationStore(index.settings, index.profile)
    assert entry(index, act).status == "updated"
    assert list(kept.iterdir()) == []


@needs_tesseract
def test_a_damaged_result_is_made_again(index: Index, act: Path) -> None:
    index.ingest(act)
    kept = sorted((index.settings.data_dir / "ocr" / "pages").iterdir())
    kept[0].write_bytes(b'{"width": 1, "lines": [{"te')
    assert entry(index, rebuild=True).ocr_pages == (1, 2)


def test_without_an_engine_pages_are_unread_with_the_remedy(
    index: Index, act: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "vuota"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    taken = entry(index, act)
    assert (taken.status, taken.pages_without_text, taken.ocr_pages) == ("added", (1, 2), ())
    assert any("`sudo apt install tesseract-ocr tesseract-ocr-ita`" in n for n in taken.notes)


def test_recognition_can_be_switched_off(tmp_path: Path, act: Path) -> None:
    index = Index(tmp_path / "dati")
    index.settings = Settings(data_dir=index.settings.data_dir, ocr="off")
    taken = entry(index, act)
    assert taken.pages_without_text == (1, 2)
    assert any("PIANO_OCR" in note for note in taken.notes)
    assert not (index.settings.data_dir / "ocr").exists()


@needs_tesseract
def test_unread_pages_are_read_on_the_day_that_tesseract_is_there(
    index: Index, act: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "nota.md"
    other.write_text("# Nota\n\nIl centro famiglie è aperto.\n", "utf-8")
    blank = tmp_path / "bianca.pdf"
    blank.write_bytes(printed([[], ["Il piano di zona è approvato."]]))
    with monkeypatch.context() as without:
        without.setenv("PATH", str(tmp_path))
        index.ingest(act, other, blank)
    report = index.ingest(other)
    assert {Path(e.source).name: e.ocr_pages for e in report.documents}["verbale.pdf"] == (1, 2)
    assert len(index.texts()) == 3
    # Once is enough, also for pages that are blank for good.
    assert not index.ingest(other).changed


def test_italian_data_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "exit 1", languages="eng\nosd")
    found = find_engine("auto", 5)
    assert isinstance(found, NoEngine)
    assert "`sudo apt install tesseract-ocr-ita`" in found.remedy


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("kill -SEGV $$", "tesseract si è interrotto"),
        ("sleep 60", "più di 1 secondi"),
        ("echo '<html>'", "risultato illeggibile"),
        ("cat > /dev/null; echo '<html></html>'", "risultato illeggibile"),
    ],
)
def test_an_engine_that_falls_hangs_or_raves_costs_its_page(
    index: Index,
    act: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    does: str,
    why: str,
) -> None:
    stand_in(tmp_path, monkeypatch, does)
    index.settings = Settings(data_dir=index.settings.data_dir, ocr_timeout_seconds=1)
    taken = entry(index, act)
    assert (taken.status, taken.pages_without_text) == ("added", (1, 2))
    (note,) = taken.notes
    assert note.startswith("Pagine 1-2: ") and why in note and "`piano ingest --rebuild`" in note


def stand_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, does: str, languages: str = "eng\nita"
) -> None:
    """A program called tesseract, of the version that is installed, that does something else."""
    version = FOUND.version if isinstance(FOUND, Engine) else "5.0.0"
    programs = folder / "programmi"
    programs.mkdir()
    program = programs / "tesseract"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in\n--version) echo "tesseract {version}";;\n'
        f'--list-langs) printf "List:\\n{languages}\\n";;\n*) {does};;\nesac\n'.replace(
            languages, languages.replace("\n", "\\n")
        )
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@needs_tesseract
def test_a_stamp_upon_a_scan_does_not_pass_for_its_text() -> None:
    data = scanned([ACT], stamp="Prot. n. 1234 del 14/03/2019 - Comune di Valdoro")
    unread = read_bytes(data, "a.pdf")
    assert unread.images == unread.pages_without_text == (1,)
    assert "Prot. n. 1234" in unread.pages[0].text
    assert "solo quello che è scritto in margine" in unread.notes[0]
    read = read_bytes(data, "a.pdf", read_scan(data))
    assert read.pages_without_text == ()
    assert "Lo sportello sociale apre" in read.pages[0].text
    assert "1234" in read.pages[0].text


def test_a_text_layer_of_meaningless_signs_is_known() -> None:
    assert is_garbage("\x03\x14\x15\x16\x17 " * 20)
    assert is_garbage("Gsqmxexs hm hmwxvixxs tvskveqqe ".replace("e", "x") * 10)
    assert not is_garbage("Il Comitato di distretto approva il programma attuativo annuale. " * 4)
    assert not is_garbage("12.000 45,3 2019 " * 40)
    assert not is_garbage("DGR DAL LR FRNA PSSR")


@needs_tesseract
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_on_a_side_or_on_its_head_is_turned(turn: int) -> None:
    (image,) = drawn(printed([ACT]), dpi=200)
    import numpy as np

    page = recognise(np.asarray(image.rotate(turn, expand=True)), 200, engine())
    text = " ".join(line.text for line in page.lines)
    assert "programma attuativo annuale del Distretto" in text


@needs_tesseract
def test_columns_of_prose_are_not_read_across() -> None:
    left = ["Il distretto programma gli interventi", "sociali e sanitari di tutti i comuni",
            "che ne fanno parte, insieme alla", "azienda sanitaria e alle associazioni",
            "che lavorano da anni con le persone", "anziane, con i giovani e con chi è",
            "rimasto solo nelle frazioni più alte."]  # fmt: skip
    right = ["Lo sportello sociale accoglie ogni", "richiesta e orienta verso i servizi",
             "che possono dare una risposta alla", "persona e alla sua famiglia; non ci",
             "sono liste di attesa e nessuno deve", "ripetere due volte la propria storia",
             "davanti a operatori sempre diversi."]  # fmt: skip
    import io

    from reportlab.pdfgen.canvas import Canvas

    target = io.BytesIO()
    canvas = Canvas(target, pagesize=(595, 842))
    canvas.setFont("Times-Roman", 11)
    for row in range(7):
        canvas.drawString(60, 760 - 16 * row, left[row])
        canvas.drawString(320, 760 - 16 * row, right[row])
    canvas.save()
    import numpy as np

    (image,) = drawn(target.getvalue())
    page = recognise(np.asarray(image), 200, engine())
    text = " ".join(line.text for line in page.lines)
    assert "interventi sociali e sanitari di tutti i comuni che ne fanno parte" in text
    assert "richiesta e orienta verso i servizi che possono dare" in text


@needs_tesseract
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared PDFs are not here")
def test_a_real_scan_is_read_as_it_stands() -> None:
    (path,) = (SHARED / "pdfs").glob("*cts-verbale-003*")
    data = path.read_bytes()
    source = read_bytes(data, path.name, read_scan(data))
    assert source.ocr_pages == (1, 2, 3)
    assert all((page.ocr_confidence or 0) > 85 for page in source.pages)
    text = " ".join(page.text.replace("\n", " ") for page in source.pages)
    for words in (
        "2. Il soggetto identificato come caso sospetto viene sbarcato e ricoverato in struttura",
        "la quarantena ha una durata di 14 giorni dall'ultimo possibile contatto",
        "soggetti in quarantena utilizzerà gli appropriati DPI.",
        "Studi e messa a punto di modelli di “preparedness” in Italia",
    ):
        assert words in text


def lines(*texts: str, sure: float, paragraph: int = 0, upright: bool = True) -> list[OcrLine]:
    return [
        OcrLine(text, 60, 500, 700 - 15 * n, 11, sure, paragraph, (), upright)
        for n, text in enumerate(texts)
    ]


def seen(data: bytes, found: Sequence[OcrLine]) -> Recognition:
    return Recognition("tesseract di prova", pages={1: OcrPage(595, 842, tuple(found))})


def test_doubtful_paragraphs_go_whole_and_doubtful_pages_stay_unread() -> None:
    data = scanned([ACT])
    clear = lines("Il servizio non è gratuito", "per chi risiede fuori.", sure=92)
    noise = lines("ìl; ;| tt", sure=22, paragraph=1)
    stamp = lines("Copia conforme all'originale", sure=88, paragraph=2, upright=False)
    page = read_bytes(data, "a.pdf", seen(data, [*clear, *noise, *stamp])).pages[0]
    assert page.text == (
        "Il servizio non è gratuito per chi risiede fuori.\n\nCopia conforme all'originale"
    )
    assert page.blocks[-1].kind == "footer"
    assert page.ocr_confidence == 92
    mixed = [*lines("Il servizio non", sure=91), *lines("| è gratùito", sure=30)]
    page = read_bytes(data, "a.pdf", seen(data, mixed)).pages[0]
    assert "gratùito" in page.text  # a line inside a paragraph is never dropped
    poor = read_bytes(data, "a.pdf", seen(data, lines("I1 s3rvizi0 n0n è grat", sure=45)))
    assert poor.pages_without_text == (1,)
    assert poor.pages[0].text == ""
    assert "confidenza media 45%" in poor.notes[0]


def test_recognition_is_ignored_where_the_text_layer_says_as_much() -> None:
    data = printed([ACT])
    found = put_recognised([], [], Recognition())
    assert (found.images, found.confidence) == ([], {})
    page = read_bytes(data, "a.pdf", seen(data, lines("Altro testo", sure=99))).pages[0]
    assert page.ocr_confidence is None
    assert "Lo sportello sociale" in page.text


HOCR = b"""<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body>
<div class='ocr_page' title='image "stdin"; bbox 0 0 1000 2000; ppageno 0'>
<p class='ocr_par'><span class='ocr_line' title="bbox 100 200 900 240; baseline 0 -10; x_size 40">
<span class='ocrx_word' title='bbox 100 200 300 240; x_wconf 90'>Anziani</span>
<span class='ocrx_word' title='bbox 310 200 330 240; x_wconf 60'>e</span>
<span class='ocrx_word' title='bbox 700 200 900 240; x_wconf 80'>48.000</span></span></p>
<p class='ocr_par'><span class='ocr_line' title="bbox 10 300 40 900; textangle 90; x_size 30">
<span class='ocrx_word' title='bbox 10 300 40 900; x_wconf 70'>timbro</span></span></p>
</div></body></html>"""


def test_hocr_becomes_lines_in_points() -> None:
    first, second = read_hocr(HOCR, dpi=144).lines
    assert (first.text, first.left, first.right) == ("Anziani e 48.000", 50, 450)
    assert (first.baseline, first.size) == (885, 20)  # (2000 - 240 + 10) / 2, from below
    assert first.cells == (OcrCell("Anziani e", 50, 165), OcrCell("48.000", 350, 450))
    assert first.confidence == round((90 * 7 + 60 * 1 + 80 * 6) / 14, 1)
    assert (second.upright, second.paragraph) == (False, 1)
    for bad in (b"", b"<html>", b"<html></html>"):
        with pytest.raises(HocrError):
            read_hocr(bad, dpi=144)


@settings(max_examples=150, deadline=None, database=None)
@given(st.data())
def test_damaged_hocr_is_an_error_of_its_own_or_true_lines(data: st.DataObject) -> None:
    mutated = bytearray(HOCR)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        pieces = (b"-", b"..", b"9" * 30, b"'", b">", b"\xff", b"nan")
        piece = data.draw(st.sampled_from(pieces))
        mutated[at : at + len(piece)] = piece
    try:
        found = read_hocr(bytes(mutated), dpi=144)
    except HocrError:
        return
    assert all(line.text and line.size >= 1 for line in found.lines)


def test_the_cache_gives_back_what_it_was_given(tmp_path: Path) -> None:
    cache = OcrCache(tmp_path / "ocr")
    line = OcrLine("a b", 1, 2, 3, 4, 90, 0, (OcrCell("a", 1, 1.5), OcrCell("b", 1.6, 2)))
    page, some = OcrPage(595.2, 841.8, (line,)), Engine("tesseract", "5.3.0", 60)
    key, document = "ab" * 32, "cd" * 32
    cache.keep_page(key, page)
    cache.keep_document(document, some, {3: key})
    assert cache.document(document, some) == {3: page}
    assert cache.document(document, Engine("tesseract", "5.4.0", 60)) == {}
    assert cache.page("../current") is None
    cache.prune({document})
    assert cache.page(key) == page
    cache.prune(set())
    assert cache.page(key) is None


@needs_tesseract
def test_a_page_takes_no_longer_than_its_limit() -> None:
    import numpy as np

    noise = np.random.default_rng(1).integers(0, 255, (3000, 2000)).astype(np.uint8)
    hasty = Engine(engine().program, engine().version, 0.05)
    with pytest.raises(RecognitionError, match=r"più di 0\.05 secondi"):
        recognise(noise, 300, hasty)
    assert shutil.which("tesseract") == engine().program
