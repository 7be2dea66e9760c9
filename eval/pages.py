"""`python -m eval.pages`: whether search finds sentences of real PDFs on the page they stand on.

The sentences are picked by another reader (pypdf's text extraction) than the one that feeds the
index, with a fixed seed, among those that stand on one page only.
"""

from __future__ import annotations

import argparse
import logging
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import AssistantError
from assistant.settings import Settings
from eval.system import System, ingest_into, opened

PDFS = Path("../shared/pdfs")
SEED = 7
SENTENCES = 300
K = 10
_SENTENCE = re.compile(r"(?<=[.;:!?»])\s+(?=[A-ZÀÈÉÌÒÙ«“])")
_WORD = re.compile(r"[^\W\d_]{2,}")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-\n(?=[a-zà-ù])")
_LEADERS = re.compile(r"[._…]{4,}")
_MIN_WORDS, _MAX_CHARS = 8, 300


@dataclass(frozen=True, slots=True)
class Sample:
    """A sentence as the other reader has it, and where it read it."""

    file: str
    page: int
    text: str


@dataclass(frozen=True, slots=True)
class Located:
    """The pages that search gave for a sample, best first: `(file, first page, last page)`."""

    sample: Sample
    found: tuple[tuple[str, int, int], ...]

    @property
    def rank(self) -> int | None:
        """Of the first hit that begins on the sample's page; None when none of them does."""
        wanted = (self.sample.file, self.sample.page)
        ranks = (n for n, (file, page, _) in enumerate(self.found, 1) if (file, page) == wanted)
        return next(ranks, None)


def pick(folder: Path, count: int = SENTENCES, seed: int = SEED) -> list[Sample]:
    """`count` sentences, fewer when there are not so many, spread over documents and pages."""
    samples = [sample for path in sorted(folder.glob("*.pdf")) for sample in _sentences(path)]
    pages = Counter(key for sample in set(samples) for key in [_key(sample.text)])
    unique = sorted(
        {s for s in samples if pages[_key(s.text)] == 1}, key=lambda s: (s.file, s.page, s.text)
    )
    random.Random(seed).shuffle(unique)
    return unique[:count]


def locate(system: System, samples: Sequence[Sample]) -> list[Located]:
    located = []
    for sample in samples:
        hits = system.search(sample.text, k=K).hits
        places = (
            (Path(h.document.source).name, h.passage.page_start, h.passage.page_end) for h in hits
        )
        located.append(Located(sample, tuple(places)))
    return located


def rate(located: Sequence[Located], within: int) -> float:
    """Share of the samples whose page is among the first `within` hits."""
    return sum(one.rank is not None and one.rank <= within for one in located) / len(located)


def _sentences(path: Path) -> Iterator[Sample]:
    """Whole sentences: those that run over a page, or into its running lines, are left out."""
    for number, text in enumerate(_page_texts(path), start=1):
        for sentence in _SENTENCE.split(" ".join(_HYPHEN.sub("", text).split())):
            words = _WORD.findall(sentence)
            # Reading across columns or letter by letter gives no sentence.
            usual = words and 3 < sum(map(len, words)) / len(words) < 9
            whole = sentence[:1].isupper() and sentence[-1:] in ".;:!?»"
            fits = len(words) >= _MIN_WORDS and len(sentence) <= _MAX_CHARS
            if fits and usual and whole and not _LEADERS.search(sentence):
                yield Sample(path.name, number, sentence)


def _page_texts(path: Path) -> list[str]:
    """Text of each page without the lines that, their numbers apart, come back on other pages."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    pages = [page.extract_text().splitlines() for page in pypdf.PdfReader(path).pages]
    counts = Counter(key for lines in pages for key in set(map(_key, lines)))
    return ["\n".join(line for line in lines if counts[_key(line)] < 3) for lines in pages]


def _key(text: str) -> str:
    return "".join(_WORD.findall(text)).lower()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.pages", description=__doc__)
    parser.add_argument("--pdfs", type=Path, default=PDFS, help="folder of PDFs")
    parser.add_argument("--sentences", type=int, default=SENTENCES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--failures", action="store_true", help="print what was not found first")
    options = parser.parse_args(arguments)
    samples = pick(options.pdfs, options.sentences, options.seed)
    if not samples:
        raise AssistantError(f"Nessuna frase nei PDF di {options.pdfs}.")
    with tempfile.TemporaryDirectory(prefix="piano-pages-") as folder:
        data_dir = Path(folder) / "data"
        ingest_into(data_dir, options.pdfs)
        with opened(Settings.from_env(), data_dir) as system:
            located = locate(system, samples)
    documents = len({sample.file for sample in samples})
    sys.stdout.write(f"{len(samples)} sentences of {documents} documents\n")
    for within in (1, 3, K):
        sys.stdout.write(f"right page within {within:2}: {rate(located, within):.1%}\n")
    if options.failures:
        for one in located:
            if one.rank != 1:
                sys.stdout.write(f"rank {one.rank} · {one.sample} · {one.found[:3]}\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AssistantError as failure:
        sys.stderr.write(f"Errore: {failure}\n")
        sys.exit(failure.exit_code)
