"""The bundled documents, with the script that builds their binary forms."""

from __future__ import annotations

from pathlib import Path

DOCUMENTS: Path = Path(__file__).parent / "documents"
"""Folder of the built documents: what `piano ingest` takes when it is given no path."""

CATALOGUE: Path = Path(__file__).parent / "catalogo.toml"
"""Sources known to the project: address, title, kind, body, official or not, year."""

TRAPS: Path = Path(__file__).parent / "trappole.toml"
"""Where the documents disagree, change or can be misread: places for tests to use."""

__all__ = ["CATALOGUE", "DOCUMENTS", "TRAPS"]
