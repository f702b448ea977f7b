"""axe-core on every page: nothing serious or critical, but for what Streamlit's theme cannot have otherwise; on a phone
no page scrolls sideways.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import looked_at
from tests.pages.driver import PAGES


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_nothing_serious_and_fits_a_phone(name: str, address: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{address}/{'' if name == 'Home' else name}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)
    assert not [look for look in looked_at(page, ((1440, "light"), (420, "dark"))) if look.findings]
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth <= main.clientWidth")
