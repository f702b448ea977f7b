"""Full recipes trained by the app, by their script and by their notebook, to check that all give the same numbers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import nbformat
import torch
from nbclient import NotebookClient
from torch import Tensor

from cnnlab.data.folders import data_folder
from cnnlab.export.program import program_of, to_notebook, to_script
from cnnlab.jobs.job import Job
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import RECIPES

RECIPES_TAKEN = ("basic-cnn", "classification-snippet")  # the two fastest tutorials

KEPT = """
torch.save((network.state_dict(), hits.sum().item() / len(hits)), "kept.pt")
"""


@dataclass(frozen=True)
class Outcome:
    """The result of a training."""

    weights: dict[str, Tensor]
    accuracy: float  # on the test images
    seconds: float  # in total: start, data, training, test

    def equals(self, other: Outcome) -> bool:
        """Tell whether both results are equal bit for bit."""
        same = (torch.equal(tensor, other.weights[name]) for name, tensor in self.weights.items())
        return self.accuracy == other.accuracy and all(same)


def by_app(config: RunConfig, folder: Path) -> Outcome:
    """Train the config as a run."""
    began = perf_counter()
    job = Job.start(config, RunStore(folder), threads=torch.get_num_threads())
    job.join()
    summary = job.run.summary
    if summary.test_accuracy is None:
        raise RuntimeError(job.error)
    return Outcome(job.run.weights(summary.epoch), summary.test_accuracy, perf_counter() - began)


def by_script(config: RunConfig, folder: Path) -> Outcome:
    """Train the config by its script, in a process of its own."""
    began = perf_counter()
    (folder / "script.py").write_text(to_script(program_of(config)) + KEPT, encoding="utf-8")
    subprocess.run([sys.executable, "-I", "script.py"], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return _kept(folder, began)


def by_notebook(config: RunConfig, folder: Path) -> Outcome:
    """Train the config by its notebook, in a kernel of its own."""
    began = perf_counter()
    notebook = nbformat.reads(to_notebook(program_of(config)), as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(KEPT))
    NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(folder)}}).execute()
    return _kept(folder, began)


def _kept(folder: Path, began: float) -> Outcome:
    weights, accuracy = torch.load(folder / "kept.pt")
    return Outcome(weights, accuracy, perf_counter() - began)


def measure() -> dict[str, dict[str, Any]]:
    """Return accuracies and seconds of the three ways, and whether all are equal, for each of RECIPES_TAKEN."""
    os.environ["OMP_NUM_THREADS"] = str(torch.get_num_threads())  # for the scripts' and kernels' processes
    return {name: _measured(RECIPES[name].config) for name in RECIPES_TAKEN}


def _measured(config: RunConfig) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "data").symlink_to(data_folder())
        outcomes = {name: way(config, folder) for name, way in WAYS.items()}
    return {
        **{name: {"accuracy": outcome.accuracy, "seconds": outcome.seconds} for name, outcome in outcomes.items()},
        "equal": all(outcome.equals(outcomes["app"]) for outcome in outcomes.values()),
    }


WAYS = {"app": by_app, "script": by_script, "notebook": by_notebook}
