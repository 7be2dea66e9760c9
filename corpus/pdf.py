"""Blocks → PDF with running lines, outline, page labels; reproducible bytes."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from itertools import chain
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Spacer,
)
from reportlab.platypus import Paragraph as Text
from reportlab.platypus import Table as Grid
from reportlab.platypus.tableofcontents import TableOfContents

from corpus.blocks import Block, Break, Heading, ListItem, Paragraph, Runs, Table, parse_blocks
from corpus.pdf_style import (
    BODY,
    CELL,
    FAINT,
    HEADINGS,
    MARGIN,
    NOTICE,
    QUOTED,
    RULE,
    SHADE,
    WIDTH,
    paragraph_style,
    register_fonts,
)
from corpus.sources import DEMONSTRATION, Source, SourceError


def roman(number: int) -> str:
    """Lower-case Roman numeral, as front matter is numbered; for numbers under 40."""
    tens, rest = divmod(number, 10)
    return "x" * tens + ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")[rest]


class _Document(BaseDocTemplate):
    """Two page templates, front (i, ii, iii) and body (1, 2, 3), and an outline from headings."""

    def __init__(self, target: BytesIO, source: Source, *, front: bool) -> None:
        super().__init__(
            target,
            pagesize=A4,
            leftMargin=MARGIN,
            rightMargin=MARGIN,
            topMargin=26 * mm,
            bottomMargin=24 * mm,
            title=source.title,
            author="Progetto piano",
            subject=source.subject,
            keywords=source.keywords,
            invariant=1,
            pageCompression=0,
            lang="it-IT",
        )
        self.source = source
        self.front = front
        self.body_start = 0
        self.in_body = False
        self.heading_count = 0
        self.outline_level = -1
        frame = Frame(
            MARGIN,
            self.bottomMargin,
            WIDTH,
            A4[1] - self.topMargin - self.bottomMargin,
            leftPadding=0,
            rightPadding=0,
            topPadding=0,
            bottomPadding=0,
        )
        templates = [
            PageTemplate(name, [frame], onPage=self._start, onPageEnd=self._footer)
            for name in ("front", "body")
        ]
        self.addPageTemplates(templates if front else templates[1:])
        self.contents = _contents(self.label)

    def beforeDocument(self) -> None:
        self.in_body = False
        self.heading_count = 0
        self.outline_level = -1

    def _start(self, canvas: Canvas, _: Any) -> None:
        self._running_line(canvas)
        if not self.front:
            self.body_start = 1
            return
        if self.page == 1:
            canvas.addPageLabel(0, style="ROMAN_LOWER", start=1)
        if self.pageTemplate.id == "body" and not self.in_body:
            # kept from one pass to the next: the table of contents needs it before the body
            self.in_body, self.body_start = True, self.page
            canvas.addPageLabel(self.page - 1, style="ARABIC", start=1)

    def label(self, page: int) -> str:
        if self.body_start and page >= self.body_start:
            return str(page - self.body_start + 1)
        return roman(page)

    def _pen(self, canvas: Canvas) -> None:
        canvas.setFont("Vera", 7.2)
        canvas.setFillColor(FAINT)
        canvas.setStrokeColor(RULE)

    def _running_line(self, canvas: Canvas) -> None:
        canvas.saveState()
        self._pen(canvas)
        top = A4[1] - 17 * mm
        canvas.drawString(MARGIN, top, self.source.header or self.source.title)
        canvas.line(MARGIN, top - 4, A4[0] - MARGIN, top - 4)
        canvas.restoreState()

    def _footer(self, canvas: Canvas, _: Any) -> None:
        canvas.saveState()
        self._pen(canvas)
        bottom = 15 * mm
        canvas.line(MARGIN, bottom + 10, A4[0] - MARGIN, bottom + 10)
        if self.source.demonstration:
            canvas.drawString(MARGIN, bottom, DEMONSTRATION)
        canvas.drawRightString(A4[0] - MARGIN, bottom, f"Pagina {self.label(self.page)}")
        canvas.restoreState()

    def afterFlowable(self, flowable: Flowable) -> None:
        level = getattr(flowable, "heading_level", 0)
        if not level:
            return
        # a PDF outline may go down by one level at a time
        self.outline_level = min(level - 1, self.outline_level + 1)
        text = flowable.getPlainText()
        self.heading_count += 1
        key = f"heading-{self.heading_count}"
        self.canv.bookmarkPage(key)
        self.canv.addOutlineEntry(text, key, self.outline_level, closed=level > 1)
        if 2 <= level <= 3 and text != "Indice":
            self.notify("TOCEntry", (level - 2, escape(text), self.page, key))


def _markup(runs: Runs) -> str:
    parts: list[str] = []
    for run in runs:
        known = pdfmetrics.getFont("Vera").face.charToGlyph
        strange = next((c for c in run.text if c != "\n" and ord(c) not in known), None)
        if strange is not None:
            raise SourceError(f"the PDF font has no {strange!r}: write {run.text!r} without it")
        text = escape(run.text).replace("\n", "<br/>")
        text = f"<b>{text}</b>" if run.bold else text
        parts.append(f"<i>{text}</i>" if run.italic else text)
    return "".join(parts)


def _grid(table: Table) -> Flowable:
    head = [[Text(f"<b>{_markup(cell)}</b>", CELL) for cell in table.head]] if table.head else []
    rows = [[Text(_markup(cell), CELL) for cell in row] for row in table.rows]
    columns = len(table.rows[0])
    first = 0.28 if not table.head else min(0.46, 1.6 / columns)
    widths = [WIDTH * first] + [WIDTH * (1 - first) / (columns - 1)] * (columns - 1)
    style: list[tuple[Any, ...]] = [
        ("GRID", (0, 0), (-1, -1), 0.4, RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    style.append(("BACKGROUND", (0, 0), (-1, 0) if head else (0, -1), SHADE))
    return Grid(
        head + rows,
        widths,
        style=style,
        repeatRows=len(head),
        spaceBefore=3,
        spaceAfter=9,
        hAlign="LEFT",
    )


def _contents(label: Callable[[int], str]) -> TableOfContents:
    contents = TableOfContents(dotsMinLevel=0, formatter=label)
    contents.levelStyles = [
        paragraph_style("toc1", spaceAfter=1),
        paragraph_style("toc2", leftIndent=14, fontSize=8.6, spaceAfter=0),
    ]
    return contents


def _flowables(block: Block, contents: Flowable) -> list[Flowable]:
    match block:
        case Heading(level, runs):
            heading = Text(_markup(runs), HEADINGS[min(level, 4)])
            heading.heading_level = level
            return [heading]
        case Paragraph(runs, quoted):
            return [Text(_markup(runs), QUOTED if quoted else BODY)]
        case ListItem(runs, marker, depth):
            indent = 14 * depth
            style = paragraph_style(
                "item", leftIndent=indent, bulletIndent=indent - 12, spaceAfter=2.5
            )
            return [Text(_markup(runs), style, bulletText=marker or None)]
        case Table():
            return [_grid(block)]
        case Break("indice"):
            return [contents, Spacer(1, 8)]
        case Break("corpo"):
            return [NextPageTemplate("body"), PageBreak()]
        case Break():
            return [PageBreak()]


def render_pdf(source: Source) -> bytes:
    """The source as an A4 PDF; uncompressed, so that no zlib version changes its bytes."""
    register_fonts()
    blocks = parse_blocks(source.body)
    target = BytesIO()
    front = any(isinstance(block, Break) and block.mark == "corpo" for block in blocks)
    document = _Document(target, source, front=front)
    first, *rest = (_flowables(block, document.contents) for block in blocks)
    story = [*first, Text(escape(source.notice), NOTICE), *chain.from_iterable(rest)]
    document.multiBuild(story)
    return target.getvalue()
