"""The drawing of a network in a real browser: zoomed, dragged, chosen from, saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from playwright.sync_api import Locator, Page, expect


def opened(page: Page, address: str) -> Locator:
    page.goto(f"{address}/Train?recipe=default")
    expander = page.get_by_test_id("stExpander").filter(has_text="The network:")
    expander.locator("summary").click()
    expect(expander.locator(".network-frame svg")).to_be_visible()
    return expander


def scrolled(expander: Locator) -> int:
    return int(expander.locator(".network-frame").evaluate("frame => frame.scrollLeft"))


def test_a_drawing_is_dragged_chosen_from_by_mouse_and_keys_with_its_view_kept_and_saved_whole(
    address: str, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = new_page(420)
    expander = opened(page, address)
    drag(page, expander)
    expect(expander.get_by_text("Click a layer", exact=False)).to_be_visible()  # none is chosen
    choose_layers(expander)
    expander.get_by_role("button", name="Fit").click()
    assert expander.locator(".network-frame").evaluate("frame => frame.scrollWidth <= frame.clientWidth")
    with page.expect_download() as download:
        expander.get_by_role("button", name="SVG").click()
    assert download.value.suggested_filename == "compact.svg"
    download.value.save_as(tmp_path / "saved.svg")
    assert ElementTree.parse(tmp_path / "saved.svg").getroot().get("viewBox")


def drag(page: Page, expander: Locator) -> None:
    expander.locator(".network-frame").scroll_into_view_if_needed()
    box = expander.locator("[data-place='0'] > .front").bounding_box()
    assert box
    page.mouse.move(box["x"] + 3, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] - 60, box["y"] + 20, steps=5)
    page.mouse.up()
    assert scrolled(expander) == 63


def choose_layers(expander: Locator) -> None:
    """By mouse, then by keys, of a drawing that keeps its zoom and its place."""
    zoom = expander.locator(".network-zoom")
    before = zoom.inner_text()
    expander.get_by_role("button", name="Zoom in").click()
    expect(zoom).not_to_have_text(before)
    zoomed = zoom.inner_text()
    expander.locator("[data-place='4'] > .front").click()
    expect(expander.get_by_text("norm2 (Batch norm)", exact=False)).to_be_visible()
    expect(expander.locator(".selected")).to_have_attribute("data-place", "4")
    at = scrolled(expander)
    assert at > 0
    expander.locator("[data-place='4']").press("ArrowLeft")
    expander.locator("[data-place='3']").press("Enter")
    expect(expander.locator(".selected")).to_have_attribute("data-place", "3")
    expect(expander.locator("[data-place='3']")).to_be_focused()
    assert zoom.inner_text() == zoomed
    assert scrolled(expander) == at
