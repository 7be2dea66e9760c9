"""PDFs whose pages are images, as scanners make them."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pypdfium2
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 595, 842


def printed(pages: Sequence[Sequence[str]], size: int = 12) -> bytes:
    """A PDF with a text layer: lines one under the other, blank ones a gap."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=(WIDTH, HEIGHT), pageCompression=0)
    for lines in pages:
        canvas.setFont("Times-Roman", size)
        for row, line in enumerate(lines):
            canvas.drawString(70, HEIGHT - 80 - 1.4 * size * row, line)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def drawn(data: bytes, dpi: int = 200) -> list[Image.Image]:
    """Each page as an image, with a little of a scanner's noise."""
    noise = np.random.default_rng(7)
    document = pypdfium2.PdfDocument(data)
    images = []
    for page in document:
        dots = page.render(scale=dpi / 72, grayscale=True).to_numpy()
        dots = dots.reshape(dots.shape[:2])
        dirty = np.clip(dots + noise.normal(0, 6, dots.shape), 0, 255).astype(np.uint8)
        images.append(Image.fromarray(dirty))
    document.close()
    return images


def scanned(
    pages: Sequence[Sequence[str]], *, stamp: str = "", turn: int = 0, title: str = ""
) -> bytes:
    """The same words as images; `stamp` is text upon each, `turn` degrees to the left."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=(WIDTH, HEIGHT))
    if title:
        canvas.setTitle(title)
    for image in drawn(printed(pages)):
        shown = image.rotate(turn, expand=True) if turn else image
        canvas.drawImage(ImageReader(shown), 0, 0, WIDTH, HEIGHT)
        if stamp:
            canvas.setFont("Helvetica", 8)
            canvas.drawString(60, HEIGHT - 25, stamp)
        canvas.showPage()
    canvas.save()
    return target.getvalue()
