"""The documentation keeps its word: what it lists is there, what it shows is what happens."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

from assistant.answering.converse import resolve
from assistant.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PACKAGES = ("ingest", "assistant", "ui", "eval", "corpus")
GUIDES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "corpus" / "README.md"])

ALSO_ENGLISH = {
    "area", "base", "case", "colon", "compare", "complete", "data", "date", "docx", "euro",
    "example", "file", "filter", "first", "focus", "free", "future", "group", "health", "html",
    "http", "info", "inside", "iter", "keywords", "media", "note", "open", "over", "password",
    "pause", "peer", "pool", "pure", "rate", "report", "scale", "schema", "serve", "space",
    "standard", "stop", "target", "world", "zero",
}  # fmt: skip
"""Words that Italian texts hold and that are English, or a format's name, in code."""

MACHINE = re.compile(
    r"(?<![\w.}~-])/(?:work|root|opt|mnt|Users|home)/[\w.]"  # a folder of somebody's machine
    r"|[Aa]rtifactory|[Nn]exus/repository|pythonhosted|pypi\.org|\bpypi-\w+"
)


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    spec = importlib.util.spec_from_file_location("piano_docs", ROOT / "scripts" / "docs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def block(name: str) -> str:
    """A generated part of the README."""
    return README.split(f"<!-- {name} -->")[1].split(f"<!-- /{name} -->")[0]


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def tracked() -> list[Path]:
    """Files under version control, or about to be; a copy without git has none to check."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached"], cwd=ROOT, capture_output=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this copy is not a git repository: its files cannot be listed")
    return [path for name in listed.decode().split("\0") if name and (path := ROOT / name).exists()]


def test_the_tree_lists_every_module_with_a_line() -> None:
    lines = [line.split(None, 1) for line in block("tree").splitlines()]
    described = {parts[0] for parts in lines if len(parts) == 2}
    for path in modules():
        if path.name == "__main__.py":
            continue
        name = f"{path.parent.name}/" if path.name == "__init__.py" else path.name
        assert name in described, f"{path.relative_to(ROOT)}: run `make docs`"


def test_what_is_generated_agrees_with_the_program(generated: ModuleType) -> None:
    for path, text in generated.wanted().items():
        changed = set(text.splitlines()) ^ set(path.read_text("utf-8").splitlines())
        assert not changed, f"{path.name} is stale: run `make docs`"


def test_files_described_by_hand_are_there(generated: ModuleType) -> None:
    for folder, described in generated.DATA.items():
        for name in described:
            assert (ROOT / folder / name).exists(), f"{folder}/{name}"
    for name in generated.ROOT_FILES:
        assert (ROOT / name).exists(), name


def test_every_setting_is_documented_with_its_default() -> None:
    rows = {row.split("`")[1]: row for row in block("settings").splitlines() if "`" in row}
    for setting in fields(Settings):
        row = rows.pop(ENV_PREFIX + setting.name.upper())
        name, default, meaning = row.strip("|").split(" | ")
        assert len(meaning.strip()) > 10, name
        if setting.default not in ("", None):
            assert f"`{setting.default}`" == default
    assert not rows, "documented, but no setting"


def test_no_guide_names_a_setting_that_does_not_exist() -> None:
    known = {ENV_PREFIX + setting.name.upper() for setting in fields(Settings)}
    for guide in GUIDES:
        for name in re.findall(r"\bPIANO_[A-Z_]+\b", guide.read_text("utf-8")):
            assert name in known, f"{guide.name}: {name}"


def test_the_glossary_explains_every_italian_word_used_as_a_name() -> None:
    italian: set[str] = set()
    for source in sorted((ROOT / "corpus" / "sources").glob("*.md")):
        italian.update(re.findall(r"[a-zàèéìòù]{4,}", source.read_text("utf-8").lower()))
    used = {word for path in modules() for word in names(path)} & italian
    rows = re.findall(r"^\| ([^|]+) \|", README.split("## Glossary")[1], re.MULTILINE)
    explained = {word for row in rows for word in re.findall(r"\w+", row.lower())}
    plurals = {"schede": "scheda", "interventi": "intervento", "distretti": "distretto"}
    missing = {plurals.get(word, word) for word in used} - ALSO_ENGLISH - explained
    assert not missing, f"give each a line in the README's glossary: {sorted(missing)}"
    assert {"scheda", "distretto", "intervento", "ausl"} <= used, "the reading of names is broken"


def names(path: Path) -> Iterator[str]:
    """The words of the names that a module defines."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found = name
            case ast.Name(id=found) | ast.arg(arg=found):
                pass
            case _:
                continue
        yield from (word.lower() for word in re.findall(r"[A-Z]?[a-z]+", found))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_images_lead_somewhere(guide: Path) -> None:
    text = re.sub(r"```.*?```", "", guide.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = unquote(target).partition("#")
        linked = (guide.parent / file).resolve() if file else guide
        assert linked.exists(), f"{guide.name} → {target}"
        assert linked.is_relative_to(ROOT), f"{guide.name} → {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}
            assert anchor in slugs, f"{guide.name} → {target}"


def test_words_of_make_in_the_guides_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"setup", "run", "test", "lint", "bench", "eval", "models", "docs"} <= targets
    for guide in GUIDES:
        text = guide.read_text("utf-8")
        for word in re.findall(r"(?:`|^)make ([a-z]+)\b", text, re.MULTILINE):
            assert word in targets, f"{guide.name}: make {word}"


def test_no_text_names_a_machine_or_a_package_host() -> None:
    for path in tracked():
        if path == Path(__file__) or path.name == "LICENSE":
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            found = MACHINE.search(line)
            assert not found, f"{path.relative_to(ROOT)}:{number}: {found.group() if found else ''}"


@pytest.fixture(scope="module")
def indexed(bundled_data_dir: Path) -> Path:
    """A data directory with the bundled corpus."""
    return bundled_data_dir


def piano(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "assistant.cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


GUIDE = (ROOT / "docs" / "guida-operatori.md").read_text("utf-8")
EXAMPLES = [
    example.strip().splitlines()
    for example in re.findall(r"^```\n\$ (piano .*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[0][6:60])
def test_the_guide_shows_what_the_program_says(example: list[str], indexed: Path) -> None:
    """Each line of an example stands in the output, in order; `…` is anything."""
    command, *shown = example
    output = piano(*shlex.split(command)[1:], "--data-dir", str(indexed))
    position = 0
    for line in shown:
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        found = re.compile(f"^{pattern}$", re.MULTILINE).search(output, position)
        if line != "…":
            assert found, f"not said: {line}\n---\n{output}"
            position = found.end()
    assert len([line for line in shown if line != "…"]) >= 1


def test_the_guide_reads_follow_ups_as_the_program_does() -> None:
    rows = re.findall(r"^\| (.+\?) \| (.+\?) \| (.+\?) \|$", GUIDE, re.MULTILINE)
    assert len(rows) >= 2
    for first, then, understood in rows:
        assert resolve(then, [first]) == understood
