from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.forecasting.forecast import FEWEST
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.summary import Forecast
from cnnlab.training.config import RunConfig
from tests.cli.commands import call, last_line, refusal
from tests.forecasting.made import repeated

PLAN = ("--recipe", "default", "--architecture", "lean", "--epochs", "2", "--seed", "99")


def test_it_says_how_many_runs_it_needs(capsys: pytest.CaptureFixture[str], finished_run: Run) -> None:
    repeated(finished_run, FEWEST - 1)
    assert "needs 1 more finished run on mnist-sample" in call(capsys, "forecast", *PLAN)
    told = last_line(call(capsys, "forecast", *PLAN, "--json"))
    assert (told["runs"], told["missing"], told["forecast"], told["record"]) == (FEWEST - 1, 1, None, None)


def test_a_forecast_has_accuracy_time_memory_and_its_record(
    capsys: pytest.CaptureFixture[str], finished_run: Run
) -> None:
    accuracy = finished_run.summary.validation_accuracy or 0.0
    runs = repeated(finished_run, FEWEST)
    known = Forecast(accuracy=accuracy + 0.01, low=accuracy - 0.02, high=1.0, runs=9)
    for run in runs[:2]:
        run.write_summary(run.summary.model_copy(update={"forecast": known}))
    told = last_line(call(capsys, "forecast", *PLAN, "--json"))
    assert told["forecast"]["low"] < told["forecast"]["accuracy"] < told["forecast"]["high"]
    assert told["forecast"]["accuracy"] == pytest.approx(accuracy, abs=0.02)
    assert told["forecast"]["runs"] == FEWEST
    assert told["seconds"] > 0
    assert told["memory_bytes"] > 1e6
    assert told["record"] == {"forecasts": 2, "held": 2, "error": pytest.approx(0.0095)}
    written = call(capsys, "forecast", *PLAN)
    assert f"from {FEWEST} earlier runs" in written
    assert "2 of the last 2 forecasts held the result, median error 1.0 points" in written


def test_a_training_keeps_its_forecast_which_it_had_no_part_in(
    capsys: pytest.CaptureFixture[str], finished_run: Run
) -> None:
    repeated(finished_run, FEWEST)
    plan = ("--recipe", "default", "--architecture", "lean", "--epochs", "1", "--train-fraction", "0.05")
    before = last_line(call(capsys, "forecast", *plan, "--json"))["forecast"]
    told = last_line(call(capsys, "train", *plan, "--json"))
    run = RunStore(runs_folder()).open(told["run"])
    assert run.summary.forecast
    assert told["forecast"] == before == run.summary.forecast.model_dump(mode="json")
    assert run.summary.forecast.runs == FEWEST
    assert last_line(call(capsys, "forecast", *plan, "--json"))["runs"] == FEWEST + 1
    assert "forecast" not in RunConfig.model_fields


def test_what_starts_from_a_run_is_not_forecast(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plan = ("--architecture", "lean", "--parent", "20260101-000000-abc@1")
    assert "new weights" in refusal(capsys, "forecast", *plan, "--runs", str(tmp_path))
