"""Full recipes trained by the app, by their script and by their notebook: whether all come to the same numbers.

taskset -c 0 python -m docs.programs basic-cnn classification-snippet
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import nbformat
import torch
from nbclient import NotebookClient
from torch import Tensor

from cnnlab.config import RunConfig
from cnnlab.data import data_folder
from cnnlab.job import Job
from cnnlab.program import program_of, to_notebook, to_script
from cnnlab.recipes import RECIPES
from cnnlab.runs import RunStore

KEPT = """
torch.save((network.state_dict(), hits.sum().item() / len(hits)), "kept.pt")
"""


@dataclass(frozen=True)
class Outcome:
    """What a training came to."""

    weights: dict[str, Tensor]
    accuracy: float  # on the test images
    seconds: float  # all of it: start, data, training, judging

    def equals(self, other: Outcome) -> bool:
        """Bit for bit."""
        same = (torch.equal(tensor, other.weights[name]) for name, tensor in self.weights.items())
        return self.accuracy == other.accuracy and all(same)


def by_app(config: RunConfig, folder: Path) -> Outcome:
    """As a run."""
    began = perf_counter()
    job = Job.start(config, RunStore(folder), threads=torch.get_num_threads())
    job.join()
    summary = job.run.summary
    if summary.test_accuracy is None:
        raise RuntimeError(job.error)
    return Outcome(job.run.weights(summary.epoch), summary.test_accuracy, perf_counter() - began)


def by_script(config: RunConfig, folder: Path) -> Outcome:
    """In a process that knows nothing of the app."""
    began = perf_counter()
    (folder / "script.py").write_text(to_script(program_of(config)) + KEPT, encoding="utf-8")
    subprocess.run([sys.executable, "-I", "script.py"], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return _kept(folder, began)


def by_notebook(config: RunConfig, folder: Path) -> Outcome:
    """In a kernel of its own."""
    began = perf_counter()
    notebook = nbformat.reads(to_notebook(program_of(config)), as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(KEPT))
    NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(folder)}}).execute()
    return _kept(folder, began)


def _kept(folder: Path, began: float) -> Outcome:
    weights, accuracy = torch.load(folder / "kept.pt")
    return Outcome(weights, accuracy, perf_counter() - began)


def main(names: list[str]) -> None:
    """Print a table of the recipes, one row each."""
    os.environ["OMP_NUM_THREADS"] = str(torch.get_num_threads())
    print("| recipe | app | script | notebook | bit for bit | seconds |\n|---|---|---|---|---|---|")
    for name in names:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            (folder / "data").symlink_to(data_folder())
            ways = [way(RECIPES[name].config, folder) for way in (by_app, by_script, by_notebook)]
        accuracies = " | ".join(f"{way.accuracy:.2%}" for way in ways)
        equal = "yes" if all(way.equals(ways[0]) for way in ways) else "no"
        print(f"| {name} | {accuracies} | {equal} | {', '.join(f'{way.seconds:.0f}' for way in ways)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
