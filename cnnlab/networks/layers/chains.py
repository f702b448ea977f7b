"""Chains of layers, and blocks: layers that feed one input to several chains and merge the outputs."""

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
    """Merge the outputs of several branches, all fed with the same input; an empty branch passes it on."""

    family = "block"

    @property
    def label(self) -> str:
        return self.kind

    @property
    def branch_number(self) -> int:
        return 1

    @abstractmethod
    def merged(self, shape: Shape, outs: list[Shape]) -> Shape:
        """Return the shape of merged outputs of shapes ``outs``. Raises LayerError if they cannot be merged."""

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        return self.merged(shape, self._outs(shape, classes))

    def _outs(self, shape: Shape, classes: int) -> list[Shape]:
        return [trace(chain, shape, classes)[-1] for chain in self.branches(shape, classes).values()]

    def _steps(self, shape: Shape, classes: int) -> list[tuple[Layer, Shape]]:
        """List every layer of every branch with the shape of its input."""
        chains = self.branches(shape, classes).values()
        return [step for chain in chains for step in zip(chain, trace(chain, shape, classes), strict=False)]

    def parameters(self, shape: Shape, classes: int) -> int:
        return sum(layer.parameters(flowing, classes) for layer, flowing in self._steps(shape, classes))

    def macs(self, shape: Shape, classes: int) -> int:
        return sum(layer.macs(flowing, classes) for layer, flowing in self._steps(shape, classes))

    def activations(self, shape: Shape, classes: int) -> int:
        inner = sum(layer.activations(flowing, classes) for layer, flowing in self._steps(shape, classes))
        return inner + super().activations(shape, classes)

    def peak(self, shape: Shape, classes: int) -> int:
        """Count as well the block's input and the earlier branches' outputs, which wait while a branch is computed."""
        waiting, peaks = prod(shape), []
        for chain in self.branches(shape, classes).values():
            flowing = trace(chain, shape, classes)
            steps = [layer.peak(into, classes) for layer, into in zip(chain, flowing, strict=False)]
            peaks.append(waiting + max(steps, default=0))
            waiting += prod(flowing[-1]) if chain else 0
        return max(*peaks, waiting + prod(self.output_shape(shape, classes)))

    def windows(self, shape: Shape) -> list[Window] | None:
        """Return the windows of the branch with the largest receptive field."""
        by_branch = [_windows(chain, shape) for chain in self.branches(shape, classes=1).values()]
        local = [windows for windows in by_branch if windows is not None]
        return max(local, key=_reach) if len(local) == len(by_branch) else None


def trace(layers: Chain, shape: Shape, classes: int) -> list[Shape]:
    """Return the shapes along a chain: the input's, then each layer's output. Raises LayerError if one does not fit."""
    shapes = [shape]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1], classes))
    return shapes


def checked(chains: tuple[Chain, ...]) -> tuple[Chain, ...]:
    """Return a block's chains. Raises ValueError if they are nested too deeply or hold too many layers.

    Each level of nesting doubles the time it takes to follow the shapes.
    """
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
    chained: list[Window] = []
    for layer, flowing in zip(chain, trace(chain, shape, classes=1), strict=False):
        windows = layer.windows(flowing)
        if windows is None:
            return None
        chained += windows
    return chained


def _reach(windows: list[Window]) -> float:
    """Return the receptive field of windows in sequence, its rows plus its columns."""
    reach, jumps = [1.0, 1.0], [1.0, 1.0]
    for kernel, stride, dilation, _ in windows:
        for axis in (0, 1):
            reach[axis] += (kernel[axis] - 1) * dilation[axis] * jumps[axis]
            jumps[axis] *= stride[axis]
    return sum(reach)
