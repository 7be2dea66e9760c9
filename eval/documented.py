"""`python -m eval.documented`: measures the search and writes its tables into docs/valutazione.md.

With the folder of a run nothing is measured again: its tables are written.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from assistant.errors import AssistantError, UsageError
from eval.report import markdown_steps
from eval.run import Run, read_run
from eval.steps import kept_contributions

DOCUMENT = Path(__file__).parent.parent / "docs" / "valutazione.md"
START = "<!-- misure della ricerca: scritte da `make figures` -->"
END = "<!-- fine delle misure della ricerca -->"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.documented", description=__doc__)
    parser.add_argument("run", type=Path, nargs="?", help="folder of a finished run")
    parser.add_argument("--squad", type=Path, help="SQuAD-it, when it is not beside the project")
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="piano-figures-") as folder:
        run = options.run or _measured(Path(folder) / "run", options.squad)
        text = section(read_run(run))
    write(text, options.document)
    sys.stderr.write(f"written in {options.document}\n")
    return 0


def section(run: Run) -> str:
    """When it was measured, on what, and the tables.

    Raises:
        UsageError: the run did not take the search apart.
    """
    found = kept_contributions(run.folder, goals=True)
    if found is None:
        raise UsageError(
            f"La valutazione in {run.folder} non ha misurato i passi della ricerca.",
            remedy="Ripetila con «piano eval --suite retrieval».",
        )
    steps = tuple(row for row in found.steps if row.part not in ("dev", "test"))
    date, asked = str(run.config["started"])[:10], len({row.part for row in steps})
    told = (
        f"Misurato il {date}, codice {run.config['commit']}: {run.config['questions']} domande"
        f" della serie retrieval con le loro varianti, in {asked} parti."
    )
    return f"{told}\n\n{markdown_steps(replace(found, steps=steps), heading='###')}"


def write(text: str, document: Path) -> None:
    """Raises UsageError when the document has no place for it."""
    before, start, rest = document.read_text(encoding="utf-8").partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise UsageError(f"In {document} mancano i segni «{START}» e «{END}».")
    document.write_text(
        f"{before}{START}\n\n{text.strip()}\n\n{END}{after}", encoding="utf-8", newline="\n"
    )


def _measured(folder: Path, squad: Path | None) -> Path:
    command = [sys.executable, "-m", "eval.cli", "--suite", "retrieval", "--out", str(folder)]
    command += ["--squad", str(squad)] if squad else []
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise AssistantError(f"La valutazione è finita con codice {done.returncode}.")
    return folder


if __name__ == "__main__":
    sys.exit(main())
