"""The gate of reading: the bundled documents are read as their writer wrote them.

The bounds are what was asked of reading, not what was measured.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.settings import Settings
from corpus.truth import truths
from eval.reading import ReadingScore, score_reading
from eval.system import opened

BOUNDS = {
    "sentence_page": 0.995,
    "reading_order": 0.995,
    "running_lines_out": 1.0,
    "row_readable": 0.99,
    "sheets_found": 0.99,
    "sheets_not_invented": 0.99,
    "field_exact": 0.98,
    "field_page": 1.0,
    "absent_fields": 0.95,
    "typed_exact": 0.98,
    "spending_exact": 0.98,
    "indicators_exact": 0.98,
}
OCR_WORDS = 0.98
"""Share of the words of a clean scan, where the engine is installed."""


@pytest.fixture(scope="module")
def scores(bundled_data_dir: Path) -> dict[str, ReadingScore]:
    with opened(Settings(data_dir=bundled_data_dir), bundled_data_dir) as system:
        return {one.name: one for one in score_reading(system)}


def test_the_truth_is_large_enough_to_prove_something(scores: dict[str, ReadingScore]) -> None:
    assert sum(truth.page_count for truth in truths()) >= 400
    assert scores["sentence_page"].slices["all"].n >= 5000
    assert scores["field_exact"].slices["all"].n >= 2000
    assert {"pdf", "docx", "odt", "html", "md", "txt"} < set(scores["sentence_page"].slices)


@pytest.mark.parametrize(("name", "bound"), sorted(BOUNDS.items()))
def test_documents_are_read_as_they_were_written(
    scores: dict[str, ReadingScore], name: str, bound: float
) -> None:
    found = scores[name]
    value = found.slices["all"].value
    assert value is not None
    assert value >= bound, "\n".join(f"{f.document}: {f.about}" for f in found.faults[:10])


def test_scans_are_read_where_the_engine_is_installed(scores: dict[str, ReadingScore]) -> None:
    found = scores["ocr_words"].slices["all"]
    if not found.n:
        pytest.skip("tesseract with Italian is not installed: scans are not read")
    assert found.value is not None
    assert found.value >= OCR_WORDS
