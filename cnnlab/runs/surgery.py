"""Networks after surgery: where a swapped layer comes from, and the result as a run of its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace

from cnnlab.networks.operations import Operation
from cnnlab.networks.surgery import SurgeryError, Weights, operated, parts_of
from cnnlab.runs.ancestry import data_of, has_learned_held_out, inherited
from cnnlab.runs.judged_run import EPOCH, judged_run
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.runs.trained import Trained
from cnnlab.training.config import RunConfig, parse_config, parse_parent

Open = Callable[[str], Run]
TAG = "surgery"
MAX_NOTE = 5000  # characters


def weights_for(run: Run, opened: Open) -> Callable[[str], Weights]:
    """Return what gives the weights that a swap names as RUN@EPOCH, for an operation on ``run``.

    It raises what ``opened``, which finds a run by its id, does, RunError where there are no such weights, and
    SurgeryError where the other run may have been trained on images that are held out here.
    """

    def weights(source: str) -> Weights:
        parent = parse_parent(source)
        other = opened(parent.run)
        if other.id != run.id and has_learned_held_out(other, run):
            raise SurgeryError(f"run {other.id} may have been trained on images that are held out here")
        return other.weights(parent.epoch)

    return weights


def operated_network(trained: Trained, run: Run, operations: Sequence[Operation], opened: Open) -> Trained:
    """Return the network of ``run`` after ``operations``. Raises as ``operated`` and ``weights_for`` do."""
    network = copy.deepcopy(trained.network)
    network.load_state_dict(operated(parts_of(network), network.state_dict(), operations, weights_for(run, opened)))
    return replace(trained, network=network)


def branch_of(run: Run, epoch: int, operations: Sequence[Operation], store: RunStore) -> RunConfig:
    """Return the config of a run whose network is that of ``run`` after ``epoch`` and ``operations``, not trained."""
    own: dict[str, object] = {
        "parent": {"run": run.id, "epoch": epoch},
        "operations": operations,
        "epochs": EPOCH,
        "warmup_epochs": 0,
        "filters_kept": 1.0,
        "start": None,
        "start_rate": 1.0,
        "learn_from": "",
    }
    return inherited(parse_config(run.config.model_dump() | own), store)


def kept_branch(run: Run, trained: Trained, operations: Sequence[Operation], store: RunStore, opened: Open) -> Run:
    """Write the network of ``run`` after ``operations`` as a finished run, judged on its images; the test is a look.

    Raises as ``operated_network`` and ``judged_run`` do, DatasetError where the images are missing.
    """
    after = operated_network(trained, run, operations, opened)
    steps = "\n".join(f"{number}. {operation}" for number, operation in enumerate(operations, start=1))
    note = f"Made by surgery on {run.title}, {trained.when}, without training:\n{steps}"
    config = branch_of(run, trained.epoch, operations, store)
    return judged_run(store, config, About(tags=(TAG,), note=note[:MAX_NOTE]), after, data_of(run))
