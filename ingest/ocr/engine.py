"""Optical recognition by tesseract: what is installed, and the lines of one page's image."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ingest.models import OcrLine, OcrPage
from ingest.ocr.lines import Hocr, HocrError, read_hocr, set_in_columns

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LANGUAGE = "ita"
READING = "1"
"""Raised when the same image would be read otherwise by this program: kept results then expire."""

DPI = 300
MAX_PIXELS = 25_000_000
"""An A3 page at 300 dpi has 17 million; larger pages are rendered with fewer dots an inch."""

_ONE_COLUMN, _FREE, _ORIENTATION = "4", "3", "0"
_WHITE = 255
_POOR = 55.0
"""Mean confidence under which a page may stand on its head."""
_SURE_OF_TURN = 2.0
_INSTALL = "`sudo apt install {packages}`, poi ripeti `piano ingest`"

Image: TypeAlias = "npt.NDArray[np.uint8]"
"""Grey, shape `(height, width)`, 0 is black."""


class RecognitionError(Exception):
    """Why one page could not be recognised, in Italian."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An installed tesseract that knows Italian."""

    program: str
    version: str
    seconds: float
    """Longest time for one page."""

    @property
    def name(self) -> str:
        return f"tesseract {self.version} ({LANGUAGE})"


@dataclass(frozen=True, slots=True)
class NoEngine:
    """Why images are not recognised; `remedy` is Italian and has no full stop."""

    remedy: str


def find_engine(mode: str, seconds: float) -> Engine | NoEngine:
    """What this computer recognises images with; `mode` is the setting `ocr`: auto or off."""
    if mode == "off":
        return NoEngine("togli PIANO_OCR=off, poi ripeti `piano ingest`")
    packages = f"tesseract-ocr tesseract-ocr-{LANGUAGE}"
    program = shutil.which("tesseract")
    if program is None:
        return NoEngine(f"installa tesseract con {_INSTALL.format(packages=packages)}")
    version = _ask(program, "--version")
    found = re.search(r"tesseract v?(\d[\w.\-]*)", version)
    if found is None:
        return NoEngine(
            f"tesseract non parte: installalo di nuovo con {_INSTALL.format(packages=packages)}"
        )
    if LANGUAGE not in _ask(program, "--list-langs").split():
        packages = f"tesseract-ocr-{LANGUAGE}"
        return NoEngine(
            f"a tesseract mancano i dati dell'italiano: {_INSTALL.format(packages=packages)}"
        )
    return Engine(program, found[1], seconds)


def image_key(image: Image, engine: Engine) -> str:
    """By which the result of an image is kept: its dots, and everything that reads them."""
    content = hashlib.sha256(f"{READING}|{engine.name}|{image.shape}|".encode())
    content.update(image.tobytes())
    return content.hexdigest()


def recognise(image: Image, dpi: float, engine: Engine) -> OcrPage:
    """The lines of a page's image, turned round first if it lies on a side or on its head.

    Raises:
        RecognitionError: the engine fell, took too long, or said nothing that can be understood.
    """
    lines = _read(image, dpi, engine)
    turns = _quarter_turns(image, lines, dpi, engine)
    if turns:
        import numpy as np  # readers of text layers start sooner without it

        turned = np.rot90(image, turns)
        again = _read(turned, dpi, engine)
        if _trust(again) > _trust(lines):
            image, lines = turned, again
    height, width = image.shape
    return OcrPage(round(width * 72 / dpi, 2), round(height * 72 / dpi, 2), lines)


def confidence(lines: Sequence[OcrLine]) -> float:
    """Mean over the letters of all lines, 0-100; 0 without lines."""
    letters = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / letters if letters else 0.0


def _read(image: Image, dpi: float, engine: Engine) -> tuple[OcrLine, ...]:
    """First straight across the page, which keeps items with their marks and rows whole."""
    seen = _segmented(image, dpi, engine, _ONE_COLUMN)
    if set_in_columns(seen.lines):
        return _segmented(image, dpi, engine, _FREE).lines
    if seen.text_from or seen.text_to is not None:
        clean = image.copy()
        clean[:, : seen.text_from] = _WHITE
        if seen.text_to is not None:
            clean[:, seen.text_to :] = _WHITE
        again = _segmented(clean, dpi, engine, _ONE_COLUMN)
        if confidence(again.lines) > confidence(seen.lines):
            return again.lines
    return seen.lines


def _segmented(image: Image, dpi: float, engine: Engine, mode: str) -> Hocr:
    """What is found found under one of tesseract's page segmentation modes."""
    arguments = ["-l", LANGUAGE, "--dpi", str(round(dpi)), "--psm", mode, "hocr"]
    try:
        return read_hocr(_run(engine, image, arguments), dpi)
    except HocrError as error:
        raise RecognitionError("tesseract ha dato un risultato illeggibile") from error


def _quarter_turns(image: Image, lines: Sequence[OcrLine], dpi: float, engine: Engine) -> int:
    """How often to turn the image a quarter to the left for its words to stand upright."""
    letters = sum(len(line.text) for line in lines)
    lying = sum(len(line.text) for line in lines if not line.upright)
    if letters and lying <= letters / 2 and confidence(lines) >= _POOR:
        return 0
    try:
        told = _run(engine, image, ["--dpi", str(round(dpi)), "--psm", _ORIENTATION])
    except RecognitionError:  # too few letters to tell, or no data for it
        return 0
    turn = re.search(rb"Rotate:\s*(\d+)", told)
    sure = re.search(rb"Orientation confidence:\s*([\d.]+)", told)
    if turn is None or sure is None or float(sure[1]) < _SURE_OF_TURN:
        return 0
    return -int(turn[1]) // 90 % 4


def _trust(lines: Sequence[OcrLine]) -> float:
    return sum(line.confidence * len(line.text) for line in lines if line.upright)


def _run(engine: Engine, image: Image, arguments: Sequence[str]) -> bytes:
    height, width = image.shape
    try:
        done: Any = subprocess.run(
            [engine.program, "stdin", "stdout", *arguments],
            input=b"P5 %d %d 255\n%b" % (width, height, image.tobytes()),
            capture_output=True,
            timeout=engine.seconds,
            # One thread each: the cores are shared out among pages.
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RecognitionError(f"ha richiesto più di {engine.seconds:g} secondi") from error
    except OSError as error:
        raise RecognitionError("tesseract non parte") from error
    if done.returncode:
        raise RecognitionError("tesseract si è interrotto")
    return bytes(done.stdout)


def _ask(program: str, question: str) -> str:
    try:
        done = subprocess.run(
            [program, question], capture_output=True, timeout=20, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return ""
    return done.stdout + done.stderr
