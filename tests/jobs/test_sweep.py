from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.jobs.sweep import SweepError, SweepStore
from cnnlab.jobs.sweep_config import SPACES, parse_sweep
from cnnlab.runs.store import RunStore
from cnnlab.training.config import ConfigError, RunConfig
from tests.jobs.sweeps import asked

WITH_MOMENTUM = RunConfig(optimizer="sgd")


@pytest.fixture
def store(tmp_path: Path) -> SweepStore:
    return SweepStore(tmp_path)


def test_its_storage_is_there_before_others_see_it(store: SweepStore) -> None:
    sweep = store.create(asked())
    seen = (sweep.folder / "sweep.json").stat().st_mtime_ns
    assert (sweep.folder / "study.jsonl").stat().st_mtime_ns < seen


def test_more_trials_can_be_asked_for(store: SweepStore) -> None:
    sweep = store.create(asked(trials=1))
    sweep.study.tell(sweep.study.ask(), 0.5)
    assert sweep.status == "finished"
    sweep.extend(2)
    assert (sweep.status, sweep.config.trials) == ("interrupted", 3)


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
    (whole.folder / "study.jsonl").write_bytes(b"no journal\n" * 2)
    with pytest.raises(SweepError, match=r"study\.jsonl cannot be read"):
        _ = whole.study
    assert [found.id for found in store.all()] == [whole.id]


def test_a_journal_that_is_damaged_after_it_was_opened_is_told_too(store: SweepStore) -> None:
    sweep = store.create(asked())
    assert not sweep.trials
    with (sweep.folder / "study.jsonl").open("a") as journal:
        journal.write("no journal\n{}\n")
    with pytest.raises(SweepError, match=r"study\.jsonl cannot be read"):
        _ = sweep.trials


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


def test_a_journal_that_is_missing_or_has_no_study_is_refused(store: SweepStore) -> None:
    gone, empty = store.create(asked()), store.create(asked())
    (gone.folder / "study.jsonl").unlink()
    with pytest.raises(SweepError, match="it is missing"):
        _ = gone.study
    (empty.folder / "study.jsonl").write_bytes(b"")
    with pytest.raises(SweepError, match="cannot be read"):
        _ = empty.study


def test_where_no_folder_can_be_no_sweep_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    config = parse_sweep({"base": WITH_MOMENTUM, "space": {"momentum": {"low": 0.5, "high": 0.9}}})
    with pytest.raises(SweepError, match="choose another folder"):
        SweepStore(tmp_path / "file").create(config)
