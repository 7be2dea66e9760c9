"""Mutated documents never make the ingest fall: each is read truly, or refused in one line.

Real PDFs are mutated when ../shared is there; documents made here always are. The time is bounded.
"""

from __future__ import annotations

import io
import random
import re
import time
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus import DOCUMENTS
from ingest.cleaning import normalise
from ingest.structure import Structured
from ingest.worker import Refusal, Task
from ingest.workers import Readers
from tests.odt_file import odt
from tests.scans import printed, scanned
from tests.test_ingest import Index
from tests.test_odt import PLAN

SHARED = Path(__file__).resolve().parents[2] / "shared" / "pdfs"
SECONDS = 20
"""Longest time for one mutant; a slow one is refused as any slow file is."""
MAX_BYTES = 700_000
BUDGET_SECONDS = 25.0

SPLICES = (
    b"\x00", b"\xff" * 8, b"endobj", b"endstream", b"<<", b">>", b"%%EOF", b"<!--", b"]]>",
    b"<table>", b"</p>", b"&#0;", b"\xed\xa0\x80", b"\xe2\x80\xae", b"999999999999", b"-1",
    b"/Length 0", b"PK\x01\x02", b"\r\n\r\n", b"```", b"|-|-|",
)  # fmt: skip

MUTATIONS = ("flip", "random", "cut", "double", "splice", "rename", "rename", "truncate")
NAMES = re.compile(rb"[A-Za-z][A-Za-z:-]{2,30}|\d+")
NEW_NAMES = (
    b"0", b"1", b"-1", b"65535", b"99999999999999999999", b"Kids", b"Parent", b"Contents", b"Font",
    b"table", b"text:p", b"text:list", b"table:table", b"w:p", b"w:tbl", b"w:tc", b"none", b"pre",
    b"script", b"heading",
)  # fmt: skip


@cache
def originals() -> tuple[tuple[str, bytes], ...]:
    """Names and contents of the documents that are mutated."""
    word = docx.Document()
    word.add_heading("Piano di zona", 1)
    word.add_paragraph("Lo sportello sociale apre ogni giorno.", style="List Bullet")
    table = word.add_table(2, 2)
    table.cell(0, 0).text, table.cell(1, 1).text = "Azione", "48.000"
    saved = io.BytesIO()
    word.save(saved)
    made = [
        ("fatto.pdf", printed([["Il piano di zona è approvato."] * 30] * 3)),
        ("scansione.pdf", scanned([["Verbale della seduta."]])),
        ("fatto.docx", saved.getvalue()),
        ("fatto.odt", odt(PLAN)),
    ]
    bundled = sorted(DOCUMENTS.iterdir()) if DOCUMENTS.is_dir() else []
    real = sorted(SHARED.glob("*.pdf")) if SHARED.is_dir() else []
    found = [(path.name, path.read_bytes()) for path in (*bundled, *real) if path.is_file()]
    return tuple(made + [(name, data) for name, data in found if len(data) <= MAX_BYTES])


@st.composite
def mutants(draw: st.DrawFn) -> tuple[str, bytes]:
    """A document with a few stretches overwritten, cut out, doubled or replaced."""
    name, data = draw(st.sampled_from(originals()))
    if name.endswith((".docx", ".odt")) and draw(st.booleans()):
        mutated = repacked(data, draw)
    else:
        mutated = overwritten(data, draw)
    # At times under the name of another format.
    suffix = draw(st.sampled_from((None,) * 8 + (".pdf", ".docx", ".odt", ".html", ".md", ".txt")))
    return (name if suffix is None else f"altro{suffix}"), mutated


def repacked(data: bytes, draw: st.DrawFn) -> bytes:
    """An archive with one of its parts mutated: what is inside is reached that way only."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as archive:
        parts = [entry.filename for entry in source.infolist()]
        chosen = draw(st.sampled_from([p for p in parts if p.endswith((".xml", ".rels"))]))
        for part in parts:
            content = source.read(part)
            archive.writestr(part, overwritten(content, draw) if part == chosen else content)
    return target.getvalue()


def overwritten(data: bytes, draw: st.DrawFn) -> bytes:
    mutated = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        size = len(mutated)
        if size < 2:
            break
        start = draw(st.integers(0, size - 1))
        length = draw(st.sampled_from((1, 2, 4, 16, 100, 4000)))
        match draw(st.sampled_from(MUTATIONS)):
            case "flip":
                mutated[start] ^= 1 << draw(st.integers(0, 7))
            case "random":
                seed = draw(st.integers(0, 2**16))
                mutated[start : start + length] = random.Random(seed).randbytes(length)
            case "cut":
                del mutated[start : start + length]
            case "double":
                mutated[start:start] = mutated[start : start + length]
            case "splice":
                piece = draw(st.sampled_from(SPLICES))
                mutated[start : start + len(piece)] = piece
            case "truncate":
                del mutated[max(1, start) :]
            case "rename":
                # XML, HTML and PDF stay well formed when one of their words takes another's place.
                words = NAMES.findall(data)
                old, new = draw(st.sampled_from(words or [b"x"])), draw(st.sampled_from(NEW_NAMES))
                mutated = mutated.replace(old, new, draw(st.integers(1, 3)))
    return bytes(mutated)


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    with Readers() as readers:
        yield readers


def check(name: str, result: Structured | Refusal) -> None:
    """A refusal in one line, or offsets that are true and text that is canonical."""
    if isinstance(result, Refusal):
        assert result.reason.isprintable(), name
        assert result.reason.startswith("«") and result.reason.endswith("."), (name, result.reason)
        assert len(result.reason) < 600
        return
    texts = {page.number: page.text for page in result.pages}
    assert list(texts) == list(range(1, len(texts) + 1)), name
    assert result.document.page_count == len(texts)
    for text in texts.values():
        assert normalise(text) == text, name
        text.encode()
    for passage in result.passages:
        words = [texts[span.page][span.start : span.end] for span in passage.spans]
        assert all(words) and "\n".join(words) == passage.text, name
    for record in (*result.schede, *result.interventi):
        for field in record.fields:
            for quote in field.quotes:
                assert texts[quote.page][quote.start : quote.end] == quote.text, name


def test_any_mutant_is_read_truly_or_refused_in_one_line(readers: Readers) -> None:
    stop = time.monotonic() + BUDGET_SECONDS
    tried = refused = 0

    @settings(
        max_examples=400,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(mutants(), min_size=2, max_size=2))
    def holds(pair: list[tuple[str, bytes]]) -> None:
        nonlocal tried, refused
        if time.monotonic() > stop:
            return
        tasks = [Task(f"{n:064x}", name, name, data) for n, (name, data) in enumerate(pair)]
        for task, result in readers.read(tasks, seconds=SECONDS):
            tried += 1
            refused += isinstance(result, Refusal)
            check(task.name, result)

    holds()
    assert tried >= 40
    assert 0 < refused < tried


def test_a_folder_of_mutants_is_taken_as_far_as_it_can_be(tmp_path: Path) -> None:
    chance = random.Random(2019)
    folder = tmp_path / "mutanti"
    folder.mkdir()
    (folder / "buono.md").write_text("# Piano di zona di Valdoro\n\nLo sportello apre.\n", "utf-8")
    known = originals()
    for number in range(40):
        name, data = known[chance.randrange(len(known))]
        mutated = bytearray(data)
        for _ in range(chance.randrange(1, 5)):
            start = chance.randrange(len(mutated))
            length = chance.choice((1, 8, 200))
            mutated[start : start + length] = chance.randbytes(length)
        (folder / f"{number:02} {name}").write_bytes(mutated)
    index = Index(tmp_path / "dati")
    report = index.ingest(folder)
    assert len(report.documents) == 41
    for entry in report.documents:
        assert entry.status in ("added", "duplicate", "refused")
        if entry.status == "refused":
            assert entry.reason and entry.reason.isprintable()
    assert any(e.source.endswith("buono.md") and e.status == "added" for e in report.documents)
    assert report.refused
    index.store.verify()
