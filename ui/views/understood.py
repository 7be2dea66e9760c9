"""Below an answer: how the question was read, and the ways to have it read otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st

from assistant.models import Message, Pin
from ui.client import Client
from ui.render import plain
from ui.views.sidebar import filter_options, use_filter


class Choices(NamedTuple):
    """How the next question is to be read."""

    exact: bool = False
    ignore: tuple[str, ...] = ()


def show_also(message: Message) -> None:
    """The other words searched, in one line."""
    if also := message.answer.understood.also_searched:
        st.caption("Ho cercato anche: " + plain(", ".join(also)))


def show_choices(client: Client, message: Message) -> None:
    """Chips of what the question names, each to be taken away or made a filter, and the switch."""
    understood = message.answer.understood
    with st.container(horizontal=True, vertical_alignment="center"):
        for key, pins in _by_key(understood.pins).items():
            label = ", ".join(pin.label for pin in pins)
            st.button(
                plain(f"{key}: {label} ✕"),
                key=f"unpin-{message.id}-{key}",
                help=plain(f"Rifà la domanda senza preferire {key} {label}"),
                on_click=_again,
                args=(message, Choices(understood.exact, (*understood.ignored, key))),
            )
            if values := _values(pins, filter_options(client).get(key, [])):
                st.button(
                    plain(f"Usa {label} come filtro"),
                    key=f"filter-by-{message.id}-{key}",
                    type="tertiary",
                    icon=":material/filter_alt:",
                    help=plain(f"Rifà la domanda cercando solo in {key} {label}"),
                    on_click=_filter,
                    args=(message, key, values),
                )
    if understood.ignored:
        st.caption("Senza preferenza per: " + plain(", ".join(understood.ignored)))
    st.toggle(
        "Cerca solo le mie parole",
        value=understood.exact,
        key=f"exact-{message.id}",
        help="Rifà la domanda senza altre parole, correzioni o traduzioni",
        on_change=_again,
        args=(message, Choices(not understood.exact, understood.ignored)),
    )


def take_choices(latest: Message | None) -> Choices:
    """Those of the button just pressed; else searching exactly lasts, what was taken away not."""
    chosen: Choices | None = st.session_state.pop("choices", None)
    if chosen is not None:
        return chosen
    return Choices(exact=latest is not None and latest.answer.understood.exact)


def _again(message: Message, choices: Choices) -> None:
    # As it was understood, because it may lean on questions before it.
    st.session_state["waiting"] = message.answer.understood_as
    st.session_state["choices"] = choices


def _filter(message: Message, key: str, values: list[Any]) -> None:
    use_filter(key, values)
    understood = message.answer.understood
    _again(message, Choices(understood.exact, understood.ignored))


def _by_key(pins: Sequence[Pin]) -> dict[str, list[Pin]]:
    found: dict[str, list[Pin]] = {}
    for pin in pins:
        found.setdefault(pin.key, []).append(pin)
    return found


def _values(pins: Sequence[Pin], options: Sequence[Any]) -> list[Any]:
    """What the filter can be set to: those of its options that the pins stand for."""
    wanted: set[Any] = set()
    for pin in pins:
        first, _, last = pin.value.partition("-")
        if pin.key == "anno":
            wanted |= set(range(int(first), int(last or first) + 1))
        else:
            wanted.add(pin.value)
    return [option for option in options if option in wanted]
