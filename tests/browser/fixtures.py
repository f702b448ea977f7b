"""What tests in a browser share: it, a server, and pages whose consoles are listened to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from cnnlab.runs.example import add_example
from tests.browser.browsing import PATIENCE, chromium, launched
from tests.browser.server import server

# Streamlit asks for these below a deep link's path first, then at the root.
HARMLESS = re.compile(r"/_stcore/(health|host-config)$")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the session: its event loop would still run in tests that need their own."""
    if not chromium():
        pytest.skip("no Chromium here: make test finds or installs one")
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def address(runs: Path) -> Iterator[str]:
    with server(runs) as url:
        yield url


@pytest.fixture
def example(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network that comes with the app, among the server's runs."""
    monkeypatch.delenv("CNNLAB_EXAMPLE")
    add_example(runs)


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, each a browser session of its own, and fails the test on anything red in their consoles."""
    complaints: list[str] = []
    contexts = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not HARMLESS.search(str(message.location.get("url", ""))):
            complaints.append(message.text)

    def open_page(width: int = 1440) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 1000})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
