"""Trained networks, rebuilt from a run's config and the weights of one epoch; never the live object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn

from cnnlab.data.batches import Standardise
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import load_test
from cnnlab.data.spec import DatasetError, DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.drawings.preprocess import NetworkInput, network_input, prepare, stroke_ink
from cnnlab.drawings.strokes import LabelledDrawing
from cnnlab.evaluation.evaluate import EVALUATION_BATCH, Evaluation, affordable_batch, evaluate, predict
from cnnlab.evaluation.metrics import Answers
from cnnlab.networks.architecture import ArchitectureError, summarise
from cnnlab.networks.build import build
from cnnlab.networks.layers import Shape
from cnnlab.runs.ancestry import unseen_test
from cnnlab.runs.run import Run, RunError

AS_PUBLISHED = -1  # in place of an epoch: a network that no training of ours has changed


@dataclass(frozen=True)
class Trained:
    """A network in evaluation mode on the CPU, with what prepares its input."""

    network: nn.Sequential
    standardise: Standardise
    classes: tuple[str, ...]
    shape: Shape  # (C, H, W)
    epoch: int  # or AS_PUBLISHED
    at_once: int = EVALUATION_BATCH  # images in one forward pass, so that its maps do not take all memory

    @property
    def when(self) -> str:
        """Say when in its training the network was so, as in "after epoch 3"."""
        return "as it was published" if self.epoch == AS_PUBLISHED else f"after epoch {self.epoch}"

    def logits(self, images: Tensor | Split) -> Tensor:
        """Return the logits of images: (N, C, H, W) uint8 → (N, classes)."""
        return predict(self.network, images, self.standardise, self.at_once)

    def probabilities(self, images: Tensor | Split) -> Tensor:
        """Return the class probabilities of images: (N, C, H, W) uint8 → (N, classes)."""
        return self.logits(images).softmax(1)

    def answers(self, split: Split) -> Answers:
        """Return the network's answers to labelled images."""
        return Answers(self.logits(split).numpy(), split.labels.numpy(), self.classes)

    def inputs(self, images: Tensor) -> Tensor:
        """Convert images to the input of the first layer: (N, C, H, W) uint8 → float32."""
        return self.standardise(images.float() / 255)


def load_trained(run: Run, epoch: int | None = None) -> Trained:
    """Return the network of ``run`` after ``epoch``; by default the tested one, else the last on disk.

    Raises RunError where there are no weights, they do not fit the architecture or are not finite, and where a layer of
    an older run is refused today.
    """
    summary = run.summary
    chosen = run.judged_epoch if epoch is None else epoch
    weights = run.weights(chosen)
    refusal = RunError(f"run {run.id}: the weights of epoch {chosen} do not fit its architecture")
    try:
        layers = summarise(run.config.architecture, summary.shape, len(summary.classes))
    except ArchitectureError as error:
        raise RunError(f"run {run.id} has a network that cannot be built: {error}") from error
    if sum(layer.parameters for layer in layers) > sum(map(Tensor.numel, weights.values())):
        raise refusal  # before a network far larger than the file takes all memory
    network = build(run.config.architecture, summary.shape, len(summary.classes))
    if _forms(weights) != _forms(network.state_dict()):
        raise refusal
    if not all(tensor.isfinite().all() for tensor in weights.values()):
        raise RunError(f"run {run.id}: the weights of epoch {chosen} are not finite")
    network.load_state_dict(weights)
    return Trained(
        network=network.eval(),
        standardise=Standardise(summary.mean, summary.std),
        classes=summary.classes,
        shape=summary.shape,
        epoch=chosen,
        at_once=affordable_batch(layers),
    )


def seen_by(run: Run, picture: Image.Image) -> NetworkInput:
    """Convert an RGB picture to the input of the run's network. Raises DrawingError where nothing is drawn on it."""
    spec = dataset_spec(run.config.dataset)
    return network_input(picture, run.summary.shape, spec.is_drawn, spec.is_light_on_dark)


def readings(trained: Trained, lessons: list[LabelledDrawing]) -> tuple[list[str], list[float]]:
    """Return the class that a network reads in each drawing, and its confidence (0…1)."""
    images = torch.cat([prepare(stroke_ink(lesson), trained.shape[1:]) for lesson in lessons])  # (N, 1, H, W)
    certainty, best = trained.probabilities(images).max(1)
    return [trained.classes[number] for number in best.tolist()], certainty.tolist()


def test_split(run: Run, dataset: str | None = None) -> Split:
    """Return the test images of the run's data set, or of another with the same shape and classes.

    Images that the run or one of its ancestors was trained on are left out, except for branches of older versions,
    which keep their own data set's test images as they are. Raises DatasetError where the images do not fit the run's
    network, or too few are left.
    """
    config = run.config
    spec = dataset_spec(dataset or config.dataset)
    check_fit(run, spec)
    if spec.name == config.dataset and config.split_seed is None:
        return load_test(spec.name)
    return unseen_test(run, spec.name)


def check_fit(run: Run, spec: DatasetSpec) -> None:
    """Raise DatasetError where the run's network takes other images than the data set's, or has other classes."""
    summary = run.summary
    if spec.shape != summary.shape or spec.classes != summary.classes:
        raise DatasetError(
            f"{spec.name} has {len(spec.classes)} classes of {_size(spec.shape)} images, but run {run.id} was trained "
            f"on {len(summary.classes)} classes of {_size(summary.shape)}"
        )


def judge(run: Run, dataset: str | None = None) -> Evaluation:
    """Evaluate the run's network on a test split; an evaluation on its own is counted."""
    trained, split = load_trained(run), test_split(run, dataset)
    if dataset in (None, run.config.dataset):
        run.count_look(trained.epoch)
    return evaluate(trained.network, split, trained.standardise, trained.at_once)


def test_answers(run: Run) -> Answers:
    """Return the answers of the run's network to its test images; this use of them is counted. Raises as ``judge``."""
    trained = load_trained(run)
    run.count_look(trained.epoch)
    return trained.answers(test_split(run))


def _forms(weights: Mapping[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in weights.items()}


def _size(shape: Shape) -> str:
    return "×".join(str(length) for length in shape)
