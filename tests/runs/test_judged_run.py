"""A network that was not trained here becomes a finished run, or nothing."""

from __future__ import annotations

import pytest

from cnnlab.runs.ancestry import data_of
from cnnlab.runs.judged_run import EPOCH, judged_run
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.summary import About
from cnnlab.runs.trained import load_trained


def test_a_network_is_judged_once_on_all_images_or_some(finished_run: Run) -> None:
    trained, data = load_trained(finished_run), data_of(finished_run)
    store = RunStore(runs_folder())
    whole = judged_run(store, finished_run.config, About(title="Whole"), trained, data)
    some = judged_run(store, finished_run.config, About(title="Some"), trained, data, most=100)
    assert (whole.title, whole.epochs(), whole.looks, whole.judged_epoch) == ("Whole", [EPOCH], 1, EPOCH)
    assert whole.summary.test_accuracy == finished_run.summary.test_accuracy
    assert whole.history().epochs[0]["step"] == 0
    assert sum(whole.summary.support.values()) == len(data.test)
    assert sum(some.summary.support.values()) == 100


def test_nothing_stays_of_a_run_that_cannot_be_written(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(run: Run, lines: list[str]) -> None:
        raise RunError("the disk is full")

    monkeypatch.setattr(Run, "append_history", fail)
    store = RunStore(runs_folder())
    with pytest.raises(RunError, match="the disk is full"):
        judged_run(store, finished_run.config, About(), load_trained(finished_run), data_of(finished_run), most=50)
    assert not list(store.folder.glob("2*"))
