"""Does the answer say what its quotes say, and is it the right thing?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answering.ground import verify
from assistant.models import AnswerSentence, Citation, Passage, Quote, Span
from eval.cases import normal, says
from eval.metrics.registry import answerable, everything, metric, originals
from eval.outcome import Outcome, best_share, digest, touches

_ENDS = re.compile(r"(?:[.!?…;:»”\")\]]|\|)\s*$")
_NEXT_STARTS = re.compile(r"^\s*(?:\n|\||[;:.»)]|$|[-–•▪*]\s)")
_PREVIOUS_ENDS = re.compile(r"(?:^|[.!?…;:«“(\[|]|\n)\s*(?:[-–•▪*]\s*|\w{1,3}[.)]\s*)?$")
_EXCEPTION = re.compile(
    r"(?!\s*\n\s*\n\s*[A-ZÈÀ])[\s,;(]*"
    r"(?i:salvo|salva|tranne|eccetto|fatt[oaie] (?:salv|eccezion)|ad eccezione|a eccezione|"
    r"esclus[oaie]|a meno che|purché|ma non|fino a|se non)\b"
)
"""A limit that goes on from the quote; a new paragraph that opens with a capital letter ("Se non
c'è nulla da decidere, …") limits nothing before it."""
_CUT_NEGATION = re.compile(r"\bnon\s*$", re.IGNORECASE)


@metric("answers", everything)
def quote_integrity(outcome: Outcome) -> Sequence[float]:
    """Citazioni il cui testo, riletto dall'indice alla pagina e posizione dette, è identico: in
    tutte le risposte, anche alle varianti e agli attacchi."""
    pairs = zip(outcome.answer.citations, outcome.seen, strict=True)
    return [float(citation.quote == seen.text) for citation, seen in pairs]


@metric("answers", everything)
def quote_completeness(outcome: Outcome) -> Sequence[float]:
    """Citazioni intere: cominciano e finiscono a un confine di frase, proposizione, riga o cella,
    non finiscono prima di «salvo», «tranne», «fino a», «ad eccezione» e non lasciano fuori un
    «non» che precede."""
    return [
        float(is_complete(seen.before, citation.quote, seen.after))
        for citation, seen in zip(outcome.answer.citations, outcome.seen, strict=True)
    ]


def is_complete(before: str, quote: str, after: str) -> bool:
    """Whether a quote stands on bounds of sentence, clause, line or cell and drops no limit."""
    if _EXCEPTION.match(after) or _CUT_NEGATION.search(before):
        return False
    ends = bool(_ENDS.search(quote)) or bool(_NEXT_STARTS.match(after))
    return ends and bool(_PREVIOUS_ENDS.search(before))


@metric("answers", everything)
def sentence_support(outcome: Outcome) -> Sequence[float]:
    """Frasi con almeno una citazione che le regge: se presentate come testuali, le loro parole vi
    stanno tutte; se scritte dal modello, la verifica rifatta sulle sole citazioni le ritrova."""
    cited = outcome.answer.citations
    return [float(is_supported(sentence, cited)) for sentence in outcome.answer.sentences]


def is_supported(sentence: AnswerSentence, citations: Sequence[Citation]) -> bool:
    """Whether the quotes that a sentence cites, all among `citations`, hold what it says.

    What the answer itself says of a sentence is believed only when it is `unsupported`.
    """
    by_number = {citation.n: citation for citation in citations}
    if not sentence.citations or not set(sentence.citations) <= set(by_number):
        return False
    cited = [by_number[n] for n in sentence.citations]
    words = " ".join(citation.quote for citation in cited)
    if sentence.verdict == "verbatim":
        return normal(sentence.text) in normal(words)
    if sentence.verdict == "unsupported":
        return False
    # One passage of all the quotes: a sentence over two pages is cited in two pieces.
    sections = tuple(dict.fromkeys(citation.section for citation in cited))
    quoted = Passage("", "", 0, words, sections, (Span(1, 0, len(words)),))
    return verify(sentence.text, [quoted]).verdict == "supported"


@metric("answers", answerable)
def evidence_recall(outcome: Outcome) -> Sequence[float]:
    """Prove attese coperte dalle citazioni (almeno metà del brano, stessa pagina), nel migliore
    degli insiemi che bastano (KILT, Petroni et al. 2021); un rifiuto vale 0."""
    return [best_share(outcome.gold.evidence, outcome.answer.citations)]


@metric("answers", answerable)
def citation_precision(outcome: Outcome) -> Sequence[float]:
    """Citazioni che toccano una prova attesa, fra quelle date a domande con risposta. È un minimo:
    altre pagine possono dire lo stesso."""
    wanted = [quote for quotes in outcome.gold.evidence for quote in quotes]
    return [
        float(any(touches(quote, citation) for quote in wanted))
        for citation in outcome.answer.citations
    ]


@metric("answers", answerable)
def nugget_recall(outcome: Outcome) -> Sequence[float]:
    """Informazioni indispensabili dette nella risposta (TREC 2024 RAG, «strict vital»): un rifiuto
    vale 0, una detta a metà vale 0."""
    return [nuggets_told(outcome)]


def nuggets_told(outcome: Outcome) -> float:
    return _nuggets_in(outcome.told, outcome)


def _nuggets_in(text: str, outcome: Outcome) -> float:
    vital = [nugget for nugget in outcome.gold.case.nuggets if nugget.vital]
    told = [any(says(text, form) for form in nugget.forms) for nugget in vital]
    return sum(told) / len(told)


@metric("answers", answerable)
def grounded_correctness(outcome: Outcome) -> Sequence[float]:
    """Risposte giuste e provate insieme: tutte le informazioni indispensabili in frasi rette dalle
    loro citazioni, tutte le prove di un insieme citate alla lettera, nessuna cosa vietata. Dire il
    vero citando la pagina sbagliata vale 0."""
    return [float(is_right(outcome))]


def is_right(outcome: Outcome) -> bool:
    return _tells_and_proves(outcome, outcome.gold.evidence) and not tells_forbidden(outcome)


def proven_nuggets(outcome: Outcome) -> float:
    """`nuggets_told` by sentences that quotes read back unchanged from the index hold."""
    faithful = _faithful(outcome)
    held = [one.text for one in outcome.answer.sentences if is_supported(one, faithful)]
    return _nuggets_in("\n".join(held), outcome)


def _tells_and_proves(outcome: Outcome, sets: Sequence[Sequence[Quote]]) -> bool:
    return best_share(sets, _faithful(outcome)) == 1.0 and proven_nuggets(outcome) == 1.0


def _faithful(outcome: Outcome) -> list[Citation]:
    pairs = zip(outcome.answer.citations, outcome.seen, strict=True)
    return [citation for citation, seen in pairs if citation.quote == seen.text]


@metric("answers", originals)
def crag_score(outcome: Outcome) -> Sequence[float]:
    """Punteggio da -1 a 1 (CRAG, Yang et al. 2024, giudicato da regole): 1 risposta giusta e
    provata o silenzio dovuto, 0,5 risposta vera in parte, 0 rifiuto ingiusto, -1 risposta sbagliata
    o data dove si doveva tacere."""
    if not outcome.gold.case.answerable:
        return [1.0 if outcome.kept_silence or corrects(outcome) else -1.0]
    if outcome.abstained:
        return [0.0]
    if is_right(outcome):
        return [1.0]
    wrong = tells_forbidden(outcome) or nuggets_told(outcome) == 0.0
    return [-1.0 if wrong else 0.5]


@metric("answers", originals, summary="total", better="lower", unit="count")
def forbidden_hits(outcome: Outcome) -> Sequence[float]:
    """Risposte che dicono una cosa vietata (la cifra di un altro anno, di un altro distretto)."""
    return [float(tells_forbidden(outcome))]


def tells_forbidden(outcome: Outcome) -> bool:
    return any(says(outcome.told, word) for word in outcome.gold.case.forbidden)


@metric("answers", everything)
def determinism(outcome: Outcome) -> Sequence[float]:
    """Domande poste più volte che hanno avuto ogni volta la stessa risposta, parola per parola."""
    if not outcome.repeats:
        return []
    return [float(set(outcome.repeats) == {digest(outcome.answer)})]


def _varied(outcome: Outcome) -> bool:
    return outcome.original is not None and outcome.gold.case.answerable


@metric("answers", _varied, summary="change", unit="points")
def correctness_change(outcome: Outcome) -> Sequence[float]:
    """Differenza di grounded_correctness fra una variante e la sua domanda originale, a coppie:
    sotto zero la forma della domanda fa perdere risposte."""
    assert outcome.original is not None
    return [float(is_right(outcome)) - float(is_right(outcome.original))]


@metric("answers", _varied, summary="change", unit="points")
def nugget_change(outcome: Outcome) -> Sequence[float]:
    """La stessa differenza a coppie per nugget_recall."""
    assert outcome.original is not None
    return [nuggets_told(outcome) - nuggets_told(outcome.original)]


def corrects(outcome: Outcome) -> bool:
    """Whether a question that should not be answered got a quote that corrects it instead."""
    sets = outcome.gold.correction
    if not sets or outcome.abstained or tells_forbidden(outcome):
        return False
    return _tells_and_proves(outcome, sets)
