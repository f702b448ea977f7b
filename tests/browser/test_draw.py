"""Drawing in a real headless browser: with mouse and finger, for one network and several, and teaching one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from cnnlab.data.loading import load
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import LabelledDrawing, read_labelled_drawings
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import parse_config
from tests.browser.browsing import SEVEN, agree, canvas, draw, opened
from tests.drawings.photos import Paper, of_classes, photographed
from tests.trainings import TWO_EPOCHS, Shelf, copied

ONE = [[[0.5, 0.0], [0.5, 0.5], [0.5, 1.0]]]
BAR = [[[0.2, 0.5], [0.75, 0.5]]]
READY = "Draw: it answers while the pen moves."
PLAIN = (2, 68, 120, 183, 254, 305, 364, 420, 482, 544)  # a drawing of each digit, of ten hands


@pytest.fixture(scope="module")
def run(runs: Path) -> Run:
    """Eight epochs of the fastest network: enough for plain digits."""
    return copied(Shelf.run(parse_config({"architecture": "quick", "epochs": 8})), RunStore(runs))


@pytest.fixture
def page(address: str, run: Run, new_page: Callable[..., Page]) -> Page:
    page = new_page()
    page.goto(f"{address}/Draw?run={run.id}")
    expect(canvas(page)).to_be_visible()
    return page


@pytest.fixture(scope="module")
def plain(real_data: Path) -> list[LabelledDrawing]:
    lessons = read_labelled_drawings((real_data / "pen_digits.json").read_bytes())
    return [lessons[number] for number in PLAIN]


def answers(page: Page) -> list[str]:
    return page.get_by_test_id("stMetricValue").all_inner_texts()


def bottom(shown: Locator) -> float:
    box = shown.bounding_box()
    assert box
    return box["y"] + box["height"]


def button(page: Page, key: str) -> None:
    page.locator(f".st-key-{key.replace('.', '-')} button").click()


def test_digits_that_people_drew_are_read_right_while_the_pen_moves_and_after_and_rendered_as_on_the_canvas(
    page: Page, plain: list[LabelledDrawing]
) -> None:
    expect(page.locator(".pen-why")).to_have_text(READY)
    for lesson in plain[::2]:
        draw(page, lesson.strokes)
        expect(page.get_by_test_id("stMetricValue")).to_have_text(lesson.label)
        expect(page.locator(".pen-said")).to_have_text(lesson.label)
        agree(page.get_by_test_id("stMetricDelta"), page.locator(".pen-why"))
        button(page, "canvas.clear")
        expect(page.get_by_test_id("stMetricValue")).to_have_count(0)
    for lesson in (plain[3], plain[5]):
        draw(page, lesson.strokes)
        expect(page.get_by_test_id("stMetricValue")).to_be_visible()
        shown, ours = (prepare(ink).double().flatten().numpy() for ink in (canvas_ink(page), stroke_ink(lesson)))
        assert np.corrcoef(shown, ours)[0, 1] > 0.95
        button(page, "canvas.clear")
        expect(page.get_by_test_id("stMetricValue")).to_have_count(0)


def canvas_ink(page: Page) -> npt.NDArray[np.uint8]:
    """What the canvas shows, light on black."""
    url = page.locator("canvas.dc-canvas.lower-canvas").evaluate("canvas => canvas.toDataURL()")
    pixels = Image.open(BytesIO(base64.b64decode(url.split(",")[1]))).resize((280, 280))
    return np.asarray(Image.alpha_composite(Image.new("RGBA", pixels.size, "black"), pixels).convert("L"))


def test_undo_takes_the_last_stroke_back_and_the_drawing_survives_another_page(page: Page) -> None:
    steps = page.get_by_alt_text("Cropped").locator("visible=true")
    draw(page, SEVEN)
    expect(page.get_by_test_id("stMetricValue")).to_have_text("7")
    seven = steps.get_attribute("src")
    draw(page, BAR)
    expect(steps).not_to_have_attribute("src", seven or "")
    button(page, "canvas.undo")
    expect(steps).to_have_attribute("src", seven or "")
    page.get_by_test_id("stSidebar").get_by_role("link", name="Compare").click()
    page.get_by_role("heading", name="Compare", level=1).wait_for()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Draw").click()
    expect(page.get_by_test_id("stMetricValue")).to_have_text("7")
    button(page, "canvas.undo")
    expect(page.get_by_test_id("stMetricValue")).to_have_count(0)


def test_a_finger_draws_and_does_not_scroll_the_page(address: str, run: Run, new_page: Callable[..., Page]) -> None:
    page = new_page(width=420)
    page.goto(f"{address}/Draw?run={run.id}")
    expect(page.locator(".pen-why")).to_have_text(READY)
    canvas(page).scroll_into_view_if_needed()
    box = canvas(page).bounding_box()
    assert box
    points = [(box["x"] + 50 + 180 * x, box["y"] + 50 + 180 * y) for x, y in SEVEN[0]]
    main = page.get_by_test_id("stMain")
    scrolled = main.evaluate("main => main.scrollTop")
    touch = page.context.new_cdp_session(page)
    for kind, place in [("touchStart", points[0]), *(("touchMove", point) for point in points[1:])]:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": place[0], "y": place[1]}]})
    expect(page.locator(".pen-said")).to_have_text("7")
    expect(page.get_by_test_id("stMetricValue")).to_have_count(0)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.get_by_test_id("stMetricValue")).to_have_text("7")
    assert main.evaluate("main => main.scrollTop") == scrolled


def test_two_runs_answer_side_by_side_and_a_scribble_is_doubted(page: Page, runs: Path) -> None:
    copied(Shelf.run(TWO_EPOCHS), RunStore(runs))
    page.reload()
    opened(page.get_by_role("combobox").first, page.get_by_role("option").last).click()
    page.keyboard.press("Escape")
    draw(page, SEVEN)
    expect(page.get_by_test_id("stMetricValue")).to_have_count(2)
    left, right = (page.get_by_test_id("stMetricValue").nth(number).bounding_box() for number in (0, 1))
    assert left
    assert right
    assert left["y"] == pytest.approx(right["y"], abs=80)
    assert left["x"] < right["x"]
    expect(page.locator(".pen-said")).to_have_text(["7", "7"])
    button(page, "canvas.clear")
    draw(page, [[[0.1 * (number % 9), (number * 7 % 10) / 10] for number in range(30)]])
    expect(page.get_by_test_id("stMetric").filter(has_text="Not sure").first).to_be_visible()


def test_four_runs_answer_on_one_screen_in_aligned_charts_that_cut_no_label(
    address: str, runs: Path, new_page: Callable[..., Page]
) -> None:
    store = RunStore(runs)
    fast = [Shelf.run(parse_config({"architecture": "quick", "epochs": epochs})) for epochs in (2, 8)]
    four = [copied(run, store).id for run in (*fast, *[Shelf.run(TWO_EPOCHS)] * 2)]
    page = new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{address}/Draw?run={four[0]}&runs={','.join(four)}")
    expect(page.locator(".pen-why")).to_have_text(["Draw"] * 4)
    draw(page, SEVEN)
    expect(page.locator(".pen-said")).to_have_text(["7"] * 4)
    scrolled = page.get_by_test_id("stMain").evaluate("main => main.scrollTop")
    assert bottom(page.locator(".pen-row").last) + scrolled <= 900
    charts = page.locator(".live-chart").filter(has=page.locator(".bartext"))
    expect(charts).to_have_count(4)
    assert len({bottom(chart) for chart in charts.all()}) == 1
    assert charts.evaluate_all(
        "charts => charts.every((chart) => [...chart.querySelectorAll('.bartext')].every((label) => "
        "label.getBoundingClientRect().right <= chart.getBoundingClientRect().right))"
    )


def test_a_photo_of_paper_is_read_line_by_line(page: Page, tmp_path: Path) -> None:
    test = load("mnist-sample").test
    lines = [of_classes(test, [3, 1, 4], 2), of_classes(test, [1, 5, 9], 5)]
    file = tmp_path / "sheet.jpg"
    file.write_bytes(photographed(lines, 90, Paper(angle=5, shadow=0.7), np.random.default_rng(0)).jpeg)
    page.get_by_text("Photo", exact=True).click()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_test_id("stCode")).to_have_text("3 1 4 / 1 5 9")
    expect(page.locator(".js-plotly-plot .annotation")).to_have_text(["3", "1", "4", "1", "5", "9"])


@pytest.mark.timeout(600)
def test_a_corrected_drawing_is_taught_and_read_as_its_drawer_says(page: Page, runs: Path, run: Run) -> None:
    draw(page, ONE)
    expect(page.get_by_test_id("stMetricValue")).to_have_text("1")
    page.get_by_test_id("stButtonGroup").filter(has_text="Which digit did you draw?").get_by_role(
        "radio", name="4"
    ).click()
    expect(page.get_by_text("Saved as 4, one of 1 drawing")).to_be_visible()
    page.get_by_text("My drawings", exact=True).first.click()
    expect(page.get_by_text("read as 1")).to_be_visible()
    page.get_by_role("button", name="Fine-tune on 1 drawing").click()
    expect(page.get_by_text("What it learned and forgot")).to_be_visible()
    child = RunStore(runs).all()[0]
    assert child.config.parent
    assert child.config.parent.run == run.id
    page.get_by_text("Canvas", exact=True).click()
    said = page.get_by_test_id("stMetric").filter(has_text="The network says")
    expect(said.get_by_test_id("stMetricValue")).to_have_text(["4", "1"])  # beside the one it came from
    with page.expect_download() as download:
        page.get_by_text("My drawings", exact=True).first.click()
        page.get_by_role("button", name="Download").click()
    assert [lesson["label"] for lesson in json.loads(download.value.path().read_bytes())] == ["4"]
