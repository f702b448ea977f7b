from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.runs.recorder import Recorder
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import parse_extension
from cnnlab.training.loop import Training
from cnnlab.training.run_data import network_for
from tests.samples import few_digits
from tests.training.trainings import config


def began(run: Run) -> tuple[Recorder, Training]:
    data = few_digits()
    recorder, training = Recorder(run), Training(network_for(run.config, data.spec), data, run.config)
    recorder.begin(training)
    return recorder, training


def recorded(run: Run, epochs: int = 2) -> tuple[Recorder, Training]:
    """The run's training, written to disk up to the end of ``epochs``."""
    recorder, training = began(run)
    for event in training.events():
        recorder.add(event, training)
        if event.kind == "epoch" and event.epoch == epochs:
            break
    return recorder, training


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return RunStore(tmp_path).create(config())


def test_what_it_shows_is_what_is_on_disk(run: Run) -> None:
    with run.held():
        recorder, _ = recorded(run)
        assert recorder.summary == Run(run.folder).summary
    kept = run.history()
    assert [row["step"] for row in recorder.history.steps] == [row["step"] for row in kept.steps]
    assert [row["epoch"] for row in recorder.history.epochs] == [row["epoch"] for row in kept.epochs] == [1, 2]
    assert run.epochs() == [0, 1, 2]


def test_it_goes_back_to_the_last_whole_epoch(run: Run) -> None:
    recorded(run, epochs=1)
    run.append_history(['{"kind": "step", "step": 9}'])  # of an epoch that was cut off
    recorder, training = began(run)
    assert (recorder.epoch, training.epoch) == (1, 1)
    assert [row["epoch"] for row in recorder.history.epochs] == [1]
    assert max(row["step"] for row in run.history().steps) == training.step


def test_judging_counts_a_look_and_tells_of_every_class(run: Run) -> None:
    recorder, training = recorded(run)
    recorder.judge(training, lambda: None)
    assert run.looks == 1
    assert recorder.summary.epoch == 2
    assert sum(recorder.summary.support.values()) == len(training.data.test)


def test_what_the_check_raises_ends_the_judging(run: Run) -> None:
    def over() -> None:
        raise TimeoutError

    recorder, training = recorded(run)
    with pytest.raises(TimeoutError):
        recorder.judge(training, over)
    assert run.looks == 0
    assert Run(run.folder).summary.test_accuracy is None


def test_a_run_that_another_trained_meanwhile_is_not_current(run: Run) -> None:
    recorded(run, epochs=1)
    more = Recorder(run, parse_extension(1, 1, 0.001))
    assert more.is_current
    recorded(run, epochs=2)
    assert not more.is_current


def test_a_failure_is_said_in_memory_and_leaves_the_disk_alone(run: Run) -> None:
    with run.held():
        recorder, _ = recorded(run)
        recorder.fail("no more")
        assert (recorder.summary.status, recorder.summary.error) == ("failed", "no more")
        assert Run(run.folder).summary.status == "running"
