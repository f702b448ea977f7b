from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from cnnlab.files import DELETED_ARE_KEPT
from cnnlab.runs.store import MAX_LINE, About, Run, RunError, RunStore
from cnnlab.training.config import Parent, RunConfig
from tests.samples import lesson


def test_a_new_run_is_found_by_its_id_only(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    assert store.all() == []
    config = RunConfig(seed=9)
    run = store.create(config)
    assert store.open(run.id).config == config
    assert len({store.create(config).id for _ in range(50)}) == 50


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


def test_weights_come_back_as_they_were(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    assert run.epochs() == []
    saved = {"a.weight": torch.randn(3, 2).t(), "steps": torch.tensor(7)}
    for epoch in (0, 1, 12):
        run.save_weights(epoch, saved)
    assert run.epochs() == [0, 1, 12]
    loaded = run.weights(12)
    assert all(torch.equal(loaded[name], saved[name]) for name in saved)


@pytest.mark.parametrize("damage", [b"", b"\x80\x04pickle", b"\xff" * 64])
def test_damaged_weights_are_told(damage: bytes, tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    run.save_weights(0, {"a": torch.ones(1)})
    next((run.folder / "weights").iterdir()).write_bytes(damage)
    with pytest.raises(RunError, match="no readable weights of epoch 0"):
        run.weights(0)


def test_a_damaged_or_missing_config_is_told(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    (run.folder / "config.json").write_text('{"epochs": -1}')
    with pytest.raises(RunError, match=r"config\.json is damaged"):
        _ = run.config
    (run.folder / "config.json").unlink()
    with pytest.raises(RunError, match=r"config\.json is missing"):
        _ = run.config


def test_a_run_counts_as_running_only_while_it_is_held(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    with run.held():
        assert Run(run.folder).summary.status == "running"
        with pytest.raises(RunError, match="trained elsewhere"), Run(run.folder).held():
            pass
    assert Run(run.folder).summary.status == "interrupted"


def test_a_run_holds_open_formats_only(finished_run: Run) -> None:
    kinds = {path.suffix for path in finished_run.folder.rglob("*") if path.is_file() and path.name != "lock"}
    assert kinds == {".json", ".jsonl", ".safetensors"}


def test_weights_that_are_no_state_dict_of_the_network_are_refused(finished_run: Run, tmp_path: Path) -> None:
    copy = RunStore(tmp_path).create(finished_run.config)
    copy.write_summary(finished_run.summary)
    (copy.folder / "weights").mkdir()
    save_file({"foreign": torch.ones(1)}, copy.folder / "weights" / "epoch-000.safetensors")
    assert list(copy.weights(0)) == ["foreign"]


def test_what_is_said_of_a_run_comes_back_and_is_bounded(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    assert run.about == About()
    assert run.title.startswith("Compact batch-norm net on mnist-sample, ")
    said = About(title="Mine", tags=("a", "b", "a"), note="A\nnote", pinned=True)
    run.write_about(said)
    assert run.about == said
    assert (run.title, run.about.tags) == ("Mine", ("a", "b"))
    with pytest.raises(ValueError, match="at most 100"):
        About(title="x" * 101)


def test_many_who_write_a_run_at_once_are_never_refused_and_never_half_read(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    summary = run.summary

    def write_and_read(writer: int) -> None:
        for number in range(10):
            run.write_summary(summary.model_copy(update={"threads": writer, "error": "x" * 1000 * number}))
            run.write_about(About(note=f"{writer} " * 1000))
            assert run.summary.id == run.id
            assert set(run.about.note.split()) <= set("0123")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write_and_read, range(4)))
    assert {path.name for path in run.folder.iterdir()} == {"config.json", "summary.json", "about.json"}


def test_several_who_describe_a_run_lose_nothing_of_one_another(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    said = About(title="Mine", tags=("a",), note="A note", pinned=True)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda field: run.change_about(**{field[0]: field[1]}), said))
    assert run.about == said
    with pytest.raises(ValueError, match="at most 100"):
        run.change_about(title="x" * 101)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_runs_json_is_read_behind_a_byte_order_mark(encoding: str, tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig(seed=7))
    run.write_about(About(title="Größer"))
    for path in run.folder.glob("*.json"):
        path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
    assert (run.config.seed, run.summary.id, run.about.title) == (7, run.id, "Größer")


def test_a_history_is_read_behind_a_byte_order_mark(finished_run: Run, tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    lines = (finished_run.folder / "history.jsonl").read_text()
    (run.folder / "history.jsonl").write_text(lines, encoding="utf-8-sig")
    assert run.history() == finished_run.history()


def test_a_branch_is_called_by_what_made_it_of_another(tmp_path: Path) -> None:
    config = RunConfig(parent=Parent(run="20260101-000000-abc", epoch=7))
    store = RunStore(tmp_path)
    assert store.create(config).title.startswith("Compact batch-norm net on mnist-sample, from epoch 7, ")
    taught = store.create(config.model_copy(update={"lessons": (lesson(),)}))
    assert taught.title.startswith("Compact batch-norm net on mnist-sample, taught 1 drawing, ")


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


def test_the_judged_epoch_is_the_last_one_until_it_is_known(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    with pytest.raises(RunError, match="no weights yet"):
        _ = run.judged_epoch
    for epoch in range(3):
        run.save_weights(epoch, {"a": torch.ones(1)})
    assert run.judged_epoch == 2
    run.write_summary(run.summary.model_copy(update={"epoch": 1}))
    assert run.judged_epoch == 1


def test_a_run_is_whole_without_what_is_said_of_it(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = store.create(RunConfig())
    (run.folder / "about.json").write_text('{"title": ')
    assert run.about == About()
    assert [found.id for found in store.all()] == [run.id]


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
    with pytest.raises(RunError, match="may be gone for good, or be back"):
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


@pytest.fixture
def spoilt(finished_run: Run, tmp_path: Path) -> Run:
    """A copy to be spoilt."""
    return Run(Path(shutil.copytree(finished_run.folder, tmp_path / finished_run.id)))


@pytest.mark.parametrize("name", ["config.json", "summary.json"])
def test_a_file_that_no_memory_holds_is_told_unread(name: str, spoilt: Run) -> None:
    path = spoilt.folder / name
    path.unlink()
    path.touch()
    os.truncate(path, 10**12)
    with pytest.raises(RunError, match=f"its {name} is damaged"):
        _ = spoilt.config, spoilt.summary
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(RunError, match=f"its {name} is damaged"):
        _ = spoilt.config, spoilt.summary


def test_weights_and_checkpoint_are_not_waited_for(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    (run.folder / "weights").mkdir()
    os.mkfifo(run.folder / "weights" / "epoch-000.safetensors")
    os.mkfifo(run.folder / "checkpoint.safetensors")
    with pytest.raises(RunError, match="no readable weights"):
        run.weights(0)
    with pytest.raises(RunError, match="no readable checkpoint"):
        run.checkpoint()


def test_files_that_are_no_epochs_are_none(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    run.save_weights(1000, {"a": torch.ones(1)})
    for name in ("epoch-abc", "epoch--1", "epoch-1"):
        (run.folder / "weights" / f"{name}.safetensors").touch()
    assert run.epochs() == [1000]


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "two\nlines"},
        {"threads": -1},
        {"threads": 10**9},
        {"epoch": 10**9},
        {"shape": [1, 10**5, 10**5]},
        {"mean": []},
        {"std": [0]},
        {"std": [1, 1]},
        {"test_accuracy": 1e300},
        {"per_class": {"nothing": 0.5}},
    ],
    ids=str,
)
def test_a_summary_that_cannot_be_is_told(fields: dict[str, object], spoilt: Run) -> None:
    path = spoilt.folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    with pytest.raises(RunError, match=r"summary\.json is damaged"):
        _ = spoilt.summary


def test_where_no_folder_can_be_no_run_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        RunStore(tmp_path / "file").create(RunConfig())


def test_a_line_too_long_for_a_record_ends_the_history(spoilt: Run) -> None:
    path = spoilt.folder / "history.jsonl"
    steps, whole = len(spoilt.history().steps), path.read_text()
    path.write_text(whole + " " * MAX_LINE + whole)
    assert len(spoilt.history().steps) == steps
