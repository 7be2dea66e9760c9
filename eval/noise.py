"""Documents that answer nothing, written by rule: do they draw attention away from those that do?

They speak of other duties of public bodies, in the same office Italian and with the same words as
plans (scheda, intervento, distretto, importi, anni), so that they compete with real passages. The
same number always gives the same document, and fewer documents are the first of more.
"""

from __future__ import annotations

import random
from pathlib import Path

_PLACES = (
    "Montesaldo", "Pieve Argentina", "Roccaforte a Valle", "Castel Merlino", "San Vito al Canale",
    "Borgo Tiglieto", "Campolongo Vecchio", "Villa Marcona", "Sassoverde", "Ponte Ligorio",
)  # fmt: skip
_SUBJECTS = {
    "raccolta dei rifiuti": ("i contenitori", "le utenze", "il calendario dei ritiri"),
    "manutenzione delle strade": ("i marciapiedi", "i cantieri", "la segnaletica"),
    "biblioteche": ("i prestiti", "le sale di lettura", "le letture ad alta voce"),
    "edilizia scolastica": ("le aule", "le palestre", "i serramenti"),
    "tributi locali": ("le aliquote", "le scadenze", "le rateizzazioni"),
    "protezione civile": ("le aree di attesa", "i volontari", "le esercitazioni"),
    "verde pubblico": ("le potature", "i giardini", "gli orti urbani"),
    "turismo": ("le fiere", "i sentieri", "i punti informativi"),
    "trasporto pubblico": ("le fermate", "gli abbonamenti", "le corse serali"),
    "impianti sportivi": ("le palestre", "le piscine", "le concessioni alle società"),
    "commercio": ("i mercati", "le botteghe storiche", "gli orari di apertura"),
    "energia": ("i lampioni", "gli impianti sul tetto", "le diagnosi degli edifici"),
}
_SENTENCES = (
    "Nel {year} l'intervento {n} ha riguardato {thing} di {place}, con una spesa di {euro} euro.",
    "La scheda {n} descrive {thing}: il soggetto responsabile è l'Ufficio tecnico di {place}.",
    "Il piano triennale {year}-{end} prevede che {thing} siano verificati ogni {months} mesi.",
    "Con la deliberazione n. {n} del {year} la Giunta ha aggiornato le regole su {thing}.",
    "I destinatari sono i residenti del territorio di {place}; le domande raccolte sono {count}.",
    "L'indicatore scelto è il numero di segnalazioni chiuse: {count} attese, {less} raggiunte.",
    "Lo sportello apre il lunedì dalle {hour} alle {later}; non serve appuntamento.",
    "Restano escluse le aree private, salvo quelle aperte al pubblico da almeno {months} mesi.",
    "Il gruppo di lavoro si è riunito {less} volte e ha consegnato la relazione a {thing}.",
    "Per il {end} sono disponibili {euro} euro, di cui una parte dal bilancio dell'Unione.",
    "Hanno partecipato agli incontri {count} persone; il verbale è allegato.",
    "La priorità è ridurre i tempi: da {count} giorni a {less} per ogni richiesta.",
)
_HEADS = ("Premessa", "Che cosa si è fatto", "Risorse", "Partecipazione", "Verifica")


def write_noise(folder: Path, count: int) -> None:
    """Write `count` documents into a new folder."""
    folder.mkdir(parents=True)
    for number in range(1, count + 1):
        (folder / f"rumore-{number:03d}.md").write_text(noise_document(number), encoding="utf-8")


def noise_document(number: int) -> str:
    chance = random.Random(number)
    place, subject = chance.choice(_PLACES), chance.choice(sorted(_SUBJECTS))
    lines = [
        f"# {subject.capitalize()} a {place}: relazione n. {number}",
        "",
        "Documento di prova scritto da una regola: luoghi e cifre sono inventati.",
    ]
    for head in _HEADS:
        lines += ["", f"## {head}", ""]
        chosen = chance.sample(_SENTENCES, 4)
        lines.append(" ".join(_sentence(form, chance, place, subject) for form in chosen))
    return "\n".join(lines) + "\n"


def _sentence(form: str, chance: random.Random, place: str, subject: str) -> str:
    year, hour = chance.randint(2015, 2019), chance.randint(8, 11)
    count = chance.randint(20, 900)
    return form.format(
        year=year,
        end=year + 2,
        n=chance.randint(1, 60),
        thing=chance.choice(_SUBJECTS[subject]),
        place=place,
        euro=f"{chance.randint(4, 480)}.{chance.randint(0, 9)}00",
        months=chance.choice((3, 6, 12, 18, 24)),
        count=count,
        less=chance.randint(2, count - 1),
        hour=hour,
        later=hour + chance.randint(1, 4),
    )
