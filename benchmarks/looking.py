"""Times of Inside on the default network: a view's first paint, and a step of the epoch slider."""

from __future__ import annotations

from statistics import median, quantiles

from playwright.sync_api import Page

from benchmarks.browsing import browser_page, go, own_server, settled, train
from cnnlab.ui.inspect import INSIDE
from tests.browser.browsing import await_verdict

ROUNDS = 6
STEPS = 8  # of the slider, in each view


def measure() -> dict[str, dict[str, float]]:
    """Return for each view the median and 95th percentile of both, in milliseconds."""
    paints: dict[str, list[float]] = {name: [] for name in INSIDE}
    steps: dict[str, list[float]] = {name: [] for name in INSIDE}
    with own_server() as (address, _), browser_page() as page:
        train(page, address, epochs=20)
        await_verdict(page)
        go(page, "Inside")
        page.get_by_role("slider").wait_for()
        for name in [*INSIDE, next(iter(INSIDE))]:  # a first round for imports at the first use
            _settle(page, name)
        for _ in range(ROUNDS):
            for name in [*list(INSIDE)[1:], next(iter(INSIDE))]:
                paints[name].append(_settle(page, name))
        for name in INSIDE:
            _settle(page, name)
            for number in range(STEPS):
                steps[name].append(_settle(page, key="ArrowLeft" if number % 4 < 3 else "Home"))
            _settle(page, key="End")
    return {
        name: {
            "paint_p50_ms": median(paints[name]),
            "paint_p95_ms": quantiles(paints[name], n=20)[-1],
            "step_p50_ms": median(steps[name]),
            "step_p95_ms": quantiles(steps[name], n=20)[-1],
        }
        for name in INSIDE
    }


def _settle(page: Page, view: str = "", key: str = "") -> float:
    if view:
        main = page.get_by_test_id("stMain")
        group = main.get_by_role("radio", name=INSIDE[view].group, exact=True)
        if group.get_attribute("aria-checked") != "true":
            settled(page, group.click)
        return settled(page, main.get_by_text(view, exact=True).first.click)
    slider = page.get_by_test_id("stSlider").get_by_role("slider").first
    return settled(page, lambda: slider.press(key))
