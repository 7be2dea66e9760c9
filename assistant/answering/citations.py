"""Numbers for quotes: the same quote keeps its number through an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.models import Citation, Document, Page, Passage, Quote


class Citations:
    """Collects the citations of one answer, numbered from 1 in order of appearance."""

    def __init__(self) -> None:
        self._by_quote: dict[Quote, Citation] = {}
        self._told = 0

    def cite(
        self,
        quotes: Sequence[Quote],
        passage: Passage,
        document: Document,
        pages: Mapping[int, Page] | None = None,
    ) -> tuple[int, ...]:
        """The numbers of these quotes, new ones being added; `pages` are those that they are in."""
        numbers: list[int] = []
        for quote in quotes:
            if quote not in self._by_quote:
                page = (pages or {}).get(quote.page)
                self._by_quote[quote] = Citation(
                    n=len(self._by_quote) + 1,
                    document_id=document.id,
                    title=document.title,
                    kind=document.kind,
                    distretto=document.distretto,
                    year=document.year_from,
                    source=document.source,
                    page=quote.page,
                    section=" › ".join(passage.section),
                    start=quote.start,
                    end=quote.end,
                    quote=quote.text,
                    demonstration=document.demonstration,
                    printed_label=page.printed_label if page else None,
                    ocr_confidence=page.ocr_confidence if page else None,
                    status=document.status,
                    superseded_by=document.superseded_by,
                )
            numbers.append(self._by_quote[quote].n)
        return tuple(dict.fromkeys(numbers))

    def all(self) -> tuple[Citation, ...]:
        return tuple(self._by_quote.values())

    def fresh(self) -> tuple[Citation, ...]:
        """Those added since the last call: a stream tells them before the sentence they serve."""
        found = self.all()[self._told :]
        self._told += len(found)
        return found
