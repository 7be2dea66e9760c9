"""Schede → blocks, in the layouts (`modello`) that offices give them.

A layout decides labels, order and form of every field. Each block says which field it shows, by
the names of ingest/schede/schede.toml, so that a test can compare what was written with what was
read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from corpus.blocks import Block, Break, Heading, ListItem, Paragraph, Run, Runs, Table
from corpus.records import Indicator, SheetSource, Value
from corpus.sources import SourceError

CAPOFILA = "Soggetto capofila"
SPESA = "Preventivo di spesa"
AZIONI = "Azioni"
INDICATORI = "Indicatori"
REGIONALI = "Indicatori regionali"

TITLE = "titolo"
"""The field of a sheet's heading."""


class FieldBlock(NamedTuple):
    """A block with the field that it shows, or TITLE."""

    block: Block
    name: str
    row_fields: tuple[str, ...] = ()
    """For a table whose rows show different fields: the field of each row."""


def euro(amount: int) -> str:
    """120000 → "120.000"."""
    return f"{amount:,}".replace(",", ".")


@dataclass(frozen=True, slots=True)
class Layout:
    """Labels are by field; a field without one keeps its own name as label."""

    write: Callable[[Layout, SheetSource, int], Iterator[FieldBlock]]
    title: str = "Intervento {numero} – {titolo}"
    labels: dict[str, str] = field(default_factory=dict)
    own_page: bool = False
    areas: str = ", "
    """What stands between the letters of the areas."""
    money: str = "{} euro"

    def label(self, name: str) -> str:
        return self.labels.get(name, name)


def sheet_blocks(sheet: SheetSource, modello: str, level: int) -> list[FieldBlock]:
    """The blocks of one sheet, its heading first; raises SourceError for an unknown layout."""
    try:
        layout = LAYOUTS[modello]
    except KeyError:
        raise SourceError(f"unknown modello {modello!r}; known: {sorted(LAYOUTS)}") from None
    title = layout.title if sheet.intervento else "Scheda {numero} – {titolo}"
    words = title.format(numero=sheet.numero, titolo=sheet.titolo)
    blocks = [FieldBlock(Heading(level, _plain(words)), TITLE)]
    if layout.own_page:
        blocks.insert(0, FieldBlock(Break("pagina"), ""))
    blocks.extend(layout.write(layout, sheet, level))
    return blocks


def _plain(text: str) -> Runs:
    return (Run(text),)


def _bold(text: str) -> Runs:
    return (Run(text, bold=True),)


def _texts(sheet: SheetSource, layout: Layout) -> Iterator[tuple[str, str]]:
    """Field and text of everything but actions, spending and indicators, in the form's order."""
    ambito = sheet.ambito.capitalize()
    if sheet.ambito_dettaglio:
        ambito = f"{ambito} ({sheet.ambito_dettaglio})" if ambito else sheet.ambito_dettaglio
    continuity = {None: "", True: "Sì", False: "No"}[sheet.continuita]
    rows = (
        (CAPOFILA, sheet.capofila),
        ("Specifica del soggetto capofila", sheet.specifica_capofila),
        ("In continuità con la programmazione precedente", continuity),
        ("Ambito territoriale", ambito),
        ("Inserito in altri piani", sheet.altri_piani),
        ("Riferimento scheda regionale", ", ".join(sheet.riferimenti)),
        ("Riferimento scheda prevalente", sheet.prevalente),
        ("Area", layout.areas.join(sheet.aree)),
        ("Target", ", ".join(sheet.target)),
        ("Razionale/Motivazione", sheet.razionale),
        ("Descrizione", sheet.descrizione),
        ("Destinatari", sheet.destinatari),
        (AZIONI, ""),
        ("Integrazione e trasversalità", sheet.integrazione),
        ("Istituzioni e attori sociali coinvolti", sheet.attori),
        ("Referenti", sheet.referenti),
        ("Novità rispetto all'anno precedente", sheet.novita),
        (SPESA, ""),
        ("Risorse non finanziarie", sheet.risorse),
        (INDICATORI, ""),
        (REGIONALI, ""),
    )
    yield from rows


def _indicators(sheet: SheetSource, name: str) -> tuple[Indicator, ...]:
    return sheet.indicatori if name == INDICATORI else sheet.indicatori_regionali


def _spending_table(sheet: SheetSource, head: tuple[str, str], money: str) -> Table:
    rows = [(_plain(part.fonte), _plain(money.format(euro(part.euro)))) for part in sheet.spesa]
    total = (_bold("Totale"), _bold(money.format(euro(sheet.totale))))
    return Table((_plain(head[0]), _plain(head[1])), (*rows, total))


def _indicator_table(indicators: tuple[Indicator, ...]) -> Table:
    rows: list[tuple[Runs, ...]] = []
    reached = any(indicator.raggiunti for indicator in indicators)
    for indicator in indicators:
        years = sorted({value.anno for value in (*indicator.attesi, *indicator.raggiunti)})
        for year in years or [0]:
            cells = [
                indicator.nome,
                str(year) if year else "",
                _of_year(indicator.attesi, year),
                *([_of_year(indicator.raggiunti, year)] if reached else []),
            ]
            rows.append(tuple(_plain(cell) for cell in cells))
    head = ["Indicatore", "Anno", "Valore atteso", *(["Valore raggiunto"] if reached else [])]
    return Table(tuple(_plain(cell) for cell in head), tuple(rows))


def _of_year(values: tuple[Value, ...], year: int) -> str:
    return next((value.valore for value in values if value.anno == year), "")


def _indicator_line(indicator: Indicator) -> str:
    """ "Famiglie seguite: 40 (2018), 60 (2019); raggiunto 52 (2018)"."""
    expected = ", ".join(f"{value.valore} ({value.anno})" for value in indicator.attesi)
    reached = ", ".join(f"{value.valore} ({value.anno})" for value in indicator.raggiunti)
    told = [part for part in (expected, f"raggiunto {reached}" if reached else "") if part]
    return f"{indicator.nome}: {'; '.join(told)}" if told else indicator.nome


def _paragraphs(text: str) -> list[Runs]:
    return [_plain(part) for part in text.split("\n\n")]


def _under_label(layout: Layout, sheet: SheetSource, level: int) -> Iterator[FieldBlock]:
    """Each label in bold on its own line, its text below; tables for money and indicators."""
    yield from _stacked(layout, sheet, lambda name: Paragraph(_bold(layout.label(name))))


def _under_heading(layout: Layout, sheet: SheetSource, level: int) -> Iterator[FieldBlock]:
    """Each field under a heading of its own."""
    yield from _stacked(
        layout, sheet, lambda name: Heading(min(level + 1, 4), _plain(layout.label(name)))
    )


def _stacked(
    layout: Layout, sheet: SheetSource, opening: Callable[[str], Block]
) -> Iterator[FieldBlock]:
    for name, text in _texts(sheet, layout):
        body = _body(layout, sheet, name, text)
        if body:
            yield FieldBlock(opening(name), "")
            yield from (FieldBlock(block, name) for block in body)


def _body(layout: Layout, sheet: SheetSource, name: str, text: str) -> list[Block]:
    if name == AZIONI:
        return [ListItem(_plain(action), "•", 1) for action in sheet.azioni]
    if name == SPESA:
        head = ("Fonte", "Euro" if layout.money == "{}" else "Importo")
        return [_spending_table(sheet, head, layout.money)] if sheet.spesa else []
    if name in (INDICATORI, REGIONALI):
        found = _indicators(sheet, name)
        return [_indicator_table(found)] if found else []
    return [Paragraph(runs) for runs in _paragraphs(text)] if text else []


def _beside_label(layout: Layout, sheet: SheetSource, level: int) -> Iterator[FieldBlock]:
    """Bold label and text in one paragraph; a table for money, items for indicators."""
    for name, text in _texts(sheet, layout):
        body = _body(layout, sheet, name, text)
        if name in (INDICATORI, REGIONALI):
            found = _indicators(sheet, name)
            body = [ListItem(_plain(_indicator_line(one)), "•", 1) for one in found]
        if not body:
            continue
        label = Run(f"{layout.label(name)}:", bold=True)
        first, *rest = body
        if isinstance(first, Paragraph):
            yield FieldBlock(Paragraph((label, Run(" "), *first.runs)), name)
        else:
            yield FieldBlock(Paragraph((label,)), "")
            rest = body
        yield from (FieldBlock(block, name) for block in rest)


def _lines(layout: Layout, sheet: SheetSource, level: int) -> Iterator[FieldBlock]:
    """Plain "Label: text" paragraphs; money and indicators are running text too."""
    for name, text in _texts(sheet, layout):
        value = _line_value(layout, sheet, name, text, "; ")
        if not value:
            continue
        first, *rest = value.split("\n\n")
        yield FieldBlock(Paragraph(_plain(f"{layout.label(name)}: {first}")), name)
        yield from (FieldBlock(Paragraph(_plain(part)), name) for part in rest)


def _line_value(layout: Layout, sheet: SheetSource, name: str, text: str, between: str) -> str:
    if name == AZIONI:
        return between.join(action.rstrip(".;") for action in sheet.azioni)
    if name == SPESA and sheet.spesa:
        parts = [f"{part.fonte} {layout.money.format(euro(part.euro))}" for part in sheet.spesa]
        return between.join([*parts, f"totale {layout.money.format(euro(sheet.totale))}"])
    if name in (INDICATORI, REGIONALI):
        return between.join(_indicator_line(one) for one in _indicators(sheet, name))
    return text


def _two_columns(layout: Layout, sheet: SheetSource, level: int) -> Iterator[FieldBlock]:
    """The whole sheet as one table of labels and texts; a list is lines of a cell."""
    rows: list[tuple[Runs, Runs]] = []
    names: list[str] = []
    for name, text in _texts(sheet, layout):
        value = _line_value(layout, sheet, name, text, "\n")
        if name == AZIONI:
            value = "\n".join(f"- {action}" for action in sheet.azioni)
        if value:
            rows.append((_bold(layout.label(name)), _plain(value.replace("\n\n", "\n"))))
            names.append(name)
    yield FieldBlock(Table((), tuple(rows)), "", tuple(names))


LAYOUTS: dict[str, Layout] = {
    "piattaforma": Layout(
        _under_label,
        own_page=True,
        money="{}",
        labels={
            AZIONI: "Azioni previste",
            "Area": "Aree",
            "Istituzioni e attori sociali coinvolti": "Istituzioni/attori sociali coinvolti",
            "Referenti": "Referenti dell'intervento",
            "Integrazione e trasversalità": "Eventuali interventi/politiche integrate collegate",
            "Novità rispetto all'anno precedente": "Novità rispetto al 2018",
            "Indicatori": "Indicatori distrettuali",
        },
    ),
    "tabella": Layout(
        _two_columns,
        title="Scheda intervento n. {numero} – {titolo}",
        own_page=True,
        areas="/",
        money="euro {}",
        labels={
            "Area": "Area di riferimento",
            "Target": "Popolazione target",
            "Razionale/Motivazione": "Motivazione",
            "Descrizione": "Descrizione dell'intervento",
            AZIONI: "Azioni previste",
            "Integrazione e trasversalità": "Politiche integrate collegate",
            "Istituzioni e attori sociali coinvolti": "Soggetti coinvolti",
            "Referenti": "Referente",
            "Indicatori": "Indicatori per la misurazione del risultato",
        },
    ),
    "righe": Layout(
        _lines,
        title="Intervento {numero}. {titolo}",
        areas=" e ",
        labels={
            CAPOFILA: "Ente capofila",
            "In continuità con la programmazione precedente": "In continuità",
            "Riferimento scheda regionale": "Schede regionali di riferimento",
            "Riferimento scheda prevalente": "Scheda prevalente",
            "Area": "Aree",
            "Razionale/Motivazione": "Razionale",
            "Destinatari": "A chi si rivolge",
            AZIONI: "Azioni da realizzare",
            "Integrazione e trasversalità": "Integrazione e trasversalità",
            "Istituzioni e attori sociali coinvolti": "Soggetti coinvolti",
            SPESA: "Spesa prevista",
            "Risorse non finanziarie": "Altre risorse",
            "Novità rispetto all'anno precedente": "Novità",
        },
    ),
    "etichette": Layout(
        _beside_label,
        labels={
            AZIONI: "Azioni da sviluppare",
            "Area": "Area/e",
            "Integrazione e trasversalità": "Elementi di trasversalità/integrazione",
            "Istituzioni e attori sociali coinvolti": "Istituzioni/attori sociali coinvolti",
            "Indicatori": "Indicatori/risultati attesi",
        },
    ),
    "sezioni": Layout(
        _under_heading,
        labels={
            AZIONI: "Azioni da sviluppare",
            "Area": "Aree",
            "Integrazione e trasversalità": "Elementi di trasversalità/integrazione",
            "Istituzioni e attori sociali coinvolti": "Istituzioni/attori sociali coinvolti",
            "Indicatori": "Indicatori/risultati attesi",
        },
    ),
}
