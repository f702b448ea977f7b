from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import SEVEN, canvas, draw

CANVAS_ABOVE, FOLD = {420: 300, 1440: 420}, 900  # pixels from the top, by the width of the window
PAINTED = """sheets => sheets.map((sheet) =>
  sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height).data.some((value) => value))"""


@pytest.mark.usefixtures("example")
def test_a_digit_drawn_at_home_is_named_with_its_feature_maps(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page(420)
    page.goto(address)
    expect(page.locator(".pen-why")).to_have_text("Draw: it answers while the pen moves.", timeout=30_000)
    for width, most in CANVAS_ABOVE.items():
        page.set_viewport_size({"width": width, "height": FOLD})
        frame, answer = canvas(page).bounding_box(), page.locator(".pen-row").bounding_box()
        assert frame
        assert answer
        assert frame["y"] < most
        assert answer["y"] + answer["height"] < FOLD
    draw(page, SEVEN)
    expect(page.locator(".pen-said")).to_have_text("7")
    maps = page.locator(".maps canvas")
    painted = maps.evaluate_all(PAINTED)
    assert len(painted) == 3
    assert all(painted)
    page.locator(".st-key-canvas-clear button").click()
    expect(page.locator(".pen-said")).to_have_text("–")
    assert not any(maps.evaluate_all(PAINTED))
