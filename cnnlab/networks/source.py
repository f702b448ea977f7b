"""Networks as the PyTorch code that one would write by hand."""

from __future__ import annotations

import re
from inspect import getsource
from keyword import iskeyword
from textwrap import indent

from cnnlab.networks.architecture import Draft, LayerSummary, follow, summarise
from cnnlab.networks.layers import Layer, Shape
from cnnlab.networks.layers.base import Call
from cnnlab.networks.modules import MERGES, OWN

WIDTH = 110  # characters of a line, at most

_TAKEN = {
    *("True", "False", "None", "Tensor", "Any", *OWN, *(block.__name__ for block in MERGES.values())),
    # Names that a program around the class uses.
    *("Callable", "F", "Iterator", "Path", "TensorDataset", "WeightAverage"),
    *("CHECKSUMS", "CLASSES", "DEVICE", "DIGITS", "EPOCHS", "FOLDER", "MEAN", "MIRROR", "PATIENCE", "SCALE", "SEED"),
    # Names of what prepares a picture for it in a file of its own.
    *("BytesIO", "Colour", "EmptyError", "Image", "ImageOps", "Mask", "PictureError", "Rows"),
    *("BLEND", "CHANGES", "GREY", "ROTATION", "SHEAR", "TRANSLATION"),
    *("BOX", "BUSY", "CHANNELS", "CONTRAST", "EXAMPLES", "EXPECTED", "FAINT", "FINE", "FREE", "HEIGHT", "MIDDLE"),
    *("NUMBERS", "PRECISION", "PREPARATION", "RIM", "SIGNATURE", "SPAN", "STRAY", "THICKNESS", "TOLERANCE"),
    *("WEIGHTS", "WHITES", "WIDTH"),
}


def pytorch_code(draft: Draft, input_shape: Shape, classes: int) -> str:
    """Write the source of an ``nn.Module`` for images of ``input_shape`` = (C, H, W) that needs nothing but PyTorch.

    Its parameters have the names of the app's own network: each loads the other's ``state_dict``.
    Raises ArchitectureError if a layer does not fit.
    """
    rows = summarise(draft, input_shape, classes)
    source = network_source(draft, input_shape, classes)
    size = f"{sum(row.parameters for row in rows):,} parameters"
    imports = "".join(f"{line}\n" for line in imports_of(source))
    return (
        f'"""{plain(draft.title)}: images of {_dimensions(input_shape)}, {classes} classes, {size}."""\n\n'
        f"{imports}from torch import Tensor, nn\n\n\n{source}"
    )


def imports_of(source: str) -> list[str]:
    """List the imports, beside ``Tensor`` and ``nn``, that a ``network_source`` needs."""
    needs = {
        "from typing import Any": r"\bAny\b",
        "import torch": r"\btorch\.\w+\(",
        "import torch.nn.functional as F": r"\bF\.\w+\(",
    }
    return [line for line, use in needs.items() if re.search(use, source)]


def network_source(draft: Draft, input_shape: Shape, classes: int) -> str:
    """Write the class ``class_name(draft.title)`` and its blocks without imports. Raises ArchitectureError as above."""
    rows = summarise(draft, input_shape, classes)
    inner = follow(draft, input_shape, classes)
    merges, calls = {row.layer.merge for row in inner}, {_called(row, classes) for row in inner}
    needed = [module for name, module in OWN.items() if name in calls]
    needed += [block for merge, block in MERGES.items() if merge in merges]
    blocks = [f"{getsource(block).rstrip()}\n" for block in needed]
    return "\n\n".join([*blocks, _network(draft, rows, input_shape, classes)])


def class_name(title: str) -> str:
    """Derive a class name from a title: "Small ResNet" → ``SmallResNet``."""
    words = re.findall(r"[A-Za-z0-9]+", title)
    name = "".join(word[0].upper() + word[1:] for word in words)
    if not name or name[0].isdigit() or iskeyword(name) or name in _TAKEN:
        name = f"Net{name}"
    return name


def plain(text: str) -> str:
    """Make free text safe for a docstring: without line breaks, double quotes and backslashes."""
    printable = "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
    return printable.replace("\\", "/").replace('"', "'")


def _network(draft: Draft, rows: list[LayerSummary], input_shape: Shape, classes: int) -> str:
    about = plain(draft.description) or "Built layer by layer."
    lines = [line for row in rows for line in _layer(row, classes)]
    return (
        f"class {class_name(draft.title)}(nn.Module):\n"
        f'    """{about}"""\n\n'
        "    def __init__(self) -> None:\n"
        "        super().__init__()\n"
        f"{indent(chr(10).join(lines), ' ' * 8)}\n\n"
        "    def forward(self, x: Tensor) -> Tensor:\n"
        f"{indent(chr(10).join(_forward(rows, input_shape)), ' ' * 8)}\n"
    )


def _layer(row: LayerSummary, classes: int) -> list[str]:
    """Write the lines that create a layer and, unless PyTorch's default does, initialise its weights."""
    module = _module(row.layer, row.input_shape, classes)
    return [
        *f"self.{row.name} = {module}".splitlines(),
        *_initialisation(row.layer, f"self.{row.name}", row.input_shape, classes),
    ]


def _module(layer: Layer, shape: Shape, classes: int) -> str:
    branches = layer.branches(shape, classes)
    if not branches:
        return _constructed(layer.call(shape, classes))
    parts = []
    for name, chain in branches.items():
        sequential = _sequential(chain, shape, classes)
        if not name:
            return sequential
        parts.append(f"{name}={sequential}")
    parts += [f"{name}={_constructed(call)}" for name, call in layer.merge_modules().items()]
    return _call(MERGES[layer.merge].__name__, parts)


def _called(row: LayerSummary, classes: int) -> str:
    """Return the name of the module of a layer; empty for a block."""
    return "" if row.layer.branches(row.input_shape, classes) else row.layer.call(row.input_shape, classes).name


def _constructed(call: Call) -> str:
    return str(call) if call.name in OWN else f"nn.{call}"


def _sequential(chain: tuple[Layer, ...], shape: Shape, classes: int) -> str:
    modules = []
    for layer in chain:
        modules.append(_module(layer, shape, classes))
        shape = layer.output_shape(shape, classes)
    return _call("nn.Sequential", modules)


def _call(name: str, arguments: list[str]) -> str:
    """Write a call in one line if it is short, else with one argument a line."""
    line = f"{name}({', '.join(arguments)})"
    if "\n" not in line and len(line) <= WIDTH // 2:
        return line
    inner = "".join(f"{argument},\n" for argument in arguments)
    return f"{name}(\n{indent(inner, '    ')})"


def _initialisation(layer: Layer, name: str, shape: Shape, classes: int) -> list[str]:
    if call := layer.initial_weights():
        keywords = str(call).removeprefix(f"{call.name}(")
        return [f"nn.init.{call.name}({name}.weight{', ' if call.keywords else ''}{keywords}"]
    lines = []
    for branch, chain in layer.branches(shape, classes).items():
        flowing = shape
        for number, inner in enumerate(chain):
            inner_name = f"{name}.{branch}[{number}]" if branch else f"{name}[{number}]"
            lines += _initialisation(inner, inner_name, flowing, classes)
            flowing = inner.output_shape(flowing, classes)
    return lines


def _forward(rows: list[LayerSummary], input_shape: Shape) -> list[str]:
    """Write one line for each layer, with the shape in a comment where it changes."""
    lines, shape = [f"# x: {_batch(input_shape)}"], input_shape
    for row in rows:
        comment = f"  # {_batch(row.output_shape)}" if row.output_shape != shape else ""
        lines.append(f"x = self.{row.name}(x){comment}")
        shape = row.output_shape
    last = lines.pop()
    comment = last.partition("  # ")[2] or _batch(shape)
    return [*lines, f"logits: Tensor = self.{rows[-1].name}(x)  # {comment}", "return logits"]


def _batch(shape: Shape) -> str:
    return f"(N, {', '.join(map(str, shape))})"


def _dimensions(shape: Shape) -> str:
    return "×".join(map(str, shape))
