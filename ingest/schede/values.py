"""Short fields as typed values: areas, target groups, capofila, ambito, continuity."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.italian.distretti import fold_name
from assistant.record_models import (
    Ambito,
    AmbitoKind,
    Area,
    Capofila,
    CapofilaKind,
    Continuity,
    Target,
)
from ingest.schede.flow import Flow

_LIST_BREAK = re.compile(r"[;,\n•]|\s/\s")
_AREA = re.compile(r"(?<![\w'/.-])(?P<letter>[A-E])(?![\w'.]|\.\w)(?P<paren>\))?")
_LETTERS_CHARS = 40
"""A longer field of areas is more than letters."""
_AREA_OPENS = re.compile(r"(?:^|[;,/+&\n(]|\b(?:e|ed|[Aa]re[ae]|AREE?A?)|[-–])\s*$")
_AREA_CLOSES = re.compile(r"\s*(?:$|[;,/+&\n):.|]|[-–—=]|(?:e|ed)\s|[A-ZÀ-Ý«\"(])")
_KINDS: tuple[tuple[CapofilaKind, str], ...] = (
    ("unione", r"union[ei]\b|nuovo circondario"),
    ("ausl", r"\ba ?u ?s ?l\b|azienda (?:usl|u s l|sanitaria|unita sanitaria)|\busl\b|\basl\b"),
    ("asp", r"\basp\b|azienda (?:pubblica )?(?:di )?servizi alla persona"),
    ("comune", r"\bcomun[ei]\b|\bmunicipio\b"),
)
_BARE_KIND = re.compile(
    r"(?:unione|unioni|comune|comuni|unione (?:di|dei) comuni|ausl|azienda usl|asp|altro"
    r"|altro soggetto|altro ente|comune o unione)"
)
_AMBITI: tuple[tuple[AmbitoKind, str], ...] = (
    ("sub-distrettuale", r"sub[\s-]*distrettual[ei]|infra[\s-]*distrettual[ei]"),
    ("sovra-distrettuale", r"(?:sovra|sopra|inter)[\s-]*distrettual[ei]"),
    ("distrettuale", r"(?:intero\s+|tutto\s+il\s+|l'intero\s+)?(?:distrettual[ei]|distretto)"),
)
_CHECKED = re.compile(
    r"(?:[☒☑✓✔✗✘■]|\[\s*[xX]\s*\]|\(\s*[xX]\s*\))\s*(?P<after>s[iì]|no)\b", re.IGNORECASE
)
_BOXES = re.compile(r"[☐☒☑□■✓✔✗✘]|\[\s*[xX]?\s*\]")


def read_areas(flow: Flow) -> tuple[Area, ...]:
    """Each area with its letter; its name alone when no letter is printed."""
    text = flow.text
    if not text.strip():
        return ()
    if _only_letters(text.strip()):
        return tuple(
            Area(match.group().upper(), match.group(), flow.quotes(*match.span()))
            for match in re.finditer(r"(?<![a-zA-Z])(?:[A-E]|[a-d]|e(?=\s*$))(?![a-zA-Z])", text)
        )
    found = [match for match in _AREA.finditer(text) if _is_letter(text, match)]
    if not found:
        return tuple(
            Area(None, words, flow.quotes(start, end)) for words, start, end in _items(flow)
        )
    areas: list[Area] = []
    seen: set[str] = set()
    for at, match in enumerate(found):
        end = found[at + 1].start() if at + 1 < len(found) else len(text)
        words = text[match.start() : end].rstrip(" \n;,/+&(-")
        words = re.sub(r"[\s;,/+&(](?:e|ed|[Aa]re[ae])$", "", words).rstrip(" \n;,/+&(-")
        if match["letter"] not in seen:
            seen.add(match["letter"])
            quotes = flow.quotes(match.start(), match.start() + len(words))
            areas.append(Area(match["letter"], " ".join(words.split()), quotes))
    return tuple(areas)


def _only_letters(text: str) -> bool:
    """Whether a text is "A, C", "a/c", "Aree B-E": in it small letters count too."""
    words = re.findall(r"[^\W_]+", re.sub(r"(?i)^aree?\b", "", text))
    marks = re.sub(r"[\w\s,;/+&.-]", "", text)
    return (
        len(text) <= _LETTERS_CHARS
        and bool(words)
        and not marks
        and all(len(word) == 1 and word in "abcdeABCDE" for word in words)
    )


def _is_letter(text: str, match: re.Match[str]) -> bool:
    opens = _AREA_OPENS.search(text[max(0, match.start() - 12) : match.start()])
    if not opens and text[match.start() - 1] == " ":
        # A cell loses its line breaks: "A - Prossimità C - Autonomia".
        return bool(re.match(r"\s+[-–—]\s+[A-ZÀ-Ý]", text[match.end() :]))
    return bool(opens and (match["paren"] or _AREA_CLOSES.match(text, match.end())))


def read_targets(flow: Flow) -> tuple[Target, ...]:
    return tuple(Target(words, flow.quotes(start, end)) for words, start, end in _items(flow))


def _items(flow: Flow) -> Iterator[tuple[str, int, int]]:
    """The pieces of a list, commas in parentheses left alone."""
    text = flow.text
    edges = [match.span() for match in _LIST_BREAK.finditer(text)]
    depth = [0]
    for char in text:
        depth.append(max(0, depth[-1] + (char == "(") - (char == ")")))
    start = 0
    for low, high in [*edges, (len(text), len(text))]:
        if depth[low] or (text[low:high] == "\n" and text[high : high + 1].islower()):
            continue
        piece = text[start:low]
        words = piece.strip(" \n-–•·.")
        if words:
            first = start + piece.find(words)
            yield " ".join(words.split()), first, first + len(words)
        start = high


def read_capofila(field: Flow, detail: Flow) -> Capofila | None:
    name, more = (" ".join(flow.text.split()).rstrip(" ;,") for flow in (field, detail))
    if not name and not more:
        return None
    kind = _capofila_kind(name) or _capofila_kind(more) or "altro"
    # The form may ask for the kind in one field and for the name in the other.
    if more and (not name or _BARE_KIND.fullmatch(fold_name(name))):
        name = more
    return Capofila(name, kind, more, (*field.quotes(), *detail.quotes()))


def _capofila_kind(words: str) -> CapofilaKind | None:
    """What the first body named in the words is."""
    folded = fold_name(words)
    places = [
        (match.start(), kind)
        for kind, pattern in _KINDS
        if (match := re.search(pattern, folded)) is not None
    ]
    return min(places)[1] if places else None


def read_ambito(flow: Flow) -> Ambito | None:
    words = " ".join(flow.text.split())
    if not words:
        return None
    for kind, pattern in _AMBITI:
        if found := re.search(rf"(?:^|[^\w-]){pattern}(?!\w)", words, re.IGNORECASE):
            rest = words[: found.start()] + " " + words[found.end() :]
            rest = re.sub(r"(?i)^\s*(?:ambito|livello|territorio)\s+", "", rest)
            detail = rest.strip(" ():,;.–-—\n")
            if rest.strip().endswith(")") and detail.count("(") > detail.count(")"):
                detail += ")"
            return Ambito(kind, detail, words, flow.quotes())
    return Ambito(None, "", words, flow.quotes())


def read_continuity(flow: Flow) -> Continuity | None:
    words = " ".join(flow.text.split())
    if not words:
        return None
    value: bool | None = None
    checked = _CHECKED.findall(words)
    if len(checked) == 1:
        value = not checked[0].lower().startswith("n")
    elif not _BOXES.search(words):
        first = re.match(r"(s[iìí]'?|no)(?![\w/])(?!\s*/)", words, re.IGNORECASE)
        if first:
            value = not first[1].lower().startswith("n")
    return Continuity(value, words, flow.quotes())
