"""A real server and a real headless browser, and drawing in it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from cnnlab.drawings.strokes import CANVAS, DRAWN_HEIGHT
from tests.conftest import ROOT
from tests.processes import interruptible

PATIENCE = 60_000  # ms, for a page on a busy machine
GRACE_SECONDS = 3

# No GPU, and nothing that looks for hosts outside.
CHROMIUM_FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# Streamlit asks for these below a deep link's path first, then at the root.
HARMLESS = re.compile(r"/_stcore/(health|host-config)$")


expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not _chromium():
        pytest.skip("no Chromium here: make test finds or installs one")
    with launched() as browser:
        yield browser


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium of one's own."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=[*CHROMIUM_FLAGS, *root])
        yield browser
        browser.close()


def _chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def started(
    runs: Path, script: str = "app.py", root: Path = ROOT, **settings: str
) -> tuple[subprocess.Popen[str], str]:
    """The process and address of a server of the project in ``root``; ``settings`` are for its environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"CNNLAB_RUNS": str(runs), "CNNLAB_GRACE_SECONDS": str(GRACE_SECONDS)} | settings
    process = subprocess.Popen(
        interruptible("-m", "streamlit", "run", script, "--server.headless=true", f"--server.port={port}"),
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if "URL:" in line:
            break
    return process, f"http://localhost:{port}"


def ended(process: subprocess.Popen[str]) -> str:
    """What a server has said, once it is asked to end and has."""
    process.terminate()
    try:
        return process.communicate(timeout=60)[0]
    finally:
        process.kill()
        process.wait()


@contextmanager
def server(runs: Path, **settings: str) -> Iterator[str]:
    process, url = started(runs, script="app.py", root=ROOT, **settings)
    try:
        yield url
    finally:
        rest = ended(process)
        assert "Traceback" not in rest, rest


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    with server(runs) as url:
        yield url


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


def canvas(page: Page) -> Locator:
    """Where one draws."""
    return page.locator("canvas.upper-canvas").filter(visible=True)


def draw(page: Page, strokes: Sequence[Sequence[Sequence[float]]]) -> None:
    """Replay strokes (longer side 0…1) on the canvas as mouse moves."""
    canvas(page).scroll_into_view_if_needed()
    box = canvas(page).bounding_box()
    assert box
    margin = (CANVAS - DRAWN_HEIGHT) / 2
    for stroke in strokes:
        points = [(box["x"] + margin + x * DRAWN_HEIGHT, box["y"] + margin + y * DRAWN_HEIGHT) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=3)
        page.mouse.up()
