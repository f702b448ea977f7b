"""Pitfall: the first linear layer expects 32·5·5 features where the convolutions give 32·2·2."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pandas as pd
import torch
from torch import Tensor, nn

from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import digits
from cnnlab.networks.architecture import summarise
from cnnlab.networks.build import build
from cnnlab.networks.presets import PRESETS

TUTORIAL = PRESETS["fashion-part-3"]
IMAGES = 64


def by_memory(convolutions: nn.Module) -> nn.Linear:
    """Build the linear layer with the size from another network."""
    return nn.Linear(32 * 5 * 5, 256)


def by_asking(convolutions: nn.Module) -> nn.Linear:
    """Build the linear layer with the size measured on one image."""
    dummy = torch.zeros(1, 1, 28, 28)  # one image
    features = convolutions(dummy).numel()
    return nn.Linear(features, 256)


def by_waiting(convolutions: nn.Module) -> nn.Linear:
    """Build a lazy linear layer, which takes its size from the first batch."""
    return nn.LazyLinear(256)


def fall(seed: int) -> Generator[Finding]:
    """Feed a batch to the network built each way; the wrong one raises PyTorch's own error."""
    images = digits(IMAGES, seed).train.images / 255  # (64, 1, 28, 28)
    before = [row for row in summarise(TUTORIAL, (1, 28, 28), 10) if len(row.output_shape) == 3]
    convolutions = build(TUTORIAL, (1, 28, 28), 10, seed)[: len(before)]
    outcomes = [_fed(build_linear, convolutions, images) for build_linear in (by_memory, by_asking, by_waiting)]
    (expected, raised), (asked, _), (waited, _) = outcomes
    given = float(convolutions(images[:1]).numel())
    yield Finding(
        1.0,
        (
            Measured("The linear layer expects", (expected, asked), ",.0f"),
            Measured("It gets", (given, given), ",.0f"),
            Measured("nn.LazyLinear chooses", ("not used", waited), ",.0f"),
        ),
        raised=raised,
        table=_shapes(convolutions, images),
    )


def _fed(build_linear: Callable[[nn.Module], nn.Linear], convolutions: nn.Module, images: Tensor) -> tuple[float, str]:
    """Return the features that the linear layer expects, and PyTorch's error on the batch; "" where it fits."""
    linear = build_linear(convolutions)
    try:
        linear(convolutions(images).flatten(1))
        raised = ""
    except RuntimeError as error:
        raised = f"{type(error).__name__}: {error}"
    return float(linear.in_features), raised


def _shapes(convolutions: nn.Module, images: Tensor) -> pd.DataFrame:
    """List the output shape of each layer for one image."""
    rows, flowing = [], images[:1]
    for name, layer in convolutions.named_children():
        flowing = layer(flowing)
        rows.append({"Layer": name, "Shape": "×".join(map(str, flowing.shape[1:])), "Numbers": flowing.numel()})
    return pd.DataFrame(rows)


PITFALL = Pitfall(
    slug="flatten",
    title="Flatten size wrong",
    story="A tutorial gives its first linear layer 32·5·5 = 800 inputs. Its convolutions leave 32 feature maps of 2×2.",
    wrong=(by_memory,),
    right=(by_asking, by_waiting),
    symptom="The first batch fails. Read the error from the left: `mat1` is the batch, images × features; `mat2` is "
    "the layer's weights, features × units. The two numbers in the middle must be equal.",
    why="Every convolution without padding shortens each side by kernel − 1 pixels, and every pool halves it. So a "
    "size copied from another network is rarely right.",
    notice="Print the shape after the last pool. Or never write the number: try a dummy image, use `nn.LazyLinear`, or "
    "build the network on Design, which computes every shape.",
    fall=fall,
)
