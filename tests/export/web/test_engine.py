from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
import torch
from playwright.sync_api import Page
from torch import nn

from cnnlab.export.web.kernel import kernel
from cnnlab.export.web.program import compile_network
from cnnlab.networks import backbones
from cnnlab.networks.architecture import Architecture, ArchitectureError
from cnnlab.networks.build import build
from cnnlab.networks.layers import (
    KINDS,
    Activation,
    AdaptivePool2d,
    AvgPool2d,
    Conv2d,
    Flatten,
    Layer,
    LayerError,
    Linear,
    MaxPool2d,
    Resize,
    Shape,
)
from cnnlab.networks.layers.plain import MODULES
from cnnlab.networks.presets import PRESETS
from tests.export.web.engine import Case, open_engine, random_cases, worst_difference

# PyTorch says so once, of padding "same" with kernels of even lengths.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")

PRECISE = 1e-5  # of a probability
DRAWN = 25
LOGITS = Linear(out_features="classes")
COLOUR: Shape = (3, 32, 32)
ODD: list[Layer] = [  # settings that no example of a kind has
    *(Activation(function=function) for function in MODULES),
    *(
        Conv2d(out_channels=6, kernel_size=(3, 2), padding=2, padding_mode=mode)
        for mode in ("zeros", "reflect", "replicate", "circular")
    ),
    Conv2d(out_channels=4, kernel_size=(4, 3), padding="same", dilation=(1, 2)),
    Conv2d(out_channels=8, kernel_size=3, stride=2, padding="same-upper"),
    Conv2d(out_channels=6, kernel_size=3, groups=2, stride=(2, 1), dilation=2, bias=False),
    Conv2d(out_channels=4, kernel_size=5, groups=4, padding=2),
    Conv2d(out_channels=5, kernel_size=11),
    Conv2d(out_channels=5, kernel_size=1, stride=2),
    MaxPool2d(kernel_size=3, stride=2, padding=1, ceil_mode=True),
    MaxPool2d(kernel_size=2, stride=1, dilation=(2, 3), padding=1),
    AvgPool2d(kernel_size=3, stride=2, padding=1, ceil_mode=True),
    AvgPool2d(kernel_size=(3, 2), stride=2, padding=1, ceil_mode=True, count_include_pad=False),
    AdaptivePool2d(pool="max", output_size=(3, 5)),
    AdaptivePool2d(output_size=(5, 3)),
    Resize(size=7),
    Resize(size=19),
]


@pytest.fixture
def engine(new_page: Callable[..., Page]) -> Page:
    return open_engine(new_page())


def architecture(*layers: Layer) -> Architecture:
    return Architecture(name="one", title="One", layers=layers)


def of_kind(layer: Layer) -> Case:
    """The layer after a convolution, or flat where it takes no maps."""
    maps = (Conv2d(out_channels=4, padding=1), layer, Flatten(), LOGITS)
    flat = (Flatten(), Linear(out_features=12), layer, LOGITS)
    try:
        return Case.of(build(architecture(*maps), (2, 12, 11), 5), (2, 12, 11))
    except (ArchitectureError, LayerError):
        return Case.of(build(architecture(*flat), (2, 12, 11), 5), (2, 12, 11))


@cache
def presets_and_kinds() -> list[Case]:
    presets = [Case.of(build(preset, COLOUR, 10), COLOUR) for preset in PRESETS.values()]
    kinds = [kind(**example) for kind in KINDS.values() for example in kind.examples.values()]
    assert {layer.kind for layer in kinds} == set(KINDS)
    return [*presets, *map(of_kind, [*kinds, *ODD])]


@pytest.mark.parametrize("with_kernel", [True, False], ids=["kernel", "plain"])
def test_presets_and_every_kind_of_layer_come_out_as_in_pytorch(engine: Page, with_kernel: bool) -> None:
    assert worst_difference(engine, presets_and_kinds(), with_kernel) <= PRECISE


@pytest.mark.parametrize("with_kernel", [True, False], ids=["kernel", "plain"])
def test_any_network_comes_out_as_in_pytorch(engine: Page, with_kernel: bool) -> None:
    assert worst_difference(engine, random_cases(DRAWN), with_kernel) <= PRECISE


@pytest.mark.parametrize("name", ["lite0", "mobilenet_v3_small"])
def test_large_networks_come_out_as_in_pytorch(engine: Page, name: str) -> None:
    network = build(architecture(*getattr(backbones, name)(), LOGITS), (3, 64, 64), 5)
    assert worst_difference(engine, [Case.of(network, (3, 64, 64))], with_kernel=True) <= PRECISE


def test_the_kernel_is_small_and_valid(engine: Page) -> None:
    assert len(kernel()) < 600
    assert engine.evaluate("bytes => WebAssembly.validate(Uint8Array.from(bytes))", list(kernel()))


def test_values_share_memory_but_none_that_is_still_read() -> None:
    network = build(PRESETS["compact"], (1, 28, 28), 10)
    program = compile_network(network.eval(), (1, 28, 28), ("relu1",))
    assert program.size < sum(torch.Size(shape).numel() for shape in program.shapes) / 2
    kept = program.layers["relu1"]
    end = program.places[kept] + torch.Size(program.shapes[kept]).numel()
    later = [step["to"] for step in program.steps if step["to"] > kept]
    assert all(
        program.places[value] >= end
        or program.places[value] + torch.Size(program.shapes[value]).numel() <= program.places[kept]
        for value in later
    )


def test_a_module_without_a_step_is_refused() -> None:
    with pytest.raises(TypeError, match="no step for a Softsign"):
        compile_network(nn.Sequential(nn.Softsign()), (1, 4, 4))
