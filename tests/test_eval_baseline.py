from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import UsageError
from eval.baseline import Baseline, read_baseline, write_baseline

CASES = {
    "op-01": {"recall": 1.0, "refusals": 0.0, "ask": 8.5},
    "op-02": {"recall": 2 / 3},
    "pià-03": {"refusals": 1.0},
}
TEXT = """{
 "commit": "abc1234",
 "golden_sha256": "00ff",
 "metrics": ["recall","refusals"],
 "cases": {
  "op-01": [1,0],
  "op-02": [0.6667,null],
  "pià-03": [null,1]
 }
}
"""


def test_a_baseline_is_one_line_a_question(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    write_baseline(CASES, ["recall", "refusals"], path, commit="abc1234", golden_sha256="00ff")
    assert path.read_text(encoding="utf-8") == TEXT


def test_a_baseline_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(TEXT, encoding="utf-8")
    found = read_baseline(path)
    assert found == Baseline(
        "abc1234",
        "00ff",
        ("recall", "refusals"),
        {
            "op-01": {"recall": 1.0, "refusals": 0.0},
            "op-02": {"recall": 0.6667},
            "pià-03": {"refusals": 1.0},
        },
    )
    write_baseline(found.cases, found.metrics, path, commit="abc1234", golden_sha256="00ff")
    assert path.read_text(encoding="utf-8") == TEXT


def test_a_value_that_is_no_number_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    with pytest.raises(ValueError, match="nan"):
        write_baseline({"a": {"m": float("nan")}}, ["m"], path, commit="", golden_sha256="")
    assert not path.exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[1,0]", "[1,0", "non è JSON: errore alla riga 7"),
        ("[1,0]", "[1]", "la domanda op-01 deve avere 2 valori"),
        ("[1,0]", "[1,true]", "la domanda op-01 ha true"),
        ("[1,0]", '[1,"0"]', 'la domanda op-01 ha "0"'),
        ("[1,0]", "[1,NaN]", "NaN non è un valore"),
        ("[1,0]", "[1,1e999]", "la domanda op-01 ha Infinity"),
        ("[1,0]", "3", "la domanda op-01 deve avere"),
        ('"op-02"', '"op-01"', "op-01 compare due volte"),
        ('"refusals"]', '"recall"]', "metrics è vuoto o ripete"),
        ('["recall","refusals"]', "[]", "metrics è vuoto"),
        ('["recall","refusals"]', '"recall"', "metrics deve essere un elenco"),
        ('"abc1234"', "7", "devono essere testi"),
        ('"commit"', '"comit"', "deve avere commit, golden_sha256, metrics, cases"),
        ('"commit"', '"x": 1, "commit"', "e nient'altro"),
    ],
)
def test_a_spoilt_baseline_is_refused_saying_where(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError, match="Riprendi il file da git") as refused:
        read_baseline(path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff\xfe", b'{"commit":"","golden_sha256":"","metrics":["m"],"cases":{}}'],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="misura di riferimento"):
        read_baseline(path)


def test_a_missing_baseline_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"non c'è: .*Riprendi il file da git"):
        read_baseline(tmp_path / "baseline.json")
