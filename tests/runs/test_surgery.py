"""A network after surgery as a run: finished, judged, reproducible from its parent, honest about its images."""

from __future__ import annotations

import pytest
import torch

from cnnlab.data.datasets import dataset_spec
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.networks.operations import Operation
from cnnlab.networks.surgery import SurgeryError
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.first_network import untrained_network
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.surgery import kept_branch, weights_for
from cnnlab.runs.trained import load_trained
from tests.trainings import train

OFF = Operation(kind="off", layer="conv2", filters=(0, 3))


@pytest.fixture
def store() -> RunStore:
    return RunStore(runs_folder())


def kept(parent: Run, epoch: int, *operations: Operation) -> Run:
    store = RunStore(runs_folder())
    return kept_branch(parent, load_trained(parent, epoch), operations, store, store.open)


def test_the_result_is_a_finished_run_that_can_be_made_again(store: RunStore, listed_run: Run) -> None:
    steps = OFF, Operation(kind="swap", layer="linear1", source=f"{listed_run.id}@1")
    branch = kept(listed_run, 2, *steps)
    assert (branch.config.parent, branch.config.operations) == (branch.config.comes_from, steps)
    assert (branch.epochs(), branch.summary.status, branch.looks) == ([1], "finished", 1)
    weights = load_trained(branch).network.state_dict()
    assert not weights["conv2.weight"][[0, 3]].any()
    assert torch.equal(weights["linear1.weight"], listed_run.weights(1)["linear1.weight"])
    again, _ = untrained_network(branch, dataset_spec("mnist-sample"))
    assert all(torch.equal(tensor, weights[name]) for name, tensor in again.state_dict().items())
    trained, data = load_trained(branch), data_of(listed_run)
    test = evaluate(trained.network, data.test, trained.standardise)
    assert branch.summary.test_accuracy == test.accuracy
    assert branch.summary.validation_accuracy == branch.history().epochs[0]["validation_accuracy"]
    assert "2 operations on epoch 2" in branch.title
    assert "1. conv2 0, 3 off\n2. linear1 from epoch 1" in branch.about.note
    assert [one.id for one in store.lineage(branch)] == [branch.id, listed_run.id]


def test_the_result_holds_out_what_its_parent_holds_out(listed_run: Run) -> None:
    branch = kept(listed_run, 2, OFF)
    assert torch.equal(data_of(branch).validation.images, data_of(listed_run).validation.images)
    assert branch.config.held_out_by == listed_run.config.held_out_by


def test_a_layer_of_a_run_that_learned_the_held_out_images_is_refused(store: RunStore, listed_run: Run) -> None:
    alike, unlike = train(learning_rate=0.005, train_fraction=0.1), train(seed=1, train_fraction=0.1)
    source = weights_for(listed_run, store.open)
    assert torch.equal(source(f"{alike.id}@1")["conv1.weight"], alike.weights(1)["conv1.weight"])
    with pytest.raises(SurgeryError, match="may have been trained on images that are held out here"):
        source(f"{unlike.id}@1")
    with pytest.raises(RunError, match="no weights of epoch 9"):
        source(f"{listed_run.id}@9")
    with pytest.raises(RunError, match="there is no run"):
        source("nothing@1")


def test_nothing_stays_of_a_run_whose_step_does_not_fit(store: RunStore, listed_run: Run) -> None:
    with pytest.raises(SurgeryError, match="conv1 has 16 filters"):
        kept(listed_run, 2, Operation(kind="off", layer="conv1", filters=(99,)))
    assert [run.id for run in store.all()] == [listed_run.id]
