"""The tantivy index of one generation: words, character 5-grams.

Queries are built term by term, never parsed, so no punctuation in a question has a meaning here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import tantivy

from assistant.errors import CorruptIndexError
from assistant.index.protocol import Alternative, Placed
from assistant.index.records import scheda_key
from assistant.index.selection import Selection
from assistant.italian.analysis import fold, terms
from assistant.models import Document, Passage

FIELD_WEIGHTS = {"body": 1.0, "section": 0.3, "title": 0.15}
"""A heading shared by many passages should break ties, not outweigh the words of the passage."""

GRAM = 5
MAX_TERMS = 256
"""Distinct words taken from a query; the rest of a longer text is ignored."""

MAX_GRAMS = 200
"""Distinct 5-grams taken from a query, evenly over its length."""

_WRITER_HEAP = 300_000_000
"""Most bytes of words kept before a segment is written: enough for some 100,000 passages. Four
segments instead of one take half as long again to search, and twice as long to write."""

_OPTION = "freq"

_TIES = 16
"""Results fetched beyond those asked for, to see where the ties with the last one end."""

_MARGIN = 1.25
"""Results fetched for a filter, times those that would do if it kept its share of them."""

_FETCHED_PER_DOCUMENT = 25
"""Results fetched in the time that it takes to read where one more document's passages are."""


class LexicalIndex:
    """Read-only and safe to use from several threads: each search works on the same snapshot."""

    def __init__(self, folder: Path) -> None:
        """Raises CorruptIndexError when the folder holds no index of ours."""
        self._folder = folder
        try:
            index = tantivy.Index.open(str(folder))
            _register(index)
            # The default policy starts a thread that watches a folder where nothing changes.
            index.config_reader("Manual")
            self._schema = index.schema
            self._searcher = index.searcher()
        except (ValueError, OSError) as error:
            raise self._corrupt(error) from error

    @property
    def count(self) -> int:
        """Number of passages."""
        return int(self._searcher.num_docs)

    def words(
        self,
        query_terms: Sequence[str],
        k: int,
        among: Selection | None = None,
        others: Sequence[Sequence[Alternative]] = (),
    ) -> list[Placed]:
        """The `k` best by BM25 over body, section and title, then those that tie with the last.

        Each group of `others` holds alternatives for one part of the query: the best of them
        counts, the rest add nothing.
        """
        distinct = list(dict.fromkeys(query_terms))[:MAX_TERMS]
        parts = [
            tantivy.Query.boost_query(self._term(field, term), weight)
            for term in distinct
            for field, weight in FIELD_WEIGHTS.items()
        ]
        for group in others:
            forms = [self._form(form, weight) for form, weight in group]
            if forms:
                parts.append(tantivy.Query.disjunction_max_query(forms))
        return self._search(parts, k, among)

    def _form(self, form: Sequence[str], weight: float) -> Any:
        """All the words of a form, in the passage itself: three fields each would cost too much."""
        words = [tantivy.Query.boost_query(self._term("body", term), weight) for term in form]
        if len(words) == 1:
            return words[0]
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, word) for word in words])

    def characters(self, text: str, k: int, among: Selection | None = None) -> list[Placed]:
        """The same over the 5-grams of the folded text; a shorter text finds nothing."""
        parts = [self._term("grams", gram) for gram in query_grams(text)]
        return self._search(parts, k, among)

    def document_frequency(self, term: str) -> int:
        """Passages whose body holds the term."""
        return int(self._searcher.doc_freq("body", term))

    def gram_frequency(self, gram: str) -> int:
        """Passages whose folded text holds a 5-gram."""
        return int(self._searcher.doc_freq("grams", gram))

    def _term(self, field: str, term: str) -> Any:
        return tantivy.Query.term_query(self._schema, field, term, index_option=_OPTION)

    def _search(self, parts: Sequence[Any], k: int, among: Selection | None) -> list[Placed]:
        if not parts or k < 1 or (among is not None and not among.count):
            return []
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, part) for part in parts])
        if among is None:
            return self._complete(query, k)
        # tantivy passes over most of the passages that cannot be among the best, but only while
        # nothing restricts them. So the best are taken without the filter as long as enough of
        # them fulfil it, and those of the documents are picked out only when it keeps few.
        wanted = int(_MARGIN * k / among.share) + _TIES
        documents = len(among.stretches) if among.documents is None else len(among.documents)
        while wanted <= _FETCHED_PER_DOCUMENT * documents:
            found, all_of_them = self._best(query, wanted)
            last = found[-1].score if found else 0.0
            kept = [one for one in found if among.kept[one.row]]
            if all_of_them or (len(kept) >= k and kept[k - 1].score > last):
                return _until_tie(kept, k)
            wanted *= 4
        return self._complete(self._restricted(query, among), k)

    def _restricted(self, query: Any, among: Selection) -> Any:
        restrictions = [] if among.documents is None else [("document", list(among.documents))]
        if among.schede:
            restrictions.append(("scheda", list(among.schede)))
        clauses = [(tantivy.Occur.Must, query)]
        for field, values in restrictions:
            found = tantivy.Query.term_set_query(self._schema, field, values)
            # A constant of zero restricts without adding to the score.
            clauses.append((tantivy.Occur.Must, tantivy.Query.const_score_query(found, 0.0)))
        return tantivy.Query.boolean_query(clauses)

    def _complete(self, query: Any, k: int) -> list[Placed]:
        """The `k` best and those that tie with the last."""
        wanted = k + _TIES
        while True:
            found, all_of_them = self._best(query, wanted)
            if all_of_them or found[k - 1].score > found[-1].score:
                return _until_tie(found, k)
            wanted *= 4

    def _best(self, query: Any, wanted: int) -> tuple[list[Placed], bool]:
        """At most `wanted` results, best first, and whether there are no others."""
        try:
            hits = self._searcher.search(query, min(wanted, max(1, self.count)), count=False).hits
            rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        except (ValueError, OSError) as error:
            raise self._corrupt(error) from error
        scores = [score for score, _ in hits]
        found = [Placed(row, score) for row, score in zip(rows, scores, strict=True)]
        return found, len(found) < wanted or len(found) == self.count

    def _corrupt(self, error: Exception) -> CorruptIndexError:
        return CorruptIndexError(
            f"L'indice delle parole in {self._folder} non si legge ({error}).",
            remedy="Esegui `piano rollback` oppure `piano ingest --rebuild`.",
        )


class LexicalWriter:
    """Adds passages to the index in a folder that nobody reads yet."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._index = tantivy.Index(_schema(), path=str(folder))
        _register(self._index)
        self._writer = self._index.writer(heap_size=_WRITER_HEAP, num_threads=1)
        self._open = True
        self._context: dict[tuple[str, ...], str] = {}

    def close(self, *, commit: bool) -> None:
        """Ends tantivy's threads. May be called again: what was done first stands."""
        if self._open:
            self._open = False
            if commit:
                self._writer.commit()
            else:
                self._writer.rollback()
            self._writer.wait_merging_threads()

    def add(
        self,
        document: Document,
        passages: Iterable[Passage],
        analysed: Iterable[str],
        first: int,
    ) -> None:
        """Adds passages that follow one another; `first` is the row of the first.

        `analysed` are their terms, as `assistant.index.analysed` writes them.
        """
        title = " ".join(terms(document.title))
        for row, (passage, body) in enumerate(zip(passages, analysed, strict=True), start=first):
            entry = tantivy.Document(
                row=row,
                document=document.id,
                title=title,
                section=self._section(passage.section),
                body=body.replace("\n", " "),
                grams=fold(passage.text),
            )
            if passage.scheda:
                entry.add_text("scheda", scheda_key(passage.scheda))
            self._writer.add_document(entry)

    def _section(self, section: tuple[str, ...]) -> str:
        """Neighbouring passages share their headings, so the last ones analysed are kept."""
        if section not in self._context:
            if len(self._context) > 1000:
                self._context.clear()
            self._context[section] = " ".join(terms(" \n".join(section)))
        return self._context[section]


def _until_tie(found: list[Placed], k: int) -> list[Placed]:
    """The first `k` of them and those with the same score as the last."""
    end = min(k, len(found))
    while end < len(found) and found[end].score == found[k - 1].score:
        end += 1
    return found[:end]


def query_grams(text: str) -> list[str]:
    """Distinct 5-grams of the folded text, at most MAX_GRAMS, in order."""
    folded = fold(text)
    grams = list(dict.fromkeys(folded[i : i + GRAM] for i in range(len(folded) - GRAM + 1)))
    if len(grams) <= MAX_GRAMS:
        return grams
    return [grams[i * len(grams) // MAX_GRAMS] for i in range(MAX_GRAMS)]


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("row", fast=True)
    builder.add_text_field("document", stored=False, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("scheda", stored=False, tokenizer_name="raw", index_option="basic")
    for field in FIELD_WEIGHTS:
        builder.add_text_field(
            field, stored=False, tokenizer_name="piano_terms", index_option=_OPTION
        )
    builder.add_text_field(
        "grams", stored=False, tokenizer_name="piano_grams", index_option=_OPTION
    )
    return builder.build()


def _register(index: Any) -> None:
    """Tokenizers live in the opened index, not on disk: needed after every opening."""
    whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    grams = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.ngram(GRAM, GRAM, False)).build()
    index.register_tokenizer("piano_terms", whitespace)
    index.register_tokenizer("piano_grams", grams)
