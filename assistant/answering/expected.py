"""Whether a sentence holds the kind of thing a question asks for: a date, an amount, an act …"""

from __future__ import annotations

import re

from assistant.answering.question import Expected, Question, weak_terms
from assistant.answering.reading import Reading, Sentence
from assistant.italian.acronyms import expansions
from assistant.italian.analysis import fold, stem

_NUMERAL = re.compile(
    r"\d|\b(?:due|tre|quattro|cinque|sei|sette|otto|nove|dieci|undici|dodici|quindici|venti|trenta|"
    r"quaranta|cinquanta|cento|mille|nessun[oa]?|un[oa]? sol[oa]|met[aà]|terzo|quarto)\b",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"\d[\d ./\-]{5,}\d|[\w.\-]+@[\w\-]+\.\w+|www\.|https?://")
_AMOUNT = re.compile(
    r"€|\beuro\b|\bmilion[ei]\b|\bmld\b|\bmln\b|\bmiliard[oi]\b|\d{1,3}(?:\.\d{3})+|\d,\d",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(?:a|ad|in|nel|nella|nello|presso|sede|via|viale|piazza|salone|sala|comune di)\s+"
    r"(?:[a-zà-ù']+\s)?[A-ZÀ-Ý]"
)
_DATE = re.compile(
    r"\b(?:gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|"
    r"dicembre|(?:19|20)\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4})\b",
    re.IGNORECASE,
)
_ACT = re.compile(
    r"\b(?:legg[ei]|l\.?\s?r\.?|d\.?\s?g\.?\s?r|d\.?a\.?l|deliber\w+|decret\w+|d\.?\s?lgs|dm)\b"
    r"[^;]{0,60}?\d",
    re.IGNORECASE,
)


_WHO = re.compile(
    r"\b(?:Comun[ei]|Region[ei]|Aziend[ae]|Ausl|Agenzia|Uffici?o|Distrett[oi]|Unione|Giunta|"
    r"Assemblea|Comitato|Conferenza|Tavolo|Servizi?o?|Direttor[ei]|Sindac[io]|Università|Centro|"
    r"équipe|assistent[ei]|operator[ei]|infermier\w+|medic[io]|volontar\w+|facilitator[ei])\b"
)
_COUNTED = re.compile(r"\bquant[ie]\s+(\w{4,})")
_DEFINING = re.compile(
    r"\b(?:è|sono|indica|significa|raccoglie|riunisce|mette|serve|definisce)\b|[:(–—]"
)
_RECIPIENTS = re.compile(
    r"\b(?:destinatar|rivolt[oaie]\b|posson[oa]\b|diritto\b|spetta|beneficiar)",
    re.IGNORECASE,
)


def holds_expected(question: Question, sentence: Sentence, reading: Reading) -> bool:
    """Whether a sentence holds the kind of thing a question asks for; True for `any`."""
    text = sentence.text
    signs: dict[Expected, re.Pattern[str]] = {
        "number": _NUMERAL,
        "act": _ACT,
        "contact": _CONTACT,
        "place": _PLACE,
        "amount": _AMOUNT,
        "who": _WHO,
    }
    if question.expected == "date":
        # The years of the question are no answer to "when".
        return any(
            not (match.group().isdigit() and int(match.group()) in question.years)
            for match in _DATE.finditer(text)
        )
    if question.expected == "number" and not _counts(question, text, reading):
        return False
    if question.expected in signs:
        return bool(signs[question.expected].search(text))
    if question.expected == "list":
        return text.endswith(":") or text.count(",") + text.count(";") >= 2
    if question.expected == "definition":
        return _defines(question, sentence)
    if question.expected == "recipients":
        heading = reading.passage.section[-1] if reading.passage.section else ""
        return bool(_RECIPIENTS.search(text) or _RECIPIENTS.search(heading))
    return True


def _counts(question: Question, text: str, reading: Reading) -> bool:
    """Whether the thing counted ("quanti abitanti") stands in the sentence or in its titles.

    The word is compared by its letters but the last: its stem would take "abita" for "abitanti".
    """
    asked = _COUNTED.search(fold(question.text))
    if asked is None or stem(asked.group(1)) in weak_terms():
        return True
    return asked.group(1)[:-1] in fold(f"{text}\n{reading.titles}")


def _defines(question: Question, sentence: Sentence) -> bool:
    """Whether a sentence opens with what is to be defined, or says "È …" under its title."""
    subject = [term for term in question.terms if term not in weak_terms()]
    if not subject:
        return False
    meanings = [meaning for term in subject for meaning in expansions(term)]
    if meanings:
        return any(all(word in sentence.terms for word in meaning) for meaning in meanings)
    if re.match(r"(?:È|E'|Sono|Si tratta)\b", sentence.text):
        return True
    opening = sentence.terms[: len(subject) + 1]
    return all(term in opening for term in subject) and bool(_DEFINING.search(sentence.text[:160]))
