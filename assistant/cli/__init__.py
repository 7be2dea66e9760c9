"""The command `piano`: Italian help; JSON alone on stdout."""

from assistant.cli.main import main

__all__ = ["main"]
