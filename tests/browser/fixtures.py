"""What tests in a browser share: it, a server, and pages whose consoles are listened to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from cnnlab.runs.example import add_example
from tests.browser.browsing import PATIENCE, chromium, launched
from tests.browser.server import server

# Streamlit asks for these below a deep link's path first, then at the root.
HARMLESS = re.compile(r"/_stcore/(health|host-config)$")
# Which chapters were read, what was guessed.
FORGET = "() => { if (location.protocol === 'http:') localStorage.clear() }"


class _Chromium:
    """One browser for all tests in a row that ask for it: its event loop must not run in tests that need their own."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._browser: Browser | None = None
        self._context: BrowserContext | None = None

    def browser(self) -> Browser:
        self._browser = self._browser or self._open.enter_context(launched())
        return self._browser

    def context(self) -> BrowserContext:
        self._context = self._context or self.browser().new_context()
        return self._context

    def close(self) -> None:
        self._browser = self._context = None
        self._open.close()


_CHROMIUM = _Chromium()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """After what the test itself takes down."""
    if "browser" not in getattr(nextitem, "fixturenames", ()):
        _CHROMIUM.close()


@pytest.fixture
def browser() -> Browser:
    if not chromium():
        pytest.skip("no Chromium here: make test finds or installs one")
    return _CHROMIUM.browser()


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def address(runs: Path) -> Iterator[str]:
    """Of a server that trains two networks at once: one whose page was just closed holds up no other."""
    with server(runs, CNNLAB_TRAININGS="2") as url:
        yield url


@pytest.fixture
def example(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network that comes with the app, among the server's runs."""
    monkeypatch.delenv("CNNLAB_EXAMPLE")
    add_example(runs)


@pytest.fixture
def context(browser: Browser) -> BrowserContext:
    """Its pages share what the app's scripts were compiled to, which takes seconds."""
    return _CHROMIUM.context()


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
