"""What a file computes beside the image, such as sizes of maps: bounded, so that it takes hardly any memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from cnnlab.importing.onnx_graph import Graph, Node, refused

MAX_NUMBERS = 10_000_000
_RANK = 8  # numbers in a shape, at most
_KEPT = frozenset(("Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape", "Slice", "Transpose"))
_JOINED = frozenset(("Add", "Sub", "Mul", "Div", "Gather"))


def check_sizes(graph: Graph) -> None:
    """Raise ForeignError where what nodes take beside the image could grow, or comes from the image itself."""
    bounds = _Bounds(graph)
    for node in graph.nodes.values():
        if node.op == "Shape" or node.output in bounds.of_sizes:
            continue
        image = graph.sources(node)
        for name in node.inputs:
            if name and name not in image and graph.constant(name) is None:
                bounds.of(node, name)


@dataclass
class _Bounds:
    """Bound how many numbers each tensor holds that no image flows through."""

    graph: Graph
    of_sizes: set[str] = field(default_factory=set)
    _known: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, node in self.graph.nodes.items():
            taken = [each for each in node.inputs if each and self.graph.constant(each) is None]
            is_of_sizes = node.op in ("Shape", "Range") or (taken and self.of_sizes.issuperset(taken))
            if is_of_sizes and self.graph.constant(name) is None:
                self.of_sizes.add(name)
                self._known[name] = self._bound(node)
                if self._known[name] > MAX_NUMBERS:
                    raise refused(node, f"computes more than {MAX_NUMBERS:,} numbers beside the image")

    def of(self, node: Node, name: str) -> int:
        if name not in self._known:
            raise refused(node, "takes sizes that depend on the image, and those of layers here do not")
        return self._known[name]

    def _bound(self, node: Node) -> int:
        if node.op == "Shape":
            return _RANK
        sizes = [self._size(name) for name in node.inputs if name]
        if node.op == "Range":  # over the batch: its end is a length, or it may be anything
            if self.graph.constant(node.inputs[1]) is not None or not self._is_length(node.inputs[1]):
                raise refused(node, "counts further than the images of a batch")
            return _RANK
        if node.op == "Concat":
            return sum(sizes)
        if node.op in _JOINED:
            return prod(sizes)
        if node.op in _KEPT:
            return sizes[0]
        raise refused(node, "computes sizes in a way that is not known here")

    def _size(self, name: str) -> int:
        constant = self.graph.constant(name)
        return self._known[name] if constant is None else int(constant.size)

    def _is_length(self, name: str) -> bool:
        while (node := self.graph.nodes.get(name)) and node.op in ("Squeeze", "Gather", "Cast", "Identity"):
            name = node.inputs[0]
        return node is not None and node.op == "Shape"
