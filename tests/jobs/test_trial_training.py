"""The trainings of a sweep's trials: runs of a store, started, continued and noted."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.jobs.trial_training import Ended, Jobs
from cnnlab.runs.run import RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.training.config import RunConfig
from tests.samples import TINY


def test_each_is_noted_with_its_earlier_epochs_and_one_that_ended_is_not_trained_again(tmp_path: Path) -> None:
    noted: list[tuple[str, int]] = []
    jobs = Jobs(RunStore(tmp_path), "", lambda job, after: noted.append((job.run.id, after)))
    config = RunConfig.model_validate({"architecture": TINY, "epochs": 1, "train_fraction": 0.1})
    job = jobs.start(config, About(note="Trial 0."))
    job.join()
    assert job.run.about.note == "Trial 0."
    assert noted == [(job.run.id, 0)]
    found = jobs.resume(job.run.id)
    assert isinstance(found, Ended)
    assert found.summary.status == "finished"
    assert len(noted) == 1


def test_one_that_is_not_admitted_leaves_no_run(tmp_path: Path) -> None:
    def refuse(config: RunConfig, after: int) -> None:
        raise RunError(f"no room for {config.epochs} epochs after {after}")

    with pytest.raises(RunError, match="after 0"):
        Jobs(RunStore(tmp_path), "", admit=refuse).start(RunConfig(), About())
    assert not RunStore(tmp_path).all()
