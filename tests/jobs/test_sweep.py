from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from cnnlab.jobs.job import Job
from cnnlab.jobs.sweep import Sweep, SweepError, SweepStore, search
from cnnlab.jobs.sweep_config import SPACES, Among, Between, SweepConfig, parse_sweep
from cnnlab.runs.catalogue import Catalogue, table
from cnnlab.runs.store import RunStore
from cnnlab.training.config import ConfigError, Parent, RunConfig
from tests.processes import await_event, running
from tests.samples import lesson

pytestmark = pytest.mark.slow

SHORT = RunConfig.model_validate({"architecture": "quick", "epochs": 2, "train_fraction": 0.1})
WITH_MOMENTUM = RunConfig(optimizer="sgd")
RATES = Between(low=0.0005, high=0.05, log=True)


def asked(**fields: Any) -> SweepConfig:
    return SweepConfig.model_validate({"base": SHORT, "space": {"learning_rate": RATES}, "trials": 3, **fields})


def done(sweep: Sweep, store: SweepStore) -> Sweep:
    for _ in search(sweep, store.runs):
        pass
    return sweep


@pytest.fixture
def store(tmp_path: Path) -> SweepStore:
    return SweepStore(tmp_path)


def test_trials_belong_to_the_sweeps_owner_whoever_runs_it(tmp_path: Path) -> None:
    sweep = SweepStore(tmp_path, "a" * 32).create(asked(trials=1))
    assert (sweep.owner, sweep.is_shown, sweep.is_open) == ("a" * 32, False, False)
    noted: list[tuple[str, int]] = []
    for _ in search(sweep, SweepStore(tmp_path).runs, note=lambda job, after: noted.append((job.run.id, after))):
        pass
    (run,) = RunStore(tmp_path).all()
    assert run.owner == sweep.owner
    assert noted == [(run.id, 0)]


def test_every_trial_is_an_ordinary_run_with_its_settings(store: SweepStore) -> None:
    space = {"learning_rate": RATES, "batch_size": Among(options=(64, 128)), "nesterov": Among(options=(True, False))}
    sweep = done(store.create(asked(space=space)), store)
    entries = {entry.id: entry for entry in Catalogue(store.runs).entries()}
    assert (sweep.status, sweep.ended, len(entries)) == ("finished", 3, 3)
    for trial in sweep.trials:
        entry = entries[trial.user_attrs["run"]]
        assert entry.config == SHORT.model_copy(update=trial.params)
        assert trial.value == entry.summary.validation_accuracy
        assert trial.intermediate_values == {
            epoch["epoch"]: epoch["validation_accuracy"] for epoch in entry.run.history().epochs
        }
        assert 0.0005 <= entry.config.learning_rate <= 0.05
        assert entry.about.tags == (f"sweep {sweep.id}",)
    assert set(table(list(entries.values()))["State"]) == {"finished"}


def test_its_storage_is_there_before_others_see_it(store: SweepStore) -> None:
    sweep = store.create(asked())
    seen = (sweep.folder / "sweep.json").stat().st_mtime_ns
    assert (sweep.folder / "study.db").stat().st_mtime_ns < seen


def test_trials_with_other_seeds_hold_the_same_images_out(store: SweepStore) -> None:
    space = {"seed": {"options": [3, 4]}}
    made = store.create(parse_sweep({"base": SHORT, "space": space, "trials": 2, "pruner": "none"}))
    done(made, store)
    configs = [run.config for run in store.runs.all()]
    assert [config.held_out_by for config in configs] == [SHORT.seed] * 2
    assert {config.seed for config in configs} <= {3, 4}


def test_a_branch_is_swept_as_any_other_config(store: SweepStore) -> None:
    parent = Job.start(SHORT, store.runs)
    parent.join()
    branch = {"parent": Parent(run=parent.run.id, epoch=2), "lessons": (lesson(),), "epochs": 1}
    made = store.create(asked(base=SHORT.model_copy(update=branch), trials=2))
    sweep = done(store.open(made.id), store)
    assert [trial.state for trial in sweep.trials] == [TrialState.COMPLETE] * 2
    for trial in sweep.trials:
        run = store.runs.open(trial.user_attrs["run"])
        assert run.config == SHORT.model_copy(update=branch | {"split_seed": SHORT.seed} | trial.params)
        assert run.weights(0)["conv1.weight"].equal(parent.run.weights(2)["conv1.weight"])


def test_trials_that_lag_behind_are_given_up(store: SweepStore) -> None:
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
    trials = done(sweep, store).trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 5 + [TrialState.PRUNED] * 2
    run = store.runs.open(trials[-1].user_attrs["run"])
    assert len(run.history().epochs) < 8
    assert run.summary.status == "stopped"
    assert run.summary.test_accuracy is not None


def test_a_sweep_left_half_way_goes_on_and_asks_again_what_was_under_way(store: SweepStore) -> None:
    sweep = store.create(asked(trials=3))
    steps = search(sweep, store.runs)
    for step in steps:
        if step.number == 1:
            break
    under_way = sweep.trials[1].params
    steps.close()
    reopened = store.open(sweep.id)
    assert (reopened.status, reopened.ended) == ("interrupted", 1)
    done(reopened, store)
    assert (reopened.status, reopened.ended) == ("finished", 3)
    assert [trial.state for trial in reopened.trials].count(TrialState.COMPLETE) == 3
    assert reopened.trials[2].params == under_way
    assert len({trial.params["learning_rate"] for trial in reopened.trials}) == 3  # the one asked again, and two more


def test_a_killed_sweep_goes_on(store: SweepStore) -> None:
    command = ["-m", "cnnlab", "sweep", "--runs", str(store.runs.folder), "--trials", "3", "--optimizer", "sgd"]
    settings = ["--epochs", "8", "--train-fraction", "0.1", "--architecture", "quick", "--search", "momentum=0.5:0.9"]
    with running([*command, *settings]) as process:
        await_event(process, store.all)
        (sweep,) = store.all()
        await_event(process, lambda: sweep.ended)
        assert sweep.status == "running"
        with pytest.raises(SweepError, match="already running elsewhere"):
            next(search(sweep, store.runs))
        process.kill()
    (sweep,) = store.all()
    assert sweep.status == "interrupted"
    assert done(sweep, store).ended == 3


def test_more_trials_can_be_asked_for(store: SweepStore) -> None:
    sweep = done(store.create(asked(trials=1)), store)
    sweep.extend(2)
    assert sweep.has_room
    assert done(sweep, store).ended == 3


def test_minutes_end_a_sweep_too(store: SweepStore) -> None:
    assert done(store.create(asked(minutes=0.001)), store).ended == 1


def test_a_sweep_whose_first_trials_fail_gives_up_with_their_reason(store: SweepStore) -> None:
    diverging = RunConfig.model_validate(
        {"architecture": "fashion-part-3", "optimizer": "sgd", "schedule": "constant", "momentum": 0.99, "epochs": 2}
    )
    sweep = store.create(asked(base=diverging, space={"learning_rate": Between(low=9, high=10)}, trials=10))
    with pytest.raises(SweepError, match="lower the learning rate"):
        done(sweep, store)
    assert {trial.state for trial in sweep.trials} == {TrialState.FAIL}
    assert all(trial.user_attrs["error"] for trial in sweep.trials)


def test_its_storage_is_optunas_own(store: SweepStore) -> None:
    sweep = done(store.create(asked(trials=2)), store)
    opened = optuna.load_study(study_name=sweep.id, storage=f"sqlite:///{sweep.folder / 'study.db'}")
    assert [trial.value for trial in opened.trials] == [trial.value for trial in sweep.trials]
    assert opened.best_value == max(trial.value or 0 for trial in sweep.trials)


def test_an_older_sweep_over_a_setting_without_effect_can_be_extended(store: SweepStore) -> None:
    sweep = store.create(asked(space={"momentum": SPACES["momentum"]}))
    sweep.extend(2)
    assert sweep.config.trials == 2


@pytest.mark.parametrize("name", ["", "..", "../x", "nope", "20260101-000000-abcdef"])
def test_an_id_never_leads_out_of_the_folder(name: str, store: SweepStore) -> None:
    store.create(asked())
    with pytest.raises(SweepError, match="there is no sweep"):
        store.open(name)


def test_damaged_sweeps_are_told_and_not_listed(store: SweepStore) -> None:
    sweep, whole = store.create(asked()), store.create(asked())
    (sweep.folder / "sweep.json").write_text("{")
    with pytest.raises(SweepError, match=r"sweep\.json is missing or damaged"):
        _ = sweep.config
    (whole.folder / "study.db").write_bytes(b"no database, but long enough to be looked at as one")
    with pytest.raises(SweepError, match=r"study\.db cannot be read"):
        _ = whole.study
    assert [found.id for found in store.all()] == [whole.id]


def test_settings_are_read_behind_a_byte_order_mark(store: SweepStore) -> None:
    sweep = store.create(asked())
    path = sweep.folder / "sweep.json"
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert sweep.config == asked()


def test_a_sweep_at_work_elsewhere_is_not_extended(store: SweepStore) -> None:
    sweep = store.create(asked())
    with sweep.held(), pytest.raises(SweepError, match="already running elsewhere"):
        sweep.extend(5)
    assert sweep.config == asked()


def test_sweeps_are_no_runs(store: SweepStore) -> None:
    store.create(asked())
    assert RunStore(store.runs.folder).all() == []
    assert store.all()[0].title.endswith(": learning rate")


def test_more_trials_than_a_sweep_may_have_are_refused(tmp_path: Path) -> None:
    found = SweepStore(tmp_path).create(
        parse_sweep({"base": WITH_MOMENTUM, "space": {"momentum": {"low": 0.5, "high": 0.9}}})
    )
    for trials in (1001, -1):
        with pytest.raises(ConfigError, match="trials"):
            found.extend(trials)


def test_a_damaged_study_is_told_in_one_line(tmp_path: Path) -> None:
    found = SweepStore(tmp_path).create(
        parse_sweep({"base": WITH_MOMENTUM, "space": {"momentum": {"low": 0.5, "high": 0.9}}})
    )
    (found.folder / "study.db").write_bytes(b"no database" * 100)
    with pytest.raises(SweepError, match="cannot be read") as refusal:
        _ = found.study
    assert str(refusal.value).isprintable()


def test_where_no_folder_can_be_no_sweep_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    config = parse_sweep({"base": WITH_MOMENTUM, "space": {"momentum": {"low": 0.5, "high": 0.9}}})
    with pytest.raises(SweepError, match="choose another folder"):
        SweepStore(tmp_path / "file").create(config)
