"""How a PDF looks: fonts that reportlab ships, sizes, colours, paragraph styles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import reportlab
from reportlab.lib import colors
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FACES = {
    "Vera": "Vera.ttf",
    "Vera-B": "VeraBd.ttf",
    "Vera-I": "VeraIt.ttf",
    "Vera-BI": "VeraBI.ttf",
}
MARGIN = 22 * mm
WIDTH = A4[0] - 2 * MARGIN
GUTTER = 8 * mm
COLUMN = (WIDTH - GUTTER) / 2
"""Width of one of two columns."""
SIZES = {1: (17.0, 22.0), 2: (13.5, 18.0), 3: (11.5, 15.0), 4: (10.0, 13.5)}
INK = colors.HexColor("#1f3a5f")
RULE = colors.HexColor("#9aa7b5")
SHADE = colors.HexColor("#e8edf3")
FAINT = colors.HexColor("#44505c")


def register_fonts() -> None:
    folder = Path(reportlab.__file__).parent / "fonts"
    for face, file in FACES.items():
        pdfmetrics.registerFont(TTFont(face, str(folder / file)))
    pdfmetrics.registerFontFamily(
        "Vera", normal="Vera", bold="Vera-B", italic="Vera-I", boldItalic="Vera-BI"
    )


def paragraph_style(name: str, **changes: Any) -> ParagraphStyle:
    base: dict[str, Any] = {
        "fontName": "Vera",
        "fontSize": 9.8,
        "leading": 14.2,
        "spaceAfter": 5,
        "splitLongWords": 0,
    }
    return ParagraphStyle(name, **(base | changes))


BODY = paragraph_style("body")
NARROW = paragraph_style("narrow", hyphenationLang="it_IT", alignment=TA_JUSTIFY)
"""Body text in columns: justified, with words broken at the ends of lines."""
CELL = paragraph_style("cell", fontSize=8.6, leading=12, spaceAfter=0)
QUOTED = paragraph_style("quoted", leftIndent=12, fontName="Vera-I")
NOTICE = paragraph_style(
    "notice",
    fontName="Vera-B",
    fontSize=8.8,
    borderColor=INK,
    borderWidth=0.8,
    borderPadding=6,
    spaceBefore=8,
    spaceAfter=14,
)
HEADINGS = {
    level: paragraph_style(
        f"heading{level}",
        fontName="Vera-B",
        fontSize=size,
        leading=leading,
        textColor=INK,
        spaceBefore=9,
        spaceAfter=5,
        keepWithNext=1,
    )
    for level, (size, leading) in SIZES.items()
}
