"""An exponential moving average of a network's weights, which is often better than its last weights."""

from __future__ import annotations

from torch import Tensor, nn

from cnnlab.training.optimizer import check_shapes


class WeightAverage:
    """The average of a network's weights over its steps: average ← d · average + (1 − d) · weights.

    d is ``decay``, or (t − 1) / (t + 8) at step t where that is less: the first weights, which are random, are soon
    forgotten (the warm-up of TensorFlow's ExponentialMovingAverage; Polyak and Juditsky 1992 for the average). The
    running mean and variance of batch norm are averaged like weights, for those of the last steps would belong to other
    weights; its counter is copied. A decay of 0 is off: then nothing is kept and nothing is done.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self._weights: dict[str, Tensor] = network.state_dict() if decay else {}  # in the network's own memory
        # The average while the network trains; the weights that train while the network holds the average.
        self.aside = {name: tensor.clone() for name, tensor in self._weights.items()}

    def update(self, step: int) -> None:
        """Take the weights after ``step``, counted from 1, into the average."""
        decay = min(self.decay, (step - 1) / (step + 8))
        for name, weights in self._weights.items():
            if weights.is_floating_point():
                self.aside[name].lerp_(weights, 1 - decay)
            else:
                self.aside[name].copy_(weights)

    def swap(self) -> None:
        """Exchange the network's weights and those aside: before and after each epoch's steps."""
        for name, weights in self._weights.items():
            before = weights.clone()
            weights.copy_(self.aside[name])
            self.aside[name].copy_(before)


def restore_aside(average: WeightAverage, tensors: dict[str, Tensor]) -> None:
    """Put the weights of a checkpoint aside. Raises KeyError or ValueError where they are of another network."""
    check_shapes(average.aside, tensors)
    for name, tensor in average.aside.items():
        tensor.copy_(tensors[name])
