from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from torch import Tensor

from cnnlab.config import RunConfig
from cnnlab.job import Job
from cnnlab.program import ProgramError, program_of, program_of_run, to_notebook, to_script
from cnnlab.recipes import RECIPES
from cnnlab.runs import Run, RunStore

TUTORIALS = ("basic-cnn", "classification-snippet", "seven-step-mnist", "fashion-part-3", "conv2d-tour")

# What a program ends with, kept where the test finds it: the last line of a run of its own.
KEPT = """
import sys
assert not {"cnnlab", "torchvision"} & set(sys.modules)
torch.save({"weights": network.state_dict(), "history": history, "hits": hits}, "kept.pt")
"""


def short(name: str, **fields: object) -> RunConfig:
    """A tutorial's config on a few of its images, for one epoch."""
    shorter = {"epochs": 1, "train_fraction": 0.02, "seed": 3, **fields}
    return RunConfig.model_validate({**RECIPES[name].config.model_dump(), **shorter})


def trained(config: RunConfig, folder: Path) -> Run:
    """The app's own run, on as many threads as the program's."""
    job = Job.start(config, RunStore(folder), threads=torch.get_num_threads())
    job.join()
    assert job.state == "finished", job.error
    return job.run


def assert_equal(kept: dict[str, Any], run: Run) -> None:
    weights: dict[str, Tensor] = run.weights(run.summary.epoch)
    assert kept["weights"].keys() == weights.keys()
    assert all(torch.equal(kept["weights"][name], weights[name]) for name in weights)
    epochs = run.history().epochs
    for quantity in ("loss", "accuracy"):
        assert kept["history"][f"validation {quantity}"] == [epoch[f"validation_{quantity}"] for epoch in epochs]
    assert kept["hits"].sum().item() / len(kept["hits"]) == run.summary.test_accuracy


@pytest.fixture(scope="module")
def runs(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Each tutorial's on a short budget."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNNLAB_DATA", str(real_data))
        folder = tmp_path_factory.mktemp("runs")
        return {name: trained(short(name), folder) for name in TUTORIALS}


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorials_script_comes_to_the_apps_weights(
    name: str, runs: dict[str, Run], real_data: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").symlink_to(real_data)
    (tmp_path / "script.py").write_text(to_script(program_of(runs[name].config)) + KEPT, encoding="utf-8")
    threads = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    done = subprocess.run(
        [sys.executable, "-I", "script.py"], cwd=tmp_path, env=threads, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"test accuracy {runs[name].summary.test_accuracy:.2%}" in done.stdout
    assert "plotly" in (tmp_path / "curves.html").read_text(encoding="utf-8")
    assert_equal(torch.load(tmp_path / "kept.pt"), runs[name])


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorials_notebook_comes_to_the_apps_weights(
    name: str, runs: dict[str, Run], real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").symlink_to(real_data)
    monkeypatch.setenv("OMP_NUM_THREADS", str(torch.get_num_threads()))
    notebook = nbformat.reads(to_notebook(program_of(runs[name].config)), as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(KEPT))
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert_equal(torch.load(tmp_path / "kept.pt"), runs[name])
