"""Blocks → DOCX with one fixed time; reproducible bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.text.paragraph import Paragraph as WordParagraph

from corpus.blocks import Block, Break, Heading, ListItem, Paragraph, Runs, Table
from corpus.script import read_script
from corpus.sources import Source, SourceError

UNUSED_PARTS = ("/stylesWithEffects", "/customXml", "/metadata/thumbnail")
KEPT_TABLE_STYLES = ("Normal Table", "Table Grid")
EPOCH = (2020, 1, 1, 0, 0, 0)
LIST_STYLES = {False: ("List Bullet", "List Bullet 2"), True: ("List Number", "List Number 2")}


def _write(paragraph: WordParagraph, runs: Runs, *, bold: bool = False) -> None:
    for run in runs:
        written = paragraph.add_run(run.text)
        written.bold = run.bold or bold or None
        written.italic = run.italic or None


def _add_table(document: WordDocument, table: Table) -> None:
    columns = len(table.rows[0])
    grid = document.add_table(rows=0, cols=columns, style="Table Grid")
    for number, row in enumerate((table.head, *table.rows) if table.head else table.rows):
        for cell, runs in zip(grid.add_row().cells, row, strict=True):
            _write(cell.paragraphs[0], runs, bold=bool(table.head) and number == 0)
    document.add_paragraph()


def _add(document: WordDocument, block: Block) -> None:
    match block:
        case Heading(level, runs):
            _write(document.add_heading(level=min(level, 4)), runs)
        case Paragraph(runs, quoted):
            _write(document.add_paragraph(style="Quote" if quoted else None), runs)
        case ListItem(runs, marker, depth):
            style = LIST_STYLES[marker != "•"][min(depth, 2) - 1] if marker else "List Continue"
            _write(document.add_paragraph(style=style), runs)
        case Table():
            _add_table(document, block)
        case Break("pagina"):
            document.add_page_break()
        case Break(mark):
            raise SourceError(f"the mark {mark!r} is for PDF only")


def _describe(document: WordDocument, source: Source) -> None:
    day = datetime.fromisoformat(source.date).replace(tzinfo=UTC)
    core = document.core_properties
    core.title, core.subject, core.keywords = source.title, source.subject, source.keywords
    core.author = core.last_modified_by = "Progetto piano"
    core.comments = source.notice[:255]  # the longest that the format allows
    core.language = "it-IT"
    core.created = core.modified = day
    core.revision = 1


def _lighten(document: WordDocument) -> None:
    """Take out of python-docx's template what these documents never use: 800 kB of styles."""
    for rels in (document.part.rels, document.part.package.rels):
        for key in [key for key, rel in rels.items() if rel.reltype.endswith(UNUSED_PARTS)]:
            del rels[key]
    for style in list(document.styles.element.style_lst):
        if style.type == WD_STYLE_TYPE.TABLE and style.name_val not in KEPT_TABLE_STYLES:
            document.styles.element.remove(style)


def render_docx(source: Source) -> bytes:
    document = Document()
    _lighten(document)
    _describe(document, source)
    blocks = [line.block for line in read_script(source).lines]
    _add(document, blocks[0])
    document.add_paragraph().add_run(source.notice).bold = True
    for block in blocks[1:]:
        _add(document, block)
    raw = BytesIO()
    document.save(raw)
    fixed = BytesIO()
    with ZipFile(raw) as before, ZipFile(fixed, "w", ZIP_STORED) as after:
        for entry in before.infolist():
            info = ZipInfo(entry.filename, EPOCH)
            # zipfile writes the host system here, which differs between Windows and the rest
            info.create_system = 3
            info.external_attr = 0o600 << 16
            after.writestr(info, before.read(entry))
    return fixed.getvalue()
