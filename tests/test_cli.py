"""The command line as outside scripts rely on it, by starting the real program."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

from tests.command import COMMAND, Computer, Ended

CORPUS = Path(__file__).parents[1] / "corpus" / "documents"
TAKEN = (
    "scheda-05-caregiver.pdf",
    "frna.html",
    "glossario-sigle.md",
    "verbale-bassa-stagione.docx",
)
COMMANDS = (
    "ask",
    "search",
    "schede",
    "status",
    "rollback",
    "reindex",
    "ingest",
    "sync",
    "api",
    "ui",
    "up",
    "eval",
)
QUESTION = "Che cos'è il FRNA?"

IngestedComputer = tuple[Computer, Ended]


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer.new(tmp_path)


@pytest.fixture(scope="session")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> IngestedComputer:
    """A computer with four documents in its index, and what `piano ingest --json` said."""
    computer = Computer.new(tmp_path_factory.mktemp("riga-di-comando"))
    documents = computer.folder / "documenti"
    documents.mkdir()
    for name in TAKEN:
        shutil.copy(CORPUS / name, documents)
    (documents / ".nascosto.md").write_text("non si legge")
    return computer, computer.piano("ingest", str(documents), "--json")


@pytest.fixture(scope="session")
def indexed(ingested: IngestedComputer) -> Computer:
    computer, ended = ingested
    assert ended.code == 0
    return computer


def shape(value: dict[str, Any]) -> dict[str, str]:
    return {key: type(item).__name__ for key, item in value.items()}


def includes(value: dict[str, Any], **types: str) -> None:
    """The keys of the contract are there, of those types; more keys do no harm."""
    found = shape(value)
    assert {key: found.get(key) for key in types} == types


# ingest


def test_ingest_tells_each_file_in_json_and_progress_on_stderr(
    ingested: IngestedComputer,
) -> None:
    computer, ended = ingested
    assert ended.code == 0
    report = ended.json
    assert shape(report) == {"generation": "str", "documents": "list", "seconds": "float"}
    folder = f"{computer.folder}/documenti"
    names = [entry["source"] for entry in report["documents"]]
    assert names == [f"{folder}/{name}" for name in sorted((".nascosto.md", *TAKEN))]
    hidden, *taken = report["documents"]
    assert (hidden["status"], hidden["document_id"]) == ("skipped", None)
    assert "nascosti" in hidden["reason"]
    for entry in taken:
        assert shape(entry) | {"notes": "list"} == {
            "source": "str",
            "document_id": "str",
            "status": "str",
            "pages": "int",
            "passages": "int",
            "pages_without_text": "list",
            "ocr_pages": "list",
            "notes": "list",
        }
        assert entry["status"] == "added" and entry["pages"] >= 1 and entry["passages"] >= 1
    assert "Lettura dei documenti: 4" in ended.err


def test_what_happens_to_a_folder_over_time(computer: Computer) -> None:
    folder = computer.folder / "piani"
    folder.mkdir()
    for name, text in (("a.md", "Il distretto di Lugo."), ("b.md", "Il distretto di Faenza.")):
        (folder / name).write_text(f"# Piano {name}\n\n{text} Approva il piano di zona.\n")

    def statuses(*arguments: str) -> tuple[list[str], str]:
        ended = computer.piano("ingest", str(folder), "--json", *arguments)
        assert ended.code == 0
        report = ended.json
        return [entry["status"] for entry in report["documents"]], report["generation"]

    found, first = statuses()
    assert found == ["added", "added"]
    assert statuses("--prune") == (["unchanged", "unchanged"], first)
    (folder / "a.md").write_text("# Piano a.md\n\nIl distretto di Lugo ha cambiato piano.\n")
    (folder / "b.md").rename(folder / "c.md")
    found, second = statuses("--prune")
    assert found == ["updated", "unchanged"] and second != first
    (folder / "a.md").unlink()
    found, third = statuses("--prune")
    assert found == ["unchanged", "removed"] and third != second
    back, status = computer.together(["rollback", "--json"], ["status", "--json"])
    assert back.json == {"generation": second}
    assert (status.json["generation"], status.json["documents"]) == (second, 2)


def test_bad_files_are_refused_one_line_each_and_the_good_ones_are_in(computer: Computer) -> None:
    good = (CORPUS / "scheda-05-caregiver.pdf").read_bytes()
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(good)))
    writer.encrypt("segreto", algorithm="AES-256")
    locked, image = io.BytesIO(), io.BytesIO()
    writer.write(locked)
    canvas = Canvas(image)
    canvas.rect(100, 100, 300, 300, fill=1)
    canvas.showPage()
    canvas.save()
    bad = {
        "vuoto.pdf": b"",
        "troncato.pdf": good[: len(good) // 3],
        "pagina.pdf": b"<!DOCTYPE html><html><body><p>Errore 404</p></body></html>",
        "protetto.pdf": locked.getvalue(),
        "archivio.xyz": b"qualcosa",
    }
    files = {**bad, "solo-immagini.pdf": image.getvalue(), "buono.pdf": good}
    for name, data in files.items():
        (computer.folder / name).write_bytes(data)
    paths = [str(computer.folder / name) for name in (*files, "manca.pdf")]
    ended = computer.piano("ingest", *paths)
    assert ended.code == 3
    lines = ended.out.splitlines()
    assert len(lines) == len(paths) + 2, "one line a file, then the totals"
    told = dict(zip((*files, "manca.pdf"), lines, strict=False))
    for name in (*bad, "manca.pdf"):
        assert told[name].startswith(f"rifiutato: {computer.folder / name} — «")
        assert f"{name}»" in told[name] and told[name].endswith(".")
    assert "password" in told["protetto.pdf"]
    assert "contiene HTML" in told["pagina.pdf"]
    assert "non esiste" in told["manca.pdf"]
    assert told["buono.pdf"].startswith("aggiunto: ")
    # Taken, with a note that says what is missing and what to do.
    assert told["solo-immagini.pdf"].startswith("aggiunto: ")
    assert re.search(r"senza testo|non h\w+ testo|alcun testo", told["solo-immagini.pdf"])
    assert computer.piano("status", "--json").json["documents"] == 2


def test_a_second_ingest_at_the_same_time_is_refused_and_names_the_first(
    computer: Computer,
) -> None:
    first = subprocess.Popen(
        [*COMMAND, "ingest", str(CORPUS / "frna.html"), str(CORPUS / "gioco-azzardo.html")],
        env=computer.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for(lambda: (computer.data / "writer.json").exists())
        first.send_signal(signal.SIGSTOP)  # as long as it takes the second to start
        second = computer.piano("ingest", str(CORPUS / "adolescenza.md"))
        writing = computer.piano("status", "--json").json["writer"]
    finally:
        first.send_signal(signal.SIGCONT)
        output, _ = first.communicate(timeout=60)
    assert second.code == 1 and second.out == ""
    assert f"processo {first.pid}" in second.err and "Aspetta" in second.err
    assert writing["pid"] == str(first.pid)
    assert first.returncode == 0, output


def wait_for(happened: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


# ask, search, status, schede


def test_ask_prints_the_object_of_the_contract(indexed: Computer) -> None:
    ended = indexed.piano("ask", QUESTION, "--json")
    assert (ended.code, ended.err) == (0, "")
    answer = ended.json
    assert answer["status"] == "answered" and answer["mode"] == "extractive"
    includes(
        answer,
        question="str",
        understood_as="str",
        status="str",
        sentences="list",
        citations="list",
        notices="list",
        hits="list",
        mode="str",
        model="str",
        generation="str",
        timings_ms="dict",
    )
    sentence, citation, hit = answer["sentences"][0], answer["citations"][0], answer["hits"][0]
    includes(sentence, text="str", verdict="str", citations="list")
    assert sentence["citations"] == [1] and citation["n"] == 1 and hit["rank"] == 1
    includes(
        citation,
        n="int",
        document_id="str",
        title="str",
        kind="str",
        source="str",
        page="int",
        section="str",
        start="int",
        end="int",
        quote="str",
    )
    assert {"distretto", "year"} <= citation.keys()
    assert citation["end"] - citation["start"] == len(citation["quote"])
    includes(hit, rank="int", document_id="str", source="str", page="int", score="float")
    assert isinstance(hit["passage_id"], str)


def test_search_prints_the_object_of_the_contract(indexed: Computer) -> None:
    ended = indexed.piano("search", "fondo per la non autosufficienza", "-k", "3", "--json")
    assert (ended.code, ended.err) == (0, "")
    found = ended.json
    includes(found, query="str", hits="list", timings_ms="dict")
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    includes(
        found["hits"][0],
        rank="int",
        passage_id="str",
        document_id="str",
        title="str",
        source="str",
        page="int",
        section="str",
        score="float",
        text="str",
    )


def test_status_prints_the_object_of_the_contract(indexed: Computer) -> None:
    ended = indexed.piano(
        "status", "--json", "--data-dir", str(indexed.data), env={"PIANO_DATA_DIR": "altrove"}
    )
    includes(
        ended.json,
        generation="str",
        documents="int",
        pages="int",
        passages="int",
        schede="int",
        interventi="int",
        embedding="str",
        writer="NoneType",
        data_dir="str",
        disk_bytes="int",
    )
    assert ended.json["documents"] == len(TAKEN)


def test_schede_are_listed_as_json_and_as_csv(indexed: Computer) -> None:
    as_json, as_csv = indexed.together(
        ["schede", "caregiver", "--json"], ["schede", "caregiver", "--csv"]
    )
    records, rows = as_json.json, list(csv.DictReader(io.StringIO(as_csv.out)))
    assert records["count"] == len(records["records"]) == len(rows) >= 1
    assert rows[0]["record"] == "Scheda" and rows[0]["number"] == "5"
    assert all(field["quotes"] for field in records["records"][0]["fields"])
    assert set(rows[0]) >= {"aree", "spesa_totale_euro", "indicatori", "lacune"}


def test_one_scheda_is_shown_in_full(indexed: Computer) -> None:
    (found,) = indexed.piano("schede", "--numero", "5", "--tipo", "scheda", "--json").json[
        "records"
    ]
    shown, missing, wrong = indexed.together(
        ["schede", "--id", found["id"]],
        ["schede", "--id", "ffffffffffffffff"],
        ["schede", "--senza", "colore"],
    )
    assert shown.out.startswith("Scheda 5 – ")
    assert "Destinatari [p. " in shown.out
    assert (missing.code, wrong.code) == (1, 2)
    assert "I campi sono" in wrong.err


# batch


def test_batch_answers_each_line_in_order_and_tells_ids_back(
    indexed: Computer, tmp_path: Path
) -> None:
    lines: list[tuple[bytes, Any, bool]] = [  # the line, the id told back, whether it is readable
        (b'\xef\xbb\xbf{"id": "bom", "question": "Che cos\'\xc3\xa8 il FRNA?"}', "bom", True),
        (b"", None, False),
        (b'  {"id": "crlf", "question": "FRNA"}\r', "crlf", True),
        (b'{"id": 0, "question": 5}', 0, False),
        (b'{"id": null}', None, False),
        (b'{"id": "filtro", "question": "x", "filter": {"colore": "blu"}}', "filtro", False),
        (b'{"id": "lista", "question": "x", "filter": ["Lugo"]}', "lista", False),
        (b'{"id": "Lugo", "question": "x", "filter": {"distretto": "Lugo"}}', "Lugo", True),
        (b'{"id": "prima", "question": "e a Lugo?", "history": ["FRNA"]}', "prima", True),
        (b'{"id": "storia", "question": "x", "history": [1]}', "storia", False),
        (b"non JSON", None, False),
        (b'{"id": "latin-1", "question": "citt\xe0"}', None, False),
        (b"[1, 2]", None, False),
        (b'{"id": NaN, "question": "FRNA"}', None, False),
        (b'{"id": 1e999, "question": "FRNA"}', None, False),
        (b'{"id": {"a": ["\xc3\xa8"]}, "question": "FRNA"}', {"a": ["è"]}, True),
        (rb'{"id": "\ud800", "question": "\udfff FRNA \u0000"}', "\ud800", True),
        (b'{"id": "sintassi", "question": "AND (\\"+FRNA~ title:* [a TO b]^2"}', "sintassi", True),
        (b'{"id": "vuota", "question": ""}', "vuota", True),
        (b'{"id": "lunga", "question": "' + b"a " * 500_000 + b'"}', "lunga", False),
        (b'{"id": "fonda", "question": ' + b"[" * 100_000, None, False),
        (b'{"question": "senza id, ultima e senza a capo"}', None, True),
    ]
    file = tmp_path / "domande.jsonl"
    file.write_bytes(b"\n".join(line for line, _, _ in lines))
    for command in ("ask", "search"):
        ended = indexed.piano(command, "--file", str(file), "--jsonl")
        assert (ended.code, ended.err) == (3, "")
        assert len(ended.lines) == len(lines)
        for out, (line, identity, is_readable) in zip(ended.lines, lines, strict=True):
            assert out.get("id") == identity, line[:60]
            assert ("error" in out) != is_readable, line[:60]
            assert ("hits" in out) == is_readable, line[:60]
            assert out.keys() <= {"id", "error"} or is_readable
        assert "id" not in ended.lines[-1] and "id" in ended.lines[4]
        hits = {json.dumps(out.get("id")): out.get("hits") for out in ended.lines}
        assert hits['"Lugo"'] == [] and hits['"crlf"']


def test_batch_without_unreadable_lines_exits_0_and_joins_both_filters(
    indexed: Computer, tmp_path: Path
) -> None:
    file = tmp_path / "domande.jsonl"
    file.write_text(
        '{"id": 1, "question": "caregiver"}\n'
        '{"id": 2, "question": "caregiver", "filter": {"tipo": "scheda"}}\n'
        '{"id": 3, "question": "caregiver", "filter": {"scheda": "99"}}\n'
    )
    ended = indexed.piano("search", "--file", str(file), "--jsonl", "--filter", "tipo=atto")
    assert ended.code == 0
    assert [bool(out["hits"]) for out in ended.lines] == [False, True, False]


# wrong use


def test_without_an_index_the_remedy_is_named(computer: Computer, tmp_path: Path) -> None:
    file = tmp_path / "domande.jsonl"
    file.write_text('{"question": "FRNA"}\n')
    *asked, status = computer.together(
        ["ask", QUESTION, "--json"],
        ["search", QUESTION, "--json"],
        ["ask", "--file", str(file), "--jsonl"],
        ["schede"],
        ["status", "--json"],
    )
    for ended in asked:
        assert (ended.code, ended.out) == (1, "")
        assert "`piano ingest`" in ended.err
    assert status.code == 0 and status.json["generation"] is None
    assert not computer.data.exists(), "who only reads makes no folder"


def test_wrong_use_exits_2_with_one_italian_line(indexed: Computer) -> None:
    wrong = {
        "Filtro sconosciuto: 'colore'": ["ask", "x", "--filter", "colore=blu"],
        "chiave=valore": ["ask", "x", "--filter", "Lugo"],
        "--file FILE.jsonl": ["ask"],
        "insieme a --file": ["ask", "x", "--jsonl"],
        "serve un numero": ["search", "x", "-k", "tre"],
        "tra 1 e": ["search", "x", "-k", "0"],
        "l'opzione --boh non esiste": ["search", "--boh"],
        "manca il valore": ["search", "x", "--filter"],
        "Forse intendevi 'search'": ["serch"],
        "argomenti di troppo": ["ask", "una", "due"],
        "non esiste. Controlla": ["ask", "--file", "/non/esiste.jsonl"],
        "è una cartella": ["ask", "--file", "/"],
        "troppo lungo: 14000 caratteri": ["ask", "perché " * 2000, "--json"],
    }
    for told, ended in zip(wrong, indexed.together(*wrong.values()), strict=True):
        assert told in ended.err
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("Errore: ") and ended.err.count("\n") == 1


# strange questions, strange terminals


def test_an_empty_question_asks_for_one(indexed: Computer) -> None:
    ended = indexed.piano("ask", "", "--json")
    assert ended.code == 0 and ended.json["status"] == "clarify"
    assert ended.json["sentences"] == [] and ended.json["notices"]


def test_bytes_that_are_no_text_and_controls_do_no_harm(indexed: Computer) -> None:
    strange = os.fsdecode(b'FRNA citt\xe0 \x1b[31m \xed\xa0\x80 \xe2\x80\xae AND NOT ("*:~')
    as_json, filtered, told = indexed.together(
        ["ask", strange, "--json"],
        ["search", "FRNA", "--filter", os.fsdecode(b"distretto=\xff")],
        ["ask", strange],
    )
    assert as_json.code == filtered.code == told.code == 0
    assert "FRNA citt\ufffd" in as_json.json["question"]
    assert "\x1b" not in told.out and "\u202e" not in told.out
    assert indexed.piano("search", b"FRNA \xff", "--json").json["query"] == "FRNA \ufffd"


def test_italian_is_printed_as_utf8_whatever_the_locale(indexed: Computer) -> None:
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    assert "è" in indexed.piano("ask", QUESTION, env=env).out


def test_a_reader_that_goes_away_or_a_full_disk_makes_no_noise(indexed: Computer) -> None:
    line = " ".join(COMMAND) + " search FRNA --json "
    for shell, code, told in (
        (f"{line} | true; exit ${{PIPESTATUS[0]}}", 0, ""),
        (f"{line} >&-", 0, ""),
        (f"{line} > /dev/full", 1, "il disco è pieno"),
    ):
        done = subprocess.run(
            ["bash", "-c", shell], env=indexed.environment(), capture_output=True, timeout=60
        )
        assert done.returncode == code, shell
        assert told in done.stderr.decode() and (told or not done.stderr)
        assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr


# help, imports


def test_help_is_italian_to_the_last_word(computer: Computer) -> None:
    asked = [["--help"], *([command, "--help"] for command in COMMANDS)]
    english = (
        r"Options|Usage|OPTIONS|Commands|Arguments|Show|required|default|range|<\w+>|ARGS|None"
    )
    for (command, *_), ended in zip(asked, computer.together(*asked), strict=True):
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.startswith(f"Uso: piano {command.replace('--help', '[OPZIONI]')}")
        assert not re.search(english, ended.out), ended.out
        assert str(Path(__file__).parents[1]) not in ended.out, "no path of this machine"


@pytest.mark.parametrize("command", ["ask", "search"])
def test_the_path_of_an_answer_imports_nothing_heavy(indexed: Computer, command: str) -> None:
    program = (
        "import sys, assistant.cli\n"
        "try: assistant.cli.main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, command, QUESTION, "--json"],
        env=indexed.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["status"] == "answered" if command == "ask" else told["hits"]
    heavy = "torch sentence_transformers transformers langchain langchain_core chromadb streamlit"
    more = "fastapi uvicorn scipy pandas pypdf trafilatura rich httpx reportlab lightgbm sklearn"
    assert not set(done.stderr.split()) & set((heavy + " " + more).split())


def test_the_installed_command_is_the_same_program(indexed: Computer) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("piano"), "status", "--json"],
        env=indexed.environment(),
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["documents"] == len(TAKEN)
