"""Asking for one address: what is refused before, on the way, and of what arrives."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from assistant.errors import RefusedFileError
from ingest.web.addresses import AddressError, canonical, join, shown, site_of
from ingest.web.bodies import BodyError, TooLargeError, file_name, in_utf8, unpacked
from ingest.web.fetch import Fetcher, UnreachableError, Validators
from ingest.web.network import ForbiddenAddressError, Guard, is_public
from tests.site import Handler, Site, page, running_site

LIMIT = 100_000


def anywhere(address: str) -> bool:
    return True


@pytest.fixture()
def site() -> Iterator[Site]:
    with running_site() as running:
        yield running


@pytest.fixture()
def fetcher() -> Iterator[Fetcher]:
    made = Fetcher(timeout_seconds=1.5, allowed=anywhere)
    yield made
    made.close()


# addresses


@pytest.mark.parametrize(
    ("given", "spelt"),
    [
        ("HTTP://Ente.IT", "http://ente.it/"),
        ("https://ente.it:443/a/./b/../c?x=1#parte", "https://ente.it/a/c?x=1"),
        ("https://ente.it:8443/%7Edocumenti/%e0", "https://ente.it:8443/~documenti/%E0"),
        ("https://ente.it/a/%2e%2e/%2E%2e/b", "https://ente.it/b"),
        ("https://ente.it./piano di zona", "https://ente.it/piano%20di%20zona"),
        ("https://ente.it/città", "https://ente.it/citt%C3%A0"),
        ("http://[2001:DB8::1]/", "http://[2001:db8::1]/"),
        ("https://ente.it/a/..", "https://ente.it/"),
    ],
)
def test_an_address_has_one_spelling(given: str, spelt: str) -> None:
    assert canonical(given) == spelt
    assert canonical(spelt) == spelt


@pytest.mark.parametrize(
    "address",
    [
        "ftp://ente.it/", "file:///etc/passwd", "javascript:alert(1)", "https://", "https:///a",
        "https://utente@ente.it/", "https://utente:segreto@ente.it/", "https://:@ente.it/",
        "https://ente.it:0/", "https://ente.it:99999/", "https://ente.it:http/", "https://[::1/",
        "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://127.1/",
        "http://0177.0.0.1/", "http://127.0.0.01/", "http://256.1.1.1/", "http://1.2.3.4.5/",
        "https://ente.it\\@altro.it/", "https://en te.it/", "https://ente..it/",
    ],
)  # fmt: skip
def test_odd_addresses_are_not_asked_for(address: str) -> None:
    with pytest.raises(AddressError):
        canonical(address)


def test_a_password_is_never_shown() -> None:
    for address in ("https://utente:segreto@ente.it/a", "https://segreto@ente.it?x"):
        assert "segreto" not in shown(address)
        assert "ente.it" in shown(address)
    assert shown("https://ente.it/a@b") == "https://ente.it/a@b"


@pytest.mark.parametrize(
    ("start", "inside", "outside"),
    [
        ("https://e.it/a/", ["https://e.it/a", "https://e.it/a/b?c"], ["https://e.it/ab", "https://e.it/"]),
        ("https://e.it/a", ["https://e.it/a", "https://e.it/a/b"], ["https://e.it/ab"]),
        ("https://e.it/a/index.html", ["https://e.it/a/b.pdf"], ["https://e.it/b"]),
        ("http://e.it/a/", ["https://e.it/a/b"], ["https://e.it:8443/a/b", "http://www.e.it/a/b"]),
        ("https://e.it/a/", ["https://e.it/a/b"], ["http://e.it/a/b", "https://e.it/a/../b"]),
        ("http://e.it:8080/a/", ["http://e.it:8080/a/b"], ["https://e.it/a/b", "http://e.it/a/b"]),
    ],
)  # fmt: skip
def test_a_folder_holds_what_is_below_it(start, inside, outside) -> None:
    site = site_of(canonical(start))
    assert [site.holds(canonical(address)) for address in inside] == [True] * len(inside)
    assert [site.holds(canonical(address)) for address in outside] == [False] * len(outside)


def test_a_link_is_read_as_a_browser_reads_it() -> None:
    assert join("https://e.it/a/b.html", "c.pdf#p=2") == "https://e.it/a/c.pdf"
    assert join("https://e.it/a/b.html", " ../d\n") == "https://e.it/d"
    assert join("https://e.it/a/", "//altro.it") == "https://altro.it/"
    assert join("https://e.it/a/b", "?x=1") == "https://e.it/a/b?x=1"
    for link in ("mailto:a@b.it", "javascript:void(0)", "https://[", "tel:051"):
        with pytest.raises(AddressError):
            join("https://e.it/", link)


# the private network


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "192.88.99.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1",
        "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:7f00:1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::1",
        "2002:808:808::1", "2001:0:53aa:64c::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_of_the_public_network(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2600:9000:2000::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_public_network(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "answers", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:192.168.0.1"], ["::1"]]
)
def test_a_name_that_leads_inside_is_refused_before_any_connection(answers: list[str]) -> None:
    fetcher = Fetcher(timeout_seconds=5, resolve=lambda host, port: answers)
    with pytest.raises(RefusedFileError, match="rete privata"):
        fetcher.fetch("http://ente.it/", max_bytes=LIMIT)
    fetcher.close()


def test_the_private_network_is_refused_by_address(site: Site) -> None:
    site.serve("/", page("Piano"))
    fetcher = Fetcher(timeout_seconds=5)
    for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"):
        with pytest.raises(RefusedFileError, match="rete privata"):
            fetcher.fetch(f"http://{host}:{site.port}/", max_bytes=LIMIT)
    assert site.paths() == []
    fetcher.close()


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(site: Site) -> None:
    """DNS rebinding: a second answer would lead inside, and is never asked for."""
    site.serve("/", page("Piano"))
    looked_up: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["10.0.0.1"]

    fetcher = Fetcher(timeout_seconds=5, allowed=anywhere, resolve=rebinding)
    response = fetcher.fetch(f"http://ente.it:{site.port}/", max_bytes=LIMIT)
    assert b"Piano" in (response.data or b"")
    assert looked_up == ["ente.it"]
    assert site.headers("/")["Host"] == f"ente.it:{site.port}"
    fetcher.close()


def test_every_connection_is_judged_anew() -> None:
    answers = iter([["10.0.0.1"], ["127.0.0.1"]])
    guard = Guard(resolve=lambda host, port: next(answers))
    for _ in range(2):
        with pytest.raises(ForbiddenAddressError):
            guard.connect_tcp("ente.it", 80)


def test_a_redirect_to_the_private_network_is_refused(site: Site) -> None:
    site.redirect("/a", "http://interno.it/")
    answers = {"ente.it": ["127.0.0.1"], "interno.it": ["10.0.0.1"]}
    fetcher = Fetcher(
        timeout_seconds=5,
        allowed=lambda address: address == "127.0.0.1" or is_public(address),
        resolve=lambda host, port: answers[host],
    )
    with pytest.raises(RefusedFileError, match=r"rimanda a «http://interno[.]it/», che è un"):
        fetcher.fetch(f"http://ente.it:{site.port}/a", max_bytes=LIMIT)
    assert site.paths() == ["/a"]
    fetcher.close()


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("file:///etc/passwd", "http o https"),
        ("http://u:p@127.0.0.1/", "password"),
        ("http://127.0.0.1:22/", "porta"),
        ("http://2130706433/", "non è scritto"),
        ("http://[::1", "non risponde come"),
    ],
)
def test_a_redirect_to_an_odd_address_is_refused(site, fetcher, location: str, why: str) -> None:
    site.redirect("/a", location)
    with pytest.raises(RefusedFileError, match=why):
        fetcher.fetch(f"{site.address}/a", max_bytes=LIMIT)


def test_proxies_of_the_environment_are_not_used(site: Site, monkeypatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://10.0.0.1:3128")
    site.serve("/", page("Piano"))
    fetcher = Fetcher(timeout_seconds=2, allowed=anywhere)
    assert fetcher.fetch(f"{site.address}/", max_bytes=LIMIT).data
    fetcher.close()


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of ente.it in one file."""
    path = tmp_path_factory.mktemp("tls") / "ente.pem"
    key = path.with_suffix(".key")
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=ente.it", "-addext", "subjectAltName=DNS:ente.it",
         "-keyout", key, "-out", path],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl is not there: no certificate can be made for this test")
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path


def test_tls_asks_for_the_name_and_checks_it(certificate: Path) -> None:
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _, name, __: names.append(name)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with running_site() as site:
        site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
        site.serve("/", page("Piano"))

        def ask(host: str, tls: ssl.SSLContext | None) -> bytes | None:
            fetcher = Fetcher(
                timeout_seconds=5,
                allowed=anywhere,
                resolve=lambda host, port: ["127.0.0.1"],
                tls=tls,
            )
            try:
                return fetcher.fetch(f"https://{host}:{site.port}/", max_bytes=LIMIT).data
            finally:
                fetcher.close()

        assert b"Piano" in (ask("ente.it", trusting) or b"")
        assert names == ["ente.it"]
        for host, tls in (("altro.it", trusting), ("ente.it", None)):
            with pytest.raises(UnreachableError, match="certificato"):
                ask(host, tls)


# redirects, errors, time


def test_a_redirect_is_followed_and_the_final_address_told(site: Site, fetcher: Fetcher) -> None:
    site.redirect("/a", "/b/../c#d", status=308)
    site.serve("/c", page("Piano"))
    assert fetcher.fetch(f"{site.address}/a", max_bytes=LIMIT).url == f"{site.address}/c"
    assert site.headers("/c")["User-Agent"].startswith("piano/")
    assert "Cookie" not in site.headers("/c")


@pytest.mark.parametrize(
    ("path", "why"),
    [("/giro", "troppe volte"), ("/manca", "non esiste più.*404"), ("/chiusa", "accesso.*403"),
     ("/guasta", "500"), ("/grande", "limite di 0.1 MB"), ("/vuota", "304")],
)  # fmt: skip
def test_an_address_that_cannot_be_taken_says_why(site, fetcher, path: str, why: str) -> None:
    site.redirect("/giro", "/giro")
    site.serve("/chiusa", b"", 403)
    site.serve("/guasta", b"", 500)
    site.serve("/grande", b"x" * 200_000)
    site.serve("/vuota", b"", 304)
    with pytest.raises(RefusedFileError, match=why):
        fetcher.fetch(site.address + path, max_bytes=LIMIT)


def test_a_redirect_against_the_rule_is_refused(site: Site, fetcher: Fetcher) -> None:
    site.redirect("/a", "/b")
    site.serve("/b", page("Piano"))
    with pytest.raises(RefusedFileError, match="/b», che è fuori"):
        fetcher.fetch(
            f"{site.address}/a",
            max_bytes=LIMIT,
            rule=lambda address: "è fuori" if address.endswith("/b") else None,
        )
    assert site.paths() == ["/a"]


def test_a_refused_connection_and_an_unknown_name_are_told_apart(fetcher: Fetcher) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UnreachableError, match="non risponde"):
        fetcher.fetch(f"http://127.0.0.1:{port}/", max_bytes=LIMIT)
    with pytest.raises(UnreachableError, match="la rete non c'è"):
        fetcher.fetch("http://non-esiste.it/", max_bytes=LIMIT)


def drip(opening: bytes, drop: bytes):  # type: ignore[no-untyped-def]
    def write(handler: Handler) -> None:
        handler.wfile.write(opening)
        try:
            for _ in range(200):
                handler.wfile.write(drop)
                time.sleep(0.05)
        except OSError:
            return

    return write


@pytest.mark.parametrize(
    ("opening", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nX-Goccia: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["body", "headers", "chunks"],
)
def test_a_server_that_drips_is_left_when_the_time_is_over(site, fetcher, opening, drop) -> None:
    site.write("/lento", drip(opening, drop))
    started = time.monotonic()
    with pytest.raises(RefusedFileError, match="troppo lento"):
        fetcher.fetch(f"{site.address}/lento", max_bytes=LIMIT)
    assert 1.2 < time.monotonic() - started < 4


def test_a_look_up_that_never_ends_does_not_hold_the_program(monkeypatch) -> None:
    from ingest.web import network

    ended = threading.Event()
    monkeypatch.setattr(network, "LOOKUP_SECONDS", 0.2)

    def stuck(*_: object, **__: object) -> list[object]:
        ended.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    fetcher = Fetcher(timeout_seconds=5)
    started = time.monotonic()
    with pytest.raises(UnreachableError):
        fetcher.fetch("http://ente.it/", max_bytes=LIMIT)
    assert time.monotonic() - started < 3
    ended.set()
    fetcher.close()


def test_a_body_that_breaks_off_is_refused(site: Site, fetcher: Fetcher) -> None:
    opening = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<html>"
    site.write("/rotto", lambda handler: handler.wfile.write(opening))
    with pytest.raises(RefusedFileError, match="non risponde come dovrebbe"):
        fetcher.fetch(f"{site.address}/rotto", max_bytes=LIMIT)


# conditional requests


def test_validators_go_to_the_address_they_came_from_only(site: Site, fetcher: Fetcher) -> None:
    site.redirect("/a", "/b")
    site.serve("/b", page("Piano"), ETag='"1"')
    first = fetcher.fetch(f"{site.address}/a", max_bytes=LIMIT)
    assert first.validators == Validators('"1"', "")
    again = fetcher.fetch(f"{site.address}/a", max_bytes=LIMIT, known=(first.url, first.validators))
    assert again.data is None
    assert "If-None-Match" not in site.headers("/a")
    assert site.headers("/b")["If-None-Match"] == '"1"'
    site.redirect("/a", "/c")
    site.serve("/c", page("Altro"), ETag='"1"')
    moved = fetcher.fetch(f"{site.address}/a", max_bytes=LIMIT, known=(first.url, first.validators))
    assert b"Altro" in (moved.data or b"")


# bodies


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),
        ("gzip", lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:])),
    ],
    ids=["gzip", "deflate", "bare-deflate", "two-members"],
)
def test_compressed_bodies_are_unpacked(site, fetcher, encoding, pack) -> None:
    body = page("Piano", text="Lo sportello apre. " * 500)
    site.serve("/", pack(body), Content_Encoding=encoding)
    assert fetcher.fetch(f"{site.address}/", max_bytes=LIMIT).data == body


def test_a_decompression_bomb_is_refused_early(site: Site, fetcher: Fetcher) -> None:
    bomb = gzip.compress(bytes(300_000_000), 6)
    assert len(bomb) < 400_000
    site.serve("/", bomb, Content_Encoding="gzip")
    started = time.process_time()
    with pytest.raises(RefusedFileError, match="limite di 1 MB"):
        fetcher.fetch(f"{site.address}/", max_bytes=1_000_000)
    # Nothing like the second it takes to unpack the whole.
    assert time.process_time() - started < 0.3


def test_a_bomb_is_never_held_whole() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    largest = 0
    with pytest.raises(TooLargeError):
        for block in unpacked([bomb], "gzip", 5_000_000):
            largest = max(largest, len(block))
    assert largest <= 1 << 20


@pytest.mark.parametrize(
    ("encoding", "body", "why"),
    [
        ("br", b"qualcosa", "compressione"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"x")), "compressione"),
        ("gzip", b"non compresso", "danneggiato"),
        ("gzip", gzip.compress(b"piano" * 1000)[:-20], "incompleto"),
    ],
)
def test_bodies_in_odd_compressions_are_refused(site, fetcher, encoding, body, why) -> None:
    site.serve("/", body, Content_Encoding=encoding)
    with pytest.raises(RefusedFileError, match=why):
        fetcher.fetch(f"{site.address}/", max_bytes=LIMIT)


HTML, PDF = b"<!DOCTYPE html><html><body>Piano</body></html>", b"%PDF-1.7\n..."


@pytest.mark.parametrize(
    ("last", "data", "kind", "disposition", "name"),
    [
        ("pagina", HTML, "text/html; charset=utf-8", "", "pagina.html"),
        ("", HTML, "text/html", "", "pagina.html"),
        ("index.php", HTML, "text/html", "", "index.php.html"),
        ("a.htm", HTML, "text/html", "", "a.htm"),
        ("piano.pdf", PDF, "application/pdf", "", "piano.pdf"),
        ("piano.pdf", PDF, "text/html", "", "piano.pdf"),
        ("file", PDF, "application/octet-stream", "", "file.pdf"),
        ("@@download", b"# Piano", "application/octet-stream", 'attachment; filename="a.md"',
         "@@download.md"),
        ("note.md", b"# Piano", "text/plain", "", "note.md"),
        ("note", b"Piano", "text/plain", "", "note.txt"),
        ("nota.txt", b"Piano", "", "", "nota.txt"),
        ("x", b"<p>Un brano di pagina", "text/html", "", "x.html"),
    ],
)  # fmt: skip
def test_the_format_is_what_the_bytes_say_then_the_server_then_the_name(
    last, data, kind, disposition, name
) -> None:
    assert file_name(last, data, kind, disposition) == name


@pytest.mark.parametrize(
    ("last", "data", "kind", "why"),
    [
        ("piano.pdf", HTML, "text/html", "pagina HTML"),
        ("scarica", HTML, "application/pdf", "pagina HTML"),
        ("scarica", b"ciao", "application/pdf", "altri dati"),
        ("foto", b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
        ("dati", b'{"a": 1}', "application/json", "application/json"),
        ("dati", b"testo", "", "non dichiarato"),
    ],
)
def test_what_is_no_document_is_refused(last: str, data: bytes, kind: str, why: str) -> None:
    with pytest.raises(BodyError, match=why):
        file_name(last, data, kind, "")


def test_an_encoding_told_by_the_header_alone_is_kept_in_the_text() -> None:
    text = "<p>Così è la città</p>"
    greek = "<p>Σχέδιο</p>"
    bom = b"\xef\xbb\xbf"
    assert in_utf8(text.encode("cp1252"), "text/html; charset=ISO-8859-1") == bom + text.encode()
    assert in_utf8(greek.encode("iso8859-7"), 'text/html; charset="iso-8859-7"') == (
        bom + greek.encode()
    )
    assert in_utf8(text.encode("utf-16-le"), "text/html;charset=utf-16le") == bom + text.encode()
    own = b'<meta charset="windows-1252">' + text.encode("cp1252")
    for data, header in (
        (text.encode(), "text/html; charset=iso-8859-1"),  # a server's default, and wrong
        (own, "text/html; charset=iso-8859-1"),
        (text.encode("cp1252"), "text/html"),
        (text.encode("cp1252"), "text/html; charset=unicode_escape"),
        (text.encode("cp1252"), "text/html; charset=base64"),
        (text.encode("cp1252"), "text/html; charset=sconosciuta"),
    ):
        assert in_utf8(data, header) == data
