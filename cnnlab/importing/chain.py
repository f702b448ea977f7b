"""The steps of one way as layers with their numbers, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from cnnlab.importing import parts as convert
from cnnlab.importing import sliding
from cnnlab.importing.functions import written_out
from cnnlab.importing.joining import parallel, residual, squeeze_excite, with_activation
from cnnlab.importing.onnx_graph import NUMBER_BY_NUMBER, WITHOUT_EFFECT, Graph, Node, Numbers, refused
from cnnlab.importing.parts import Part, Place, affine
from cnnlab.importing.probing import pools_of
from cnnlab.importing.structure import Merge, Region, Step, Way, constant_beside
from cnnlab.networks.layers import Activation, Conv2d, Flatten, LayerError, LayerScale, Linear, Shape

_TO_LAST, _TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]  # transpositions of channels


@dataclass(frozen=True)
class Scale:
    """What a file does to its input before the first layer: ``input · factor + offset``, for each channel."""

    factor: Tensor
    offset: Tensor


@dataclass
class ChainBuilder:
    """Convert the steps of one way, one after the other."""

    graph: Graph
    shape: Shape
    classes: int
    parts: list[Part] = field(default_factory=list)
    scale: Scale | None = None  # of the images so far; None within a block
    channels_last: bool = False
    border: tuple[str, tuple[int, int, int, int]] | None = None

    @property
    def noted_scale(self) -> Scale | None:
        """Return what is done to the images before the first layer; None for nothing."""
        assert self.scale
        is_none = bool((self.scale.factor == 1).all() and (self.scale.offset == 0).all())
        return None if is_none else self.scale

    def take(self, way: Way) -> ChainBuilder:
        """Add the steps of a way. Raises ForeignError."""
        at = 0
        while at < len(way):
            function, steps = written_out(self.graph, way, at)
            if function:
                self.add(_node(way[at]), Part(Activation.model_validate({"function": function})))
            at += steps or self._step(way, at)
        if self.channels_last or self.border:
            raise refused(_node(way[-1]), "ends with channels behind positions, or pads what is not convolved")
        return self

    def add(self, node: Node, *new: Part) -> None:
        """Add parts that take what the chain gives. Raises ForeignError where one does not fit it."""
        for part in new:
            try:
                self.shape = part.layer.output_shape(self.shape, self.classes)
            except LayerError as error:
                raise refused(node, f"does not fit: {error}") from error
            with_activation(self.parts, part)
        self.border = None

    def _step(self, way: Way, at: int) -> int:
        """Convert the step at a place of a way, and return how many steps that took."""
        step = way[at]
        if isinstance(step, Region):
            pools = pools_of(self.graph, step, self.shape)
            if pools is None:
                raise refused(
                    step.node, "gathers positions in a way that is no pool here: use a plain or a global pool"
                )
            self.add(step.node, *(Part(pool) for pool in pools))
        elif isinstance(step, Merge):
            self.add(step.node, self._merged(step))
        elif step.op == "Reshape" and at + 2 < len(way) and _is(way[at + 1], "InstanceNormalization"):
            return self._group_norm(way, at)
        else:
            self._plain(step)
        return 1

    def _merged(self, merge: Merge) -> Part:
        if len(merge.ways) < 2 or len(self.shape) != 3 or self.channels_last:
            raise refused(merge.node, "joins flat features, or what no block here joins")
        ways = [ChainBuilder(self.graph, self.shape, self.classes).take(way).parts for way in merge.ways]
        match merge.node.op, len(ways):
            case "Concat", _:
                return parallel(merge.node, ways)
            case "Add", 2:
                return residual(merge.node, ways, self.shape, self.classes)
            case "Mul", 2 if not (ways[0] and ways[1]):
                return squeeze_excite(merge.node, ways[0] or ways[1], self.shape)
        raise refused(merge.node, f"joins {len(ways)} ways by {merge.node.op}, which no block here does")

    def _plain(self, node: Node) -> None:
        place = Place(self.graph, self.shape, self.classes, self.channels_last, self.border)
        if node.op in WITHOUT_EFFECT:
            return
        if constant_beside(self.graph, node):
            self._arithmetic(node)
        elif node.op in ("Transpose", "Pad", "Flatten", "Reshape", "Squeeze", "Unsqueeze"):
            self._rearrange(node)
        elif node.op in NUMBER_BY_NUMBER:
            self.add(node, convert.activation(node, place))
        elif node.op in ("GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax"):
            self.add(node, *convert.whole(node, place))
        elif node.op == "GroupNormalization":
            weight, bias = self.graph.weight(node, 1), self.graph.weight(node, 2)
            self.add(node, convert.group_norm(node, place, node.settings.get("num_groups", 1), weight, bias))
        elif node.op in _PARTS:
            self.add(node, _PARTS[node.op](node, place))
        else:
            raise refused(node, "stands where no layer here has such a node")

    def _group_norm(self, way: Way, at: int) -> int:
        """Convert a norm over groups, which exporters write as a reshaped norm over images and its factors."""
        reshape, norm, *after = (_node(step) for step in way[at : at + 5] if isinstance(step, Node))
        sides = self.graph.weight(reshape, 1)
        if sides is None or sides.shape != (3,):
            raise refused(reshape, "arranges numbers as no layer here does")
        weight, bias, taken = None, None, 3
        for step in after[1:]:
            if constant_beside(self.graph, step) and step.op == ("Mul" if weight is None else "Add") and bias is None:
                value = self._of_channels(step)
                weight, bias = (value, None) if weight is None else (weight, value)
                taken += 1
        place = Place(self.graph, self.shape, self.classes)
        self.add(norm, convert.group_norm(norm, place, int(sides[1]), weight, bias))
        return taken

    def _arithmetic(self, node: Node) -> None:
        """Take a factor or an offset: of the images, of the layer before, or as a layer of its own."""
        value = torch.from_numpy(self._of_channels(node))
        zero, one = torch.zeros_like(value), torch.ones_like(value)
        is_first = self.graph.constant(node.inputs[0]) is not None
        match node.op, is_first:
            case ("Div", True):
                raise refused(node, "divides by what the image gives, which no layer here does")
            case ("Sub", True):
                factor, offset = -one, value
            case ("Add" | "Sub", _):
                factor, offset = one, value if node.op == "Add" else -value
            case _:
                factor, offset = value if node.op == "Mul" else 1 / value, zero
        if self.scale and not self.parts:
            self.scale = Scale(self.scale.factor * factor, self.scale.offset * factor + offset)
        elif not self._as_bias(factor, offset):
            layer = LayerScale() if not offset.any() else None
            self.add(node, Part(layer, {"weight": factor}) if layer else affine(self.shape, factor, offset))

    def _as_bias(self, factor: Tensor, offset: Tensor) -> bool:
        """Add an offset to the bias of the convolution or the linear layer before, if there is one."""
        last = self.parts[-1] if self.parts else None
        if last is None or not isinstance(last.layer, Conv2d | Linear) or not (factor == 1).all():
            return False
        bias = last.tensors.get("bias", torch.zeros(self.shape[0])) + offset
        layer = last.layer.model_copy(update={"bias": True})
        self.parts[-1] = Part(layer, {**last.tensors, "bias": bias})
        return True

    def _of_channels(self, node: Node) -> Numbers:
        """Return a constant as one number for each channel or feature. Raises ForeignError where it is another."""
        (value,) = [value for name in node.inputs if (value := self.graph.constant(name)) is not None]
        channels, axis = self.shape[0], -3 if len(self.shape) == 3 and not self.channels_last else -1
        if value.size == 1:
            return np.full(channels, value.reshape(-1)[0], np.float32)
        if value.size != channels or value.ndim < -axis or value.shape[axis] != channels:
            raise refused(node, "has other numbers than one for each channel, which no layer here has")
        return value.reshape(-1).astype(np.float32)

    def _rearrange(self, node: Node) -> None:
        """Take what changes no number: flattening, channels behind positions and back, a border of zeros."""
        if node.op == "Pad":
            self.border = _border(self.graph, node)
            return
        if node.op == "Transpose":
            perm = list(node.settings.get("perm", ()))
            if perm != (_TO_FIRST if self.channels_last else _TO_LAST):
                raise refused(node, f"turns the axes to {perm}, and layers here take (N, C, H, W)")
            self.channels_last = not self.channels_last
            return
        if self.channels_last:
            raise refused(node, "flattens positions before channels, which no layer here does")
        sides = self.graph.constant(node.inputs[1]) if len(node.inputs) > 1 else None
        gives_maps = node.op == "Unsqueeze" or (node.op == "Reshape" and sides is not None and sides.size == 4)
        if gives_maps and len(self.shape) == 1:
            self.shape = (*self.shape, 1, 1)  # of a gate, whose factors go to maps
        elif gives_maps or (node.op == "Reshape" and sides is not None and sides.size != 2):
            raise refused(node, "arranges numbers as no layer here does")
        elif len(self.shape) == 3:
            self.add(node, Part(Flatten()))


_PARTS = {
    "Conv": sliding.convolution,
    "MaxPool": sliding.pool,
    "AveragePool": sliding.pool,
    "BatchNormalization": convert.batch_norm,
    "LayerNormalization": convert.layer_norm,
    "Gemm": convert.linear,
    "MatMul": convert.linear,
    "Softmax": convert.softmax,
    "Resize": convert.resize,
}


def _border(graph: Graph, node: Node) -> tuple[str, tuple[int, int, int, int]] | None:
    """Return the mode and the pixels of a Pad node; None where it pads nothing."""
    pads = graph.weight(node, 1) if len(node.inputs) > 1 else node.settings.get("pads")
    value = graph.weight(node, 2)
    sides = [] if pads is None else [int(side) for side in pads]
    mode = node.settings.get("mode", b"constant").decode()
    if (
        len(sides) != 8
        or any(sides[at] for at in (0, 1, 4, 5))
        or min(sides) < 0
        or (value is not None and value.any())
    ):
        raise refused(node, "pads other axes than rows and columns, or with other numbers than zeros")
    return (mode, (sides[2], sides[3], sides[6], sides[7])) if any(sides) else None


def _node(step: Step) -> Node:
    return step if isinstance(step, Node) else step.node


def _is(step: Step, op: str) -> bool:
    return isinstance(step, Node) and step.op == op
