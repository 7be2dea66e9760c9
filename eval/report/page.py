"""The report of a run as one HTML page: no script, no network, Italian, printable.

Everything that comes from questions and documents is escaped: some of it is hostile on purpose. A
policy in the page forbids scripts and requests even so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from assistant.models import Citation, Quote
from eval.cases import says
from eval.compare import Comparison
from eval.gates import GateResult
from eval.metrics import METRICS, Metric, value
from eval.outcome import Outcome, RankedPage, covered_share
from eval.report.plots import Bar, bars, histogram
from eval.report.tables import (
    ABSENT,
    COLUMNS,
    TITLES,
    faults,
    figure,
    interval,
    shown,
    table_cells,
)
from eval.run import KeptPage, Run
from eval.score import ALL, Scores

WHOLE_PAGE = 2_500
"""Characters up to which a cited page is shown whole."""
AROUND = 700
SLICES = {
    "Per gruppo": ("operatore", "pianificatore", "formatore"),
    "Per categoria": (
        "fatto", "definizione", "elenco", "conteggio", "confronto", "piu_documenti", "seguito",
        "tabella", "record",
    ),
    "Domande senza risposta, per motivo": (
        "near_miss", "wrong_year", "wrong_district", "wrong_number", "wrong_region", "wrong_body",
        "absent_fact", "unclear", "out_of_scope",
    ),
    "Varianti, per cambiamento (differenza dalla domanda originale)": (
        "refusi", "senza_accenti", "maiuscole", "colloquiale", "prolissa", "inglese",
        "rumore-20", "rumore-40", "rumore-60", "rumore-80", "altro_argomento",
    ),
}  # fmt: skip
SHOWN_METRICS = {
    "Per gruppo": ("recall_at_5", "evidence_at_5", "grounded_correctness", "false_refusals"),
    "Per categoria": ("recall_at_5", "evidence_at_5", "grounded_correctness", "false_refusals"),
    "Domande senza risposta, per motivo": ("abstention_recall",),
    "Varianti, per cambiamento (differenza dalla domanda originale)": (
        "recall_at_5_change", "evidence_at_5_change", "correctness_change", "refusal_change",
    ),
}  # fmt: skip
_VERDICTS = {
    "better": "meglio",
    "worse": "peggio",
    "no difference shown": "differenza non dimostrata",
}
_STATUS = {
    "answered": "ha risposto",
    "partial": "ha risposto in parte",
    "not_found": "non ha trovato",
    "clarify": "ha chiesto di precisare",
    "out_of_scope": "ha detto che è fuori tema",
}
_STYLE = """
:root{color-scheme:light}body{font:1rem/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;
max-width:70rem;margin:0 auto;padding:1rem}h1,h2,h3{line-height:1.2}a{color:#0b4f8a}
:focus-visible{outline:3px solid #0b4f8a;outline-offset:2px}
.skip{position:absolute;left:-999px}.skip:focus{position:static}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:.5rem 0 1rem}
caption{text-align:left;font-weight:600;padding:.25rem 0}
th,td{border:1px solid #767676;padding:.2rem .5rem;text-align:right;vertical-align:top}
th,td.text{text-align:left}thead th{background:#eef2f5}
figure{margin:1rem 0}figcaption{font-weight:600}svg{width:100%;max-width:40rem;height:auto}
rect{fill:#0b4f8a}line{stroke:#1a1a1a}svg text{font-size:12px;fill:#1a1a1a}
details{border:1px solid #767676;border-radius:4px;margin:.4rem 0;padding:.3rem .6rem}
summary{cursor:pointer}.fault{color:#8a1c0b;font-weight:600}.fine{color:#1b5e20;font-weight:600}
blockquote{white-space:pre-wrap;border-left:4px solid #0b4f8a;margin:.5rem 0;padding:.2rem .8rem;
background:#f6f8fa;overflow-wrap:anywhere}mark{background:#ffe28a;color:#1a1a1a}
p,li{overflow-wrap:anywhere}
@media print{body{max-width:none}details{break-inside:avoid}details>*{display:block}
.skip,nav{display:none}}
"""


def html(
    run: Run,
    scores: Scores,
    *,
    reference_name: str = "",
    baseline: Mapping[str, Mapping[str, float]] | None = None,
    comparisons: Sequence[Comparison] = (),
    gates: Sequence[GateResult] = (),
    tables: Sequence[tuple[str, Sequence[Sequence[str]]]] = (),
) -> str:
    """The whole page; `tables` are further ones, a title and rows of cells, heads first."""
    by_metric = {one.metric: one for one in comparisons if one.n}
    judged = {o.gold.case.id: faults(o) for o in run.outcomes}
    body = [
        '<a class="skip" href="#contenuto">Vai al contenuto</a>',
        "<header><h1>Valutazione dell'assistente</h1>",
        f"<p>{len(run.outcomes)} domande, codice {_t(run.config['commit'])},"
        f" {_t(run.config['started'])}.</p></header>",
        '<nav aria-label="Parti del rapporto"><ul>'
        + "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in _PARTS)
        + "</ul></nav>",
        '<main id="contenuto">',
        _gates(gates),
        _scorecard(scores, by_metric, reference_name),
        _plots(run.outcomes),
        _slices(scores),
        "".join(_table(title, rows[0], rows[1:]) for title, rows in tables if rows),
        _questions(run, judged, baseline or {}),
        _config(run.config),
        "</main>",
    ]
    return (
        '<!doctype html><html lang="it"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Valutazione dell'assistente</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    )


_PARTS = (
    ("requisiti", "Requisiti"),
    ("misure", "Misure"),
    ("grafici", "Grafici"),
    ("parti", "Per gruppo, categoria, motivo e variante"),
    ("domande", "Domanda per domanda"),
    ("fatto-con", "Con che cosa è stata fatta"),
)


def _gates(gates: Sequence[GateResult]) -> str:
    if not gates:
        text = "<p>I requisiti non sono stati controllati: si controllano con «--gate».</p>"
        return _section("requisiti", "Requisiti", text)
    rows = [
        [
            one.gate,
            "rispettato" if one.passed else "NON rispettato",
            one.found,
            f"{one.why} {', '.join(one.questions)}".strip(),
        ]
        for one in sorted(gates, key=lambda one: one.passed)
    ]
    failed = sum(not one.passed for one in gates)
    caption = f"{failed} requisiti non rispettati su {len(gates)}"
    heads = ("requisito", "esito", "trovato", "perché")
    return _section("requisiti", "Requisiti", _table(caption, heads, rows))


def _scorecard(scores: Scores, changes: Mapping[str, Comparison], reference: str) -> str:
    parts = []
    if reference:
        parts.append(f"<p>Le differenze sono da: {_t(reference)}.</p>")
    for suite, title in TITLES.items():
        metrics = [METRICS[name] for name in scores.metrics if METRICS[name].suite == suite]
        if not metrics:
            continue
        heads = ["misura", *COLUMNS.values(), "intervallo 95%", "n", "che cosa conta"]
        if changes:
            heads.insert(-1, "differenza")
        rows = []
        for metric in metrics:
            cells = [*table_cells(metric, scores), metric.legend]
            if changes:
                cells.insert(-1, _change(changes.get(metric.name), metric))
            rows.append(cells)
        parts.append(_table(title, heads, rows))
        parts.append(_zero_failures(metrics, scores))
    return _section("misure", "Misure", "".join(parts))


def _zero_failures(metrics: Sequence[Metric], scores: Scores) -> str:
    """What "never" means after n questions: the exact upper bound of the share of failures."""
    lines = []
    for metric in metrics:
        found = scores.metrics[metric.name].get(ALL, ABSENT)
        if metric.unit != "share" or found.value is None or found.low is None:
            continue
        failures = found.value == 1.0 if metric.better == "higher" else found.value == 0.0
        if failures and found.high is not None:
            most = 1 - found.low if metric.better == "higher" else found.high
            lines.append(
                f"<li>{_t(metric.name)}: 0 errori in {found.n} casi di {found.clusters} domande,"
                f" cioè al massimo {_percent(most)} con fiducia del 95%.</li>"
            )
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _change(one: Comparison | None, metric: Metric) -> str:
    if one is None or one.difference is None:
        return "-"
    if not one.got_better and not one.got_worse:
        return "nessuna"
    return (
        f"{one.difference:+.3f}".replace(".", ",")
        + f" ({_VERDICTS[one.verdict]}, p {one.p_holm:.3f};".replace(".", ",")
        + f" meglio {len(one.got_better)}, peggio {len(one.got_worse)})"
    )


def _plots(outcomes: Sequence[Outcome]) -> str:
    originals = [outcome for outcome in outcomes if outcome.is_original]
    right = [(o, value("grounded_correctness", o)) for o in originals if o.gold.case.answerable]
    ends = Counter(
        "rifiutate" if o.abstained else "giuste e provate" if found else "sbagliate o in parte"
        for o, found in right
    )
    silent = [o for o in originals if not o.gold.case.answerable]
    kept = sum(o.abstained for o in silent)
    fates = [
        *(
            Bar(name, float(ends[name]), f"{ends[name]} di {len(right)}")
            for name in ("giuste e provate", "sbagliate o in parte", "rifiutate")
        ),
        Bar("silenzi dovuti", float(kept), f"{kept} di {len(silent)}"),
        Bar("silenzi mancati", float(len(silent) - kept), f"{len(silent) - kept} di {len(silent)}"),
    ]
    times = [outcome.ask_ms for outcome in originals]
    parts = [
        bars("Come sono finite le domande", "Esito delle domande originali", fates, "esito"),
        bars(
            "Taratura del silenzio",
            "Domande con risposta, per punteggio del primo brano: quota a cui è stato risposto",
            _calibration([o for o in originals if o.gold.case.answerable], answered=True),
            "punteggio del primo brano",
        ),
        bars(
            "Taratura del silenzio, domande senza risposta",
            "Domande senza risposta, per punteggio del primo brano: quota di silenzi",
            _calibration(silent, answered=False),
            "punteggio del primo brano",
        ),
        bars(
            "Tempi di risposta",
            "Millisecondi per risposta, a processo avviato",
            histogram(times, (0, 2, 4, 6, 8, 10, 15, 20, 50, 100), "risposte"),
            "millisecondi",
        ),
    ]
    return _section("grafici", "Grafici", "".join(parts))


def _calibration(outcomes: Sequence[Outcome], *, answered: bool) -> list[Bar]:
    """Fifths by the best hit's score: what was done with each."""
    scored = sorted(
        (outcome for outcome in outcomes if outcome.answer.hits),
        key=lambda outcome: outcome.answer.hits[0].score,
    )
    found = []
    for place in range(5):
        part = scored[place * len(scored) // 5 : (place + 1) * len(scored) // 5]
        if not part:
            continue
        done = sum(outcome.abstained is not answered for outcome in part)
        low, high = part[0].answer.hits[0].score, part[-1].answer.hits[0].score
        label = f"{low:.2f}-{high:.2f}".replace(".", ",")
        share = done / len(part)
        found.append(Bar(label, share, f"{_percent(share)} ({done} di {len(part)})"))
    return found


def _slices(scores: Scores) -> str:
    parts = []
    for title, names in SLICES.items():
        metrics = [METRICS[name] for name in SHOWN_METRICS[title] if name in scores.metrics]
        rows = []
        for name in names:
            cells = [scores.metrics[metric.name].get(name, ABSENT) for metric in metrics]
            if any(cell.n for cell in cells):
                texts = [
                    f"{shown(cell, metric)} ({interval(cell, metric)}, n {cell.n})"
                    for cell, metric in zip(cells, metrics, strict=True)
                ]
                rows.append([name, *texts])
        if rows:
            parts.append(_table(title, ["", *(metric.name for metric in metrics)], rows))
    return _section("parti", "Per gruppo, categoria, motivo e variante", "".join(parts))


def _questions(
    run: Run, judged: Mapping[str, Sequence[str]], baseline: Mapping[str, Mapping[str, float]]
) -> str:
    """Originals by category, those that went wrong first, each with its variants."""
    variants: dict[str, list[Outcome]] = {}
    for outcome in run.outcomes:
        if outcome.gold.case.variant_of:
            variants.setdefault(outcome.gold.case.variant_of, []).append(outcome)
    categories: dict[str, list[Outcome]] = {}
    for outcome in run.outcomes:
        if not outcome.gold.case.variant_of:
            categories.setdefault(outcome.gold.case.category, []).append(outcome)
    parts = []
    for category, outcomes in sorted(categories.items()):
        wrong = sum(bool(judged[outcome.gold.case.id]) for outcome in outcomes)
        parts.append(f"<h3>{_t(category)}: {wrong} da guardare su {len(outcomes)}</h3>")
        for outcome in sorted(outcomes, key=lambda o: not judged[o.gold.case.id]):
            own = variants.get(outcome.gold.case.id, [])
            parts.append(_question(run, outcome, judged, baseline, own))
    return _section("domande", "Domanda per domanda", "".join(parts))


def _question(
    run: Run,
    outcome: Outcome,
    judged: Mapping[str, Sequence[str]],
    baseline: Mapping[str, Mapping[str, float]],
    variants: Sequence[Outcome],
) -> str:
    case = outcome.gold.case
    found = judged[case.id]
    word = (
        f'<span class="fault">{_t(", ".join(found))}</span>'
        if found
        else '<span class="fine">bene</span>'
    )
    parts = [
        f'<details id="q-{_t(case.id)}"><summary>{_t(case.id)} · {_t(_short(case.question))}:'
        f" {word}</summary>"
    ]
    parts += [f"<p>Domanda di prima: {_t(_short(before))}</p>" for before in case.history]
    if case.filters:
        parts.append(f"<p>Filtri: {_t(str(case.filters))}</p>")
    if case.world:
        parts.append(f"<p>Posta alla raccolta «{_t(case.world)}».</p>")
    answer = outcome.answer
    parts.append(
        f"<p>L'assistente {_STATUS[answer.status]}, in {outcome.ask_ms:.0f} ms."
        f" Ha capito: «{_t(_short(answer.understood_as))}».</p>"
    )
    if outcome.error:
        parts.append(f'<p class="fault">{_t(outcome.error)}</p>')
    parts += [
        f"<p>{_t(sentence.text)} {_t(''.join(f'[{n}]' for n in sentence.citations))}</p>"
        for sentence in answer.sentences
    ]
    parts += [f"<p>Avviso: {_t(notice)}</p>" for notice in answer.notices]
    parts += [_cited(run.pages, citation) for citation in answer.citations]
    parts.append(_expected(outcome, run.pages))
    parts.append(_own_values(outcome, baseline.get(case.id)))
    if variants:
        lines = (
            f"<li>{_t(one.gold.case.change or '')}: «{_t(_short(one.gold.case.question))}»,"
            f" {_STATUS[one.answer.status]}"
            f"{_t(': ' + ', '.join(judged[one.gold.case.id]) if judged[one.gold.case.id] else '')}"
            "</li>"
            for one in variants
        )
        parts.append(f"<p>Varianti:</p><ul>{''.join(lines)}</ul>")
    parts.append("</details>")
    return "".join(parts)


def _cited(pages: Mapping[tuple[str, int], KeptPage], citation: Citation) -> str:
    page = pages.get((citation.document_id, citation.page))
    name = citation.source.replace("\\", "/").rsplit("/", 1)[-1]
    head = f"<p>[{citation.n}] {_t(citation.title)}, pagina {citation.page} ({_t(name)})</p>"
    if page is None:
        return head + '<p class="fault">La pagina citata non esiste.</p>'
    text, start, end = page.text, citation.start, citation.end
    whole = len(text) <= WHOLE_PAGE
    first = 0 if whole else max(0, start - AROUND)
    last = len(text) if whole else min(len(text), end + AROUND)
    before = ("" if first == 0 else "[…] ") + text[first:start]
    after = text[end:last] + ("" if last == len(text) else " […]")
    return (
        f"{head}<blockquote>{_t(before)}<mark>{_t(text[start:end])}</mark>{_t(after)}</blockquote>"
    )


def _expected(outcome: Outcome, pages: Mapping[tuple[str, int], KeptPage]) -> str:
    case = outcome.gold.case
    parts = []
    told = outcome.told
    if case.nuggets:
        lines = (
            f"<li>{'detta' if any(says(told, form) for form in nugget.forms) else 'NON detta'}"
            f"{'' if nugget.vital else ' (facoltativa)'}: {_t(' / '.join(nugget.forms))}</li>"
            for nugget in case.nuggets
        )
        parts.append(f"<p>Informazioni attese:</p><ul>{''.join(lines)}</ul>")
    said = [word for word in case.forbidden if says(told, word)]
    if said:
        parts.append(f'<p class="fault">Cose vietate dette: {_t(", ".join(said))}</p>')
    if case.abstain_reason:
        parts.append(f"<p>Doveva tacere: {_t(case.abstain_reason)}.</p>")
    sets = outcome.gold.evidence or outcome.gold.correction
    for number, quotes in enumerate(sets, start=1):
        lines = (_gold(quote, outcome, pages) for quote in quotes)
        title = "Prove attese" if outcome.gold.evidence else "Correzione ammessa"
        parts.append(f"<p>{title}, insieme {number} di {len(sets)}:</p><ul>{''.join(lines)}</ul>")
    return "".join(parts)


def _gold(quote: Quote, outcome: Outcome, pages: Mapping[tuple[str, int], KeptPage]) -> str:
    page = pages.get((quote.document_id, quote.page))
    title = page.title if page else quote.document_id[:12]
    ranked = outcome.ranked
    wanted = RankedPage(quote.document_id, quote.page)
    rank = (
        f"pagina trovata al posto {ranked.index(wanted) + 1}"
        if wanted in ranked
        else "pagina non trovata nei primi 10 brani"
    )
    cited = covered_share([quote], outcome.answer.citations) == 1.0
    return (
        f"<li>{'citata' if cited else 'NON citata'}, {rank}: «{_t(quote.text)}»"
        f" ({_t(title)}, pagina {quote.page})</li>"
    )


def _own_values(outcome: Outcome, before: Mapping[str, float] | None) -> str:
    rows = []
    for name, metric in METRICS.items():
        found = value(name, outcome)
        if found is None or metric.unit == "ms":
            continue
        cells = [name, figure(found, metric)]
        if before is not None:
            old = before.get(name)
            changed = "" if old is None or abs(old - found) < 1e-3 else " (cambiata)"
            cells.append("-" if old is None else figure(old, metric) + changed)
        rows.append(cells)
    heads = ["misura", "ora"] + ([] if before is None else ["riferimento"])
    return _table("Misure della domanda", heads, rows) if rows else ""


def _config(config: Mapping[str, Any]) -> str:
    rows: list[list[str]] = []
    for name, content in config.items():
        if isinstance(content, dict):
            rows += [
                [f"{name or '-'} · {key or 'documenti'}", str(item)]
                for key, item in content.items()
            ]
        else:
            rows.append([name, str(content)])
    table = _table("Impostazioni, raccolte, macchina", ("nome", "valore"), rows)
    return _section("fatto-con", "Con che cosa è stata fatta", table)


def _section(name: str, title: str, content: str) -> str:
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>{content}</section>'


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{_t(cell)}</th>' for cell in heads)
    lines = []
    for row in rows:
        first, *others = row
        cells = "".join(
            f"<td{' class=text' if len(cell) > 16 else ''}>{_t(cell)}</td>" for cell in others
        )
        lines.append(f'<tr><th scope="row">{_t(first)}</th>{cells}</tr>')
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{_t(caption)}"><table>'
        f"<caption>{_t(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _t(text: str) -> str:
    """Escaped, and without the control characters that HTML forbids."""
    shown = "".join(letter if letter >= " " or letter == "\n" else "\ufffd" for letter in text)
    return escape(shown)


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:300] + "…"


def _percent(share: float) -> str:
    return f"{share * 100:.1f}%".replace(".", ",")
