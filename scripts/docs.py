"""Writes the parts of the documentation that the program itself knows.

README.md: the file tree (first line of each module's docstring) and the settings table.
docs/comandi.md: the help of every command. With `--check` it compares and writes nothing.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from assistant.settings import ENV_PREFIX, Settings  # noqa: E402

PACKAGES = ("ingest", "assistant", "ui", "eval", "corpus", "scripts")

COMMANDS = (
    "", "up", "ingest", "sync", "search", "ask", "schede", "status", "reindex", "rollback",
    "eval", "api", "ui",
)  # fmt: skip

NAME_WIDTH = 30
"""Columns of the tree before the descriptions; the longest indented name fits."""

DATA = {
    "assistant/answering/prompts": {
        "domanda.txt": "the passages with the question, as the chat model gets them",
        "sistema.txt": "what the chat model is told to do",
    },
    "assistant/embedding": {
        "bundled/": "the model itself: config.json, vocabulary.txt, model.safetensors",
        "training/": "texts of ours that tie everyday words to the words of the plans",
        "training/coppie/": "questions in everyday words with passages that answer them",
    },
    "assistant/italian": {
        "abbreviations.toml": "abbreviations whose full stop does not end a sentence",
        "acronyms.toml": "acronyms with what they stand for",
        "distretti.toml": "names of the region's districts",
        "english.tsv": "the field's terms in English and Italian",
        "laws.txt": "acts often named without their year or type",
        "meaning.toml": "words on which the truth of a sentence hangs",
        "stems.txt": "words that the stemmer would wrongly merge, or keep apart",
        "stopwords.txt": "words that carry no meaning for a search",
        "thesaurus/": "concepts of the field: formal words, people's words, relations",
        "thesaurus.json": "the same with the acronyms, compiled (`make models`)",
        "weak_words.txt": "words of questions that answers seldom hold",
    },
    "assistant/retrieval": {
        "reranker.json": "the re-ranker: trees made by train.py (`make models`)",
        "training/": "questions of ours over the bundled documents, with the quotes that answer",
    },
    "ingest/schede": {"schede.toml": "field labels of schede, with their variants"},
    "eval": {
        "golden": "questions with the quotes that answer them",
        "claims": "sentences labelled by hand, for the verifier",
        "hostile/documents": "documents that try to lead answers astray",
    },
    "corpus": {
        "catalogo.toml": "sources that `piano sync` takes, official or not",
        "documents/": "the documents as users meet them, built from their sources",
        "sources/": "the documents as they are edited",
    },
}
"""Files beside the modules that a reader edits or looks for; they have no docstring."""

ROOT_FILES = {
    "Makefile": "the words of the loop",
    "pyproject.toml": "package, pinned direct dependencies, tools",
    "requirements.lock": "every package, pinned (`make lock`)",
    "publiccode.yml": "metadata for the Italian catalogue of public software",
    "CHANGELOG.md": "what changed, version by version",
    "CONTRIBUTING.md": "how to work on it",
    "LICENSE": "EUPL-1.2",
    ".ci/run": "what CI runs",
    ".github/workflows/ci.yml": "the same, on GitHub",
    "docs/": "guides, operations, decisions",
    "tests/": "flat: one `test_<topic>.py` a topic",
}


def tree() -> str:
    """One line a file: its name and the first line of its docstring."""
    lines: list[str] = []
    for package in PACKAGES:
        lines += _folder(ROOT / package, depth=0)
    lines += [_line(name, 0, text) for name, text in ROOT_FILES.items()]
    return "```\n" + "\n".join(line.rstrip() for line in lines) + "\n```"


def _folder(folder: Path, depth: int) -> Iterator[str]:
    init = folder / "__init__.py"
    title = _summary(init) if init.exists() else "what the loop calls; no part of the program"
    yield _line(folder.name + "/", depth, title)
    for path in _modules(folder):
        yield _line(path.name, depth + 1, _summary(path))
    for name, text in DATA.get(folder.relative_to(ROOT).as_posix(), {}).items():
        yield _line(name, depth + 1, text)
    for child in sorted(folder.iterdir()):
        if (child / "__init__.py").exists():
            yield from _folder(child, depth + 1)


def _modules(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.glob("*.py"))
        if path.name not in ("__init__.py", "__main__.py")
    ]


def _line(name: str, depth: int, text: str) -> str:
    return f"{'  ' * depth + name:<{NAME_WIDTH - 1}} {text}"


def _summary(path: Path) -> str:
    doc = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return doc.partition("\n")[0].rstrip(".")


def settings_table() -> str:
    """Name, default and meaning of each setting, from the docstrings under its fields."""
    source = ast.parse((ROOT / "assistant" / "settings.py").read_text("utf-8"))
    body = next(
        node.body
        for node in source.body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    )
    meaning = {
        field.target.id: note.value.value
        for field, note in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(note, ast.Expr)
        and isinstance(note.value, ast.Constant)
    }
    defaults = Settings()
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for setting in fields(Settings):
        value = getattr(defaults, setting.name)
        shown = f"`{value}`" if value not in ("", None) else "–"
        text = " ".join(str(meaning[setting.name]).split()).replace("|", "\\|")
        lines.append(f"| `{ENV_PREFIX}{setting.name.upper()}` | {shown} | {text} |")
    return "\n".join(lines)


def commands() -> str:
    """The help of every command, as the program prints it."""
    shown = subprocess.run(
        [sys.executable, "-c", EACH_HELP, *COMMANDS],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"COLUMNS": "80", "PYTHONUTF8": "1"},
    ).stdout.split("\0")
    parts = ["# Comandi di `piano`", "", "Pagina generata dal programma (`make docs`)."]
    for name, text in zip(COMMANDS, shown, strict=True):
        parts += ["", f"## {f'piano {name}'.strip()}", "", "```", text.strip(), "```"]
    return "\n".join(parts) + "\n"


EACH_HELP = """
import sys
from assistant.cli import main

for number, name in enumerate(sys.argv[1:]):
    print(end="\\0" * (number > 0), flush=True)
    sys.argv = ["piano", *name.split(), "--help"]
    try:
        main()
    except SystemExit:
        pass
"""
"""The program under its own name, once for each command; the installed one may lie anywhere."""


def readme(text: str) -> str:
    """`text` with its generated blocks made anew."""
    for name, block in (("tree", tree()), ("settings", settings_table())):
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        head, rest = text.split(begin)
        text = f"{head}{begin}\n{block}\n{end}{rest.split(end)[1]}"
    return text


def wanted() -> dict[Path, str]:
    """Each generated file with the text that it should hold now."""
    target = ROOT / "README.md"
    return {
        target: readme(target.read_text("utf-8")),
        ROOT / "docs" / "comandi.md": commands(),
    }


def main() -> int:
    stale = {
        path: text
        for path, text in wanted().items()
        if not path.exists() or path.read_text("utf-8") != text
    }
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale: run `make docs`.")
        return 1 if stale else 0
    for path, text in stale.items():
        path.write_text(text, "utf-8")
        print(f"{path.relative_to(ROOT)} written again.")
    if not stale:
        print("The docs agree with the program already.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
