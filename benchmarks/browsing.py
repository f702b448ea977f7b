"""The app in a real server and a real headless browser, for the scripts that measure it or take screenshots."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from benchmarks.schooling import class_server, give_task, join
from cnnlab.learn.chapters import CHAPTERS
from cnnlab.runs.example import add_example
from cnnlab.runs.store import RunStore
from tests.browser.browsing import SEVEN, canvas, draw, launched, start_training
from tests.browser.server import server
from tests.pages.driver import PAGES

PATIENCE = 240_000  # ms, for a default training

# Milliseconds from a key or click to the last change of the page before it is quiet for a while.
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

# Milliseconds from the pen's release to the answer, measured in the page.
_TIME_THE_ANSWER = """() => {
  window.answered = undefined
  document.addEventListener("mouseup", () => { window.lifted = performance.now() }, { capture: true, once: true })
  const observer = new MutationObserver(() => {
    if (document.querySelector("[data-testid=stMetricValue]")) {
      window.answered = performance.now() - window.lifted
      observer.disconnect()
    }
  })
  observer.observe(document.body, { childList: true, subtree: true })
}"""


@contextmanager
def own_server() -> Iterator[tuple[str, Path]]:
    """Start the app; yield its address and its folder of runs, both removed afterwards."""
    with tempfile.TemporaryDirectory() as runs, server(Path(runs), CNNLAB_GRACE_SECONDS="120") as address:
        yield address, Path(runs)


@contextmanager
def browser_page() -> Iterator[Page]:
    """Open a page on a wide screen."""
    expect.set_options(timeout=PATIENCE)
    with launched() as browser:
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.set_default_timeout(PATIENCE)
        yield page


def every_place() -> Iterator[tuple[str, Page]]:
    """Open each page and each chapter of Learn, with the run that comes with the app; yield its name and the page.

    Then those that only a class has: its page as its teacher sees it, and a run's page for visitors.
    """
    places = {name: "" if name == "Home" else name for name in PAGES}
    places |= {f"Learn: {chapter.title}": f"Learn?chapter={name}" for name, chapter in CHAPTERS.items()}
    places |= {"Learn: Glossary": "Learn?chapter=glossary"}
    with own_server() as (address, runs), browser_page() as page:
        add_example(runs)
        for name, path in places.items():
            open_path(page, f"{address}/{path}")
            yield name, page
    yield from places_of_a_class()


def places_of_a_class() -> Iterator[tuple[str, Page]]:
    """Open the page Class, and a run's page for visitors; yield the name of each and the page."""
    with class_server() as (address, runs), browser_page() as page:
        task = give_task(runs)
        run = RunStore(runs).all()[-1]
        run.open_up(True)
        open_path(page, f"{address}/?visit={run.id}")
        yield "A run's page for visitors", page
        join(page, address)
        open_path(page, f"{address}/Class?assignment={task.id}")
        yield "Class", page


def open_path(page: Page, address: str) -> None:
    """Open an address and wait until the page is drawn."""
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def go(page: Page, name: str) -> None:
    """Switch to the page ``name`` by the menu."""
    page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name, level=1).wait_for()


def settled(page: Page, act: Callable[[], None]) -> float:
    """Return the milliseconds from the click or key of ``act`` until the page stops changing."""
    page.evaluate(_WATCH)
    act()
    milliseconds: float = page.evaluate("window.settled")
    return milliseconds


def train(page: Page, address: str, epochs: int, threads: int = 0) -> None:
    """Train Compact on all of the sample's images for ``epochs`` epochs, on ``threads`` threads; 0: as many as pay."""
    start_training(page, address, architecture="compact", epochs=epochs, train_fraction=1, threads=threads)


def draw_seven(page: Page) -> None:
    """Draw on the canvas with the mouse."""
    canvas(page).wait_for()
    draw(page, SEVEN)


def answered(page: Page) -> float:
    """Draw on the empty canvas, wait for the answer and clear it; return the milliseconds from pen-up to the answer."""
    page.evaluate(_TIME_THE_ANSWER)
    draw_seven(page)
    page.wait_for_function("window.answered")
    milliseconds: float = page.evaluate("window.answered")
    page.locator(".st-key-canvas-clear button").click()
    page.get_by_test_id("stMetricValue").wait_for(state="detached")
    expect(canvas(page)).to_have_count(1)  # the old one may fade out
    return milliseconds
