"""`python -m eval.scale`: an index of many passages, recombined from the bundled documents.

Sentences and headings are the corpus's own, dealt out by chance from a fixed seed: words and their
frequencies are those of real plans, and the same index comes out each time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from assistant.build import build_embedder, build_generations
from assistant.errors import AssistantError, UsageError
from assistant.index.catalog_writer import Parts
from assistant.index.manifest import IndexProfile
from assistant.index.progress import NoProgress
from assistant.index.protocol import SearchBackend
from assistant.models import Document, DocumentKind, Filters, Page, Passage, Span
from assistant.settings import Settings

PASSAGES = 100_000
SEED = 20_261

PAGES, PER_PAGE = 5, 10
"""Pages of a document, and passages on each."""

FEWEST = PAGES * PER_PAGE
"""Passages of one document."""

_SENTENCES = (2, 5)
"""Fewest and most of a passage."""

_FEWEST_WORDS = 4
"""A shorter line of the corpus is no sentence."""

_DISTRETTI = 40
"""As many as a region has, invented ones after those of the corpus."""

_TERMS: tuple[tuple[int, int], ...] = tuple((year, year + 2) for year in range(2006, 2021, 3))
"""Years of the plans: five terms, none over another."""

_OTHER_KINDS: tuple[DocumentKind, ...] = ("atto", "linea_guida", "pagina", "scheda")

HALF = Filters(kind=("piano_di_zona",))
"""Keeps every other document."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, and the seconds from the first passage to the published generation."""

    passages: int
    documents: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Material:
    """What documents are put together from, each in the order of the corpus."""

    sentences: tuple[str, ...]
    sections: tuple[tuple[str, ...], ...]
    distretti: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.scale", description=__doc__)
    parser.add_argument("target", type=Path, help="new data directory")
    parser.add_argument("--corpus", type=Path, required=True, help="data directory to take from")
    parser.add_argument("--passages", type=int, default=PASSAGES)
    options = parser.parse_args(arguments)
    made = build(Settings.from_env(), options.corpus, options.target, options.passages)
    sys.stdout.write(json.dumps(asdict(made)) + "\n")
    return 0


def build(settings: Settings, corpus: Path, target: Path, passages: int) -> Made:
    """A generation of that many passages in the data directory `target`.

    Raises:
        NoIndexError: there is no index in `corpus`.
        UsageError: fewer passages than FEWEST.
    """
    if passages < FEWEST:
        raise UsageError(f"Servono almeno {FEWEST} brani, non {passages}.")
    embedder = build_embedder(settings)
    source = build_generations(replace(settings, data_dir=corpus), embedder=lambda: embedder)
    with_words = source.open_current()
    material = gather(with_words)
    with_words.close()
    started = time.perf_counter()
    profile = IndexProfile(
        embedder.name, embedder.fingerprint, embedder.dimension, passage_settings="recombined"
    )
    store = build_generations(replace(settings, data_dir=target), embedder=lambda: embedder)
    with store.writer() as writer:
        staging = writer.stage(profile, fresh=True)
        for parts in recombined(material, passages):
            staging.add(parts, embedder.embed_passages([one.text for one in parts.passages]))
        manifest = staging.finish(NoProgress())
        writer.publish(staging, manifest)
    seconds = round(time.perf_counter() - started, 2)
    return Made(manifest.counts["passages"], manifest.counts["documents"], seconds)


def gather(backend: SearchBackend) -> Material:
    """Lines and headings of every passage of an index."""
    sentences: list[str] = []
    sections: list[tuple[str, ...]] = []
    for document in backend.documents():
        for passage in backend.document_passages(document.id):
            sections.append(passage.section)
            lines = passage.text.split("\n")
            sentences += [line for line in lines if len(line.split()) >= _FEWEST_WORDS]
    invented = [f"Distretto di prova {number}" for number in range(1, _DISTRETTI + 1)]
    names = [*backend.distretti(), *invented][:_DISTRETTI]
    return Material(tuple(sentences), tuple(sections), tuple(names))


def recombined(material: Material, passages: int) -> Iterator[Parts]:
    """Documents of 50 passages, the last one shorter; the same for the same material."""
    chance = random.Random(SEED)
    left = passages
    number = 0
    while left:
        taken = min(left, PAGES * PER_PAGE)
        yield _document(material, number, taken, chance)
        left, number = left - taken, number + 1


def narrow(documents: Iterable[Document]) -> Filters:
    """Keeps one of 200 of these documents: one district in one of the terms."""
    first = min((found.distretto for found in documents if found.distretto), default="")
    return Filters(distretto=(first,), year=_TERMS[0][:1])


def _document(material: Material, number: int, passages: int, chance: random.Random) -> Parts:
    identity = hashlib.sha256(f"recombined {number}".encode()).hexdigest()
    heading = (chance.choice(material.sections) or ("",))[-1]
    # Kind, district and term go through all their combinations, so that shares are exact.
    place, term = number // 2 % _DISTRETTI, number // (2 * _DISTRETTI) % len(_TERMS)
    made: list[Passage] = []
    pages: list[Page] = []
    for page in range(1, PAGES + 1):
        text = ""
        for _ in range(min(PER_PAGE, passages - len(made))):
            words = "\n".join(chance.choices(material.sentences, k=chance.randint(*_SENTENCES)))
            spans = (Span(page, len(text), len(text) + len(words)),)
            section = chance.choice(material.sections)
            name = f"{identity[:20]}-{len(made)}"
            made.append(Passage(name, identity, len(made), words, section, spans))
            text += words + "\n\n"
        pages.append(Page(identity, page, text))
    document = Document(
        id=identity,
        title=f"Documento {number} {heading}".strip(),
        kind="piano_di_zona" if number % 2 else chance.choice(_OTHER_KINDS),
        source=f"recombined-{number}.txt",
        media_type="text/plain",
        page_count=PAGES,
        distretto=material.distretti[place],
        year_from=_TERMS[term][0],
        year_to=_TERMS[term][1],
    )
    return Parts(document, pages, made)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AssistantError as failure:
        sys.stderr.write(f"Errore: {failure}\n")
        sys.exit(failure.exit_code)
