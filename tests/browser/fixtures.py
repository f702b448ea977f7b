"""What tests in a browser share: it, a server, and pages whose consoles are listened to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from cnnlab.runs.example import add_example
from tests.browser.browsing import PATIENCE, chromium, launched
from tests.browser.server import server

# Streamlit asks for these below a deep link's path first, then at the root.
HARMLESS = re.compile(r"/_stcore/(health|host-config)$")
# Which chapters were read.
FORGET = "() => { if (location.protocol === 'http:') localStorage.clear() }"


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
    """Of a server that trains two networks at once: one whose page was just closed holds up no other."""
    with server(runs, CNNLAB_TRAININGS="2") as url:
        yield url


@pytest.fixture(scope="session")
def pictures_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server for pictures of one's own: other tests take their runs from the shared one."""
    with server(tmp_path_factory.mktemp("pictures")) as url:
        yield url


@pytest.fixture
def example(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network that comes with the app, among the server's runs."""
    monkeypatch.delenv("CNNLAB_EXAMPLE")
    add_example(runs)


@pytest.fixture(scope="module")
def context(browser: Browser) -> BrowserContext:
    """Its pages share what the app's scripts were compiled to, which takes seconds."""
    return browser.new_context()


@pytest.fixture
def new_page(context: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Opens pages, each a session of the app's own, and fails the test on anything red in their consoles."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not HARMLESS.search(str(message.location.get("url", ""))):
            complaints.append(message.text)

    def open_page(width: int = 1440) -> Page:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 1000})
        page.set_default_timeout(PATIENCE)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for page in context.pages:
        page.evaluate(FORGET)
        page.close()
    assert not complaints
