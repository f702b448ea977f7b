"""Arguments of nn.Conv2d: examples from tutorials, output shape and cost, PyTorch's errors and their fixes."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import torch

from cnnlab.learn.convolution import borders_of
from cnnlab.networks.architecture import Draft
from cnnlab.networks.build import layer_module
from cnnlab.networks.layers import Activation, AdaptivePool2d, Conv2d, Flatten, LayerError, Linear, Shape
from cnnlab.networks.layers.base import pair


@dataclass(frozen=True)
class Example:
    """A layer and the shape of the batch it is shown on."""

    title: str
    layer: Conv2d
    shape: Shape  # (N, C, H, W)
    about: str


EXAMPLES: dict[str, Example] = {
    "digit": Example(
        "A digit, 3×3",
        Conv2d(out_channels=8, kernel_size=3),
        (32, 1, 28, 28),
        "The first layer of most networks for MNIST: a filter of 9 weights for each output channel.",
    ),
    "colour": Example(
        "A colour picture, 3×3, padding 1",
        Conv2d(out_channels=8, kernel_size=3, padding=1),
        (32, 3, 32, 32),
        "Each filter has 3 channels of 9 weights; their three sums are added.",
    ),
    "tour-28": Example(
        "Conv2d(2, 28, 3)",
        Conv2d(out_channels=28, kernel_size=3),
        (20, 2, 50, 50),
        "A tutorial's first example: 20 images of 2 channels, and 28 feature maps of each.",
    ),
    "square": Example(
        "Conv2d(16, 33, 3, stride=2)",
        Conv2d(out_channels=33, kernel_size=3, stride=2),
        (20, 16, 50, 100),
        "From PyTorch's own page: the window moves two pixels at a time.",
    ),
    "uneven": Example(
        "Conv2d(16, 33, (3, 5), stride=(2, 1), padding=(4, 2))",
        Conv2d(out_channels=33, kernel_size=(3, 5), stride=(2, 1), padding=(4, 2)),
        (20, 16, 50, 100),
        "From PyTorch's own page: different values for rows and columns.",
    ),
    "everything": Example(
        "Conv2d(33, 33, (3, 5), stride=(2, 1), padding=(4, 2), dilation=(3, 1))",
        Conv2d(out_channels=33, kernel_size=(3, 5), stride=(2, 1), padding=(4, 2), dilation=(3, 1)),
        (20, 33, 50, 100),
        "A tutorial's last example: the three kernel rows are three pixels apart.",
    ),
    "same": Example(
        "Padding 'same'",
        Conv2d(out_channels=8, kernel_size=5, padding="same"),
        (32, 1, 28, 28),
        "PyTorch chooses the padding that keeps the image's size.",
    ),
    "reflect": Example(
        "Reflected borders",
        Conv2d(out_channels=8, kernel_size=3, padding=2, padding_mode="reflect"),
        (32, 3, 32, 32),
        "Instead of black, the border mirrors the picture.",
    ),
    "depthwise": Example(
        "Depthwise: groups = channels",
        Conv2d(out_channels=3, kernel_size=3, padding=1, groups=3),
        (32, 3, 32, 32),
        "Each output channel reads only one input channel.",
    ),
    "pointwise": Example(
        "1×1",
        Conv2d(out_channels=8, kernel_size=1),
        (32, 3, 32, 32),
        "No neighbours: a weighted sum of the channels of one pixel.",
    ),
    "dilated": Example(
        "Dilation 2",
        Conv2d(out_channels=8, kernel_size=3, padding=2, dilation=2),
        (32, 1, 28, 28),
        "Nine weights spread over 5×5 pixels.",
    ),
}


@dataclass(frozen=True)
class Measured:
    """What PyTorch reports about a layer."""

    shape: Shape  # of the output batch
    parameters: int


def measure(layer: Conv2d, shape: Shape) -> Measured:
    """Run the real layer on a batch of ``shape`` = (N, C, H, W), by shapes only (the meta device).

    Raises ValueError with PyTorch's message where it refuses, and where it could crash the process.
    """
    try:
        with torch.device("meta"):
            module = layer_module(layer, shape[1:], 0)
            output = module(torch.empty(shape))
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    layer.output_shape(shape[1:], 0)
    return Measured(tuple(output.shape), sum(parameter.numel() for parameter in module.parameters()))


def code(layer: Conv2d, shape: Shape) -> str:
    """Write two lines of PyTorch: one makes the layer, one runs it on a batch of ``shape`` = (N, C, H, W)."""
    return f"layer = nn.{layer.call(shape[1:], 0)}\nlayer(torch.rand{shape}).shape"


def network_on(layer: Conv2d) -> Draft:
    """Build the smallest network that starts with the layer, as a base for designs."""
    rest = (Activation(), AdaptivePool2d(output_size=1), Flatten(), Linear(out_features="classes"))
    return Draft(name="on-one-convolution", title="On one convolution", layers=(layer, *rest))


def fixes(layer: Conv2d, shape: Shape) -> list[str]:
    """List changes after which the layer accepts a batch of ``shape`` = (N, C, H, W); empty where it already does."""
    _, channels, *size = shape
    found = []
    if channels % layer.groups or layer.out_channels % layer.groups:
        common = gcd(channels, layer.out_channels)
        choices = [str(groups) for groups in range(1, common + 1) if common % groups == 0]
        found.append(f"groups={_one_of(choices)}: groups must divide both {channels} and {layer.out_channels} channels")
    if layer.padding == "same" and pair(layer.stride) != (1, 1):
        found.append("stride 1, or padding as a number: 'same' is for stride 1")
    spare = {"reflect": 1, "circular": 0}.get(layer.padding_mode)
    left, right, top, bottom = borders_of(layer)
    wide = (max(top, bottom), max(left, right))
    if spare is not None and any(border + spare > side for border, side in zip(wide, size, strict=True)):
        most = min(size) - spare
        found.append(f"padding of at most {most}, because the image has no more pixels, or padding_mode='zeros'")
    kernel, dilation, borders = pair(layer.kernel_size), pair(layer.dilation), ((top, bottom), (left, right))
    for axis, name in enumerate(("rows", "columns")):
        extent, padded = dilation[axis] * (kernel[axis] - 1) + 1, size[axis] + sum(borders[axis])
        if extent > padded:
            more = (extent - size[axis] + 1) // 2
            found.append(
                f"a smaller kernel or dilation, or padding {more}: the window covers {extent} {name}, the padded image "
                f"has {padded}"
            )
    if not found and _may_end_the_process(layer, shape):
        found.append("a lower dilation, stride or padding: a window without pixels can crash PyTorch")
    return found


def _may_end_the_process(layer: Conv2d, shape: Shape) -> bool:
    try:
        layer.output_shape(shape[1:], 0)
    except LayerError:
        return True
    return False


def _one_of(choices: list[str]) -> str:
    return " or ".join([", ".join(choices[:-1]), choices[-1]]) if len(choices) > 1 else choices[0]
