"""`python -m eval.relocate`: finds golden quotes again in changed canonical text.

A quote moves only with all its words in the same order: spaces, line ends, punctuation and the page
may differ, words may not. What cannot be found so is named, and a person decides.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError
from assistant.settings import Settings
from eval.cases import GOLDEN
from eval.system import System, opened

_WORD = re.compile(r"\w+")
_CLOSING = re.compile(r"[%)?]+")

Pages = Mapping[str, Mapping[int, str]]
"""File name → page number → canonical text."""


def relocate(record: dict[str, Any], pages: Pages) -> list[str]:
    """Move the quotes of one golden record to where their words stand; say what was not found.

    A quote that already stands once on its page is left alone.
    """
    lost: list[str] = []
    for gold in _quotes(record):
        texts = pages.get(gold["document"], {})
        if texts.get(gold["page"], "").count(gold["quote"]) == 1:
            continue
        places = [
            (number, found)
            for number, text in texts.items()
            for found in occurrences(text, gold["quote"])
            if text.count(found) == 1
        ]
        here = [place for place in places if place[0] == gold["page"]]
        chosen = here if len(here) == 1 else places
        if len(chosen) == 1:
            gold["page"], gold["quote"] = chosen[0]
        else:
            lost.append(f"{record['id']}: {gold['quote'][:80]!r}, {len(chosen)} posti")
    return lost


def _quotes(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("evidence", "correction"):
        for quotes in record.get(name, ()):
            yield from quotes


def occurrences(text: str, quote: str) -> Iterator[str]:
    """The stretches of `text` with exactly the words of `quote`, whatever stands between them."""
    wanted = [word.casefold() for word in _WORD.findall(quote)]
    words = list(_WORD.finditer(text))
    folded = [word.group().casefold() for word in words]
    for first in range(len(words) - len(wanted) + 1):
        if wanted and folded[first : first + len(wanted)] == wanted:
            end = words[first + len(wanted) - 1].end()
            closing = _CLOSING.match(text, end)
            if closing and quote.endswith(closing.group()):
                end = closing.end()
            yield text[words[first].start() : end]


def all_pages(system: System) -> dict[str, dict[int, str]]:
    return {
        document.source.replace("\\", "/").rsplit("/", 1)[-1]: {
            number: system.page(document.id, number).text
            for number in range(1, document.page_count + 1)
        }
        for document in system.documents()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when every quote stands somewhere, 1 when some must be looked at."""
    parser = argparse.ArgumentParser(prog="python -m eval.relocate", description=__doc__)
    parser.add_argument("--golden", type=Path, default=GOLDEN)
    parser.add_argument("--data-dir", type=Path, help="an index; otherwise the bundled corpus")
    options = parser.parse_args(arguments)
    golden: Path = options.golden
    with opened(Settings.from_env(), options.data_dir) as system:
        pages = all_pages(system)
    lost: list[str] = []
    moved = 0
    for file in sorted(golden.glob("*.jsonl")) if golden.is_dir() else [golden]:
        lines = file.read_text(encoding="utf-8").split("\n")
        written = [_relocated(line, pages, lost) for line in lines]
        file.write_text("\n".join(written), encoding="utf-8")
        moved += sum(before != after for before, after in zip(lines, written, strict=True))
    sys.stderr.write("\n".join([f"{moved} righe cambiate, {len(lost)} brani perduti", *lost, ""]))
    return 1 if lost else 0


def _relocated(line: str, pages: Pages, lost: list[str]) -> str:
    if not line.strip():
        return line
    record = json.loads(line)
    lost += relocate(record, pages)
    return json.dumps(record, ensure_ascii=False)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AssistantError as failure:
        sys.stderr.write(f"Errore: {failure}\n")
        sys.exit(failure.exit_code)
