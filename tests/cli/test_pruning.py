from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig
from tests.cli.commands import call, last_line, refusal
from tests.trainings import train

pytestmark = pytest.mark.slow

QUICK = ["--epochs", "1", "--train-fraction", "0.1"]


@pytest.fixture
def parent() -> Run:
    return train(architecture="quick", train_fraction=0.1)


def test_prune_makes_a_smaller_branch_and_a_control(capsys: pytest.CaptureFixture[str], parent: Run) -> None:
    told = last_line(call(capsys, "prune", parent.id, "--keep", "0.5", *QUICK, "--control", "--json"))
    runs = RunStore(runs_folder())
    branch, control = runs.open(told["run"]), runs.open(told["control_run"])
    assert (told["parent"], told["filters_kept"], told["folder"]) == (parent.id, 0.5, str(branch.folder))
    assert (branch.config.epochs, branch.config.learning_rate) == (1, RunConfig().learning_rate / 10)
    assert branch.config.train_fraction == pytest.approx(0.01)  # a tenth of the parent's tenth
    assert control.config.architecture == parent.config.architecture
    assert told["before"]["accuracy"] == parent.summary.test_accuracy
    assert told["fine_tuned"]["accuracy"] == branch.summary.test_accuracy
    assert told["control"]["accuracy"] == control.summary.test_accuracy
    for key in ("parameters", "macs", "bytes"):
        assert told["cut"][key] == told["fine_tuned"][key] < told["control"][key] == told["before"][key]


def test_prune_tells_a_person_in_a_table(capsys: pytest.CaptureFixture[str], parent: Run) -> None:
    plain = call(capsys, "prune", str(parent.folder), "--keep", "0.25", *QUICK).splitlines()
    assert [line.split()[0] for line in plain[2:]] == ["before", "cut", "fine-tuned"]
    assert f"{parent.summary.test_accuracy:.1%}" in plain[2]
    assert Path(plain[0]).is_dir()


def test_a_share_that_cuts_nothing_is_refused(capsys: pytest.CaptureFixture[str], parent: Run) -> None:
    assert "no filter to remove" in refusal(capsys, "prune", parent.id, "--keep", "0.999")
    assert "--keep" in refusal(capsys, "prune", parent.id, "--keep", "1.5")
    assert "nan is not a number" in refusal(capsys, "prune", parent.id, "--keep", "nan")
