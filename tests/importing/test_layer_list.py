from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from onnx import NodeProto, helper
from torch import nn

from cnnlab.export.formats.onnx_file import write
from cnnlab.export.portable import ExportError
from cnnlab.importing.foreign_file import ForeignError
from cnnlab.importing.onnx_graph import Numbers
from cnnlab.networks.architecture import Draft, follow
from cnnlab.networks.layers import (
    Activation,
    AdaptivePool2d,
    Conv2d,
    Flatten,
    Linear,
    Parallel,
    Residual,
    Shape,
    SqueezeExcite,
)
from cnnlab.networks.presets import PRESETS
from tests.export.portables import portable
from tests.importing.files import assembled, exported, models, shaken, taken
from tests.networks.layer_strategies import drafts

node = helper.make_node
Nodes = Sequence[NodeProto]
RANDOM = np.random.default_rng(0)


def numbers(*shape: int) -> Numbers:
    return RANDOM.normal(size=shape).astype(np.float32)


def kinds(content: bytes, shape: Shape, classes: int) -> list[str]:
    return [part.layer.kind for part in taken(content, shape, classes).parts]


@pytest.mark.parametrize("name", ["lenet-5", "quick", "accurate", "small-resnet"])
def test_a_preset_that_left_comes_back(name: str) -> None:
    given = portable(PRESETS[name], (1, 28, 28), seed=3)
    found = taken(write(given), (1, 28, 28), 10)
    assert found.gives == "probabilities"
    assert found.scale
    assert torch.allclose(-found.scale.offset / found.scale.factor / 255, torch.tensor(0.4))
    # What a norm behind a convolution does is in the convolution's weights; all other layers are there again.
    kept = [layer.kind for layer in given.architecture.layers if layer.kind not in ("batch-norm2d", "dropout")]
    assert [part.layer.kind for part in found.parts if part.layer.kind != "batch-norm2d"] == kept


@pytest.mark.slow
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=drafts())
def test_a_drawn_network_that_left_comes_back(drawn: tuple[Draft, Shape, int]) -> None:
    draft, shape, classes = drawn
    assume(not any(row.problem for row in follow(draft, shape, classes)))
    try:
        content = write(portable(draft, shape, classes))
    except ExportError:
        assume(False)
    taken(content, shape, classes)


def adaptive(output_size: object, pool: str = "avg") -> Draft:
    settings = {"pool": pool, "output_size": output_size}
    layers = (
        Conv2d(out_channels=4),
        AdaptivePool2d.model_validate(settings),
        Flatten(),
        Linear(out_features="classes"),
    )
    return Draft(name="adaptive", title="Adaptive", layers=layers)


@pytest.mark.parametrize("pool", ["avg", "max"])
@pytest.mark.parametrize("output_size", [1, (3, 2)])
def test_an_adaptive_pool_is_known_by_what_it_does(pool: str, output_size: object) -> None:
    draft = adaptive(output_size, pool)
    found = taken(write(portable(draft, (3, 15, 13))), (3, 15, 13), 10)
    assert len(found.parts) == 4


def small_vgg() -> nn.Module:
    network: nn.Module = models.VGG(
        models.vgg.make_layers([8, "M", 16, "M", 16, 16, "M", 8, "M"], batch_norm=False), 10
    )
    network.classifier = nn.Sequential(nn.Linear(8 * 49, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 10))
    return network


NETWORKS: dict[str, tuple[Callable[[], nn.Module], dict[str, int]]] = {
    "resnet18": (lambda: models.resnet18(num_classes=10), {"residual": 8}),
    "vgg": (small_vgg, {"conv2d": 5, "adaptive-pool2d": 1, "linear": 2}),
    "mobilenet_v2": (
        lambda: models.mobilenet_v2(num_classes=10, inverted_residual_setting=[[1, 16, 1, 1], [6, 24, 2, 2]]),
        {"residual": 1},
    ),
    "squeezenet1_1": (lambda: models.squeezenet1_1(num_classes=10), {"parallel": 8, "linear": 1}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_torchvisions_network_is_taken_in(name: str) -> None:
    make, counts = NETWORKS[name]
    shape = (3, 64, 64)
    found = kinds(exported(shaken(make()) if name == "resnet18" else make(), shape), shape, 10)
    assert {kind: found.count(kind) for kind in counts} == counts


class Dense(nn.Module):
    """Blocks that join all that came before, as a DenseNet's."""

    def __init__(self) -> None:
        super().__init__()
        self.grown = nn.ModuleList(nn.Conv2d(4 + 2 * number, 2, 3, padding=1) for number in range(3))
        self.logits = nn.Linear(10, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = [x]
        for grown in self.grown:
            maps.append(torch.relu(grown(torch.cat(maps, 1))))
        logits: torch.Tensor = self.logits(torch.cat(maps, 1).mean((2, 3)))
        return logits


def test_a_dense_network_is_one_of_parallel_branches() -> None:
    found = taken(exported(Dense(), (4, 8, 8)), (4, 8, 8), 5)
    blocks = [part.layer for part in found.parts if isinstance(part.layer, Parallel)]
    assert [len(block.paths) for block in blocks] == [2, 2, 2]
    assert all(block.paths[0] == () for block in blocks)


def test_batch_norm_of_its_own_and_a_shortcut_with_one_are_kept() -> None:
    norm = {name: numbers(6) for name in ("scale", "shift", "mean")} | {"variance": np.full(6, 2, np.float32)}
    weights = {"w": numbers(6, 3, 3, 3), "s": numbers(6, 3, 1, 1), "b": numbers(6), "m": numbers(6, 4), **norm}
    nodes = [
        node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", ["a", "scale", "shift", "mean", "variance"], ["b1"], epsilon=1e-3),
        node("Conv", ["x", "s", "b"], ["c"], strides=[2, 2]),
        node("BatchNormalization", ["c", "scale", "shift", "mean", "variance"], ["d"], epsilon=1e-3),
        node("Add", ["d", "b1"], ["e"]),
        node("LeakyRelu", ["e"], ["f"]),
        node("GlobalAveragePool", ["f"], ["g"]),
        node("Flatten", ["g"], ["h"]),
        node("MatMul", ["h", "m"], ["y"]),
    ]
    found = taken(assembled(nodes, weights, ["N", 3, 8, 8]), (3, 8, 8), 4)
    block = found.parts[0].layer
    assert isinstance(block, Residual)
    assert block.activation == "leaky-relu"
    assert [layer.kind for layer in block.body] == ["conv2d", "batch-norm2d"]


def test_older_forms_are_known() -> None:
    weights = {
        "w": numbers(4, 2, 3, 3),
        "off": numbers(1, 4, 1, 1),
        "m": numbers(4, 6),
        "bias": numbers(6),
        "rows": np.array([-1, 4], np.int64),
        "three": np.float32(3),
        "six": np.float32(6),
        "zero": np.float32(0),
        "last": numbers(5, 6),
        "rest": numbers(5),
    }
    nodes = [
        node("Identity", ["w"], ["w2"]),
        node("Pad", ["x"], ["p"], pads=[0, 0, 1, 1, 0, 0, 1, 1], mode="constant"),
        node("Conv", ["p", "w2"], ["a"]),
        node("Add", ["a", "off"], ["b"]),
        node("Add", ["b", "three"], ["c"]),
        node("Clip", ["c", "zero", "six"], ["d"]),
        node("Mul", ["b", "d"], ["e"]),
        node("Div", ["e", "six"], ["f"]),
        node("ReduceMean", ["f"], ["g"], axes=[2, 3], keepdims=0),
        node("Reshape", ["g", "rows"], ["h"]),
        node("MatMul", ["h", "m"], ["i"]),
        node("Add", ["i", "bias"], ["j"]),
        node("Sigmoid", ["j"], ["k"]),
        node("Mul", ["j", "k"], ["l"]),
        node("Dropout", ["l"], ["n"]),
        node("Gemm", ["n", "last", "rest"], ["o"], transB=1),
        node("LogSoftmax", ["o"], ["y"], axis=1),
    ]
    # Opset 10 has Clip's bounds and Pad's pixels as settings; these came later.
    nodes[1] = node("Pad", ["x", "around"], ["p"])
    content = assembled(nodes, weights | {"around": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)}, [1, 2, 7, 7])
    found = taken(content, (2, 7, 7), 5)
    layers = [part.layer for part in found.parts]
    assert found.gives == "log-probabilities"
    assert [layer.kind for layer in layers] == [
        *("conv2d", "activation", "adaptive-pool2d", "flatten", "linear", "activation", "linear")
    ]
    assert (layers[0], layers[1]) == (Conv2d(out_channels=4, padding=1), Activation(function="hard-swish"))
    assert layers[5] == Activation(function="silu")


def test_a_flattening_by_computed_sizes_is_known() -> None:
    one = np.array([-1], np.int64)
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "first"], ["n"], axis=0),
        node("Unsqueeze", ["n", "axis"], ["n1"]),
        node("Concat", ["n1", "rest"], ["to"], axis=0),
        node("Reshape", ["x", "to"], ["f"]),
        node("Gemm", ["f", "m"], ["y"], transB=1),
    ]
    weights: dict[str, Any] = {"first": np.int64(0), "axis": np.array([0], np.int64), "rest": one, "m": numbers(3, 8)}
    assert kinds(assembled(nodes, weights, ["N", 2, 2, 2]), (2, 2, 2), 3) == ["flatten", "linear"]


def test_a_shortcut_may_shrink_by_means() -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("AveragePool", ["x"], ["b"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        node("Conv", ["b", "v"], ["c"]),
        node("Add", ["a", "c"], ["d"]),
        node("Flatten", ["d"], ["e"]),
        node("Gemm", ["e", "m"], ["y"], transB=1),
    ]
    content = assembled(
        nodes, {"w": numbers(4, 2, 3, 3), "v": numbers(4, 2, 1, 1), "m": numbers(3, 36)}, ["N", 2, 5, 5]
    )
    body = Conv2d(out_channels=4, stride=2, padding=1, bias=False)
    assert taken(content, (2, 5, 5), 3).parts[0].layer == Residual(body=(body,), activation="none", pooled=True)


@pytest.mark.parametrize("within", ["relu", "silu"])
def test_a_gate_of_linear_layers_is_squeeze_and_excite(within: str) -> None:
    silu = [node("Sigmoid", ["c"], ["s"]), node("Mul", ["c", "s"], ["d"])]
    nodes = [
        node("GlobalAveragePool", ["x"], ["a"]),
        node("Flatten", ["a"], ["b"]),
        node("Gemm", ["b", "w1", "b1"], ["c"], transB=1),
        *(silu if within == "silu" else [node("Relu", ["c"], ["d"])]),
        node("Gemm", ["d", "w2"], ["e"], transB=1),
        node("Sigmoid", ["e"], ["f"]),
        node("Unsqueeze", ["f", "axes"], ["g"]),
        node("Mul", ["x", "g"], ["h"]),
        node("Flatten", ["h"], ["i"]),
        node("Gemm", ["i", "m"], ["y"], transB=1),
    ]
    weights = {"w1": numbers(2, 4), "b1": numbers(2), "w2": numbers(4, 2), "m": numbers(3, 36)}
    content = assembled(nodes, weights | {"axes": np.array([2, 3], np.int64)}, ["N", 4, 3, 3])
    found = taken(content, (4, 3, 3), 3)
    assert found.parts[0].layer == SqueezeExcite.model_validate({"squeezed": 2, "within": within})


def refusal(nodes: Nodes, weights: dict[str, Any], shape: Shape = (2, 6, 6), classes: int = 3) -> str:
    with pytest.raises(ForeignError) as error:
        taken(assembled(nodes, weights, ["N", *shape]), shape, classes)
    return str(error.value)


ENDING = [node("GlobalAveragePool", ["a"], ["g"]), node("Flatten", ["g"], ["f"]), node("Gemm", ["f", "m"], ["y"])]
LOGITS = {"m": numbers(2, 3)}


def test_what_fits_no_layer_is_named() -> None:
    lopsided = [node("Conv", ["x", "w"], ["a"], pads=[2, 0, 0, 0]), *ENDING]
    assert "Conv 'a'" in (told := refusal(lopsided, LOGITS | {"w": numbers(2, 2, 3, 3)}))
    assert "pads its sides unequally" in told
    assert "another function" in refusal([node("LeakyRelu", ["x"], ["a"], alpha=0.3), *ENDING], LOGITS)
    twice = [node("Relu", ["x"], ["r"]), node("Add", ["r", "r"], ["a"]), *ENDING]
    assert "of which none is a shortcut" in refusal(twice, LOGITS)
    wide = [node("MaxPool", ["x"], ["a"], kernel_shape=[65, 65], pads=[32] * 4), *ENDING]
    assert "settings that the layer here does not take" in refusal(wide, LOGITS)
    assert "takes 2 flat features" in refusal([node("Flatten", ["x"], ["f"]), ENDING[2]], LOGITS)
    turned = [node("Transpose", ["x"], ["a"], perm=[0, 1, 3, 2]), *ENDING]
    assert "turns the axes" in refusal(turned, LOGITS)


def test_other_images_and_classes_are_refused() -> None:
    nodes = [node("Relu", ["x"], ["a"]), *ENDING]
    assert "3 classes apart, and the data set has 4" in refusal(nodes, LOGITS, classes=4)
    with pytest.raises(ForeignError, match="images of 2×6×6, and the data set has 2×8×8"):
        taken(assembled(nodes, LOGITS, ["N", 2, 6, 6]), (2, 8, 8), 3)


def test_blocks_that_share_a_layer_are_refused() -> None:
    nodes = [
        node("Conv", ["x", "w"], ["shared"], pads=[1, 1, 1, 1]),
        node("Relu", ["shared"], ["r"]),
        node("Sigmoid", ["x"], ["s"]),
        node("Concat", ["s", "r"], ["one"], axis=1),
        node("Conv", ["one", "v"], ["two"]),
        node("Add", ["two", "shared"], ["a"]),
        *ENDING,
    ]
    told = refusal(nodes, LOGITS | {"w": numbers(2, 2, 3, 3), "v": numbers(2, 4, 1, 1)})
    assert "used by several blocks" in told or "none is a shortcut" in told
