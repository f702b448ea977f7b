"""Which nodes follow one another, and where ways part and meet again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cnnlab.importing.onnx_graph import ARITHMETIC, Graph, Node, refused
from cnnlab.importing.sizes import check_sizes

MAX_DEPTH = 12  # of ways that part within one another; blocks may be nested three deep
_SPREADING = frozenset(("GatherND", "Slice", "ReduceMax"))  # how exporters write an adaptive pool out
_PASSIVE = _SPREADING | {"Transpose", "Gather", "Where", "Div"}
_ENDS = _SPREADING | {"Gather", "Where", "Div", "Concat", "ReduceMean"}
_ONE_IMAGE = ([2, 3], [-2, -1], [-1, -2], [3, 2])  # axes of the rows and columns


@dataclass(frozen=True)
class Region:
    """Nodes without weights between two tensors, known by what they do rather than by what they are."""

    cuts: tuple[str, ...]  # tensors that all ways lead through, from where it begins to where it ends
    node: Node  # the last one


@dataclass(frozen=True)
class Merge:
    """A node that several ways from one tensor lead to."""

    node: Node
    ways: tuple[Way, ...]


Step = Node | Region | Merge
Way = tuple[Step, ...]


def structure_of(graph: Graph) -> Way:
    """Return the way from the images to the answer. Raises ForeignError where it is not made of chains and blocks."""
    check_sizes(graph)
    walk = _Walk(_by_steps(graph))
    return walk.way(graph.given, graph.result)


def axes_of(graph: Graph, node: Node) -> list[int]:
    """Return the axes that a node reduces, wherever its version of ONNX has them."""
    axes = graph.weight(node, 1) if len(node.inputs) > 1 else node.settings.get("axes")
    return [] if axes is None else [int(axis) for axis in axes]


def over_positions(graph: Graph, node: Node) -> bool:
    """Tell whether a node reduces rows and columns."""
    return axes_of(graph, node) in _ONE_IMAGE


def _by_steps(graph: Graph) -> Graph:
    """Have a concatenation of what an earlier one joined already, and more, take that one, as in a DenseNet."""
    nodes, joined = {}, dict[tuple[str, ...], str]()
    for name, node in graph.nodes.items():
        if node.op == "Concat" and node.settings.get("axis") in (1, -3):
            known = next((end for end in range(len(node.inputs) - 1, 1, -1) if node.inputs[:end] in joined), 0)
            joined[node.inputs] = name
            if known:
                shorter = (joined[node.inputs[:known]], *node.inputs[known:])
                nodes[name] = replace(node, inputs=shorter)
                continue
        nodes[name] = node
    return replace(graph, nodes=nodes)


@dataclass
class _Walk:
    """Follow the tensors backwards, from the answer to the images."""

    graph: Graph
    _above: dict[str, str] = field(default_factory=dict)  # the last tensor that all ways to one lead through
    _depth: dict[str, int] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        given = self.graph.given
        self._above[given], self._depth[given] = given, 0
        for name, node in self.graph.nodes.items():
            sources = [source for source in self.graph.sources(node) if source in self._depth]
            if sources:
                common = sources[0]
                for other in sources[1:]:
                    common = self._common(common, other)
                self._above[name], self._depth[name] = common, self._depth[common] + 1

    def _common(self, one: str, other: str) -> str:
        while one != other:
            if self._depth[one] >= self._depth[other]:
                one = self._above[one]
            else:
                other = self._above[other]
        return one

    def way(self, begin: str, end: str, depth: int = 0) -> Way:
        """Return the steps from one tensor to another that all its ways come from."""
        steps: list[Step] = []
        while end != begin:
            node = self._taken(end)
            if depth > MAX_DEPTH:
                raise refused(node, "lies in blocks that are nested too deeply for the layers here")
            if region := self._region(node):
                steps.append(region)
                end = region.cuts[0]
                continue
            sources = self.graph.sources(node)
            if len(sources) == 1:
                steps.append(node)
                end = sources[0]
                continue
            end = self._above[node.output]
            steps.append(Merge(node, tuple(self.way(end, source, depth + 1) for source in sources)))
        return tuple(reversed(steps))

    def _taken(self, name: str) -> Node:
        node = self.graph.nodes[name]
        if name not in self._depth or node.op == "Shape":
            raise refused(node, "gives an answer that does not come from the image")
        if name in self._used:
            raise refused(node, "is used by several blocks at once, and the layers here only know chains and blocks")
        self._used.add(name)
        return node

    def _region(self, last: Node) -> Region | None:
        """Return the nodes before ``last`` that together spread or gather positions, as exporters write pools out."""
        if last.op == "Gather" and self.graph.constant(last.inputs[1]) is None:
            return self._copied(last)
        if last.op not in _ENDS or not self._is_passive(last):
            return None
        begins, seen, left = set[str](), set[str](), [last.output]
        while left:
            name = left.pop()
            node = self.graph.nodes.get(name)
            if node is None or not self._is_passive(node):
                begins.add(name)
            elif name not in seen:
                seen.add(name)
                left += self.graph.sources(node)
        if len(begins) != 1 or not {self.graph.nodes[name].op for name in seen} & _SPREADING:
            return None
        self._used |= seen
        (begin,), cuts = begins, [last.output]
        while cuts[-1] != begin:
            cuts.append(self._above[cuts[-1]])
        return Region(tuple(reversed(cuts)), last)

    def _copied(self, last: Node) -> Region | None:
        """Return a reshape and a gathering in an order that is computed: exporters write copies in memory so."""
        reshape = self.graph.nodes.get(last.inputs[0])
        if reshape is None or reshape.op != "Reshape" or not self.graph.sources(reshape):
            return None
        self._used.add(reshape.output)
        return Region((self.graph.sources(reshape)[0], last.output), last)

    def _is_passive(self, node: Node) -> bool:
        """Tell whether a node only picks, joins or averages positions, so that it may be part of a region."""
        match node.op:
            case "Add":
                ops = {self.graph.nodes[name].op for name in self.graph.sources(node) if name in self.graph.nodes}
                return len(self.graph.sources(node)) > 1 and ops <= {"Add", "Gather", "GatherND"}
            case "Concat":
                return node.settings.get("axis") not in (1, -3)
            case "ReduceMean":
                return not over_positions(self.graph, node)
        return node.op in _PASSIVE


def constant_beside(graph: Graph, node: Node) -> bool:
    """Tell whether an arithmetic node joins the image with a constant."""
    return node.op in ARITHMETIC and len(graph.sources(node)) == 1
