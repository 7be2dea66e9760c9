"""`piano sync`: what of the catalogue arrives, what it is then called, what failing changes."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.build import build_embedder, build_generations
from assistant.errors import UsageError
from assistant.models import Document
from assistant.settings import Settings
from corpus import CATALOGUE
from ingest.catalogue import Stamp, chosen, read_catalogue
from ingest.pipeline import ingest
from ingest.report import IngestReport
from ingest.sync import exit_code, sync
from tests.command import Computer
from tests.site import Site, page, running_site


@pytest.fixture()
def site() -> Iterator[Site]:
    with running_site() as running:
        yield running


def entry(url: str, **values: object) -> str:
    fields = {"titolo": f"Fonte {url[-8:]}", "url": url, "tipo": "pagina", "ente": "Regione",
              "ufficiale": True, **values}  # fmt: skip
    return "[[fonte]]\n" + "".join(
        f"{key} = {json.dumps(value)}\n" for key, value in fields.items() if value is not None
    )


class Office:
    """A data directory with a catalogue of its own."""

    def __init__(self, folder: Path, *entries: str) -> None:
        folder.mkdir(exist_ok=True)
        self.catalogue = folder / "fonti.toml"
        self.catalogue.write_text("\n".join(entries), "utf-8")
        self.settings = Settings(
            data_dir=folder / "dati",
            catalogue=self.catalogue,
            web_delay_seconds=0.0,
            web_timeout_seconds=3.0,
        )

    def sync(self) -> IngestReport:
        return sync(read_catalogue(self.catalogue), self.settings, allow_private=True)

    def documents(self) -> dict[str, Document]:
        embedder = build_embedder(self.settings)
        backend = build_generations(self.settings, embedder=lambda: embedder).open_current()
        try:
            return {document.source: document for document in backend.documents()}
        finally:
            backend.close()


def reasons(report: IngestReport) -> dict[str, str]:
    return {e.source.rpartition("/")[2]: str(e.reason) for e in report.documents if e.reason}


def test_what_arrives_is_taken_and_the_rest_has_its_reason(tmp_path: Path, site: Site) -> None:
    names = ("buona", "manca", "chiusa", "spostata", "persa", "nuova", "muta")
    office = Office(
        tmp_path,
        *(entry(f"{site.address}/{name}") for name in names),
        entry("http://manca.example/x"),
    )
    site.serve("/robots.txt", b"User-agent: *\nDisallow: /chiusa", Content_Type="text/plain")
    site.serve("/buona", page("Il Piano di zona"))
    site.redirect("/spostata", "http://altro.example/spostata", status=301)
    site.redirect("/persa", "/")
    site.redirect("/nuova", "/posto/nuova", status=301)
    site.serve("/posto/nuova", page("La pagina nuova"))
    site.serve("/muta", page("Muta", head='<meta name="robots" content="noindex">'))
    report = office.sync()
    taken = {e.source.rpartition("/")[2] for e in report.documents if e.document_id}
    assert taken == {"buona", "nuova"}
    told = reasons(report)
    assert "404" in told["manca"]
    assert "robots.txt" in told["chiusa"]
    assert "altro.example/spostata», che è un altro sito" in told["spostata"]
    assert "pagina iniziale" in told["persa"]
    assert "noindex" in told["muta"]
    assert "rete" in told["x"]
    assert exit_code(report) == 3
    assert "/" not in site.paths() and "/chiusa" not in site.paths()


def test_a_document_is_what_the_catalogue_says_where_it_says_nothing(tmp_path, site: Site) -> None:
    office = Office(
        tmp_path,
        entry(f"{site.address}/a", titolo="Le linee", tipo="linea_guida", anno=2013),
        entry(f"{site.address}/b", titolo="Atto", tipo="atto", anno=2015, ufficiale=False),
    )
    site.serve("/a", b"<html><body><p>Testo senza titolo sui servizi.</p></body></html>")
    site.serve(
        "/b",
        page("Piano di zona 2018-2020", head='<meta name="keywords" content="anni=2018-2020">'),
    )
    assert exit_code(office.sync()) == 0
    documents = office.documents()
    a, b = documents[f"{site.address}/a"], documents[f"{site.address}/b"]
    assert (a.title, a.kind, a.year_from, a.year_to, a.official) == (
        "Le linee", "linea_guida", 2013, 2013, True,
    )  # fmt: skip
    assert (b.title, b.kind, b.year_from, b.year_to, b.official) == (
        "Piano di zona 2018-2020", "atto", 2018, 2020, False,
    )  # fmt: skip
    # The copies know nothing of it: reading them again must not lose it.
    ingest(
        [],
        settings=office.settings,
        store=build_generations(office.settings),
        embedder=build_embedder(office.settings),
        rebuild=True,
    )
    assert office.documents()[f"{site.address}/a"].official


def test_a_document_from_elsewhere_gets_nothing_from_the_catalogue(tmp_path: Path) -> None:
    office = Office(tmp_path, entry("https://ente.it/a", tipo="atto", anno=2013))
    stamp = Stamp(office.catalogue)
    document = Document("0" * 64, "Titolo", "altro", "https://ente.it/b", "text/html", 1)
    assert stamp(document) == document
    for source in ("HTTPS://Ente.it:443/a#x", "https://ente.it/a"):
        stamped = stamp(Document("0" * 64, "Titolo", "altro", source, "text/html", 1))
        assert stamped.official and stamped.kind == "atto" and stamped.title == "Titolo"
    file = Document("0" * 64, "a", "altro", "ente.it/a", "text/html", 1)
    assert stamp(file) == file


def test_the_second_time_nothing_is_transferred(tmp_path: Path, site: Site) -> None:
    office = Office(tmp_path, entry(f"{site.address}/a"), entry(f"{site.address}/b"))
    site.serve("/a", page("Prima"), ETag='"1"')
    site.serve("/b", page("Seconda"), Last_Modified="Wed, 01 Jan 2020 10:00:00 GMT")
    first = office.sync()
    site.forget()
    second = office.sync()
    assert sorted(site.server.statuses) == [304, 304, 404]
    assert (second.changed, second.generation) == (False, first.generation)
    assert exit_code(second) == 0


def test_failing_changes_nothing_and_takes_nothing_out(tmp_path: Path, site: Site) -> None:
    office = Office(tmp_path, entry(f"{site.address}/a"), entry(f"{site.address}/b"))
    site.serve("/a", page("Prima"))
    site.serve("/b", page("Seconda"))
    first = office.sync()
    site.serve("/a", b"", 503)
    site.serve("/b", b"", 404)
    second = office.sync()
    assert exit_code(second) == 1
    assert (second.changed, second.generation) == (False, first.generation)
    site.serve("/b", page("Seconda, riveduta"))
    third = office.sync()
    assert exit_code(third) == 3
    assert {d.title for d in office.documents().values()} == {"Prima", "Seconda, riveduta"}


def test_without_a_network_it_ends_soon_and_makes_no_index(tmp_path: Path, monkeypatch) -> None:
    """Look-ups that never answer, as behind a firewall that drops everything."""
    asked: set[str] = set()

    def stuck(host: str, *_: object, **__: object) -> list[object]:
        asked.add(host)
        time.sleep(1)
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    monkeypatch.setattr("ingest.web.network.LOOKUP_SECONDS", 0.2)
    settings = Settings(data_dir=tmp_path / "dati", web_delay_seconds=0.0)
    listed = read_catalogue(CATALOGUE)
    report = sync(listed, settings)
    assert len(report.documents) == len(listed)
    assert {entry.status for entry in report.documents} == {"refused"}
    assert report.generation is None
    assert exit_code(report) == 1
    assert len({tuple(host.split(".")[-2:]) for host in asked}) == 3
    assert report.seconds < 10
    time.sleep(1)  # the last look-up, left behind, ends within the test that started it


# the catalogue


def test_the_catalogue_of_the_project_can_be_read() -> None:
    listed = read_catalogue(CATALOGUE)
    assert len(listed) >= 20
    assert {source.official for source in listed} == {True, False}
    for source in listed:
        if not source.official:
            assert "(" in source.body, "what is not official says what it is"
        if "(stampa)" in source.body:
            assert source.kind == "pagina"


def test_sources_are_chosen_by_body_and_kind() -> None:
    listed = read_catalogue(CATALOGUE)
    bur = chosen(listed, bodies=["bollettino UFFICIALE"], kinds=["atto"])
    assert {source.url.split("/")[2] for source in bur} == {"bur.regione.emilia-romagna.it"}
    assert len(chosen(listed, bodies=["citta metropolitana", "lepida"])) == 2
    assert chosen(listed, bodies=["inesistente"]) == []
    assert chosen(listed) == listed
    with pytest.raises(UsageError, match="linea_guida"):
        chosen(listed, kinds=["delibera"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (entry("https://e.it/", tipo=None), "manca tipo"),
        (entry("https://e.it/", tipo="delibera"), "tipo non è"),
        (entry("https://e.it/", anno="2013"), "anno"),
        (entry("https://e.it/", ufficiale="si"), "ufficiale"),
        (entry("https://e.it/", titolo=""), "titolo"),
        (entry("https://e.it/", stato="vigente"), "stato"),
        (entry("ftp://e.it/"), "http o https"),
        (entry("https://e.it/a") + entry("https://E.it/a#b"), "fonte 2.*fonte 1"),
        ("fonte = 3", "fonte 1"),
        ("fonte = [3]", "fonte 1"),
        ("[[fonte", "non si legge"),
    ],
)
def test_a_catalogue_with_a_mistake_says_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "fonti.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=said):
        read_catalogue(path)
    with pytest.raises(UsageError, match="non si legge"):
        read_catalogue(tmp_path / "manca.toml")


def test_an_empty_catalogue_has_no_sources(tmp_path: Path) -> None:
    (tmp_path / "fonti.toml").write_text("# vuoto\n", "utf-8")
    assert read_catalogue(tmp_path / "fonti.toml") == []


# the command


def test_the_command_lists_and_fails_as_its_help_says(tmp_path: Path) -> None:
    computer = Computer.new(tmp_path)
    catalogue = tmp_path / "fonti.toml"
    catalogue.write_text(
        entry(
            "http://127.0.0.1:9/a",
            titolo="La pagina del Comune",
            ente="Comune di Valdoro",
            anno=2020,
        )
        + entry("http://127.0.0.1:9/b", ente="Azienda Usl", tipo="atto", ufficiale=False),
        "utf-8",
    )
    env = {"PIANO_CATALOGUE": str(catalogue), "PIANO_WEB_DELAY_SECONDS": "0"}
    listed = computer.piano("sync", "--dry-run", "--json", env=env)
    assert listed.code == 0
    assert listed.json["sources"][0] == {
        "source": "http://127.0.0.1:9/a",
        "title": "La pagina del Comune",
        "kind": "pagina",
        "body": "Comune di Valdoro",
        "year": 2020,
        "official": True,
        "present": False,
    }
    shown = computer.piano("sync", "--dry-run", "--tipo", "atto", env=env)
    assert "Azienda Usl, non ufficiale" in shown.out and "Valdoro" not in shown.out
    assert "In tutto 1 fonti, 0 già nell'indice." in shown.out
    assert not computer.data.exists()
    failed = computer.piano("sync", "--json", env=env)
    assert failed.code == 1
    assert "Nessuna fonte è arrivata" in failed.err
    assert failed.json["generation"] is None
    assert [d["status"] for d in failed.json["documents"]] == ["refused"] * 2
    assert all("rete privata" in d["reason"] for d in failed.json["documents"])
    wrong = computer.piano("sync", "--ente", "nessuno", env=env)
    assert wrong.code == 2 and "--dry-run" in wrong.err


def test_depth_without_an_address_is_a_wrong_use(tmp_path: Path) -> None:
    ended = Computer.new(tmp_path).piano("ingest", "cartella", "--depth", "1")
    assert ended.code == 2 and "--depth" in ended.err
