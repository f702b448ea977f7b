"""An ONNX file as nodes and constants, parsed within bounds; only operators that are known here, and no other file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, NodeProto, TensorProto, numpy_helper

from cnnlab.importing.foreign_file import MAX_BYTES, ForeignError, read_as_untrusted

MAX_NODES = 5000  # DenseNet-201 has 700
MAX_NAMES = 4 * MAX_NODES  # of tensors that nodes take
MAX_SHOWN = 60  # characters of a stranger's name
AGAIN = "write the file again, with torch.onnx.export"

NUMBER_BY_NUMBER = frozenset(
    ("Relu", "Clip", "LeakyRelu", "Elu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Gelu", "Erf")
)
ARITHMETIC = frozenset(("Add", "Sub", "Mul", "Div"))
WITHOUT_EFFECT = frozenset(("Cast", "Dropout", "Identity"))
POOLS = frozenset(("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax"))
NORMS = frozenset(("BatchNormalization", "LayerNormalization", "InstanceNormalization", "GroupNormalization"))
REARRANGING = frozenset(
    ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Pad", "Resize", "Gather", "GatherND", "Slice", "Where")
)
OF_SHAPES = frozenset(("Shape", "Constant", "Range"))
KNOWN = NUMBER_BY_NUMBER | ARITHMETIC | WITHOUT_EFFECT | POOLS | NORMS | REARRANGING | OF_SHAPES
KNOWN |= {"Conv", "Gemm", "MatMul", "Concat", "Softmax", "LogSoftmax"}

Numbers = npt.NDArray[Any]
_PLAIN: dict[int, int] = {  # types that weights and sizes have, and their bytes
    TensorProto.FLOAT: 4,
    TensorProto.DOUBLE: 8,
    TensorProto.INT64: 8,
    TensorProto.INT32: 4,
    TensorProto.UINT8: 1,
    TensorProto.BOOL: 1,
}
_SIZE_KEPT = {"Identity", "Reshape", "Transpose", "Unsqueeze", "Squeeze", "Cast"}


@dataclass(frozen=True)
class Node:
    """One operation: its operator, the tensors that it takes, the first that it gives."""

    op: str
    inputs: tuple[str, ...]
    output: str
    settings: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Name the node in a message."""
        return f"{self.op} {shown(self.output)}"


@dataclass(frozen=True)
class Graph:
    """A network's operations in an order in which they can be computed."""

    model: onnx.ModelProto
    nodes: Mapping[str, Node]  # by the tensor that each gives
    given: str  # the images
    takes_bytes: bool  # pixels of 0 to 255, otherwise numbers of any scale
    shape: tuple[int | None, ...]  # (N, C, H, W) of the images; None where any length does
    result: str
    raw: Mapping[str, TensorProto]
    _known: dict[str, Numbers | None] = field(default_factory=dict)
    _copied: list[int] = field(default_factory=list)  # bytes of constants that nodes rearranged into new memory

    def constant(self, name: str) -> Numbers | None:
        """Return the numbers of a tensor that no image changes; None for others."""
        if name not in self._known:
            self._known[name] = None
            self._known[name] = self._computed(name)
        return self._known[name]

    def _computed(self, name: str) -> Numbers | None:
        if name in self.raw:
            return _numbers(self.raw[name])
        node = self.nodes.get(name)
        if node is None:
            return None
        if node.op == "Constant":
            return _value(node)
        if node.op not in _SIZE_KEPT:
            return None
        value, *others = (self.constant(each) for each in node.inputs)
        made = None if value is None else _rearranged(node, value, others)
        if made is not None and not np.may_share_memory(made, value):
            self._copied.append(made.nbytes)
            if sum(self._copied) > MAX_BYTES:
                raise refused(node, f"rearranges more numbers than a file may hold: {AGAIN}")
        return made

    def sources(self, node: Node) -> list[str]:
        """List the tensors among a node's inputs that the image flows through."""
        if node.op in ARITHMETIC | {"Concat", "MatMul", "Where"}:
            return [name for name in node.inputs if self.constant(name) is None]
        return [name for name in node.inputs[:1] if name and self.constant(name) is None]

    def weight(self, node: Node, place: int) -> Numbers | None:
        """Return the constant at a place of the node's inputs, None where it is left out. Raises ForeignError."""
        if len(node.inputs) <= place or not node.inputs[place]:
            return None
        numbers = self.constant(node.inputs[place])
        if numbers is None:
            raise refused(node, "takes weights that it computes from the image, and no layer here does")
        return numbers


def refused(node: Node, reason: str) -> ForeignError:
    """Return the error of a node that fits no layer."""
    return ForeignError(f"the node {node.label} {reason}")


def shown(name: str) -> str:
    """Quote a stranger's name."""
    return ascii(name[:MAX_SHOWN])


def parsed(content: bytes) -> Graph:
    """Read an ONNX file. Raises ForeignError where it is damaged, unsafe or holds what is not known here."""
    try:
        model = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise ForeignError(f"this is no whole ONNX file: {AGAIN}") from error
    with read_as_untrusted():
        return _graph_of(model)


def _graph_of(model: onnx.ModelProto) -> Graph:
    graph = model.graph
    if not graph.node:
        raise ForeignError(f"this is no ONNX file, or it holds no network: {AGAIN}")
    if len(graph.node) > MAX_NODES:
        raise ForeignError(f"the network has {len(graph.node):,} nodes, and {MAX_NODES:,} are the most")
    if (names := sum(len(node.input) for node in graph.node)) > MAX_NAMES:
        raise ForeignError(f"the nodes take {names:,} tensors, and {MAX_NAMES:,} are the most")
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    if computing := next((node for node in graph.node if _is_quantised(node)), None):
        raise ForeignError(
            f"the node {shown(computing.output[0])} computes with 8-bit numbers: take the file of 32-bit ones instead"
        )
    _check_tensors([*graph.initializer, *_held(graph)])
    if graph.sparse_initializer:
        raise ForeignError(f"its weights are stored as sparse ones, which is not known here: {AGAIN}")
    _check_order(model, tensors)
    given, result = _ends(model)
    needed = _needed(model, result)
    for node in needed:
        _check_node(node)
    kind = given.type.tensor_type
    return Graph(
        model=model,
        nodes={node.output[0]: _node(node) for node in needed},
        given=given.name,
        takes_bytes=kind.elem_type == TensorProto.UINT8,
        shape=tuple(side.dim_value if side.HasField("dim_value") else None for side in kind.shape.dim),
        result=result,
        raw=tensors,
    )


def _held(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    """Yield the tensors that nodes hold."""
    yield from (setting.t for node in graph.node for setting in node.attribute if setting.HasField("t"))


def _needed(model: onnx.ModelProto, result: str) -> list[NodeProto]:
    """Return the nodes that the answer depends on, in their order."""
    givers = {name: node for node in model.graph.node for name in node.output}
    names, left = set[str](), [result]
    while left:
        if (name := left.pop()) in givers and name not in names:
            names.add(name)
            left += givers[name].input
    needed = [node for node in model.graph.node if names.intersection(node.output)]
    if second := next((node for node in needed if names.intersection(node.output[1:])), None):
        raise ForeignError(f"the node {shown(second.output[0])} gives several tensors, and layers here one: {AGAIN}")
    return needed


def _is_quantised(node: NodeProto) -> bool:
    return node.op_type.startswith("QLinear") or node.op_type.endswith(("uantizeLinear", "Integer"))


def _check_node(node: NodeProto) -> None:
    name = shown(node.output[0] if node.output else node.name)
    if node.domain not in ("", "ai.onnx"):
        raise ForeignError(f"the node {name} is of {shown(node.domain)}, not of ONNX itself: {AGAIN}, dynamo=True")
    if node.op_type not in KNOWN:
        raise ForeignError(
            f"the node {name} is a {shown(node.op_type)}, which is none of the layers here: leave it out, or replace it"
        )
    if not node.output or any(each.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for each in node.attribute):
        raise ForeignError(f"the node {name} holds a network of its own, which is not known here: {AGAIN}")


def _check_tensors(tensors: list[TensorProto]) -> None:
    for tensor in tensors:
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise ForeignError(
                f"the weights {shown(tensor.name)} lie in another file, which is never opened: write the network as "
                "one file, with torch.onnx.export(…, external_data=False)"
            )
        size = _PLAIN.get(tensor.data_type)
        if size is None:
            raise ForeignError(f"the weights {shown(tensor.name)} are of a type that is not known here: write float32")
        if min(tensor.dims, default=1) < 0 or (tensor.raw_data and prod(tensor.dims) * size != len(tensor.raw_data)):
            raise ForeignError(f"the weights {shown(tensor.name)} have not the length that they say: {AGAIN}")


def _check_order(model: onnx.ModelProto, tensors: Mapping[str, TensorProto]) -> None:
    """Raise ForeignError where a node takes what only a later one gives, as in a circle, or nobody does."""
    known = {"", *tensors, *(value.name for value in model.graph.input)}
    for node in model.graph.node:
        for name in node.input:
            if name not in known:
                raise ForeignError(
                    f"the node {shown(node.output[0])} takes {shown(name)}, which is not there yet: {AGAIN}"
                )
        if twice := known & set(node.output) - {""}:
            raise ForeignError(f"{shown(min(twice))} is given twice: {AGAIN}")
        known |= set(node.output)


def _ends(model: onnx.ModelProto) -> tuple[onnx.ValueInfoProto, str]:
    """Return the images and the name of the answer. Raises ForeignError where there are several, or no images."""
    weights = {tensor.name for tensor in model.graph.initializer}
    given = [value for value in model.graph.input if value.name not in weights]
    if len(given) != 1 or len(model.graph.output) != 1:
        raise ForeignError(
            f"the network has {len(given)} inputs and {len(model.graph.output)} outputs: write one that takes images "
            "and gives one answer"
        )
    kind = given[0].type.tensor_type
    if kind.elem_type not in (TensorProto.FLOAT, TensorProto.UINT8) or len(kind.shape.dim) != 4:
        raise ForeignError(
            f"the input {shown(given[0].name)} is no batch of images (N, C, H, W) of float32 or uint8: {AGAIN}"
        )
    return given[0], model.graph.output[0].name


def _node(node: NodeProto) -> Node:
    settings = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    return Node(node.op_type, tuple(node.input), node.output[0], settings)


def _numbers(tensor: TensorProto) -> Numbers:
    try:
        numbers: Numbers = numpy_helper.to_array(tensor)
    except (ValueError, TypeError) as error:
        raise ForeignError(f"the weights {shown(tensor.name)} are damaged: {AGAIN}") from error
    return numbers


def _value(node: Node) -> Numbers | None:
    """Return what a Constant holds."""
    for name, value in node.settings.items():
        if name == "value":
            return _numbers(value)
        if name in ("value_float", "value_floats"):
            return np.asarray(value, np.float32)
        if name in ("value_int", "value_ints"):
            return np.asarray(value, np.int64)
    return None


def _rearranged(node: Node, value: Numbers, others: list[Numbers | None]) -> Numbers | None:
    """Return a constant as a node that keeps its numbers rearranges it; None where it cannot be told."""
    sides = [] if not others or others[0] is None else [int(side) for side in others[0].reshape(-1)]
    try:
        match node.op:
            case "Transpose":
                return value.transpose(node.settings.get("perm"))
            case "Reshape" | "Squeeze" | "Unsqueeze" if others and others[0] is None:
                return None
            case "Reshape":
                return value.reshape([value.shape[at] if side == 0 else side for at, side in enumerate(sides)])
            case "Squeeze" | "Unsqueeze":
                axes = tuple(sides if others else node.settings.get("axes", ()))
                return np.expand_dims(value, axes) if node.op == "Unsqueeze" else value.squeeze(axes or None)
            case "Cast":
                kind = onnx.helper.tensor_dtype_to_np_dtype(node.settings["to"])
                return None if kind.hasobject else value.astype(kind, copy=False)
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        raise refused(node, f"rearranges numbers as they do not fit: {AGAIN}") from error
    return value
