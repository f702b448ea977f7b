"""Branches of a run with fewer filters, fine-tuned, and what cutting them costs and saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from timeit import timeit
from typing import Any

from torch import Tensor

from cnnlab.data.splits import Split
from cnnlab.evaluation.metrics import Counted
from cnnlab.networks.architecture import Architecture, summarise
from cnnlab.networks.pruning import pruned
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, load_trained, test_split
from cnnlab.training.config import RunConfig, parse_config
from cnnlab.training.device import for_this_machine, torch_threads

EPOCHS = 2
RATE_SHARE = 0.1  # of the learning rate of a run that was not fine-tuned so itself: its weights are good already
TIMED = 100  # answers to one image, of which the median counts


def narrower(parent: Run, epoch: int, keep: float) -> Architecture:
    """Return the network of ``parent`` with the share ``keep`` of its filters after ``epoch``.

    Raises RunError where there are no weights, PruningError where no filter can be cut.
    """
    trained = load_trained(parent, epoch)
    weights = trained.network.state_dict()
    return pruned(parent.config.architecture, trained.shape, len(trained.classes), weights, keep)[0]


def thinned(
    parent: Run, keep: float, epochs: int = EPOCHS, learning_rate: float | None = None, train_fraction: float = 1.0
) -> RunConfig:
    """Return the config of a branch of ``parent`` that keeps the share ``keep`` of its filters and is fine-tuned.

    All layers learn, with the parent's settings where they suit a short training, and a learning rate that falls to
    zero from a tenth of the parent's, unless another is given. With ``keep`` 1 it is the control: the whole network,
    fine-tuned in the same way. ``train_fraction`` is of the parent's training images. Raises as ``narrower``.
    """
    config, epoch = for_this_machine(parent.config), parent.judged_epoch
    rate = config.learning_rate * (RATE_SHARE if config.filters_kept == 1 else 1.0)
    own: dict[str, Any] = {
        "parent": {"run": parent.id, "epoch": epoch},
        "filters_kept": keep,
        "operations": (),
        "architecture": narrower(parent, epoch, keep),
        "epochs": epochs,
        "learning_rate": learning_rate or rate,
        "schedule": "cosine",
        "early_stopping": 0,
        # What suits a long training from the start.
        "warmup_epochs": 0,
        "weight_average": 0.0,
        "mixup": 0.0,
        "cutmix": 0.0,
        "train_fraction": config.train_fraction * train_fraction,
        "start": None,
        "start_rate": 1.0,
        "learn_from": "",
    }
    return parse_config(config.model_dump() | own)


@dataclass(frozen=True)
class Measured(Counted):
    """What a network gets right, and what it takes."""

    parameters: int
    macs: int  # multiply-accumulates for one image
    bytes: int  # of its weights
    milliseconds: float  # to answer one image on one thread, median


def compared(parent: Run, branch: Run, control: Run | None = None) -> dict[str, Measured]:
    """Measure a network "before" it is cut, just "cut" and "fine-tuned", on the same images; and the "control".

    Each counts as a look at its run's test images.
    """
    assert branch.config.parent
    split = test_split(branch)
    networks = {
        "before": (parent, load_trained(parent, branch.config.parent.epoch)),
        "cut": (branch, load_trained(branch, 0)),
        "fine-tuned": (branch, load_trained(branch)),
    }
    if control:
        networks["control"] = control, load_trained(control)
    times = _milliseconds([trained for _, trained in networks.values()], split.part(slice(1)).images)
    return {
        name: _measured(run, trained, split, time)
        for (name, (run, trained)), time in zip(networks.items(), times, strict=True)
    }


def _measured(run: Run, trained: Trained, split: Split, milliseconds: float) -> Measured:
    rows = summarise(run.config.architecture, trained.shape, len(trained.classes))
    run.count_look(trained.epoch)
    return Measured(
        hits=int(trained.answers(split).hits.sum()),
        images=len(split),
        parameters=sum(row.parameters for row in rows),
        macs=sum(row.macs for row in rows),
        bytes=sum(tensor.numel() * tensor.element_size() for tensor in trained.network.state_dict().values()),
        milliseconds=milliseconds,
    )


def _milliseconds(networks: Sequence[Trained], image: Tensor) -> list[float]:
    """Time the networks in turns and on one thread, so that what else the machine does slows all of them alike."""
    with torch_threads(1):
        rounds = [[timeit(partial(one.logits, image), number=1) for one in networks] for _ in range(TIMED)]
    return [1000 * median(taken) for taken in zip(*rounds, strict=True)]
