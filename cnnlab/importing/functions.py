"""Activations that exporters write out in several nodes, recognised by their formulas."""

from __future__ import annotations

from cnnlab.importing.onnx_graph import Graph, Node
from cnnlab.importing.structure import Merge, Step, Way, constant_beside

Formula = tuple[str, ...]

# What x is multiplied by, and what follows.
_GATED: dict[tuple[Formula, Formula], str] = {
    (("Sigmoid",), ()): "silu",
    (("HardSigmoid 0.1667 0.5",), ()): "hard-swish",
    (("Add 3", "Clip 0 6", "Div 6"), ()): "hard-swish",
    (("Add 3", "Clip 0 6"), ("Div 6",)): "hard-swish",
    (("Div 1.414", "Erf", "Add 1"), ("Mul 0.5",)): "gelu",
    (("Mul 0.7071", "Erf", "Add 1"), ("Mul 0.5",)): "gelu",
}
_PLAIN: dict[Formula, str] = {("Add 3", "Clip 0 6", "Div 6"): "hard-sigmoid"}
_HALVED = (("Mul 0.5",), ("Div 1.414", "Erf", "Add 1"))


def written_out(graph: Graph, way: Way, at: int) -> tuple[str, int]:
    """Return the function that a way goes on with at a place, and its number of steps; "" and 0 for none."""
    step = way[at]
    if isinstance(step, Merge) and step.node.op == "Mul" and len(step.ways) == 2:
        told = tuple(sorted((formula(graph, one) for one in step.ways), key=len))
        if told == _HALVED:
            return "gelu", 1
        for (gate, after), function in _GATED.items():
            if told == ((), gate) and formula(graph, way[at + 1 : at + 1 + len(after)]) == after:
                return function, 1 + len(after)
    for nodes, function in _PLAIN.items():
        if formula(graph, way[at : at + len(nodes)]) == nodes:
            return function, len(nodes)
    return "", 0


def formula(graph: Graph, way: Way) -> Formula:
    """Return the operators of a way with their single numbers, as in ``Add 3``."""
    return tuple(_term(graph, step) for step in way)


def _term(graph: Graph, step: Step) -> str:
    if not isinstance(step, Node):
        return "?"
    if step.op == "HardSigmoid":
        return f"HardSigmoid {step.settings.get('alpha', 0.2):.4g} {step.settings.get('beta', 0.5):.4g}"
    if step.op != "Clip" and not constant_beside(graph, step):
        return step.op
    values = [graph.constant(name) for name in step.inputs if name]
    numbers = [value for value in values if value is not None]
    numbers += [step.settings[name] for name in ("min", "max") if name in step.settings]
    if any(getattr(number, "size", 1) != 1 for number in numbers):
        return "?"
    if step.op in ("Sub", "Div") and values[0] is not None:
        return "?"
    return " ".join([step.op, *(f"{float(getattr(number, 'item', lambda n=number: n)()):.4g}" for number in numbers)])
