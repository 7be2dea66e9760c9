"""A folder of a site taken by its links: what is asked for, taken, left, and asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.models import Document
from assistant.settings import Settings
from ingest.pipeline import ingest
from ingest.report import IngestEntry, IngestReport
from ingest.web.links import directives, read_links
from ingest.web.robots import matches, parse
from ingest.web.visits import FILE, load_visits
from tests.site import Site, page, running_site
from tests.test_ingest import LengthEmbedder

CORPUS = Path(__file__).parents[1] / "corpus" / "documents"


@pytest.fixture()
def site() -> Iterator[Site]:
    with running_site() as running:
        yield running


class Reader:
    """A data directory that takes addresses from sites of the test."""

    def __init__(self, folder: Path, **settings: object) -> None:
        from assistant.index.generation import GenerationStore
        from assistant.index.manifest import IndexProfile

        values = {"web_delay_seconds": 0.0, "web_timeout_seconds": 3.0, **settings}
        self.settings = Settings(data_dir=folder, **values)  # type: ignore[arg-type]
        self.embedder = LengthEmbedder()
        self.store = GenerationStore(
            self.settings,
            lambda: IndexProfile(self.embedder.name, self.embedder.fingerprint, 2),
        )

    def take(self, *sources: str, **options: object) -> IngestReport:
        return ingest(
            list(sources),
            settings=self.settings,
            store=self.store,
            embedder=self.embedder,
            allow_private=True,
            **options,  # type: ignore[arg-type]
        )

    def documents(self) -> dict[str, Document]:
        backend = self.store.open_current()
        try:
            return {document.source: document for document in backend.documents()}
        finally:
            backend.close()

    def texts(self) -> dict[str, str]:
        backend = self.store.open_current()
        try:
            return {d.source: backend.page(d.id, 1).text for d in backend.documents()}
        finally:
            backend.close()


@pytest.fixture()
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "dati")


def by_path(report: IngestReport, site: Site) -> dict[str, IngestEntry]:
    return {entry.source.removeprefix(site.address): entry for entry in report.documents}


def statuses(report: IngestReport, site: Site) -> dict[str, str]:
    return {path: entry.status for path, entry in by_path(report, site).items()}


@pytest.fixture()
def plans(site: Site) -> Site:
    """A folder with a page, a document and a page two links away, among links that lead out."""
    site.serve(
        "/piani/",
        page(
            "Piani di zona", "valdoro.html#inizio", "./valdoro.html", "scheda.pdf", "/",
            "/altro/pagina.html", "https://altro.example/piani/", "//altro.example/piani/",
            "mailto:ufficio@ente.it", "javascript:void(0)", "foto.jpg", "/piani/../segreto.html",
        ),
    )  # fmt: skip
    site.serve("/piani/valdoro.html", page("Piano di Valdoro", "archivio/2015", "/piani/"))
    site.serve("/piani/archivio/2015", page("Piano di Valdoro 2015-2017"))
    pdf = (CORPUS / "scheda-05-caregiver.pdf").read_bytes()
    site.serve("/piani/scheda.pdf", pdf, Content_Type="application/pdf")
    return site


def test_depth_0_takes_the_page_alone(reader: Reader, plans: Site) -> None:
    report = reader.take(f"{plans.address}/piani/")
    assert statuses(report, plans) == {"/piani/": "added"}
    assert plans.paths() == ["/piani/"]


def test_depth_1_takes_what_the_page_links_inside_its_folder(reader, plans: Site) -> None:
    report = reader.take(f"{plans.address}/piani/", depth=1)
    assert statuses(report, plans) == {
        "/piani/": "added",
        "/piani/valdoro.html": "added",
        "/piani/scheda.pdf": "added",
        "/piani/foto.jpg": "skipped",
    }
    assert sorted(plans.paths()) == [
        "/piani/", "/piani/scheda.pdf", "/piani/valdoro.html", "/robots.txt"
    ]  # fmt: skip
    assert by_path(report, plans)["/piani/scheda.pdf"].pages > 1


def test_depth_2_goes_one_link_further(reader: Reader, plans: Site) -> None:
    report = reader.take(f"{plans.address}/piani/", depth=2)
    assert statuses(report, plans)["/piani/archivio/2015"] == "added"
    assert len(reader.documents()) == 4


def test_files_and_addresses_go_together(reader: Reader, plans: Site, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Piano\n\nLo sportello apre.", "utf-8")
    report = reader.take(
        str(tmp_path / "a.md"), f"{plans.address}/piani/", f"{plans.address}/piani", depth=1
    )
    assert [entry.status for entry in report.documents][:2] == ["added", "added"]
    sources = [entry.source for entry in report.documents]
    assert len(sources) == len(set(sources))


def test_a_crawl_stops_at_its_limit_and_says_what_it_left(tmp_path: Path, site: Site) -> None:
    site.serve("/a/", page("Indice", *(f"p{n}" for n in range(300))))
    for n in range(300):
        site.serve(f"/a/p{n}", page(f"Pagina {n}", f"q{n}"))
    reader = Reader(tmp_path / "dati", web_max_pages=5)
    report = reader.take(f"{site.address}/a/", depth=3)
    told = statuses(report, site)
    assert list(told.values()).count("added") == 5
    assert list(told.values()).count("skipped") == 100
    assert "altri 200" in str(report.documents[-1].reason)
    assert "PIANO_WEB_MAX_PAGES" in str(report.documents[-1].reason)
    assert len([path for path in site.paths() if path != "/robots.txt"]) == 5


def test_pages_that_cannot_be_taken_have_their_reason(reader: Reader, site: Site) -> None:
    site.serve("/a/", page("Indice", "manca", "fuori", "giro", "finto.pdf", "buona", "guasta"))
    site.redirect("/a/fuori", "/b/pagina")
    site.redirect("/a/giro", "/a/giro")
    site.serve("/a/finto.pdf", page("Accesso riservato"))
    site.serve("/a/buona", page("Piano di zona"))
    site.serve("/a/guasta", b"{}", Content_Type="application/json")
    report = by_path(reader.take(f"{site.address}/a/", depth=1), site)
    assert {path: entry.status for path, entry in report.items()} == {
        "/a/": "added", "/a/manca": "refused", "/a/fuori": "refused", "/a/giro": "refused",
        "/a/finto.pdf": "refused", "/a/buona": "added", "/a/guasta": "refused",
    }  # fmt: skip
    assert "404" in str(report["/a/manca"].reason)
    assert f"rimanda a «{site.address}/b/pagina», che è fuori dalla cartella /a/" in str(
        report["/a/fuori"].reason
    )
    assert "troppe volte" in str(report["/a/giro"].reason)
    assert "pagina HTML" in str(report["/a/finto.pdf"].reason)
    assert "/b/pagina" not in site.paths()


def test_a_page_met_by_two_addresses_is_one_document(reader: Reader, site: Site) -> None:
    site.serve("/a/", page("Indice", "vecchia", "nuova", "copia"))
    site.redirect("/a/vecchia", "/a/nuova", status=301)
    site.serve("/a/nuova", page("Piano di zona"))
    site.serve("/a/copia", page("Piano di zona"))
    told = statuses(reader.take(f"{site.address}/a/", depth=1), site)
    assert sorted(told.values()) == ["added", "added", "duplicate", "duplicate"]
    assert len(reader.documents()) == 2


def test_the_base_of_a_page_and_its_charset_are_heard(reader: Reader, site: Site) -> None:
    site.serve("/a/", page("Indice", "b.html", head='<base href="/a/c/">'))
    body = page("Città", text="Perché così è la comunità.").decode().encode("cp1252")
    site.serve("/a/c/b.html", body, Content_Type="text/html; charset=windows-1252")
    reader.take(f"{site.address}/a/", depth=1)
    assert "Perché così è la comunità." in reader.texts()[f"{site.address}/a/c/b.html"]


def test_an_address_in_a_document_is_never_asked_for(
    reader: Reader, site: Site, tmp_path: Path
) -> None:
    (tmp_path / "a.html").write_bytes(page("Piano", f"{site.address}/a", f"{site.address}/b"))
    (tmp_path / "b.md").write_text(f"# Piano\n\n[qui]({site.address}/c) <{site.address}/d>\n")
    reader.take(str(tmp_path / "a.html"), str(tmp_path / "b.md"), f"{site.address}/x", depth=2)
    assert set(site.paths()) == {"/robots.txt", "/x"}


def test_a_name_and_password_are_refused_and_not_repeated(reader: Reader, site: Site) -> None:
    address = site.address.replace("//", "//utente:segreto@")
    for depth in (0, 1):
        (entry,) = reader.take(f"{address}/a", depth=depth).documents
        assert entry.status == "refused"
        assert "password" in str(entry.reason)
        assert "segreto" not in entry.source + str(entry.reason)
    assert site.paths() == []


def test_a_host_that_does_not_answer_is_tried_once(reader: Reader) -> None:
    report = reader.take(*(f"http://manca.example/{n}" for n in range(3)))
    assert [entry.status for entry in report.documents] == ["refused"] * 3
    assert "rete non c'è" in str(report.documents[0].reason)
    assert "non è stato chiesto" in str(report.documents[2].reason)


def test_the_time_of_a_crawl_has_an_end(tmp_path: Path, site: Site) -> None:
    site.serve("/a/", page("Indice", "b", "c", "d"))
    for name in "bcd":
        site.serve(f"/a/{name}", page(f"Pagina {name}"))
    reader = Reader(tmp_path / "dati", web_total_seconds=2.0, web_delay_seconds=1.5)
    report = reader.take(f"{site.address}/a/", depth=1)
    assert "added" in statuses(report, site).values()
    late = [e for e in report.documents if "PIANO_WEB_TOTAL_SECONDS" in str(e.reason)]
    assert late
    assert report.seconds < 8


# robots


def test_robots_is_asked_first_and_heard(reader: Reader, site: Site) -> None:
    site.serve("/robots.txt", b"User-agent: *\nDisallow: /a/privata", Content_Type="text/plain")
    site.serve("/a/", page("Indice", "privata", "aperta"))
    site.serve("/a/aperta", page("Piano di zona"))
    report = by_path(reader.take(f"{site.address}/a/", depth=1), site)
    assert report["/a/privata"].status == "skipped"
    assert "robots.txt" in str(report["/a/privata"].reason)
    assert report["/a/aperta"].status == "added"
    assert site.paths() == ["/robots.txt", "/a/", "/a/aperta"]


def test_a_closed_start_is_refused(reader: Reader, site: Site) -> None:
    site.serve("/robots.txt", b"User-agent: *\nDisallow: /", Content_Type="text/plain")
    site.serve("/a/", page("Indice"))
    (entry,) = reader.take(f"{site.address}/a/", depth=1).documents
    assert entry.status == "refused"
    assert "robots.txt" in str(entry.reason)
    assert site.paths() == ["/robots.txt"]


def test_a_redirect_to_a_closed_page_is_refused(reader: Reader, site: Site) -> None:
    site.serve("/robots.txt", b"User-agent: piano\nDisallow: /a/chiusa", Content_Type="text/plain")
    site.serve("/a/", page("Indice", "porta"))
    site.redirect("/a/porta", "/a/chiusa")
    report = by_path(reader.take(f"{site.address}/a/", depth=1), site)
    assert "robots.txt" in str(report["/a/porta"].reason)
    assert "/a/chiusa" not in site.paths()


@pytest.mark.parametrize(
    ("status", "taken"), [(404, True), (403, True), (500, False), (429, False)]
)
def test_a_robots_file_that_cannot_be_read(reader, site: Site, status: int, taken: bool) -> None:
    site.serve("/robots.txt", b"", status)
    site.serve("/a/", page("Indice"))
    (entry,) = reader.take(f"{site.address}/a/", depth=1).documents
    assert entry.status == ("added" if taken else "refused")


def test_noindex_and_nofollow_are_heard(reader: Reader, site: Site) -> None:
    links = '<a href="muta" rel="external nofollow">x</a> <a href="b">b</a> <a href="c">c</a>'
    site.serve("/a/", page("Indice", "d", text=links))
    site.serve("/a/b", page("Elenco", "e", head='<meta name="ROBOTS" content="NOINDEX">'))
    site.serve("/a/c", page("Piano", "f", head='<meta name="robots" content="nofollow">'))
    site.serve("/a/d", page("Nota", "g"), X_Robots_Tag="noindex, nofollow")
    site.serve("/a/e", page("Piano di zona"))
    assert statuses(reader.take(f"{site.address}/a/", depth=3), site) == {
        "/a/": "added", "/a/b": "skipped", "/a/c": "added", "/a/d": "skipped", "/a/e": "added",
    }  # fmt: skip


def test_the_longest_rule_decides() -> None:
    policy = parse(
        "# prova\nUser-agent: *\nDisallow: /\n\nUser-agent: altro\nUser-Agent: Piano/2.0\n"
        "Disallow: /a\nAllow: /a/b # sì\nDisallow: /*.zip$\nDisallow: /cerca?\nDisallow:\n"
        "Sitemap: https://e.it/s.xml\nCrawl-delay: 2.5\nUser-agent: piano\nDisallow: /z\n"
    )
    closed = ["/a", "/a/c", "/ab", "/x/y.zip", "/cerca?q=1", "/z"]
    opened = ["/", "/a/b", "/a/b/c", "/x/y.zip?z", "/cerca", "/robots.txt"]
    assert [path for path in closed if not policy.refusal(f"https://e.it{path}")] == []
    assert [path for path in opened if policy.refusal(f"https://e.it{path}")] == []
    assert policy.delay_seconds == 2.5
    assert parse("").refusal("https://e.it/a") is None
    assert parse("Disallow: /").refusal("https://e.it/a") is None
    assert parse("User-agent: *\nDisallow: /citt%c3%a0").refusal("https://e.it/citt%C3%A0/x")


@pytest.mark.parametrize(
    ("pattern", "target", "fits"),
    [
        ("/a", "/ab", True), ("/a$", "/ab", False), ("/a$", "/a", True), ("/*b", "/a/b/c", True),
        ("/a*c$", "/abcc", True), ("/a*b*c$", "/acb", False), ("*", "/x", True),
        ("/ab*bc$", "/abc", False), ("/" + "*a" * 200 + "$", "/" + "a" * 199 + "b", False),
    ],
)  # fmt: skip
def test_patterns_of_robots(pattern: str, target: str, fits: bool) -> None:
    assert matches(pattern, target) is fits


def test_directives_for_other_programs_do_not_count() -> None:
    assert directives("googlebot: noindex, nofollow") == set()
    assert directives("NOINDEX , follow") == {"noindex", "follow"}
    assert directives("none") >= {"noindex", "nofollow"}
    assert "noindex" in directives("otherbot: all, piano: noindex")


def test_a_page_that_is_no_page_has_no_links() -> None:
    for data in (b"", b"\x00" * 50, b"<" * 5000, b"<a href=" + b"x" * 5000):
        assert read_links(data, "https://e.it/").links == ()
    assert read_links(b'<a href="http://[::1">x</a><a href="b">', "https://e.it/a/").links == (
        "https://e.it/a/b",
    )


# asked again


def test_what_has_not_changed_is_not_transferred_again(reader: Reader, site: Site) -> None:
    site.serve("/a/", page("Indice", "b", "c"), ETag='"uno"')
    site.serve("/a/b", page("Piano"), Last_Modified="Wed, 01 Jan 2020 10:00:00 GMT")
    site.serve("/a/c", page("Senza segni"))
    first = reader.take(f"{site.address}/a/", depth=1)
    assert sorted(site.server.statuses) == [200, 200, 200, 404]
    site.forget()
    second = reader.take(f"{site.address}/a/", depth=1)
    assert set(statuses(second, site).values()) == {"unchanged"}
    assert not second.changed and second.generation == first.generation
    assert sorted(site.server.statuses) == [200, 304, 304, 404]
    assert site.headers("/a/")["If-None-Match"] == '"uno"'
    assert site.headers("/a/b")["If-Modified-Since"] == "Wed, 01 Jan 2020 10:00:00 GMT"
    site.serve("/a/b", page("Piano nuovo"), Last_Modified="Thu, 02 Jan 2020 10:00:00 GMT")
    third = reader.take(f"{site.address}/a/", depth=1)
    assert statuses(third, site) == {"/a/": "unchanged", "/a/b": "updated", "/a/c": "unchanged"}
    assert "Piano nuovo" in reader.texts()[f"{site.address}/a/b"]


def test_after_a_rollback_the_version_in_use_is_what_counts(reader: Reader, site: Site) -> None:
    site.serve("/b", page("Altro"))
    reader.take(f"{site.address}/b")
    site.serve("/a", page("Prima"), ETag='"1"')
    reader.take(f"{site.address}/a")
    site.serve("/a", page("Dopo"), ETag='"2"')
    reader.take(f"{site.address}/a")
    reader.store.rollback()
    assert "Prima" in reader.texts()[f"{site.address}/a"]
    report = reader.take(f"{site.address}/a")
    assert statuses(report, site) == {"/a": "updated"}
    assert "Dopo" in reader.texts()[f"{site.address}/a"]


def test_a_rebuild_reads_what_has_not_changed_from_the_copy(reader: Reader, site: Site) -> None:
    site.serve("/a", page("Piano"), ETag='"1"')
    reader.take(f"{site.address}/a")
    site.forget()
    reader.embedder = LengthEmbedder("2")
    report = reader.take(f"{site.address}/a", rebuild=True)
    assert statuses(report, site) == {"/a": "updated"}
    assert site.server.statuses == [304]


def test_a_copy_that_is_not_what_it_was_is_not_relied_on(reader: Reader, site: Site) -> None:
    site.serve("/a", page("Piano"), ETag='"1"')
    reader.take(f"{site.address}/a")
    (original,) = reader.store.originals.iterdir()
    original.write_bytes(b"<html>guasto</html>")
    report = reader.take(f"{site.address}/a")
    assert statuses(report, site) == {"/a": "unchanged"}
    assert "If-None-Match" not in site.headers("/a")


def test_what_is_kept_between_ingests_may_be_lost_or_damaged(reader: Reader, site: Site) -> None:
    site.serve("/a", page("Piano"), ETag='"1"')
    reader.take(f"{site.address}/a")
    kept = reader.settings.data_dir / FILE
    assert list(json.loads(kept.read_text("utf-8"))) == [f"{site.address}/a"]
    for damage in (b"", b"[1]", b'{"a": [1, 2, 3, 4, 5, 6]}', b"\xff\xfe", b"[" * 100_000):
        kept.write_bytes(damage)
        assert load_visits(reader.settings.data_dir) == {}
        assert statuses(reader.take(f"{site.address}/a"), site) == {"/a": "unchanged"}
    assert list(json.loads(kept.read_text("utf-8"))) == [f"{site.address}/a"]


def test_nothing_is_left_of_the_transfers(reader: Reader, site: Site) -> None:
    site.serve("/a", page("Piano"))
    (reader.settings.data_dir / ".fetched").mkdir(parents=True)
    (reader.settings.data_dir / ".fetched" / "avanzo").write_bytes(b"x")
    reader.take(f"{site.address}/a", f"{site.address}/manca")
    assert sorted(p.name for p in reader.settings.data_dir.iterdir() if "lock" not in p.name) == [
        "current", "generations", "originals",
    ]  # fmt: skip


def test_a_site_that_is_down_takes_nothing_out(reader: Reader, site: Site) -> None:
    site.serve("/a/", page("Indice", "b"))
    site.serve("/a/b", page("Piano"))
    first = reader.take(f"{site.address}/a/", depth=1)
    site.serve("/a/", b"", 503)
    report = reader.take(f"{site.address}/a/", depth=1, prune=True)
    assert [entry.status for entry in report.documents] == ["refused"]
    assert report.generation == first.generation
    assert len(reader.documents()) == 2


def test_the_pause_that_a_site_asks_for_is_kept(reader: Reader, site: Site) -> None:
    site.serve("/robots.txt", b"User-agent: *\nCrawl-delay: 0.3", Content_Type="text/plain")
    site.serve("/a/", page("Indice", "b", "c"))
    site.serve("/a/b", page("Piano"))
    site.serve("/a/c", page("Scheda"))
    report = reader.take(f"{site.address}/a/", depth=1)
    assert set(statuses(report, site).values()) == {"added"}
    assert report.seconds >= 0.6


def test_one_body_out_of_order_is_no_missing_network(reader: Reader, site: Site) -> None:
    site.serve("/a", page("Piano"))
    down = [f"http://{name}.ente.example/a" for name in "abcde"]
    report = reader.take(*down, f"{site.address}/a")
    assert [entry.status for entry in report.documents] == ["refused"] * 5 + ["added"]
    report = reader.take("http://a.example/", f"{site.address}/manca", "http://b.example/",
                         "http://c.example/", f"{site.address}/a")  # fmt: skip
    assert [entry.status for entry in report.documents] == ["refused"] * 4 + ["unchanged"]
