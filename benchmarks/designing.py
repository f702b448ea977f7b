"""Response time of Design to an edit: a network of 30 layers, server and browser on the same cores."""

from __future__ import annotations

from statistics import median, quantiles

from playwright.sync_api import Page

from benchmarks.browsing import browser_page, own_server, settled
from cnnlab.networks.architecture import Draft
from cnnlab.networks.designs import to_link
from cnnlab.networks.layers import Activation, BatchNorm1d, Dropout, Layer, Linear
from cnnlab.networks.presets import PRESETS

LAYERS = 30
ROUNDS = 20


def measure() -> dict[str, dict[str, float]]:
    """Return the milliseconds of each kind of edit: the median and the 95th percentile."""
    times: dict[str, list[float]] = {}
    with own_server() as (address, _), browser_page() as page:
        page.goto(f"{address}/Design?design={to_link(network())}")
        page.get_by_role("option").nth(LAYERS).wait_for()
        _once(page, {})  # for imports at the first use
        for _ in range(ROUNDS):
            _once(page, times)
    return {
        name: {"times": len(taken), "p50_ms": median(taken), "p95_ms": quantiles(taken, n=20)[-1]}
        for name, taken in times.items()
    }


def network() -> Draft:
    """Return Small VGG with another hidden layer: thirty layers."""
    *layers, logits = PRESETS["small-vgg"].layers
    more: tuple[Layer, ...] = (Linear(out_features=64), BatchNorm1d(), Activation(), Dropout(p=0.2))
    draft = Draft(name="thirty", title="Thirty layers", layers=(*layers, *more, logits))
    assert len(draft.layers) == LAYERS
    return draft


def _once(page: Page, times: dict[str, list[float]]) -> None:
    """Make each kind of edit to a layer once."""
    main = page.get_by_test_id("stMain")
    filters = main.get_by_test_id("stNumberInput").filter(has_text="Filters")

    def note(what: str, milliseconds: float) -> None:
        times.setdefault(what, []).append(milliseconds)

    note("pick a layer", settled(page, page.get_by_role("option", name="conv3", exact=False).first.click))
    note("one filter more", settled(page, filters.get_by_test_id("stNumberInputStepUp").click))
    note("add a layer", settled(page, main.get_by_role("button", name="Max pool", exact=True).click))
    note("move it down", settled(page, page.get_by_role("button", name="Move down").filter(visible=True).click))
    note("remove it", settled(page, page.get_by_role("button", name="Remove").filter(visible=True).click))
    for _ in range(4):
        note("undo", settled(page, main.get_by_role("button", name="Undo").click))
