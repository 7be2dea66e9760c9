"""Sheets made up at random from a seed, and what a reader must find in them."""

from __future__ import annotations

import random

from corpus.records import Indicator, SheetSource, Spending, Value

TITLES = (
    "Sportello del caregiver e ore di sollievo", "Casa e lavoro", "Educativa di strada",
    "Budget di salute: progetti personalizzati", "Dopo di noi", "Centro antiviolenza «La rete»",
    "Trasporto sociale per l'accesso alle cure", "Pronto intervento sociale h24",
)  # fmt: skip
SENTENCES = (
    "Nel 2017 il Servizio sociale ha seguito 640 anziani assistiti in casa da un familiare.",
    "La legge regionale 2/2014 chiede di riconoscere chi cura come parte attiva della rete.",
    "Gli operatori lavorano insieme ai medici di medicina generale e alle associazioni.",
    "Il progetto prevede una valutazione multidimensionale e un piano personalizzato.",
    "L'équipe si riunisce ogni mercoledì nella sede del Centro per l'impiego.",
    "Si interviene presso le famiglie con figli minori e presso le persone sole.",
    "Ogni Comune garantisce un giorno la settimana per l'ascolto e l'orientamento.",
    "Obiettivo del triennio è ridurre le liste d'attesa e le distanze tra i servizi.",
)  # fmt: skip
ACTIONS = (
    "Apertura di uno sportello in ogni Comune del distretto",
    "formazione di dodici operatori", "Due gruppi di auto mutuo aiuto",
    "Accordo con le scuole superiori per 40 tirocini", "campagna informativa sui servizi",
    "Tavolo di coordinamento tra Ausl, Unione e terzo settore",
)  # fmt: skip
SOURCES = (
    "FRNA", "Unione dei Comuni", "Fondo sociale locale – quota regionale", "Azienda Usl",
    "Fondo sociale europeo (LR 14/2015)", "Fondo nazionale per la non autosufficienza (FNA)",
    "Compartecipazione degli utenti", "PON Inclusione", "Altri soggetti (fondazione locale)",
    "Fondo povertà",
)  # fmt: skip
CAPOFILA = (
    ("Unione dei Comuni della Valdoro", "unione"), ("Azienda Usl Terre Alte", "ausl"),
    ("Comune di Castel Verbena", "comune"), ("ASP Valdoro", "asp"),
    ("Consorzio dei servizi", "altro"), ("AUSL della Romagna", "ausl"),
)  # fmt: skip
TARGETS = (
    "famiglie con figli", "anziani", "persone con disabilità", "giovani", "tutta la popolazione",
    "infanzia e adolescenza",
)  # fmt: skip
REFERENCES = ("5", "26", "D-12", "16", "21", "D-3", "12 bis")
NAMES = (
    "Famiglie seguite", "Gruppi attivi nel distretto", "Persone in carico", "Sportelli aperti",
    "PAI con la pagina sul caregiver", "N. di incontri con le scuole", "Tirocini avviati",
)  # fmt: skip
YEARS = (2018, 2019, 2020)


def random_sheet(
    seed: int, number: str, *, intervento: bool = True, sparse: bool = True
) -> SheetSource:
    """With `sparse`, every field but the description may be missing."""
    chance = random.Random(seed)

    def there(share: float = 0.75) -> bool:
        return not sparse or chance.random() < share

    def text(most: int = 5) -> str:
        paragraphs = [
            " ".join(chance.choices(SENTENCES, k=chance.randint(1, 4)))
            for _ in range(chance.randint(1, max(1, most - 2)))
        ]
        return "\n\n".join(paragraphs)

    common = {
        "numero": number,
        "titolo": chance.choice(TITLES),
        "descrizione": text(),
        "aree": tuple(sorted(chance.sample("ABCDE", chance.randint(1, 3)))) if there() else (),
        "target": tuple(chance.sample(TARGETS, chance.randint(1, 3))) if there(0.6) else (),
        "razionale": text() if there() else "",
        "destinatari": chance.choice(SENTENCES) if there() else "",
        "azioni": tuple(chance.sample(ACTIONS, chance.randint(2, 4))) if there() else (),
        "integrazione": text(3) if there(0.5) else "",
        "attori": "Comuni, Ausl, associazioni di volontariato, scuole." if there() else "",
        "referenti": "Livia Campanari, Ufficio di piano; Duilio Sassetti, Ausl." if there() else "",
        "indicatori": _indicators(chance) if there() else (),
    }
    if not intervento:
        return SheetSource(**common)  # type: ignore[arg-type]
    capofila, kind = chance.choice(CAPOFILA)
    references = tuple(chance.sample(REFERENCES, chance.randint(1, 3))) if there() else ()
    ambito = chance.choice(("distrettuale", "sub-distrettuale", "sovra-distrettuale"))
    return SheetSource(
        **common,  # type: ignore[arg-type]
        capofila=capofila,
        capofila_tipo=kind,
        specifica_capofila="Servizio sociale territoriale" if there(0.5) else "",
        continuita=chance.choice((True, False)) if there() else None,
        ambito=ambito if there() else "",
        ambito_dettaglio="Comuni di Acquafosca e Torre Saggina" if there(0.4) else "",
        altri_piani="Piano regionale della prevenzione" if there(0.3) else "",
        riferimenti=references,
        prevalente=chance.choice(references) if references and there(0.5) else "",
        novita=chance.choice(SENTENCES) if there(0.4) else "",
        spesa=_spending(chance) if there(0.8) else (),
        risorse="Sala civica e due volontari." if there(0.4) else "",
        indicatori_regionali=_indicators(chance)[:1] if there(0.4) else (),
    )


def _spending(chance: random.Random) -> tuple[Spending, ...]:
    chosen = chance.sample(SOURCES, chance.randint(1, 4))
    return tuple(Spending(name, chance.choice((850, 1_250, 12_000, 120_000))) for name in chosen)


def _indicators(chance: random.Random) -> tuple[Indicator, ...]:
    found = []
    for name in chance.sample(NAMES, chance.randint(1, 3)):
        kind = chance.choice(("number", "percent", "yes"))
        years = sorted(chance.sample(YEARS, chance.randint(1, 3)))
        reached = years[:1] if chance.random() < 0.4 else []
        found.append(
            Indicator(
                name,
                tuple(Value(year, _value(chance, kind)) for year in years),
                tuple(Value(year, _value(chance, kind)) for year in reached),
            )
        )
    return tuple(found)


def _value(chance: random.Random, kind: str) -> str:
    if kind == "yes":
        return chance.choice(("SI", "NO"))
    if kind == "percent":
        return chance.choice(("45%", "12,5%", "100%"))
    return str(chance.choice((3, 40, 185, "1.250")))
