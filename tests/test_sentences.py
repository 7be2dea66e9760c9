from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.italian.sentences import passage_sentences, runs_on, split_sentences
from assistant.models import Passage, Span

# Each case is the list of its sentences; the text is these joined by a blank.
CASES: list[list[str]] = [
    # laws and acts
    ["L'art. 29 della L.R. 2/2003 disciplina i Piani di zona.", "Ogni distretto ne approva uno."],
    ["Gli artt. 19 e 27 della L.R. n. 2 del 2003 restano in vigore."],
    ["Con D.G.R. n. 1423 del 2 ottobre 2017 sono state approvate le schede.", "Sono 39."],
    ["Si applica il D.Lgs. 147/2017, art. 5, c. 2, lett. b).", "Il Comune provvede."],
    ["Visto il D.P.R. 445/2000 e s.m.i. in materia di autocertificazione."],
    ["Vista la L. 328/2000 e s.m.i.", "Il Comitato di distretto delibera quanto segue."],
    ["La D.A.L. 120/2017 ha approvato il Piano.", "La Giunta ha adottato gli atti conseguenti."],
    ["Ai sensi dell'art. 8 del Reg. UE 2016/679 i dati sono protetti."],
    ["Il D.M. 77/2022 fissa gli standard.", "Le Regioni si adeguano entro sei mesi."],
    ["Visto il T.U. degli enti locali, approvato con D.Lgs. n. 267/2000."],
    ["La deliberazione (cfr. all. 2, pag. 14) indica le risorse."],
    ["Il fondo è ripartito ai sensi dell'art. 47, co. 3, della legge.", "La quota è annuale."],
    ["Legge regionale 30 luglio 2015, n.13 e successive modifiche."],
    ["La sent. n. 5 della Corte cost. riguarda un altro caso."],
    ["Si applica l'art. 1, comma 2.", "Il comma 3 è abrogato."],
    ["Visti gli artt. 5 ss. del regolamento."],
    ["Il comma 2 rinvia al D.M. 77/2022 e al D. Lgs. 153/2009."],
    ["I criteri sono quelli del D.M.", "Per le persone sole vale la deroga."],
    ["Art. 4. (Modalità di trasmissione) Le informazioni sono cifrate."],
    # people
    ["Il dott. Bruno Zani e la dott.ssa Carla Neri coordinano il tavolo."],
    ["La prof.ssa M. Verdi ha presentato lo studio.", "Ha parlato per un'ora."],
    ["Referente: sig.ra L. Bianchi, Ufficio di piano."],
    ["Sono intervenuti l'ing. P. L. Sarti e l'avv. Gatti."],
    ["Mons. Ricci ha aperto i lavori.", "È seguito il dibattito."],
    ["La chiesa di S. Pietro ospita lo sportello.", "Apre il lunedì."],
    ["Il Sig. Rossi e i Sigg. Bassi e Conti hanno firmato."],
    ["L'on. Dini era assente."],
    # numbers, dates, amounts
    ["Nel 2019 gli interventi erano 1.776.", "Gli indicatori erano 2.166."],
    ["L'incontro è del 12.07.2017.", "Il verbale è del giorno dopo."],
    ["La spesa è di 1.250.300,50 euro.", "La quota regionale è il 60,5%."],
    ["Il contributo va da 80 a 400 euro al mese.", "Dura 12 mesi."],
    ["Il Piano vale fino al 2020.", "25 territori hanno già aderito."],
    ["Dal 1° gennaio 2018 cambia il calcolo.", "Nulla cambia per il 2017."],
    ["Il fondo ammonta a 437 mln. di euro."],
    ["Ore 9.30 registrazione dei partecipanti."],
    ["La quota è di € 3.000.", "Chi supera la soglia è escluso."],
    ["Il reddito ISEE non supera 6.000 euro (v. tab. 3).", "Fa fede la DSU."],
    ["Gli abitanti sono ca. 50.000 e i posti 20 ogni 100.000 ab. residenti."],
    ["La misura è prevista al punto 4.", "La spesa è al punto 5."],
    ["Il versamento è fatto entro il 30 sett. 2019 presso la tesoreria."],
    ["La spesa è pari ad €. 238.612,30.", "I valori sono stimati."],
    ["Tabella 1. Risorse per Comune"],
    # abbreviations in running text
    ["Vi partecipano Comuni, Ausl, scuole, ecc. con propri delegati."],
    ["Si offrono pasti, trasporti, ecc.", "Gli anziani ne fanno richiesta allo sportello."],
    ["Gli attori (Comuni, Ausl, ASP, ecc.) firmano un accordo."],
    ["Alcuni servizi, p.es. il trasporto, sono a pagamento."],
    ["Le strutture (es. Case della Salute) sono aperte.", "I medici vi lavorano in gruppo."],
    ["Il c.d. Dopo di noi riguarda le persone con disabilità."],
    ["Si veda la scheda n. 26 e la n. 5."],
    ["Le schede nn. 9 e 11 trattano l'equità.", "La n. 26 tratta la partecipazione."],
    ["Il gestore è Lavoro Insieme Soc. Coop. Sociale di Valdoro."],
    ["La ditta è Alfa S.p.A. con sede a Modena."],
    ["Il servizio è affidato ad Alfa S.p.A.", "Il contratto dura tre anni."],
    ["Il documento è pubblicato a pag. 12.", "Gli allegati sono alle pagg. 30-41."],
    ["Fig. 2 mostra l'andamento; vedi anche il cap. 6, par. 2.", "I valori sono stimati."],
    ["Nel II sec. d.C. il territorio era diviso in centurie."],
    ["Si riunisce min. due volte l'anno."],
    ["Il progetto è dell'A.S.P. Terre di mezzo."],
    ["Lo gestisce l'A.S.P.", "Il Comune lo finanzia."],
    # addresses, telephones, URLs
    ["Tel. 051 000000, fax 051 000001, e-mail ufficio.piano@comune.valdoro.example."],
    ["Il bando è su www.comune.valdoro.example/bandi.", "La domanda si fa in linea."],
    ["Scrivere a info@valdoro.example.", "Si risponde entro tre giorni."],
    ["Vedi https://www.valdoro.example/piano.di.zona?anno=2018&n=2 per i documenti."],
    ["L'ufficio è in P.zza Roma 4, loc. Borgo, prov. di Modena."],
    # quotes, brackets, marks
    ["Il testo dice «il Piano dura tre anni.»", "La proroga va motivata."],
    ["Il Distretto è lo “snodo” del sistema.", "“Nessuno resti solo” è il motto."],
    ["(La misura è sospesa.)", "Le domande restano valide."],
    ["Chi può fare domanda?", "I residenti da 24 mesi.", "Tutti gli altri no!"],
    ["«Perché partecipare?» chiedono i cittadini."],
    ["La domanda è: chi decide?", "Decide il Comitato."],
    ["Il Piano è tuttora in vigore..", "La Regione lo aggiorna."],
    ["Povertà, fragilità, solitudine...", "Il Piano parla di tutto questo."],
    ["Le novità normative (RES, SIA, ...) per un welfare dinamico sono molte."],
    ["Si apre così… e si chiude allo stesso modo."],
    ["Gli obiettivi restano tre:"],
    ["Vale il principio seguente: nessuno è escluso; tutti concorrono; la spesa è comune."],
    ["Il welfare è “di comunità”.", "E la comunità lo cura."],
    ["È vero.", "È anche utile."],
    ["Hanno aderito 22 territori (su 39).", "Gli altri seguiranno."],
    # lists on one line, letters, enumerators
    ["Gli assi sono: 1. Casa e abitare; 2. Lavoro; 3. Socialità."],
    ["1. Il Comitato approva il Piano.", "2. L'Ufficio di piano lo attua."],
    ["a. Accoglienza delle persone senza dimora"],
    ["La scheda rientra nell'area B.", "Le azioni sono quattro."],
    ["IV. Disposizioni finali"],
    ["Interventi per anziani non autosufficienti;"],
    ["3.2. Servizi di prossimità"],
    # plain prose with traps
    ["Si rivolge a famiglie, minori e giovani.", "Nota: i posti sono limitati."],
    ["Il progetto INSIDE (PON Inclusione, Avviso 4/2016) è chiuso.", "Non è stato prorogato."],
    ["L'Ausl risponde entro 30 gg. lavorativi dalla domanda."],
    ["Il Comune, l'Ausl e l'ASP (di seguito “le Parti”) convengono.", "Ognuna ha un referente."],
    ["Il coordinatore è M. Verdi.", "La vice è A. Neri."],
    ["Sono ammessi i nuclei con minori.", "Non sono ammessi i nuclei senza residenza."],
    ["Il contributo non spetta, salvo diversa decisione dell'Uvm.", "L'Uvm decide in 15 giorni."],
]


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize("expected", CASES, ids=lambda case: case[0][:40])
def test_administrative_prose_is_split_into_its_sentences(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


def test_there_are_enough_cases_for_the_promise() -> None:
    assert len(CASES) >= 60


def test_newline_always_ends_a_sentence() -> None:
    text = "Obiettivi del piano:\n• ridurre le liste di attesa;\n• aprire due sportelli.\nNel 2019."
    assert sentences(text) == [
        "Obiettivi del piano:",
        "ridurre le liste di attesa;",
        "aprire due sportelli.",
        "Nel 2019.",
    ]


def test_full_stop_without_its_blank_still_ends_the_sentence() -> None:
    text = "Il servizio è gratuito.Il cittadino presenta la domanda."
    assert sentences(text) == ["Il servizio è gratuito.", "Il cittadino presenta la domanda."]


@pytest.mark.parametrize("text", ["www.Comune.it e altro", "S.p.A e altro", "vedi Piano.Pdf qui"])
def test_stops_inside_names_do_not_split(text: str) -> None:
    assert sentences(text) == [text]


def test_leaders_of_a_table_of_contents_do_not_split() -> None:
    assert len(split_sentences("1 Introduzione ................ 5")) == 1
    assert len(split_sentences("Premessa . . . . . . . . 3")) == 1


def test_lines_without_words_hold_no_sentence() -> None:
    assert split_sentences("") == []
    assert split_sentences("  \n•\n – \n...\n") == []


def test_no_break_space_and_curly_apostrophe_change_nothing() -> None:
    text = "La Legge\u00a0regionale n.\u00a014 vale.\u00a0L’Ausl la applica."
    assert sentences(text) == ["La Legge\u00a0regionale n.\u00a014 vale.", "L’Ausl la applica."]


@given(st.text(alphabet="aA.1 \n!?…»)(«;•-art\u00a0", max_size=200))
def test_spans_are_ordered_stripped_and_lose_no_word(text: str) -> None:
    spans = split_sentences(text)
    previous = 0
    for start, end in spans:
        assert previous <= start < end <= len(text)
        piece = text[start:end]
        assert piece == piece.strip()
        assert "\n" not in piece
        assert not any(map(str.isalnum, text[previous:start]))
        previous = end
    assert not any(map(str.isalnum, text[previous:]))


@pytest.mark.parametrize("hostile", ["." * 200_000, "a." * 100_000, "(" * 200_000, "A. " * 70_000])
def test_time_is_linear_on_hostile_text(hostile: str) -> None:
    started = time.process_time()
    split_sentences(hostile)
    assert time.process_time() - started < 3


def test_sentence_over_a_page_break_is_one_sentence_with_two_quotes() -> None:
    first = "Premessa\nIl Comitato approva il programma"
    second = "entro il mese di marzo. Poi lo pubblica."
    passage = Passage(
        id="p",
        document_id="d",
        ordinal=0,
        text=f"{first}\n{second}",
        section=("Premessa",),
        spans=(Span(1, 0, len(first)), Span(2, 10, 10 + len(second))),
    )
    spans = passage_sentences(passage)
    assert [passage.text[start:end] for start, end in spans] == [
        "Il Comitato approva il programma\nentro il mese di marzo.",
        "Poi lo pubblica.",
    ]
    assert [(q.page, q.text) for q in passage.quotes(*spans[0])] == [
        (1, "Il Comitato approva il programma"),
        (2, "entro il mese di marzo."),
    ]


def test_runs_on_wants_an_open_end_and_a_small_letter() -> None:
    assert runs_on("il programma", "annuale")
    assert not runs_on("il programma.", "annuale")
    assert not runs_on("il programma:", "annuale")
    assert not runs_on("il programma", "Annuale")
    assert not runs_on("", "annuale")
