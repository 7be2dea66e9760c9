"""Takes docs/img/chiedi.png: the UI with a real answer. Needs Chromium.

`python scripts/screenshot.py [FILE] [--question DOMANDA]`: starts API and UI on free ports over a
temporary data directory, asks, opens the first citation, and stops everything.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
QUESTION = "Quando è stato approvato il Piano sociale e sanitario regionale 2017-2019?"
SECONDS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "docs/img/chiedi.png")
    parser.add_argument("--question", default=QUESTION)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ports = free_port(), free_port()
        environment = {
            **os.environ,
            "PIANO_DATA_DIR": str(Path(folder) / "data"),
            "PIANO_API_PORT": str(ports[0]),
            "PIANO_UI_PORT": str(ports[1]),
            "HOME": folder,
        }
        subprocess.run(
            [*piano(), "ingest"], env=environment, check=True, cwd=ROOT, stdout=subprocess.DEVNULL
        )
        children = [
            subprocess.Popen([*piano(), name], env=environment, cwd=ROOT) for name in ("api", "ui")
        ]
        try:
            wait(f"http://127.0.0.1:{ports[0]}/ready")
            wait(f"http://127.0.0.1:{ports[1]}/_stcore/health")
            arguments.file.parent.mkdir(parents=True, exist_ok=True)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch_persistent_context(
                    str(Path(folder) / "profile"),
                    executable_path=arguments.chromium,
                    args=ARGUMENTS,
                    locale="it-IT",
                    viewport={"width": 1200, "height": 960},
                )
                page = browser.new_page()
                page.set_default_timeout(SECONDS * 1000)
                take(page, f"http://127.0.0.1:{ports[1]}/", arguments.question, arguments.file)
                browser.close()
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait(20)
    print(f"{arguments.file}: {arguments.file.stat().st_size // 1000} kB")


def take(page: Page, address: str, question: str, file: Path) -> None:
    page.goto(address)
    box = page.get_by_placeholder("Scrivi una domanda")
    box.fill(question)
    box.press("Enter")
    page.locator("[data-testid=stExpander] summary", has_text="[1]").first.click()
    page.locator(".context mark").first.wait_for()
    time.sleep(1)  # the opening of the box is animated
    page.mouse.move(700, 300)
    page.mouse.wheel(0, -20_000)
    time.sleep(1)
    page.screenshot(path=str(file))


def piano() -> list[str]:
    return [sys.executable, "-m", "assistant.cli"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(address: str) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(address, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise SystemExit(f"{address} does not answer")


if __name__ == "__main__":
    main()
