"""`python -m corpus.build`: sources/ → documents/; `--check` only compares."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from corpus import DOCUMENTS
from corpus.sources import SOURCES, Source, SourceError, read_sources


def _writers() -> dict[str, Callable[[Source], bytes]]:
    from corpus.opendocument import render_odt
    from corpus.pdf import render_pdf
    from corpus.plain import render_text
    from corpus.web import render_html, render_markdown
    from corpus.word import render_docx

    return {
        "pdf": render_pdf,
        "docx": render_docx,
        "odt": render_odt,
        "html": render_html,
        "md": render_markdown,
        "txt": render_text,
    }


def build(sources: Path = SOURCES) -> dict[str, bytes]:
    """File name → bytes, for every source of the folder."""
    writers = _writers()
    return {source.filename: writers[source.format](source) for source in read_sources(sources)}


def differences(built: dict[str, bytes], folder: Path = DOCUMENTS) -> list[str]:
    """Names of files that are missing, changed or no longer wanted in the folder."""
    present = {path.name: path for path in folder.iterdir() if path.is_file()}
    changed = [
        name
        for name, content in built.items()
        if name not in present or present[name].read_bytes() != content
    ]
    return sorted(changed + [name for name in present if name not in built])


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done or nothing differs, 1 something differs or a source is wrong."""
    options = argparse.ArgumentParser(prog="python -m corpus.build", description=__doc__)
    options.add_argument("--check", action="store_true", help="exit 1 when a built file differs")
    check: bool = options.parse_args(arguments).check
    try:
        built = build()
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    DOCUMENTS.mkdir(exist_ok=True)
    changed = differences(built)
    for name in changed:
        print(f"{'differs' if check else 'written' if name in built else 'removed'}: {name}")
        if not check:
            if name in built:
                (DOCUMENTS / name).write_bytes(built[name])
            else:
                (DOCUMENTS / name).unlink()
    if check:
        return 1 if changed else 0
    print(f"{len(built)} documents, {len(changed)} changed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
