"""A real headless browser: started, drawn in, and the steps of a training in it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import urlencode

from playwright.sync_api import Browser, Error, Locator, Page, expect, sync_playwright

from cnnlab.drawings.strokes import CANVAS, DRAWN_HEIGHT

SOON = 3_000  # ms
PATIENCE = 60_000  # ms, for a page on a busy machine
# No GPU, and nothing that looks for hosts outside.
CHROMIUM_FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# A camera that shows a moving pattern, and that pages may use.
CAMERA_FLAGS = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
SHORT_EPOCHS = {"architecture": "quick", "epochs": 1000, "train_fraction": 0.2}
SEVEN = [[[0.1, 0.05], [0.4, 0.0], [0.75, 0.03], [0.6, 0.35], [0.45, 0.65], [0.35, 1.0]]]

MOST_TABS = 60
# The focused element's name, and whether it, or what it lies in, looks different for the focus.
FOCUSED = """() => {
  let focused = document.activeElement
  while (focused.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement
  const look = () => {
    const looks = []
    for (let element = focused, depth = 0; element && depth < 5; element = element.parentElement, depth += 1) {
      const { outlineStyle, boxShadow, backgroundColor, borderColor } = getComputedStyle(element)
      looks.push([outlineStyle, boxShadow, backgroundColor, borderColor])
    }
    return JSON.stringify(looks)
  }
  document.head.insertAdjacentHTML("beforeend", "<style id='still'>* { transition: none !important }</style>")
  const within = look()
  focused.blur()
  const without = look()
  focused.focus({ focusVisible: true })
  document.getElementById("still").remove()
  const name = focused.ariaLabel || (focused.matches("main, body") ? "" : focused.innerText) || ""
  return [name.trim().split("\\n").filter(Boolean).map((part) => part.trim()), within !== without]
}"""

expect.set_options(timeout=PATIENCE)


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium of one's own."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*CHROMIUM_FLAGS, *CAMERA_FLAGS, *root])
        yield browser
        browser.close()


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def canvas(page: Page) -> Locator:
    """Where one draws."""
    return page.locator("canvas.upper-canvas").filter(visible=True)


def draw(page: Page, strokes: Sequence[Sequence[Sequence[float]]]) -> None:
    """Replay strokes (longer side 0…1) on the canvas as mouse moves."""
    canvas(page).hover(trial=True)  # stands still
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


def choose(page: Page, label: str, option: str) -> None:
    """Choose in a list, whose options may be numbered."""
    name = re.compile(rf"^(\d+\. )?{re.escape(option)}$")
    opened(page.get_by_role("combobox", name=label), page.get_by_role("option", name=name)).click()


def opened(opener: Locator, inside: Locator) -> Locator:
    """Click on ``opener`` until what it opens is there: it closes again where the page is drawn anew just then."""
    for _ in range(PATIENCE // SOON):
        opener.click()
        with suppress(Error):
            inside.wait_for(timeout=SOON)
            break
    return inside


def agree(shown: Locator, other: Locator) -> None:
    """Wait until both have the same text: each follows the pen in its own time."""
    for _ in range(PATIENCE // SOON):
        with suppress(AssertionError):
            expect(shown).to_have_text(other.inner_text(), timeout=SOON)
            return
    expect(shown).to_have_text(other.inner_text())


def tick(table: Locator, row: int, height: int = 35) -> None:
    """Tick or untick a row of a table, of that height in pixels, once the table stands still."""
    table.click(position={"x": 16, "y": 37 + height * (row + 0.5)})


def tab_to(page: Page, name: str) -> None:
    """Reach a control by the Tab key alone, which must be seen to have the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        parts, is_seen = page.evaluate(FOCUSED)
        if name in parts:
            assert is_seen, f"nothing shows that {name!r} has the focus"
            return
    raise AssertionError(f"{name!r} is not reached within {MOST_TABS} tabs")


def start_training(page: Page, address: str, **settings: object) -> None:
    """Train by a link to settings, by default in short epochs and for longer than any test takes."""
    page.goto(f"{address}/Train?{urlencode({**SHORT_EPOCHS, **settings})}")
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
    await_epoch(page)


def await_epoch(page: Page, epoch: int = 2) -> None:
    """That one, of one digit, or a later one: a few may pass between updates."""
    expect(page.get_by_text(re.compile(rf"Epoch ([{epoch}-9]|\d\d+) of \d+"))).to_be_visible()


def stop_training(page: Page) -> None:
    page.get_by_role("button", name="Stop (keeps all epochs)").click()
    await_verdict(page)


def await_verdict(page: Page) -> None:
    """Until the training is judged."""
    expect(page.get_by_test_id("stMetric").filter(has_text="Test accuracy")).to_be_visible()
