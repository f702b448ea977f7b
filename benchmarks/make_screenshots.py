"""Takes the README's screenshots of the running app: make screenshots.

``python -m benchmarks.make_screenshots class`` takes that of Class alone.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from benchmarks.browsing import browser_page, draw_seven, go, own_server, train
from benchmarks.schooling import class_server, give_task, join
from cnnlab.data.folders import data_folder
from cnnlab.networks.designs import to_link
from cnnlab.networks.presets import PRESETS
from tests.browser.browsing import await_verdict

DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    """Take all of them, or that of Class alone."""
    if sys.argv[1:] != ["class"]:
        _pages()
    _class()


def _pages() -> None:
    """Train twice and sweep in a new folder, and take a screenshot of every page."""
    with own_server() as (address, _), browser_page() as page:
        page.goto(address)
        expect(page.locator(".pen-why")).to_have_text("Draw: it answers while the pen moves.")
        draw_seven(page)
        page.mouse.move(0, 0)
        _shoot(page, "home")
        _learn(page, address)
        _data(page, address)
        _design(page, address)
        page.goto(address)
        page.get_by_role("button", name="Train a network now").click()
        expect(page.get_by_text(re.compile(r"Epoch (1[89]|2\d) of"))).to_be_visible()  # a few pass between updates
        _shoot(page, "train")
        await_verdict(page)
        _inside(page)
        _evaluate(page)
        _draw(page)
        train(page, address, epochs=4)
        await_verdict(page)
        _compare(page)
        _sweep(page)


def _inside(page: Page) -> None:
    go(page, "Inside")
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    page.get_by_role("radio", name="Sees", exact=True).click()
    page.get_by_text("Feature maps", exact=True).click()
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    _shoot(page, "inside", height=1250)
    page.get_by_role("radio", name="Why", exact=True).click()
    page.get_by_text("Attribution", exact=True).click()
    expect(page.get_by_text("Can this map be trusted?")).to_be_visible()
    _shoot(page, "attribution", height=1250)
    page.get_by_role("radio", name="Sees", exact=True).click()
    page.get_by_text("Embedding", exact=True).click()
    page.locator(".point-cloud .scatterlayer .point").first.wait_for()
    _shoot(page, "embedding", height=1250)


def _evaluate(page: Page) -> None:
    go(page, "Evaluate")
    page.get_by_text("Confusion", exact=True).click()
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    _shoot(page, "evaluate", height=1150)


def _draw(page: Page) -> None:
    go(page, "Draw")
    draw_seven(page)
    page.mouse.move(0, 0)
    expect(page.get_by_test_id("stMetricValue")).to_be_visible()
    page.get_by_text("Strokes", exact=True).click()
    expect(page.get_by_text("Strongest first.", exact=False)).to_be_visible()
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
    _shoot(page, "draw", height=1500)


def _compare(page: Page) -> None:
    go(page, "Compare")
    page.get_by_text("Each class", exact=True).click()
    expect(page.get_by_role("heading", name="Where they differ")).to_be_visible()
    _shoot(page, "compare", height=1900)


def _sweep(page: Page) -> None:
    go(page, "Sweep")
    for label, value in (("Trials", "12"), ("Epochs each", "2")):
        page.get_by_label(label, exact=True).fill(value)
        page.get_by_label(label, exact=True).press("Tab")
    page.get_by_role("button", name="Start sweep").click()
    expect(page.get_by_text("12 of 12 trials")).to_be_visible()
    page.get_by_text("Slices", exact=True).click()
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    _shoot(page, "sweep", height=1150)


def _class() -> None:
    with class_server() as (address, runs), browser_page() as page:
        task = give_task(runs)
        join(page, address)
        page.goto(f"{address}/Class?assignment={task.id}")
        expect(page.get_by_test_id("stPlotlyChart")).to_contain_text("Ada")
        _shoot(page, "class", height=1100)


def _learn(page: Page, address: str) -> None:
    page.goto(f"{address}/Learn?chapter=convolution")
    expect(page.locator(".window-told")).to_contain_text("row")
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    _shoot(page, "learn", height=1500)


def _data(page: Page, address: str) -> None:
    """Add the photos that lie beside the real data sets."""
    page.goto(f"{address}/Data")
    page.get_by_text("Add your own pictures").click()
    page.locator("input[type=file]").set_input_files(data_folder() / "cifar10_images.zip")
    page.get_by_label("Name", exact=True).fill("Small photos")
    page.get_by_label("Name", exact=True).press("Tab")
    page.get_by_test_id("stMain").get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("18,000 pictures added")).to_be_visible()
    page.get_by_text("Findings", exact=True).click()
    page.get_by_text("Labels worth a look", exact=False).click()
    expect(page.get_by_text("Compared with the other pictures", exact=False)).to_be_visible()
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
    _shoot(page, "data", height=1150)


def _design(page: Page, address: str) -> None:
    page.goto(f"{address}/Design?design={to_link(PRESETS['small-resnet'])}")
    page.get_by_role("option").filter(has_text="block3").first.click()
    expect(page.get_by_text("An estimate:", exact=False)).to_be_visible()
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
    _shoot(page, "design", height=1400)


def _shoot(page: Page, name: str, height: int = 1000) -> None:
    page.set_viewport_size({"width": 1440, "height": height})
    page.wait_for_timeout(1500)  # pictures and fonts fade in
    page.screenshot(path=DOCS / "images" / f"{name}.png")
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    main()
