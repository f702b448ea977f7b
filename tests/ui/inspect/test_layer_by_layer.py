"""Layer by layer: what the browser gets of each layer, and the window that makes the map which was clicked."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.analysis.activations import look
from cnnlab.data.loading import load_test
from cnnlab.runs.run import Run
from cnnlab.runs.trained import load_trained
from tests.pages.driver import checked, open_page, texts
from tests.trainings import train

LAYERS = [
    {"kind": "conv2d", "out_channels": 8, "kernel_size": [3, 5], "stride": 2, "padding": 2, "dilation": [2, 1]},
    {"kind": "activation"},
    {"kind": "conv2d", "out_channels": 8, "kernel_size": 3, "padding": 1, "groups": 4, "bias": False},
    {"kind": "batch-norm2d"},
    {"kind": "residual", "body": [{"kind": "conv2d", "out_channels": 8, "kernel_size": 3, "padding": 1}]},
    {"kind": "flatten"},
    {"kind": "linear", "out_features": "classes"},
]


@pytest.fixture
def run() -> Run:
    return train(architecture={"name": "odd", "title": "Odd", "layers": LAYERS}, train_fraction=0.05)


def component(page: AppTest, part: str) -> dict[str, Any]:
    """The data of the one component on the page that has this part."""
    every: list[dict[str, Any]] = [json.loads(found.proto.json or "{}") for found in page.get("bidi_component")]
    (only,) = [data for data in every if part in data]
    return only


def titles(page: AppTest) -> list[str]:
    return [column["title"] for column in component(page, "columns")["columns"]]


def unpacked(packed: str) -> npt.NDArray[np.float32]:
    return np.frombuffer(b64decode(packed), "<f4")


def clicked(run: Run, opened: str) -> AppTest:
    page = open_page("Inside", run, view="Layer by layer")
    page.session_state[f"inside.passage.map.{run.id}"] = opened
    return checked(page.run())


@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_the_windows_numbers_are_those_of_the_map(layer: str, run: Run) -> None:
    unit = 5
    window = component(clicked(run, f"{layer}/{unit}"), "planes")
    trained = load_trained(run)
    split = load_test(run.config.dataset)
    image = split.image(int((split.labels == 0).nonzero()[0]))[None]
    seen = look(trained.network, trained.inputs(image))[layer]
    expected = seen.after[0, unit].flatten().numpy()
    assert np.array_equal(unpacked(window["output"]), expected)
    sums = unpacked(window["sums"]).reshape(-1, len(expected)).sum(0)
    assert sums + (window["bias"] or 0) == pytest.approx(expected, abs=1e-5)
    products = unpacked(window["products"]).reshape(len(window["names"]), len(expected), -1)
    assert products.sum((0, 2)) + (window["bias"] or 0) == pytest.approx(expected, abs=1e-5)
    if layer == "conv2":
        assert sorted(window["names"]) == ["channel 4", "channel 5"]  # those of its group


def test_the_strip_leads_from_the_image_to_the_answer(run: Run) -> None:
    page = open_page("Inside", run, view="Layer by layer")
    strip = component(page, "columns")
    assert titles(page)[:5] == ["Image", "conv1", "relu1", "conv2", "norm1"]
    assert titles(page)[-2:] == ["flatten1", "linear1"]
    convolution, relu = strip["columns"][1:3]
    assert convolution["units"] == relu["units"]
    assert (convolution["keeps"], relu["keeps"]) == (False, True)
    assert len(strip["columns"][3]["reach"][0]) == len(relu["units"])
    assert len(strip["answer"]["rows"]) == 10
    assert sum(row["share"] for row in strip["answer"]["rows"]) == pytest.approx(1)


def test_other_layers_say_what_they_do(run: Run) -> None:
    page = clicked(run, "relu1/5")
    assert "sets everything below zero to zero" in texts(page)
    assert len(page.get("plotly_chart")) == 2  # before and after
    assert "all maps into one row" in texts(clicked(run, "flatten1/"))
    assert "add up to one" in texts(clicked(run, "linear1/"))
    assert "As the network gets it" in texts(clicked(run, "/"))
    assert not clicked(run, "gone/3").get("plotly_chart")


def test_a_block_can_stand_for_its_layers(run: Run) -> None:
    page = open_page("Inside", run, view="Layer by layer")
    inner = component(page, "columns")["columns"][5]
    assert (inner["name"], inner["within"], inner["title"]) == ("block1.body.0", "block1", "body.0")
    page.segmented_control(key=f"inside.passage.by.{run.id}").set_value("Blocks").run()
    assert titles(checked(page)) == ["Image", "conv1", "relu1", "conv2", "norm1", "block1", "flatten1", "linear1"]
