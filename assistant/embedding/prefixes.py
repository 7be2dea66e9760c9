"""Which prefixes a model gets: the setting's, its own, or those that its family wants.

Models that want prefixes and get none answer worse in silence, so nobody should have to know.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from assistant.embedding.protocol import Prefixes

NONE = "none"
"""Value of a prefix setting that means no prefix, whatever the model or its family want."""


class Family(NamedTuple):
    """Models known by the last part of their name, in small letters."""

    pattern: str
    """For fnmatch."""
    prefixes: Prefixes


FAMILIES = (
    # Cards of intfloat/multilingual-e5-large-instruct and intfloat/e5-mistral-7b-instruct: one
    # sentence of instruction before the query, nothing before the passage.
    Family(
        "*e5-*-instruct*",
        Prefixes(
            "Instruct: Given a web search query, retrieve relevant passages that answer the query\n"
            "Query: "
        ),
    ),
    # Cards of intfloat/e5-* and intfloat/multilingual-e5-*: wanted also in other languages.
    Family("*e5-small*", Prefixes("query: ", "passage: ")),
    Family("*e5-base*", Prefixes("query: ", "passage: ")),
    Family("*e5-large*", Prefixes("query: ", "passage: ")),
    # Card of BAAI/bge-m3: unlike the earlier BGE models it wants no instruction.
    Family("*bge-m3*", Prefixes()),
    # Cards of nomic-ai/nomic-embed-text-*.
    Family("*nomic-embed-text*", Prefixes("search_query: ", "search_document: ")),
)
"""The first pattern that fits decides. A model in no row, that declares no prompts, gets none."""


def choose(wanted: Prefixes, own: Prefixes, names: Iterable[str]) -> Prefixes:
    """The prefixes to use.

    `wanted` are the settings, `own` what the model declares, `names` how the model is called. The
    family is looked at only when the model declares nothing at all: a model with a prompt for
    queries alone means that passages have none.
    """
    known = own if any(own) else of_family(names)
    return Prefixes(*map(_chosen, wanted, known))


def of_family(names: Iterable[str]) -> Prefixes:
    """Those of the first name that a family knows."""
    for name in names:
        for family in FAMILIES:
            if fnmatchcase(name.rpartition("/")[2].lower(), family.pattern):
                return family.prefixes
    return Prefixes()


def names_of(model: str, folder: Path) -> list[str]:
    """What a model may be called: by the setting, its folder, its hub, its own configuration.

    `folder` may be a hub's copy (`models--author--name/snapshots/revision`), or one that somebody
    called as they liked after saving a model that remembers where it came from.
    """
    parts = folder.resolve().parts
    names = [model, *parts[-1:]]
    names += [part.rpartition("--")[2] for part in parts if part.startswith("models--")]
    try:
        config = json.loads((folder / "config.json").read_bytes())
        names.append(str(config.get("_name_or_path", "")))
    except (OSError, ValueError, AttributeError):
        pass
    return names


def _chosen(setting: str, known: str) -> str:
    if setting.strip().lower() == NONE:
        return ""
    return setting or known
