from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cnnlab.files import DELETED_ARE_KEPT
from cnnlab.runs.run import RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import Forecast
from cnnlab.training.config import Parent, RunConfig


def test_a_new_run_is_found_by_its_id_only(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    assert store.all() == []
    config = RunConfig(seed=9)
    run = store.create(config)
    assert store.open(run.id).config == config
    assert len({store.create(config).id for _ in range(50)}) == 50


def test_a_forecast_is_kept_with_the_run_and_no_part_of_its_config(tmp_path: Path) -> None:
    told = Forecast(accuracy=0.9, low=0.8, high=0.95, runs=7)
    plain, foreseen = (RunStore(tmp_path).create(RunConfig(), forecast=one) for one in (None, told))
    assert (plain.summary.forecast, foreseen.summary.forecast) == (None, told)
    assert [(run.folder / "config.json").read_text(encoding="utf-8") for run in (plain, foreseen)] == [
        RunConfig().model_dump_json(indent=1)
    ] * 2


@pytest.mark.parametrize("name", ["", ".", "..", "../runs", "/etc", "a/b", "nope", "x" * 200, "a\0b"])
def test_an_id_never_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    store.create(RunConfig())
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(RunError, match="there is no run"):
        store.open(name)


def test_runs_come_newest_first_and_damaged_or_hidden_ones_are_left_out(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    for name in ("20260101-000000-a", "20260102-000000-b", "20260103-000000-c", ".20260104-000000-d"):
        made = store.create(RunConfig())
        made.folder.rename(tmp_path / name)
    (tmp_path / "20260102-000000-b" / "summary.json").write_text('{"id": ')
    (tmp_path / "a stray file").touch()
    assert [run.id[-1] for run in store.all()] == ["c", "a"]


def test_the_run_at_the_root_of_branches_is_found_where_all_of_them_are_here(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    root = store.create(RunConfig())
    branch = store.create(RunConfig(parent=Parent(run=root.id, epoch=0)))
    twig = store.create(RunConfig(parent=Parent(run=branch.id, epoch=0)))
    for run in (root, branch, twig):
        origin = store.origin(run)
        assert origin
        assert origin.id == root.id
    (root.folder / "config.json").write_text(RunConfig(parent=Parent(run=twig.id, epoch=0)).model_dump_json())
    assert store.origin(twig) is None  # a forged ring
    store.delete(root.id)
    assert store.origin(twig) is None


def test_a_deleted_run_is_put_away_until_it_is_restored(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = store.create(RunConfig(seed=5))
    store.delete(run.id)
    assert store.all() == []
    assert [away.id for away in store.deleted()] == [run.id]
    with pytest.raises(RunError, match="there is no run"):
        store.open(run.id)
    store.restore(run.id)
    assert store.open(run.id).config.seed == 5
    assert store.deleted() == []


def test_a_deleted_run_that_came_back_on_another_way_is_deleted_again(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = store.create(RunConfig())
    store.delete(run.id)
    shutil.copytree(tmp_path / ".deleted" / run.id, run.folder)  # as an import brings it
    assert store.deleted() == []
    with pytest.raises(RunError, match="may be gone for good"):
        store.restore(run.id)
    store.delete(run.id)
    assert [away.id for away in store.deleted()] == [run.id]


@pytest.mark.parametrize("name", ["", "..", "../x", "nope"])
def test_only_deleted_runs_are_restored(name: str, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.create(RunConfig())
    with pytest.raises(RunError, match="there is no deleted run"):
        store.restore(name)


def test_one_of_many_restores_a_run_and_the_others_are_told(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = store.create(RunConfig())
    store.delete(run.id)

    def restore(_: int) -> str:
        try:
            store.restore(run.id)
        except RunError:
            return "told"
        return "restored"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(restore, range(8))) == ["restored", *["told"] * 7]
    assert store.open(run.id).config == RunConfig()


def test_a_run_that_trains_is_not_deleted(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = store.create(RunConfig())
    with run.held(), pytest.raises(RunError, match="trained elsewhere"):
        store.delete(run.id)
    assert store.open(run.id)


def test_what_was_deleted_long_ago_goes_for_good(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    old, recent, last = (store.create(RunConfig()) for _ in range(3))
    for run, age in ((old, DELETED_ARE_KEPT + timedelta(hours=1)), (recent, DELETED_ARE_KEPT - timedelta(hours=1))):
        store.delete(run.id)
        then = (datetime.now(UTC) - age).timestamp()
        os.utime(tmp_path / ".deleted" / run.id, (then, then))
    store.delete(last.id)
    assert {run.id for run in store.deleted()} == {recent.id, last.id}


def test_runs_of_the_same_second_are_listed_the_newest_first(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    begun = [store.create(RunConfig()).id for _ in range(20)]
    assert [run.id for run in store.all()] == begun[::-1]


def test_where_no_folder_can_be_no_run_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        RunStore(tmp_path / "file").create(RunConfig())


def test_a_deleted_run_is_gone_for_good_where_that_is_asked(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    kept, run = store.create(RunConfig()), store.create(RunConfig())
    for other in (kept.id, "..", "nope"):
        with pytest.raises(RunError, match="no deleted run"):
            store.delete_for_good(other)
    store.delete(run.id)
    store.delete_for_good(run.id)
    assert store.deleted() == []
    assert not (tmp_path / ".deleted" / run.id).exists()
    assert [left.id for left in store.all()] == [kept.id]
