"""All numbers that a page takes along: the network, the gate, the training images' features, the examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file
from torch import nn

from cnnlab.analysis.ood import GATE, GATE_SHAPE, gate_network
from cnnlab.data.datasets import DATASETS
from cnnlab.data.table import DIGITS
from cnnlab.export.portable import ExportError, Portable
from cnnlab.export.web.familiar import Familiar
from cnnlab.export.web.packing import LEVELS, Form, Numbers, base64_of, fits_half, packed, rounded
from cnnlab.export.web.program import Program, compile_network
from cnnlab.networks.build import build

TOLERANCE = 1e-3  # of a probability, between the page and PyTorch with the same rounded weights
ROUNDING = 0.02  # of a probability, between rounded weights and the app's
MOST_LAYERS = 8  # whose maps are shown


class Detail(NamedTuple):
    """How finely the reasons to doubt are kept: beside small weights a coarser gate changes the size by a fifth."""

    gate_levels: int
    directions: int
    levels: int


DETAILS: dict[Numbers, Detail] = {
    "float32": Detail(127, 96, 127),
    "float16": Detail(63, 64, 31),
    "int8": Detail(15, 32, 31),
}
WITHOUT_GATE = Detail(0, 128, 127)  # there only the distance tells what is unfamiliar


@dataclass
class _Parts:
    """Collect bytes in the order in which the page reads them."""

    parts: list[bytes] = field(default_factory=list)

    def add(self, pairs: list[tuple[Form, bytes]]) -> list[Form]:
        """Append the bytes and return the forms."""
        self.parts += [content for _, content in pairs]
        return [form for form, _ in pairs]


def bundle(portable: Portable, weights: Numbers) -> dict[str, Any]:
    """Return what the page's script takes, as JSON has it; ``tensors`` holds all numbers.

    Raises ExportError where rounded weights answer otherwise than the app does.
    """
    trained, parts = portable.trained, _Parts()
    network = _rounded_network(portable, weights)
    shown = _shown_layers(network, portable)
    program = compile_network(network, trained.shape, shown)
    has_gate = trained.classes == DIGITS and trained.shape == GATE_SHAPE
    detail = DETAILS[weights] if has_gate else WITHOUT_GATE
    mean, std = trained.standardise.scale
    with torch.inference_mode():
        expected = network(trained.standardise.inputs(portable.examples.images)).softmax(1)
    apart = float((expected - portable.examples.probabilities).abs().max())
    if not apart <= ROUNDING:
        raise ExportError(
            f"with weights of {weights} the page would answer otherwise than here (probabilities differ by up to "
            f"{apart:.2g}): choose another format"
        )
    content = {
        "classes": trained.classes,
        "mean": mean,
        "std": std,
        "preparation": portable.preparation,
        "program": program.head(),
        "forms": parts.add(_tensors(program, weights)),
        "gate": _gate(parts, detail) if has_gate else None,
        "familiar": _familiar(portable, parts, detail),
        "examples": {
            "labels": portable.examples.labels.tolist(),
            "forms": parts.add([packed(portable.examples.images, "uint8"), packed(expected, "float32")]),
        },
        "tolerance": TOLERANCE,
        "maps": shown,
    }
    return content | {"tensors": base64_of(parts.parts)}


def _tensors(program: Program, weights: Numbers, levels: int = LEVELS) -> list[tuple[Form, bytes]]:
    return [packed(tensor, _numbers(tensor, weights), levels) for tensor in program.tensors]


def _numbers(tensor: torch.Tensor, weights: Numbers) -> Numbers:
    """Choose how a tensor is kept: vectors, and what 16 bits cannot hold, are never rounded."""
    if tensor.dim() < 2 or (weights == "float16" and not fits_half(tensor)):
        return "float32"
    return weights


def _rounded_network(portable: Portable, weights: Numbers) -> nn.Sequential:
    """Build the network with the weights as the page reads them."""
    trained = portable.trained
    network = build(portable.architecture, trained.shape, len(trained.classes))
    state = trained.network.state_dict()
    network.load_state_dict({name: rounded(tensor, _numbers(tensor, weights)) for name, tensor in state.items()})
    return network.eval()


def _shown_layers(network: nn.Sequential, portable: Portable) -> tuple[str, ...]:
    """Choose layers whose output is maps and goes into a layer with weights or is flattened, evenly spaced."""
    program = compile_network(network, portable.trained.shape)
    layers = list(network.named_children())
    ends = [
        name
        for (name, _), (_, following) in pairwise(layers)
        if len(program.shapes[program.layers[name]]) == 3 and _begins_anew(following)
    ]
    spacing = -(-len(ends) // MOST_LAYERS) or 1
    return tuple(ends[::-1][::spacing][::-1])


def _begins_anew(layer: nn.Module) -> bool:
    is_weighted = any(isinstance(module, nn.Conv2d | nn.Linear) for module in layer.modules())
    return is_weighted or isinstance(layer, nn.Flatten | nn.AdaptiveAvgPool2d)


def _gate(parts: _Parts, detail: Detail) -> dict[str, Any]:
    network = gate_network()
    network.load_state_dict(load_file(GATE))
    program = compile_network(network.eval(), GATE_SHAPE)
    digits = DATASETS["mnist-sample"]
    forms = parts.add(_tensors(program, "int8", detail.gate_levels))
    return {"program": program.head(), "forms": forms, "mean": digits.mean, "std": digits.std}


def _familiar(portable: Portable, parts: _Parts, detail: Detail) -> dict[str, Any]:
    familiar = portable.familiar
    forms = parts.add(Familiar.of(familiar.neighbours, detail.directions, detail.levels).packed())
    faint = familiar.faint if familiar.faint > -torch.inf else None
    return {"far": familiar.far, "torn": familiar.torn, "faint": faint, "forms": forms}
