"""What is predicted of layer lists, a thousand of them, against what PyTorch does with the built network."""

from __future__ import annotations

import warnings

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cnnlab.networks.architecture import Architecture, ArchitectureError, Draft, LayerSummary, follow, summarise
from cnnlab.networks.build import build, layer_module
from cnnlab.networks.layers import Block, Conv2d, Shape
from tests.networks.layer_strategies import drafts

LISTS = 1000

many = settings(
    max_examples=LISTS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@pytest.fixture(autouse=True)
def quiet() -> None:
    # An even kernel with padding "same" costs torch a copy, of which it warns.
    warnings.filterwarnings("ignore", message="Using padding='same' with even kernel lengths")


@pytest.mark.slow
@many
@given(drafts())
def test_shapes_parameters_and_macs_are_the_built_networks_or_the_layer_is_named(
    drawn: tuple[Draft, Shape, int],
) -> None:
    draft, shape, classes = drawn
    rows = follow(draft, shape, classes)
    wrong = [row for row in rows if row.problem]
    if wrong:
        with pytest.raises(ArchitectureError, match=f"Layer {wrong[0].place[0] + 1} \\({wrong[0].name}\\): "):
            summarise(draft, shape, classes)
        assert _is_refused_by_torch(wrong[0], classes)
        return
    network = build(Architecture.model_validate(draft.model_dump()), shape, classes).eval()
    counter = FlopCounterMode(display=False)
    with counter:
        seen = _shapes_and_numbers(network, shape)
    flops = counter.get_flop_counts()
    for row in rows:
        assert (row.output_shape, row.parameters) == seen[row.name], row
        assert sum(flops.get(f"Sequential.{row.name}", {}).values()) == 2 * row.macs, row


def _shapes_and_numbers(network: nn.Module, shape: Shape) -> dict[str, tuple[Shape, int]]:
    """Of every module by its name, by forward hooks and numel."""
    seen: dict[str, tuple[Shape, int]] = {}

    def note(name: str, module: nn.Module, output: Tensor) -> None:
        seen[name] = tuple(output.shape[1:]), sum(parameter.numel() for parameter in module.parameters())

    hooks = [
        module.register_forward_hook(lambda module, inputs, output, name=name: note(name, module, output))
        for name, module in network.named_modules()
    ]
    with torch.inference_mode():
        network(torch.zeros(1, *shape))
    for hook in hooks:
        hook.remove()
    return seen


def _is_refused_by_torch(row: LayerSummary, classes: int) -> bool:
    """Whether the layer, built for what flows in, fails; blocks and norms are refused by rules of our own too.

    PyTorch's linear layers work on the last axis of maps, its norms make 0 of a single number, its softmax 1.
    """
    if isinstance(row.layer, Conv2d) and row.layer.padding == "same-upper":  # which fills with zeros only
        return True
    if isinstance(row.layer, Block) or row.kind in ("linear", "group-norm", "layer-norm", "softmax"):
        return True
    try:
        layer_module(row.layer, row.input_shape, classes).eval()(torch.zeros(1, *row.input_shape))
    except (RuntimeError, ValueError, TypeError, ArithmeticError):
        return True
    return False
