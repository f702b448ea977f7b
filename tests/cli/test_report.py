from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from tests.cli.commands import call, refusal
from tests.trainings import copied


def test_one_run_and_several_become_a_page_each(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "runs")
    one, other = copied(finished_run, store), copied(finished_run, store)
    single, both = tmp_path / "one.html", tmp_path / "both.html"
    assert "one.html: " in call(capsys, "report", str(one.folder), "-o", str(single))
    call(capsys, "report", str(one.folder), other.id, str(one.folder), "--runs", str(store.folder), "-o", str(both))
    assert "<h2>Mistakes</h2>" in single.read_text(encoding="utf-8")
    assert "Comparison of 2 runs" in both.read_text(encoding="utf-8")
    assert other.looks > finished_run.looks


def test_what_cannot_be_is_told(capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path) -> None:
    assert "cannot be written" in refusal(capsys, "report", str(finished_run.folder), "-o", str(tmp_path / "a" / "b"))
    assert "no run" in refusal(capsys, "report", "nothing", "-o", str(tmp_path / "page.html"))
