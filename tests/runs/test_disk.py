from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import pytest

from cnnlab.data.datasets import DATASETS
from cnnlab.files import bytes_below
from cnnlab.runs.disk import RoomError, check_room, check_training, disk_needs, shortage, taken_by
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig, parse_config

SAMPLE = DATASETS["mnist-sample"]
Usage = namedtuple("Usage", "total used free")


def test_what_is_told_before_is_what_a_run_takes(finished_run: Run) -> None:
    needs = disk_needs(finished_run.config, SAMPLE)
    assert needs.kept == len(finished_run.epochs()) - 1
    assert 0.8 * needs.bytes < finished_run.disk_bytes < needs.bytes + 20_000


def test_a_provable_training_keeps_weights_and_checkpoint_of_every_epoch() -> None:
    config = parse_config({"architecture": "conv2d-tour", "epochs": 200})
    usual, provable = (disk_needs(config, DATASETS["mnist"], provable=which) for which in (False, True))
    assert provable.kept == 200
    assert 200 / 56 * 2.5 < provable.bytes / usual.bytes < 200 / 56 * 3  # weights and two moments of each


def test_a_long_training_takes_little_more_than_a_short_one() -> None:
    short, long = (
        disk_needs(parse_config({"architecture": "conv2d-tour", "epochs": epochs}), DATASETS["mnist"])
        for epochs in (20, 200)
    )
    assert (short.title, long.title) == ("every epoch: 127 MB", "up to 56 of 200 epochs: 328 MB")
    assert long.bytes < 3 * short.bytes


def test_frozen_layers_and_earlier_epochs_take_nothing_more() -> None:
    whole = parse_config({"architecture": "lenet-5", "parent": "a@1"})
    head = whole.model_copy(update={"learn_from": whole.architecture.named_layers[-1][0]})
    assert disk_needs(head, SAMPLE).bytes < disk_needs(whole, SAMPLE).bytes / 2
    assert disk_needs(whole, SAMPLE, after=100).bytes < disk_needs(whole, SAMPLE).bytes / 2


def test_beyond_the_limit_nothing_starts_and_it_is_told_what_to_do(
    finished_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(tmp_path)
    store.create(RunConfig())
    check_training(tmp_path, finished_run.config)  # without a limit
    monkeypatch.setenv("CNNLAB_RUNS_GB", "0.003")
    check_room(tmp_path)
    with pytest.raises(RoomError, match=r"of the 3 MB that this server allows .* add 3.\d MB: delete runs on Compare"):
        check_training(tmp_path, RunConfig(epochs=1))
    check_training(tmp_path, parse_config({"architecture": "basic-cnn", "epochs": 1}))


def test_deleted_runs_take_their_room_until_they_are_gone_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(tmp_path)
    run = store.create(RunConfig())
    (run.folder / "heldout.safetensors").write_bytes(bytes(50_000))
    monkeypatch.setenv("CNNLAB_RUNS_GB", str(50_000 / 1e9))
    store.delete(run.id)
    with pytest.raises(RoomError, match="all runs together"):
        check_room(tmp_path)
    store.delete_for_good(run.id)
    check_room(tmp_path)
    assert bytes_below(tmp_path / ".deleted") == 0


def test_a_short_disk_is_told_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.runs.disk.disk_usage", lambda folder: Usage(10**9, 9 * 10**8, 10**8))
    assert shortage(tmp_path / "not" / "there", 99_000_000) == ""
    told = shortage(tmp_path, 300_000_000)
    assert told.startswith("Only 100 MB of disk are free, and this needs 300 MB: train for fewer epochs")


def test_runs_that_ended_tell_their_size_and_others_are_counted(finished_run: Run) -> None:
    summary = finished_run.summary
    assert abs(summary.disk_bytes - finished_run.disk_bytes) < 5000  # the summary itself, looks
    assert taken_by(finished_run, summary) == summary.disk_bytes
    older = summary.model_copy(update={"disk_bytes": 0})
    killed = summary.model_copy(update={"disk_bytes": 7, "status": "interrupted"})
    assert taken_by(finished_run, older) == taken_by(finished_run, killed) == finished_run.disk_bytes
