"""A program's steps in C: constants, and a call for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.export.c.literals import array, floats, number
from cnnlab.export.portable import ExportError
from cnnlab.export.web.packing import packed
from cnnlab.export.web.program import Program, Step
from cnnlab.networks.layers import Shape

MEMORY = "cnnlab_memory"


@dataclass
class Written:
    """Collect the constants and the calls of a program."""

    program: Program
    constants: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    weights: int = 0  # of 8 bits
    flash: int = 0  # bytes of the constants

    @classmethod
    def of(cls, program: Program) -> Written:
        """Write all steps. Raises ExportError for a step that C has no function for."""
        written = cls(program)
        for step in program.steps:
            if step["do"] not in _CALLS:
                raise ExportError(f"a C header has no function for the step {step['do']!r}")
            shape = " x ".join(map(str, written.shape(step["to"])))
            written.calls += [f"/* {step.get('name', step['do'])}: {shape} */", *_CALLS[step["do"]](written, step)]
        return written

    def shape(self, value: int) -> Shape:
        return self.program.shapes[value]

    def size(self, value: int) -> int:
        return torch.Size(self.shape(value)).numel()

    def plane(self, value: int) -> int:
        """Count the numbers of one map, 1 of features."""
        return self.size(value) // self.shape(value)[0]

    def at(self, value: int) -> str:
        return f"{MEMORY} + {self.program.places[value]}"

    def ends(self, step: Step) -> str:
        """Name the memory of a step's first input and of its output."""
        return f"{self.at(step['from'][0])}, {self.at(step['to'])}"

    def quantised(self, step: Step) -> str:
        """Define weights of 8 bits, a scale for each row and the biases; return their names."""
        (_, rows, _), content = packed(self.program.tensors[step["weight"]], "int8")
        scales, values = np.frombuffer(content[: 4 * rows], "<f4"), np.frombuffer(content[4 * rows :], np.int8)
        name = f"cnnlab_weights_{step['to']}"
        self.constants.append(array("int8_t", name, [str(value) for value in values.tolist()]))
        self.weights += values.size
        self.flash += values.size
        return f"{name}, {self._floats('scales', step, torch.tensor(scales))}, {self.numbers('bias', step)}"

    def numbers(self, kind: str, step: Step) -> str:
        """Define an optional tensor of a step; return its name."""
        return self._floats(kind, step, self.program.tensors[step[kind]]) if kind in step else "NULL"

    def shares(self, kind: str, step: Step, before: int, after: int) -> str:
        """Define how ``after`` pixels are interpolated of ``before``; return it."""
        eye = torch.eye(before)[None, None]
        matrix = F.interpolate(eye, (after, before), mode="bilinear", antialias=True)[0, 0]
        taps = int((matrix != 0).sum(1).max())
        firsts = (matrix != 0).int().argmax(1).clamp(max=before - taps)
        weights = matrix.gather(1, firsts[:, None] + torch.arange(taps))
        name = f"cnnlab_{kind}_firsts_{step['to']}"
        self.constants.append(array("uint16_t", name, [str(first) for first in firsts.tolist()]))
        self.flash += 2 * after
        return f"{{{before}, {after}, {taps}, {name}, {self._floats(f'{kind}_weights', step, weights)}}}"

    def _floats(self, kind: str, step: Step, tensor: Tensor) -> str:
        name = f"cnnlab_{kind}_{step['to']}"
        self.constants.append(floats(name, tensor))
        self.flash += 4 * tensor.numel()
        return name


def _convolution(written: Written, step: Step) -> list[str]:
    (channels, *before), (filters, *after) = (written.shape(value) for value in (step["from"][0], step["to"]))
    left, _, top, _ = step["sides"]
    if step["kernel"] == step["stride"] == (1, 1) and not any(step["sides"]):
        before = after = [1, written.plane(step["to"])]  # one long row is quicker
    rows, columns = _axes(before, after, step["kernel"], step["stride"], (top, left), step["dilation"])
    sizes = f"{channels}, {filters}, {step['groups']}, CNNLAB_{step['border'].upper()}"
    call = f"cnnlab_convolution({written.ends(step)}, &rows, &columns, {sizes},"
    return _along("axis", rows, columns, f"{call}\n            {written.quantised(step)});")


def _axes(*settings: Sequence[int]) -> list[str]:
    """Write the windows along rows and columns, of settings that hold one for each."""
    return [f"{{{', '.join(map(str, axis))}}}" for axis in zip(*settings, strict=True)]


def _along(kind: str, rows: str, columns: str, call: str) -> list[str]:
    """Write a call for windows along both axes."""
    return ["{", f"    static const cnnlab_{kind} rows = {rows}, columns = {columns};", f"    {call}", "}"]


def _linear(written: Written, step: Step) -> list[str]:
    sizes = f"{written.size(step['from'][0])}, {written.size(step['to'])}"
    return [f"cnnlab_linear({written.ends(step)}, {sizes}, {written.quantised(step)});"]


def _scale(written: Written, step: Step) -> list[str]:
    channels, plane = written.shape(step["to"])[0], written.plane(step["to"])
    tensors = f"{written.numbers('factor', step)}, {written.numbers('offset', step)}"
    return [f"cnnlab_scale({written.ends(step)}, {channels}, {plane}, {tensors});"]


def _normalise(written: Written, step: Step) -> list[str]:
    value, groups = step["to"], step["groups"]
    size = written.size(value) // groups
    plane = written.plane(value) if step["each"] == "channel" else 1
    return _normalised(written, step, groups, size, f"{size}, 1, {plane}", size // plane)


def _normalise_positions(written: Written, step: Step) -> list[str]:
    channels, plane = written.shape(step["to"])[0], written.plane(step["to"])
    return _normalised(written, step, plane, 1, f"{channels}, {plane}, 1", 0)


def _normalised(written: Written, step: Step, parts: int, apart: int, sizes: str, channels: int) -> list[str]:
    """Normalise each of several parts, whose first numbers and factors lie so far apart."""
    names = [written.numbers(kind, step) for kind in ("factor", "offset")]
    tensors = ", ".join(name if name == "NULL" else f"{name} + part * {channels}" for name in names)
    x, y = (f"{written.at(value)} + part * {apart}" for value in (step["from"][0], step["to"]))
    call = f"cnnlab_normalise({x}, {y}, {sizes}, {number(step['eps'])}, {tensors});"
    return [f"for (int part = 0; part < {parts}; part++)", f"    {call}"]


def _function(written: Written, step: Step) -> list[str]:
    return _each(written, step, f"cnnlab_{step['name'].replace(' ', '_')}({{0}})")


def _each(written: Written, step: Step, formula: str) -> list[str]:
    """Compute each number of the output by a formula of the inputs' numbers."""
    y, *inputs = (f"{MEMORY}[{written.program.places[value]} + at]" for value in (step["to"], *step["from"]))
    return [f"for (int at = 0; at < {written.size(step['to'])}; at++) {y} = {formula.format(*inputs)};"]


def _pool(written: Written, step: Step) -> list[str]:
    (channels, *before), (_, *after) = (written.shape(value) for value in (step["from"][0], step["to"]))
    adaptive = ((0, 0), (1, 1), (0, 0), (1, 1))
    named = ("kernel", "stride", "padding", "dilation")
    windows = [step[name] for name in named] if "kernel" in step else adaptive
    rows, columns = _axes(before, after, *windows)
    more = f", {int(step.get('counts_padding', False))}" if step["what"] == "mean" else ""
    return _along(
        "axis", rows, columns, f"cnnlab_{step['what']}({written.ends(step)}, &rows, &columns, {channels}{more});"
    )


def _resize(written: Written, step: Step) -> list[str]:
    (channels, *before), (_, *after) = (written.shape(value) for value in (step["from"][0], step["to"]))
    rows = written.shares("rows", step, before[0], after[0])
    columns = written.shares("columns", step, before[1], after[1])
    return _along("shares", rows, columns, f"cnnlab_resize({written.ends(step)}, &rows, &columns, {channels});")


def _softmax(written: Written, step: Step) -> list[str]:
    channels, plane = written.shape(step["to"])[0], written.plane(step["to"])
    x, y = (f"{written.at(value)} + place" for value in (step["from"][0], step["to"]))
    return [f"for (int place = 0; place < {plane}; place++) cnnlab_softmax({x}, {y}, {channels}, {plane});"]


def _product(written: Written, step: Step) -> list[str]:
    x, gate = map(written.at, step["from"])
    channels, plane = written.shape(step["to"])[0], written.plane(step["to"])
    return [f"cnnlab_product({x}, {gate}, {written.at(step['to'])}, {channels}, {plane});"]


def _join(written: Written, step: Step) -> list[str]:
    calls, at = [], written.program.places[step["to"]]
    for value in step["from"]:
        calls.append(f"memcpy({MEMORY} + {at}, {written.at(value)}, {written.size(value)} * sizeof(float));")
        at += written.size(value)
    return calls


_CALLS: dict[str, Callable[[Written, Step], list[str]]] = {
    "convolution": _convolution,
    "depthwise": _convolution,
    "linear": _linear,
    "scale": _scale,
    "normalise": _normalise,
    "normalise each position": _normalise_positions,
    "function": _function,
    "pool": _pool,
    "resize": _resize,
    "softmax": _softmax,
    "sum": lambda written, step: _each(written, step, "{0} + {1}"),
    "product": _product,
    "join": _join,
}
