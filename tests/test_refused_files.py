"""Files that cannot be read truthfully are refused with one Italian line: reason and remedy."""

from __future__ import annotations

import io
import os
import random
import re
import zipfile
from pathlib import Path

import docx
import pypdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from assistant.errors import RefusedFileError
from ingest.formats import read_bytes, read_document

LIMIT = 50_000_000


def refusal(data: bytes, name: str) -> str:
    with pytest.raises(RefusedFileError) as caught:
        read_bytes(data, name)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.remedy and message.startswith("«")
    return message


def refused_path(path: Path, max_bytes: int = LIMIT) -> str:
    with pytest.raises(RefusedFileError) as caught:
        read_document(path, max_bytes=max_bytes)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return str(caught.value)


def pdf_bytes(pages: int = 3) -> bytes:
    target = io.BytesIO()
    canvas = Canvas(target, pageCompression=1)
    for number in range(pages):
        for row in range(30):
            canvas.drawString(70, 750 - 20 * row, f"Pagina {number}, riga {row} del piano di zona")
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def docx_bytes() -> bytes:
    document = docx.Document()
    document.add_paragraph("Un paragrafo vero.")
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.html", "a.md", "a.txt"])
@pytest.mark.parametrize("data", [b"", b"  \r\n\t", b"\x00" * 64])
def test_empty_files_are_refused(name: str, data: bytes) -> None:
    assert "è vuoto" in refusal(data, name)


def test_html_named_pdf_says_what_it_is_and_what_to_do() -> None:
    message = refusal(b"<!DOCTYPE html><html><body>Errore 404</body></html>", "bando.pdf")
    assert message == (
        "«bando.pdf» ha estensione .pdf ma contiene HTML. Rinominalo in .html e riprova."
    )


def test_other_contents_under_a_wrong_name_are_named() -> None:
    assert "contiene un PDF. Rinominalo in .pdf" in refusal(pdf_bytes(), "piano.txt")
    assert "contiene un documento Word. Rinominalo in .docx" in refusal(docx_bytes(), "piano.pdf")
    assert "contiene HTML" in refusal(b"\xef\xbb\xbf <html><p>testo</p></html>", "piano.md")
    assert "un'immagine PNG" in refusal(b"\x89PNG\r\n\x1a\n" + b"x" * 50, "foto.pdf")


def test_random_bytes_are_refused_under_every_name() -> None:
    data = random.Random(5).randbytes(40_000)
    assert "contiene altri dati" in refusal(data, "a.pdf")
    assert "contiene altri dati" in refusal(data, "a.docx")
    for name in ("a.txt", "a.md", "a.html"):
        assert "dati binari" in refusal(data, name)


def test_unknown_extension_lists_the_accepted_ones() -> None:
    message = refusal(b"dati", "tabella.xlsx")
    assert ".xlsx" in message
    assert ".pdf, .docx, .odt, .html" in message
    assert "non ha estensione" in refusal(b"dati", "LEGGIMI")


def test_password_is_asked_for_by_name() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf_bytes()))
    writer.encrypt(user_password="segreta", algorithm="AES-256")
    target = io.BytesIO()
    writer.write(target)
    assert "«atto.pdf» è protetto da password" in refusal(target.getvalue(), "atto.pdf")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_truncated_pdf_is_refused(share: float) -> None:
    data = pdf_bytes(20)
    assert "incompleto" in refusal(data[: int(len(data) * share)], "a.pdf")


def test_truncated_pdf_with_a_false_end_is_refused() -> None:
    data = pdf_bytes(20)
    half = data[: len(data) // 2]
    refusal(half + b"\n%%EOF\n", "a.pdf")


def test_damaged_content_is_never_read_as_a_shorter_document() -> None:
    """Wherever bytes are spoiled, the file is refused or every word of it is still there."""
    whole = read_bytes(pdf_bytes(6), "a.pdf")
    chance = random.Random(11)
    refused = 0
    for _ in range(40):
        data = bytearray(pdf_bytes(6))
        start = chance.randrange(20, len(data) - 400)
        data[start : start + 60] = chance.randbytes(60)
        try:
            document = read_bytes(bytes(data), "a.pdf")
        except RefusedFileError:
            refused += 1
            continue
        assert len(document.pages) == len(whole.pages)
        words = sum(len(page.text) for page in document.pages)
        assert words >= 0.9 * sum(len(page.text) for page in whole.pages)
    assert refused >= 20


@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_truncated_docx_is_refused(share: float) -> None:
    data = docx_bytes()
    message = refusal(data[: int(len(data) * share)], "a.docx")
    assert "troncato o danneggiato" in message


def test_docx_with_spoiled_parts_is_refused() -> None:
    source = zipfile.ZipFile(io.BytesIO(docx_bytes()))
    for spoiled in ("word/document.xml", "[Content_Types].xml", "_rels/.rels"):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for entry in source.infolist():
                content = source.read(entry)
                archive.writestr(
                    entry.filename, b"<rotto" if entry.filename == spoiled else content
                )
        refusal(target.getvalue(), "a.docx")


def test_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("word/document.xml", b" " * 80_000_000)
    assert "decompresso occupa 80 MB" in refusal(target.getvalue(), "bomba.docx")


def test_entity_bomb_in_docx_does_not_expand() -> None:
    entities = '<!ENTITY a0 "ah">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)
    )
    source = zipfile.ZipFile(io.BytesIO(docx_bytes()))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "word/document.xml":
                body = re.sub(rb"<\?xml[^>]*\?>", b"", content)
                content = f"<!DOCTYPE d [{entities}]>".encode() + body.replace(
                    b"Un paragrafo vero.", b"&a11;"
                )
            archive.writestr(entry.filename, content)
    try:
        document = read_bytes(target.getvalue(), "a.docx")
    except RefusedFileError:
        return
    assert len(document.pages[0].text) < 1000


def test_plain_zip_and_old_word_files_are_told_from_docx() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("dati.csv", "a,b")
    assert "un altro tipo di archivio" in refusal(target.getvalue(), "a.docx")
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600
    assert "vecchio formato" in refusal(old, "a.docx")
    locked = old + "EncryptedPackage".encode("utf-16-le")
    assert "protetto da password" in refusal(locked, "a.docx")


def test_paths_that_are_no_readable_file_are_refused(tmp_path: Path) -> None:
    assert "non esiste" in refused_path(tmp_path / "manca.pdf")
    assert "è una cartella" in refused_path(tmp_path)
    assert "non si può leggere" in refused_path(tmp_path / "a\x00b.pdf")
    pipe = tmp_path / "tubo.txt"
    os.mkfifo(pipe)
    assert "non è un file" in refused_path(pipe)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_missing_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chiuso.txt"
    path.write_text("testo", encoding="utf-8")
    path.chmod(0)
    assert "mancano i permessi" in refused_path(path)


def test_a_file_over_the_limit_names_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "grande.txt"
    path.write_bytes(b"x" * 2_000_001)
    assert "supera il limite di 2 MB" in refused_path(path, 2_000_000)


def test_a_name_with_line_breaks_still_gives_one_line() -> None:
    assert "\ufffd" in refusal(b"dati", "riga\nnuova.xlsx")
