"""Convolutions and pools: what slides over the maps, and how their borders are padded."""

from __future__ import annotations

from math import ceil
from typing import Any

from cnnlab.importing.foreign_file import ForeignError
from cnnlab.importing.onnx_graph import Node, refused
from cnnlab.importing.parts import Part, Place, made, tensor
from cnnlab.networks.layers import AvgPool2d, Conv2d, MaxPool2d, Shape


def convolution(node: Node, place: Place) -> Part:
    """Convert a convolution of two axes."""
    weight, bias = place.graph.weight(node, 1), place.graph.weight(node, 2)
    if weight is None or weight.ndim != 4:
        raise refused(node, "is no convolution over rows and columns, which are all that images have here")
    kernel, stride, dilation = (_both(node, name, default) for name, default in _window(weight.shape[2:]))
    settings: dict[str, Any] = {"padding": 0}
    pads = _pads(node, place, kernel, stride, dilation)
    if place.border and place.border[0] != "constant":
        settings = {"padding": _even(pads), "padding_mode": _MODES[place.border[0]]}
        if pads[:2] != pads[2:] and pads == _same(place.shape, kernel, (1, 1), dilation):
            settings["padding"] = "same"
        elif pads[:2] != pads[2:]:
            raise _uneven(node)
    elif pads[:2] == pads[2:]:
        settings["padding"] = _even(pads)
    elif pads == _same(place.shape, kernel, stride, dilation):
        settings["padding"] = "same-upper"
    else:
        raise _uneven(node)
    layer = made(
        node,
        Conv2d,
        out_channels=weight.shape[0],
        kernel_size=_one(kernel),
        stride=_one(stride),
        dilation=_one(dilation),
        groups=node.settings.get("group", 1),
        bias=bias is not None,
        **settings,
    )
    if weight.shape[1] * node.settings.get("group", 1) != place.shape[0]:
        raise refused(node, f"takes {weight.shape[1]} channels a group, but {place.shape[0]} come in")
    return Part(layer, {"weight": tensor(weight)} | ({} if bias is None else {"bias": tensor(bias)}))


_MODES = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}


def _uneven(node: Node) -> ForeignError:
    return refused(node, "pads its sides unequally, in a way that no layer here has: pad both sides alike")


def _window(kernel: tuple[int, ...]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return ("kernel_shape", kernel), ("strides", (1, 1)), ("dilations", (1, 1))


def _both(node: Node, name: str, default: tuple[int, ...]) -> tuple[int, int]:
    values = tuple(node.settings.get(name, default))
    if len(values) != 2:
        raise refused(node, "slides over other axes than rows and columns")
    return int(values[0]), int(values[1])


def _one(size: tuple[int, int]) -> int | tuple[int, int]:
    return size[0] if size[0] == size[1] else size


def _even(pads: tuple[int, ...]) -> int | tuple[int, int]:
    return _one((pads[0], pads[1]))


def _pads(
    node: Node, place: Place, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> tuple[int, ...]:
    """Return the pixels around the maps: top, left, bottom, right."""
    auto = node.settings.get("auto_pad", b"NOTSET")
    if auto == b"SAME_UPPER":
        return _same(place.shape, kernel, stride, dilation)
    if auto not in (b"NOTSET", b"VALID"):
        raise refused(node, f"pads in the way {auto!r}, which no layer here has")
    pads = tuple(node.settings.get("pads", (0, 0, 0, 0))) if auto == b"NOTSET" else (0, 0, 0, 0)
    if len(pads) != 4:
        raise refused(node, "slides over other axes than rows and columns")
    around = place.border[1] if place.border else (0, 0, 0, 0)
    if any(pads) and place.border and place.border[0] != "constant":
        raise refused(node, "pads twice in different ways")
    return tuple(int(one) + more for one, more in zip(pads, around, strict=True))


def _same(shape: Shape, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, ...]:
    """Return TensorFlow's padding: maps of the input's size over the stride, an odd pixel at the right and below."""
    totals = [
        max(0, (ceil(size / step) - 1) * step + spread * (width - 1) + 1 - size)
        for size, width, step, spread in zip(shape[1:], kernel, stride, dilation, strict=True)
    ]
    return (*(total // 2 for total in totals), *(total - total // 2 for total in totals))


def pool(node: Node, place: Place) -> Part:
    """Convert a pool with a window."""
    kernel, stride, dilation = (_both(node, name, default) for name, default in _window(()))
    pads = _pads(node, place, kernel, stride, dilation)
    if pads[:2] != pads[2:] or (place.border and node.op == "MaxPool"):
        raise _uneven(node)
    settings: dict[str, Any] = {
        "kernel_size": _one(kernel),
        "stride": None if stride == kernel else _one(stride),
        "padding": _even(pads),
        "ceil_mode": bool(node.settings.get("ceil_mode", 0)),
    }
    if node.op == "MaxPool":
        return Part(made(node, MaxPool2d, **settings, dilation=_one(dilation)))
    if dilation != (1, 1):
        raise refused(node, "is a dilated mean, which no layer here is")
    counts = bool(node.settings.get("count_include_pad", 0)) or not any(pads) or bool(place.border)
    return Part(made(node, AvgPool2d, **settings, count_include_pad=counts))
