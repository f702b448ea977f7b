"""Trainings killed at random moments and at each write, and resumed: each must come to what an unbroken one does."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import torch
import torch._dynamo  # which optimisers import at their first step: once, before the forks, not in each

from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.history import Record
from tests.samples import TINY, WITH_DROPOUT

FEW = {"train_fraction": 0.2, "validation_fraction": 0.05}
CONFIGS = tuple(
    RunConfig.model_validate(FEW | fields)
    for fields in (
        {"architecture": TINY, "epochs": 4},
        {"architecture": WITH_DROPOUT, "epochs": 3, "optimizer": "sgd", "schedule": "cosine", "learning_rate": 0.001},
        {"architecture": TINY, "epochs": 8, "optimizer": "rmsprop", "learning_rate": 0.001, "early_stopping": 2},
    )
)
WRITES = {"open", "os.rename", "os.remove"}  # Python's audit events; tensors are written without one, then renamed
SPEEDS = {"images_per_second", "seconds"}

_processes = get_context("fork")  # a child has torch at once, and none of the threads that a fork would lose


@dataclass(frozen=True)
class Whole:
    """A run that nothing interrupted, and how long it took in seconds."""

    run: Run
    seconds: float


def survived(kills: int, folder: Path, seed: int = 0) -> int:
    """After how many of ``kills`` the history was readable and the run went on to the unbroken one's numbers."""
    torch.set_num_threads(1)
    random, store = Random(seed), RunStore(folder)
    wholes = [unbroken(store.create(config)) for config in CONFIGS]
    good = 0
    for _ in range(kills):
        whole = random.choice(wholes)
        run = store.create(whole.run.config)
        train(run, kill_after=random.uniform(0, whole.seconds))
        is_told = run.summary.status in ("interrupted", "finished")
        good += is_told and is_readable(run, whole.run) and goes_on(run, whole.run)
    return good


def survived_at_each_write(config: RunConfig, folder: Path, more: int = 0) -> tuple[int, int]:
    """Of how many writes a training that was killed just before one went on to the unbroken one's numbers; of all.

    With ``more``, each is asked for as many epochs beyond its own as soon as it has these.
    """
    torch.set_num_threads(1)
    store = RunStore(folder)
    whole = store.create(config)  # trained here: what torch loads with a first step, every child then has
    Job.resume(whole, threads=1).join()
    if more:
        Job.resume(whole, more, threads=1).join()
    good = 0
    for write in count(1):
        run = store.create(config)
        train(run, kill_at=write)
        if run.summary.status == "finished":  # it has no more writes
            return good, write - 1
        good += _is_extended(run, config, more) and goes_on(run, whole)
    raise AssertionError


def _is_extended(run: Run, config: RunConfig, more: int) -> bool:
    """Ask for ``more`` epochs beyond the config's, if any."""
    if not more:
        return True
    checkpoint = run.checkpoint()
    if not checkpoint or checkpoint.progress.epoch < config.epochs:
        train(run)
    return not train(run, more=more)


def unbroken(run: Run) -> Whole:
    """Train ``run`` undisturbed."""
    began = monotonic()
    train(run)
    return Whole(run, monotonic() - began)


def train(run: Run, kill_after: float | None = None, kill_at: int = 0, more: int = 0) -> str:
    """Train ``run`` on in another process, to its end or until that is killed: its error, if any.

    It is killed after seconds, or just before it writes for the ``kill_at``-th time.
    """
    told, teller = _processes.Pipe(duplex=False)
    child = _processes.Process(target=_work, args=[run, teller, kill_at, more])
    child.start()
    child.join(kill_after)
    child.kill()
    child.join()
    return str(told.recv()) if told.poll() else ""


def _work(run: Run, teller: Connection, kill_at: int, more: int) -> None:
    if kill_at:
        end_before_write(kill_at, run.folder)
    job = Job.resume(run, more, threads=1)
    job.join()
    teller.send(job.error)


def end_before_write(number: int, folder: Path) -> None:
    """Have this process end as a kill would end it: between any two writes, and between a file and its name."""
    writes = count(1)

    def watch(event: str, details: tuple[Any, ...]) -> None:
        if event in WRITES and str(details[0]).startswith(str(folder)):
            is_read = event == "open" and not details[2] & (os.O_WRONLY | os.O_RDWR)
            if not is_read and next(writes) == number:
                os._exit(1)

    sys.addaudithook(watch)


def is_readable(run: Run, whole: Run) -> bool:
    """Whether what is on disk is the beginning of the unbroken run, and every epoch of it has its weights."""
    epochs = _told(run)[1]
    saved = run.epochs()
    return epochs == _told(whole)[1][: len(epochs)] and saved[1 : len(epochs) + 1] == [row["epoch"] for row in epochs]


def goes_on(run: Run, whole: Run) -> bool:
    """Whether ``run`` comes to the unbroken one's numbers, bit for bit."""
    if run.summary.status != "finished":  # before it was killed
        train(run)
    last = whole.epochs()[-1]
    return (
        run.summary.status == "finished"
        and run.summary.test_accuracy == whole.summary.test_accuracy
        and _told(run) == _told(whole)
        and all(torch.equal(kept, run.weights(last)[name]) for name, kept in whole.weights(last).items())
    )


def _told(run: Run) -> tuple[list[Record], list[Record]]:
    """Steps and epochs, without what the clock decides."""
    history = run.history()
    steps, epochs = (
        [{name: value for name, value in row.items() if name not in SPEEDS} for row in rows]
        for rows in (history.steps, history.epochs)
    )
    return steps, epochs
