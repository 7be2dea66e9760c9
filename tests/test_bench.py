"""The benchmark's own arithmetic; its real measurements run in `make bench`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pypdf
import pytest

from assistant.errors import AssistantError
from assistant.settings import Settings
from eval import bench
from eval.bench import BUNDLED, main
from eval.commands import run, timed
from eval.figures import figure, print_table
from eval.load import run_measured, write_long_pdf


def test_a_goal_is_about_the_median_or_the_p95_as_declared() -> None:
    times = [10.0] * 18 + [100.0] * 2
    by_p95 = figure("search_warm", "ms", times, judge="p95")
    assert (by_p95.median, by_p95.p95, by_p95.judged) == (10.0, 100.0, 100.0)
    assert by_p95.met is False
    assert figure("search_warm", "ms", times).met is True


def test_pages_per_second_are_better_when_more() -> None:
    assert figure("ingest_pages_per_second", "pages/s", [99.9]).met is False
    assert figure("ingest_pages_per_second", "pages/s", [100.0]).met is True


def test_what_has_no_goal_is_neither_met_nor_missed() -> None:
    one = figure("api_start", "ms", [900.0])
    assert (one.goal, one.met) == (None, None)


def test_the_table_marks_missed_goals(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([figure("ask_process", "ms", [2000.0]), figure("search_warm", "ms", [1.0])])
    shown = capsys.readouterr().out
    assert "MISSED" in shown
    assert "at most 1500 ms" in shown


def test_a_process_is_timed_from_start_to_end() -> None:
    elapsed = timed([sys.executable, "-c", "import time; time.sleep(0.2)"])
    assert 200 <= elapsed < 10_000


def test_a_failing_command_stops_the_benchmark_with_its_last_words() -> None:
    with pytest.raises(AssistantError, match="codice 7: non trovato"):
        run([sys.executable, "-c", "import sys; sys.stderr.write('non trovato'); sys.exit(7)"])


def test_a_long_pdf_is_made_of_pages_of_others(tmp_path: Path) -> None:
    target = tmp_path / "long.pdf"
    write_long_pdf(target, BUNDLED, 70)
    assert len(pypdf.PdfReader(target).pages) == 70
    with pytest.raises(AssistantError, match="Nessun PDF"):
        write_long_pdf(target, tmp_path / "none", 3)


def test_the_memory_of_a_command_is_that_of_its_children_too() -> None:
    child = "held = bytearray(150_000_000); import time; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print(1)"
    measured = run_measured([sys.executable, "-c", parent], 60.0, accepted=(0,))
    assert measured.output == "1\n"
    if Path("/proc/self/status").exists():
        assert measured.largest_process is not None and measured.all_processes is not None
        assert 150 < measured.largest_process < measured.all_processes < 400


def test_a_command_that_fails_or_takes_too_long_is_an_error() -> None:
    with pytest.raises(AssistantError, match="codice 3"):
        run_measured([sys.executable, "-c", "raise SystemExit(3)"], 60.0, accepted=(0,))
    with pytest.raises(AssistantError, match="supera"):
        run_measured([sys.executable, "-c", "import time; time.sleep(60)"], 0.3, accepted=(0,))


@pytest.mark.parametrize(
    "wrong", [["--runs", "0"], ["--passages", "49"], ["--only", "nothing"], ["--only"]]
)
def test_options_that_measure_nothing_are_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(wrong)
    assert caught.value.code == 2


def test_only_the_parts_asked_for_are_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "ingest_bundled", lambda data_dir: None)
    monkeypatch.setattr(bench, "api_start", lambda *_: [figure("api_start", "ms", [1.0])])
    monkeypatch.setattr(bench, "scale", lambda *given: [figure("build", "s", [given[-1]])])
    assert main(["--only", "scale", "api", "--passages", "2000", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["median"]) for one in shown] == [
        ("build", 2000.0),
        ("api_start", 1.0),
    ]


def test_a_large_index_is_searched_in_turns(bundled_data_dir: Path) -> None:
    questions = ["Che cosa fa il caregiver?", "Quanti posti ha il nido?"]
    found = bench.large_searches(Settings(), bundled_data_dir, "small", questions)
    assert [one.name for one in found] == [
        "search_small",
        "search_small_half",
        "search_small_narrow",
        "answer_small",
    ]
    assert all(one.n == 2 and one.median > 0 for one in found)


def test_the_memory_of_the_api_is_that_of_its_process(bundled_data_dir: Path) -> None:
    (found,) = bench.api_memory(bundled_data_dir, "small", ["Che cosa fa il caregiver?"])
    assert found.name == "api_small_memory" and 30 < found.median < 700
