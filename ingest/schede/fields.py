"""The fields of one sheet: which words of which blocks stand under which label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ingest.formats.marks import has_leaders
from ingest.schede.amounts import only_money
from ingest.schede.flow import Flow, Row, Source, Stretch
from ingest.schede.labels import Label, LabelHit, find_label, inner_labels, label_of
from ingest.sections import Placed

MONEY_FIELDS = frozenset({"Preventivo di spesa", "Fonti di finanziamento"})
INDICATOR_FIELDS = frozenset({"Indicatori", "Indicatori regionali"})
_TABLE_FIELDS = MONEY_FIELDS | INDICATOR_FIELDS
_TOTAL = re.compile(r"\W*(?:costo|spesa|importo)?\s*total[ei]\b", re.IGNORECASE)
_MAX_LABEL_CELL = 80
_RULE = re.compile(r"[-–—=_*~\s]{3,}")
BULLET = re.compile(r"([-–•*·▪◦])\s")


@dataclass
class FieldDraft:
    """A field as it is being read; `rows` hold its words, `printed` its label in the page."""

    label: Label
    printed: Stretch
    rows: list[Row] = field(default_factory=list)

    def flow(self, source: Source) -> Flow:
        stretches = [s for row in self.rows for cell in row.cells for s in cell.stretches]
        return Flow(source, tuple(stretches))


def read_fields(blocks: Sequence[Placed], source: Source) -> list[FieldDraft]:
    """The fields of a sheet, in order of appearance; a label that comes back goes on."""
    reader = _Reader(source)
    for block in blocks:
        reader.take(block)
    return reader.drafts


class _Reader:
    def __init__(self, source: Source) -> None:
        self.drafts: list[FieldDraft] = []
        self._source = source
        self._by_name: dict[str, FieldDraft] = {}
        self._current: FieldDraft | None = None
        self._label_level = 0
        self._bulleted = False
        """Whether the current label itself stands in a list item."""
        self._columns = 0
        """Columns of the table inside the current field, 0 outside one."""
        self._label_cell: Stretch | None = None
        """The last row's first cell, in case its words go on on the next page."""

    def take(self, block: Placed) -> None:
        if _RULE.fullmatch(block.text) or has_leaders(block.text):
            return  # the line drawn under a title in plain text, or a line of contents
        if block.kind == "heading":
            self._heading(block)
        elif block.kind == "table_row" and len(block.cells) > 1:
            self._table_row(block)
        else:
            self._columns, self._label_cell = 0, None
            self._lines(block)

    def _open(self, label: Label, printed: Stretch, *, level: int = 0) -> None:
        draft = self._by_name.get(label.name)
        if draft is None:
            draft = self._by_name[label.name] = FieldDraft(label, printed)
            self.drafts.append(draft)
        self._current = draft
        self._columns = 0
        if level:
            self._label_level = level

    def _add(self, *stretches: Stretch | None, table: bool = False, header: bool = False) -> None:
        if self._current is None or not any(stretches):
            return
        cells = tuple(Flow(self._source, self._items(s) if s else ()) for s in stretches)
        self._current.rows.append(Row(cells, table, header))

    def _items(self, stretch: Stretch) -> tuple[Stretch, ...]:
        """The items of a list that lost its line breaks: "- aprire - formare - ascoltare"."""
        text = self._source.text(stretch)
        bullet = BULLET.match(text)
        if bullet is None:
            return (stretch,)
        marks = [found.start() for found in re.finditer(rf"(?<=\s){re.escape(bullet[1])}\s", text)]
        edges = [0, *marks, len(text)]
        parts = (
            self._source.strip(stretch.page, stretch.start + low, stretch.start + high)
            for low, high in pairwise(edges)
        )
        return tuple(part for part in parts if part)

    def _heading(self, block: Placed) -> None:
        self._columns, self._label_cell = 0, None
        label = label_of(block.text)
        if label is not None:
            self._open(label, Stretch(block.page, block.start, block.end), level=block.level)
            return
        hit = find_label(block.text)
        if hit is not None:
            # "Aree: A, C" set as a heading by its size or weight.
            self._hit(block, block.start, block.text, hit)
            return
        if block.level <= self._label_level or not self._label_level:
            self._current = None
        else:
            self._add(self._source.strip(block.page, block.start, block.end))

    def _hit(self, block: Placed, offset: int, line: str, hit: LabelHit) -> None:
        printed = Stretch(block.page, offset + hit.label_start, offset + hit.label_end)
        self._open(hit.label, printed)
        self._add(self._source.strip(block.page, offset + hit.value_start, offset + len(line)))

    def _lines(self, block: Placed) -> None:
        offset = block.start
        for at, line in enumerate(block.text.split("\n")):
            self._line(block, offset, line, first=at == 0)
            offset += len(line) + 1

    def _line(self, block: Placed, offset: int, line: str, *, first: bool) -> None:
        table = block.kind == "table_row"
        hit = find_label(line, row=table, bare=first and block.kind == "text")
        if hit is not None and not self._takes(hit, block, line):
            hit = None
        inner = [one for one in inner_labels(line) if one.label_start > 0]
        item = block.kind == "list_item"
        sure = any(item or " " in line[one.label_start : one.label_end] for one in inner)
        if inner and (hit is not None or len(inner) > 1 or sure):
            self._several(block, offset, line, [*([hit] if hit else []), *inner])
        elif hit is not None:
            self._bulleted = block.kind == "list_item"
            self._hit(block, offset, line, hit)
        else:
            self._add(
                self._source.strip(block.page, offset, offset + len(line)), table=table,
                header=block.header,
            )  # fmt: skip

    def _takes(self, hit: LabelHit, block: Placed, line: str) -> bool:
        """Whether a line that begins like a label opens its field here."""
        current = self._current
        if current is not None and hit.label is current.label and _TOTAL.match(line):
            return False  # "Totale preventivo: 140.000 euro" below the sources
        alone = hit.label_end >= len(line.rstrip())
        if current is not None and not current.rows and hit.label.aside and alone:
            return False  # "Ufficio di piano" below "Referente" is who that is
        if block.kind == "list_item":
            colon = line[hit.label_end : hit.value_start].strip() == ":"
            return colon and (current is None or self._bulleted)
        if block.kind == "table_row" and current is not None:
            return not self._inside_table(hit.label, line[hit.label_end :])
        return True

    def _inside_table(self, label: Label, rest: str) -> bool:
        """Whether a row of unknown cells that begins like a label belongs to the current field.

        It does when it holds a figure of it, or names its columns.
        """
        current = self._current
        if current is None or current.label.name not in _TABLE_FIELDS:
            return False
        same = label is current.label or {label.name, current.label.name} <= MONEY_FIELDS
        if same:
            return True
        return bool(re.fullmatch(r"\s*[\d.,%€]+(?:\s*(?:euro|€))?\s*", rest))

    def _several(self, block: Placed, offset: int, line: str, hits: Sequence[LabelHit]) -> None:
        """Fields one after the other in one line, their line breaks lost."""
        ordered = sorted(
            {hit.label_start: hit for hit in hits}.values(), key=lambda h: h.label_start
        )
        self._add(self._source.strip(block.page, offset, offset + ordered[0].label_start))
        for at, hit in enumerate(ordered):
            end = ordered[at + 1].label_start if at + 1 < len(ordered) else len(line)
            printed = Stretch(block.page, offset + hit.label_start, offset + hit.label_end)
            self._open(hit.label, printed)
            start = min(hit.value_start, end)
            self._add(self._source.strip(block.page, offset + start, offset + end))

    # rows whose cells are known

    def _table_row(self, block: Placed) -> None:
        cells = [self._source.strip(block.page, *cell) for cell in block.cells]
        texts = [self._source.text(cell) if cell else "" for cell in cells]
        filled = [at for at, cell in enumerate(cells) if cell]
        if not filled:
            return
        if self._is_inner_row(block, texts, filled):
            self._columns = len(cells)
            self._add_cells(block, cells)
            return
        self._columns = 0
        pending: list[Stretch | None] = []
        opened = False
        for at, (cell, text) in enumerate(zip(cells, texts, strict=True)):
            label = label_of(text.rstrip(" :")) if cell and len(text) <= _MAX_LABEL_CELL else None
            if cell and label is not None and (at == filled[0] or self._pairs(texts, at)):
                self._flush(block, pending, opened=opened)
                pending, opened = [], True
                self._open(label, cell)
            elif cell and at == filled[0] and self._unknown_label(block, cell, texts):
                opened = True
            elif (
                cell
                and at == filled[0]
                and (hit := find_label(text))
                and hit.value_start < len(text)
            ):
                self._flush(block, pending, opened=opened)
                self._line(block, cell.start, text, first=True)
                pending, opened = [], True
            else:
                pending.append(cell)
        self._flush(block, pending, opened=opened)
        first = cells[filled[0]]
        self._label_cell = first if opened and filled[0] == 0 else None

    def _pairs(self, texts: Sequence[str], at: int) -> bool:
        """Whether a row shows label, value, label, value: a second label then is one."""
        return at == 2 and len(texts) == 4 and label_of(texts[0].rstrip(" :")) is not None

    def _flush(self, block: Placed, pending: list[Stretch | None], *, opened: bool) -> None:
        while pending and pending[0] is None and (opened or len(pending) > 1):
            pending = pending[1:]
        if any(pending):
            self._add_cells(block, pending)

    def _add_cells(self, block: Placed, cells: Sequence[Stretch | None]) -> None:
        self._add(*cells, table=len(cells) > 1, header=block.header)

    def _is_inner_row(self, block: Placed, texts: Sequence[str], filled: Sequence[int]) -> bool:
        """Whether a row belongs to a table inside the current field, whatever it begins with."""
        current = self._current
        if current is None or current.label.name not in _TABLE_FIELDS:
            return False
        first = label_of(texts[filled[0]].rstrip(" :"))
        if first is None:
            return filled[0] == 0 and len(filled) > 1
        same = first is current.label or {first.name, current.label.name} <= INDICATOR_FIELDS
        if same and (block.header or len(filled) != 2):
            return True
        names = " ".join(texts).lower()
        if current.label.name in MONEY_FIELDS:
            if first.name in MONEY_FIELDS:
                named = re.search(r"\b(?:euro|import[oi])\b|€|\b20\d\d\b", names)
                amount = only_money(texts[filled[-1]])
                return bool(len(filled) > 1 and (block.header or named or amount))
            return len(filled) > 1 and _is_amount(texts[filled[-1]])
        figures = [texts[at] for at in filled[1:]]
        return bool(figures) and self._columns == len(texts) and all(map(_is_figure, figures))

    def _unknown_label(self, block: Placed, cell: Stretch, texts: Sequence[str]) -> bool:
        """Whether a row opens with an unknown label, or with the rest of one parted by a page."""
        text = texts[0]
        if len(texts) != 2 or cell is None or not text:
            return False
        before, current = self._label_cell, self._current
        goes_on = before is not None and (before.page != block.page or text[:1].islower())
        if before is not None and current is not None and goes_on:
            whole = f"{self._source.text(before)} {text}"
            label = label_of(whole.rstrip(" :"))
            if label is not None:
                if label is not current.label and not self._by_name.get(label.name):
                    self._by_name.pop(current.label.name, None)
                    current.label = label
                    self._by_name[label.name] = current
                return True
        if (
            self._label_cell is None
            or not texts[1].strip()
            or len(text) > _MAX_LABEL_CELL
            or not text[:1].isupper()
        ):
            return False
        if text.rstrip().endswith((".", ";", ",")) or current is None:
            return False
        self._open(Label(text.rstrip(" :")), cell)
        return True


def _is_amount(text: str) -> bool:
    return only_money(text) is not None


def _is_figure(text: str) -> bool:
    return bool(
        re.fullmatch(r"\W*[\d.,]+\s*(?:%|per cento)?|s[iì]|no", text.strip(), re.IGNORECASE)
    )
