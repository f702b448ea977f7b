"""What axe-core finds wrong on a page for people who see it badly, hear it, or use the keyboard alone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal, get_args

import axe_playwright_python
from playwright.sync_api import Error, Page

from tests.browser.browsing import SOON

SCRIPT = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
Scheme = Literal["light", "dark"]
WIDTHS = (1440, 420)
EVERYWHERE = tuple(product(WIDTHS, get_args(Scheme)))
# Streamlit takes the colour of what is chosen from one setting with that of buttons, on which white must be legible.
KNOWN_IN_DARK = ['[data-testid="stButtonGroup"]', '[data-testid="stSlider"]']
FIND = """(excluded) => axe.run({ exclude: excluded }).then(({ violations }) => violations
  .filter(({ impact }) => impact === "serious" || impact === "critical")
  .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).slice(0, 3).join(" | ")}`))"""


FITS = """() => {
  const isWithin = (element) => !element.matches(".main-svg") || element.getBoundingClientRect().right <= innerWidth
  const doAll = (root) => [...root.querySelectorAll("*")].every((element) =>
    isWithin(element) && (!element.shadowRoot || doAll(element.shadowRoot)))
  return doAll(document)
}"""


@dataclass(frozen=True)
class Look:
    """A page on a window of some width, light or dark, and what is serious or critical there."""

    width: int
    scheme: Scheme
    findings: tuple[str, ...]


def looked_at(page: Page, ways: tuple[tuple[int, Scheme], ...] = EVERYWHERE) -> list[Look]:
    """Run axe-core on the page as it is now, in each of the ``ways``, without loading it again."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(SCRIPT)
    looks = []
    for width, scheme in ways:
        page.set_viewport_size({"width": width, "height": 1000})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"matchMedia('(prefers-color-scheme: {scheme})').matches && innerWidth === {width}")
        page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
        with suppress(Error):  # charts follow the window after a moment
            page.wait_for_function(FITS, timeout=SOON)
        found = page.evaluate(FIND, [[one] for one in KNOWN_IN_DARK] if scheme == "dark" else [])
        looks.append(Look(width, scheme, tuple(found)))
    return looks
