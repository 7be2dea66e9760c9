"""Source → HTML page in the dress of a public site, or Markdown."""

from __future__ import annotations

from html import escape

from corpus.blocks import parser
from corpus.plain import expanded_body
from corpus.sources import Source

NAVIGATION = ("Amministrazione", "Novità", "Servizi", "Vivere il territorio", "Documenti e dati")
RELATED = ("Sportello sociale", "Modulistica", "Rubrica degli uffici", "Albo pretorio")

PAGE = """<!DOCTYPE html>
<html lang="it">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="description" content="{subject}">
<meta name="keywords" content="{keywords}">
<meta name="date" content="{date}">
<style>body{{font-family:sans-serif;max-width:60rem;margin:auto}}nav li{{display:inline}}</style>
</head>
<body>
<div id="cookie-banner" class="cookie-consent" role="dialog" aria-label="Informativa sui cookie">
<p>Questo sito usa cookie tecnici e, se lo permetti, cookie di statistica anonima.
Chiudendo l'avviso restano attivi solo quelli tecnici.</p>
<button type="button">Accetta tutti</button> <button type="button">Solo i necessari</button>
</div>
<header class="site-header">
<a class="skip" href="#contenuto">Vai al contenuto</a>
<p class="site-name">{site}</p>
<nav aria-label="Menu principale"><ul>
{navigation}
</ul></nav>
<p class="breadcrumb">Home / Aree tematiche / {title}</p>
</header>
<main id="contenuto">
<article>
{body}
<p class="date">Ultimo aggiornamento della pagina: {day}</p>
</article>
</main>
<aside class="sidebar">
<h2>Potrebbe interessarti</h2>
<ul>
{related}
</ul>
</aside>
<footer class="site-footer">
<p>{site}. Privacy, note legali, dichiarazione di accessibilità.</p>
<p>Seguici sui social. Iscriviti alla newsletter. Torna su.</p>
</footer>
</body>
</html>
"""


def _with_notice(source: Source, notice: str) -> str:
    heading, _, rest = expanded_body(source).partition("\n")
    return f"{heading}\n\n{notice}\n{rest}"


def _items(names: tuple[str, ...]) -> str:
    return "\n".join(f'<li><a href="#">{escape(name)}</a></li>' for name in names)


def render_html(source: Source) -> bytes:
    body = parser().render(_with_notice(source, f"**{source.notice}**\n"))
    year, month, day = source.date.split("-")
    return PAGE.format(
        title=escape(source.title),
        subject=escape(source.subject),
        keywords=escape(source.keywords),
        date=source.date,
        day=f"{day}/{month}/{year}",
        site=escape(source.site or "Sito dimostrativo del progetto piano"),
        navigation=_items(NAVIGATION),
        related=_items(RELATED),
        body=body.strip(),
    ).encode()


def render_markdown(source: Source) -> bytes:
    """Front matter (title, description, date, keywords), then the text with its notice."""
    front = (
        f"---\ntitle: {source.title}\ndescription: {source.subject}\ndate: {source.date}\n"
        f"keywords: {source.keywords}\n---\n\n"
    )
    return (front + _with_notice(source, f"> **{source.notice}**\n")).encode()
