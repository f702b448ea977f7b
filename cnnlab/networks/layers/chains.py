"""Chains of layers, and blocks: layers that hold chains, all fed with the same input, and merge their outputs."""

from __future__ import annotations

from abc import abstractmethod
from math import prod
from typing import TYPE_CHECKING

from cnnlab.networks.layers.base import BaseLayer, Shape, Window

if TYPE_CHECKING:
    from cnnlab.networks.layers.registry import Layer

MAX_NESTED = 3  # blocks within one another
MAX_WITHIN = 60  # layers within a block, those of blocks within it included

Chain = tuple["Layer", ...]


class Block(BaseLayer):
    """``merged`` of what each of its branches gives; an empty branch passes its input on."""

    family = "block"

    @property
    def label(self) -> str:
        return self.kind

    @property
    def branch_number(self) -> int:
        return 1

    @abstractmethod
    def merged(self, shape: Shape, outs: list[Shape]) -> Shape:
        """The shape of what is made of the branches' ``outs``. Raises LayerError where they do not go together."""

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return self.merged(shape, self._outs(shape, classes))

    def _outs(self, shape: Shape, classes: int) -> list[Shape]:
        return [trace(chain, shape, classes)[-1] for chain in self.branches(shape, classes).values()]

    def _steps(self, shape: Shape, classes: int) -> list[tuple[Layer, Shape]]:
        """Every layer of every branch with the shape that flows into it."""
        chains = self.branches(shape, classes).values()
        return [step for chain in chains for step in zip(chain, trace(chain, shape, classes), strict=False)]

    def parameters(self, shape: Shape, classes: int) -> int:
        return sum(layer.parameters(flowing, classes) for layer, flowing in self._steps(shape, classes))

    def macs(self, shape: Shape, classes: int) -> int:
        return sum(layer.macs(flowing, classes) for layer, flowing in self._steps(shape, classes))

    def activations(self, shape: Shape, classes: int) -> int:
        within = sum(layer.activations(flowing, classes) for layer, flowing in self._steps(shape, classes))
        return within + super().activations(shape, classes)

    def peak(self, shape: Shape, classes: int) -> int:
        """While a branch is at work, the block's input and what the branches before it gave wait."""
        waiting, peaks = prod(shape), []
        for chain in self.branches(shape, classes).values():
            flowing = trace(chain, shape, classes)
            steps = [layer.peak(into, classes) for layer, into in zip(chain, flowing, strict=False)]
            peaks.append(waiting + max(steps, default=0))
            waiting += prod(flowing[-1]) if chain else 0
        return max(*peaks, waiting + prod(self.output_shape(shape, classes)))

    def windows(self, shape: Shape) -> list[Window] | None:
        """Those of the branch that sees most."""
        ways = [_windows(chain, shape) for chain in self.branches(shape, classes=1).values()]
        known = [way for way in ways if way is not None]
        return max(known, key=_reach) if len(known) == len(ways) else None


def trace(layers: Chain, shape: Shape, classes: int) -> list[Shape]:
    """Shapes along a chain of layers: the input's first, then each layer's output. Raises LayerError."""
    shapes = [shape]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1], classes))
    return shapes


def checked(chains: tuple[Chain, ...]) -> tuple[Chain, ...]:
    """Each level of blocks within blocks doubles the time it takes to follow the shapes."""
    if 1 + max(map(_depth, chains)) > MAX_NESTED:
        raise ValueError(f"blocks may be nested {MAX_NESTED} deep at most")
    if sum(map(_within, chains)) > MAX_WITHIN:
        raise ValueError(f"a block may hold {MAX_WITHIN} layers at most")
    return chains


def _depth(layers: Chain) -> int:
    return max((1 + max(map(_depth, layer.chains.values())) for layer in layers if layer.chains), default=0)


def _within(layers: Chain) -> int:
    return sum(1 + sum(map(_within, layer.chains.values())) for layer in layers)


def _windows(chain: Chain, shape: Shape) -> list[Window] | None:
    passed: list[Window] = []
    for layer, flowing in zip(chain, trace(chain, shape, classes=1), strict=False):
        windows = layer.windows(flowing)
        if windows is None:
            return None
        passed += windows
    return passed


def _reach(windows: list[Window]) -> int:
    """How far the windows, one behind the other, see: rows and columns together."""
    reach, jumps = [1, 1], [1, 1]
    for kernel, stride, dilation, _ in windows:
        for axis in (0, 1):
            reach[axis] += (kernel[axis] - 1) * dilation[axis] * jumps[axis]
            jumps[axis] *= stride[axis]
    return sum(reach)
