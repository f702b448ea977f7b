"""The main journeys in a real headless browser, against a real server."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from playwright.sync_api import Page, expect

from cnnlab.analysis.activations import look
from cnnlab.data.loading import load_test
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import parse_config
from tests.browser.browsing import (
    SEVEN,
    await_verdict,
    choose,
    draw,
    start_training,
    stop_training,
    tab_to,
    tick,
)
from tests.trainings import TWO_EPOCHS, Shelf, copied

# The slider follows no more: an epoch has come that it does not stand at.
BEHIND = """() => {
  const slider = document.querySelector("[data-testid=stSlider] input")
  const newest = slider?.ariaLabel?.match(/(\\d+) of 1000 trained so far/)
  return newest && Number(slider.ariaValueText) < Number(newest[1])
}"""
LONG = 240_000  # ms, for four epochs of the default on a busy machine


@pytest.fixture(scope="module")
def kept(runs: Path, finished_run: Run) -> Run:
    """One to look at, among those of the server."""
    return Run(Path(copytree(finished_run.folder, runs / finished_run.id)))


def curve_points(page: Page) -> int:
    """Points of the loss curve's batch line that the chart holds."""
    return int(page.locator(".live-chart").first.evaluate("chart => chart.data?.[0].x.length ?? 0"))


def answer(page: Page) -> str:
    return page.get_by_test_id("stMetricValue").inner_text()


def metric(page: Page, label: str) -> str:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue").inner_text()


THREE = [
    [[0.1, 0.1], [0.35, 0.0], [0.6, 0.12], [0.55, 0.35], [0.3, 0.45], [0.6, 0.58], [0.65, 0.82], [0.4, 1.0], [0.1, 0.9]]
]


def test_from_home_to_a_digit_named(address: str, runs: Path, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(address)
    page.get_by_role("button", name="Train a network now").click()

    expect(page.get_by_text("Epoch", exact=False).first).to_be_visible()
    page.wait_for_function("document.querySelector('.live-chart')?.data?.[0].x.length >= 3")
    early = curve_points(page)
    page.wait_for_function(f"document.querySelector('.live-chart').data[0].x.length > {early}")
    expect(page.get_by_text(re.compile(r"Epoch ([5-9]|[1-3]\d) of 38"))).to_be_visible(timeout=LONG)
    stop_training(page)
    run = RunStore(runs).all()[0]
    assert metric(page, "Test accuracy") == f"{run.summary.test_accuracy:.1%}"

    page.get_by_test_id("stSidebar").get_by_role("link", name="Draw").click()
    for strokes, name in ((SEVEN, "7"), (THREE, "3")):
        page.locator("canvas.upper-canvas").wait_for()
        expect(page.get_by_text("Draw: it answers while the pen moves")).to_be_visible()
        expect(page.locator(".st-key-canvas-undo button")).to_be_disabled()
        draw(page, strokes)
        expect(page.get_by_test_id("stMetricValue")).to_have_text(name)
        page.locator(".st-key-canvas-clear button").click()


def test_from_training_to_a_digit_named_and_explained_by_keyboard_alone(
    address: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(f"{address}/Train?architecture=quick&epochs=1&train_fraction=0.5")
    expect(page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True)).to_be_enabled()
    tab_to(page, "Help")  # beyond the menu
    tab_to(page, "Train")
    page.keyboard.press("Enter")
    await_verdict(page)
    tab_to(page, "Draw a digit")
    page.keyboard.press("Enter")
    expect(page.locator("canvas.upper-canvas")).to_have_accessible_name(re.compile("Drawing canvas"))
    tab_to(page, "Examples")
    page.keyboard.press("Enter")
    tab_to(page, "7")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stMetricValue")).to_be_visible()
    page.keyboard.press("Escape")
    tab_to(page, "Why")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Inside")).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_role("img").first).to_be_visible()


def test_a_training_goes_on_while_its_chart_is_zoomed_its_page_reloaded_and_others_follow_it(
    address: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    start_training(page, address)
    zoom_and_reload(page)
    expect(page.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
    to_page(page, "Inside")
    see_filters_change(page)
    to_page(page, "Draw")
    see_answers_change(page)
    to_page(page, "Train")
    stop_training(page)


def to_page(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def zoom_and_reload(page: Page) -> None:
    """The chart keeps its zoom as points come, and has all of them again once it missed some or was reloaded."""
    page.wait_for_function("document.querySelector('.live-chart')?.data?.[0].x.length >= 3")
    page.evaluate("Plotly.relayout(document.querySelector('.live-chart'), {'xaxis.range': [0.5, 2]})")
    early = curve_points(page)
    page.wait_for_function(f"document.querySelector('.live-chart').data[0].x.length > {early}")
    chart = page.locator(".live-chart").first
    assert chart.evaluate("chart => chart.layout.xaxis.range") == [0.5, 2]
    first = chart.evaluate("chart => chart.data[0].x[0]")
    chart.evaluate("chart => { chart.figure.data[0].x.length = 1; chart.version = 'missed' }")  # it asks for all
    page.wait_for_function(f"document.querySelector('.live-chart').data[0].x.length > {early + 1}")
    assert chart.evaluate("chart => chart.data[0].x[0]") == first
    page.reload()
    page.wait_for_function(f"document.querySelector('.live-chart')?.data?.[0].x.length > {early + 1}")
    assert chart.evaluate("chart => chart.data[0].x[0]") == first


def see_filters_change(page: Page) -> None:
    """From epoch 0 to the last one, and with each new one where they follow."""
    expect(page.get_by_text("after epoch", exact=False).first).to_be_visible()
    page.get_by_text("Follow", exact=True).click()
    page.wait_for_function(BEHIND)
    slider = page.get_by_role("slider")
    slider.focus()
    slider.press("Home")
    expect(page.get_by_text("weights after epoch 0,", exact=False)).to_be_visible()
    untrained = filter_weights(page)
    slider.press("End")
    expect(page.get_by_text("weights after epoch 0,", exact=False)).to_be_hidden()
    assert filter_weights(page) != untrained
    page.get_by_text("Follow", exact=True).click()
    newest = page.get_by_text("weights after epoch", exact=False).first.inner_text()
    expect(page.get_by_text("weights after epoch", exact=False).first).not_to_have_text(newest)


def see_answers_change(page: Page) -> None:
    draw(page, SEVEN)
    epoch = page.get_by_text(" of 1000")
    expect(epoch).to_be_visible()
    first = epoch.inner_text()
    expect(epoch).not_to_have_text(first)


def test_two_sessions_see_only_their_own_training_and_one_that_nobody_watches_is_stopped_and_kept(
    address: str, runs: Path, new_page: Callable[..., Page]
) -> None:
    first, second = new_page(), new_page()
    for page in (first, second):
        start_training(page, address)
    assert first.url != second.url
    stop_training(first)
    expect(second.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
    run = RunStore(runs).open(second.url.partition("run=")[2])
    second.close()
    first.goto(f"{address}/Train")  # a page of another session does not count as watching
    for _ in range(120):
        if run.summary.status == "stopped":
            break
        first.wait_for_timeout(250)
    assert run.summary.status == "stopped"
    assert run.history().epochs


def test_two_runs_are_compared_class_by_class_down_to_the_images_they_differ_on(
    address: str, runs: Path, new_page: Callable[..., Page]
) -> None:
    for config in (TWO_EPOCHS, parse_config({"architecture": "quick", "epochs": 2})):
        copied(Shelf.run(config), RunStore(runs))
    page = new_page()
    page.goto(f"{address}/Compare")
    expect(page.get_by_text("selected: 2")).to_be_visible()
    tick(page.get_by_test_id("stDataFrame").first, row=1)
    expect(page.get_by_text("selected: 1")).to_be_visible()
    tick(page.get_by_test_id("stDataFrame").first, row=1)
    expect(page.get_by_text("selected: 2")).to_be_visible()
    page.reload()
    expect(page.get_by_text("selected: 2")).to_be_visible()

    page.get_by_text("Each class", exact=True).click()
    expect(page.get_by_test_id("stDataFrame")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).first.click()
    rows = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(rows) == 11
    assert rows[0].startswith("Class,")

    expect(page.get_by_role("heading", name="Where they differ")).to_be_visible()
    click_first_tile(page)
    expect(page.get_by_text(re.compile(r"Test image \d+, a"))).to_have_count(2)
    page.get_by_role("button", name="Attribution").first.click()
    expect(page.get_by_role("heading", name="Inside")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Test image \d+, a"))).to_be_visible()


def test_a_click_on_a_map_shows_its_filter_and_what_excites_it(
    address: str, kept: Run, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(f"{address}/Inside?run={kept.id}")
    page.get_by_role("radio", name="Sees", exact=True).click()
    page.get_by_text("Feature maps", exact=True).click()
    chart = page.get_by_test_id("stPlotlyChart").first
    chart.locator(".heatmaplayer image").wait_for()
    click_first_tile(page)
    expect(page.get_by_role("heading", name="Map 0 of conv1")).to_be_visible()
    expect(page.get_by_text("What excites it most", exact=False)).to_be_visible()

    page.get_by_text("Layer by layer", exact=True).click()
    tile = page.locator("[data-name=conv2] .strip-tile").first
    tile.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    chosen = page.locator(".strip-tile[aria-pressed=true]")
    layer, unit = str(chosen.get_attribute("data-map")).split("/")
    expect(page.get_by_role("heading", name=f"Map {unit} of {layer}")).to_be_visible()
    page.locator(".window-stage").focus()
    page.keyboard.press("Control+Home")
    value = f"{first_value(kept, layer, int(unit)):.3f}".replace("-", "−")
    expect(page.locator(".window-told")).to_contain_text(f"Output row 1 of 14, column 1 of 14: {value}, of")
    expect(page.locator(".window-sum strong")).to_contain_text(value)
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator(".window-stage")).to_be_hidden()
    page.set_viewport_size({"width": 420, "height": 900})
    expect(page.locator(".strip-frame")).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth <= main.clientWidth")


def first_value(run: Run, layer: str, unit: int) -> float:
    """What a map has in its upper left corner for the image that Inside shows first."""
    trained, split = load_trained(run), load_test(run.config.dataset)
    image = split.image(int((split.labels == 0).nonzero()[0]))[None]
    return float(look(trained.network, trained.inputs(image))[layer].after[0, unit, 0, 0])


def test_a_layout_of_many_images_shows_progress_can_be_cancelled_and_opens_an_image(
    address: str, kept: Run, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(f"{address}/Inside?run={kept.id}")
    page.get_by_role("radio", name="Sees", exact=True).click()
    page.get_by_text("Embedding", exact=True).click()
    page.locator(".point-cloud .scatterlayer .point").first.wait_for()
    image = page.locator(".point-cloud-image")
    expect(image).to_be_hidden()
    first = page.locator(".point-cloud .scatterlayer .point").first
    first.hover(force=True)  # scrolls there; what it lies below takes the pointer for it
    expect(image).to_be_visible()
    point, shown = first.bounding_box(), image.bounding_box()
    assert point
    assert shown
    assert abs(shown["x"] - point["x"]) < 200  # beside the pointer
    loop = "{points: [{customdata: 3}, {customdata: 5}]}"
    page.evaluate(f"document.querySelector('.point-cloud').emit('plotly_selected', {loop})")
    expect(page.get_by_text("2 images in the loop.")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("draw a loop around points", exact=False)).to_be_visible()
    page.evaluate("document.querySelector('.point-cloud').emit('plotly_click', {points: [{customdata: 3}]})")
    expect(page.get_by_text("Test image 4, a", exact=False)).to_be_visible()

    choose(page, "Method", "t-SNE")
    page.get_by_role("button", name="Compute layout").click()
    expect(page.get_by_text("Computing the layout", exact=True)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Compute layout")).to_be_visible()

    page.get_by_role("button", name="Attribution").click()
    expect(page.get_by_text("Can this map be trusted?")).to_be_visible()
    expect(page.get_by_text("Test image 4, a", exact=False)).to_be_visible()


def filter_weights(page: Page) -> str:
    """The first chart's numbers, once it is drawn."""
    chart = "document.querySelector('[data-testid=stPlotlyChart] .js-plotly-plot')?._fullData"
    return str(page.wait_for_function(f"{chart} && JSON.stringify(Array.from({chart}[0].z[0]))").json_value())


def click_first_tile(page: Page) -> None:
    """The middle of tile 0, where the chart itself says it is."""
    page.wait_for_function("document.querySelector('[data-testid=stPlotlyChart] .js-plotly-plot')?._fullData?.[1]")
    page.get_by_test_id("stPlotlyChart").first.scroll_into_view_if_needed()
    x, y = page.evaluate("""() => {
      const chart = document.querySelector("[data-testid=stPlotlyChart] .js-plotly-plot")
      const { xaxis, yaxis } = chart._fullLayout
      const box = chart.getBoundingClientRect()
      const tiles = chart._fullData[1]
      return [box.left + xaxis._offset + xaxis.d2p(tiles.x[0]), box.top + yaxis._offset + yaxis.d2p(tiles.y[0])]
    }""")
    page.mouse.move(x, y)
    page.mouse.click(x, y)
