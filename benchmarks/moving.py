"""Response times of the chapters of Learn: moving a window, changing an argument, moving a slider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median, quantiles

from playwright.sync_api import Page

from benchmarks.browsing import browser_page, own_server, settled

ROUNDS = 60

SLIDERS = (  # what is measured, the chapter and further parts of its address, the slider's label
    ("a pool's kernel", "machines&machine=pooling", "Kernel, px"),
    ("the window of a pool", "machines&machine=pooling", "Window, row by row"),
    ("the rate of a step in slow motion", "step", "Learning rate"),
    ("the rate of four optimisers on a surface", "step&part=surface", "Learning rate"),
    ("the batch size whose bytes are counted", "cost", "Batch size, images"),
)

# Milliseconds from a key to the paint that shows its effect, all within the browser.
_STEP = """(key) => new Promise((resolve) => {
  const host = [...document.querySelectorAll("*")].find((element) => element.shadowRoot?.querySelector(".window-stage"))
  const root = host?.shadowRoot ?? document
  const [stage, told] = [".window-stage", ".window-told"].map((part) => root.querySelector(part))
  const [before, began] = [told.textContent, performance.now()]
  stage.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }))
  requestAnimationFrame(() => setTimeout(() => {
    if (told.textContent === before) throw new Error("the window has not moved")
    resolve(performance.now() - began)
  }))
})"""


def measure() -> dict[str, dict[str, float]]:
    """Return the milliseconds of each kind of move: the median and the 95th percentile."""
    with own_server() as (address, _), browser_page() as page:
        times = {**_filters(page, address), **_arguments(page, address)}
        times |= {name: _slides(page, f"{address}/Learn?chapter={where}", label) for name, where, label in SLIDERS}
    return {
        name: {
            "times": len(taken),
            "p50_ms": median(taken),
            "p95_ms": quantiles(taken, n=20)[-1],
            "most_ms": max(taken),
        }
        for name, taken in times.items()
    }


def _filters(page: Page, address: str) -> dict[str, list[float]]:
    """Time moves in the chapter on convolution."""
    _open(page, address, "convolution")
    names = ("Horizontal edge", "Blur", "Sharpen", "Emboss", "Vertical edge")
    picks = [page.get_by_test_id("stMain").get_by_text(name, exact=True).click for name in names]
    return {"move the window": _steps(page), "pick another filter": _rounds(page, picks)}


def _arguments(page: Page, address: str) -> dict[str, list[float]]:
    """Time moves in the chapter on nn.Conv2d: with a digit, and with the tutorials' largest example."""
    _open(page, address, "conv2d")
    times = {"change an argument": _rounds(page, _changes(page))}
    page.get_by_label("Example").click()
    settled(page, page.get_by_role("option", name="Conv2d(33, 33").click)
    changes = [_nudge(page, name, way) for name in ("padding, rows", "stride, columns") for way in ("Up", "Down")]
    times["change an argument of the largest example"] = _rounds(page, changes)
    times["move the window of the largest example"] = _steps(page)
    return times


def _open(page: Page, address: str, chapter: str) -> None:
    page.goto(f"{address}/Learn?chapter={chapter}")
    page.locator(".window-told").filter(has_text="Output row").wait_for()


def _changes(page: Page) -> list[Callable[[], None]]:
    """Return actions that raise and lower each argument by one."""
    names = ("kernel_size", "padding", "dilation", "stride", "out_channels", "in_channels")
    return [_nudge(page, name, way) for name in names for way in ("Up", "Down")]


def _nudge(page: Page, name: str, way: str) -> Callable[[], None]:
    field = page.get_by_test_id("stNumberInput").filter(has=page.get_by_label(name, exact=True))
    return field.get_by_test_id(f"stNumberInputStep{way}").click


def _slides(page: Page, address: str, label: str) -> list[float]:
    """Time a slider moved by keyboard, one step and back."""
    page.goto(address)
    slider = page.get_by_test_id("stMain").get_by_role("slider", name=label)
    return _rounds(page, [partial(slider.press, key) for key in ("ArrowRight", "ArrowLeft")])


def _rounds(page: Page, acts: Sequence[Callable[[], None]]) -> list[float]:
    """Time each of ``acts`` in turn, at least ROUNDS times; the first round is for imports at the first use."""
    for act in acts:
        settled(page, act)
    return [settled(page, act) for _ in range(-(-ROUNDS // len(acts))) for act in acts]


def _steps(page: Page) -> list[float]:
    keys = ["ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft"]
    return [page.evaluate(_STEP, key) for _ in range(ROUNDS) for key in keys]
