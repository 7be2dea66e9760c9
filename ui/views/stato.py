"""State: what is indexed, with which models, and whether the API is ready."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

import streamlit as st

from assistant.models import Status
from ui.client import ApiProblemError, Client
from ui.render import told

MONTHS = (
    "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno",
    "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre",
)  # fmt: skip


def show(client: Client) -> None:
    st.title("Stato", anchor=False)
    status = client.status()
    try:
        client.ready()
    except ApiProblemError as error:
        st.warning(told(str(error)))
    else:
        st.success("Pronto a rispondere.")
    if status.writer:
        st.info("È in corso una lettura di documenti: fino alla fine rispondo con l'indice di ora.")
    figures = (
        ("Documenti", status.documents),
        ("Pagine", status.pages),
        ("Brani", status.passages),
        ("Schede", status.schede),
        ("Interventi", status.interventi),
    )
    for column, (name, count) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(name, f"{count:,}".replace(",", "."))
    st.html(_definitions(_facts(status)))
    with st.expander("Dettagli tecnici"):
        st.html(_definitions(_technical(status, client.address)))


def _facts(status: Status) -> list[tuple[str, str]]:
    updated = made_at(status.generation or "")
    return [
        ("Documenti letti il", updated or "non si sa"),
        ("Come risponde", status.chat_model or "solo con frasi prese dai documenti"),
        ("Spazio su disco", f"{status.disk_bytes / 1e6:.1f} MB".replace(".", ",")),
    ]


def _technical(status: Status, address: str) -> list[tuple[str, str]]:
    return [
        ("Generazione dell'indice", status.generation or "nessuna"),
        ("Modello per la ricerca", status.embedding or "nessuno"),
        ("Modello linguistico", status.chat_model or "nessuno"),
        ("Cartella dei dati", status.data_dir),
        ("Indirizzo del servizio", address),
    ]


def made_at(generation: str) -> str:
    """When a generation was made, in this computer's time; "" when its name does not say."""
    try:
        moment = datetime.strptime(generation[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return ""
    here = moment.astimezone()
    return f"{here.day} {MONTHS[here.month - 1]} {here.year}, ore {here:%H:%M}"


def _definitions(facts: list[tuple[str, str]]) -> str:
    shown = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return f'<dl class="facts">{shown}</dl>'
