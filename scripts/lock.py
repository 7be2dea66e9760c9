"""Writes requirements.lock: every package, pinned for Linux, CPU.

torch is written without its `+cpu` label, which only CPU sources carry: scripts/setup.py chooses
where torch comes from, and the plain version accepts both builds.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import setup  # noqa: E402  (a script beside this one, not the package of that name)

NOT_PACKAGES = re.compile(r"^(nvidia|cuda|triton)[\w-]*==")
"""What CUDA's torch brings; left out because the lock is for the CPU build."""


def main() -> int:
    uv = setup._find_uv()
    if not uv:
        setup.say("Per rifare requirements.lock serve uv, e non riesco ad averlo: pip install uv.")
        return 1
    command = [*uv, "pip", "compile", "pyproject.toml", "--extra", "dev", "--quiet"]
    command += ["--python-version", "3.11", "--no-header"]
    if setup._cpu_index_answers():
        command += ["--torch-backend", "cpu"]
    else:
        setup.say("L'indice di torch per CPU non risponde: tolgo dal risultato i pacchetti CUDA.")
    done = subprocess.run(
        command, cwd=ROOT, env=setup._uv_environment(), capture_output=True, text=True
    )
    if done.returncode != 0:
        setup.say("uv non riesce a risolvere le dipendenze.\n" + done.stderr)
        return 1
    setup.LOCK.write_text(without_cuda(done.stdout), "utf-8")
    setup.say("requirements.lock riscritto.")
    return 0


def without_cuda(lock: str) -> str:
    """The lock without CUDA's packages, their comments, and torch's local version."""
    kept: list[str] = []
    skipping = False
    for line in lock.splitlines():
        if not line.startswith(" "):
            skipping = bool(NOT_PACKAGES.match(line))
        if not skipping:
            kept.append(re.sub(r"^(torch==[\d.]+)\+\w+", r"\1", line))
    return "\n".join(kept) + "\n"


if __name__ == "__main__":
    sys.exit(main())
