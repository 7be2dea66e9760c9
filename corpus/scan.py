"""A PDF as a scanner makes it: each page one black and white image, no text; reproducible bytes."""

from __future__ import annotations

from io import BytesIO

from PIL import Image
from pypdfium2 import PdfDocument

DPI = 200
THRESHOLD = 150
"""Grey below this is ink: a little bolder than the print, as photocopies are."""


def scanned(pdf: bytes, metadata: dict[str, str]) -> bytes:
    """The pages of `pdf` as images, CCITT group 4; `metadata` goes into the file's information."""
    source = PdfDocument(pdf)
    objects: list[bytes] = []
    kids: list[int] = []

    def add(content: bytes) -> int:
        objects.append(content)
        return len(objects)

    add(b"<< /Type /Catalog /Pages 2 0 R >>")
    add(b"")  # the page tree, once its pages are known
    info = b" ".join(b"/%s %s" % (k.encode(), _string(v)) for k, v in metadata.items())
    add(b"<< " + info + b" >>")
    for page in source:
        width, height = page.get_size()
        picture = page.render(scale=DPI / 72, grayscale=True).to_pil()
        picture = picture.point(lambda grey: 255 if grey >= THRESHOLD else 0).convert("1")
        image = add(_stream(_image_head(picture), _group4(picture)))
        drawing = add(_stream(b"", b"q %.2f 0 0 %.2f 0 0 cm /I Do Q" % (width, height)))
        kids.append(
            add(
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents %d 0 R"
                b" /Resources << /XObject << /I %d 0 R >> >> >>" % (width, height, drawing, image)
            )
        )
    references = b" ".join(b"%d 0 R" % kid for kid in kids)
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (references, len(kids))
    return _file(objects)


def _string(text: str) -> bytes:
    return b"<FEFF" + text.encode("utf-16-be").hex().upper().encode() + b">"


def _image_head(picture: Image.Image) -> bytes:
    parameters = b"<< /K -1 /Columns %d /Rows %d /BlackIs1 false >>" % picture.size
    return (
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray"
        b" /BitsPerComponent 1 /Filter /CCITTFaxDecode /DecodeParms " % picture.size
    ) + parameters


def _group4(picture: Image.Image) -> bytes:
    """The one strip of a group 4 TIFF."""
    target = BytesIO()
    # One strip for the whole page (tag 278), white as zero (tag 262), as the filter expects.
    picture.save(target, "TIFF", compression="group4", tiffinfo={278: picture.height, 262: 0})
    with Image.open(BytesIO(target.getvalue())) as tiff:
        tags = tiff.tag_v2  # type: ignore[attr-defined]
        (offset,), (count,) = tags[273], tags[279]
    return target.getvalue()[offset : offset + count]


def _stream(head: bytes, content: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (head, len(content), content)


def _file(objects: list[bytes]) -> bytes:
    out = BytesIO()
    out.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets: list[int] = []
    for number, content in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(
        b"trailer\n<< /Size %d /Root 1 0 R /Info 3 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, start)
    )
    return out.getvalue()
