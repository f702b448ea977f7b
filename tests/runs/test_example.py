"""The network that comes with the app."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.runs.example import FOLDER, add_example, example_id
from cnnlab.runs.run import RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import judge


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CNNLAB_EXAMPLE")
    return tmp_path / "runs"


def test_it_is_a_run_among_others_and_as_good_as_it_says(runs: Path) -> None:
    add_example(runs)
    (run,) = RunStore(runs).all()
    assert judge(run).accuracy == pytest.approx(run.summary.test_accuracy, abs=0.002)  # one image, on other processors
    assert run.epochs()[-1] == run.summary.epoch == run.config.epochs
    assert [path.name for path in runs.iterdir()] == [run.id]


def test_it_is_added_once_and_keeps_what_was_changed(runs: Path) -> None:
    add_example(runs)
    run = RunStore(runs).open(example_id())
    run.change_about(title="Mine")
    add_example(runs)
    assert run.title == "Mine"


def test_a_server_can_do_without_it(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_example(runs)
    with pytest.raises(RunError, match="comes with the app"):
        RunStore(runs).delete(example_id())
    monkeypatch.setenv("CNNLAB_EXAMPLE", "no")
    RunStore(runs).delete(example_id())
    add_example(runs)
    assert not RunStore(runs).all()


def test_where_it_cannot_be_written_there_is_none(runs: Path) -> None:
    runs.write_text("a file")
    add_example(runs)
    assert runs.is_file()


def test_it_is_small_and_its_card_lies_beside() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 600_000
    assert "test images are named right" in (FOLDER / "card.md").read_text(encoding="utf-8")
