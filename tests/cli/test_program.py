from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from cnnlab.data.readers import SAMPLE
from cnnlab.export.program import program_of, to_notebook, to_script
from cnnlab.runs.run import Run
from cnnlab.training.recipes import RECIPES
from tests.cli.commands import call, refusal


def test_a_recipes_program_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "program", "basic-cnn") == to_script(program_of(RECIPES["basic-cnn"].config))


def test_a_program_is_written_as_script_and_notebook_beside_its_data(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    script, notebook = tmp_path / "seven.py", tmp_path / "seven.ipynb"
    options = ["--epochs", "1", "--seed", "7", "--dataset", "mnist-sample"]
    call(capsys, "program", "basic-cnn", "--to", str(script), "--to", str(notebook), *options)
    shorter = RECIPES["basic-cnn"].config.model_copy(update={"epochs": 1, "seed": 7, "dataset": "mnist-sample"})
    assert script.read_text(encoding="utf-8") == to_script(program_of(shorter))
    assert notebook.read_text(encoding="utf-8") == to_notebook(program_of(shorter))
    assert (tmp_path / SAMPLE.name).read_bytes() == SAMPLE.read_bytes()
    assert "SEED = 7" in script.read_text(encoding="utf-8")
    assert json.loads(notebook.read_text(encoding="utf-8"))["nbformat"] == 4


def test_a_runs_program_is_that_of_its_config(capsys: pytest.CaptureFixture[str], listed_run: Run) -> None:
    assert call(capsys, "program", listed_run.id) == to_script(program_of(listed_run.config))
    more = call(capsys, "program", listed_run.id, "--epochs", "9")
    assert "EPOCHS = 9" in more
    ast.parse(more)


def test_what_cannot_be_a_program_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "is not a recipe" in refusal(capsys, "program", "nope")
    assert "no program for CIFAR-10" in refusal(capsys, "program", "basic-cnn", "--dataset", "cifar10")
    assert "as .py or .ipynb" in refusal(capsys, "program", "quick", "--to", str(tmp_path / "seven.txt"))
    assert "cannot be written" in refusal(capsys, "program", "quick", "--to", str(tmp_path / "no" / "seven.py"))
