"""Sweeps at work: with trials that only let a counted clock pass, and with real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from benchmarks.fake_trials import Clock, FakeTrials
from cnnlab.jobs import search as searching
from cnnlab.jobs.executor import Local
from cnnlab.jobs.job import Job
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.jobs.search import Step, search
from cnnlab.jobs.sweep import Sweep, SweepError, SweepStore
from cnnlab.jobs.sweep_config import Among, Between, parse_sweep
from cnnlab.jobs.sweep_storage import DATABASE, JOURNAL
from cnnlab.runs.catalogue import Catalogue, table
from cnnlab.runs.store import RunStore
from cnnlab.training.config import Parent, RunConfig
from tests.jobs.sweeps import RATES, SHORT, asked
from tests.processes import await_event, running
from tests.samples import lesson


@pytest.fixture
def store(tmp_path: Path) -> SweepStore:
    return SweepStore(tmp_path)


def done(sweep: Sweep, trials: FakeTrials | None = None) -> Sweep:
    for _ in search(sweep, trials):
        pass
    return sweep


def on(slots: int, clock: Clock | None = None) -> FakeTrials:
    clock = clock or Clock()
    return FakeTrials(clock.read, clock.wait, slots)


def states(sweep: Sweep) -> list[TrialState]:
    return [trial.state for trial in sweep.trials]


def test_trials_run_on_all_slots_and_each_is_told_once(store: SweepStore) -> None:
    clock = Clock()
    sweep = store.create(asked(trials=10, pruner="none"))
    assert max(len(step.running) for step in search(sweep, on(4, clock))) == 4
    assert states(sweep) == [TrialState.COMPLETE] * 10
    assert (sweep.status, sweep.ended, sweep.seconds) == ("finished", 10, 20.0)
    assert clock.now == pytest.approx(3 * 2.0, abs=0.5)  # three rounds of two epochs


def test_slots_that_come_while_it_runs_are_used(store: SweepStore) -> None:
    trials, widths = on(1), []
    for step in search(store.create(asked(trials=6)), trials):
        widths.append(len(step.running))
        trials.slots = 3
    assert max(widths) == 3


def test_weak_trials_are_stopped_by_what_is_known_at_that_moment(store: SweepStore) -> None:
    def pruned(slots: int) -> int:
        base, rates = SHORT.model_copy(update={"epochs": 6}), Between(low=1e-4, high=1, log=True)
        sweep = store.create(asked(base=base, space={"learning_rate": rates}, trials=12))
        done(sweep, on(slots))
        stopped = [trial for trial in sweep.trials if trial.state == TrialState.PRUNED]
        assert all(len(trial.intermediate_values) == trial.user_attrs["pruned_after"] < 6 for trial in stopped)
        return len(stopped)

    assert pruned(1) > 0
    assert pruned(12) == 0  # all start before any is complete


@pytest.mark.parametrize("are_kept", [True, False], ids=["runs kept", "runs gone"])
def test_killed_at_any_byte_no_trial_is_lost_and_none_told_twice(are_kept: bool, store: SweepStore) -> None:
    clock = Clock()
    trials = on(3, clock)
    whole = store.create(asked(trials=6, pruner="none"))
    done(whole, trials)
    journal = (whole.folder / JOURNAL).read_bytes()
    first = journal.index(b"\n") + 1
    for at in range(first, len(journal), (len(journal) - first) // 7):
        (whole.folder / JOURNAL).write_bytes(journal[:at])
        sweep = store.open(whole.id)
        before = {trial.number: trial.value for trial in sweep.trials if trial.state == TrialState.COMPLETE}
        done(sweep, trials if are_kept else on(2))
        assert states(sweep) == [TrialState.COMPLETE] * 6
        assert sweep.status == "finished"
        assert {number: sweep.trials[number].value for number in before} == before
        for trial in sweep.trials:
            assert list(trial.intermediate_values) == [1, 2]


def test_one_that_is_stopped_continues_its_trials_after_their_last_epochs(store: SweepStore) -> None:
    clock = Clock()
    trials, sweep = on(2, clock), store.create(asked(trials=4))
    steps = search(sweep, trials)
    while clock.now < 1.5:
        next(steps)
    steps.close()
    assert (sweep.status, sweep.ended) == ("interrupted", 0)
    settings = [trial.params for trial in sweep.trials]
    done(sweep, trials)
    assert (sweep.status, states(sweep)) == ("finished", [TrialState.COMPLETE] * 4)
    assert [trial.params for trial in sweep.trials][:2] == settings
    assert len(trials.begun) == 4  # no run was begun twice
    assert clock.now == pytest.approx(1.5 + 1 + 2, abs=0.5)


def test_a_trial_that_was_being_stopped_counts_as_stopped(store: SweepStore) -> None:
    sweep = store.create(asked(trials=1))
    trial = sweep.study.ask()
    trial.set_user_attr("pruned_after", 1)
    done(sweep, on(1))
    assert states(sweep) == [TrialState.PRUNED]


def test_minutes_end_a_sweep_too(store: SweepStore) -> None:
    sweep = store.create(asked(trials=50, minutes=0.1))  # three trials of two epochs of a second
    assert done(sweep, on(1)).ended == 3
    assert sweep.status == "finished"


def test_an_older_sweep_continues_in_its_database(store: SweepStore) -> None:
    sweep = store.create(asked(trials=3))
    (sweep.folder / JOURNAL).unlink()
    older = optuna.create_study(
        study_name=sweep.id, storage=f"sqlite:///{sweep.folder / DATABASE}", direction="maximize"
    )
    older.tell(older.ask(), 0.5)
    killed = older.ask()
    killed.suggest_float("learning_rate", RATES.low, RATES.high, log=True)
    sweep = store.open(sweep.id)
    assert (sweep.status, sweep.ended) == ("interrupted", 1)
    done(sweep, on(2))
    assert (sweep.status, states(sweep)) == ("finished", [TrialState.COMPLETE] * 3)
    assert sweep.trials[1].params == killed.params
    assert not (sweep.folder / JOURNAL).exists()


def test_trials_that_an_older_sweep_repeated_count_once(store: SweepStore) -> None:
    sweep = store.create(asked(trials=2))
    sweep.study.tell(sweep.study.ask(), state=TrialState.FAIL)
    sweep.study.enqueue_trial({"learning_rate": 0.01}, user_attrs={"again": 0})
    done(sweep, on(1))
    assert states(sweep) == [TrialState.FAIL, TrialState.COMPLETE, TrialState.COMPLETE]
    assert sweep.ended == 2


def test_the_webhook_is_told_of_the_sweep_once(store: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(searching, "tell", told.append)
    monkeypatch.setenv("CNNLAB_WEBHOOK", "http://127.0.0.1:9/")
    monkeypatch.setattr("cnnlab.jobs.webhook.tell", lambda _: told.append({}))  # of a trial
    sweep = store.create(asked(trials=2))
    steps = search(sweep)
    next(steps)
    steps.close()
    assert not told  # it continues
    done(sweep)
    done(sweep)  # nothing is left to do
    (message,) = told
    assert (message["event"], message["sweep"], message["trials"]) == ("sweep ended", sweep.id, 2)
    assert message["validation_accuracy"] == sweep.study.best_value
    assert message["best_run"] in [run.id for run in store.runs.all()]


def test_trials_belong_to_the_sweeps_owner_whoever_runs_it(tmp_path: Path) -> None:
    sweep = SweepStore(tmp_path, "a" * 32).create(asked(trials=1))
    done(SweepStore(tmp_path).open(sweep.id))
    assert [run.owner for run in RunStore(tmp_path).all()] == [sweep.owner]


def test_every_trial_is_an_ordinary_run_with_its_settings(store: SweepStore, two_slots: None) -> None:
    space = {"learning_rate": RATES, "batch_size": Among(options=(64, 128)), "nesterov": Among(options=(True, False))}
    sweep = done(store.create(asked(space=space)))
    entries = {entry.id: entry for entry in Catalogue(store.runs).entries()}
    assert (sweep.status, sweep.ended, len(entries)) == ("finished", 3, 3)
    for trial in sweep.trials:
        entry = entries[trial.user_attrs["run"]]
        assert entry.config == SHORT.model_copy(update=trial.params)
        assert trial.value == entry.summary.validation_accuracy
        assert trial.user_attrs["seconds"] == entry.summary.seconds
        assert trial.intermediate_values == {
            epoch["epoch"]: epoch["validation_accuracy"] for epoch in entry.run.history().epochs
        }
        assert 0.0005 <= entry.config.learning_rate <= 0.05
        assert entry.about.tags == (f"sweep {sweep.id}",)
    assert set(table(list(entries.values()))["State"]) == {"finished"}


@pytest.fixture
def two_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two trainings at once, whatever this machine has."""
    monkeypatch.setattr(Local, "queue", TrainingQueue(2))


def test_runs_of_a_killed_sweep_continue_and_end_with_the_same_numbers(
    store: SweepStore, two_slots: None, tmp_path: Path
) -> None:
    base = SHORT.model_copy(update={"epochs": 3})
    sweep = store.create(asked(base=base, trials=2, pruner="none"))
    copied: Path | None = None
    for step in search(sweep):
        if copied is None and all(one.reported for one in step.running):
            copied = Path(copytree(store.runs.folder, tmp_path / "killed"))  # what a kill would leave
    assert copied
    killed = SweepStore(copied)
    assert killed.open(sweep.id).status == "interrupted"
    done(killed.open(sweep.id))
    assert {run.id for run in killed.runs.all()} == {run.id for run in store.runs.all()}
    assert [trial.value for trial in killed.open(sweep.id).trials] == [trial.value for trial in sweep.trials]


def test_a_killed_sweep_goes_on(store: SweepStore) -> None:
    command = ["-m", "cnnlab", "sweep", "--runs", str(store.runs.folder), "--trials", "3", "--optimizer", "sgd"]
    settings = ["--epochs", "8", "--train-fraction", "0.1", "--architecture", "quick", "--search", "momentum=0.5:0.9"]
    with running([*command, *settings]) as process:
        await_event(process, store.all)
        (sweep,) = store.all()
        await_event(process, lambda: sweep.ended)
        assert sweep.status == "running"
        with pytest.raises(SweepError, match="already running elsewhere"):
            next(search(sweep))
        process.kill()
    (sweep,) = store.all()
    assert sweep.status == "interrupted"
    assert done(sweep).ended == 3


def test_trials_with_other_seeds_hold_the_same_images_out(store: SweepStore) -> None:
    space = {"seed": {"options": [3, 4]}}
    done(store.create(parse_sweep({"base": SHORT, "space": space, "trials": 2, "pruner": "none"})))
    configs = [run.config for run in store.runs.all()]
    assert [config.held_out_by for config in configs] == [SHORT.seed] * 2
    assert {config.seed for config in configs} <= {3, 4}


def test_a_branch_is_swept_as_any_other_config(store: SweepStore) -> None:
    parent = Job.start(SHORT, store.runs)
    parent.join()
    branch = {"parent": Parent(run=parent.run.id, epoch=2), "lessons": (lesson(),), "epochs": 1}
    made = store.create(asked(base=SHORT.model_copy(update=branch), trials=2))
    sweep = done(store.open(made.id))
    assert states(sweep) == [TrialState.COMPLETE] * 2
    for trial in sweep.trials:
        run = store.runs.open(trial.user_attrs["run"])
        assert run.config == SHORT.model_copy(update=branch | {"split_seed": SHORT.seed} | trial.params)
        weights = run.weights(0)
        assert all(weights[name].equal(before) for name, before in parent.run.weights(2).items())


def test_a_run_whose_trial_is_stopped_early_is_tested(store: SweepStore) -> None:
    good, hopeless = 0.01, 1e-5
    sweep = store.create(
        asked(
            base=SHORT.model_copy(update={"epochs": 8}),
            space={"learning_rate": Among(options=(good, hopeless))},
            trials=7,
        )
    )
    for rate in [good] * 5 + [hopeless] * 2:
        sweep.study.enqueue_trial({"learning_rate": rate})
    done(sweep)
    assert states(sweep) == [TrialState.COMPLETE] * 5 + [TrialState.PRUNED] * 2
    run = store.runs.open(sweep.trials[-1].user_attrs["run"])
    assert len(run.history().epochs) < 8
    assert run.summary.status == "stopped"
    assert run.summary.test_accuracy is not None


def test_a_sweep_whose_first_trials_fail_ends_with_their_reason(store: SweepStore) -> None:
    diverging = RunConfig.model_validate(
        {"architecture": "fashion-part-3", "optimizer": "sgd", "schedule": "constant", "momentum": 0.99, "epochs": 2}
    )
    sweep = store.create(asked(base=diverging, space={"learning_rate": Between(low=9, high=10)}, trials=10))
    with pytest.raises(SweepError, match="lower the learning rate"):
        done(sweep)
    assert set(states(sweep)) == {TrialState.FAIL}
    assert all(trial.user_attrs["error"] for trial in sweep.trials)


def test_one_that_runs_elsewhere_is_not_run_twice(store: SweepStore) -> None:
    sweep = store.create(asked())
    steps: Callable[[], Step] = search(sweep, on(1)).__next__
    with sweep.held(), pytest.raises(SweepError, match="already running elsewhere"):
        steps()
