"""Recognised pages kept in the data directory: the same image is never recognised twice.

pages/<key>.json        what was seen in one image; the key is its dots with the engine's name
documents/<id>.json     by page, the keys of one document, so that its pages need not be drawn
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assistant.index.files import write_atomically
from ingest.models import OcrCell, OcrLine, OcrPage
from ingest.ocr.engine import READING, Engine

logger = logging.getLogger(__name__)

_KEY = re.compile(r"[0-9a-f]{64}")


class OcrCache:
    """Read by any process, written by the one that holds the writer's lock."""

    def __init__(self, folder: Path) -> None:
        self.pages = folder / "pages"
        self._documents = folder / "documents"

    def page(self, key: str) -> OcrPage | None:
        """None when it was never recognised; a damaged file goes, to be made again."""
        path = self.pages / f"{key}.json"
        if not _KEY.fullmatch(key) or not path.exists():
            return None
        try:
            values = _load(path) or {}
            lines = tuple(_line(line) for line in values["lines"])
            return OcrPage(float(values["width"]), float(values["height"]), lines)
        except (KeyError, TypeError, ValueError):
            path.unlink(missing_ok=True)
            return None

    def document(self, document_id: str, engine: Engine) -> dict[int, OcrPage]:
        """Pages of a document that this engine has recognised."""
        found: dict[int, OcrPage] = {}
        for number, key in self._keys(document_id, engine).items():
            page = self.page(key)
            if page is not None:
                found[number] = page
        return found

    def keep_page(self, key: str, page: OcrPage) -> None:
        self.pages.mkdir(parents=True, exist_ok=True)
        _store(self.pages / f"{key}.json", asdict(page))

    def keep_document(self, document_id: str, engine: Engine, keys: dict[int, str]) -> None:
        """Remembers which images the pages are, besides those remembered before."""
        self._documents.mkdir(parents=True, exist_ok=True)
        known = self._keys(document_id, engine) | keys
        values = {"made_by": _made_by(engine), "pages": {str(n): key for n, key in known.items()}}
        _store(self._documents / f"{document_id}.json", values)

    def prune(self, document_ids: Collection[str]) -> None:
        """Forgets all documents but these, and the pages of none of them."""
        if not self._documents.is_dir():
            return
        held: set[str] = set()
        for path in self._documents.iterdir():
            values = _load(path) if path.stem in document_ids else None
            if values is None:
                path.unlink()
            else:
                with contextlib.suppress(KeyError, AttributeError):
                    held.update(values["pages"].values())
        for path in self.pages.iterdir() if self.pages.is_dir() else ():
            if path.stem not in held:
                path.unlink()

    def _keys(self, document_id: str, engine: Engine) -> dict[int, str]:
        values = _load(self._documents / f"{document_id}.json")
        try:
            if values is None or values["made_by"] != _made_by(engine):
                return {}
            return {int(number): str(key) for number, key in values["pages"].items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            return {}


def _line(values: dict[str, Any]) -> OcrLine:
    return OcrLine(**{**values, "cells": tuple(OcrCell(*cell) for cell in values["cells"])})


def _made_by(engine: Engine) -> str:
    return f"{engine.name}, reading {READING}"


def _load(path: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        logger.warning("unreadable OCR result, it is made again: %s", path.name)
        return None
    return values if isinstance(values, dict) else None


def _store(path: Path, values: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(values, ensure_ascii=False).encode())
