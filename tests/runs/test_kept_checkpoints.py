from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.jobs.job import Job
from cnnlab.runs.kept_checkpoints import KeptCheckpoints
from cnnlab.runs.store import RunStore
from cnnlab.training.checkpoint import CheckpointError
from cnnlab.training.config import parse_config
from tests.samples import TINY
from tests.trainings import finish

SHORT = parse_config({"architecture": TINY, "epochs": 2, "train_fraction": 0.02})


def names(kept: KeptCheckpoints) -> list[str]:
    return sorted(path.name for path in kept.folder.glob("*"))


def test_a_provable_run_keeps_the_checkpoint_and_the_weights_of_each_epoch_also_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnlab.runs.recorder.unneeded", lambda saved, best: saved[:-1])
    run = finish(Job.start(SHORT, RunStore(tmp_path), threads=1, provable=True)).run
    kept = run.checkpoints
    assert names(kept) == ["epoch-001.safetensors", "epoch-002.safetensors"]
    assert kept.path(2).read_bytes() == (run.folder / "checkpoint.safetensors").read_bytes()
    assert kept.read(1).progress.epoch == 1
    finish(Job.resume(run, epochs=1, threads=1))
    assert names(kept)[-1] == "epoch-003.safetensors"
    assert run.epochs() == [0, 1, 2, 3]


def test_other_runs_keep_none(tmp_path: Path) -> None:
    run = finish(Job.start(SHORT, RunStore(tmp_path), threads=1)).run
    assert not run.checkpoints.are_kept


def test_those_of_epochs_that_are_trained_again_are_deleted(tmp_path: Path) -> None:
    kept = KeptCheckpoints(tmp_path)
    for epoch in (1, 2, 3):
        kept.path(epoch).touch()
    (tmp_path / "epoch-x.safetensors").touch()
    kept.delete_after(1)
    assert names(kept) == ["epoch-001.safetensors", "epoch-x.safetensors"]


def test_a_checkpoint_that_is_missing_or_damaged_cannot_be_read(tmp_path: Path) -> None:
    kept = KeptCheckpoints(tmp_path)
    kept.path(1).write_text("no tensors")
    for epoch in (1, 2):
        with pytest.raises(CheckpointError):
            kept.read(epoch)
