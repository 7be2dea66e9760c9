"""Hostile and broken input: one line each with reason and remedy, and everything else goes in."""

from __future__ import annotations

import io
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import docx
import pypdf
import pytest

from assistant.errors import RefusedFileError
from assistant.index.progress import NoProgress
from ingest.formats import read_bytes, read_document
from ingest.pipeline import ingest
from ingest.report import IngestReport
from ingest.worker import MAX_MEMORY, Refusal, Task
from ingest.workers import read_all
from tests.command import COMMAND
from tests.odt_file import odt
from tests.scans import printed
from tests.test_ingest import Index, by_name, plan

LINES = ["Il Comitato di distretto approva il programma attuativo annuale."] * 20


def refusal(data: bytes, name: str) -> str:
    with pytest.raises(RefusedFileError) as caught:
        read_bytes(data, name)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.remedy
    return message


def encrypted(user: str, owner: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(printed([LINES])))
    writer.encrypt(user_password=user, owner_password=owner, algorithm="AES-256")
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def pdf_of(*objects: bytes) -> bytes:
    """A PDF file made of these objects; the first is its catalogue."""
    out = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table)
        + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    )


CATALOG, ONE_PAGE = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"


def test_an_owners_password_keeps_nobody_from_reading() -> None:
    document = read_bytes(encrypted("", "del proprietario"), "atto.pdf")
    assert "programma attuativo" in document.pages[0].text
    message = refusal(encrypted("dell'utente", "del proprietario"), "atto.pdf")
    assert message == (
        "«atto.pdf» è protetto da password. Salvane una copia senza password e usa quella."
    )


def test_a_pdf_whose_pages_lead_nowhere_is_refused() -> None:
    loop = pdf_of(CATALOG, b"<</Type/Pages/Kids[2 0 R]/Count 1>>")
    assert "danneggiato" in refusal(loop, "giro.pdf")
    chain = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (n + 3) for n in range(3000)]
    deep = pdf_of(CATALOG, *chain, b"<</Type/Page/MediaBox[0 0 600 800]>>")
    assert "danneggiato" in refusal(deep, "catena.pdf")


def test_entities_and_nesting_in_docx_are_bounded() -> None:
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    cells = "<w:tbl><w:tr><w:tc>" * 3000 + "</w:tc></w:tr></w:tbl>" * 3000
    nested = f'<w:document xmlns:w="{word}"><w:body>{cells}</w:body></w:document>'
    assert "danneggiato" in refusal(docx_with("word/document.xml", nested), "a.docx")


def docx_with(part: str, content: str) -> bytes:
    plain = io.BytesIO()
    docx.Document().save(plain)
    target = io.BytesIO()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(target, "w") as archive:
        for entry in source.infolist():
            archive.writestr(entry, content if entry.filename == part else source.read(entry))
    return target.getvalue()


def test_an_archive_of_many_parts_is_refused_by_its_end() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
        for number in range(20_001):
            archive.writestr(f"word/{number}", "")
    assert "più di 20000 parti" in refusal(target.getvalue(), "a.docx")
    # An end that tells a small number does not help.
    data = bytearray(target.getvalue())
    end = data.rfind(b"PK\x05\x06")
    data[end + 8 : end + 12] = b"\x05\x00\x05\x00"
    assert "parti" in refusal(bytes(data), "a.docx")


def test_an_archive_inside_an_archive_is_not_opened() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeri", bytes(50_000_000))
    text = "<text:p>Il piano di zona è approvato.</text:p>"
    data = odt(text, parts={"Object 1/dentro.zip": bomb.getvalue().decode("latin-1")})
    assert read_bytes(data, "a.odt").pages[0].text == "Il piano di zona è approvato."


@pytest.mark.parametrize("depth", [300, 100_000])
def test_html_too_deep_to_be_read_whole_is_refused(depth: int) -> None:
    page = b"<html><body>" + b"<div>" * depth + b"Il piano" + b"</div>" * depth
    assert "annidata troppo in profondit" in refusal(page, "a.html")
    shallow = b"<html><body>" + b"<div>" * 200 + b"Il piano" + b"</div>" * 200
    assert read_bytes(shallow, "a.html").pages[0].text == "Il piano"


def test_links_in_a_circle_and_devices_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "uno.txt").symlink_to(tmp_path / "due.txt")
    (tmp_path / "due.txt").symlink_to(tmp_path / "uno.txt")
    (tmp_path / "zero.txt").symlink_to("/dev/zero")
    (tmp_path / "sotto").write_text("x")
    cases = {
        "uno.txt": "i collegamenti girano in tondo",
        "zero.txt": "non è un file",
        "sotto/piano.pdf": "non è una cartella",
        "n" * 300 + ".pdf": "il nome è troppo lungo",
    }
    for name, why in cases.items():
        with pytest.raises(RefusedFileError, match=why) as caught:
            read_document(tmp_path / name, max_bytes=10**6)
        assert caught.value.remedy


def test_a_pipe_that_takes_a_files_place_keeps_nobody_waiting(tmp_path: Path) -> None:
    path = tmp_path / "piano.txt"
    os.mkfifo(path)
    started = time.monotonic()
    with pytest.raises(RefusedFileError, match="non è un file"):
        read_document(path, max_bytes=10**6)
    assert time.monotonic() - started < 5


@pytest.fixture()
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "dati")


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "piani"
    folder.mkdir()
    plan(folder / "a.md", "Valdoro", "Lo sportello sociale apre ogni giorno.")
    return folder


def test_files_that_vanish_or_grow_meanwhile_cost_themselves_only(
    index: Index, folder: Path
) -> None:
    """Both change after they were found, in the time that the first file takes to be read."""
    plan(folder / "cresce.md", "Rocca", "La mensa serve cento pasti.")
    plan(folder / "sparisce.md", "Fonte", "Il bus passa due volte.")

    class AtReading(NoProgress):
        """Progress: the moment when the files have been looked at and are about to be read."""

        def stage(self, label: str, total: int | None) -> None:
            if label == "Lettura dei documenti":
                (folder / "sparisce.md").unlink()
                with (folder / "cresce.md").open("a") as file:
                    file.write("Una riga di più.\n")

    report = ingest(
        [str(folder)],
        settings=index.settings,
        store=index.store,
        embedder=index.embedder,
        progress=AtReading(),
    )
    found = by_name(report)
    assert found["a.md"].status == "added"
    assert "è cambiato mentre veniva letto. Ripeti" in str(found["cresce.md"].reason)
    assert "non esiste" in str(found["sparisce.md"].reason)
    assert report.refused
    assert by_name(index.ingest(folder))["cresce.md"].status == "added"


def test_a_file_that_is_being_written_is_read_whole_or_refused(index: Index, folder: Path) -> None:
    growing, stop = folder / "scrive.txt", threading.Event()
    growing.write_text("Il piano di zona.\n" * 1000)

    def write() -> None:
        with growing.open("a") as file:
            while not stop.is_set():
                file.write("Il piano di zona.\n" * 50)
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        report = by_name(index.ingest(folder))
    finally:
        stop.set()
        writer.join()
    assert report["a.md"].status == "added"
    assert report["scrive.txt"].status in ("added", "refused")
    assert "\n" not in str(report["scrive.txt"].reason)
    index.store.verify()


def test_names_made_to_mislead_stay_names(index: Index, folder: Path, tmp_path: Path) -> None:
    plan(folder / "su..\\..\\passwd.md", "Rocca", "La mensa serve cento pasti.")
    (folder / "riga\nnuova.pdf").write_bytes(b"")
    (folder / "\x1b[31mrosso.pdf").write_bytes(b"<html>")
    plan(tmp_path / "fuori.md", "Fonte", "Il bus passa due volte.")
    report = index.ingest(folder, f"{folder}/../fuori.md")
    for entry in report.documents:
        if entry.status == "refused":
            assert entry.reason and entry.reason.isprintable()
    assert {e.status for e in report.documents} == {"added", "refused"}
    kept = sorted(path.name for path in index.store.originals.iterdir())
    assert len(kept) == 3 and all(len(name) == 64 + 3 for name in kept)


FATAL = """
import ctypes, os, signal, sys, time
import ingest.worker as w
read = w.read_bytes
def fatal(data, name, recognition=None):
    if name == "segmento.md": ctypes.string_at(0)
    if name == "ucciso.md": os.kill(os.getpid(), signal.SIGSEGV)
    if name == "lento.md":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True: time.sleep(1)
    if name == "memoria.md": return bytearray(3 * 10**9)
    if name == "parla.md": os.write(1, b"x" * 100_000)
    return read(data, name, recognition)
w.read_bytes = fatal
w.main()
"""


def test_whatever_a_reader_does_costs_its_file_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.workers._MAIN", FATAL)
    names = ["uno", "segmento", "lento", "due", "memoria", "ucciso", "parla", "tre", "quattro"]
    tasks = [Task(f"{n:064x}", name, f"{name}.md", b"# Piano") for n, name in enumerate(names)]
    started = time.monotonic()
    results = {task.source: result for task, result in read_all(tasks, seconds=4)}
    assert list(results) == names
    refused = {name: r.reason for name, r in results.items() if isinstance(r, Refusal)}
    assert sorted(refused) == ["lento", "memoria", "segmento", "ucciso"]
    assert "cadere" in refused["segmento"] and "cadere" in refused["ucciso"]
    assert "troppo tempo" in refused["lento"]
    assert "memoria" in refused["memoria"]
    # The slow file's limit ended it alone, and once.
    assert time.monotonic() - started < 4 + 25


def test_a_slow_files_helpers_end_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, ingest.worker as w\n"
        "def hang(data, name, recognition=None):\n"
        f"    child = subprocess.Popen(['sleep', '300'])\n"
        f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "    child.wait()\n"
        "w.read_bytes = hang\n"
        "w.main()"
    )
    monkeypatch.setattr("ingest.workers._MAIN", code)
    ((_, result),) = read_all([Task("0" * 64, "a", "a.md", b"# Piano")], seconds=3)
    assert isinstance(result, Refusal)
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def hungry_files() -> Iterator[tuple[str, bytes]]:
    """Files that would unpack, or be built, into gigabytes."""
    yield "righe.txt", b"a\n\n" * 15_000_000
    yield "riga.txt", b"a" * 90_000_000
    stream = zlib.compress(b"BT /F1 12 Tf 10 10 Td (parola) Tj ET\n" * 8_000_000, 9)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources"
    page += b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
    content = b"<</Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (len(stream), stream)
    yield "flusso.pdf", pdf_of(CATALOG, ONE_PAGE, page, content)
    yield (
        "tabella.odt",
        odt(
            "<table:table>"
            + "<table:table-row><table:table-cell table:number-columns-spanned='9999' "
            "table:number-rows-spanned='9999'><text:p>x</text:p></table:table-cell>"
            "</table:table-row>" * 30_000 + "</table:table>"
        ),
    )


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_hungry_files_are_refused_within_the_limits_of_memory() -> None:
    tasks = [Task(f"{n:064x}", name, name, data) for n, (name, data) in enumerate(hungry_files())]
    peaks: list[int] = []
    before = _children()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            peaks.append(max((_peak(pid) for pid in _children() - before), default=0))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        results = {task.name: result for task, result in read_all(tasks, seconds=15)}
    finally:
        stop.set()
        watcher.join()
    assert all(isinstance(r, Refusal) for name, r in results.items() if name.endswith(".txt"))
    for result in results.values():
        if isinstance(result, Refusal):
            assert result.reason.isprintable() and "." in result.reason
    assert 0 < max(peaks) < 1_500_000_000
    assert MAX_MEMORY < 1_500_000_000


def _children() -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        try:
            found.update(map(int, (task / "children").read_text().split()))
        except FileNotFoundError:
            continue
    return found


def _peak(pid: int) -> int:
    """Most memory that a process has held at once, in bytes."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM 0 kB")
    return int(line.split()[1]) * 1024


def test_a_long_pdf_is_read_whole(index: Index, folder: Path) -> None:
    pages = [[f"Pagina {n}: lo sportello di Valdoro numero {n} apre."] for n in range(2000)]
    (folder / "lungo.pdf").write_bytes(printed(pages))
    found = by_name(index.ingest(folder))["lungo.pdf"]
    assert (found.status, found.pages) == ("added", 2000)
    backend = index.store.open_current()
    try:
        assert "numero 1999 apre" in backend.page(str(found.document_id), 2000).text
    finally:
        backend.close()


BAD: dict[str, Callable[[Path], object]] = {
    "vuoto.pdf": lambda p: p.write_bytes(b""),
    "finto.pdf": lambda p: p.write_bytes(b"<!doctype html><html><body>404</body></html>"),
    "cifrato.pdf": lambda p: p.write_bytes(encrypted("x", "y")),
    "mozzo.docx": lambda p: p.write_bytes(docx_with("", "")[:4000]),
    "caso.txt": lambda p: p.write_bytes(os.urandom(50_000)),
    "nul.odt": lambda p: p.write_bytes(b"\x00" * 500),
    "riga\nnuova.html": lambda p: p.write_bytes(b"<html>" + b"<div>" * 5000),
}


def test_the_command_says_one_line_for_each_and_writes_nowhere_else(
    folder: Path, tmp_path: Path
) -> None:
    for name, make in BAD.items():
        make(folder / name)
    if shutil.which("tesseract"):
        from tests.scans import scanned

        (folder / "scansione.pdf").write_bytes(scanned([LINES]))
    home, temporary, data = (tmp_path / name for name in ("casa", "tmp", "dati"))
    home.mkdir()
    temporary.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIANO_")}
    environment |= {"HOME": str(home), "TMPDIR": str(temporary), "PIANO_DATA_DIR": str(data)}
    environment["XDG_CACHE_HOME"] = str(home / ".cache")
    before = sorted(map(str, folder.rglob("*")))
    done = subprocess.run(
        [*COMMAND, "ingest", str(folder)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    refused = [line for line in done.stdout.splitlines() if line.startswith("rifiutato: ")]
    assert len(refused) == len(BAD)
    assert all(line.endswith((".", "»")) and " — «" in line for line in refused)
    assert f"aggiunto: {folder}/a.md" in done.stdout
    assert list(home.rglob("*")) == list(temporary.rglob("*")) == []
    assert sorted(map(str, folder.rglob("*"))) == before
    assert not (data / ".scratch").exists()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"piani", "casa", "tmp", "dati"}


def test_readers_have_their_temporary_folder_in_the_data_directory(
    index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import os, tempfile, ingest.worker as w\n"
        "read = w.read_bytes\n"
        "def writes(data, name, recognition=None):\n"
        "    tempfile.NamedTemporaryFile(delete=False).write(b'x')\n"
        "    return read(tempfile.gettempdir().encode(), name)\n"
        "w.read_bytes = writes\n"
        "w.main()"
    )
    monkeypatch.setattr("ingest.workers._MAIN", code)
    report: IngestReport = index.ingest(folder)
    assert not report.refused
    scratch = index.settings.data_dir / ".scratch"
    assert list(index.texts().values()) == [str(scratch)]
    assert not scratch.exists()


def test_a_reader_that_fell_leaves_no_image_of_its_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = (
        "import resource, ingest.worker as w\n"
        "def told(data, name, recognition=None):\n"
        "    raise w.RefusedFileError(str(resource.getrlimit(resource.RLIMIT_CORE)))\n"
        "w.read_bytes = told\n"
        "w.main()"
    )
    monkeypatch.setattr("ingest.workers._MAIN", code)
    ((_, result),) = read_all([Task("0" * 64, "a", "a.md", b"# Piano")], seconds=30)
    assert result == Refusal("(0, 0)")
    assert resource.getrlimit(resource.RLIMIT_AS)[0] in (resource.RLIM_INFINITY, -1)
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
