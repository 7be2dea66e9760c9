"""Writes the parts of the documentation that the program itself knows; `--check` only compares.

README.md: the file tree (first line of each module's docstring) and the settings table.
docs/comandi.md: the help of every command.
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
    "",
    "up",
    "ingest",
    "search",
    "ask",
    "schede",
    "status",
    "rollback",
    "eval",
    "api",
    "ui",
)


def tree() -> str:
    """One line a file: its name and the first line of its docstring."""
    lines: list[str] = []
    for package in PACKAGES:
        for path in _modules(ROOT / package):
            relative = path.relative_to(ROOT)
            indent = "  " * (len(relative.parts) - 1)
            if path.name == "__init__.py":
                lines.append(f"{indent[2:]}{relative.parent.name + '/':<28} {_summary(path)}")
            else:
                lines.append(f"{indent}{path.name:<{28 - len(indent) + 0}} {_summary(path)}")
    return "```\n" + "\n".join(line.rstrip() for line in lines) + "\n```"


def _modules(folder: Path) -> Iterator[Path]:
    init = folder / "__init__.py"
    if init.exists():
        yield init
    for path in sorted(folder.glob("*.py")):
        if path.name not in ("__init__.py", "__main__.py"):
            yield path
    for child in sorted(folder.iterdir()):
        if (child / "__init__.py").exists():
            yield from _modules(child)


def _summary(path: Path) -> str:
    doc = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return doc.partition("\n\n")[0].replace("\n", " ").rstrip(".")


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
        text = " ".join(str(meaning[setting.name]).split())
        lines.append(f"| `{ENV_PREFIX}{setting.name.upper()}` | {shown} | {text} |")
    return "\n".join(lines)


def commands() -> str:
    """The help of every command, as the program prints it."""
    parts = ["# Comandi di `piano`", "", "Pagina generata dal programma (`make docs`)."]
    for name in COMMANDS:
        shown = subprocess.run(
            [sys.executable, "-m", "assistant.cli", *([name] if name else []), "--help"],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={"COLUMNS": "96", "PATH": "", "TERMINAL_WIDTH": "96"},
        ).stdout.rstrip()
        title = f"piano {name}".strip()
        parts += ["", f"## {title}", "", "```", shown, "```"]
    return "\n".join(parts) + "\n"


def readme(text: str) -> str:
    """`text` with its generated blocks made anew."""
    for name, block in (("tree", tree()), ("settings", settings_table())):
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        head, rest = text.split(begin)
        text = f"{head}{begin}\n{block}\n{end}{rest.split(end)[1]}"
    return text


def main() -> int:
    target = ROOT / "README.md"
    wanted = {
        target: readme(target.read_text("utf-8")),
        ROOT / "docs" / "comandi.md": commands(),
    }
    stale = [
        path
        for path, text in wanted.items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)}; run `make docs`")
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], "utf-8")
        print(f"written: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
