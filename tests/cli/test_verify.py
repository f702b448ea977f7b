from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cnnlab.__main__ import main
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from tests.cli.commands import call, last_line, refusal
from tests.trainings import train
from tests.verification.reports import copy_of, edit_history, edit_json, of_epoch

TRAIN = ["train", "--architecture", "lenet-5", "--epochs", "3", "--train-fraction", "0.02", "--json"]


def ended(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        call(capsys, *arguments)
    assert end.value.code == code
    return capsys.readouterr().out


def test_a_provable_run_is_trained_and_proved(capsys: pytest.CaptureFixture[str]) -> None:
    run = last_line(call(capsys, *TRAIN, "--provable"))["run"]
    assert RunStore(runs_folder()).open(run).checkpoints.are_kept
    assert "all 3 epochs executed again" in call(capsys, "verify", run)
    plain = call(capsys, "verify", run, "--level", "2", "--epochs", "2").splitlines()
    assert plain[0].startswith("proved: 2 of 3 epochs executed again")
    assert plain[1] == "  chance at most to have missed 1 forged epoch: 50.0%"
    told = last_line(call(capsys, "verify", run, "--level", "0", "--json"))
    assert (told["run"], told["outcome"], told["judged"]) == (run, "proved", [1, 2, 3])


def test_what_differs_first_is_told_and_is_the_exit_code(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    forged = copy_of(finished_run, tmp_path)
    edit_history(forged, lambda records: of_epoch(records, 2).update(validation_loss=float("nan")))
    plain = ended(capsys, 1, "verify", str(forged.folder), "--level", "0")
    found = finished_run.history().epochs[1]["validation_loss"]
    assert plain == f"differs: epoch 2, validation_loss: the run says nan, found {found}\n"
    told = last_line(ended(capsys, 1, "verify", str(forged.folder), "--level", "0", "--json"))
    assert told["difference"] == {"epoch": 2, "figure": "validation_loss", "told": "nan", "found": found}


def test_what_cannot_be_proved_here_has_an_exit_code_of_its_own(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    other = copy_of(finished_run, tmp_path)
    kind = finished_run.summary.machines[0].model_dump()
    edit_json(other, "summary.json", machines=[kind | {"processor": "AVX1024"}])
    assert "another kind of machine: processor with AVX1024" in ended(capsys, 3, "verify", str(other.folder))


def test_what_cannot_be_is_refused(capsys: pytest.CaptureFixture[str], finished_run: Run) -> None:
    assert "--epochs goes with --level 2" in refusal(capsys, "verify", str(finished_run.folder), "--epochs", "3")
    assert "--provable" in refusal(capsys, "verify", str(finished_run.folder), "--level", "2")
    assert "no run" in refusal(capsys, "verify", "nothing")


def test_resuming_on_another_kind_of_machine_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(architecture="lenet-5", train_fraction=0.02)
    kind = run.summary.machines[0].model_dump()
    edit_json(run, "summary.json", machines=[kind | {"torch": "1.13"}])
    monkeypatch.setattr(sys, "argv", ["cnnlab", "resume", run.id, "--epochs", "1"])
    main()
    assert "its numbers will differ: PyTorch 1.13, here" in capsys.readouterr().err
    assert len(run.summary.machines) == 2
