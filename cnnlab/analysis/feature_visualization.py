"""Feature visualization: the image that maximises a unit's activation, step by step."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnlab.analysis.activations import watched
from cnnlab.networks.layers import Shape

STEPS = 256
RATE = 0.05  # of Adam, in units of the image's inverse sigmoid
ROUGHNESS = 0.5  # weight of the mean squared step between neighbouring pixels
JITTER = 14  # the image moves by a fourteenth of its side, so that no single pixel can matter much


@dataclass(frozen=True)
class Dream:
    """The image so far and the unit's activation."""

    step: int
    activation: float
    image: Tensor  # (C, H, W) in 0…1


def maximise(
    network: nn.Module,
    shape: Shape,
    standardise: Callable[[Tensor], Tensor],
    layer: str,
    unit: int,
    seed: int = 0,
    steps: int = STEPS,
) -> Generator[Dream]:
    """Generate an image of ``shape`` = (C, H, W) that activates channel or feature ``unit`` of ``layer``.

    This is gradient ascent on the mean of the unit's map, from grey noise, kept smooth and robust to small shifts
    (Erhan et al. 2009; Olah et al. 2017, doi:10.23915/distill.00007). Yields a Dream a step; the network stays in
    its mode.
    """
    draws = torch.Generator().manual_seed(seed)
    image = (torch.randn(1, *shape, generator=draws) * 0.1).requires_grad_()  # (1, C, H, W), before the sigmoid
    optimizer = torch.optim.Adam([image], RATE)
    reach = max(1, shape[1] // JITTER)
    outputs: list[Tensor] = []

    def keep(name: str, before: Tensor, after: Tensor) -> None:
        if name == layer:
            outputs.append(after)

    for step in range(1, steps + 1):
        down, right = torch.randint(-reach, reach + 1, (2,), generator=draws).tolist()
        with torch.enable_grad(), watched(network, keep):
            pixels = image.sigmoid()
            network(standardise(pixels.roll((down, right), (2, 3))))
            activation = outputs.pop()[0, unit].mean()
            objective = activation - ROUGHNESS * _roughness(pixels)
            (image.grad,) = torch.autograd.grad(-objective, [image])
        optimizer.step()
        yield Dream(step, activation.item(), image.detach().sigmoid()[0])


def _roughness(pixels: Tensor) -> Tensor:
    """Compute the mean squared difference of neighbouring pixels of (N, C, H, W)."""
    return pixels.diff(dim=2).square().mean() + pixels.diff(dim=3).square().mean()
