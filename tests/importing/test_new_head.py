"""A network that tells other classes apart, of other images, begins a training on a data set's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from onnx import helper

from cnnlab.data.loading import load_test
from cnnlab.importing.bringing import Brought, Source, bring
from cnnlab.importing.foreign_file import ForeignError
from cnnlab.importing.onnx_graph import Numbers
from cnnlab.networks.build import build
from cnnlab.networks.designs import write_design
from cnnlab.networks.layers import Linear, Resize
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.trained import load_trained
from tests.cli.commands import call, last_line, refusal
from tests.importing.files import assembled
from tests.samples import TINY

SAMPLE = "mnist-sample"
SIDE = 12  # pixels
FEATURES = 6
Side = int | str  # a name where any will do
EYE = (
    helper.make_node("Conv", ["x", "w"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
    helper.make_node("Relu", ["c"], ["r"]),
    helper.make_node("GlobalAveragePool", ["r"], ["p"]),
)
LAST = helper.make_node("Flatten", ["p"], ["f"]), helper.make_node("Gemm", ["f", "m"], ["y"])


def weights(channels: int) -> Numbers:
    return np.random.default_rng(0).normal(size=(FEATURES, channels, 3, 3)).astype(np.float32)


def stranger(channels: int = 1, rows: Side = SIDE, columns: Side = SIDE, classes: int = 7) -> bytes:
    """Write a network as one is published: an eye, means, a last layer for classes of its own."""
    last = np.random.default_rng(1).normal(size=(FEATURES, classes)).astype(np.float32)
    return assembled([*EYE, *LAST], {"w": weights(channels), "m": last}, ["N", channels, rows, columns])


def brought(content: bytes, **given: object) -> Brought:
    source = Source("stranger.onnx", content)
    return bring(source, SAMPLE, RunStore(runs_folder()), new_head=True, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [1, 3])
def test_all_but_the_last_layer_sees_what_the_network_saw_in_the_resized_image(channels: int) -> None:
    run = brought(stranger(channels)).run
    trained = load_trained(run)
    *_, last = trained.network
    assert run.config.normalise == "imagenet"
    assert run.config.architecture.layers[0] == Resize(size=SIDE)
    inputs = trained.standardise.inputs(load_test(SAMPLE).images[:5])
    resized = F.interpolate(inputs, (SIDE, SIDE), mode="bilinear", antialias=True).expand(-1, channels, -1, -1)
    with torch.inference_mode():
        theirs = F.conv2d(resized, torch.from_numpy(weights(channels)), stride=2, padding=1).relu().mean((2, 3))
        assert torch.allclose(trained.network[:-1](inputs), theirs, atol=1e-5)
    assert last.weight.shape == (10, FEATURES)


def test_the_new_last_layer_is_drawn_as_any_network_s_and_said_to_be_untrained() -> None:
    made = brought(stranger(classes=10))  # its own last layer would fit
    run, head = made.run, made.taken.new_head
    drawn = build(run.config.architecture, (1, 28, 28), 10).get_parameter(f"{head}.weight")
    assert torch.equal(load_trained(run).network.get_parameter(f"{head}.weight"), drawn)
    assert (run.summary.status, run.summary.epoch, head) == ("finished", 1, "linear1")
    assert "linear1, is new and untrained" in run.about.note
    assert "is that of chance" in run.about.note
    assert made.taken.difference is not None
    assert made.taken.difference < 1e-4


def test_it_is_judged_on_some_images_alone() -> None:
    assert sum(brought(stranger()).run.summary.support.values()) == 300


def test_images_of_the_network_s_size_are_left_as_they_are() -> None:
    layers = brought(stranger(rows=28, columns=28)).run.config.architecture.layers
    assert not any(isinstance(layer, Resize) for layer in layers)


def test_a_network_that_ends_in_no_linear_layer_gets_one() -> None:
    run = brought(assembled([*EYE, helper.make_node("Flatten", ["p"], ["y"])], {"w": weights(1)}, ["N", 1, 8, 8])).run
    assert run.config.architecture.layers[-1] == Linear(out_features="classes")
    assert load_trained(run).network[-1].weight.shape == (10, FEATURES)


def test_a_side_is_chosen_where_the_file_takes_any() -> None:
    content = stranger(rows="rows", columns="columns")
    assert brought(content, side=20).run.config.architecture.layers[0] == Resize(size=20)
    assert not isinstance(brought(content).run.config.architecture.layers[0], Resize)
    with pytest.raises(ForeignError, match="cannot be 1000 pixels"):
        brought(content, side=1000)


def test_the_file_s_own_scale_of_pixels_is_kept() -> None:
    scaled = helper.make_node("Sub", ["x", "half"], ["s"]), helper.make_node("Div", ["s", "half"], ["i"])
    eye = helper.make_node("Conv", ["i", "w"], ["c"]), *EYE[1:], helper.make_node("Flatten", ["p"], ["y"])
    content = assembled([*scaled, *eye], {"half": np.float32(0.5), "w": weights(1)}, ["N", 1, SIDE, SIDE])
    assert brought(content, normalise="imagenet").taken.normalise == "symmetric"
    assert brought(stranger(), normalise="unit").taken.normalise == "unit"


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(ForeignError, match="images of 12×12 pixels alone"):
        brought(stranger(), side=24)
    with pytest.raises(ForeignError, match="takes 2-channel images"):
        brought(stranger(2))
    with pytest.raises(ForeignError, match="resized to squares alone"):
        brought(stranger(rows=8))
    norm = helper.make_node("BatchNormalization", ["x", *["one"] * 4], ["y"])
    with pytest.raises(ForeignError, match="choose a data set in colour"):
        brought(assembled([norm], {"one": np.ones(3, np.float32)}, ["N", 3, 2, 2]))
    store = RunStore(runs_folder())
    design = Source("tiny.json", write_design(TINY).encode(), (2).to_bytes(8, "little") + b"{}")
    with pytest.raises(ForeignError, match="export yours as ONNX"):
        bring(design, SAMPLE, store, new_head=True)
    with pytest.raises(ForeignError, match="where the last layer is new"):
        bring(Source("digits.onnx", stranger()), SAMPLE, store, side=12)
    assert not store.all()


def test_the_command_prints_the_one_that_trains_the_new_layer_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stranger.onnx"
    path.write_bytes(stranger())
    asked = "bring", str(path), "--dataset", SAMPLE, "--new-head"
    *told, command = call(capsys, *asked, "--runs", str(tmp_path / "runs")).splitlines()
    assert "linear1 is new and untrained" in told[-1]
    python, _, _, *arguments = shlex.split(command)
    assert python == "python"
    quick = "--epochs", "1", "--train-fraction", "0.05", "--device", "cpu"
    trained = RunStore(tmp_path / "runs").open(last_line(call(capsys, *arguments, *quick, "--json"))["run"])
    (first,) = (run for run in RunStore(tmp_path / "runs").all() if run.id != trained.id)
    assert trained.config.comes_from
    assert trained.config.comes_from.run == first.id
    assert trained.config.learn_from == last_line(call(capsys, *asked, "--json"))["new_head"]
    before, after = (load_trained(run).network.state_dict() for run in (first, trained))
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"linear1.weight", "linear1.bias"}
    assert "side" in refusal(capsys, *asked[:-1], "--side", "12")
