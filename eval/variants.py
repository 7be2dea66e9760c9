"""`python -m eval.variants`: golden questions in other words, by rule, into golden/varianti.jsonl.

Each rule does what people do when they type: it changes how a question looks, never what it asks.
The same question gives the same variant each time. A question that a rule leaves as it is has no
variant of that kind. English versions are not made by rule: they are written in inglese.jsonl.

Reviewed by sampling: see eval/golden/README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.answering.polarity import is_word
from assistant.italian.analysis import fold
from assistant.italian.numerals import QUANTITY
from eval.cases import ATTACK_CATEGORIES, GOLDEN, Case, load_cases

FILE = "varianti.jsonl"
ANSWERABLE, UNANSWERABLE = 70, 20
"""Originals taken for each rule, chosen by hash of rule and id."""

_NEAR_KEYS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj",
    "i": "uo", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et",
    "s": "ad", "t": "ry", "u": "yi", "v": "cb", "z": "x",
}  # fmt: skip
_WORD = re.compile(r"(?<![\w./'\u2019-])[a-zàèéìòù]{6,}(?![\w./-])")
"""Plain lower-case words: never names, acronyms, numbers in figures, acts."""
_DATES = frozenset(
    {
        "gennaio", "febbraio", "aprile", "maggio", "giugno", "luglio", "agosto",
        "settembre", "ottobre", "novembre", "dicembre", "lunedì", "martedì", "mercoledì",
        "giovedì", "venerdì", "sabato", "domenica",
    }
)  # fmt: skip
_LIMITS = frozenset({"soltanto", "solamente", "esclusivamente", "sempre"})
_MEANING = ("negation", "exception", "possibility", "duty", "bound")
"""Kinds of words in assistant/italian/meaning.toml that a slip must leave alone."""
_ENDING = 3
"""Last letters that no slip touches: there one letter makes another form (votare, votate)."""
_OTHER_WORDS = frozenset(
    {
        "abito", "ameno", "annale", "annali", "asili", "avviare", "badano", "basare",
        "cacio", "cariati", "cintato", "colina", "computo", "conato", "concerto", "conigli",
        "copie", "cultuale", "dirotto", "dritto", "fazione", "fazioni", "figlio", "filare",
        "firmano", "firmata", "firmati", "forano", "forata", "forati", "formare", "formato",
        "garda", "gemere", "genetico", "gironi", "gusta", "gusto", "libello", "loghi",
        "macchina", "macchine", "macine", "moglie", "moire", "parano", "parare", "patente",
        "patiti", "patito", "pende", "pendere", "pendeva", "perdona", "pigione", "potare",
        "potato", "precede", "precedeva", "precorso", "premesso", "prevosti", "prevosto",
        "prole", "provati", "provato", "reazione", "ridanno", "ridiede", "rimorsi",
        "rimorso", "riposta", "sanati", "sanato", "sanno", "serrata", "sesso", "setta",
        "sevizi", "sfatti", "sfatto", "sinora", "sollevo", "sorso", "sparano", "sparate",
        "spera", "sperato", "spossato", "stadera", "suola", "suole", "temere", "temuti",
        "temuto", "tetro",
    }
)  # fmt: skip
"""Real words that one slip could make of a word of the golden questions, found by trying all."""
_SHORT = (
    (r"\bperché\b", "xké"),
    (r"\bche cosa\b", "cosa"),
    (r"\bquanto tempo\b", "qnt tempo"),
    (r"\bquando\b", "qnd"),
    (r"\bcomunque\b", "cmq"),
    (r"\bqual è\b", "qual'è"),
    (r"\bper favore\b", "pls"),
    (r"\bquali sono\b", "quali sn"),
    (r"\bper (?=[a-zà-ù])(?!cento\b|forza\b|esempio\b)", "x "),
)
_ASKS = re.compile(
    r"(?:(?:a|da|di|in|con|su|per|entro|fino a) )?"
    r"(?:che|chi|come|cosa|cos'è|dove|quando|perché|qual|quale|quali|quant[oaie])\b",
    re.IGNORECASE,
)
"""A question that can follow "mi sai dire"."""
_ASKING = "ciao, mi sai dire {}"
_OPENINGS = (
    "scusa una cosa veloce: {}",
    "ehi, {}",
    "senti ma {}",
    "domanda al volo, {}",
)
_BEFORE = (
    "Buongiorno, lavoro allo sportello da poche settimane e sto ancora imparando dove cercare.",
    "Buonasera, mi scuso se la domanda è già stata fatta da altri colleghi.",
    "Salve, sto preparando una risposta per una persona che aspetta qui davanti a me.",
    "Gentile assistente, le scrivo perché con la ricerca del sito non ho trovato nulla.",
)
_AFTER = (
    "Grazie mille della pazienza e del tempo che mi dedica.",
    "Scusi il disturbo, stamattina qui c'è molta gente.",
    "Ringrazio fin d'ora e auguro una buona giornata di lavoro.",
    "Mi dispiace disturbare, di solito chiedo alla collega dell'altra stanza.",
)


def refusi(question: str, chance: random.Random) -> str:
    """A slip of the keyboard in one to three plain words: swap, lost, doubled or near letter.

    Never in a date, a number, a negation or a limit, and never one that makes another word.
    """
    words = [found for found in _WORD.finditer(question) if _may_slip(found.group())]
    others = _OTHER_WORDS | set(re.findall(r"\w+", question.lower()))
    chosen = chance.sample(words, min(len(words), 1 + len(words) // 4, 3))
    for word in sorted(chosen, key=lambda found: -found.start()):
        slipped = _slip(word.group(), chance)
        while slipped in others:
            slipped = _slip(word.group(), chance)
        question = question[: word.start()] + slipped + question[word.end() :]
    return question


def senza_accenti(question: str, chance: random.Random) -> str:
    """No accents at all, as on a keyboard that lacks them: "perche", "e" for "è"."""
    plain = unicodedata.normalize("NFD", question)
    return "".join(letter for letter in plain if unicodedata.category(letter) != "Mn")


def maiuscole(question: str, chance: random.Random) -> str:
    """All in capitals, without the question mark."""
    return question.rstrip(" ?").upper()


def colloquiale(question: str, chance: random.Random) -> str:
    """As one writes to a colleague: a greeting, no capital, no question mark, shortened words.

    Negations and limits are never shortened: "nn" could be lost. "mi sai dire" only opens what
    asks with a question word: not "mi serve l'elenco", nor what is answered by yes or no.
    """
    openings = (_ASKING, *_OPENINGS) if _ASKS.match(question) else _OPENINGS
    text = question.rstrip(" ?")
    if not re.match(r"[A-ZÀÈÉ]{2}|[A-Z]\w*\.", text) and _starts_plain(text):
        text = text[:1].lower() + text[1:]
    for pattern, short in _SHORT:
        text = re.sub(pattern, short, text, flags=re.IGNORECASE)
    return chance.choice(openings).format(text)


def prolissa(question: str, chance: random.Random) -> str:
    """The question word for word, between courtesies that say nothing about it."""
    whole = question.strip()
    stop = "" if whole[-1] in ".?!" else "."
    return f"{chance.choice(_BEFORE)} {whole}{stop} {chance.choice(_AFTER)}"


RULES: dict[str, Callable[[str, random.Random], str]] = {
    "refusi": refusi,
    "senza_accenti": senza_accenti,
    "maiuscole": maiuscole,
    "colloquiale": colloquiale,
    "prolissa": prolissa,
}


def variants(cases: Sequence[Case]) -> list[dict[str, object]]:
    """The golden lines of every variant, in order of rule and original."""
    originals = [
        case
        for case in cases
        if case.variant_of is None
        and not case.world
        and not case.history
        and case.category not in ATTACK_CATEGORIES
    ]
    lines: list[dict[str, object]] = []
    for name, rule in RULES.items():
        for answerable, count in ((True, ANSWERABLE), (False, UNANSWERABLE)):
            pool = [case for case in originals if case.answerable is answerable]
            pool.sort(key=lambda case: seed_of(f"{name} {case.id}"))
            made = [(case, rule(case.question, random.Random(seed_of(case.id)))) for case in pool]
            changed = [(case, text) for case, text in made if text != case.question][:count]
            lines += [_line(case, name, text) for case, text in sorted(changed, key=_id)]
    return lines


def write(lines: Sequence[dict[str, object]], path: Path) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.variants", description=__doc__)
    parser.add_argument("--golden", type=Path, default=GOLDEN, help="folder of the questions")
    golden: Path = parser.parse_args(arguments).golden
    lines = variants(load_cases(golden))
    write(lines, golden / FILE)
    sys.stderr.write(f"{len(lines)} variants in {golden / FILE}\n")
    return 0


def _slip(word: str, chance: random.Random) -> str:
    """One slip between the first letter and the ending; a kind that cannot be made at that place
    gives a doubled letter instead.
    """
    place = chance.randrange(1, len(word) - _ENDING)
    letter = word[place]
    match chance.choice(("swap", "lose", "double", "near")):
        case "swap" if letter != word[place + 1] and place + 1 < len(word) - _ENDING:
            return word[:place] + word[place + 1] + letter + word[place + 2 :]
        case "lose":
            return word[:place] + word[place + 1 :]
        case "near" if letter in _NEAR_KEYS:
            return word[:place] + chance.choice(_NEAR_KEYS[letter]) + word[place + 1 :]
        case _:
            return word[:place] + letter + word[place:]


def _may_slip(word: str) -> bool:
    return not (
        word in _DATES | _LIMITS
        or QUANTITY.fullmatch(word)
        or re.fullmatch(r"milion[ei]|miliard[oi]|migliaia|centinaia|decine", word)
        or any(is_word(kind, fold(word)) for kind in _MEANING)
    )


def _starts_plain(text: str) -> bool:
    """Whether the first word is no name: only question words and articles are made small."""
    first = re.split(r"\W", text, maxsplit=1)[0].lower()
    return first in {
        "che", "chi", "come", "con", "cosa", "cos", "da", "di", "dove", "entro", "il", "in", "la",
        "mi", "nel", "nella", "per", "qual", "quale", "quali", "quando", "quanta", "quante",
        "quanti", "quanto", "se", "un", "una", "vorrei", "a", "cerco", "devo", "posso", "c",
        "al", "ci", "dal", "del", "della", "delle", "dopo", "esiste", "fino", "fra", "gli", "i",
        "l", "le", "lo", "nei", "nelle", "perché", "su", "totale", "tra", "visto", "è",
    }  # fmt: skip


def _line(case: Case, change: str, text: str) -> dict[str, object]:
    return {
        "id": f"{case.id}~{change}",
        "question": text,
        "group": case.group,
        "category": case.category,
        "answerable": case.answerable,
        "variant_of": case.id,
        "change": change,
    }


def _id(made: tuple[Case, str]) -> str:
    return made[0].id


def seed_of(text: str) -> str:
    """What a rule draws by, and what originals are chosen by."""
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
