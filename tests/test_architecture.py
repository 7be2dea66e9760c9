"""The picture of the design, held: who may import whom, and what is never imported early."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("assistant", "ingest", "ui", "eval", "corpus")

LAYERS: tuple[tuple[str, ...], ...] = (
    ("assistant.errors",),
    ("assistant.models", "assistant.record_models", "assistant.settings"),
    ("assistant.italian",),
    ("assistant.index", "assistant.embedding"),
    ("assistant.retrieval",),
    ("assistant.schede",),
    ("assistant.answering",),
    ("assistant.service", "assistant.conversations", "assistant.wire"),
    ("assistant.build",),
    ("assistant.api",),
    ("assistant.cli",),
)
"""Low to high: a module imports its own layer's package and lower ones, never a higher one."""

MAY_IMPORT = {
    "assistant": {"assistant"},
    "ingest": {"ingest", "assistant", "corpus"},  # to know where the bundled documents are
    "eval": {"eval", "assistant", "corpus"},  # whose writer knows what the documents truly say
    "ui": {"ui", "assistant"},
    "corpus": {"corpus"},
}
UI_MAY_USE = {
    "assistant.models",
    "assistant.record_models",
    "assistant.settings",
    "assistant.errors",
}

HEAVY = {
    "torch", "sentence_transformers", "transformers", "langchain", "langchain_core",
    "langchain_openai", "langchain_ollama", "langsmith", "chromadb", "streamlit", "openai", "scipy",
    "lightgbm", "sklearn",
}  # fmt: skip
HEAVY_ALLOWED_IN = {"assistant/langchain.py": {"langchain_core"}}
"""Modules that nobody imports on the way to an answer."""


class Import(NamedTuple):
    path: Path
    line: int
    module: str
    names: tuple[str, ...]
    at_top: bool
    """Run when the module is imported; typing-only imports are not."""

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} imports {self.module}"


def imports_of(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text("utf-8"))
    yield from _walk(tree, path, at_top=True)


def _walk(node: ast.AST, path: Path, *, at_top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(path, child.lineno, alias.name, (), at_top)
        elif isinstance(child, ast.ImportFrom):
            names = tuple(alias.name for alias in child.names)
            yield Import(path, child.lineno, _absolute(child, path), names, at_top)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _walk(child, path, at_top=False)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, path, at_top=at_top and not inside)


def _absolute(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module or ""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join([*parts[: len(parts) - node.level], *filter(None, [node.module])])


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def targets(found: Import) -> list[str]:
    """What an import may mean: `from assistant import models` is `assistant.models`."""
    return [found.module, *(f"{found.module}.{name}" for name in found.names)]


def layer_of(module: str) -> int | None:
    for height, layer in enumerate(LAYERS):
        for name in layer:
            if module == name or module.startswith(name + "."):
                return height
    return None


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_those_below_them(package: str) -> None:
    wrong = [
        str(found)
        for path in sources(package)
        for found in imports_of(path)
        if found.module.partition(".")[0] in {*PACKAGES, "tests", "scripts"} - MAY_IMPORT[package]
    ]
    assert wrong == []


def test_assistant_layers_import_downwards() -> None:
    wrong = []
    for path in sources("assistant"):
        own = layer_of(module_name(path))
        if own is None:
            continue
        for found in imports_of(path):
            heights = [height for target in targets(found) if (height := layer_of(target))]
            if heights and max(heights) > own:
                wrong.append(str(found))
    assert wrong == []


def test_every_module_of_assistant_has_a_layer() -> None:
    outside = [
        module
        for path in sources("assistant")
        if (module := module_name(path)) not in ("assistant", "assistant.__main__")
        and str(path.relative_to(ROOT)) not in HEAVY_ALLOWED_IN
        and layer_of(module) is None
    ]
    assert outside == []


def test_the_user_interface_knows_only_the_models_that_travel() -> None:
    wrong = [
        str(found)
        for path in sources("ui")
        for found in imports_of(path)
        if found.module.partition(".")[0] == "assistant"
        and found.module not in UI_MAY_USE
        and not (
            found.module == "assistant"
            and found.names
            and {f"assistant.{name}" for name in found.names} <= UI_MAY_USE
        )
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["assistant", "ingest"])
def test_heavy_libraries_are_imported_by_the_function_that_needs_them(package: str) -> None:
    wrong = [
        str(found)
        for path in sources(package)
        for found in imports_of(path)
        if found.at_top
        and (library := found.module.partition(".")[0]) in HEAVY
        and library not in HEAVY_ALLOWED_IN.get(str(path.relative_to(ROOT)), set())
    ]
    assert wrong == []


def test_nobody_imports_the_package_eval_over_the_builtin() -> None:
    wrong = [
        str(found)
        for package in (*PACKAGES, "tests", "scripts")
        for path in sources(package)
        for found in imports_of(path)
        if found.module == "eval" and not found.names
    ]
    assert wrong == []


def test_the_reader_of_imports_sees_what_it_should(tmp_path: Path) -> None:
    module = ROOT / "assistant" / "italian" / "invented.py"
    tree = ast.parse(
        "from ..index import x\nif TYPE_CHECKING:\n    import torch\ndef f():\n    import y"
    )
    found = list(_walk(tree, module, at_top=True))
    assert [(one.module, one.at_top) for one in found] == [
        ("assistant.index", True),
        ("torch", False),
        ("y", False),
    ]
