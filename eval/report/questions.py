"""Question by question: what was asked, told, cited and expected, with the pages' own text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from assistant.models import Citation, Quote
from eval.cases import says
from eval.metrics import METRICS, value
from eval.outcome import Outcome, RankedPage, covered_share, touches
from eval.report.markup import Html, anchor, definitions, esc, items, link, table
from eval.report.tables import faults, figure, shortened, signed
from eval.run import KeptPage

WHOLE_PAGE = 2500
"""Characters up to which a page is shown whole."""
AROUND = 700
"""Characters shown on each side of a quote on a longer page."""
CUT = "[…]"
PLACES = 4
"""Decimals that a baseline keeps."""
STATUSES = {
    "answered": "risposta data",
    "partial": "risposta in parte",
    "not_found": "silenzio: non trovato",
    "clarify": "chiede un chiarimento",
    "out_of_scope": "silenzio: fuori tema",
}
VERDICTS = {"verbatim": "testuale", "supported": "sostenuta", "unsupported": "senza appoggio"}

Values = Mapping[str, Mapping[str, float]]
Pages = Mapping[tuple[str, int], KeptPage]


class Change(NamedTuple):
    metric: str
    before: float
    after: float
    better: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with what there is to say of it at a glance."""

    outcome: Outcome
    faults: tuple[str, ...]
    values: Mapping[str, float]
    changes: tuple[Change, ...]
    followers: tuple[Outcome, ...] = ()
    """Variants of it that went the same way: they have no place of their own."""

    @property
    def id(self) -> str:
        return self.outcome.gold.case.id

    @property
    def words(self) -> tuple[str, ...]:
        """How it went, never by colour alone."""
        worse = any(not change.better for change in self.changes)
        better = any(change.better for change in self.changes)
        moved = "in parte peggio" if worse and better else "peggiorata" if worse else "migliorata"
        tags = ["sbagliata" if self.faults else "a posto"]
        return (*tags, moved) if worse or better else tuple(tags)


def entries(outcomes: Sequence[Outcome], values: Values, baseline: Values | None) -> list[Entry]:
    """Those that went wrong first, then those that changed, then in the order asked."""
    followers: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if _went_as_original(outcome):
            followers.setdefault(outcome.gold.case.source_id, []).append(outcome)
    kept = [
        Entry(
            outcome,
            tuple(wrongs(outcome)),
            values.get(outcome.gold.case.id, {}),
            changes(values, baseline or {}, outcome.gold.case.id),
            tuple(followers.get(outcome.gold.case.id, ())),
        )
        for outcome in outcomes
        if not _went_as_original(outcome)
    ]
    return sorted(kept, key=lambda one: (not one.faults, not one.changes))


def wrongs(outcome: Outcome) -> list[str]:
    """Its faults, and for a variant that it did worse than the question it comes from."""
    found = faults(outcome)
    if any((moved < 0) == (METRICS[name].better == "higher") for name, moved in _moved(outcome)):
        found.append("peggio della domanda originale")
    if value("topic_change_kept", outcome) == 0:
        found.append("confusa da ciò che veniva prima")
    return found


def changes(values: Values, baseline: Values, question: str) -> tuple[Change, ...]:
    """What moved from the baseline in one question; times never count."""
    ours, theirs = values.get(question, {}), baseline.get(question, {})
    found = []
    for name, after in ours.items():
        metric = METRICS[name]
        if name not in theirs or metric.unit == "ms":
            continue
        moved = round(after, PLACES) - round(theirs[name], PLACES)
        if moved:
            found.append(
                Change(name, theirs[name], after, (moved > 0) == (metric.better == "higher"))
            )
    return tuple(found)


def by_category(found: Iterable[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in found:
        groups.setdefault(entry.outcome.gold.case.category, []).append(entry)
    return dict(sorted(groups.items()))


def index(groups: Mapping[str, Sequence[Entry]]) -> str:
    parts = []
    for category, members in groups.items():
        wrong = sum(bool(entry.faults) for entry in members)
        links = [
            Html(f"{link(entry.id)} ({esc(', '.join(entry.words))})")
            if entry.faults or entry.changes
            else link(entry.id)
            for entry in members
        ]
        parts.append(
            f"<details><summary>{esc(category)}: sbagliate {wrong}"
            f" su {len(members)}</summary>{items(links, 'ids')}</details>"
        )
    return "".join(parts)


def question(entry: Entry, pages: Pages) -> str:
    outcome, case = entry.outcome, entry.outcome.gold.case
    tags = "".join(
        f'<span class="tag {"bad" if word in _BAD else "plain"}">{esc(word)}</span> '
        for word in entry.words
    )
    about: list[tuple[object, object]] = [("Domanda", Html(f"<q>{esc(case.question)}</q>"))]
    if case.history:
        about.append(("Domande precedenti", items(case.history)))
    if case.filters:
        told = "; ".join(f"{name}: {_listed(wanted)}" for name, wanted in case.filters.items())
        about.append(("Filtri", told))
    if case.variant_of:
        about.append(("Variante di", Html(f"{link(case.variant_of)} ({esc(case.change or '')})")))
    if case.world:
        about.append(("Raccolta", case.world))
    attended = "una risposta" if case.answerable else f"silenzio ({case.abstain_reason})"
    about += [
        ("Per chi", f"{case.group}, parte di {_SPLITS[case.split]}"),
        ("Atteso", attended),
        ("Avuto", STATUSES.get(outcome.answer.status, outcome.answer.status)),
    ]
    if outcome.answer.understood_as not in ("", case.question):
        about.append(("Capita come", Html(f"<q>{esc(outcome.answer.understood_as)}</q>")))
    if entry.faults:
        about.append(("Che cosa non va", ", ".join(entry.faults)))
    if outcome.error:
        about.append(("Errore", Html(f"<code>{esc(outcome.error)}</code>")))
    body = [
        definitions(about),
        _told(outcome),
        cited_pages(outcome.answer.citations, pages),
        _expected(outcome, pages),
        _figures(entry),
    ]
    if entry.followers:
        lines = [
            Html(
                f"<code>{esc(one.gold.case.id)}</code> ({esc(one.gold.case.change)}):"
                f" <q>{esc(shortened(one.gold.case.question, 200))}</q>"
            )
            for one in entry.followers
        ]
        body.append(f"<h4>Varianti andate allo stesso modo</h4>{items(lines)}")
    return (
        f'<details class="question"><summary>{tags}<b>{esc(case.id)}</b>'
        f" {esc(shortened(case.question, 160))}</summary>"
        f'<div id="{anchor(case.id)}" class="body">{"".join(body)}</div></details>'
    )


def marked(text: str, stretches: Sequence[tuple[int, int, str]]) -> Html:
    """A page's text with stretches marked, in order and apart; cut far from them when long.

    Each is (start, end, label); the label follows the mark, which holds exactly the words cited.
    """
    kept = [(0, len(text))]
    if len(text) > WHOLE_PAGE:
        kept = []
        for start, end, _ in stretches:
            low, high = max(0, start - AROUND), min(len(text), end + AROUND)
            if kept and low <= kept[-1][1]:
                kept[-1] = (kept[-1][0], high)
            else:
                kept.append((low, high))
    parts: list[str] = []
    reached = 0
    for low, high in kept:
        if low > reached:
            parts.append(f"{CUT} ")
        at = low
        for start, end, label in stretches:
            if low <= start and end <= high:
                number = f"<sup>{esc(label)}</sup>" if label else ""
                parts.append(f"{esc(text[at:start])}<mark>{esc(text[start:end])}</mark>{number}")
                at = end
        parts.append(esc(text[at:high]))
        reached = high
        parts.append(f" {CUT}" if high < len(text) and (low, high) == kept[-1] else "")
    return Html(f'<div class="text">{"".join(parts)}</div>')


def cited_pages(citations: Sequence[Citation], pages: Pages) -> str:
    """Each page cited, once unless its citations overlap, with the quotes marked."""
    if not citations:
        return ""
    parts = ["<h4>Pagine citate</h4>"]
    shown: list[list[Citation]] = []
    for one in citations:
        for group in shown:
            if (group[0].document_id, group[0].page) == (one.document_id, one.page) and all(
                one.end <= other.start or other.end <= one.start for other in group
            ):
                group.append(one)
                break
        else:
            shown.append([one])
    for group in shown:
        first, page = group[0], pages.get((group[0].document_id, group[0].page))
        numbers = ", ".join(f"[{one.n}]" for one in group)
        name = page.title if page and page.title else first.title
        source = page.source if page and page.source else first.source
        parts.append(f'<p class="place">{esc(numbers)} {esc(_place(name, source, first.page))}</p>')
        good = [one for one in group if page and 0 <= one.start < one.end <= len(page.text)]
        if page is not None and good:
            stretches = sorted((one.start, one.end, f"[{one.n}]") for one in good)
            parts.append(marked(page.text, stretches))
        for one in group:
            if one not in good:
                what = "questa pagina non c'è" if page is None else "questa posizione non c'è"
                parts.append(
                    f'<p class="bad">[{one.n}] Nell\'indice {what}; la citazione dice:'
                    f" <q>{esc(one.quote)}</q></p>"
                )
            elif page is not None and page.text[one.start : one.end] != one.quote:
                parts.append(
                    f'<p class="bad">[{one.n}] La citazione non è uguale alla pagina:'
                    f" <q>{esc(one.quote)}</q></p>"
                )
    return "".join(parts)


def _told(outcome: Outcome) -> str:
    parts = ["<h4>Risposta</h4>"]
    lines = [
        Html(
            f"{esc(sentence.text)} <sup>{''.join(f'[{n}]' for n in sentence.citations)}</sup>"
            f" <small>({esc(VERDICTS.get(sentence.verdict, sentence.verdict))})</small>"
        )
        for sentence in outcome.answer.sentences
    ]
    parts.append(items(lines, "told") if lines else "<p>Nessuna frase.</p>")
    if outcome.answer.notices:
        parts.append(f"<p><b>Avvisi</b></p>{items(outcome.answer.notices)}")
    if outcome.repeats and value("determinism", outcome) != 1:
        parts.append('<p class="bad">Posta di nuovo, ha avuto una risposta diversa.</p>')
    return "".join(parts)


def _expected(outcome: Outcome, pages: Pages) -> str:
    case = outcome.gold.case
    lines: list[object] = []
    for nugget in case.nuggets:
        told = any(says(outcome.told, form) for form in nugget.forms)
        kind = "indispensabile" if nugget.vital else "in più"
        forms = " / ".join(nugget.forms)
        lines.append(Html(f"<b>{'Detta' if told else 'Non detta'}</b> ({kind}): {esc(forms)}"))
    for word in case.forbidden:
        told = says(outcome.told, word)
        lines.append(
            Html(f"<b>{'Vietata, e detta' if told else 'Vietata, non detta'}</b>: {esc(word)}")
        )
    parts = []
    if lines:
        parts.append(f"<h4>Che cosa doveva dire</h4>{items(lines)}")
    rows = [
        *_evidence(outcome, outcome.gold.evidence, "", pages),
        *_evidence(outcome, outcome.gold.correction, "correzione ", pages),
    ]
    if rows:
        heads = ["insieme", "brano", "dove", "citato", "posto della pagina"]
        parts.append(f"<h4>Prove attese</h4>{table(f'Prove attese di {case.id}', heads, rows)}")
    return "".join(parts)


def _evidence(
    outcome: Outcome, sets: Sequence[Sequence[Quote]], kind: str, pages: Pages
) -> list[list[object]]:
    places = outcome.answer.citations
    rows: list[list[object]] = []
    for number, quotes in enumerate(sets, start=1):
        for quote in quotes:
            page = pages.get((quote.document_id, quote.page))
            touched = any(touches(quote, place) for place in places)
            cited = "sì" if covered_share([quote], places) else "in parte" if touched else "no"
            where = _place(page.title, page.source, quote.page) if page else f"pagina {quote.page}"
            rows.append([f"{kind}{number}", _quoted(quote), where, cited, rank_of(outcome, quote)])
    return rows


def rank_of(outcome: Outcome, quote: Quote) -> str:
    ranked = outcome.ranked
    page = RankedPage(quote.document_id, quote.page)
    if page in ranked:
        return f"{ranked.index(page) + 1}ª fra le pagine trovate"
    return "non fra i primi 10 brani"


def _figures(entry: Entry) -> str:
    moved = {change.metric: change for change in entry.changes}
    rows: list[list[object]] = []
    for name, found in entry.values.items():
        metric = METRICS[name]
        row: list[object] = [name, figure(found, metric)]
        if change := moved.get(name):
            words = "meglio" if change.better else "peggio"
            difference = signed(change.after - change.before, metric)
            row.append(f"{figure(change.before, metric)} ({difference}, {words})")
        else:
            row.append("")
        rows.append(row)
    if not rows:
        return ""
    heads = ["misura", "valore", "nel riferimento, se diverso"]
    if not moved:
        heads, rows = heads[:2], [row[:2] for row in rows]
    return f"<h4>Misure</h4>{table(f'Misure di {entry.id}', heads, rows)}"


def _went_as_original(outcome: Outcome) -> bool:
    """A variant with the same status, nothing lost or gained, and no fault of its own."""
    original = outcome.original
    if original is None or outcome.error or outcome.answer.status != original.answer.status:
        return False
    alike = set(wrongs(outcome)) <= set(faults(original))
    return alike and not list(_moved(outcome))


def _moved(outcome: Outcome) -> Iterable[tuple[str, float]]:
    """The differences from the original question that are not zero."""
    for name, metric in METRICS.items():
        if metric.unit == "points" and (found := value(name, outcome)):
            yield name, found


def _place(title: str, source: str, page: int) -> str:
    """A folder of whoever ran it says nothing to a reader; an address does."""
    name = source if "://" in source else source.replace("\\", "/").rsplit("/", 1)[-1]
    return ", ".join(part for part in (title, name, f"pagina {page}") if part)


def _quoted(quote: Quote) -> Html:
    return Html(f"<q>{esc(quote.text)}</q>")


def _listed(wanted: str | int | list[str] | list[int]) -> str:
    return ", ".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)


_BAD = ("sbagliata", "peggiorata", "in parte peggio")
_SPLITS = {"dev": "sviluppo", "test": "verifica"}
