"""axe-core on every page: nothing serious or critical, but for what Streamlit's theme cannot have otherwise; on a phone
no page scrolls sideways; on a wide screen the first picture stands high.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import looked_at
from tests.pages.driver import PAGES

WITH_A_PICTURE = ("Home", "Inside", "Evaluate", "Draw", "Design", "Data")  # as they open
HIGHEST = 420  # pixels from the top to the first picture
TOPS = """() => {
  const isPicture = (element) => element.matches("img, canvas, .js-plotly-plot, svg")
  const tops = []
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      const { width, height, top } = element.getBoundingClientRect()
      if (isPicture(element) && width > 60 && height > 40) tops.push(top)
      if (element.shadowRoot) walk(element.shadowRoot)
    }
  }
  walk(document.querySelector("[data-testid=stMain]"))
  return tops
}"""


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_nothing_serious_and_fits_a_phone(name: str, address: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{address}/{'' if name == 'Home' else name}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)
    if name in WITH_A_PICTURE:
        assert page.viewport_size == {"width": 1440, "height": 1000}
        page.wait_for_function(f"({TOPS})().length")
        assert min(page.evaluate(TOPS)) < HIGHEST
    assert not [look for look in looked_at(page, ((1440, "light"), (420, "dark"))) if look.findings]
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth <= main.clientWidth")
