"""A trap in a real browser, as narrow as a phone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.browsing import choose


def test_one_falls_into_a_trap_on_a_phone_and_sees_its_mend(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page(width=420)
    page.goto(f"{address}/Learn?chapter=traps&trap=flatten")
    page.get_by_role("button", name="Run both").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("mat1 and mat2 shapes cannot be multiplied", exact=False)).to_be_visible()
    expect(page.get_by_test_id("stMetric").filter(has_text="The linear layer expects")).to_contain_text("800 → 128")

    choose(page, "Pitfall", "Metrics on the first four images of a batch")
    page.wait_for_url("**trap=first-four**")
    page.get_by_role("button", name="Run both").click()
    expect(page.get_by_test_id("stMetric").filter(has_text="Test images counted")).to_contain_text("40 → 500")
    expect(page.locator(".js-plotly-plot .errorbar").first).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") <= 420

    page.get_by_role("link", name="Next pitfall: Labels shuffled").click()
    expect(page.get_by_text("but their labels are not", exact=False)).to_be_visible()
