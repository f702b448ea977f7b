from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cnnlab.files import DELETED_ARE_KEPT
from cnnlab.runs.past_looks import PastLooks
from cnnlab.runs.run import Run
from cnnlab.runs.store import DELETED, RunStore
from cnnlab.training.config import RunConfig

ADA, BOB = "a" * 32, "b" * 32


def looked_at(store: RunStore, times: int) -> Run:
    run = store.create(RunConfig())
    for epoch in range(times):
        run.count_look(epoch)
    return run


@pytest.mark.parametrize("is_expired", [False, True])
def test_the_looks_of_runs_that_are_gone_for_good_stay_known(is_expired: bool, tmp_path: Path) -> None:
    store = RunStore(tmp_path, ADA)
    for times in (2, 3):
        gone = looked_at(store, times)
        store.delete(gone.id)
        assert PastLooks(tmp_path).of(ADA, "mnist-sample") == (0 if times == 2 else 2)  # it can be restored
        if is_expired:
            old = (datetime.now(UTC) - DELETED_ARE_KEPT - timedelta(minutes=1)).timestamp()
            os.utime(tmp_path / DELETED / gone.id, (old, old))
            store.delete(looked_at(store, 0).id)
        else:
            store.delete_for_good(gone.id)
    assert not (tmp_path / DELETED / gone.id).exists()
    assert PastLooks(tmp_path).of(ADA, "mnist-sample") == 5
    assert PastLooks(tmp_path).of(ADA, "mnist") == PastLooks(tmp_path).of(BOB, "mnist-sample") == 0


def test_what_is_nobodys_or_damaged_is_removed_all_the_same(tmp_path: Path) -> None:
    nobodys, damaged = looked_at(RunStore(tmp_path), 1), looked_at(RunStore(tmp_path, ADA), 1)
    store = RunStore(tmp_path)
    for run in (nobodys, damaged):
        store.delete(run.id)
    store.delete_for_good(nobodys.id)
    gone = Run(tmp_path / DELETED / damaged.id)
    (gone.folder / "config.json").write_text("{")
    old = (datetime.now(UTC) - DELETED_ARE_KEPT - timedelta(minutes=1)).timestamp()
    os.utime(gone.folder, (old, old))
    store.delete(looked_at(store, 0).id)
    assert not gone.folder.exists()
    assert PastLooks(tmp_path).of(ADA, "mnist-sample") == 0


def test_a_file_that_is_damaged_is_as_none(tmp_path: Path) -> None:
    looks = PastLooks(tmp_path)
    looks.add(ADA, "mnist", 1)
    (tmp_path / ".people" / "looks" / f"{ADA}.json").write_text('{"mnist": -5}')
    assert looks.of(ADA, "mnist") == 0
