"""Trainings that tests start, wait for and compare, and finished ones that are trained only once a session."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from threading import Condition
from typing import Any
from unittest.mock import patch

import pytest
from filelock import FileLock

from cnnlab.jobs.execution import Execution
from cnnlab.jobs.job import Job
from cnnlab.jobs.job_progress import JobProgress
from cnnlab.runs import epoch_times
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training import thread_tuner
from cnnlab.training.config import RunConfig, parse_config
from cnnlab.training.history import History, Record
from tests.samples import TINY

TWO_EPOCHS = parse_config({"architecture": "lean", "epochs": 2})
PATIENCE = 120  # seconds, on a busy machine
SPEEDS = {"images_per_second", "seconds"}  # what the clock decides

_changed = Condition()


class Shelf:
    """Finished runs by their settings, in a folder that all of pytest's workers share."""

    folder: Path  # set when the session begins

    @classmethod
    def run(cls, config: RunConfig) -> Run:
        """Train what is not there yet; read it, do not change it."""
        settings = config.model_dump_json()
        store = RunStore(cls.folder / hashlib.sha256(settings.encode()).hexdigest()[:16])
        with FileLock(f"{store.folder}.lock"):
            runs = store.all()
            return runs[0] if runs else finish(Job.start(config, store, threads=1)).run


def train(**fields: object) -> Run:
    """An ended training of Lean, or of these fields, for an epoch, among the test's own runs."""
    config = RunConfig.model_validate({"architecture": "lean", "epochs": 1, **fields})
    store = RunStore(runs_folder())
    if config.parent or config.start or config.dataset != "mnist-sample":
        return finish(Job.start(config, store, threads=1)).run
    return copied(Shelf.run(config), store)


def copied(run: Run, store: RunStore) -> Run:
    """Copy ``run`` as if it had been trained there just now."""
    copy = store.create(run.config)
    own = {"id": copy.id, "created": copy.summary.created}
    copytree(run.folder, copy.folder, dirs_exist_ok=True)
    copy.write_summary(run.summary.model_copy(update=own))
    return copy


def start(**fields: Any) -> Job:
    """A training of a tiny network on a fifth of the images."""
    config = parse_config({"architecture": TINY, "epochs": 2, "train_fraction": 0.2, **fields})
    return Job.start(config, RunStore(runs_folder()), threads=1)


def expects_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have times be told for one thread, which trainings of tests have on any machine."""
    monkeypatch.setattr(epoch_times, "threads_each", lambda wanted: 1)


def changes_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make trainings believe that they are always disturbed and that no other number of threads gains anything."""
    for name, value in {"WINDOW": 0.0, "FIRST_WAIT": 0.0, "UNDISTURBED": 2.0, "GAIN": 1e9}.items():
        monkeypatch.setattr(thread_tuner, name, value)


def finish(job: Job) -> Job:
    job.join()
    return job


def interrupted(**fields: Any) -> Job:
    """One abandoned after a whole epoch."""
    job = start(**fields)
    wait_for_epoch(job)
    job.abandon()
    return finish(job)


def records(history: History) -> list[Record]:
    return [{k: v for k, v in row.items() if k not in SPEEDS} for row in (*history.steps, *history.epochs)]


def wait_for(job: Job, state: str) -> None:
    wait_until(job, lambda: job.state == state)
    assert job.state == state


def wait_for_epoch(job: Job) -> None:
    wait_until(job, lambda: job.history.epochs)


def wait_until(job: Job, happened: Callable[[], object]) -> None:
    """Wait until that has happened or the job has ended, looking whenever a job says where it stands."""
    with patch.object(JobProgress, "__setattr__", _set), patch.object(Execution, "__setattr__", _set), _changed:
        assert _changed.wait_for(lambda: happened() or not job.is_running, PATIENCE)


def _set(changed: object, name: str, value: object) -> None:
    object.__setattr__(changed, name, value)
    with _changed:
        _changed.notify_all()
