"""The catalogue of official sources: which addresses, and what is known of each."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.errors import UsageError
from assistant.italian.analysis import fold
from assistant.models import KINDS, Document, DocumentKind
from ingest.metadata import fallback_title
from ingest.sources import is_url
from ingest.web.addresses import AddressError, canonical, shown

_KEYS = {"titolo": str, "url": str, "tipo": str, "ente": str, "ufficiale": bool, "anno": int}
_OPTIONAL = {"anno"}
_UNSTATED: tuple[DocumentKind, ...] = ("pagina", "altro")
"""Kinds that a document has when it states none."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A source of the catalogue; `url` is canonical."""

    title: str
    url: str
    kind: DocumentKind
    body: str
    official: bool
    year: int | None = None


def read_catalogue(path: Path) -> list[Listed]:
    """Raises UsageError with the entry and what to correct."""
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("fonte", [])
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"Il catalogo delle fonti {path} non si legge ({error}).",
            remedy="Correggilo, o togli PIANO_CATALOGUE.",
        ) from error
    if not isinstance(entries, list):
        raise _wrong(path, 1, "le fonti si scrivono come [[fonte]]")
    listed = [_listed(path, number, entry) for number, entry in enumerate(entries, start=1)]
    addresses: dict[str, int] = {}
    for number, source in enumerate(listed, start=1):
        if (first := addresses.setdefault(source.url, number)) != number:
            raise _wrong(path, number, f"l'indirizzo è già quello della fonte {first}")
    return listed


def chosen(
    listed: Iterable[Listed], *, bodies: Iterable[str] = (), kinds: Iterable[str] = ()
) -> list[Listed]:
    """Those whose body has one of the given words in its name, and whose kind is one of `kinds`.

    Raises UsageError for a kind that does not exist.
    """
    kinds, words = list(kinds), [fold(body) for body in bodies]
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(
                f"Il tipo {kind!r} non esiste.", remedy=f"I tipi sono: {', '.join(KINDS)}."
            )
    return [
        source
        for source in listed
        if (not kinds or source.kind in kinds)
        and (not words or any(word in fold(source.body) for word in words))
    ]


class Stamp:
    """Adds to documents from addresses of the catalogue what they do not say themselves."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._listed: dict[str, Listed] | None = None

    def __call__(self, document: Document) -> Document:
        """Official as the catalogue says; its kind, year, title where the document has none.

        Raises UsageError when the catalogue cannot be read.
        """
        if not is_url(document.source):
            return document
        if self._listed is None:
            self._listed = {source.url: source for source in read_catalogue(self._path)}
        try:
            source = self._listed.get(canonical(document.source))
        except AddressError:
            return document
        if source is None:
            return document
        dated = document.year_from is not None or document.year_to is not None
        return replace(
            document,
            official=document.official or source.official,
            kind=source.kind if document.kind in _UNSTATED else document.kind,
            year_from=document.year_from if dated else source.year,
            year_to=document.year_to if dated else source.year,
            title=source.title
            if document.title == fallback_title(document.source)
            else document.title,
        )


def _listed(path: Path, number: int, entry: object) -> Listed:
    if not isinstance(entry, dict):
        raise _wrong(path, number, "non è una tabella")
    for key, wanted in _KEYS.items():
        if key not in entry and key not in _OPTIONAL:
            raise _wrong(path, number, f"manca {key}")
        if key in entry and (type(entry[key]) is not wanted or entry[key] == ""):
            raise _wrong(path, number, f"{key} non è scritto come dovrebbe")
    if unknown := sorted(set(entry) - set(_KEYS)):
        raise _wrong(path, number, f"{unknown[0]} non è un campo: {', '.join(_KEYS)}")
    if entry["tipo"] not in KINDS:
        raise _wrong(path, number, f"tipo non è uno di: {', '.join(KINDS)}")
    try:
        url = canonical(entry["url"])
    except AddressError as error:
        raise _wrong(path, number, f"«{shown(entry['url'])}» {error}") from error
    return Listed(
        entry["titolo"], url, entry["tipo"], entry["ente"], entry["ufficiale"], entry.get("anno")
    )


def _wrong(path: Path, number: int, what: str) -> UsageError:
    return UsageError(
        f"Il catalogo {path} ha un errore nella fonte {number}: {what}.", remedy="Correggilo."
    )
