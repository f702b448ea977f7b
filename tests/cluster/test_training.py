from __future__ import annotations

import os
import signal
from collections.abc import Callable
from threading import Event
from typing import Any, cast

import psutil
import pytest
import torch

from cnnlab.cluster import connection
from cnnlab.cluster.remote import RemoteTrainer
from cnnlab.jobs import executor
from cnnlab.jobs.executor import Cluster
from cnnlab.jobs.job import Job
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.training.run_data import network_for
from cnnlab.training.trainer import Saved, Task, Trainer
from tests.samples import lesson
from tests.trainings import PATIENCE, finish, records, start, wait_for, wait_for_epoch, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("on_cluster")]


def is_same(first: Run, second: Run) -> bool:
    """Whether all epochs have the same weights, metrics, state to continue from, and test."""
    assert first.epochs() == second.epochs()
    one, other = first.checkpoint(), second.checkpoint()
    assert one
    assert other
    pairs = [(one.tensors, other.tensors), *((first.weights(at), second.weights(at)) for at in first.epochs())]
    return (
        all(a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a) for a, b in pairs)
        and records(first.history()) == records(second.history())
        and first.summary.test_accuracy == second.summary.test_accuracy
        and first.summary.train_accuracy == second.summary.train_accuracy
    )


def here(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> Job:
    """The same training in this process."""
    with monkeypatch.context() as patch:
        patch.setenv("CNNLAB_CLUSTER", "local")
        return finish(start(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"optimizer": "adamw", "weight_average": 0.9, "mixup": 0.4, "class_balance": "sampling"},
        {"lessons": [lesson()], "lesson_share": 0.3, "early_stopping": 3},
    ],
    ids=("averaged", "taught"),
)
def test_a_run_gets_the_numbers_that_it_gets_here(fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    job = finish(start(**fields))
    assert job.state == "finished"
    assert is_same(job.run, here(monkeypatch, **fields).run)
    assert not is_same(job.run, here(monkeypatch, **fields, seed=1).run)


def test_a_branch_and_further_epochs_get_the_numbers_that_they_get_here(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = here(monkeypatch).run.id
    job = finish(start(parent=f"{parent}@1", epochs=1))
    finish(Job.resume(job.run, epochs=1))
    other = here(monkeypatch, parent=f"{parent}@1", epochs=1)
    with monkeypatch.context() as patch:
        patch.setenv("CNNLAB_CLUSTER", "local")
        finish(Job.resume(other.run, epochs=1))
    assert is_same(job.run, other.run)


def at_these_rates(run: Run) -> Saved:
    """What is kept of the run's last epoch where it trains here, with the rates that were set by hand."""
    rates = tuple((change["step"], change["learning_rate"]) for change in run.history().rates)
    data, last = data_of(run), run.epochs()[-1]
    task = Task(run.config, network_for(run.config, data.spec), rates=rates)
    reports = Trainer(task, data).events()
    return next(saved for event, saved in reports if saved and event.kind == "epoch" and event.epoch == last)


def process_of(job: Job) -> int:
    """The system's number of the process that trains it."""
    pool = cast("Cluster", job._execution._executor)._opened()[1]
    (busy,) = pool._busy
    return int(busy.ask("describe")["process"])


def test_what_was_set_while_it_trains_counts_as_it_does_here() -> None:
    job = start(epochs=400, schedule="constant")
    wait_for_epoch(job)
    assert job.read_samples() is None
    job.pause()
    wait_for(job, "paused")
    step = job.step
    job.change_learning_rate(0.002)
    job.go_on()
    wait_until(job, lambda: job.history.rates)
    wait_until(job, lambda: job.read_samples() is not None)
    job.stop()
    finish(job)
    (change,) = job.run.history().rates
    assert change["step"] > step
    assert job.state == job.run.summary.status == "stopped"
    assert job.summary.test_accuracy is not None


def test_a_killed_process_costs_nothing_but_time(monkeypatch: pytest.MonkeyPatch) -> None:
    job = start(epochs=30, train_fraction=1.0, batch_size=8, schedule="constant")
    wait_until(job, lambda: job.history.steps)
    number = process_of(job)
    job.change_learning_rate(0.002)
    wait_until(job, lambda: job.history.rates)
    epochs = len(job.history.epochs)
    os.kill(number, signal.SIGKILL)
    wait_until(job, lambda: len(job.history.epochs) > epochs + 1)
    job.stop()
    finish(job)
    assert job.run.history().rates
    kept, run = at_these_rates(job.run), job.run
    weights = run.weights(run.epochs()[-1])
    assert all(torch.equal(weights[name], tensor) for name, tensor in kept.weights.items())


def test_who_is_paused_for_long_gives_the_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cluster, "patience", 0.0)
    closed = Event()
    close = RemoteTrainer.close

    def note_and_close(trainer: RemoteTrainer) -> None:
        close(trainer)
        closed.set()

    monkeypatch.setattr(RemoteTrainer, "close", note_and_close)
    job = start(epochs=6)
    wait_for_epoch(job)
    job.pause()
    assert closed.wait(PATIENCE)
    job.go_on()
    assert finish(job).state == "finished"
    assert is_same(job.run, here(monkeypatch, epochs=6).run)


def test_an_abandoned_run_shows_as_interrupted_and_can_be_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    job = start(epochs=20)
    wait_for_epoch(job)
    job.abandon()
    assert finish(job).run.summary.status == "interrupted"
    assert finish(Job.resume(job.run)).state == "finished"
    assert is_same(job.run, here(monkeypatch, epochs=20).run)


def test_a_node_with_another_program_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "program_digest", lambda: "another")
    monkeypatch.setattr(connection.Process, "check_version", _forgetful(connection.Process.check_version))
    job = finish(start())
    assert job.state == "failed"
    assert "another app" in job.error


def _forgetful(check: Callable[[connection.Process], None]) -> Callable[[connection.Process], None]:
    def check_again(process: connection.Process) -> None:
        process._is_known = False
        check(process)

    return check_again


def test_what_a_node_refuses_is_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    job = finish(start(device="mps"))
    assert job.state == "failed"
    assert "no mps device here" in job.error
    assert "Traceback" not in caplog.text


def test_it_listens_on_this_machine_only(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = executor._cluster(address)._opened()[1]
    node = psutil.Process(int(pool._idle[0].ask("describe")["process"])).parent()
    assert node
    started = node.parent()
    assert started
    ours = [started, *started.children(recursive=True), psutil.Process()]
    listening = {
        place.laddr.ip for one in ours for place in one.net_connections("tcp") if place.status == psutil.CONN_LISTEN
    }
    assert listening
    assert listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
