"""The hostile documents of the evaluation: built as committed, and marked as invented."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from ingest.formats import read_document

HOSTILE = Path(__file__).parents[1] / "eval" / "hostile"
FILES = sorted(path for path in (HOSTILE / "documents").iterdir() if path.is_file())


def _builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile_build", HOSTILE / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_built_documents_are_those_committed() -> None:
    built: dict[str, bytes] = _builder().build()
    assert len(built) >= 15
    for name, data in built.items():
        assert (HOSTILE / "documents" / name).read_bytes() == data, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_first_line_says_that_it_is_invented(path: Path) -> None:
    text = read_document(path, max_bytes=1_000_000).pages[0].text
    assert text.startswith("Documento di prova, inventato")
