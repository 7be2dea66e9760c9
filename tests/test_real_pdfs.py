"""Real PDFs of public offices, where they lie beside the project: pages found, quotes true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.settings import Settings
from eval.pages import PDFS, Sample, locate, pick, rate
from eval.system import System, ingest_into, opened
from ingest.cleaning import flatten, normalise
from ingest.formats import read_bytes
from ingest.models import SourceDocument
from ingest.passages import make_passages

pytestmark = pytest.mark.skipif(
    not PDFS.is_dir(), reason="the real PDFs of ../shared/pdfs are not here"
)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    data_dir = tmp_path_factory.mktemp("real") / "data"
    ingest_into(data_dir, PDFS)
    with opened(Settings(data_dir=data_dir), data_dir) as assistant:
        yield assistant


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return pick(PDFS)


def test_sentences_are_found_on_their_page(system: System, samples: list[Sample]) -> None:
    assert len(samples) >= 200
    assert len({sample.file for sample in samples}) >= 5
    located = locate(system, samples)
    assert rate(located, 10) >= 0.97
    assert rate(located, 1) >= 0.93


@pytest.fixture(scope="module", params=sorted(PDFS.glob("*.pdf")), ids=lambda p: p.name[:24])
def document(request: pytest.FixtureRequest) -> SourceDocument:
    path: Path = request.param
    return read_bytes(path.read_bytes(), path.name)


def test_pages_and_blocks_are_canonical(document: SourceDocument) -> None:
    for page in document.pages:
        assert normalise(page.text) == page.text
        end = 0
        for block in page.blocks:
            assert end <= block.start < block.end
            end = block.end
            text = page.text[block.start : block.end]
            assert flatten(text) == text
            if block.cells:
                cells = [page.text[s:e] for s, e in block.cells]
                assert " ".join(cell for cell in cells if cell) == text


def test_passages_keep_to_their_page_and_say_more_than_a_heading(document: SourceDocument) -> None:
    headings = {
        page.text[b.start : b.end]
        for page in document.pages
        for b in page.blocks
        if b.kind == "heading"
    }
    passages = make_passages("d" * 64, document)
    over = [p for p in passages if p.page_end != p.page_start]
    assert len(over) <= 0.1 * len(passages)
    assert not [p.text for p in passages if p.text in headings]
