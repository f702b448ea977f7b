from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from tests.cli.commands import call, last_line, refusal
from tests.trainings import copied


def with_seed(run: Run, store: RunStore, seed: int, accuracy: float, **fields: object) -> Run:
    """A copy that says it had another seed and another accuracy, and other settings where there are any."""
    other = copied(run, store)
    for name, changes in (("config", {"seed": seed, **fields}), ("summary", {"test_accuracy": accuracy})):
        file = other.folder / f"{name}.json"
        file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    return RunStore(store.folder).open(other.id)


def test_runs_are_compared_with_the_noise_of_their_seeds(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "runs")
    one, *_ = [with_seed(finished_run, store, seed, 0.9 + 0.01 * seed) for seed in range(3)]
    other = with_seed(finished_run, store, 0, 0.95, learning_rate=0.02)
    asked = ("compare", str(one.folder), other.id, "--runs", str(store.folder))
    told = last_line(call(capsys, *asked, "--json"))
    assert [(run["run"], run["seeds"]) for run in told["runs"]] == [(one.id, 3), (other.id, 1)]
    assert told["runs"][0]["sd"] == pytest.approx(0.01)
    (pair,) = told["pairs"]
    assert pair["verdict"] == "no evidence of a difference"  # the copies give the same answers
    assert pair["noise_of_seeds_points"] == pytest.approx(4.303 * 2**0.5, abs=0.01)  # t of 2 degrees of freedom
    assert pair["p_of_settings"] == pytest.approx(0.074, abs=0.001)
    best = told["best"]
    assert best["run"] in (one.id, other.id)
    assert best["candidates"] == 2
    assert best["corrected"] == pytest.approx(best["accuracy"])  # the copies give the same answers
    assert best["low"] < best["corrected"] < best["high"]
    written = call(capsys, *asked)
    assert "best of 2: " in written
    assert "± 1.00 points over 3 seeds" in written
    assert "noise of seeds 6.08 points" in written
    assert one.looks == finished_run.looks + 2


def test_the_noise_of_single_runs_is_not_known(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "runs")
    one, other = copied(finished_run, store), with_seed(finished_run, store, 0, 0.5, learning_rate=0.02)
    (pair,) = last_line(call(capsys, "compare", str(one.folder), str(other.folder), "--json"))["pairs"]
    assert pair["noise_of_seeds_points"] is pair["p_of_settings"] is None


def test_a_run_alone_is_compared_with_nothing(capsys: pytest.CaptureFixture[str], finished_run: Run) -> None:
    assert "name two finished runs" in refusal(capsys, "compare", str(finished_run.folder))
