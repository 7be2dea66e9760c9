"""A person's journey through the real UI, in a real browser, over the real API and corpus."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from assistant.api.serve import bind
from ui.launch import command, environment

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SECONDS = 30_000
"""Longest wait for the page, in milliseconds: the machine may be busy."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


running = _load("running")


@pytest.fixture(scope="module")
def ui(bundled_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the real UI over the real API over the bundled corpus."""
    data_dir, home = tmp_path_factory.mktemp("dati") / "copia", tmp_path_factory.mktemp("casa")
    shutil.copytree(bundled_data_dir, data_dir)
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    with running.running_api(data_dir) as api:
        settings = replace(api.settings, ui_port=port)
        child = subprocess.Popen(command(settings), env={**environment(), "HOME": str(home)})
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health")
            yield f"http://127.0.0.1:{port}/"
        finally:
            child.terminate()
            child.wait(15)
    assert list(home.iterdir()) == [], "the UI wrote into the home folder"


def _wait(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(address, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("profilo")),
            executable_path=CHROMIUM,
            env={**os.environ, "HOME": str(tmp_path_factory.mktemp("casa-del-browser"))},
            args=ARGUMENTS,
            locale="it-IT",
            viewport={"width": 1280, "height": 900},
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    page.set_default_timeout(SECONDS)
    yield page
    page.close()


def ask(page: Any, question: str) -> None:
    box = page.get_by_placeholder("Scrivi una domanda")
    box.fill(question)
    box.press("Enter")


def test_a_person_asks_opens_a_citation_asks_again_and_finds_it_after_a_reload(
    ui: str, page: Any
) -> None:
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).hostname or "data"))
    page.goto(ui)
    ask(page, "Chi è il caregiver familiare?")
    number = page.locator(".answer sup a", has_text="[1]").first
    number.wait_for()
    page.get_by_text("Utile", exact=True).wait_for()
    answer = page.locator(".answer").first.inner_text()
    assert page.locator("html").get_attribute("lang") == "it"
    assert page.title() == "Chiedi · Piano"
    assert page.get_by_label("Invia la domanda").count() == 1
    assert page.get_by_text("Vai al contenuto", exact=True).count() == 1
    assert page.get_by_text("Main menu").count() == 0
    page.wait_for_function(
        "document.querySelector('.spoken').textContent.toLowerCase().includes('caregiver')"
    )

    citation = page.locator("[data-testid=stExpander] summary", has_text="[1]").first
    citation.click()
    page.locator(".context mark").first.wait_for()
    opened = page.locator(".citation").first.inner_text()
    title = citation.inner_text().partition("[1] ")[2].rpartition(", pagina")[0]
    assert title
    assert opened.startswith(title)
    assert re.search(r"pagina \d+", opened)
    assert "Sezione:" in opened
    quote = page.locator(".context mark").first.inner_text()
    assert quote.strip()

    with page.expect_popup() as popup:
        number.click()
    printable = popup.value
    assert printable.locator("mark#citazione").inner_text() == quote
    assert printable.locator("html").get_attribute("lang") == "it"
    printable.close()

    ask(page, "e quali norme lo riconoscono?")
    page.locator("[data-testid=stChatMessage]").nth(3).wait_for()
    page.locator(".understood").wait_for()
    page.wait_for_url(re.compile(r"\?c=[0-9a-f]{32}"))

    page.reload()
    page.locator("[data-testid=stChatMessage]").nth(3).wait_for()
    assert page.locator(".answer").first.inner_text() == answer
    assert page.locator(".understood").is_visible()
    assert asked <= {"127.0.0.1", "data"}, asked


def test_words_of_a_document_or_a_person_never_become_markup(ui: str, page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hostile = (
        "<img src=http://127.0.0.1:1/spia.png> ![x](http://127.0.0.1:1/spia.png) **grassetto**"
    )
    page.goto(ui)
    ask(page, hostile)
    page.locator("[data-testid=stChatMessage]").nth(1).get_by_text("Utile").wait_for()
    assert page.locator("[data-testid=stChatMessage]").first.inner_text().strip().endswith(hostile)
    button = page.locator("[data-testid=stSidebar] button", has_text="<img").first
    assert "![x]" in button.inner_text()
    assert not [address for address in asked if "spia" in address]


def test_documents_are_read_page_by_page_and_nothing_is_wider_than_a_phone(
    ui: str, page: Any
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{ui}documenti")
    page.get_by_role("link", name="Guida alla programmazione partecipata").click()
    first = page.locator(".context").inner_text()
    page.get_by_role("button", name="Successiva").click()
    page.wait_for_url(re.compile(r"&p=2$"))
    # The address changes before the page does.
    changed = "first => document.querySelector('.context')?.innerText !== first"
    page.wait_for_function(changed, arg=first)
    page.get_by_text("Numero stampato").wait_for()
    assert page.locator(".context").inner_text() not in ("", first)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
