"""The one declared normalisation: what canonical text is (docs/normalizzazione.md).

Every reader passes its text through here, so that a quote taken from a page can be found again in
the original: `flatten(quote) in flatten(text of the original)`.
"""

from __future__ import annotations

import re
import unicodedata

from ingest.spacing import join_spaced

_SPACES = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_SPACES += "\u202f\u205f\u3000"
_NEWLINES = "\x0b\x0c\x1c\x1d\x1e\x85\u2028"
# Symbol and Wingdings bullets, which Word writes into the private use area.
_PRIVATE_BULLETS = "\uf02d\uf06c\uf06e\uf06f\uf071\uf075\uf076\uf0a7\uf0a8\uf0b7\uf0d8\uf0fc\uf0fe"

_REPLACED: dict[int, str] = {
    **{ord(c): " " for c in _SPACES},
    **{ord(c): "\n" for c in _NEWLINES},
    **{ord(c): "•" for c in _PRIVATE_BULLETS},
    **{ord(c): "'" for c in "\u2018\u2019\u201b\u02bc"},
    ord("\u2029"): "\n\n",
    ord("\u2010"): "-",
    ord("\u2011"): "-",
    ord("\ufb00"): "ff",
    ord("\ufb01"): "fi",
    ord("\ufb02"): "fl",
    ord("\ufb03"): "ffi",
    ord("\ufb04"): "ffl",
    ord("\ufb05"): "st",
    ord("\ufb06"): "st",
}
_INVISIBLE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff\ue000-\uf8ff"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
# Most pieces hold nothing but these, and are spared the slower steps.
_UNUSUAL = re.compile("[^ -~\n\u00a1-\u00ac\u00ae-\u00ff–—“”•…€]")
_CARRIAGE_RETURN = re.compile(r"\r\n?")
# PDFium writes U+0002 or U+FFFE for a hyphen at the end of a line, and drops the line break.
_PDFIUM_HYPHEN = re.compile("[\x02\ufffe] *\n?")
_SOFT_HYPHEN_BREAK = re.compile("\u00ad *\n *")
_SPACE_RUN = re.compile(" {2,}")
_SPACED_NEWLINE = re.compile(" *\n *")
_NEWLINE_RUN = re.compile("\n{3,}")
_LINE_HYPHEN = re.compile(r"(?<=\w)-\n(?=\w)")
# Compounds written with a hyphen, whose hyphen must survive a line that ends on it.
_SOCIO = re.compile(
    r"(?:sanitar|assistenz|educativ|economic|cultural|lavorativ|occupazional|riabilitativ"
    r"|demografic|relazional|ambiental|politic|pedagogic)"
)


def normalise(text: str) -> str:
    """Canonical form of `text`; idempotent. Line breaks stay, at most two in a row."""
    text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = _CARRIAGE_RETURN.sub("\n", text)
    if "\u2019" in text:
        text = text.replace("\u2019", "'")
    if _UNUSUAL.search(text):
        text = _PDFIUM_HYPHEN.sub("-\n", text)
        text = _SOFT_HYPHEN_BREAK.sub("", text)
        text = _INVISIBLE.sub("", text.translate(_REPLACED))
        # Again: dropping an invisible character may bring a letter and its accent together.
        text = unicodedata.normalize("NFC", text)
    text = join_spaced(text)
    if "  " in text:
        text = join_spaced(_SPACE_RUN.sub(" ", text))
    if "\n" in text:
        text = _SPACED_NEWLINE.sub("\n", text)
        text = _NEWLINE_RUN.sub("\n\n", text)
        if "-\n" in text:
            text = _LINE_HYPHEN.sub(lambda m: _joined(m.string, m.start(), m.end()), text)
    return text.strip(" \n")


def _joined(text: str, hyphen: int, after: int) -> str:
    """What stands for a hyphen at `text[hyphen]` whose word goes on at `text[after]`."""
    before = text[hyphen - 1]
    if not (before.isalpha() and text[after].islower()):
        return "-"  # Emilia-Romagna, 2017-2019, COVID-19
    word = re.search(r"\w+\Z", text[max(0, hyphen - 40) : hyphen])
    stem = word.group().lower() if word else ""
    if len(stem) == 1 or (stem.endswith("socio") and _SOCIO.match(text, after)):
        return "-"  # e-mail, socio-sanitario
    return ""


def flow(text: str) -> str:
    """Canonical form of one block (paragraph, heading, item, row): a line break is a space."""
    text = normalise(text)
    return join_spaced(text.replace("\n\n", " ").replace("\n", " ")) if "\n" in text else text


def flatten(text: str) -> str:
    """Canonical form on one line: the form in which a quote and its original are compared."""
    return flow(text)
