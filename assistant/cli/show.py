"""Answers and hits as a person reads them in a terminal, and JSON as a program does."""

from __future__ import annotations

import json
import re
from typing import Any

from assistant.models import Answer, Citation, SearchResult, Understood

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What could move the cursor, colour the screen or turn the text round in a terminal."""


def dump(value: dict[str, Any]) -> str:
    """One line of JSON, in letters where UTF-8 can hold them."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    # Half a surrogate pair, in an `id` to be told back, exists only as an escape.
    return text if text.isascii() or _encodes(text) else json.dumps(value, allow_nan=False)


def plain(text: str) -> str:
    """`text` without what a terminal would obey: questions and documents are hostile."""
    return _CONTROLS.sub("\ufffd", text)


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def answer_text(answer: Answer) -> str:
    lines: list[str] = []
    if answer.understood_as != answer.question.strip():
        lines += [f"Ho capito: {answer.understood_as}"]
    lines += _read_as(answer.understood)
    if lines:
        lines.append("")
    titles = {
        "not_found": "Non l'ho trovato nei documenti.",
        "clarify": "Ho bisogno di una precisazione.",
        "out_of_scope": "Questa domanda non riguarda i documenti.",
        "partial": "Risposta parziale:",
    }
    if answer.status in titles:
        lines += [titles[answer.status]]
    for sentence in answer.sentences:
        marks = "".join(f"[{n}]" for n in sentence.citations)
        lines.append(f"{sentence.text} {marks}")
    if answer.citations:
        lines += ["", "Fonti"]
    for item in answer.citations:
        label = f" (n. stampato {item.printed_label})" if item.printed_label else ""
        section = f" — {item.section}" if item.section else ""
        lines.append(f"[{item.n}] {item.title}, pagina {item.page}{label}{section}{_ocr(item)}")
        lines.append(f"    {item.source}")
    if not answer.sentences and answer.hits:
        lines += ["", "Pagine più vicine (non sono una risposta):"]
        lines += [f"- {hit.title}, pagina {hit.page} ({hit.source})" for hit in answer.hits[:3]]
    if answer.notices:
        lines += ["", *(f"Nota: {notice}" for notice in answer.notices)]
    if also := _also(answer.understood):
        lines += ["", *also]
    return plain("\n".join(lines))


def _ocr(citation: Citation) -> str:
    if citation.ocr_confidence is None:
        return ""
    return f" — riconoscimento ottico, confidenza {citation.ocr_confidence:.0f}%"


def _read_as(understood: Understood) -> list[str]:
    """What was searched in place of the words."""
    lines = [f"Ho letto «{written}» come «{read}»" for written, read in understood.corrections]
    if understood.translated:
        lines.append(f"Ho cercato in italiano: {understood.translated}")
    return lines


def _also(understood: Understood) -> list[str]:
    """What was searched or preferred besides."""
    lines = []
    if understood.also_searched:
        lines.append(f"Ho cercato anche: {', '.join(understood.also_searched)}")
    if understood.pins:
        pins = ", ".join(f"{pin.key} {pin.label}" for pin in understood.pins)
        keys = dict.fromkeys(pin.key for pin in understood.pins)
        options = " ".join(f"--ignora {key}" for key in keys)
        lines.append(f"Preferisco: {pins} ({options} per non farlo)")
    return lines


def search_text(result: SearchResult) -> str:
    lines = _read_as(result.understood)
    if not result.hits:
        lines.append("Nessun passo trovato.")
    for hit in result.hits:
        passage = hit.passage
        section = f" — {' › '.join(passage.section)}" if passage.section else ""
        lines.append(f"{hit.rank}. {hit.document.title}, pagina {passage.page_start}{section}")
        text = " ".join(passage.text.split())
        lines.append(f"   {text[:300]}{'…' if len(text) > 300 else ''}")
    lines += [f"Nota: {notice}" for notice in result.notices]
    if also := _also(result.understood):
        lines += ["", *also]
    return plain("\n".join(lines))
