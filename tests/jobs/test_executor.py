from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
import torch

from cnnlab.data.loading import Data
from cnnlab.jobs.execution import MOST_LOST
from cnnlab.jobs.executor import Cluster, Executor, Local, Work
from cnnlab.jobs.job import Job
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import parse_config
from cnnlab.training.run_data import network_for
from cnnlab.training.trainer import LostError, Report, Task, Trainer
from tests.samples import TINY
from tests.trainings import PATIENCE, finish, records, wait_for, wait_for_epoch, wait_until


class Lent(Trainer):
    """A training at a place that may be lost, or given back."""

    def __init__(self, task: Task, data: Data, lent: Lending) -> None:
        super().__init__(task, data)
        self._lent = lent

    def events(self) -> Iterator[Report]:
        for report in super().events():
            yield report
            if self._lent.is_lost(report):
                raise LostError("gone")

    def close(self) -> None:
        self._lent.given_back.set()


class Lending(Local):
    """This process, whose places are lost where ``is_lost`` says so."""

    job: Job

    def __init__(self, is_lost: Callable[[Report], bool] = lambda _: False, patience: float | None = None) -> None:
        self.is_lost, self.patience = is_lost, patience  # type: ignore[assignment]
        self.given_back = Event()
        self.begun = 0

    def begin(self, task: Task, data: Data, gives_up: Callable[[], bool]) -> Work | None:
        self.begun += 1
        return Lent(task, data, self)

    def train(self, **fields: Any) -> Job:
        """Start a training of 26 steps an epoch."""
        config = parse_config({"architecture": TINY, "epochs": 3, "train_fraction": 0.2, "batch_size": 32, **fields})
        self.job = Job(RunStore(runs_folder()).create(config), threads=1, executor=self)
        return self.job._begun()


def once(step: int) -> Callable[[Report], bool]:
    """Be true after a step, when it is taken first."""
    steps = [step]
    return lambda report: report[0].kind == "tick" and [report[0].step] == steps and bool(steps.pop())


def is_what_its_training_gives(run: Run) -> bool:
    """Whether a training with the rates that were set by hand gives the weights of the run's last epoch."""
    rates = tuple((change["step"], change["learning_rate"]) for change in run.history().rates)
    data, last = data_of(run), run.epochs()[-1]
    task = Task(run.config, network_for(run.config, data.spec), rates=rates)
    reports = Trainer(task, data).events()
    saved = next(saved for event, saved in reports if saved and event.kind == "epoch" and event.epoch == last)
    kept = run.weights(last)
    return all(torch.equal(kept[name], tensor) for name, tensor in saved.weights.items())


def test_a_lost_place_costs_nothing_but_time() -> None:
    executor = Lending(once(30))
    job, undisturbed = finish(executor.train()), finish(Lending().train())
    assert (job.state, executor.begun) == ("finished", 2)
    assert records(job.run.history()) == records(undisturbed.run.history())
    assert is_what_its_training_gives(job.run)


@pytest.mark.parametrize("lost", [31, 33], ids=("before it counted", "after"))
def test_a_rate_set_in_the_epoch_that_was_lost_counts_from_the_same_step_on(lost: int) -> None:
    is_time, is_end = once(30), once(lost)

    def is_lost(report: Report) -> bool:
        if is_time(report):
            executor.job.change_learning_rate(0.02)  # which the job reads after step 31
        return is_end(report)

    executor = Lending(is_lost)
    run = finish(executor.train(schedule="constant")).run
    assert executor.begun == 2
    assert [(change["step"], change["learning_rate"]) for change in run.history().rates] == [(32, 0.02)]
    assert is_what_its_training_gives(run)


def test_what_is_lost_again_and_again_fails_and_can_be_resumed() -> None:
    executor = Lending(lambda report: report[0].kind == "tick")
    job = finish(executor.train())
    assert (job.state, job.error, executor.begun) == ("failed", "gone", MOST_LOST + 1)
    assert finish(Job.resume(job.run)).state == "finished"
    assert is_what_its_training_gives(job.run)


def test_a_long_pause_gives_the_place_back() -> None:
    executor = Lending(patience=0.0)
    job = executor.train(epochs=50)
    wait_for_epoch(job)
    job.pause()
    assert executor.given_back.wait(PATIENCE)
    assert job.state == "paused"
    job.go_on()
    wait_until(job, lambda: executor.begun == 2)
    job.stop()
    assert is_what_its_training_gives(finish(job).run)


def test_a_short_pause_keeps_it() -> None:
    executor = Lending(patience=PATIENCE)
    job = executor.train(epochs=50)
    wait_for_epoch(job)
    job.pause()
    wait_for(job, "paused")
    job.go_on()
    wait_for(job, "training")
    assert not executor.given_back.is_set()
    job.stop()
    finish(job)
    assert executor.begun == 1


@pytest.mark.parametrize(("executor", "patience"), [(Local(), None), (Cluster("127.0.0.1:6380"), 60.0)])
def test_on_a_cluster_a_pause_keeps_its_place_for_a_minute_and_here_for_ever(
    executor: Executor, patience: float | None
) -> None:
    assert executor.patience == patience
