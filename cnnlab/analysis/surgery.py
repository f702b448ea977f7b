"""Surgery on a network that answers some images: after an operation only the layers that follow are run again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from math import inf

import torch
from torch import Tensor

from cnnlab.data.splits import Split, sampled
from cnnlab.evaluation.evaluate import evaluation_batch
from cnnlab.evaluation.metrics import Answers
from cnnlab.networks.architecture import Architecture, summarise
from cnnlab.networks.operations import Operation
from cnnlab.networks.surgery import Weights, operated, parts_of
from cnnlab.runs.trained import Trained
from cnnlab.training.device import torch_threads

KEPT_BYTES = 100_000_000  # of layers' inputs for all images, at the most
IMAGES = 1000  # to answer, at the most
MACS = 60e9  # multiply-accumulates for all of them, at the most: some seconds on one core
FEWEST = 100  # images


class Operated:
    """A trained network and images that it answers, whole or after operations on it.

    Images pass in the same batches as in an evaluation, because sums may differ in their last bits between batches of
    other sizes: so the answers equal those of ``Trained.answers`` on one thread. One thread also answers soonest where
    the other cores are busy. The inputs of layers with weights are kept, those of later layers first; calls from
    several threads do not disturb one another.
    """

    def __init__(self, trained: Trained, split: Split, source: Callable[[str], Weights]) -> None:
        self.trained = trained
        self.parts = parts_of(trained.network)
        self.weights: Weights = trained.network.state_dict()
        self._split = split
        self._source = source
        self._network = copy.deepcopy(trained.network)  # pages hang hooks on the other
        self._children = [name for name, _ in trained.network.named_children()]
        self._inputs: dict[int, list[Tensor]] = {at: [] for at in sorted(map(self._place, self.parts))}
        self.whole = self._first_pass()

    @property
    def images(self) -> int:
        """The number of images."""
        return len(self._split)

    def answers(self, operations: Sequence[Operation]) -> Answers:
        """Return the answers after ``operations``. Raises as ``networks.surgery.operated`` does."""
        weights = self.operated(operations)
        changed = [self._place(name) for name, tensor in weights.items() if tensor is not self.weights[name]]
        if not changed:
            return self.whole
        first = max((at for at in self._inputs if at <= min(changed)), default=0)
        rest = copy.deepcopy(self._network[first:])
        rest.load_state_dict({name: tensor for name, tensor in weights.items() if self._place(name) >= first})
        with torch_threads(1), torch.inference_mode():
            return self._answers([rest(inputs) for inputs in self._inputs.get(first) or self._batches()])

    def operated(self, operations: Sequence[Operation]) -> dict[str, Tensor]:
        """Return the network's weights after ``operations``; raises as ``answers`` does."""
        return operated(self.parts, self.weights, operations, self._source)

    def _place(self, name: str) -> int:
        """Return which of the network's children a layer or a tensor is in."""
        return self._children.index(name.partition(".")[0])

    def _first_pass(self) -> Answers:
        logits = []
        with torch_threads(1), torch.inference_mode():
            for inputs in self._batches():
                flowing = inputs
                for at, module in enumerate(self._network):
                    self._keep(at, flowing)
                    flowing = module(flowing)
                logits.append(flowing)
        return self._answers(logits)

    def _keep(self, at: int, inputs: Tensor) -> None:
        """Keep a batch of the inputs of a child, if it is wanted; the earliest child's go where there are too many."""
        if at in self._inputs:
            self._inputs[at].append(inputs)
        while sum(batch.nbytes for kept in self._inputs.values() for batch in kept) > KEPT_BYTES:
            del self._inputs[min(self._inputs)]

    def _batches(self) -> Iterator[Tensor]:
        size = min(self.trained.at_once, evaluation_batch(self._split.shape))
        return (self.trained.standardise.inputs(images) for images in self._split.split(size))

    def _answers(self, logits: Sequence[Tensor]) -> Answers:
        return Answers(torch.cat(list(logits)).numpy(), self._split.labels.numpy(), self.trained.classes)


def a_sample(split: Split, architecture: Architecture, classes: int) -> Split:
    """Sample the images to answer: always the same, the same share of each class, fewer for large networks."""
    macs = sum(row.macs for row in summarise(architecture, split.shape, classes))
    return sampled(split, int(min(IMAGES, max(FEWEST, MACS // macs if macs else inf))))
