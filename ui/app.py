"""The Streamlit script: reads the API's address, then opens a room."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import streamlit as st

from assistant.errors import AssistantError
from ui.browser import SCRIPT
from ui.client import Client
from ui.render import told
from ui.style import STYLE
from ui.views import chiedi, documenti, stato

ROOMS: tuple[tuple[str, str, Callable[[Client], None], str], ...] = (
    ("Chiedi", "chiedi", chiedi.show, ":material/forum:"),
    ("Documenti", "documenti", documenti.show, ":material/library_books:"),
    ("Stato", "stato", stato.show, ":material/monitor_heart:"),
)


@st.cache_resource
def connect(address: str) -> Client:
    return Client(address)


def main() -> None:
    # Before the rooms are known: else the browser asks another site for a room's icon.
    st.set_page_config(page_title="Piano", page_icon="📘", layout="centered")
    client = connect(_api_address(sys.argv[1:]))
    pages = [
        st.Page(_room(show, client), title=title, url_path=path, icon=icon, default=not number)
        for number, (title, path, show, icon) in enumerate(ROOMS)
    ]
    room = st.navigation(pages)
    st.set_page_config(page_title=f"{room.title} · Piano")
    st.html(STYLE)
    st.html(SCRIPT, unsafe_allow_javascript=True)
    room.run()


def _room(show: Callable[[Client], None], client: Client) -> Callable[[], None]:
    def room() -> None:
        try:
            show(client)
        except AssistantError as error:
            st.title("Piano", anchor=False)
            st.error(f"**{told(error.title)}**  \n{told(str(error))}")
            st.button("Riprova", icon=":material/refresh:")

    return room


def _api_address(arguments: list[str]) -> str:
    parser = argparse.ArgumentParser()
    parser.add_argument("--api", default="http://127.0.0.1:8600")
    return str(parser.parse_known_args(arguments)[0].api)


main()
