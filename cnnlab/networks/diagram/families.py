"""What is said of a layer in a drawing or a list: its family and colour, its label, its settings in short."""

from __future__ import annotations

from cnnlab.networks.architecture import LayerSummary
from cnnlab.networks.layers import Layer, pair, shown
from cnnlab.palette import PALETTE

FAMILIES = {
    "conv2d": "convolution",
    "max-pool2d": "pool",
    "avg-pool2d": "pool",
    "adaptive-pool2d": "pool",
    "batch-norm2d": "norm",
    "batch-norm1d": "norm",
    "group-norm": "norm",
    "layer-norm": "norm",
    "activation": "activation",
    "softmax": "other",
    "dropout": "other",
    "flatten": "other",
    "linear": "linear",
    "residual": "block",
    "parallel": "block",
    "depthwise-separable": "block",
    "squeeze-excite": "block",
}
"""The family of each kind of layer."""

COLOURS = {
    "convolution": PALETTE[0],
    "pool": PALETTE[3],
    "norm": PALETTE[2],
    "activation": PALETTE[1],
    "other": PALETTE[8],
    "linear": PALETTE[4],
    "block": PALETTE[6],
}
"""The colour of each family, ``#rrggbb``."""

_SHORT = {"convolution": "conv", "pool": "pool", "norm": "norm"}
_LONGEST = 14  # letters of a label


def family(layer: Layer) -> str:
    """A key of ``COLOURS``."""
    return FAMILIES[layer.kind]


def label(row: LayerSummary) -> str:
    """The layer's name; within a block, where it has none of its own, what it is."""
    name = row.name if len(row.place) == 1 else row.layer.name
    if not name:
        return _what_it_is(row.layer)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _what_it_is(layer: Layer) -> str:
    if layer.kind == "activation":
        return layer.function
    return _SHORT.get(family(layer), layer.kind)


def window(layer: Layer) -> str:
    """A convolution's or pool's kernel and, where it is not 1, its stride: 3×3 /2."""
    if layer.kind == "adaptive-pool2d":
        return f"to {shown(pair(layer.output_size))}"
    if layer.kind not in {"conv2d", "max-pool2d", "avg-pool2d"}:
        return ""
    kernel, stride, _, _ = layer.windows((1, 1, 1))[0]
    if stride == (1, 1):
        return shown(kernel)
    return f"{shown(kernel)} /{stride[0] if stride[0] == stride[1] else shown(stride)}"


def description(row: LayerSummary) -> str:
    """Name, kind, settings, shapes, parameters and what is wrong, a line each."""
    lines = [f"{row.name}: {row.kind}", _settings(row.layer)]
    if row.output_shape:
        lines += [f"{shown(row.input_shape)} → {shown(row.output_shape)}", f"{row.parameters:,} parameters"]
    return "\n".join(line for line in (*lines, row.problem) if line)


def _settings(layer: Layer) -> str:
    """The fields that differ from their defaults, and the kernel's size; not the layers within a block."""
    usual = {name: field.default for name, field in type(layer).model_fields.items()}
    told = [
        f"{name.replace('_', ' ')} {_told(value)}"
        for name, value in layer
        if name not in {"kind", "name", *_chain_fields(layer)} and (name == "kernel_size" or value != usual[name])
    ]
    return ", ".join(told)


def _chain_fields(layer: Layer) -> set[str]:
    return {"body"} if layer.kind == "residual" else {"paths"} if layer.kind == "parallel" else set()


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown(value) if isinstance(value, tuple) else str(value)
