"""Blocks → PDF with running lines, outline, page labels; reproducible bytes.

Every paragraph that is drawn is traced with its page, part by part where it breaks over pages: the
ground truth of what a reader should find where.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
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

from corpus.blocks import Block, Break, Heading, ListItem, Paragraph, Runs, Table
from corpus.pdf_style import (
    BODY,
    CELL,
    COLUMN,
    FAINT,
    GUTTER,
    HEADINGS,
    MARGIN,
    NARROW,
    NOTICE,
    QUOTED,
    RULE,
    SHADE,
    WIDTH,
    paragraph_style,
    register_fonts,
)
from corpus.script import Script, read_script
from corpus.sources import DEMONSTRATION, Source, SourceError


class Drawn(NamedTuple):
    """Words drawn on a page (from 1); `line` counts the script's lines, -1 for the notice."""

    line: int
    row: int
    column: int
    page: int
    text: str


class Rendered(NamedTuple):
    data: bytes
    drawn: tuple[Drawn, ...]
    """In drawing order, which is reading order."""


OWNER_PASSWORD = "progetto-piano"
"""Of protected demonstration files: it protects nothing, and is no secret."""


def roman(number: int) -> str:
    """Lower-case Roman numeral, as front matter is numbered; for numbers under 40."""
    tens, rest = divmod(number, 10)
    return "x" * tens + ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")[rest]


class _Traced(Text):
    """A paragraph that tells where it is drawn; its parts keep its origin."""

    origin: tuple[int, int, int] | None = None

    def split(self, width: float, height: float) -> list[Flowable]:
        parts: list[Flowable] = super().split(width, height)
        for part in parts:
            part.origin = self.origin
        return parts

    def draw(self) -> None:
        trace = getattr(self.canv, "trace", None)
        if trace is not None and self.origin is not None:
            trace.append(Drawn(*self.origin, self.canv.getPageNumber(), self._drawn_words()))
        super().draw()

    def _drawn_words(self) -> str:
        """The words of the lines about to be drawn: a part of a broken paragraph has no others."""
        lines = self.blPara.lines
        if self.blPara.kind == 0:
            return " ".join(" ".join(words) for _, words in lines)
        return " ".join("".join(piece.text for piece in line.words) for line in lines)


class _Document(BaseDocTemplate):
    """Two page templates, front (i, ii, iii) and body (1, 2, 3), and an outline from headings."""

    def __init__(self, target: BytesIO, source: Source, *, front: bool) -> None:
        encryption = {}
        if source.options.get("protezione"):
            # No password to read, one to change: the protection that offices put on most files.
            encryption["encrypt"] = StandardEncryption(
                "", OWNER_PASSWORD, canModify=0, strength=128
            )
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
            **encryption,
        )
        self.source = source
        self.trace: list[Drawn] = []
        self.front = front
        self.body_start = 0
        self.in_body = False
        self.heading_count = 0
        self.outline_level = -1
        columns = 2 if source.options.get("impaginazione") else 1
        templates = [
            PageTemplate(name, self._frames(count), onPage=self._start, onPageEnd=self._footer)
            for name, count in (("front", 1), ("body", columns))
        ]
        self.addPageTemplates(templates if front else templates[1:])
        self.contents = _contents(self.label)

    def _frames(self, columns: int) -> list[Frame]:
        width = COLUMN if columns == 2 else WIDTH
        height = A4[1] - self.topMargin - self.bottomMargin
        return [
            Frame(
                MARGIN + i * (COLUMN + GUTTER),
                self.bottomMargin,
                width,
                height,
                leftPadding=0,
                rightPadding=0,
                topPadding=0,
                bottomPadding=0,
            )
            for i in range(columns)
        ]

    def beforeDocument(self) -> None:
        self.trace.clear()  # each pass draws everything again
        self.canv.trace = self.trace
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


def _grid(line: int, table: Table, width: float) -> Flowable:
    rows = [table.head, *table.rows] if table.head else list(table.rows)
    cells = [
        [
            _traced((line, i, j), _head(cell) if table.head and i == 0 else _markup(cell), CELL)
            for j, cell in enumerate(row)
        ]
        for i, row in enumerate(rows)
    ]
    columns = len(rows[0])
    first = 0.28 if not table.head else min(0.46, 1.6 / columns)
    widths = [width * first] + [width * (1 - first) / (columns - 1)] * (columns - 1)
    style: list[tuple[Any, ...]] = [
        ("GRID", (0, 0), (-1, -1), 0.4, RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    style.append(("BACKGROUND", (0, 0), (-1, 0) if table.head else (0, -1), SHADE))
    return Grid(
        cells,
        widths,
        style=style,
        repeatRows=1 if table.head else 0,
        splitInRow=0 if table.head else 1,
        spaceBefore=3,
        spaceAfter=9,
        hAlign="LEFT",
    )


def _head(cell: Runs) -> str:
    return f"<b>{_markup(cell)}</b>"


def _traced(origin: tuple[int, int, int], markup: str, style: Any, **more: Any) -> Text:
    text = _Traced(markup, style, **more)
    text.origin = origin
    return text


def _contents(label: Callable[[int], str]) -> TableOfContents:
    contents = TableOfContents(dotsMinLevel=0, formatter=label)
    contents.levelStyles = [
        paragraph_style("toc1", spaceAfter=1),
        paragraph_style("toc2", leftIndent=14, fontSize=8.6, spaceAfter=0),
    ]
    return contents


def _flowables(line: int, block: Block, contents: Flowable, width: float) -> list[Flowable]:
    origin = (line, 0, 0)
    match block:
        case Heading(level, runs):
            heading = _traced(origin, _markup(runs), HEADINGS[min(level, 4)])
            heading.heading_level = level
            return [heading]
        case Paragraph(runs, quoted):
            body = NARROW if width == COLUMN else BODY
            return [_traced(origin, _markup(runs), QUOTED if quoted else body)]
        case ListItem(runs, marker, depth):
            indent = 14 * depth
            style = paragraph_style(
                "item", leftIndent=indent, bulletIndent=indent - 12, spaceAfter=2.5
            )
            return [_traced(origin, _markup(runs), style, bulletText=marker or None)]
        case Table():
            return [_grid(line, block, width)]
        case Break("indice"):
            return [contents, Spacer(1, 8)]
        case Break("corpo"):
            return [NextPageTemplate("body"), PageBreak()]
        case Break():
            return [PageBreak()]
    raise SourceError(f"no PDF form for {block!r}")


def render_pdf(source: Source) -> bytes:
    """The source as an A4 PDF; uncompressed, so that no zlib version changes its bytes."""
    data = trace_pdf(source, read_script(source)).data
    if source.options.get("pagine"):
        from corpus.scan import scanned

        told = {"Title": source.title, "Subject": source.subject, "Keywords": source.keywords}
        return scanned(data, told)
    return data


def trace_pdf(source: Source, script: Script) -> Rendered:
    """The PDF, with what was drawn where."""
    register_fonts()
    target = BytesIO()
    blocks = [line.block for line in script.lines]
    front = Break("corpo") in blocks
    document = _Document(target, source, front=front)
    in_body, story = not front, []
    for number, block in enumerate(blocks):
        in_body = in_body or block == Break("corpo")
        narrow = in_body and source.options.get("impaginazione")
        story += _flowables(number, block, document.contents, COLUMN if narrow else WIDTH)
        if number == 0:
            story.append(_traced((-1, 0, 0), escape(source.notice), NOTICE))
    document.multiBuild(story)
    return Rendered(target.getvalue(), tuple(document.trace))
