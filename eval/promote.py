"""What users reported as wrong, written as golden questions to be completed by a person.

A candidate says what is missing (`"da_completare"`), and the loader refuses it until a person has
found the evidence and taken that field away: nobody's complaint becomes gold by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assistant.conversations import Reported
from assistant.models import FeedbackReason

TO_COMPLETE: dict[FeedbackReason, str] = {
    "pagina_sbagliata": "cerca la pagina giusta e mettila in evidence, con nuggets",
    "incompleta": "completa evidence (qui ciò che fu citato) e nuggets con ciò che mancava",
    "non_trovata": "cerca la risposta: se c'è, evidence e nuggets; se no, answerable false e"
    " abstain_reason",
    "errata": "metti in forbidden ciò che era sbagliato, in evidence e nuggets ciò che è giusto",
}
"""Reasons that make a candidate, and what a person must do about each."""


def candidate(reported: Reported) -> dict[str, Any]:
    """A golden line with what is known, in the order of eval/golden."""
    answer = reported.answer
    line: dict[str, Any] = {
        "id": f"fb-{reported.feedback.id[:8]}",
        "question": answer.question,
        "group": "operatore",
        "category": "seguito" if reported.history else "fatto",
        "answerable": True,
        "worded": "topic",
    }
    if reported.feedback.reason == "incompleta":
        line["evidence"] = [
            [
                {
                    "document": citation.source.replace("\\", "/").rsplit("/", 1)[-1],
                    "page": citation.page,
                    "quote": citation.quote,
                }
                for citation in answer.citations
            ]
        ]
    if reported.history:
        line["history"] = list(reported.history)
    comment = f" (commento: {reported.feedback.comment})" if reported.feedback.comment else ""
    line["da_completare"] = TO_COMPLETE[reported.feedback.reason] + comment
    return line


def promote(reported: Iterable[Reported], out: Path) -> int:
    """Add the candidates that `out` does not hold yet; how many were added."""
    text = out.read_text(encoding="utf-8") if out.exists() else ""
    there = {json.loads(line)["id"] for line in text.split("\n") if line.strip()}
    lines = [candidate(one) for one in reported if one.feedback.reason in TO_COMPLETE]
    new = [line for line in lines if line["id"] not in there]
    if new:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in new)
    return len(new)
