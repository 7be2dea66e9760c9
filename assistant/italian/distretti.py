"""The real districts' names, for reading titles; their list is `distretti.toml`."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

from assistant.italian.analysis import fold


def fold_name(name: str) -> str:
    """A name for comparison: no accents, capitals, punctuation or double blanks."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", fold(name)).split())


@cache
def names_by_form() -> dict[str, str | None]:
    """Folded name or alias → the district's name; None when it stands for several districts."""
    file = resources.files("assistant.italian").joinpath("distretti.toml")
    forms: dict[str, str | None] = {}
    for entry in tomllib.loads(file.read_text(encoding="utf-8"))["distretto"]:
        for form in (entry["name"], *entry.get("aliases", ())):
            folded = fold_name(form)
            taken = folded in forms and forms[folded] != entry["name"]
            forms[folded] = None if taken else entry["name"]
    return forms


@cache
def is_known(name: str) -> bool:
    """Whether a form stands for one or more of the known districts."""
    return fold_name(name) in names_by_form()


@cache
def canonical(name: str) -> str | None:
    """The district that a name or alias stands for; None if unknown or ambiguous."""
    return names_by_form().get(fold_name(name))
