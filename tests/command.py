"""The command `piano` as a user starts it: another process, in an empty folder and home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.settings import ENV_PREFIX

COMMAND = [sys.executable, "-m", "assistant.cli"]
LONGEST_SECONDS = 120

FORKS = """
import json, os, sys
import typer, typer._adapters
import assistant.cli
from assistant.cli.main import app

typer.main.get_command(app)

ended = []
for arguments in json.load(sys.stdin):
    streams = {name: os.memfd_create(name) for name in ("out", "err")}
    child = os.fork()
    if not child:
        os.dup2(streams["out"], 1)
        os.dup2(streams["err"], 2)
        sys.argv = ["piano", *arguments]
        assistant.cli.main()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    read = {name: open(os.lseek(fd, 0, 0) or fd, encoding="utf-8") for name, fd in streams.items()}
    ended.append({"code": code, **{name: stream.read() for name, stream in read.items()}})
json.dump(ended, sys.stdout)
"""
"""Importing `piano` costs more than most of its commands: once is enough."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; both streams are strict UTF-8."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The objects on stdout, one for each line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Computer:
    """Empty folders for everything a program might write to; only `data` may fill."""

    folder: Path

    @classmethod
    def new(cls, folder: Path) -> Computer:
        for name in ("home", "tmp", "cwd"):
            (folder / name).mkdir()
        return cls(folder)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith((ENV_PREFIX, "XDG_"))}
        return {
            **kept,
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "PIANO_DATA_DIR": str(self.data),
            "PYTHONPATH": str(Path(__file__).parents[1]),
            **(more or {}),
        }

    def piano(self, *arguments: str | bytes, env: Mapping[str, str] | None = None) -> Ended:
        """Runs to the end; checks that nothing was written outside the data directory."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=self.environment(env),
            cwd=self.folder / "cwd",
            timeout=LONGEST_SECONDS,
            check=False,
        )
        ended = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert self.stray_files() == []
        assert "Traceback" not in ended.err
        return ended

    def together(self, *commands: Sequence[str]) -> list[Ended]:
        """Runs several commands, each in a process forked from one that has imported `piano`."""
        done = subprocess.run(
            [sys.executable, "-c", FORKS],
            input=json.dumps(commands),
            capture_output=True,
            text=True,
            env=self.environment(),
            cwd=self.folder / "cwd",
            timeout=LONGEST_SECONDS,
            check=True,
        )
        assert self.stray_files() == []
        assert "Traceback" not in done.stdout + done.stderr
        return [Ended(**item) for item in json.loads(done.stdout)]

    def stray_files(self) -> list[str]:
        """What was written in the home, temporary and working folders."""
        outside = [p for name in ("home", "tmp", "cwd") for p in (self.folder / name).rglob("*")]
        return [str(path) for path in outside]
