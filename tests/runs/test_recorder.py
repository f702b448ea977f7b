from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.runs import kept_epochs
from cnnlab.runs.first_network import last_network
from cnnlab.runs.recorder import Recorder
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import parse_extension
from cnnlab.training.history import History
from cnnlab.training.trainer import Task, Trainer
from tests.samples import few_digits
from tests.training.trainings import config


def began(run: Run) -> tuple[Recorder, Trainer]:
    data = few_digits()
    network, _, checkpoint = last_network(run, data.spec)
    recorder, trainer = Recorder(run), Trainer(Task(run.config, network, checkpoint=checkpoint), data)
    recorder.begin(network, data.spec, checkpoint)
    return recorder, trainer


def recorded(run: Run, epochs: int = 2) -> tuple[Recorder, Trainer]:
    """The run's training, written to disk up to the end of ``epochs``."""
    recorder, trainer = began(run)
    for event, saved in trainer.events():
        recorder.add(event, saved)
        if event.kind == "epoch" and event.epoch == epochs:
            break
    return recorder, trainer


def judge(recorder: Recorder, trainer: Trainer) -> None:
    recorder.judge(trainer.judge_test(recorder.run.weights(recorder.epoch), lambda: None), trainer.judge_train())


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
    recorder, trainer = began(run)
    assert recorder.epoch == 1
    assert [row["epoch"] for row in recorder.history.epochs] == [1]
    first = next(event for event, _ in trainer.events() if event.kind == "tick")
    assert max(row["step"] for row in run.history().steps) == first.step - 1


def test_what_was_not_saved_is_dropped_where_it_begins_again(run: Run) -> None:
    recorder, trainer = began(run)
    for event, saved in trainer.events():
        recorder.add(event, saved)
        if event.kind == "step" and event.epoch > 1:
            break
    assert max(row["epoch"] for row in recorder.history.steps) > 1
    network, _, checkpoint = last_network(run, few_digits().spec)
    recorder.begin(network, few_digits().spec, checkpoint)
    assert max(row["epoch"] for row in recorder.history.steps) == 1
    recorder.end()
    assert recorder.history == run.history()


def test_judging_tells_of_every_class(run: Run) -> None:
    recorder, trainer = recorded(run)
    judge(recorder, trainer)
    assert recorder.summary.epoch == 2
    assert sum(recorder.summary.support.values()) == len(few_digits().test)


def test_what_the_check_raises_ends_the_judging(run: Run) -> None:
    def over() -> None:
        raise TimeoutError

    recorder, trainer = recorded(run)
    with pytest.raises(TimeoutError):
        trainer.judge_test(run.weights(recorder.epoch), over)


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


@pytest.fixture
def long_run(tmp_path: Path) -> Run:
    return RunStore(tmp_path).create(config(epochs=11))


def thinned(monkeypatch: pytest.MonkeyPatch, best: set[int]) -> None:
    """All of the first two epochs are kept, to four every second, to eight every fourth; ``best`` are the best."""
    monkeypatch.setattr(kept_epochs, "DENSE", 2)
    monkeypatch.setattr(History, "best_epochs", property(lambda history: best))


def test_a_long_run_keeps_ever_fewer_epochs_the_best_and_the_last(
    monkeypatch: pytest.MonkeyPatch, long_run: Run
) -> None:
    thinned(monkeypatch, best={5})
    with long_run.held():
        recorder, trainer = recorded(long_run, epochs=11)
        assert long_run.epochs() == [0, 1, 2, 4, 5, 8, 10, 11]
        judge(recorder, trainer)
    assert len(long_run.history().epochs) == 11
    assert recorder.summary.epoch == 11
    assert recorder.summary.disk_bytes > 8 * next((long_run.folder / "weights").iterdir()).stat().st_size


def test_what_was_there_when_a_training_goes_on_stays(monkeypatch: pytest.MonkeyPatch, long_run: Run) -> None:
    thinned(monkeypatch, best=set())
    recorded(long_run, epochs=7)
    assert long_run.epochs() == [0, 1, 2, 4, 6, 7]  # somebody may have branched off 7
    recorded(long_run, epochs=11)
    assert long_run.epochs() == [0, 1, 2, 4, 6, 7, 8, 10, 11]


@pytest.mark.parametrize("step", ["save_weights", "save_checkpoint", "append_history", "delete_weights"])
def test_a_run_that_broke_off_while_it_was_saved_and_thinned_goes_on(
    step: str, monkeypatch: pytest.MonkeyPatch, long_run: Run
) -> None:
    thinned(monkeypatch, best=set())
    recorded(long_run, epochs=6)

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Run, step, broken)
        recorded(long_run, epochs=7)
    recorder, _ = began(long_run)
    assert recorder.epoch == (6 if step in ("save_weights", "save_checkpoint") else 7)
    assert {0, 1, 2, 4, 6, recorder.epoch} <= set(long_run.epochs())
    recorded(long_run, epochs=9)
    assert load_trained(long_run).epoch == 9
