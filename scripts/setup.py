"""Makes `.venv` with every pinned dependency; does nothing when it is there.

Standard library only: it runs before anything is installed, by whatever Python make found. Steps:
virtual environment, torch (CPU build wherever one is to be had), the rest of requirements.lock,
the project itself. A stamp with a hash of what was asked for makes the next run instant.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "piano-setup.json"
UNFINISHED = VENV / "piano-setup.unfinished"
"""There while packages are being written: an interrupted set-up starts again from an empty venv."""
MINIMUM = (3, 11)
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CPU_INDEX_WAIT_SECONDS = 2.0
UV = "uv==0.13.9"


class SetupError(Exception):
    """The message is Italian and says what to do."""


def say(text: str) -> None:
    print(f"[setup] {text}", file=sys.stderr, flush=True)


def main() -> int:
    if sys.version_info < MINIMUM:
        return _with_newer_python()
    try:
        with _one_at_a_time():
            if _ready():
                return 0
            _set_up()
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Interrotto. Rilancia lo stesso comando: si riparte da un ambiente pulito.")
        return 130
    return 0


def _with_newer_python() -> int:
    """Run again with a newer interpreter when the machine has one."""
    for minor in range(13, MINIMUM[1] - 1, -1):
        newer = shutil.which("python3.%d" % minor)
        if newer and not os.environ.get("PIANO_SETUP_RETRIED"):
            environment = dict(os.environ, PIANO_SETUP_RETRIED="1")
            return subprocess.call([newer, os.path.abspath(__file__)], env=environment)
    say(
        "Serve Python %d.%d o successivo; questo è %s. Su Debian o Ubuntu: "
        "sudo apt install python3.11 python3.11-venv, poi rilancia con "
        "make setup PYTHON=python3.11." % (MINIMUM[0], MINIMUM[1], sys.version.split()[0])
    )
    return 1


class _one_at_a_time:
    """Holds a lock on pyproject.toml, so that two `make` in one folder do not write together."""

    def __enter__(self) -> None:
        self._file = (ROOT / "pyproject.toml").open("rb")
        try:
            import fcntl
        except ImportError:  # Windows has no flock; nothing is lost but the protection
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Un'altra preparazione è in corso in questa cartella: aspetto che finisca.")
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _python() -> Path:
    windows = VENV / "Scripts" / "python.exe"
    return windows if os.name == "nt" else VENV / "bin" / "python"


def _wanted() -> str:
    """Changes when pins, metadata, interpreter or the folder's place change."""
    digest = hashlib.sha256()
    for path in (ROOT / "pyproject.toml", LOCK, Path(__file__)):
        digest.update(path.read_bytes())
    digest.update(f"{sys.version_info[:2]} {ROOT}".encode())
    return digest.hexdigest()


def _ready() -> bool:
    if UNFINISHED.exists() or not _python().exists():
        return False
    command = _python().with_name("piano.exe" if os.name == "nt" else "piano")
    try:
        stamp = json.loads(STAMP.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamp.get("hash") == _wanted()) and command.exists()


def _set_up() -> None:
    _make_venv()
    UNFINISHED.touch()
    try:
        _install_torch()
        _install_locked()
        _install_project()
    except SetupError:
        # The installer itself said no and cleaned up: what is there is whole, and is kept.
        UNFINISHED.unlink(missing_ok=True)
        raise
    STAMP.write_text(json.dumps({"hash": _wanted(), "torch": _torch_version()}), "utf-8")
    UNFINISHED.unlink()
    say("Ambiente pronto in .venv.")


def _make_venv() -> None:
    if UNFINISHED.exists():
        say("La preparazione precedente si è interrotta a metà: rifaccio .venv da capo.")
        shutil.rmtree(VENV)
    elif VENV.exists() and not _works():
        say("La cartella .venv non funziona (Python assente, spostato o vecchio): la rifaccio.")
        shutil.rmtree(VENV)
    if not VENV.exists():
        say("Creo l'ambiente virtuale in .venv.")
        made = _run([sys.executable, "-m", "venv", str(VENV)])
        if made.returncode != 0:
            shutil.rmtree(VENV, ignore_errors=True)
            version = "%d.%d" % sys.version_info[:2]
            raise SetupError(
                "Non riesco a creare l'ambiente virtuale: su Debian e Ubuntu manca di solito il "
                f"pacchetto venv. Installalo con: sudo apt install python{version}-venv\n"
                + _tail(made.stdout)
            )
    if _run([str(_python()), "-m", "pip", "--version"]).returncode != 0:
        say("Nell'ambiente manca pip: lo aggiungo.")
        added = _run([str(_python()), "-m", "ensurepip", "--upgrade"])
        if added.returncode != 0:
            raise SetupError(
                "Nell'ambiente .venv manca pip e non riesco ad aggiungerlo. Installa il pacchetto "
                "(sudo apt install python3-venv python3-pip), cancella .venv e riprova.\n"
                + _tail(added.stdout)
            )


def _works() -> bool:
    """Whether the venv's own interpreter runs and is recent enough."""
    code = f"import sys; sys.exit(sys.version_info < {MINIMUM!r} or sys.prefix == sys.base_prefix)"
    try:
        return subprocess.run([str(_python()), "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False


def _torch_pin() -> str:
    for line in LOCK.read_text("utf-8").splitlines():
        if line.startswith("torch=="):
            return line.partition("+")[0].strip()
    raise SetupError("In requirements.lock manca la riga di torch: rifallo con make lock.")


def _torch_version() -> str:
    code = "import importlib.metadata as m; print(m.version('torch'))"
    result = _run([str(_python()), "-c", code])
    return result.stdout.strip() if result.returncode == 0 else ""


def _install_torch() -> None:
    """A local CPU wheel, else the CPU index if it answers at once, else the default index."""
    pin = _torch_pin()
    present = _torch_version()
    if present.partition("+")[0] == pin.partition("==")[2]:
        say(f"torch {present} c'è già.")
        return
    if _pip_setting("find-links"):
        say("Cerco torch per CPU fra i pacchetti locali indicati a pip (find-links).")
        if _pip("install", "--no-deps", "--no-index", pin).returncode == 0:
            say(f"torch {_torch_version()} preso da un pacchetto locale.")
            return
    if _cpu_index_answers():
        say(f"Scarico torch per CPU da {CPU_INDEX} (circa 200 MB).")
        if _pip("install", "--no-deps", "--index-url", CPU_INDEX, pin).returncode == 0:
            say(f"torch {_torch_version()} preso dall'indice dei pacchetti per CPU.")
            return
    heavy = sys.platform == "linux" and os.uname().machine in ("x86_64", "AMD64")
    say(
        "Nessun pacchetto locale e l'indice di torch per CPU non risponde: prendo torch "
        "dall'indice predefinito."
        + (" Su questo sistema porta con sé CUDA: sono alcuni gigabyte." if heavy else "")
    )
    # With its own dependencies: the CUDA packages are not in the lock, which is made for CPU.
    result = _pip("install", pin, progress=True)
    if result.returncode != 0:
        raise SetupError("Non riesco a installare torch. " + _network_hint(result.stdout))
    say(f"torch {_torch_version()} preso dall'indice predefinito.")


def _cpu_index_answers() -> bool:
    """Asked in a thread, because name resolution does not honour the time-out."""
    import threading
    import urllib.error
    import urllib.request

    answered = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(CPU_INDEX + "/torch/", method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=CPU_INDEX_WAIT_SECONDS) as response:
                if response.status == 200:
                    answered.set()
        except (OSError, urllib.error.URLError, ValueError):
            pass  # no answer is the answer

    threading.Thread(target=ask, daemon=True).start()
    return answered.wait(CPU_INDEX_WAIT_SECONDS)


def _install_locked() -> None:
    """Everything else, exactly as pinned and without resolving; torch's line is left out.

    So no later step can replace the torch that was chosen above.
    """
    wanted = VENV / "piano-requirements.txt"
    lines = LOCK.read_text("utf-8").splitlines()
    wanted.write_text(
        "\n".join(line for line in lines if not line.startswith("torch==")) + "\n", "utf-8"
    )
    say("Installo le altre dipendenze fissate in requirements.lock.")
    uv = _find_uv()
    if uv:
        command = [*uv, "pip", "install", "--no-deps", "--python", str(_python())]
        if _run([*command, "-r", str(wanted)], env=_uv_environment()).returncode == 0:
            return
        say("uv non è riuscito: riprovo con pip, che è più lento.")
    else:
        say("uv non c'è e non riesco ad averlo: uso pip, che è più lento.")
    result = _pip("install", "--no-deps", "-r", str(wanted), progress=True)
    if result.returncode != 0:
        raise SetupError("Non riesco a installare le dipendenze. " + _network_hint(result.stdout))


def _find_uv() -> list[str]:
    module = [str(_python()), "-m", "uv"]
    if _run([*module, "--version"]).returncode == 0:
        return module
    on_path = shutil.which("uv")
    if on_path:
        return [on_path]
    return module if _pip("install", "--retries", "1", "--no-deps", UV).returncode == 0 else []


def _uv_environment() -> dict[str, str]:
    """uv does not read pip's settings: a mirror or a proxy's certificates given to pip serve it."""
    environment = dict(os.environ, UV_NO_PROGRESS="1", UV_LINK_MODE="copy")
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    for ours, theirs in (
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_INDEX"),
        ("find-links", "UV_FIND_LINKS"),
        ("cert", "SSL_CERT_FILE"),
    ):
        value = _pip_setting(ours)
        if value and theirs not in environment:
            separator = "," if theirs == "UV_FIND_LINKS" else " "
            environment[theirs] = separator.join(value.split())
    return environment


def _pip_setting(name: str) -> str:
    """A setting of pip, from its environment variables or its configuration files."""
    value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if value:
        return value
    for scope in ("install", "global"):
        result = _run([str(_python()), "-m", "pip", "config", "get", f"{scope}.{name}"], quiet=True)
        if result.returncode == 0:
            return result.stdout.strip()
    return ""


def _install_project() -> None:
    say("Installo piano.")
    # The locked setuptools builds it: with isolation pip would download another one.
    result = _pip("install", "--no-deps", "--no-build-isolation", "--no-index", "-e", str(ROOT))
    if result.returncode != 0:
        raise SetupError("Non riesco a installare il progetto in .venv.\n" + _tail(result.stdout))


def _pip(*arguments: str, progress: bool = False) -> subprocess.CompletedProcess[str]:
    command = [str(_python()), "-m", "pip", *arguments, "--disable-pip-version-check"]
    if arguments[0] == "install":
        command.append("--no-compile")  # thousands of files of which a run imports a few hundred
    if progress and sys.stderr.isatty():
        done = subprocess.run(command)
        return subprocess.CompletedProcess(command, done.returncode, "", "")
    return _run([*command, "--quiet"])


def _run(
    command: list[str], *, env: dict[str, str] | None = None, quiet: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run to the end; both streams come back in `stdout` (only the first when `quiet`)."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else subprocess.STDOUT,
        text=True,
        errors="replace",
        env=env,
    )


def _network_hint(output: str) -> str:
    return (
        "Controlla la connessione agli indici dei pacchetti (o le impostazioni di pip: "
        "index-url, find-links, proxy) e rilancia lo stesso comando.\n" + _tail(output)
    )


def _tail(output: str, lines: int = 12) -> str:
    return "\n".join(output.strip().splitlines()[-lines:])


if __name__ == "__main__":
    sys.exit(main())
