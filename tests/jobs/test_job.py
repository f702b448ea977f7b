from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnlab.data.datasets import DATASETS
from cnnlab.jobs.execution import Execution
from cnnlab.jobs.executor import Work
from cnnlab.jobs.job import Job, running_jobs
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.runs.recorder import Recorder
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training import events
from cnnlab.training.config import RunConfig, parse_config, parse_extension
from cnnlab.training.events import Event
from cnnlab.training.history import History, Record
from tests.processes import await_event, running
from tests.samples import TINY, Stalled, lesson
from tests.trainings import changes_threads, finish, interrupted, records, start, wait_for, wait_for_epoch, wait_until

pytestmark = pytest.mark.slow


def test_a_finished_run_is_all_on_disk() -> None:
    job = finish(start())
    assert job.state == job.run.summary.status == "finished"
    assert job.run.epochs() == [0, 1, 2]
    summary = Run(job.run.folder).summary
    assert summary == job.summary
    assert summary.epoch == 2
    assert summary.threads == 1
    assert summary.test_accuracy == pytest.approx(sum(summary.per_class.values()) / 10)
    assert sum(summary.support.values()) == 500
    assert records(job.run.history()) == [
        {**r, "per_class": list(r["per_class"])} if "per_class" in r else r for r in records(job.history)
    ]
    assert not list(job.run.folder.rglob("*.part"))


def test_the_samples_are_read_while_it_trains_for_those_who_ask() -> None:
    job = start(epochs=1000)
    wait_for_epoch(job)
    assert job.samples is not None
    assert job.samples.labels.tolist() == list(range(8))
    assert job.read_samples() is None  # nobody had asked
    wait_until(job, lambda: job.read_samples() is not None)
    job.stop()
    job.join()
    read = job.read_samples()
    assert read is not None
    assert read.shape == (8, 10)


def test_the_samples_do_not_show_before_their_classes_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, seen = Recorder.begin, []

    def look_and_begin(recorder: Recorder, *beginning: Any) -> None:
        seen.append([job.samples for job in running_jobs()])
        begin(recorder, *beginning)

    monkeypatch.setattr(Recorder, "begin", look_and_begin)
    job = finish(start(epochs=1, train_fraction=0.1))
    assert seen == [[None]]
    assert job.samples is not None


def test_an_epoch_is_on_disk_before_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    add, seen = History.add, []

    def look_and_add(history: History, event: events.Record) -> None:
        if event.kind == "epoch":
            run = RunStore(runs_folder()).all()[0]
            seen.append((event.epoch, run.epochs()[-1], len(run.history().epochs)))
        add(history, event)

    monkeypatch.setattr(History, "add", look_and_add)
    finish(start(epochs=3))
    assert seen == [(epoch, epoch, epoch) for epoch in (1, 2, 3)]


def test_stop_keeps_and_judges_the_whole_epochs() -> None:
    job = start(epochs=1000)
    wait_for_epoch(job)
    job.stop()
    finish(job)
    assert job.state == job.run.summary.status == "stopped"
    assert job.summary.epoch == len(job.history.epochs) < 1000
    assert job.summary.test_accuracy is not None


def test_abandoned_runs_show_as_interrupted() -> None:
    job = interrupted(epochs=1000)
    assert job.run.summary.status == "interrupted"
    assert job.run.history().epochs


def test_who_would_train_a_run_that_another_trains_leaves_it_alone() -> None:
    run = interrupted(epochs=1000).run
    both = [Job(run, threads=1)._begun(), Job(run, threads=1)._begun()]
    wait_until(both[0], lambda: not both[1].is_running)
    failed, trains = sorted(both, key=lambda job: job.is_running)
    assert failed.summary.status == failed.state == "failed"
    assert "trained elsewhere" in failed.error
    assert trains.run.summary.status == "running"
    trains.stop()
    assert finish(trains).run.summary.status == "stopped"


def test_who_would_train_on_what_another_holds_leaves_no_trace() -> None:
    run = finish(start(epochs=1)).run
    before = run.summary
    with run.held():
        resumed = finish(Job.resume(run, epochs=2))
    assert "trained elsewhere" in resumed.error
    assert run.summary == before


def test_who_looked_at_a_run_before_another_trained_it_on_leaves_it_alone() -> None:
    run = finish(start(epochs=1)).run
    late = Job(run, threads=1, more=parse_extension(1, 2, 0.001))
    trained = finish(Job.resume(run, epochs=1)).run.summary
    assert "reload it" in finish(late._begun()).error
    assert run.summary == trained
    assert run.epochs() == [0, 1, 2]


def test_a_branch_begins_with_its_parents_weights() -> None:
    parent = finish(start())
    branch = finish(start(parent=f"{parent.run.id}@1", seed=5, epochs=1))
    assert branch.state == "finished"
    begun, left = branch.run.weights(0), parent.run.weights(1)
    assert begun.keys() == left.keys()
    assert all(torch.equal(begun[name], left[name]) for name in left)
    assert not torch.equal(branch.run.weights(1)["conv1.weight"], left["conv1.weight"])


def test_a_branch_of_a_parent_goes_on_as_the_config_says_with_lessons_or_without() -> None:
    parent = finish(start())
    fields = {"parent": f"{parent.run.id}@2", "epochs": 1}
    plain, taught = finish(start(**fields)), finish(start(**fields, lessons=[lesson()], lesson_share=0.3))
    assert records(plain.history) == records(finish(start(**fields)).history)
    assert records(plain.history) != records(taught.history)
    assert records(taught.history) == records(finish(start(**fields, lessons=[lesson()], lesson_share=0.3)).history)


def two_classes(folder: Path) -> tuple[Any, ...]:
    assert DATASETS["mnist-sample"].read
    images, labels, test_images, test_labels = DATASETS["mnist-sample"].read(folder)
    return images[labels < 2], labels[labels < 2], test_images[test_labels < 2], test_labels[test_labels < 2]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"parent": "20260101-000000-abc@1"}, "there is no run '20260101-000000-abc'"),
        ({"parent": "PARENT@9"}, "no weights of epoch 9"),
        ({"parent": "PARENT@1", "architecture": "quick"}, "PARENT, whose weights are taken, has other layers"),
        ({"parent": "PARENT@1", "dataset": "two"}, "two has 2 classes .* PARENT was trained on 10 classes"),
        ({"lessons": [lesson("x")]}, "has no class 'x'"),
    ],
)
def test_a_branch_that_cannot_begin_says_why_in_one_line(
    fields: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    two = replace(DATASETS["mnist-sample"], name="two", classes=("0", "1"), read=two_classes)
    monkeypatch.setitem(DATASETS, "two", two)
    parent = finish(start(epochs=1)).run.id
    if "parent" in fields:
        fields = {**fields, "parent": fields["parent"].replace("PARENT", parent)}
    job = finish(start(**fields))
    assert job.state == "failed"
    assert re.search(words.replace("PARENT", parent), job.error)
    assert "\n" not in job.error
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dataset": "no-such-set"}, "unknown data set"),
        ({"dataset": "usps"}, "usps|USPS"),
        ({"optimizer": "sgd", "learning_rate": 10, "schedule": "constant", "epochs": 9}, "lower the learning rate"),
        ({"device": "mps"}, "no mps device here: choose one of auto, cpu"),
    ],
)
def test_a_failure_is_kept_with_its_reason(
    fields: dict[str, Any], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    monkeypatch.setattr(
        "cnnlab.data.torchvision_compat.datasets.USPS.split_list", {"train": ["http://127.0.0.1:9/", "usps.bz2", ""]}
    )
    job = finish(start(**fields))
    assert job.state == job.run.summary.status == "failed"
    assert job.error == job.run.summary.error
    assert pytest.importorskip("re").search(words, job.error)


def test_a_defect_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("cnnlab.jobs.execution.last_network", broken)
    job = finish(start())
    assert job.error == "ZeroDivisionError: oops"
    assert "Traceback" in caplog.text
    assert "in broken" in job.details


def test_a_judgement_that_is_abandoned_leaves_the_run_to_be_resumed() -> None:
    job = start(epochs=1)
    wait_for(job, "judging")
    job.abandon()
    finish(job)
    assert job.run.summary.status == "interrupted"
    assert finish(Job.resume(job.run)).run.summary.status == "finished"


def test_jobs_side_by_side_get_the_numbers_they_get_alone() -> None:
    fields = {"architecture": "seven-step-mnist", "epochs": 1, "augmentation": "handwriting"}
    alone = finish(start(**fields))
    together = [start(**fields), start(**fields)]
    for job in together:
        assert records(finish(job).history) == records(alone.history)


def test_progress_runs_from_nothing_to_all() -> None:
    job = start(epochs=1000)
    wait_for_epoch(job)
    assert 0 < job.progress < 1
    assert job.seconds_left
    job.stop()
    done = finish(start())
    assert done.progress == 1
    assert done.seconds_left is None


def comparable(run: Run) -> list[Record]:
    return records(run.history())


def same_weights(first: Run, second: Run, epoch: int) -> bool:
    pairs = zip(first.weights(epoch).values(), second.weights(epoch).values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_paused_training_stands_still_and_comes_to_the_same_numbers() -> None:
    job = start(epochs=8)
    wait_for_epoch(job)
    job.pause()
    wait_for(job, "paused")
    step = job.step
    other = finish(start(epochs=1))  # its turn is free
    assert other.state == "finished"
    assert (job.step, job.state) == (step, "paused")
    job.go_on()
    finish(job)
    whole = finish(start(epochs=8))
    assert job.state == "finished"
    assert comparable(job.run) == comparable(whole.run)
    assert same_weights(job.run, whole.run, 8)


def test_a_paused_training_can_be_stopped_and_abandoned() -> None:
    for end, status in ((Job.stop, "stopped"), (Job.abandon, "interrupted")):
        job = start(epochs=1000)
        wait_for_epoch(job)
        job.pause()
        wait_for(job, "paused")
        end(job)
        finish(job)
        assert job.run.summary.status == status


@pytest.mark.parametrize("asked", [(Job.stop, Job.pause), (Job.pause, Job.stop), (Job.abandon, Job.pause, Job.go_on)])
def test_a_stop_ends_it_whatever_else_is_asked_within_the_same_step(
    asked: tuple[Callable[[Job], None], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    follow = Execution._follow

    def ask_and_follow(execution: Execution, event: Event, work: Work) -> bool:
        if event.kind == "tick":
            for ask in asked:
                ask(job)
        return follow(execution, event, work)

    monkeypatch.setattr(Execution, "_follow", ask_and_follow)
    job = start(train_fraction=0.02)
    job.join(30)
    assert job.state == "stopped"


def test_a_download_takes_no_turn_and_holds_up_no_end(
    stalled: Stalled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnlab.jobs.executor.Local.queue", TrainingQueue(1))
    for end, status in ((Job.stop, "stopped"), (Job.abandon, "interrupted")):
        config = parse_config({"dataset": "stalled", "architecture": TINY})
        job = Job(RunStore(runs_folder()).create(config), threads=1, data_folder=tmp_path)._begun()
        wait_for(job, "loading")
        assert finish(start(epochs=1)).state == "finished"
        end(job)
        job.join(30)
        assert job.run.summary.status == status


def test_a_parents_data_set_is_waited_for_without_a_turn(stalled: Stalled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.jobs.executor.Local.queue", TrainingQueue(1))
    store = RunStore(runs_folder())
    parent = store.create(parse_config({"dataset": "stalled", "architecture": TINY}))
    job = start(parent=f"{parent.id}@1")
    stalled.begun.wait()
    assert finish(start(epochs=1)).state == "finished"
    job.stop()
    job.join(30)
    assert job.state == "stopped"


@pytest.mark.parametrize("fields", [{}, {"weight_average": 0.9, "mixup": 0.4, "class_balance": "sampling"}], ids=str)
def test_an_interrupted_run_goes_on_to_the_same_numbers(fields: dict[str, Any]) -> None:
    job = interrupted(**fields, epochs=5)
    assert job.run.summary.status == "interrupted"
    resumed = finish(Job.resume(job.run))
    whole = finish(start(**fields, epochs=5))
    assert resumed.state == resumed.run.summary.status == "finished"
    assert comparable(job.run) == comparable(whole.run)
    assert same_weights(job.run, whole.run, 5)
    assert job.run.summary.test_accuracy == whole.summary.test_accuracy


def test_a_run_goes_on_from_between_the_writes_of_an_epoch() -> None:
    whole = finish(start(epochs=3))
    torn = finish(start(epochs=3))
    history = torn.run.folder / "history.jsonl"
    lines = history.read_text().splitlines(keepends=True)
    history.write_text("".join(lines[:-1]) + lines[-1][:20])  # killed while the last epoch's lines were written
    torn.run.write_summary(torn.summary.model_copy(update={"status": "running"}))
    assert len(torn.run.history().epochs) == 2
    finish(Job.resume(torn.run))
    assert comparable(torn.run) == comparable(whole.run)


def test_a_run_that_has_no_whole_epoch_begins_again() -> None:
    job = start(epochs=2)
    job.abandon()
    finish(job)
    finish(Job.resume(job.run))
    assert job.run.summary.status == "finished"
    assert comparable(job.run) == comparable(finish(start(epochs=2)).run)


def test_a_finished_run_is_trained_on_only_for_more_epochs() -> None:
    job = finish(start(epochs=2))
    with pytest.raises(RunError, match="set how many more"):
        Job.resume(job.run)
    with pytest.raises(RunError, match="at most 1000"):
        Job.resume(job.run, epochs=999)
    more = finish(Job.resume(job.run, epochs=2, learning_rate=0.002))
    assert [record["epoch"] for record in job.run.history().epochs] == [1, 2, 3, 4]
    assert more.epochs == 4
    assert job.run.summary.epoch == 4
    assert 0.0005 < job.run.history().epochs[2]["learning_rate"] < 0.002  # half-way down
    finish(Job.resume(job.run, epochs=1))
    assert job.run.epochs() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"no tensors"), Path.unlink])
def test_a_run_whose_checkpoint_is_damaged_says_so_and_keeps_its_epochs(damage: Callable[[Path], object]) -> None:
    job = interrupted(epochs=1000)
    damage(job.run.folder / "checkpoint.safetensors")
    before, summary = job.run.epochs(), job.run.summary
    with pytest.raises(RunError, match=r"no readable checkpoint.*branch off"):
        Job.resume(job.run)
    assert job.run.epochs() == before
    assert job.run.summary == summary


def test_a_run_knows_how_often_its_rate_was_set_and_forgets_what_it_rewinds() -> None:
    job = start(epochs=1000, schedule="constant")
    wait_for_epoch(job)
    job.change_learning_rate(0.005)
    wait_until(job, lambda: job.history.rates)
    job.abandon()
    finish(job)
    whole = len(job.run.history().rates)
    assert job.run.summary.rates_set == 1
    resumed = Job.resume(job.run)
    wait_for(resumed, "training")
    assert resumed.summary.rates_set == whole
    resumed.stop()
    finish(resumed)


def test_a_run_whose_threads_followed_the_load_goes_on_to_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    changes_threads(monkeypatch)
    monkeypatch.setattr("cnnlab.training.meter.READ_SECONDS", 0.0)
    config = parse_config({"architecture": TINY, "batch_size": 4, "learning_rate": 0.001})  # a thousand steps an epoch
    job = Job.start(config, RunStore(runs_folder()), threads=2)
    wait_until(job, lambda: len(job.history.threads) > 2 and len(job.history.steps) > 2)
    job.stop()
    finish(job)
    changes, last = job.history.threads, job.history.threads[-1]["step"]
    before = [record for record in records(job.history) if record["step"] < last]
    resumed = Job.resume(job.run)
    wait_until(resumed, lambda: resumed.step > last + 100)
    resumed.stop()
    finish(resumed)
    assert resumed.history.threads[: len(changes)] == changes
    assert [record for record in records(resumed.history) if record["step"] < last] == before != []


def test_a_number_of_threads_that_is_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    changes_threads(monkeypatch)
    config = parse_config({"architecture": TINY, "epochs": 2, "threads": 2})
    job = finish(Job.start(config, RunStore(runs_folder()), threads=2))
    assert job.history.threads == []
    assert job.threads_now == job.summary.threads == 2


def test_a_changed_learning_rate_counts_from_the_next_step_on_and_is_noted() -> None:
    job = start(epochs=1000, schedule="constant")
    wait_for_epoch(job)
    job.change_learning_rate(0.0001)
    wait_until(job, lambda: job.history.rates)
    epochs = len(job.history.epochs)
    wait_until(job, lambda: len(job.history.epochs) >= epochs + 2)
    job.stop()
    finish(job)
    (change,) = job.run.history().rates
    assert change["learning_rate"] == 0.0001
    assert job.run.history().epochs[-1]["learning_rate"] == pytest.approx(0.0001)


def test_trainings_wait_for_their_turn_in_the_order_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.jobs.executor.Local.queue", TrainingQueue(1))
    first, second, third = (start(epochs=1000) for _ in range(3))
    wait_for_epoch(first)
    wait_until(first, lambda: (second.place, third.place) == (1, 2))
    assert second.state == "queued"
    third.stop()
    assert finish(third).run.summary.status == "stopped"
    first.stop()
    finish(first)
    wait_for_epoch(second)
    assert second.place == 0
    second.stop()
    finish(second)


def test_who_has_trained_for_long_lets_others_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.jobs.executor.Local.queue", TrainingQueue(1))
    monkeypatch.setattr("cnnlab.jobs.fair_share.SLICE_SECONDS", 0.0)
    long, short = start(epochs=6), start(epochs=1)
    finish(short)
    assert short.state == "finished"
    assert finish(long).state == "finished"
    assert comparable(long.run) == comparable(finish(start(epochs=6)).run)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_without_an_abort(signal_number: int, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    short = ["--epochs", "1000", "--architecture", "quick", "--train-fraction", "0.1"]
    with running(["-m", "cnnlab", "train", *short, "--runs", str(tmp_path)]) as process:
        await_event(process, lambda: store.all() and store.all()[0].history().epochs)
        process.send_signal(signal_number)
        _, complaints = process.communicate(timeout=60)
    assert process.returncode == (0 if signal_number == signal.SIGINT else 128 + signal.SIGTERM)
    assert "terminate called" not in complaints
    assert store.all()[0].summary.status == ("stopped" if signal_number == signal.SIGINT else "interrupted")


def test_the_default_config_needs_no_download() -> None:
    assert RunConfig().dataset == "mnist-sample"


def test_more_epochs_after_a_kill_between_checkpoint_and_history_are_all_trained() -> None:
    job = finish(start(epochs=1, schedule="cosine"))
    job.run.write_summary(job.summary.model_copy(update={"status": "running"}))
    (job.run.folder / "history.jsonl").write_text("", encoding="utf-8")
    resumed = finish(Job.resume(job.run, 2, learning_rate=0.005))
    assert [more.after for more in resumed.summary.extensions] == [1]
    rates = [epoch["learning_rate"] for epoch in resumed.run.history().epochs]
    assert len(rates) == 3
    assert 0.005 > rates[1] > rates[2] > 0


def test_a_rate_set_while_paused_is_the_next_steps() -> None:
    job = start(epochs=1000, schedule="constant", train_fraction=0.02, batch_size=10_000)  # each step an epoch
    wait_for_epoch(job)
    job.pause()
    wait_for(job, "paused")
    done = job.step
    job.change_learning_rate(0.002)
    job.go_on()
    wait_until(job, lambda: len(job.history.epochs) >= done + 2)
    job.stop()
    finish(job)
    rates = [epoch["learning_rate"] for epoch in job.history.epochs]
    assert rates[:done] == [0.01] * done
    assert set(rates[done:]) == {0.002}
    assert [(rate["step"], rate["learning_rate"]) for rate in job.history.rates] == [(done + 1, 0.002)]


def test_beyond_the_limit_of_all_runs_nothing_begins_or_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    job = finish(start(epochs=1))
    monkeypatch.setenv("CNNLAB_RUNS_GB", "0.0000001")
    with pytest.raises(RunError, match="delete runs on Compare"):
        start()
    with pytest.raises(RunError, match="delete runs on Compare"):
        Job.resume(job.run, epochs=1)
    assert [run.id for run in RunStore(runs_folder()).all()] == [job.run.id]
    assert job.run.summary.status == "finished"
