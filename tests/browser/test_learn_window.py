"""The window over an image in a real browser, by keyboard and mouse, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from cnnlab.learn.convolution import fresh
from cnnlab.learn.filters import FILTERS, answers, fitted
from cnnlab.learn.sample_images import digits, picture_of
from cnnlab.networks.layers import Conv2d
from tests.browser.browsing import choose


def opened(page: Page, address: str, chapter: str) -> Locator:
    """The chapter's page; what its window tells of where it stands."""
    page.goto(f"{address}/Learn?chapter={chapter}")
    told = page.locator(".window-told")
    expect(told).to_contain_text("Output row")
    return told


def press(page: Page, *keys: str) -> None:
    page.locator(".window-stage").focus()
    for key in keys:
        page.keyboard.press(key)


def written(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def test_a_filter_is_moved_by_keys_and_mouse_and_changed(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    told = opened(page, address, "convolution")
    image = digits(1)[:1]
    expected = answers(image, fitted(FILTERS["vertical"].kernel, 1))[0, 0]
    strongest = divmod(int(expected.abs().argmax()), 26)
    expect(told).to_contain_text(f"row {strongest[0] + 1} of 26, column {strongest[1] + 1} of 26")
    press(page, "ArrowDown", "ArrowLeft")
    row, column = strongest[0] + 1, strongest[1] - 1
    expect(told).to_contain_text(f"row {row + 1} of 26, column {column + 1} of 26: ")
    expect(told).to_contain_text(f": {written(expected[row, column].item(), 2)}, of 9 pixels")
    press(page, "Control+End")
    expect(told).to_contain_text("row 26 of 26, column 26 of 26")
    page.locator("[data-part=output] .window-plane").click(position={"x": 2, "y": 2})
    expect(told).to_contain_text("row 1 of 26, column 1 of 26")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(told).not_to_contain_text("row 1 of 26")
    press(page, "Control+Home")
    expect(told).to_contain_text("row 1 of 26, column 1 of 26")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()

    page.get_by_role("radiogroup", name="Filter", exact=True).get_by_text("Horizontal edge", exact=True).click()
    expected = answers(image, fitted(FILTERS["horizontal"].kernel, 1))[0, 0]
    expect(page.locator(".window-cell .weight").nth(3)).to_have_text("× 0")
    page.get_by_role("slider", name="Position of the window").fill(str(12 * 26 + 11))
    expect(told).to_contain_text(f"row 13 of 26, column 12 of 26: {written(expected[12, 11].item(), 2)}, of 9 pixels")


def test_arguments_change_what_the_window_takes_on_a_narrow_page(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page(width=420)
    told = opened(page, address, "conv2d")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    choose(page, "Example", "A colour picture, 3×3, padding 1")
    expect(page.get_by_text("32×8×32×32", exact=True)).to_be_visible()
    padding = page.get_by_label("padding", exact=True)
    padding.fill("2")
    padding.press("Enter")
    expect(page.get_by_text("32×8×34×34", exact=True)).to_be_visible()
    expect(told).to_contain_text("of 34")
    layer = Conv2d(out_channels=8, padding=2)
    output = fresh(layer, (3, 32, 32))(picture_of((3, 32, 32))[None])[0, 0]
    press(page, "Control+Home", "ArrowRight", "ArrowDown")
    value = written(output[1, 1].item(), 3)
    expect(told).to_have_text(
        f"Output row 2 of 34, column 2 of 34: {value}, of 4 pixels and 5 of padding in each of 3 channels."
    )
    expect(page.locator(".window-sum strong")).to_contain_text(value)
    cell = page.locator(".window-cell:not(.padding)").first
    pixel, product = (len(cell.locator(part).inner_text().split(".")[1]) for part in (".pixel", ".product"))
    assert pixel == product == 3  # decimals
    green = page.get_by_role("button", name=re.compile("Green"))
    green.click()
    expect(green).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-part=input] figcaption")).to_contain_text("Green, 36×36")
    boxes = [page.locator(f"[data-part={part}]").bounding_box() for part in ("input", "cells", "output")]
    tops = [box["y"] for box in boxes if box]
    assert tops[0] + 50 < tops[1] < tops[2] - 50  # one below the other
