"""A network's training images in its feature space, small enough for a page: distances in their main directions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.export.web.packing import Form, packed, rounded


@dataclass(frozen=True)
class Familiar:
    """Unit-length features of N training images as mean (F,), directions (D, F), coordinates (N, D) and what is left.

    The squared distance of two images is that of their coordinates plus the squares of what is left of both, (N,),
    as if these stood at right angles: among hundreds of dimensions they nearly do.
    """

    mean: Tensor
    directions: Tensor
    known: Tensor
    rest: Tensor
    levels: int  # of directions and coordinates

    @classmethod
    def of(cls, index: FeatureIndex, directions: int, levels: int) -> Familiar:
        """Take the ``directions`` in which the indexed images differ most, rounded to so many ``levels``."""
        features = index.features  # (N, F)
        mean = features.mean(0)
        centred = features - mean
        # From the N × N products, since there can be far more features than images.
        values, vectors = torch.linalg.eigh(centred.double() @ centred.double().T)
        kept = min(directions, len(values))
        ways = (vectors[:, -kept:].T @ centred.double()) / values[-kept:, None].clamp_min(1e-12).sqrt()
        stored = rounded(ways.float(), "int8", levels)
        known = rounded(centred @ stored.T, "int8", levels)  # as the page computes them, with the rounded directions
        rest = (centred.square().sum(1) - known.square().sum(1)).clamp_min(0)
        return cls(mean, stored, known, rest, levels)

    def packed(self) -> list[tuple[Form, bytes]]:
        """Pack mean, directions, coordinates and rest, in this order."""
        return [
            packed(self.mean[None], "float16"),
            packed(self.directions, "int8", self.levels),
            packed(self.known, "int8", self.levels),
            packed(self.rest[None], "float16"),
        ]

    def distance(self, features: Tensor, neighbours: int) -> Tensor:
        """Compute what the page does: the distance (Q,) of features (Q, F) to the nearest image of that number."""
        centred = torch.nn.functional.normalize(features) - self.mean
        placed = centred @ self.directions.T
        out = (centred.square().sum(1) - placed.square().sum(1)).clamp_min(0)
        squares = torch.cdist(placed, self.known).square() + out[:, None] + self.rest
        return squares.kthvalue(min(neighbours, len(self.known)), dim=1).values.clamp_min(0).sqrt()
