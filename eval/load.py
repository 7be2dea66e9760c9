"""A long PDF made of the bundled ones, and the memory that a command takes to read it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from assistant.errors import AssistantError

_SAMPLE_SECONDS = 0.05
_MEGABYTE = 1024.0
"""Kilobytes, which /proc counts in."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command printed, how long it took, and the most memory (MB, resident) it held."""

    output: str
    seconds: float
    largest_process: float | None
    """Peak of the process that held most; None where there is no /proc."""
    all_processes: float | None
    """Peak of the sum at one moment; pages that processes share count in each."""


def write_long_pdf(target: Path, folder: Path, pages: int) -> None:
    """Pages of the PDFs in `folder`, over and over in the order of their names, to `target`."""
    import pypdf

    readers = [pypdf.PdfReader(path) for path in sorted(folder.glob("*.pdf"))]
    if not any(reader.pages for reader in readers):
        raise AssistantError(f"Nessun PDF in {folder}.", remedy="Indica una cartella di PDF.")
    writer = pypdf.PdfWriter()
    for reader in cycle(readers):
        left = pages - len(writer.pages)
        if left <= 0:
            break
        count = min(left, len(reader.pages))
        writer.append(reader, pages=(0, count), import_outline=False)
    with target.open("wb") as file:
        writer.write(file)


def run_measured(
    command: Sequence[str],
    timeout: float,
    accepted: Sequence[int],
    env: Mapping[str, str] | None = None,
) -> Measured:
    """Run a command to its end, looking at the memory of it and of its children."""
    started = time.perf_counter()
    largest = total = 0.0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env
    ) as process:
        while True:
            try:
                output, _ = process.communicate(timeout=_SAMPLE_SECONDS)
                break
            except subprocess.TimeoutExpired:
                if time.perf_counter() - started > timeout:
                    process.kill()
                    raise AssistantError(f"Il comando supera {timeout:.0f} secondi.") from None
            held = [_memory(pid) for pid in _family(process.pid)]
            largest = max([largest, *(peak for _, peak in held)])
            total = max(total, sum(now for now, _ in held))
    if process.returncode not in accepted:
        raise AssistantError(f"Il comando è finito con codice {process.returncode}.")
    seconds = time.perf_counter() - started
    return Measured(output, seconds, largest or None, total or None)


def peak_memory(pid: int) -> float | None:
    """Most memory (MB, resident) that a running process has held; None where there is no /proc."""
    return _memory(pid)[1] or None


def _family(pid: int) -> list[int]:
    """A process and all below it; nothing where there is no /proc."""
    family = [pid]
    for parent in family:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                family += map(int, children.read_text().split())
            except OSError:  # it ended meanwhile
                continue
    return family


def _memory(pid: int) -> tuple[float, float]:
    """Resident memory of a process now and at its peak, in MB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0, 0.0
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    now, peak = (int(fields.get(name, "0").split()[0]) for name in ("VmRSS", "VmHWM"))
    return now / _MEGABYTE, peak / _MEGABYTE
