from __future__ import annotations

import pytest

from cnnlab.runs.run import Run
from tests.cli.commands import call, last_line, refusal
from tests.trainings import train


def test_a_healthy_run_has_no_findings(capsys: pytest.CaptureFixture[str], finished_run: Run) -> None:
    told = call(capsys, "diagnose", str(finished_run.folder), "--json")
    assert told.startswith("Nothing was found.")
    assert last_line(told) == {"run": finished_run.id, "findings": []}


def test_a_fault_is_named_with_its_evidence_and_a_change(capsys: pytest.CaptureFixture[str]) -> None:
    run = train(learning_rate=1e-6)
    told = call(capsys, "diagnose", run.id, "--json")
    assert told.startswith("rate-too-low: At the learning rate 1e-06 a step changes a layer's weights by ")
    first = last_line(told)["findings"][0]
    assert (first["name"], set(first["fields"])) == ("rate-too-low", {"learning_rate"})
    assert first["change"] == f"Raise the learning rate to {first['fields']['learning_rate']:g}"


def test_an_unknown_run_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no run" in refusal(capsys, "diagnose", "nothing")
