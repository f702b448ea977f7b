"""A network that was not trained here as a finished run: judged on a data set, its single epoch an evaluation."""

from __future__ import annotations

from shutil import rmtree
from time import perf_counter

import torch

from cnnlab.data.loading import Data
from cnnlab.data.splits import Split, sampled
from cnnlab.evaluation.evaluate import Evaluation, evaluate
from cnnlab.runs.ancestry import ancestors
from cnnlab.runs.disk import check_room
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.runs.trained import Trained
from cnnlab.training.config import RunConfig
from cnnlab.training.events import EpochMetrics
from cnnlab.training.history import to_line

EPOCH = 1  # that the weights are kept as


def judged_run(
    store: RunStore, config: RunConfig, about: About, trained: Trained, data: Data, most: int | None = None
) -> Run:
    """Judge a network on all ``data``, or ``most`` images of each part, and write it as a finished run of ``config``.

    Its test counts as a look. Nothing stays of a run that cannot be written, which raises RunError.
    """
    check_room(store.folder)
    began = perf_counter()

    def judged(split: Split) -> Evaluation:
        some = split if most is None else sampled(split, most)
        return evaluate(trained.network, some, trained.standardise, trained.at_once)

    train = judged(data.train)
    speed = sum(train.support) / (perf_counter() - began)
    validation, test = judged(data.validation), judged(data.test)
    epoch = EpochMetrics(
        epoch=EPOCH,
        step=0,  # none was taken here
        train_loss=train.loss,
        train_accuracy=train.accuracy,
        validation_loss=validation.loss,
        validation_accuracy=validation.accuracy,
        per_class=validation.per_class,
        learning_rate=0.0,
        images_per_second=speed,  # of answering
        seconds=perf_counter() - began,
    )
    run = store.create(config)
    try:
        run.save_weights(EPOCH, trained.network.state_dict())
        run.append_history([to_line(epoch)])
        run.write_about(about)
        run.count_look(EPOCH)
        _write_summary(run, trained, epoch, test)
    except RunError:
        rmtree(run.folder, ignore_errors=True)
        raise
    return run


def _write_summary(run: Run, trained: Trained, epoch: EpochMetrics, test: Evaluation) -> None:
    mean, std = trained.standardise.scale
    names = trained.classes
    fields = {
        "status": "finished",
        "classes": names,
        "shape": trained.shape,
        "mean": mean,
        "std": std,
        "parameters": sum(parameter.numel() for parameter in trained.network.parameters()),
        "device": "cpu",
        "precision": "float32",
        "threads": torch.get_num_threads(),
        "epoch": EPOCH,
        "train_accuracy": epoch.train_accuracy,
        "validation_accuracy": epoch.validation_accuracy,
        "test_accuracy": test.accuracy,
        "test_loss": test.loss,
        "per_class": dict(zip(names, test.per_class, strict=True)),
        "support": dict(zip(names, test.support, strict=True)),
        "macro_f1": test.macro_f1,
        "seconds": epoch.seconds,  # of answering, as is the speed
        "images_per_second": epoch.images_per_second,
        "ancestors": ancestors(run),
    }
    run.write_summary(run.summary.model_copy(update=fields))
