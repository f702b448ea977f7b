"""Networks that fit their images, many at once, for tests and benchmarks that must ask all of them in one go."""

from __future__ import annotations

from functools import cache

from hypothesis import HealthCheck, Phase, given, settings

from cnnlab.networks.architecture import Architecture, ArchitectureError, Draft, summarise
from cnnlab.networks.layers import Shape
from tests.networks.layer_strategies import drafts

Drawn = tuple[Draft, Shape, int]
"""Layers, the shape of an image, and the number of classes."""


@cache
def drawn(count: int) -> list[Drawn]:
    """Take those of ``count`` networks, the same each time, that fit their images."""
    networks: list[Drawn] = []

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drafts())
    def collect(network: Drawn) -> None:
        draft, shape, classes = network
        try:
            summarise(Architecture.model_validate(draft.model_dump()), shape, classes)
        except (ArchitectureError, ValueError):
            return
        networks.append(network)

    collect()
    return networks
