"""Building networks by hand, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import torch
from playwright.sync_api import Locator, Page, expect
from torch import nn

import cnnlab.data.torchvision_compat  # noqa: F401 - torchvision loads only behind it
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.networks.designs import Shelf
from tests.browser.browsing import await_epoch, choose, stop_training

models = import_module("torchvision.models")


def option(page: Page, text: str) -> Locator:
    return page.get_by_role("option").filter(has_text=text)


def begin_from_nothing(page: Page, address: str) -> None:
    page.goto(f"{address}/Design")
    expect(option(page, "linear1")).to_be_visible()
    choose(page, "Start from", "New network")
    expect(option(page, "Flatten()")).to_be_visible()
    expect(option(page, "Conv2d(")).to_have_count(0)


def add(page: Page, brick: str, shown: str) -> None:
    """Press a brick of the palette once the page stands still; it is picked then."""
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.get_by_role("button", name=brick, exact=True).click()
    expect(picked(page)).to_contain_text(shown)
    name = picked(page).locator("b").inner_text()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def picked(page: Page) -> Locator:
    return page.locator("[role=option][aria-selected=true]").filter(has=page.locator(".stack-name"))


def set_number(page: Page, label: str, value: int, shown: str) -> None:
    field = page.get_by_test_id("stMain").get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    expect(picked(page)).to_contain_text(shown)


def save(page: Page, title: str, runs: Path) -> Architecture:
    page.get_by_text("Save and share", exact=True).click()
    page.get_by_label("Title", exact=True).fill(title)
    page.get_by_label("Title", exact=True).press("Tab")
    expect(page.get_by_text(f"“{title.lower()}”", exact=False)).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Save again")).to_be_visible()
    return Shelf(runs).networks()[title.lower()]


def same_outputs(architecture: Architecture, reference: nn.Module) -> bool:
    """On images of 3×32×32, under the reference's weights."""
    reference.eval()
    network = build(architecture, (3, 32, 32), 10).eval()
    network.load_state_dict(dict(zip(network.state_dict(), reference.state_dict().values(), strict=True)))
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        return torch.allclose(network(images), reference(images), atol=1e-6)


def test_torchvisions_resnet_in_short_is_built_by_hand(address: str, runs: Path, new_page: Callable[..., Page]) -> None:
    page = new_page()
    begin_from_nothing(page, address)
    choose(page, "Images", "CIFAR-10")
    expect(option(page, "3×32×32").first).to_be_visible()
    add(page, "Convolution", "Conv2d(3, 16, kernel_size=3, padding=1)")
    set_number(page, "Filters (output channels)", 64, "Conv2d(3, 64")
    set_number(page, "Kernel, px", 7, "kernel_size=7")
    set_number(page, "Stride, px", 2, "stride=2")
    set_number(page, "Padding, px:", 3, "padding=3")
    page.get_by_text("Bias", exact=True).click()
    expect(picked(page)).to_contain_text("Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)")
    expect(picked(page)).to_contain_text("⌊(32 − 7 + 2·3)/2⌋ + 1 = 16")
    add(page, "Batch norm", "BatchNorm2d(64)")
    add(page, "Activation", "ReLU()")
    add(page, "Max pool", "MaxPool2d(kernel_size=2)")
    set_number(page, "Kernel, px", 3, "kernel_size=3")
    choose(page, "Stride, px", "number")
    set_number(page, "Stride, px:", 2, "stride=2")
    set_number(page, "Padding, px", 1, "MaxPool2d(kernel_size=3, stride=2, padding=1)")
    add(page, "Residual block", "residual block")
    for place, name in (("4.0.0", "block1.body.0"), ("4.0.3", "block1.body.3")):
        page.locator(f"[data-place='{place}'][role=option]").click()
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        set_number(page, "Filters (output channels)", 64, ", 64, kernel_size=3, padding=1, bias=False)")
    page.locator("[data-place='4'][role=option]").click()
    expect(picked(page)).to_contain_text("the shortcut: as it is")
    add(page, "Global or adaptive pool", "AdaptiveAvgPool2d(1)")
    whole = models.resnet18(num_classes=10)
    reference = nn.Sequential(
        whole.conv1, whole.bn1, whole.relu, whole.maxpool, whole.layer1[0], nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ).append(nn.Linear(64, 10))
    assert same_outputs(save(page, "Resnet", runs), reference)


def test_a_wrong_layer_is_shown_mended_by_keyboard_and_the_network_trained(
    address: str, new_page: Callable[..., Page]
) -> None:
    page = new_page(420)
    begin_from_nothing(page, address)
    add(page, "Convolution", "Conv2d(1, 16, kernel_size=3, padding=1)")
    set_number(page, "Kernel, px", 40, "kernel 40×40 does not fit its 28×28 input")
    expect(page.get_by_role("button", name="Train this network")).to_be_disabled()
    set_number(page, "Kernel, px", 5, "Conv2d(1, 16, kernel_size=5, padding=1)")
    add(page, "Activation", "ReLU()")
    add(page, "Max pool", "MaxPool2d(kernel_size=2)")
    layers = page.get_by_role("listbox", name="Layers")
    layers.focus()
    layers.press("Alt+ArrowUp")
    expect(page.locator("[data-place='1'][role=option]")).to_contain_text("MaxPool2d")
    layers.press("ArrowDown")
    expect(picked(page)).to_contain_text("ReLU()")
    layers.press("Delete")
    expect(option(page, "ReLU()")).to_have_count(0)
    page.locator("[data-test-script-state=notRunning]").wait_for()  # until then its buttons are those of before
    page.get_by_role("button", name="Undo").click()
    expect(option(page, "ReLU()")).to_have_count(1)
    page.reload()
    expect(option(page, "Conv2d(1, 16, kernel_size=5, padding=1)")).to_be_visible()
    expect(option(page, "ReLU()")).to_have_count(1)
    page.get_by_role("button", name="Train this network").click()
    expect(page.get_by_role("heading", name="Train", level=1)).to_be_visible()
    page.get_by_label("Epochs", exact=True).fill("1000")
    page.get_by_label("Epochs", exact=True).press("Tab")
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    await_epoch(page, 2)
    stop_training(page)
    expect(page.get_by_text("My New network", exact=False).or_(page.get_by_text("New network")).first).to_be_visible()
