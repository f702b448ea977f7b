"""The small machines between convolutions, each run on a few numbers by PyTorch's own module."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from cnnlab.data.loading import load
from cnnlab.networks.build import layer_module, seeded
from cnnlab.networks.layers import Activation
from cnnlab.networks.layers.base import Function

DRAWS = 1000  # of dropout, to see what it does on the average


def piece_of_a_digit(height: int, width: int, number: int) -> Tensor:
    """The liveliest (height, width) of the embedded sample's test image ``number``, counted on and on.

    Ink from 0 to 1, in hundredths.
    """
    images = load("mnist-sample").test.images  # (N, 1, 28, 28)
    ink = (images[number % len(images), 0] / 255).mul(100).round() / 100
    pieces = ink.unfold(0, height, 1).unfold(1, width, 1).flatten(0, 1)  # (places, height, width)
    return pieces[pieces.flatten(1).std(dim=1).argmax()]


def activate(function: Function, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """What an activation makes of each number, and its slope there by autograd."""
    inputs = numbers.clone().requires_grad_()
    outputs = layer_module(Activation(function=function), tuple(numbers.shape), 1)(inputs)
    (slopes,) = torch.autograd.grad(outputs.sum(), inputs)
    return outputs.detach(), slopes


@dataclass(frozen=True)
class Running:
    """What a batch norm of C channels has seen so far: its buffers."""

    mean: tuple[float, ...]
    variance: tuple[float, ...]
    batches: int = 0

    @classmethod
    def fresh(cls, channels: int) -> Running:
        """As PyTorch begins."""
        return cls((0.0,) * channels, (1.0,) * channels)


@dataclass(frozen=True)
class BatchNorm:
    """The settings of an ``nn.BatchNorm1d`` whose channels share one weight and one bias."""

    training: bool = True
    weight: float = 1.0
    bias: float = 0.0
    eps: float = 1e-5
    momentum: float = 0.1

    def answer(self, number: float, mean: float, variance: float) -> float:
        """``(number − mean) / √(variance + eps) · weight + bias``, instead of by PyTorch."""
        return float((number - mean) / (variance + self.eps) ** 0.5 * self.weight + self.bias)


@dataclass(frozen=True)
class Normalised:
    """What a batch norm makes of a batch (N, C)."""

    outputs: Tensor  # (N, C)
    mean: Tensor  # (C,) what it took off
    variance: Tensor  # (C,) what it divided by the root of
    running: Running  # afterwards


def normalise(batch: Tensor, norm: BatchNorm, running: Running) -> Normalised:
    """Feed ``batch`` (N, C), of two images at least where it trains, to ``norm``, which has come to ``running``."""
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
    """``nn.Dropout(p)`` of ``numbers``; the same seed drops the same ones."""
    with seeded(seed):
        dropped: Tensor = nn.Dropout(p).train(training)(numbers)
    return dropped


def mean_of_many_draws(numbers: Tensor, p: float) -> float:
    """The mean of DRAWS of them."""
    return drop(numbers.expand(DRAWS, *numbers.shape), p, seed=0).mean().item()


def flatten(shape: tuple[int, int, int, int], start_dim: int) -> tuple[Tensor, Tensor]:
    """A batch (N, C, H, W) of the numbers 0, 1, … and what ``nn.Flatten(start_dim)`` makes of it."""
    batch = torch.arange(torch.Size(shape).numel()).view(shape)
    return batch, nn.Flatten(start_dim)(batch)


@dataclass(frozen=True)
class Judged:
    """Logits (K,) against a label."""

    probabilities: Tensor  # (K,)
    target: Tensor  # (K,) what label smoothing leaves of 1 and 0
    loss: float  # nats
    gradient: Tensor  # (K,) of the loss by the logits
    loss_after_softmax: float  # where the probabilities are taken for logits
    gradient_after_softmax: Tensor  # (K,)


def judge(logits: Tensor, label: int, temperature: float = 1.0, smoothing: float = 0.0) -> Judged:
    """Softmax of ``logits / temperature``, its cross-entropy, and what both are after a softmax too many."""
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
    """The loss of a softmax too many where all probability lies on the label: what training cannot get below."""
    return float(nn.CrossEntropyLoss()(torch.eye(classes)[0], torch.tensor(0)))
