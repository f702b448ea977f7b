"""The chapter "nn.Conv2d, every argument" as AppTest runs it."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
import torch
from streamlit.testing.v1 import AppTest

from cnnlab.learn.conv2d import EXAMPLES, code
from cnnlab.learn.convolution import fresh
from cnnlab.networks.architecture import summarise
from cnnlab.networks.designs import from_link
from cnnlab.networks.layers import shown
from tests.pages.driver import checked, metrics, open_chapter, texts

KEY = "learn.conv2d"


@pytest.fixture(scope="module")
def page() -> AppTest:
    """One page for all examples: each fills every field."""
    return open_chapter("conv2d")


def take(page: AppTest, name: str) -> AppTest:
    page.selectbox(key=f"{KEY}.example").set_value(name).run()
    return checked(page)


def set_number(page: AppTest, name: str, value: int) -> AppTest:
    page.number_input(key=f"{KEY}.{name}").set_value(value).run()
    assert not page.exception
    return page


@pytest.mark.parametrize("name", [*reversed(EXAMPLES)])
def test_an_example_shows_the_real_layers_output_shape(page: AppTest, name: str) -> None:
    take(page, name)
    layer, shape = EXAMPLES[name].layer, EXAMPLES[name].shape
    module = fresh(layer, shape[1:])
    told = metrics(page)
    assert told["Output of the batch"] == shown(tuple(module(torch.zeros(shape)).shape))
    assert told["Parameters"] == f"{sum(parameter.numel() for parameter in module.parameters()):,}"
    assert told["Multiply-accumulates for one image"] == f"{layer.macs(shape[1:], 0):,}"
    assert page.code[0].value.startswith(code(layer, shape))
    assert EXAMPLES[name].about in texts(page)


def test_a_door_leads_to_a_network_on_the_layer(page: AppTest) -> None:
    take(page, "dilated")
    (door,) = [link for link in page.get("page_link") if "on this layer" in link.proto.label]
    draft = from_link(parse_qs(door.proto.query_string)["design"][0])
    assert draft.layers[0] == EXAMPLES["dilated"].layer
    assert summarise(draft, EXAMPLES["dilated"].shape[1:], 10)[-1].output_shape == (10,)


def test_what_pytorch_refuses_is_told_with_the_mend(page: AppTest) -> None:
    set_number(take(page, "colour"), "groups", 2)
    assert "divisible by groups" in page.error[0].value.replace("\\", "")
    assert "groups=1: groups must divide" in texts(page).replace("\\", "")
    set_number(page, "groups", 1)
    assert metrics(checked(page))["Output of the batch"] == "32×8×32×32"
    page.selectbox(key=f"{KEY}.padding_mode").set_value("reflect")
    set_number(set_number(page, "height", 4), "padding.rows", 5)
    assert page.error
    assert "padding of at most 3" in texts(page)
    set_number(page, "padding.rows", 3)
    assert metrics(checked(page))["Output of the batch"] == "32×8×8×36"


def test_rows_and_columns_go_their_own_way(page: AppTest) -> None:
    take(page, "digit")
    page.toggle(key=f"{KEY}.apart").set_value(True).run()
    set_number(page, "stride.columns", 2)
    assert metrics(checked(page))["Output of the batch"] == "32×8×26×13"
    assert "stride=(1, 2)" in page.code[0].value
    page.toggle(key=f"{KEY}.apart").set_value(False).run()
    assert metrics(checked(page))["Output of the batch"] == "32×8×26×26"


def test_same_padding_keeps_the_size_and_wants_stride_1(page: AppTest) -> None:
    take(page, "digit")
    page.toggle(key=f"{KEY}.same").set_value(True).run()
    assert metrics(checked(page))["Output of the batch"] == "32×8×28×28"
    set_number(page, "stride.rows", 2)
    assert page.error
    assert "'same' is for stride 1" in texts(page).replace("\\", "")


@pytest.mark.parametrize(("field", "value"), [("kernel_size.rows", 99), ("images", 0), ("out_channels", -1)])
def test_a_number_out_of_bounds_is_told_and_nothing_is_computed_in_its_place(field: str, value: int) -> None:
    page = open_chapter("conv2d")
    checked(set_number(page, field, value))
    assert "It must be at least 1 and at most" in texts(page)
    assert not page.metric
    assert not page.code


def test_an_output_channel_that_does_not_exist_is_told() -> None:
    page = open_chapter("conv2d")
    checked(set_number(page, "channel.8", 9))
    assert "It must be at least 1 and at most 8." in texts(page)
    assert "initial ones" not in texts(page)
