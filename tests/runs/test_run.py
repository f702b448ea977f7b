from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from cnnlab.runs.run import MAX_LINE, Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.training.config import RunConfig


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


def test_a_line_too_long_for_a_record_ends_the_history(spoilt: Run) -> None:
    path = spoilt.folder / "history.jsonl"
    steps, whole = len(spoilt.history().steps), path.read_text()
    path.write_text(whole + " " * MAX_LINE + whole)
    assert len(spoilt.history().steps) == steps


def test_an_epoch_that_is_not_kept_is_refused_with_its_neighbours(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    for epoch in (0, 1, 4, 8):
        run.save_weights(epoch, {"a": torch.ones(1)})
    run.delete_weights([1, 2])
    assert run.epochs() == [0, 4, 8]
    with pytest.raises(RunError, match=r"no weights of epoch 5, but of epochs 4 and 8$"):
        run.weights(5)
    with pytest.raises(RunError, match=r"but of epoch 8$"):
        run.weights(9)
