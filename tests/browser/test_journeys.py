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
from cnnlab.jobs.sweep import SweepStore
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained
from tests.browser.browsing import (
    SEVEN,
    await_epoch,
    await_verdict,
    choose,
    draw,
    start_training,
    stop_training,
    tab_to,
    tick,
)
from tests.browser.server import server, started

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


def test_the_chart_keeps_its_zoom_while_it_trains(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    start_training(page, address)
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
    stop_training(page)


def test_reload_and_page_switch_find_the_training_again(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    start_training(page, address)
    page.reload()
    expect(page.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Inside").click()
    expect(page.get_by_role("heading", name="Inside")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Train").click()
    expect(page.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
    stop_training(page)


def test_a_second_training_takes_the_page_over_from_the_first(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    start_training(page, address)
    stop_training(page)
    first = page.url
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
    assert page.url != first
    page.get_by_test_id("stSidebar").get_by_role("link", name="Inside").click()
    expect(page.get_by_text("trained so far", exact=False)).to_be_visible()
    expect(page.get_by_text(re.compile(r"training, \d+ ?%"))).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Train").click()
    expect(page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True)).to_be_disabled()
    page.reload()
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("1000")
    await_epoch(page, 2)
    stop_training(page)


def test_two_sessions_train_side_by_side_and_see_only_their_own(tmp_path: Path, new_page: Callable[..., Page]) -> None:
    first, second = new_page(), new_page()
    with server(tmp_path, CNNLAB_TRAININGS="2") as address:
        for page in (first, second):
            start_training(page, address)
        assert first.url != second.url
        stop_training(first)
        expect(second.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
        stop_training(second)
        for page in (first, second):
            page.close()


def test_a_training_nobody_watches_is_stopped_and_kept(address: str, runs: Path, new_page: Callable[..., Page]) -> None:
    page, witness = new_page(), new_page()
    start_training(page, address)
    run = RunStore(runs).open(page.url.partition("run=")[2])
    page.close()
    witness.goto(f"{address}/Train")  # a page of another session does not count as watching
    for _ in range(60):
        if run.summary.status == "stopped":
            break
        witness.wait_for_timeout(500)
    assert run.summary.status == "stopped"
    assert run.history().epochs


def test_two_runs_are_compared_class_by_class_down_to_the_images_they_differ_on(
    address: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    for architecture in ("quick", "basic-cnn"):
        start_training(page, address, architecture=architecture)
        stop_training(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Compare").click()
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


def test_a_sweep_is_killed_and_goes_on_in_another_server(tmp_path: Path, new_page: Callable[..., Page]) -> None:
    process, url = started(tmp_path)
    try:
        page = new_page()
        page.goto(f"{url}/Sweep")
        for label, value in (("Trials", "6"), ("Epochs each", "1"), ("Fraction of training images used", "0.1")):
            if label.startswith("Fraction"):
                page.get_by_text("More settings").click()
            page.get_by_label(label, exact=True).fill(value)
            page.get_by_label(label, exact=True).press("Tab")
        page.get_by_role("button", name="Start sweep").click()
        expect(page.get_by_text(re.compile(r"[1-5] of 6 trials"))).to_be_visible()
        page.close()
    finally:
        process.kill()
        process.communicate()
    (sweep,) = SweepStore(tmp_path).all()
    before = [trial.params for trial in sweep.trials]
    assert sweep.status == "interrupted"
    with server(tmp_path) as url:
        page = new_page()
        page.goto(f"{url}/Sweep")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("6 of 6 trials")).to_be_visible()
        expect(page.get_by_role("button", name="Continue")).to_be_visible()
        page.get_by_text("Slices", exact=True).click()
        expect(page.locator(".js-plotly-plot")).to_have_count(1)
        page.get_by_role("button", name="Compare its runs").click()
        expect(page.get_by_text(re.compile(r"of (6|7) runs"))).to_be_visible()  # the killed one may have got an epoch
        page.close()
    assert (sweep.status, sweep.ended) == ("finished", 6)
    assert [trial.params for trial in sweep.trials][: len(before)] == before


def test_filters_change_from_epoch_0_to_the_last_while_the_run_trains(
    address: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    start_training(page, address)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Inside").click()
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
    page.get_by_test_id("stSidebar").get_by_role("link", name="Train").click()
    stop_training(page)


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
