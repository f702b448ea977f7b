"""The small machines and the training step, driven by keyboard in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import torch
from playwright.sync_api import Locator, Page, expect

NARROW = 420  # pixels, a telephone


def pressed(field: Locator, *keys: str) -> None:
    field.focus()
    for key in keys:
        field.press(key)


def chosen(page: Page, name: str) -> None:
    """Take an option with the keyboard."""
    pressed(page.get_by_role("radio", name=name, exact=True), "Space")
    expect(page.get_by_role("radio", name=name, exact=True)).to_be_checked()


def slider(page: Page, label: str) -> Locator:
    return page.get_by_role("slider", name=label)


def test_the_small_machines_are_fed_by_keyboard(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page(NARROW)
    page.goto(f"{address}/Learn?chapter=machines")
    expect(page.get_by_text("Output, 3×3")).to_be_visible()
    pressed(slider(page, "Kernel, px"), "ArrowRight")
    expect(page.get_by_text("nn.MaxPool2d(kernel_size=3, stride=2)")).to_be_visible()
    pressed(page.get_by_role("button", name="A piece of a digit"), "Enter")
    expect(page.get_by_text("The largest of 0")).to_be_visible()
    pressed(page.locator("summary").filter(has_text="Type the numbers"), "Enter")
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_have_count(1)
    expect(table).to_be_visible()
    table.click(position={"x": 20, "y": 50})
    page.keyboard.press("9")
    expect(page.get_by_test_id("portal").locator("input")).to_have_value("9")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is 9.", exact=False)).to_be_visible()
    chosen(page, "Batch norm")
    pressed(page.get_by_role("button", name="Feed this batch"), "Enter")
    expect(page.get_by_role("button", name="Reset")).to_be_enabled()
    chosen(page, "Softmax and loss")
    pressed(slider(page, "Logit of class 3"), "End")
    probability = torch.softmax(torch.tensor([2.0, 0.5, -1.0, 6.0]), dim=0)[0]
    expect(page.get_by_text(f"nats = −ln {probability:.4f}")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_training_step_is_walked_through_by_keyboard(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page(NARROW)
    page.goto(f"{address}/Learn?chapter=step")
    for stage in ("loss", "backward", "update"):
        pressed(page.get_by_role("button", name=f"Next: {stage}"), "Enter")
        expect(page.get_by_role("heading", name=f"Step 1: {stage}")).to_be_visible()
    pressed(page.get_by_role("button", name="Another step"), "Enter")
    expect(page.get_by_role("heading", name="Step 2: forward")).to_be_visible()
    chosen(page, "Optimisers on a loss surface")
    expect(page.get_by_text("SGD: loss")).to_be_visible()
    pressed(slider(page, "Learning rate"), "End")
    expect(page.get_by_text("SGD diverged")).to_be_visible()
    chosen(page, "Tiny network")
    expect(page.get_by_text("after 40 steps").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
