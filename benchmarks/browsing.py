"""The app in a real server and a real headless browser, for the scripts that photograph and measure it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

PATIENCE = 240_000  # ms, for a default training
SEVEN = [(0.3, 0.22), (0.5, 0.18), (0.72, 0.21), (0.62, 0.45), (0.52, 0.65), (0.45, 0.85)]  # shares of the canvas

# Milliseconds from a key or click to the last change of the page, which is then quiet for a while.
_WATCH = """() => {
  let began, last
  const begin = () => { began = last = performance.now() }
  document.addEventListener("pointerdown", begin, { capture: true, once: true })
  document.addEventListener("keydown", begin, { capture: true, once: true })
  // A table tells screen readers its cells inside its canvas, unseen, a while after it has drawn them.
  const isSeen = (record) => !record.target.closest?.("canvas")
  const observer = new MutationObserver((records) => { if (records.some(isSeen)) last = performance.now() })
  observer.observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true })
  window.settled = new Promise((resolve) => {
    const timer = setInterval(() => {
      if (began && performance.now() - last > 800) {
        clearInterval(timer)
        observer.disconnect()
        resolve(last - began)
      }
    }, 50)
  })
}"""


@contextmanager
def server() -> Iterator[tuple[str, Path]]:
    """The app's address and its folder of runs, both gone afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as runs:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"],
            cwd=Path(__file__).parents[1],
            env=os.environ | {"CNNLAB_RUNS": runs},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout
            next(line for line in process.stdout if "URL:" in line)
            yield f"http://localhost:{port}", Path(runs)
        finally:
            process.terminate()
            process.wait()


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of a wide screen."""
    expect.set_options(timeout=PATIENCE)
    flags = ["--disable-gpu", "--disable-background-networking", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM") or None, args=flags)
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


def go(page: Page, name: str) -> None:
    """Switch to the page ``name`` by the menu."""
    page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name, level=1).wait_for()


def settled(page: Page, act: Callable[[], None]) -> float:
    """Milliseconds from the click or key of ``act`` until the page changes no more."""
    page.evaluate(_WATCH)
    act()
    milliseconds: float = page.evaluate("window.settled")
    return milliseconds


def start_training(page: Page, address: str, epochs: int) -> None:
    """Train the default for some epochs."""
    page.goto(f"{address}/Train")
    page.get_by_label("Epochs", exact=True).fill(str(epochs))
    page.get_by_label("Epochs", exact=True).press("Tab")
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()


def await_verdict(page: Page) -> None:
    """Until the training is judged."""
    expect(page.get_by_test_id("stMetric").filter(has_text="Test accuracy")).to_be_visible()


def canvas(page: Page) -> Locator:
    """Where one draws; a cleared canvas stays in the document, hidden."""
    return page.locator("canvas.upper-canvas").filter(visible=True)


def draw_seven(page: Page) -> None:
    """Draw on the canvas with the mouse."""
    canvas(page).wait_for()
    box = canvas(page).bounding_box()
    assert box
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()
