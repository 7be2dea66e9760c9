"""Pieces of HTML. Whatever comes from a question or a document passes through `esc`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Html(str):
    """Markup already made: `table` and `cell` leave it as it is."""

    __slots__ = ()


def esc(text: object) -> str:
    """Text for an element or a quoted attribute; what HTML cannot hold becomes U+FFFD."""
    written = escape(_UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", str(text)), quote=True)
    return written.replace("\r", "&#13;")  # a parser would make it a newline


def cell(content: object) -> str:
    return str(content) if isinstance(content, Html) else esc(content)


def table(caption: str, heads: Sequence[object], rows: Sequence[Sequence[object]]) -> Html:
    """The first cell of a row names it. Scrolls by itself when wider than the screen."""
    head = "".join(f'<th scope="col">{cell(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{cell(row[0])}</th>'
        + "".join(f"<td>{cell(one)}</td>" for one in row[1:])
        + "</tr>"
        for row in rows
    )
    return Html(
        f'<div class="wide" role="region" tabindex="0" aria-label="{esc(caption)}"><table>'
        f"<caption>{esc(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def definitions(pairs: Sequence[tuple[object, object]]) -> Html:
    told = "".join(f"<dt>{cell(name)}</dt><dd>{cell(value)}</dd>" for name, value in pairs)
    return Html(f"<dl>{told}</dl>")


def items(lines: Sequence[object], kind: str = "") -> Html:
    name = f' class="{kind}"' if kind else ""
    return Html(f"<ul{name}>" + "".join(f"<li>{cell(one)}</li>" for one in lines) + "</ul>")


def anchor(question: str) -> str:
    """The id of a question's place in the page, whatever characters its own id has."""
    return "q-" + re.sub(r"[^A-Za-z0-9.-]", lambda found: f"_{ord(found[0]):x}_", question)


def link(question: str) -> Html:
    return Html(f'<a href="#{anchor(question)}">{esc(question)}</a>')
