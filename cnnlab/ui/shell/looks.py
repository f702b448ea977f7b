"""How often the person's runs were evaluated on the test images of a data set."""

from __future__ import annotations

from cnnlab.runs.past_looks import PastLooks
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import runs_folder
from cnnlab.ui.shell import person, run_changes, session


def looks_at(dataset: str) -> int:
    """Count how often the person's runs on a data set were tested, those that were deleted included."""
    own = person.me().id
    runs = [entry.run for entry in session.trained_runs() if (entry.owner, entry.dataset) == (own, dataset)]
    deleted = [run for run in run_changes.deleted_runs() if _is_of(run, own, dataset)]
    return sum(run.looks for run in (*runs, *deleted)) + PastLooks(runs_folder()).of(own, dataset)


def _is_of(run: Run, owner: str, dataset: str) -> bool:
    try:
        return run.owner == owner and run.config.dataset == dataset
    except RunError:
        return False
