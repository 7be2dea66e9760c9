"""The prompts for the chat model, in Italian, one file each."""

from __future__ import annotations

from importlib import resources


def read_prompt(name: str) -> str:
    """The text of `<name>.txt`."""
    return resources.files(__name__).joinpath(f"{name}.txt").read_text("utf-8").strip()
