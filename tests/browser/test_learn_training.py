"""The chapters of Learn that train, in a real browser: begun, watched, and their results moved, also on a phone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect


def set_slider(page: Page, label: str, key: str, presses: int) -> None:
    slider = page.get_by_test_id("stSlider").filter(has_text=label).get_by_role("slider")
    for _ in range(presses):
        slider.press(key)


def charts(page: Page) -> Locator:
    return page.locator(".live-chart .main-svg").filter(visible=True)


def test_on_a_phone_networks_are_trained_by_keyboard_and_lead_into_the_lab(
    address: str, new_page: Callable[..., Page]
) -> None:
    page = new_page(420)
    page.goto(f"{address}/Learn?chapter=flatten")
    expect(page.get_by_text("Computed beforehand on")).to_be_visible()
    set_slider(page, "Epochs", "ArrowLeft", 8)
    expect(page.get_by_text("Press the button")).to_be_visible()
    page.get_by_role("button", name="Compute it here").press("Enter")
    expect(page.get_by_text("Shift the test images")).to_be_visible()
    expect(charts(page).first).to_be_visible()
    answers = page.get_by_text("network says")
    before = answers.first.inner_text()
    set_slider(page, "To the right, px", "ArrowRight", 5)
    expect(page.get_by_text(before, exact=True)).to_have_count(0)
    expect(answers).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == 420

    page.goto(f"{address}/Learn?chapter=ablation")
    set_slider(page, "Epochs", "ArrowLeft", 3)
    set_slider(page, "Seeds", "ArrowLeft", 3)
    for part in ("augmentation", "batch norm", "weight decay"):
        page.get_by_test_id("stButtonGroup").get_by_text(part, exact=True).click()
    expect(page.get_by_text("4 trainings, about")).to_be_visible()
    expect(page.get_by_text("Press the button")).to_be_visible()
    page.get_by_role("button", name="Compute it here").press("Enter")
    expect(charts(page).first).to_be_visible()
    door = page.get_by_role("link", name="“plain” on all of MNIST")
    expect(door).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 420
    door.click()
    expect(page.get_by_role("heading", name="Train", level=1)).to_be_visible()
