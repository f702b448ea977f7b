"""Memory and speed as AppTest runs it, and its slider in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from cnnlab import threads
from cnnlab.data.datasets import DATASETS
from tests.pages.driver import button, checked, metrics, open_chapter, texts


def opened() -> AppTest:
    return open_chapter("cost")


def activations(page: AppTest) -> tuple[int, ...]:
    """Bytes for each image, images, bytes whatever the batch, and all of them, as told."""
    found = re.search(r"= ([\d,]+) bytes × ([\d,]+) images \+ ([\d,]+) bytes = ([\d,]+) bytes", texts(page))
    assert found
    return tuple(int(number.replace(",", "")) for number in found.groups())


def test_activations_grow_with_the_batch_and_weights_do_not() -> None:
    page = opened()
    page.selectbox(key="learn.cost.network").set_value("basic-cnn").run()
    each, images, fixed, all_of_them = activations(page)
    assert (images, all_of_them) == (128, 128 * each + fixed)
    weights = metrics(page)["Weights"]
    page.select_slider(key="learn.cost.batch").set_value(256).run()
    assert activations(checked(page)) == (each, 256, fixed, 256 * each + fixed)
    assert metrics(page)["Weights"] == weights


def test_the_optimiser_decides_the_moments() -> None:
    page = opened()
    page.selectbox(key="learn.cost.optimizer").set_value("sgd").run()
    assert "= 1 × gradients" in texts(checked(page))
    assert metrics(page)["Moments"] == metrics(page)["Gradients"]


def test_images_that_do_not_fit_are_told() -> None:
    page = opened()
    page.selectbox(key="learn.cost.network").set_value("fashion-part-3")
    page.selectbox(key="learn.cost.dataset").set_value("usps").run()
    assert not page.exception
    assert "conv4" in page.error[0].value


def test_speed_is_measured_and_told() -> None:
    page = opened()
    page.selectbox(key="learn.cost.network").set_value("basic-cnn").run()
    assert "Press **Measure**" in texts(page)
    button(page, "Measure").click().run()
    for work in list(threads._working):
        work.join()
    checked(page.run())
    assert "trains fastest with batches of" in texts(page)
    assert len(page.get("plotly_chart")) == 3
    page.selectbox(key="learn.cost.dataset").set_value(list(DATASETS)[1]).run()
    assert "Of the settings before" in texts(page)


def test_the_slider_is_moved_by_keyboard_on_a_phone(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page(420)
    page.goto(f"{address}/Learn?chapter=cost")
    slider = page.get_by_role("slider", name="Batch size")
    expect(page.get_by_text("× 128 images", exact=False)).to_be_visible()
    slider.press("ArrowRight")
    expect(page.get_by_text("× 256 images", exact=False)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
