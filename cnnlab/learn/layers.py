"""The small layers between convolutions, each run on a few numbers by PyTorch's own module."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from cnnlab.data.loading import load
from cnnlab.networks.build import layer_module, seeded
from cnnlab.networks.layers import Activation
from cnnlab.networks.layers.base import Function

DRAWS = 1000  # random masks of dropout, to estimate the mean


def piece_of_a_digit(height: int, width: int, number: int) -> Tensor:
    """Cut the (height, width) window with the most contrast out of a test image of the embedded sample.

    ``number`` counts through the images, again from the first after the last. Ink from 0 to 1, in hundredths.
    """
    images = load("mnist-sample").test.images  # (N, 1, 28, 28)
    ink = (images[number % len(images), 0] / 255).mul(100).round() / 100
    pieces = ink.unfold(0, height, 1).unfold(1, width, 1).flatten(0, 1)  # (positions, height, width)
    return pieces[pieces.flatten(1).std(dim=1).argmax()]


def activate(function: Function, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Apply an activation to each number; return the results and the slopes, by autograd."""
    inputs = numbers.clone().requires_grad_()
    outputs = layer_module(Activation(function=function), tuple(numbers.shape), 1)(inputs)
    (slopes,) = torch.autograd.grad(outputs.sum(), inputs)
    return outputs.detach(), slopes


@dataclass(frozen=True)
class Running:
    """The running statistics (buffers) of a batch norm of C channels."""

    mean: tuple[float, ...]
    variance: tuple[float, ...]
    batches: int = 0

    @classmethod
    def fresh(cls, channels: int) -> Running:
        """Create the initial statistics, as PyTorch does."""
        return cls((0.0,) * channels, (1.0,) * channels)


@dataclass(frozen=True)
class BatchNorm:
    """Settings of an ``nn.BatchNorm1d`` whose channels share one weight and one bias."""

    training: bool = True
    weight: float = 1.0
    bias: float = 0.0
    eps: float = 1e-5
    momentum: float = 0.1

    def answer(self, number: float, mean: float, variance: float) -> float:
        """Compute ``(number − mean) / √(variance + eps) · weight + bias`` without PyTorch's module."""
        return float((number - mean) / (variance + self.eps) ** 0.5 * self.weight + self.bias)


@dataclass(frozen=True)
class Normalised:
    """The result of batch norm on a batch (N, C)."""

    outputs: Tensor  # (N, C)
    mean: Tensor  # (C,) subtracted
    variance: Tensor  # (C,) whose root (with eps) it divides by
    running: Running  # after the batch


def normalise(batch: Tensor, norm: BatchNorm, running: Running) -> Normalised:
    """Feed ``batch`` (N, C) to ``norm`` with the statistics ``running``; in training mode N must be 2 or more."""
    module = nn.BatchNorm1d(batch.shape[1], norm.eps, norm.momentum).train(norm.training)
    nn.init.constant_(module.weight, norm.weight)
    nn.init.constant_(module.bias, norm.bias)
    state = {"running_mean": torch.tensor(running.mean), "running_var": torch.tensor(running.variance)}
    module.load_state_dict(state, strict=False)
    with torch.no_grad():
        outputs = module(batch)
    kept = {name: tuple(module.get_buffer(name).tolist()) for name in state}
    after = replace(
        running,
        mean=kept["running_mean"],
        variance=kept["running_var"],
        batches=running.batches + norm.training,
    )
    if norm.training:
        return Normalised(outputs, batch.mean(0), batch.var(0, correction=0), after)
    return Normalised(outputs, state["running_mean"], state["running_var"], after)


def drop(numbers: Tensor, p: float, seed: int, training: bool = True) -> Tensor:
    """Apply ``nn.Dropout(p)`` to ``numbers``; the same seed drops the same ones."""
    with seeded(seed):
        dropped: Tensor = nn.Dropout(p).train(training)(numbers)
    return dropped


def mean_of_many_draws(numbers: Tensor, p: float) -> float:
    """Average the results of DRAWS random masks."""
    return drop(numbers.expand(DRAWS, *numbers.shape), p, seed=0).mean().item()


def flatten(shape: tuple[int, int, int, int], start_dim: int) -> tuple[Tensor, Tensor]:
    """Make a batch (N, C, H, W) of the numbers 0, 1, … and apply ``nn.Flatten(start_dim)`` to it; return both."""
    batch = torch.arange(torch.Size(shape).numel()).view(shape)
    return batch, nn.Flatten(start_dim)(batch)


@dataclass(frozen=True)
class Judged:
    """Softmax, loss and gradients of logits (K,) for a label."""

    probabilities: Tensor  # (K,)
    target: Tensor  # (K,) one-hot, after label smoothing
    loss: float  # nats
    gradient: Tensor  # (K,) of the loss with respect to the logits
    loss_after_softmax: float  # with the probabilities passed as logits
    gradient_after_softmax: Tensor  # (K,)


def judge(logits: Tensor, label: int, temperature: float = 1.0, smoothing: float = 0.0) -> Judged:
    """Compute softmax of ``logits / temperature``, cross-entropy and gradient, also with a second softmax."""
    inputs = logits.clone().requires_grad_()
    scaled = inputs / temperature
    probabilities = nn.Softmax(dim=0)(scaled)
    criterion, labels = nn.CrossEntropyLoss(label_smoothing=smoothing), torch.tensor(label)
    losses = [criterion(scores, labels) for scores in (scaled, probabilities)]
    gradients = [torch.autograd.grad(loss, inputs, retain_graph=True)[0] for loss in losses]
    target = torch.full_like(logits, smoothing / len(logits))
    target[label] += 1 - smoothing
    once, twice = (loss.item() for loss in losses)
    return Judged(probabilities.detach(), target, once, gradients[0], twice, gradients[1])


def lowest_after_softmax(classes: int) -> float:
    """Compute the lowest loss that training can reach with a second softmax: all probability on the label."""
    return float(nn.CrossEntropyLoss()(torch.eye(classes)[0], torch.tensor(0)))
