"""What is said of a layer in a drawing or a list: its family and colour, its label, its settings in short."""

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
    """The layer's name; within a block, where it has none of its own, what it is."""
    name = row.name if len(row.place) == 1 else row.layer.name
    if not name:
        return row.layer.label
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


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
        if name not in {"kind", "name", *layer.chain_fields} and (name == "kernel_size" or value != usual[name])
    ]
    return ", ".join(told)


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown(value) if isinstance(value, tuple) else str(value)
