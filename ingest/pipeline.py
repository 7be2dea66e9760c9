"""From files to a new generation: find, plan, read, embed, publish."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePath
from typing import NamedTuple

from assistant.embedding.protocol import Embedder
from assistant.embedding.text import embedded_text
from assistant.errors import AssistantError, RefusedFileError
from assistant.index.catalog import Source
from assistant.index.catalog_writer import Parts
from assistant.index.generation import GenerationStore, Writer
from assistant.index.manifest import IndexProfile, check_profile
from assistant.index.progress import NoProgress, Progress
from assistant.index.staging import Staging
from assistant.models import Document, Relation
from assistant.settings import Settings
from corpus import CATALOGUE
from ingest.catalogue import Stamp
from ingest.formats.reading import shown_name
from ingest.known import Known, Loader, read_known
from ingest.ocr.recogniser import Recogniser
from ingest.passages import PassageSettings
from ingest.plan import Hashed, Plan, make_plan
from ingest.report import IngestEntry, IngestReport, Outcome, Taken, entries, with_relations
from ingest.scratch import scratch_folder
from ingest.sketch import shingles
from ingest.sources import Found, find, folders
from ingest.structure import Structured
from ingest.versions import near_pairs, relate
from ingest.worker import Refusal, Task
from ingest.workers import read_all


class FileToRead(NamedTuple):
    source: Source
    found: Found | None
    """Where it was found in this call; None to read the original kept from before."""


def ingest(
    sources: Sequence[str],
    *,
    settings: Settings,
    store: GenerationStore,
    embedder: Embedder,
    progress: Progress | None = None,
    prune: bool = False,
    rebuild: bool = False,
    depth: int = 0,
    listed: bool = False,
    allow_private: bool = False,
) -> IngestReport:
    """Takes files, folders and web addresses into the index; changes nothing it need not change.

    `prune` takes out documents of the given folders whose file is gone. `rebuild` reads again all
    originals with today's settings. `depth` is how many links are followed from each address,
    inside its folder. `listed` says that the addresses come from a list and not from a person:
    what sites ask of programs holds, and a source that has moved is refused. `allow_private`
    permits addresses of the private network.

    Raises:
        WriterBusyError: another process is writing.
        IndexMismatchError: the index was made with other settings, and `rebuild` is not asked.
        CorruptIndexError: the index in use, or the new one, fails its checks.
    """
    started = time.perf_counter()
    profile = IndexProfile.of(embedder, PassageSettings().fingerprint)
    with store.writer() as writer, scratch_folder(settings.data_dir) as scratch:
        if store.current_id() is not None and not rebuild:
            check_profile(store.manifest(), profile)
        with closing(Loader(settings, store, allow_private=allow_private)) as loader:
            run = _Run(settings, store, embedder, writer, progress or NoProgress(), loader, scratch)
            documents = run.work(
                sources, profile, prune=prune, rebuild=rebuild, depth=depth, listed=listed
            )
            loader.remember()
        # A pointer that a rebuild found damaged, and did not replace, stays an error.
        generation = store.current_id()
        seconds = round(time.perf_counter() - started, 3)
        return IngestReport(generation, tuple(documents), seconds, run.published)


class _Run:
    """One call of `ingest`, under the writer's lock."""

    def __init__(
        self,
        settings: Settings,
        store: GenerationStore,
        embedder: Embedder,
        writer: Writer,
        progress: Progress,
        loader: Loader,
        scratch: Path,
    ) -> None:
        self._settings = settings
        self._store = store
        self._embedder = embedder
        self._writer = writer
        self._progress = progress
        self._loader = loader
        self._scratch = scratch
        self._recogniser = Recogniser(settings)
        self._stamp = Stamp(settings.catalogue or CATALOGUE)
        self.published = False

    def work(
        self,
        sources: Sequence[str],
        profile: IndexProfile,
        *,
        prune: bool,
        rebuild: bool,
        depth: int,
        listed: bool,
    ) -> list[IngestEntry]:
        known = read_known(self._store, recover=rebuild)
        # Pages that nobody could read are reason enough to read all originals again: it costs
        # what a rebuild costs, once, on the day tesseract is there.
        rebuild = rebuild or any(map(self._recogniser.awaited, known.documents.values()))
        self._loader.known = known.sources
        found = find(sources, self._settings.data_dir)
        if depth or listed:
            found = self._visit(found, depth=depth, listed=listed)
        self._progress.stage("Controllo dei file", len(found))
        hashed = [self._hash(item) for item in found]
        plan = make_plan(hashed, known.sources, pruned_folders=folders(sources) if prune else ())
        old = {source.location: source for source in known.sources}
        if plan.wanted == old and not rebuild:
            return entries(plan, known, {}, rebuilt=[])
        already = set() if rebuild else set(known.documents)
        files = self._files(plan, already)
        staging = self._writer.stage(profile, fresh=rebuild)
        outcomes = self._read(staging, files)
        kept = already | {i for i, o in outcomes.items() if isinstance(o, Taken)}
        final = settle(plan, old, kept)
        related: tuple[list[Relation], list[Document]] = ([], [])
        if rebuild or final != old:
            self._record(staging, old, final, known, rebuild=rebuild)
            related = _relate(staging)
            self._writer.publish(staging, staging.finish(self._progress))
            self.published = True
            self._recogniser.prune(self._store.original_ids())
        told = entries(plan, known, outcomes, rebuilt=[file.source for file in files])
        return with_relations(told, *related)

    def _visit(self, found: list[Found], *, depth: int, listed: bool) -> list[Found]:
        """With the addresses that a crawl finds; those of a list are asked for as it should be."""
        # Imported here: files are read without loading any of it.
        from ingest.web.crawl import expand

        total = sum(item.path is None for item in found) if listed else None
        self._progress.stage("Richieste ai siti" if listed else "Visita dei siti", total)
        return expand(
            found,
            self._loader.web,
            depth=depth,
            max_pages=self._settings.web_max_pages,
            listed=listed,
            progress=self._progress,
        )

    def _hash(self, found: Found) -> Hashed:
        self._progress.advance()
        if found.skipped is not None:
            return Hashed(found, None)
        try:
            _, data = self._loader.load(found)
        except RefusedFileError as error:
            return Hashed(found, None, str(error))
        return Hashed(found, hashlib.sha256(data).hexdigest())

    def _files(self, plan: Plan, already: Collection[str]) -> list[FileToRead]:
        """Each wanted document that is not in the index, with where its bytes are."""
        here: dict[str, Found] = {}
        for step in plan.steps:  # of several copies the first, as the plan has it
            if step.document_id:
                here.setdefault(step.document_id, step.found)
        files: dict[str, FileToRead] = {}
        for source in plan.wanted.values():
            if source.document_id not in already and source.document_id not in files:
                found = here.get(source.document_id)
                files[source.document_id] = FileToRead(source, found)
        # The largest first: the last file to be read is then a short one.
        return sorted(files.values(), key=lambda file: -_size(file.found))

    def _read(self, staging: Staging, files: Sequence[FileToRead]) -> dict[str, Outcome]:
        """Reads, embeds and adds; what came of each document, by its id.

        Documents with images that were never recognised are read a second time, after that.
        """
        outcomes: dict[str, Outcome] = {}
        waiting: dict[str, tuple[Task, list[int]]] = {}
        self._progress.stage("Lettura dei documenti", len(files))
        for task, outcome in self._outcomes(self._tasks(files, outcomes)):
            images = outcome.images if isinstance(outcome, Structured) else ()
            pending = self._recogniser.pending(task.document_id, images)
            if pending:
                self._keep(task)
                waiting[task.document_id] = replace(task, data=b""), pending
            else:
                outcomes[task.document_id] = self._take(staging, task, outcome)
        if waiting:
            wanted = {identity: pages for identity, (_, pages) in waiting.items()}
            paths = {identity: self._store.original(identity) for identity in waiting}
            self._recogniser.recognise(wanted, paths, self._scratch, self._progress)
            self._progress.stage("Lettura delle pagine riconosciute", len(waiting))
            again = (
                replace(
                    task,
                    data=paths[identity].read_bytes(),
                    recognition=self._recogniser.known(identity),
                )
                for identity, (task, _) in waiting.items()
            )
            for task, outcome in self._outcomes(again):
                outcomes[task.document_id] = self._take(staging, task, outcome)
        return outcomes

    def _outcomes(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Structured | Refusal]]:
        seconds = self._settings.file_timeout_seconds
        for task, outcome in read_all(tasks, seconds=seconds, scratch=self._scratch):
            yield task, outcome
            # Only now is it taken in: with a slow model reading it was the smaller part.
            self._progress.advance()

    def _take(self, staging: Staging, task: Task, outcome: Structured | Refusal) -> Outcome:
        if isinstance(outcome, Refusal):
            return outcome
        self._add(staging, outcome)
        self._keep(task)
        return Taken(outcome.document, len(outcome.passages))

    def _keep(self, task: Task) -> None:
        self._writer.keep_original(task.document_id, PurePath(task.name).suffix, task.data)

    def _tasks(self, files: Iterable[FileToRead], outcomes: dict[str, Outcome]) -> Iterator[Task]:
        for source, found in files:
            try:
                if found is not None:
                    name, data = self._loader.load(found)
                else:
                    name, data = self._loader.load_original(source)
            except AssistantError as error:
                outcomes[source.document_id] = Refusal(str(error))
                continue
            if hashlib.sha256(data).hexdigest() != source.document_id:
                why = f"«{shown_name(name)}» è cambiato mentre veniva letto."
                outcomes[source.document_id] = Refusal(f"{why} Ripeti `piano ingest`.")
                continue
            known = self._recogniser.known(source.document_id)
            yield Task(source.document_id, source.source, name, data, known)

    def _add(self, staging: Staging, read: Structured) -> None:
        read = replace(read, document=self._stamp(read.document))
        texts = [embedded_text(read.document, passage) for passage in read.passages]
        told = self._progress.part("Vettori dei brani", len(texts))
        vectors = self._embedder.embed_passages(texts, told)
        staging.add(
            Parts(
                read.document,
                read.pages,
                read.passages,
                read.schede,
                read.interventi,
                read.sketch,
            ),
            vectors,
        )

    def _record(
        self,
        staging: Staging,
        old: Mapping[str, Source],
        final: Mapping[str, Source],
        known: Known,
        *,
        rebuild: bool,
    ) -> None:
        """Writes where documents are now, takes out those that are nowhere, renames the moved."""
        new = [s for location, s in final.items() if rebuild or old.get(location) != s]
        staging.set_sources(new, gone=[location for location in old if location not in final])
        names: dict[str, list[str]] = {}
        for source in final.values():
            names.setdefault(source.document_id, []).append(source.source)
        if not rebuild:
            staging.remove(identity for identity in known.documents if identity not in names)
            for identity, document in known.documents.items():
                if identity in names and document.source not in names[identity]:
                    staging.rename(identity, names[identity][0])


def _relate(staging: Staging) -> tuple[list[Relation], list[Document]]:
    """Records and returns how all documents of the new generation stand to one another."""
    catalog = staging.settled_catalog()
    documents = catalog.documents()
    pairs = near_pairs(
        catalog.sketches(), lambda identity: shingles(catalog.passage_texts(identity))
    )
    relations = relate(documents, pairs)
    catalog.set_relations(relations)
    return relations, documents


def settle(plan: Plan, old: Mapping[str, Source], kept: Collection[str]) -> dict[str, Source]:
    """What is wanted, but for what could not be read: there the former version stays."""
    final: dict[str, Source] = {}
    for location, source in plan.wanted.items():
        if source.document_id in kept:
            final[location] = source
        elif location in old and old[location].document_id in kept:
            final[location] = old[location]
    return final


def _size(found: Found | None) -> int:
    """Bytes, 0 where they are not known before reading."""
    try:
        return found.path.stat().st_size if found is not None and found.path is not None else 0
    except OSError:
        return 0
