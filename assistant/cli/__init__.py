"""The command `piano`: Italian help and messages, JSON alone on stdout, the rest on stderr."""

from assistant.cli.main import main

__all__ = ["main"]
