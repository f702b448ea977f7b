"""The trainings of a sweep's trials: runs of a store, started, continued and noted."""

from __future__ import annotations

import pytest

from cnnlab.jobs.job import Job
from cnnlab.jobs.trial_training import Ended, Jobs, Unlimited
from cnnlab.runs.run import RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.summary import About
from cnnlab.training.config import RunConfig
from tests.jobs.sweeps import SHORT
from tests.trainings import finish, interrupted

Noted = list[tuple[str, int]]


class Noting(Unlimited):
    """An account on which the runs of trainings stand, with the number of their earlier epochs."""

    def __init__(self) -> None:
        self.charged: Noted = []

    def charge(self, job: Job, after: int) -> None:
        self.charged.append((job.run.id, after))


class Full(Unlimited):
    """An account that has no room for anything."""

    def check(self, config: RunConfig, after: int) -> None:
        raise RunError(f"no room for {config.epochs} epochs after {after}")


def noting() -> tuple[Jobs, Noted]:
    account = Noting()
    return Jobs(RunStore(runs_folder()), account=account), account.charged


def test_a_new_one_is_described_and_noted_and_not_trained_again_once_it_has_ended() -> None:
    jobs, noted = noting()
    run = finish(jobs.start(SHORT, About(note="Trial 0."))).run
    assert run.about.note == "Trial 0."
    found = jobs.resume(run.id)
    assert isinstance(found, Ended)
    assert found.summary.status == "finished"
    assert found.history.epochs == run.history().epochs
    assert noted == [(run.id, 0)]


def test_one_that_was_interrupted_continues_and_is_noted_with_its_earlier_epochs() -> None:
    run = interrupted(epochs=1000).run
    before = run.whole_epochs
    jobs, noted = noting()
    job = jobs.resume(run.id)
    assert isinstance(job, Job)
    job.stop()
    finish(job)
    assert noted == [(run.id, before)]
    assert before > 0


def test_one_that_is_not_admitted_leaves_no_run() -> None:
    with pytest.raises(RunError, match="after 0"):
        Jobs(RunStore(runs_folder()), account=Full()).start(SHORT, About())
    assert not RunStore(runs_folder()).all()
