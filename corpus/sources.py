"""A source: a header of `key: value` lines between `---`, then Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SOURCES: Path = Path(__file__).parent / "sources"
FORMATS = ("pdf", "docx", "odt", "html", "md", "txt")
KINDS = ("piano", "scheda", "linea_guida", "piano_di_zona", "atto", "pagina", "altro")
KEYWORD_KEYS = (
    "tipo", "distretto", "ausl", "anni", "dimostrativo", "ufficiale", "stato", "sostituito_da",
)  # fmt: skip
KEYS = (
    "titolo", "formato", "soggetto", "data", "keywords", "avviso", "intestazione", "sito",
    "impaginazione", "pagine", "protezione",
)  # fmt: skip
PDF_OPTIONS = {
    "impaginazione": ("", "due-colonne"),
    "pagine": ("", "scansione"),
    "protezione": ("", "proprietario"),
}
"""How a PDF is made: text in two columns, pages as images, an owner's password on it."""
DEMONSTRATION = "Documento dimostrativo"


class SourceError(ValueError):
    """A source that cannot be built: the message names the file and what to change."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document as it is written, before it takes its format.

    `notice` is shown on the first page, under the title; a demonstration document has one that
    opens with `DEMONSTRATION`. `date` is an ISO day, the only date written into the file.
    """

    name: str
    format: str
    title: str
    subject: str
    date: str
    keywords: str
    notice: str
    body: str
    header: str = ""
    """Running header of a PDF."""
    site: str = ""
    """Name of the web site a page pretends to be part of."""
    options: dict[str, str] = field(default_factory=dict)
    """Those of PDF_OPTIONS that are given."""
    tags: dict[str, str] = field(default_factory=dict)
    """`keywords` split into its pairs."""

    @property
    def demonstration(self) -> bool:
        return self.tags["dimostrativo"] == "si"

    @property
    def filename(self) -> str:
        return f"{self.name}.{self.format}"


def split_keywords(keywords: str) -> dict[str, str]:
    """The pairs of "tipo=atto; anni=2018"; a part without `=` is left out."""
    pairs = (part.partition("=") for part in keywords.split(";"))
    return {key.strip(): value.strip() for key, sign, value in pairs if sign}


def read_source(path: Path) -> Source:
    """Read one source; raises SourceError when its header is not complete and coherent."""
    opening, separator, body = path.read_text("utf-8").partition("\n---\n")
    if not opening.startswith("---\n") or not separator:
        raise SourceError(f"{path.name}: the header between two --- lines is missing")
    values: dict[str, str] = {}
    for line in opening.splitlines()[1:]:
        key, colon, value = line.partition(":")
        if not colon or key.strip() not in KEYS:
            raise SourceError(f"{path.name}: header line not understood: {line!r}; keys: {KEYS}")
        values[key.strip()] = value.strip()
    missing = [key for key in KEYS[:6] if not values.get(key)]
    if missing:
        raise SourceError(f"{path.name}: add to the header: {', '.join(missing)}")
    source = Source(
        name=path.stem,
        format=values["formato"],
        title=values["titolo"],
        subject=values["soggetto"],
        date=values["data"],
        keywords=values["keywords"],
        notice=values["avviso"],
        body=body.strip() + "\n",
        header=values.get("intestazione", ""),
        site=values.get("sito", ""),
        options={name: values[name] for name in PDF_OPTIONS if values.get(name)},
        tags=split_keywords(values["keywords"]),
    )
    _check(path, source)
    return source


def _check(path: Path, source: Source) -> None:
    tags = source.tags
    if source.format not in FORMATS:
        raise SourceError(f"{path.name}: formato {source.format!r} is none of {FORMATS}")
    if tags.get("tipo") not in KINDS:
        raise SourceError(f"{path.name}: tipo {tags.get('tipo')!r} is none of {KINDS}")
    unknown = sorted(set(tags) - set(KEYWORD_KEYS))
    if unknown:
        raise SourceError(f"{path.name}: unknown keyword {unknown[0]!r}; known: {KEYWORD_KEYS}")
    for key in ("dimostrativo", "ufficiale"):
        if tags.get(key) not in ("si", "no"):
            raise SourceError(f"{path.name}: keyword {key} must be si or no")
    if tags.get("stato") not in ("vigente", "superato"):
        raise SourceError(f"{path.name}: keyword stato must be vigente or superato")
    for name, value in source.options.items():
        if value not in PDF_OPTIONS[name] or source.format != "pdf":
            raise SourceError(f"{path.name}: {name} is for PDF only: one of {PDF_OPTIONS[name]}")
    if source.demonstration != source.notice.startswith(DEMONSTRATION):
        raise SourceError(
            f"{path.name}: avviso must open with {DEMONSTRATION!r} if and only if dimostrativo=si"
        )
    if not source.body.startswith("# "):
        raise SourceError(f"{path.name}: the body must open with a first-level heading")


def read_sources(folder: Path = SOURCES) -> Iterator[Source]:
    """Every source of the folder, in name order."""
    for path in sorted(folder.glob("*.md")):
        yield read_source(path)
