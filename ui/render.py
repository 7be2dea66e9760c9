"""Answers, citations, pages as HTML: pure functions that escape what comes in.

Text of documents is hostile: it may hold HTML, Markdown, or addresses of images that would tell
another site who is reading. So it goes into HTML that is escaped here (Streamlit's `st.html`), or,
where a label must be Markdown, through `plain`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePath
from urllib.parse import quote, urlencode

from assistant.models import Answer, AnswerHit, AnswerSentence, Citation, DocumentPage, Understood

KINDS = {
    "piano": "Piano",
    "scheda": "Scheda attuativa",
    "linea_guida": "Linea guida",
    "piano_di_zona": "Piano di zona",
    "atto": "Atto",
    "pagina": "Pagina web",
    "altro": "Altro",
}
SILENCES = {
    "not_found": "Nessuna risposta nei documenti.",
    "clarify": "Mi serve un chiarimento.",
    "out_of_scope": "Questa domanda non riguarda i documenti.",
}
DEMONSTRATION = '<span class="badge">documento dimostrativo</span>'
AROUND = 400
"""Characters of the page shown on each side of a quote."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$^=&])")
_LINKS = re.compile(r"(www|[:@])(?=\S)", re.IGNORECASE)
_JOINER = "\u2060"
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_COMMAND = re.compile(r"`([^`\n]+)`")


def plain(text: str) -> str:
    """Text for a Markdown label that shows as it is: no link, image, formula, colour or emoji.

    Marks of direction go: in a label they would turn round the words after them.
    """
    joined = _LINKS.sub(rf"\1{_JOINER}", " ".join(_DIRECTIONS.sub("", text).split()))
    return _MARKDOWN.sub(r"\\\1", joined)


def told(text: str) -> str:
    """A message of ours as Markdown: `commands` between backquotes stand out, the rest is plain."""
    parts = _COMMAND.split(text)
    shown = [f"`{part}`" if number % 2 else _spaced(part) for number, part in enumerate(parts)]
    return "".join(shown).strip()


def _spaced(text: str) -> str:
    """`plain`, with the spaces at both ends kept as one."""
    before = " " if text[:1].isspace() else ""
    after = " " if text[-1:].isspace() else ""
    return before + plain(text) + after if text.strip() else before


def answer_html(answer: Answer, api: str) -> str:
    """What was understood, the sentences with their numbered citations, or a typed silence."""
    parts = []
    if " ".join(answer.understood_as.split()) != " ".join(answer.question.split()):
        parts.append(f'<p class="understood">Ho capito: «{escape(answer.understood_as)}»</p>')
    parts += [f'<p class="understood">{escape(line)}</p>' for line in _read_as(answer.understood)]
    if answer.status in SILENCES:
        parts.append(f'<p class="silence">{SILENCES[answer.status]}</p>')
    if answer.status == "partial":
        parts.append('<p class="silence">Ho trovato solo una parte della risposta.</p>')
    parts.append(sentences_html(answer.sentences, answer.citations, api))
    parts += [f'<div class="notice" role="note">{escape(n)}</div>' for n in answer.notices]
    return f'<div class="answer complete" lang="it">{"".join(parts)}</div>'


def _read_as(understood: Understood) -> list[str]:
    """What was searched in place of the words."""
    lines = [f"Ho letto «{written}» come «{read}»" for written, read in understood.corrections]
    if understood.translated:
        lines.append(f"Ho cercato in italiano: «{understood.translated}»")
    return lines


def question_html(question: str) -> str:
    return f'<p class="question">{escape(question.strip()) or "…"}</p>'


def sentences_html(
    sentences: Sequence[AnswerSentence], citations: Sequence[Citation], api: str
) -> str:
    """A paragraph each; a number leads to the quote in its printable page, once it is known."""
    known = {citation.n: citation for citation in citations}
    invented = {citation.n for citation in citations if citation.demonstration}
    return "".join(
        f"<p><bdi>{escape(sentence.text)}</bdi> {_numbers(sentence.citations, known, api)}"
        f"{' ' + DEMONSTRATION if invented & set(sentence.citations) else ''}</p>"
        for sentence in sentences
    )


def citation_label(citation: Citation) -> str:
    """The heading of a citation, as a Markdown label."""
    ocr = citation.ocr_confidence
    marked = f" ({recognised(ocr)})" if ocr is not None else ""
    where = _page(citation.page, citation.printed_label)
    return plain(f"[{citation.n}] {citation.title}, {where}{marked}")


def citation_html(citation: Citation, page: DocumentPage | None, api: str) -> str:
    """Where the quote stands, and the quote marked in its page; `page` None is a lost page."""
    facts = [KINDS.get(citation.kind, citation.kind)]
    if citation.distretto:
        facts.append(f"Distretto {citation.distretto}")
    if citation.year:
        facts.append(str(citation.year))
    facts.append(_page(citation.page, citation.printed_label))
    if citation.ocr_confidence is not None:
        facts.append(recognised(citation.ocr_confidence))
    badge = f" {DEMONSTRATION}" if citation.demonstration else ""
    section = (
        f'<p class="where">Sezione: {escape(citation.section)}</p>' if citation.section else ""
    )
    address = page_address(
        api, citation.document_id, citation.page, start=citation.start, end=citation.end
    )
    return (
        f'<div class="citation" lang="it"><p><strong>{escape(citation.title)}</strong>{badge}</p>'
        f'<p class="where">{escape(" · ".join(facts))}</p>{section}'
        f"{_quote_in_page(citation, page)}"
        f"<p>{_link(address, 'Apri la pagina intera, stampabile')}</p>"
        f'<p class="where">Fonte: {escape(_source(citation.source))}</p></div>'
    )


def closest_html(hits: Sequence[AnswerHit], api: str) -> str:
    """Pages near the question, said not to be an answer."""
    items = "".join(
        f"<li>{_link(page_address(api, hit.document_id, hit.page), _hit_title(hit))}</li>"
        for hit in _first_by_page(hits)
    )
    return (
        '<div class="answer" lang="it"><p class="where">Le pagine più vicine alla domanda. '
        f"<strong>Non sono una risposta</strong>:</p><ul>{items}</ul></div>"
    )


def page_address(
    api: str, document_id: str, page: int, *, start: int | None = None, end: int | None = None
) -> str:
    """The printable page, opened at the quote when there is one."""
    address = f"{api}/documenti/{quote(document_id, safe='')}/pagine/{page}"
    if start is None or end is None:
        return address
    return f"{address}?{urlencode({'start': start, 'end': end})}#citazione"


def page_html(page: DocumentPage) -> str:
    text = escape(page.text) if page.text.strip() else "<em>Questa pagina non ha testo.</em>"
    return (
        f'<div class="context whole" tabindex="0" role="region" aria-label="Testo della pagina" '
        f'lang="it">{text}</div>'
    )


def _quote_in_page(citation: Citation, page: DocumentPage | None) -> str:
    if page is None or page.text[citation.start : citation.end] != citation.quote:
        reason = (
            "La pagina non è più fra i documenti"
            if page is None
            else "Il testo della pagina è cambiato"
        )
        return (
            f'<div class="notice" role="note">{reason}: queste sono le parole citate allora.</div>'
            f'<div class="context"><mark>{escape(citation.quote)}</mark></div>'
        )
    text = page.text
    first = _word_edge(text, max(0, citation.start - AROUND))
    last = min(len(text), citation.end + AROUND)
    while last < len(text) and not text[last].isspace():
        last += 1
    before = '<span class="cut">[…] </span>' if first > 0 else ""
    after = '<span class="cut"> […]</span>' if last < len(text) else ""
    return (
        f'<div class="context" tabindex="0" role="region" aria-label="La citazione nella pagina">'
        f"{before}{escape(text[first : citation.start])}"
        f"<mark>{escape(citation.quote)}</mark>{escape(text[citation.end : last])}{after}</div>"
    )


def _word_edge(text: str, position: int) -> int:
    """The beginning of the word at `position`."""
    while position > 0 and not text[position - 1].isspace():
        position -= 1
    return position


def _numbers(numbers: Sequence[int], known: Mapping[int, Citation], api: str) -> str:
    shown = []
    for n in numbers:
        citation = known.get(n)
        if citation is None:
            shown.append(f'<span class="n">[{n}]</span>')
            continue
        address = page_address(
            api, citation.document_id, citation.page, start=citation.start, end=citation.end
        )
        hint = f"Citazione {n}: {citation.title}, {_page(citation.page, citation.printed_label)}"
        shown.append(_link(address, f"[{n}]", hint=hint))
    return f"<sup>{''.join(shown)}</sup>" if shown else ""


def _link(address: str, text: str, *, hint: str = "") -> str:
    """A link that opens in a new window, as its accessible name says."""
    name = f"{hint or text} (si apre in un'altra finestra)"
    title = f' title="{escape(hint)}"' if hint else ""
    return (
        f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer"{title} '
        f'aria-label="{escape(name)}">'
        f"{escape(text)}</a>"
    )


def recognised(confidence: float) -> str:
    """How a text that was recognised in an image is marked; the confidence is 0-100."""
    return f"riconoscimento ottico, confidenza {confidence:.0f}%"


def _page(number: int, label: str | None) -> str:
    printed = f" (stampata: {label})" if label and label != str(number) else ""
    return f"pagina {number}{printed}"


def _hit_title(hit: AnswerHit) -> str:
    return f"{hit.title or _source(hit.source)}, pagina {hit.page}"


def _source(source: str) -> str:
    """A web address whole, a file by its name: folders say nothing to who reads."""
    return source if "://" in source else PurePath(source).name


def _first_by_page(hits: Sequence[AnswerHit], limit: int = 5) -> list[AnswerHit]:
    first: dict[tuple[str, int], AnswerHit] = {}
    for hit in hits:
        first.setdefault((hit.document_id, hit.page), hit)
    return list(first.values())[:limit]
