from __future__ import annotations

import pytest

from cnnlab.diagnosis.examination import Examination, Watch
from cnnlab.runs.run import Run, RunError
from cnnlab.training.history import History


def test_the_first_and_the_last_epoch_are_probed_and_powers_of_two_between(
    finished_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    examination, history = Examination(finished_run), finished_run.history()
    assert [probe.epoch for probe in examination.case(History(epochs=history.epochs[:1])).probes] == [0, 1]
    weights = finished_run.weights(1)
    monkeypatch.setattr(Run, "epochs", lambda run: list(range(12)))
    monkeypatch.setattr(Run, "weights", lambda run, epoch: weights)
    longer = History(epochs=[history.epochs[0] | {"epoch": epoch} for epoch in range(1, 12)])
    assert [probe.epoch for probe in examination.case(longer).probes] == [0, 1, 2, 4, 8, 11]


def test_a_run_is_watched_and_examined_once_for_each_epoch(finished_run: Run) -> None:
    watch, history = Watch(finished_run), finished_run.history()
    assert watch.findings is None
    watch.look(history)
    watch.join()
    assert watch.findings == []
    watch.look(history)
    assert not watch.is_looking
    watch.look(history, "the loss is no longer finite")
    watch.join()
    assert not watch.is_looking


def test_a_run_without_weights_cannot_be_examined(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    examination = Examination(finished_run)
    monkeypatch.setattr(Run, "epochs", lambda run: [])
    with pytest.raises(RunError, match="has no weights"):
        examination.case(finished_run.history(), "the disk is full")
