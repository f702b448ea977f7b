"""Training steps of a tiny network, with all intermediate tensors stored for display."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import isfinite

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.data.batches import Standardise
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import load
from cnnlab.data.splits import Split
from cnnlab.learn.optimisers import OPTIMISERS, Memory, memory_of, move
from cnnlab.networks.build import seeded

IMAGES = 8
FILTERS = 4


@dataclass(frozen=True)
class Step:
    """A training step: activations, gradients, and the changes of the weights."""

    optimiser: str  # a key of OPTIMISERS
    rate: float
    labels: Tensor  # (N,)
    maps: dict[str, Tensor]  # layer name → output, (N, …)
    losses: Tensor  # (N,) cross-entropy of each image, in nats
    gradients: dict[str, Tensor]  # of the mean loss, by parameter
    before: dict[str, Tensor]  # parameters before the step
    after: dict[str, Tensor]
    memory: dict[str, Memory]  # the optimiser's state after the step, by parameter
    loss_after: float  # of the same batch after the step

    @property
    def loss(self) -> float:
        """The batch's loss: the mean over its images."""
        return self.losses.mean().item()

    @property
    def moves(self) -> dict[str, Tensor]:
        """The change of each parameter, by the optimiser's formula."""
        return {
            name: move(self.optimiser, self.rate, gradient, self.memory[name])
            for name, gradient in self.gradients.items()
        }

    @property
    def probabilities(self) -> Tensor:
        """Class probabilities (N, classes): softmax of the logits."""
        return F.softmax(self.maps["linear"], dim=1)


def tiny_network(seed: int = 0) -> nn.Sequential:
    """Build a network (N, 1, 28, 28) → logits (N, 10): one convolution, one pool, one linear layer."""
    with seeded(seed):
        return nn.Sequential(
            OrderedDict(
                conv=nn.Conv2d(1, FILTERS, 3),  # (N, 4, 26, 26)
                relu=nn.ReLU(),
                pool=nn.MaxPool2d(2),  # (N, 4, 13, 13)
                flatten=nn.Flatten(),
                linear=nn.Linear(FILTERS * 13 * 13, 10),
            )
        )


def batch_of(seed: int = 0) -> Split:
    """Choose IMAGES random training images of the embedded sample by ``seed``."""
    train = load("mnist-sample").train
    return train.part(torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:IMAGES])


def prepared(batch: Split) -> Tensor:
    """Standardise the images for the network: (N, 1, 28, 28)."""
    spec = dataset_spec("mnist-sample")
    return Standardise(spec.mean, spec.std)(batch.images / 255)


def walk(optimiser: str, rate: float, steps: int, seed: int = 0) -> list[Step]:
    """Run ``steps`` steps of a new tiny network on one batch; stop early where the loss is not finite.

    The same seed gives the same images and the same initial weights.
    """
    network, batch = tiny_network(seed), batch_of(seed)
    engine = OPTIMISERS[optimiser](list(network.parameters()), rate)
    images, taken = prepared(batch), []
    for _ in range(steps):
        passed = _pass_through(network, images)
        losses = F.cross_entropy(passed["linear"], batch.labels, reduction="none")
        engine.zero_grad()
        losses.mean().backward()
        before = _copied(network)
        engine.step()
        parameters = dict(network.named_parameters())
        with torch.no_grad():
            loss_after = F.cross_entropy(network(images), batch.labels).item()
        taken.append(
            Step(
                optimiser,
                rate,
                batch.labels,
                maps={name: out.detach() for name, out in passed.items()},
                losses=losses.detach(),
                gradients={
                    name: weights.grad.clone() for name, weights in parameters.items() if weights.grad is not None
                },
                before=before,
                after=_copied(network),
                memory={name: memory_of(engine, weights) for name, weights in parameters.items()},
                loss_after=loss_after,
            )
        )
        if not isfinite(loss_after):
            break
    return taken


def _pass_through(network: nn.Sequential, images: Tensor) -> dict[str, Tensor]:
    """Run the network and return each layer's output by its name."""
    outputs, flowing = {}, images
    for name, layer in network.named_children():
        outputs[name] = flowing = layer(flowing)
    return outputs


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: weights.detach().clone() for name, weights in network.named_parameters()}
