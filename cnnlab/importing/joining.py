"""Blocks with their numbers, as ways that part and meet again become them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from pydantic import ValidationError
from torch import Tensor

from cnnlab.errors import first_error
from cnnlab.importing.onnx_graph import Node, refused
from cnnlab.importing.parts import EPS, Part, affine
from cnnlab.networks.layers import (
    Activation,
    AdaptivePool2d,
    AvgPool2d,
    BatchNorm2d,
    Chain,
    Conv2d,
    Flatten,
    Layer,
    LayerError,
    Linear,
    Parallel,
    Residual,
    Shape,
    SqueezeExcite,
    trace,
)

Parts = Sequence[Part]


def chain_of(parts: Parts) -> Chain:
    """Return the layers alone."""
    return tuple(part.layer for part in parts)


def parallel(node: Node, ways: Sequence[Parts]) -> Part:
    """Join ways along the channels."""
    if node.settings.get("axis") not in (1, -3):
        raise refused(node, "joins along another axis than the channels")
    tensors = {
        f"path{number}.{name}": value for number, way in enumerate(ways, 1) for name, value in numbered(way).items()
    }
    try:
        return Part(Parallel(paths=tuple(map(chain_of, ways))), tensors)
    except ValidationError as error:
        raise _too_much(node, error) from error


def residual(node: Node, ways: Sequence[Parts], shape: Shape, classes: int) -> Part:
    """Add two ways: a body and its shortcut, which is the identity or a 1×1 convolution that fits the body."""
    first, second = ways
    for body, shortcut in ((first, second), (second, first)):
        if not body:
            continue
        pooled = bool(shortcut) and isinstance(shortcut[0].layer, AvgPool2d)
        try:
            block = Residual(body=chain_of(body), activation="none", pooled=pooled)
            expected = block.projection(shape, classes)
        except ValidationError as error:
            raise _too_much(node, error) from error
        except LayerError:
            continue
        given = _projection(shortcut, expected)
        if given is not None:
            tensors = {f"body.{name}": value for name, value in numbered(body).items()}
            return Part(block, tensors | {f"shortcut.{name}": value for name, value in given.items()})
    raise refused(
        node,
        "adds two ways of which none is a shortcut as residual blocks here have it: the input itself, or a 1×1 "
        "convolution, of means or not, where the other way changes the shape",
    )


def _projection(shortcut: Parts, expected: Chain) -> dict[str, Tensor] | None:
    """Return the tensors of a shortcut as ours has them, 1×1 convolution and batch norm; None where it is another."""
    if not expected:
        return None if shortcut else {}
    at = len(expected) - 2  # layers before the convolution, without weights
    before, shortcut = chain_of(shortcut[:at]), shortcut[at:]
    layers = chain_of(shortcut)
    if before != expected[:at] or not layers or not isinstance(layers[0], Conv2d):
        return None
    if layers[0].model_copy(update={"bias": False}) != expected[at]:
        return None
    weight, bias = shortcut[0].tensors["weight"], shortcut[0].tensors.get("bias")
    offset = torch.zeros(len(weight)) if bias is None else bias
    match layers[1:]:
        case ():
            norm = affine((len(weight), 1, 1), torch.ones(len(weight)), offset).tensors
        case (BatchNorm2d() as given,):
            norm = dict(shortcut[1].tensors)
            norm["running_mean"] = norm["running_mean"] - offset
            norm["running_var"] = norm["running_var"] + (given.eps - EPS)
        case _:
            return None
    return {f"{at}.weight": weight} | {f"{at + 1}.{name}": value for name, value in norm.items()}


def squeeze_excite(node: Node, gate: Parts, shape: Shape) -> Part:
    """Multiply maps by a gate of their means."""
    convolved = [_as_convolution(part) for part in gate if not isinstance(part.layer, Flatten)]
    match chain_of(convolved):
        case (
            AdaptivePool2d(pool="avg", output_size=1),
            Conv2d(kernel_size=1, groups=1, stride=1) as inner,
            Activation(function=within),
            Conv2d(kernel_size=1, groups=1, stride=1, out_channels=out),
            Activation(function="sigmoid" | "hard-sigmoid" as function),
        ) if out == shape[0]:
            block = SqueezeExcite(squeezed=inner.out_channels, within=within, gate=function)
        case _:
            raise refused(
                node,
                "multiplies maps by a gate that is not squeeze-and-excite as it is here: means, 1×1 convolution, "
                "activation, 1×1 convolution, sigmoid",
            )
    tensors = {
        f"gate.{at}.{name}": convolved[at].tensors.get(name, torch.zeros(len(convolved[at].tensors["weight"])))
        for at in (1, 3)
        for name in ("weight", "bias")
    }
    return Part(block, tensors)


def _as_convolution(part: Part) -> Part:
    """Return a linear layer as the 1×1 convolution that it is on maps of one pixel."""
    if not isinstance(part.layer, Linear):
        return part
    weight = part.tensors["weight"]
    layer = Conv2d(out_channels=len(weight), kernel_size=1, bias=part.layer.bias)
    return Part(layer, {**part.tensors, "weight": weight[..., None, None]})


def with_activation(parts: list[Part], part: Part) -> None:
    """Add a part; a function right behind a residual block becomes the block's own."""
    last = parts[-1].layer if parts else None
    if isinstance(part.layer, Activation) and isinstance(last, Residual) and last.activation == "none":
        block: Layer = last.model_copy(update={"activation": part.layer.function})
        parts[-1] = replace(parts[-1], layer=block)
    else:
        parts.append(part)


def numbered(parts: Parts) -> dict[str, Tensor]:
    """Return the tensors of a chain by their names in it."""
    return {f"{at}.{name}": value for at, part in enumerate(parts) for name, value in part.tensors.items()}


def out_of(parts: Parts, shape: Shape, classes: int) -> Shape:
    """Return what a chain makes of an input's shape. Raises LayerError."""
    return trace(chain_of(parts), shape, classes)[-1]


def _too_much(node: Node, error: ValidationError) -> Exception:
    return refused(node, f"ends a block that is larger than blocks here may be ({first_error(error)})")
