"""State: what is indexed, with which models, and whether the API is ready."""

from __future__ import annotations

import streamlit as st

from ui.client import ApiProblemError, Client
from ui.render import plain


def show(client: Client) -> None:
    st.header("Stato", anchor=False)
    status = client.status()
    try:
        client.ready()
    except ApiProblemError as error:
        st.warning(plain(str(error)))
    else:
        st.success("Pronto a rispondere.")
    if status.writer:
        st.info("È in corso una lettura di documenti: fino alla fine rispondo con l'indice di ora.")
    figures = (
        ("Documenti", status.documents),
        ("Pagine", status.pages),
        ("Passi", status.passages),
        ("Schede", status.schede),
        ("Interventi", status.interventi),
    )
    for column, (name, count) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(name, f"{count:,}".replace(",", "."))
    facts = (
        ("Generazione dell'indice", status.generation or "nessuna"),
        ("Modello di embedding", status.embedding or "nessuno"),
        ("Modello linguistico", status.chat_model or "nessuno: solo frasi testuali"),
        ("Cartella dei dati", status.data_dir),
        ("Spazio su disco", f"{status.disk_bytes / 1e6:.1f} MB".replace(".", ",")),
        ("Indirizzo dell'API", client.address),
    )
    for name, value in facts:
        st.markdown(f"**{name}**: {plain(value)}")
