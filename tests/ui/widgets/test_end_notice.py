from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.ui.widgets import end_notice


def told_of(run: Run, state: str, monkeypatch: pytest.MonkeyPatch, error: str = "", **fields: Any) -> dict[str, Any]:
    """What the browser is told of a training in that state."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(end_notice, "_component", lambda data, key: sent.extend(data["trainings"]))
    summary = run.summary.model_copy(update=fields)
    is_running = state == "training"
    job = SimpleNamespace(run=run, config=run.config, summary=summary, state=state, error=error, is_running=is_running)
    end_notice.end_notice([cast("Job", job)])
    (told,) = sent
    return told


def test_a_training_that_runs_has_nothing_to_tell_yet(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    told = told_of(finished_run, "training", monkeypatch, test_accuracy=None)
    assert told["running"]
    assert not told["head"]


def test_one_that_finished_tells_its_accuracy_and_one_that_failed_why(
    finished_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = told_of(finished_run, "finished", monkeypatch)
    assert told["id"] == finished_run.id
    assert told["head"] == "Training finished"
    assert told["text"].endswith(f"\nTest accuracy {finished_run.summary.test_accuracy:.1%}")
    failed = told_of(finished_run, "failed", monkeypatch, error="the loss is no longer finite")
    assert failed["head"] == "Training failed"
    assert failed["text"].endswith("\nThe loss is no longer finite.")


def test_who_stopped_it_need_not_be_told(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not told_of(finished_run, "stopped", monkeypatch)["head"]
