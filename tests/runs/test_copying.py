from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnnlab.people.belonging import give
from cnnlab.runs.copying import copied
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About, Forecast
from cnnlab.runs.trained import load_trained

ABOUT = About(title="Ada: Digits")


def test_a_copy_is_a_run_of_its_own_that_nothing_done_to_the_first_changes(listed_run: Run) -> None:
    give(listed_run.folder, "a" * 32)
    copy = copied(listed_run, ABOUT)
    store = RunStore(listed_run.folder.parent)
    assert {run.id for run in store.all()} == {listed_run.id, copy.id}
    assert copy.owner == ""
    assert copy.title == "Ada: Digits"
    assert copy.summary == listed_run.summary.model_copy(update={"id": copy.id})
    before, lines = copy.history(), (copy.folder / "history.jsonl").read_bytes()
    listed_run.append_history(["{}"])
    listed_run.count_look(1)
    listed_run.rewind(1)
    listed_run.save_weights(1, listed_run.weights(0))
    assert copy.epochs() == [0, 1, 2]
    assert (copy.folder / "history.jsonl").read_bytes() == lines
    assert copy.history().epochs == before.epochs
    store.delete(listed_run.id)
    store.delete_for_good(listed_run.id)
    assert load_trained(copy).epoch == 2
    assert not list(store.folder.glob(".incoming-*"))


def test_a_copy_judges_no_forecast(listed_run: Run) -> None:
    told = Forecast(accuracy=0.9, low=0.8, high=0.95, runs=7)
    listed_run.write_summary(listed_run.summary.model_copy(update={"forecast": told}))
    assert copied(listed_run, ABOUT).summary.forecast is None
    assert listed_run.summary.forecast == told


def test_weights_are_linked_or_where_that_cannot_be_copied(listed_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = Path("weights") / "epoch-002.safetensors"
    assert (copied(listed_run, ABOUT).folder / weights).samefile(listed_run.folder / weights)

    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    copy = copied(listed_run, ABOUT).folder / weights
    assert not copy.samefile(listed_run.folder / weights)
    assert copy.read_bytes() == (listed_run.folder / weights).read_bytes()


def test_a_run_that_is_trained_is_not_copied(listed_run: Run) -> None:
    with listed_run.held(), pytest.raises(RunError, match="trained"):
        copied(listed_run, ABOUT)
    assert len(RunStore(listed_run.folder.parent).all()) == 1
