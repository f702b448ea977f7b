"""Where labels look wrong: images whose label a network contradicts, training images by networks that did not see them.

A network that trained on an image has learned its label, right or wrong; so every training image is asked of one that
did not (k-fold cross-validation).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold
from torch import Tensor, nn

from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import Data, hold_out_validation, load_train
from cnnlab.data.splits import Split
from cnnlab.evaluation.evaluate import evaluation_batch, predict
from cnnlab.evaluation.metrics import Answers, Floats, Integers
from cnnlab.runs.run import Run
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.device import for_this_machine
from cnnlab.training.loop import fit
from cnnlab.training.memory import check_memory
from cnnlab.training.run_data import network_for

FOLDS = 3


@dataclass(frozen=True)
class HeldOut:
    """The progress over all folds, and in the last step the predictions."""

    done: float  # share, 0…1
    fold: int  # from 1: the network at work
    seconds: float  # since the start
    answers: Answers | None = None  # to all training images, as ``load_train`` orders them

    @property
    def seconds_left(self) -> float | None:
        """Estimate the time left from the speed so far; None before the first step."""
        return self.seconds / self.done * (1 - self.done) if self.done else None


def margins(answers: Answers) -> Floats:
    """Compute (N,): probability of the prediction minus probability of the label, 0 where they are the same.

    This is the negative of the normalised margin by which confident learning ranks label errors (Northcutt, Jiang
    and Chuang 2021, "Confident Learning", arXiv:1911.00068).
    """
    rows, shares = np.arange(len(answers.labels)), answers.probabilities
    apart: Floats = shares[rows, answers.named] - shares[rows, answers.labels]
    return apart


def suspected_errors(answers: Answers) -> Integers:
    """Return the images (M,) whose prediction is not their label, the most confident first; ties keep their order."""
    wrong = (~answers.hits).nonzero()[0]
    order: Integers = wrong[np.argsort(-margins(answers)[wrong], kind="stable")]
    return order


def held_out(config: RunConfig, folds: int = FOLDS, data_folder: Path | None = None) -> Generator[HeldOut]:
    """Predict every training image by a network of ``config`` that was trained without it.

    For each of the stratified folds a new network trains on the others, part of which is held out for validation as
    the config says. Yields after every step, so that it can be cancelled there; the last step has the predictions,
    the same for the same config, machine and thread count. Raises what loading and training do, ValueError where no
    class has ``folds`` images, and ConfigError where memory is too small, or the weights come from a parent, which
    has seen the images.
    """
    if config.comes_from:
        raise ConfigError(
            "parent: a network that starts from another one's weights has already learned from these images"
        )
    spec, whole = dataset_spec(config.dataset), load_train(config.dataset, data_folder)
    check_memory(config, spec)
    logits = torch.empty(len(whole), len(spec.classes))
    start = perf_counter()
    for fold, asked in enumerate(_dealt(whole, folds, config.seed)):
        known = torch.ones(len(whole), dtype=torch.bool).index_fill(0, asked, False)
        known &= ~torch.isin(torch.arange(len(whole)), torch.tensor(config.left_out))
        parts = config.validation_fraction, config.held_out_by, config.train_fraction
        data = hold_out_validation(spec, whole.part(known), whole.part(asked), *parts)
        network = network_for(config, spec)
        for share in _taught(network, data, config):
            yield HeldOut((fold + share) / folds, fold + 1, perf_counter() - start)
        said: list[Tensor] = []
        for part in _asked(network, data, config):
            said.append(part)
            yield HeldOut((fold + 1) / folds, fold + 1, perf_counter() - start)
        logits[asked] = torch.cat(said)
    answers = Answers(logits.numpy(), whole.labels.numpy(), spec.classes)
    yield HeldOut(1.0, folds, perf_counter() - start, answers)


def held_out_of(run: Run) -> Generator[HeldOut]:
    """Run ``held_out`` for a run's config; save the predictions in its folder before the last step is yielded."""
    for step in held_out(for_this_machine(run.config)):
        if step.answers is not None:
            save_held_out(run, step.answers)
        yield step


def save_held_out(run: Run, answers: Answers) -> None:
    """Save the predictions for all training images as the run's ``heldout.safetensors``."""
    run.save_held_out({"logits": torch.tensor(answers.logits), "labels": torch.tensor(answers.labels)})


def read_held_out(run: Run) -> Answers | None:
    """Read what ``save_held_out`` saved; None where it is missing, damaged, or about other training images.

    Raises DatasetError where the training images cannot be loaded.
    """
    kept = run.held_out()
    if kept is None or kept.keys() != {"logits", "labels"}:
        return None
    whole, classes = load_train(run.config.dataset), dataset_spec(run.config.dataset).classes
    logits, labels = kept["logits"], kept["labels"]
    if logits.shape != (len(whole), len(classes)) or labels.tolist() != whole.labels.tolist():
        return None
    return Answers(logits.float().numpy(), whole.labels.numpy(), classes)


def _dealt(whole: Split, folds: int, seed: int) -> Generator[Tensor]:
    """Divide the images into folds of indices, every class in equal shares."""
    dealer = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for _, asked in dealer.split(np.zeros(len(whole)), whole.labels.numpy()):
        yield torch.from_numpy(asked)


def _taught(network: nn.Module, data: Data, config: RunConfig) -> Generator[float]:
    """Train the network; yield the share of the steps done after each."""
    steps = 0
    for event in fit(network, data, config):
        if event.kind == "started":
            steps = event.epochs * event.steps_per_epoch
        elif event.kind == "tick":
            yield event.step / steps


def _asked(network: nn.Module, data: Data, config: RunConfig) -> Generator[Tensor]:
    """Yield logits of the test images, some at a time, on the CPU."""
    device = next(network.parameters()).device
    standardise = Standardise(*scaling(data.spec, config.normalise), device)
    for images in data.test.split(evaluation_batch(data.spec.shape)):
        yield predict(network, images.to(device), standardise).cpu()
