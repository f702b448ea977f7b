"""The bytes of a step: exactly linear in the batch, and what the tensors themselves say."""

from __future__ import annotations

import pytest
import torch

from cnnlab.data.datasets import DATASETS
from cnnlab.learn.step_memory import KINDS, LOSS, StepBytes, _Step, count_bytes, data_set_bytes
from cnnlab.networks.build import build
from cnnlab.networks.layers import Activation, Conv2d, Flatten, MaxPool2d
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig
from tests.samples import TINY

SAMPLE = DATASETS["mnist-sample"]


def counted(dataset: str = "mnist-sample", **fields: object) -> StepBytes:
    return count_bytes(RunConfig.model_validate({"dataset": dataset, **fields}), DATASETS[dataset])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", PRESETS)
def test_what_is_kept_grows_by_the_image_exactly(name: str, precision: str) -> None:
    config = RunConfig.model_validate({"architecture": name, "precision": precision, "dataset": "cifar10"})
    counts = count_bytes(config, DATASETS["cifar10"])
    kept = dict(_Step(config, DATASETS["cifar10"], 7).kept)
    assert {layer.name: layer.activations(7) for layer in counts.layers if layer.activations(7)} == kept


def test_each_layer_keeps_what_its_way_back_needs() -> None:
    network = TINY.model_copy(
        update={
            "layers": (
                Conv2d(out_channels=2),
                Activation(function="relu"),
                MaxPool2d(kernel_size=2),
                Flatten(),
                TINY.layers[-1],
            )
        }
    )
    conv, relu, pool, flatten, linear, loss = counted(architecture=network, precision="float32").layers
    assert conv.each == 0  # it takes the images, which are there anyway
    assert relu.each == 2 * 26 * 26 * 4  # what it gave, which the pool needs too
    assert pool.each == 2 * 13 * 13 * 8  # where each maximum was: int64
    assert flatten.each == 0
    assert linear.each == 2 * 13 * 13 * 4  # what came in
    assert loss.each == 10 * 4 + 8  # log-probabilities, and the label


def test_batch_norm_keeps_a_mean_and_a_spread_whatever_the_batch() -> None:
    norm = next(layer for layer in counted(architecture="compact", precision="float32").layers if layer.fixed)
    assert norm.name == "norm1"
    assert norm.fixed == 2 * 4 * PRESETS["compact"].layers[0].out_channels  # type: ignore[attr-defined]


@pytest.mark.parametrize(("optimizer", "moments"), [("sgd", 1), ("adam", 2), ("adamw", 2), ("rmsprop", 2)])
def test_weights_gradients_and_moments_are_the_networks(optimizer: str, moments: int) -> None:
    totals = counted(architecture="lenet-5", optimizer=optimizer).totals(1)
    parameters = list(build(PRESETS["lenet-5"], SAMPLE.shape, 10).parameters())
    weights = 4 * sum(parameter.numel() for parameter in parameters)
    assert totals["weights"] == totals["gradients"] == weights
    counters = 0 if optimizer == "sgd" else 4 * len(parameters)  # steps taken, a number for each tensor
    assert totals["moments"] == moments * weights + counters


def test_the_rows_add_up_to_the_totals() -> None:
    counts = counted(architecture="basic-cnn")
    rows = counts.rows(32)
    assert [row["layer"] for row in rows][:2] == ["images", "conv1"]
    assert rows[-1]["layer"] == LOSS
    assert counts.totals(32) == {kind: sum(int(row[kind]) for row in rows) for kind in KINDS}
    assert counts.totals(32)["images"] == torch.zeros(32, 1, 28, 28).nbytes


def test_a_data_set_is_a_byte_for_each_pixel() -> None:
    assert data_set_bytes(DATASETS["cifar10"]) == 60_000 * 3 * 32 * 32


def test_sixteen_bits_keep_less_but_learn_in_thirty_two() -> None:
    whole, half = (counted(architecture="basic-cnn", precision=name).totals(64) for name in ("float32", "bfloat16"))
    assert half["activations"] < whole["activations"]
    assert half["weights"] == whole["weights"]
