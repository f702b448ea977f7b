from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cnnlab.runs.example import add_example
from tests.browser.browsing import SEVEN, canvas, draw

FOLD = {420: 300}  # the canvas begins above, in pixels, by the width of the window
PAINTED = """sheets => sheets.map((sheet) =>
  sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height).data.some((value) => value))"""


@pytest.mark.parametrize("width", FOLD)
def test_a_digit_drawn_at_home_is_named_with_its_feature_maps(
    width: int, address: str, runs: Path, new_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CNNLAB_EXAMPLE")
    add_example(runs)
    page = new_page(width)
    page.goto(address)
    expect(page.locator(".pen-why")).to_have_text("Draw: it answers while the pen moves.", timeout=30_000)
    frame = canvas(page).bounding_box()
    answer = page.locator(".pen-row").bounding_box()
    assert frame
    assert answer
    assert frame["y"] < FOLD[width]
    assert answer["y"] + answer["height"] < 900
    draw(page, SEVEN)
    expect(page.locator(".pen-said")).to_have_text("7")
    maps = page.locator(".maps canvas")
    painted = maps.evaluate_all(PAINTED)
    assert len(painted) == 3
    assert all(painted)
    page.locator(".st-key-canvas-clear button").click()
    expect(page.locator(".pen-said")).to_have_text("–")
    assert not any(maps.evaluate_all(PAINTED))
