"""A layer in words and colour: its label, its settings in short, the colour of its family."""

from __future__ import annotations

from cnnlab.networks.architecture import LayerSummary
from cnnlab.networks.layers import Layer, shown
from cnnlab.networks.layers.base import Family
from cnnlab.palette import PALETTE

COLOURS: dict[Family, str] = {
    "convolution": PALETTE[0],
    "pool": PALETTE[3],
    "norm": PALETTE[2],
    "activation": PALETTE[1],
    "other": PALETTE[8],
    "linear": PALETTE[4],
    "block": PALETTE[6],
}
"""The colour of each family, ``#rrggbb``."""

_LONGEST = 14  # letters of a label


def label(row: LayerSummary) -> str:
    """Return the layer's name, or what it is for an unnamed layer inside a block."""
    name = row.name if len(row.place) == 1 else row.layer.name
    if not name:
        return row.layer.label
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def description(row: LayerSummary) -> str:
    """Describe a layer: name, kind, settings, shapes, parameters and its problem, one line each."""
    lines = [f"{row.name}: {row.kind}", _settings(row.layer)]
    if row.output_shape:
        lines += [f"{shown(row.input_shape)} → {shown(row.output_shape)}", f"{row.parameters:,} parameters"]
    return "\n".join(line for line in (*lines, row.problem) if line)


def _settings(layer: Layer) -> str:
    """List the fields that differ from their defaults, and the kernel's size, without a block's inner layers."""
    defaults = {name: field.default for name, field in type(layer).model_fields.items()}
    settings = [
        f"{name.replace('_', ' ')} {_formatted(value)}"
        for name, value in layer
        if name not in {"kind", "name", *layer.chain_fields} and (name == "kernel_size" or value != defaults[name])
    ]
    return ", ".join(settings)


def _formatted(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown(value) if isinstance(value, tuple) else str(value)
