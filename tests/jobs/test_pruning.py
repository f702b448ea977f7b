"""A pruned run is a branch as any other: its weights, its costs, killed and gone on with, handed on."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
import torch

from cnnlab.cli.exporting import written
from cnnlab.data.datasets import dataset_spec
from cnnlab.jobs.finetuning import fine_tuning
from cnnlab.jobs.job import Job
from cnnlab.jobs.pruning import compared, thinned
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import BatchNorm2d, Conv2d, Flatten, Layer, Linear, MaxPool2d
from cnnlab.networks.pruning import PruningError, pruned
from cnnlab.runs.archive import pack, unpack
from cnnlab.runs.first_network import first_network
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import ConfigError, RunConfig, parse_config
from tests.samples import TINY, lesson
from tests.trainings import finish, records, wait_for_epoch

pytestmark = pytest.mark.slow

SMALL = Architecture(
    name="small",
    title="Small",
    layers=(
        Conv2d(out_channels=4, stride=2),
        BatchNorm2d(),
        MaxPool2d(kernel_size=4),
        Flatten(),
        Linear(out_features="classes"),
    ),
)


def store() -> RunStore:
    return RunStore(runs_folder())


def trained(config: RunConfig) -> Run:
    job = finish(Job.start(config, store(), threads=1))
    assert job.state == "finished", job.error
    return job.run


@pytest.fixture
def parent() -> Run:
    return trained(parse_config({"architecture": SMALL, "epochs": 1, "train_fraction": 0.1, "weight_average": 0.9}))


def test_it_begins_with_the_weights_of_the_filters_kept(parent: Run) -> None:
    branch = trained(thinned(parent, 0.5))
    _, kept = pruned(SMALL, (1, 28, 28), 10, parent.weights(1), 0.5)
    assert all(torch.equal(branch.weights(0)[name], kept[name]) for name in kept)
    assert branch.config.architecture.layers[0] == Conv2d(out_channels=2, stride=2)
    assert [kin.id for kin in store().lineage(branch)] == [branch.id, parent.id]
    assert branch.config.held_out_by == parent.config.held_out_by
    assert "pruned from epoch 1" in branch.title


def test_killed_and_gone_on_with_it_ends_as_one_never_interrupted(parent: Run) -> None:
    config = thinned(parent, 0.5, epochs=10)
    whole = trained(config)
    job = Job.start(config, store(), threads=1)
    wait_for_epoch(job)
    job.abandon()
    killed = finish(job).run
    assert killed.summary.status == "interrupted"
    finish(Job.resume(killed, threads=1))
    assert records(killed.history()) == records(whole.history())
    assert all(torch.equal(killed.weights(10)[name], tensor) for name, tensor in whole.weights(10).items())


def test_costs_and_accuracy_are_told_before_and_after(parent: Run) -> None:
    branch, control = trained(thinned(parent, 0.5, epochs=1)), trained(thinned(parent, 1.0, epochs=1))
    found = compared(parent, branch, control)
    assert list(found) == ["before", "cut", "fine-tuned", "control"]
    before, cut, after, whole = found.values()
    assert (before.parameters, cut.parameters) == (4 * 9 + 4 + 8 + 4 * 9 * 10 + 10, 2 * 9 + 2 + 4 + 2 * 9 * 10 + 10)
    assert (cut.parameters, cut.macs, cut.bytes) == (after.parameters, after.macs, after.bytes)
    assert (before.parameters, before.macs, before.bytes) == (whole.parameters, whole.macs, whole.bytes)
    assert cut.macs < before.macs
    assert before.accuracy == parent.summary.test_accuracy
    assert after.accuracy == branch.summary.test_accuracy
    assert whole.accuracy == control.summary.test_accuracy
    assert whole.interval[0] < whole.accuracy < whole.interval[1]
    assert control.config.architecture == SMALL
    differing = {name for name, value in branch.config.scalars().items() if control.config.scalars()[name] != value}
    assert differing == {"filters_kept"}


def test_it_is_pruned_taught_exported_and_handed_on_as_any_run(parent: Run, tmp_path: Path) -> None:
    branch = trained(thinned(parent, 0.5, epochs=1))
    twice = trained(thinned(branch, 0.5, epochs=1))
    assert twice.config.learning_rate == branch.config.learning_rate
    assert twice.config.architecture.layers[0] == Conv2d(out_channels=1, stride=2)
    assert twice.config.architecture.name == branch.config.architecture.name == "small-pruned"
    assert fine_tuning(branch, [lesson()]).filters_kept == 1
    _, (told,) = written(branch, (tmp_path / "digits.onnx",), say=print)
    assert told["alike"] == 1
    file = BytesIO()
    pack([parent, branch], file)
    elsewhere = RunStore(tmp_path / "elsewhere")
    assert len(unpack(file, elsewhere).added) == 2
    arrived = load_trained(elsewhere.open(branch.id)).network.state_dict()
    assert all(torch.equal(tensor, branch.weights(1)[name]) for name, tensor in arrived.items())


def test_all_layers_of_a_transferred_network_learn_again(parent: Run) -> None:
    fields = {"architecture": SMALL, "start": f"{parent.id}@1", "start_rate": 0.5, "learn_from": "linear1", "epochs": 1}
    config = thinned(trained(parse_config(fields | {"train_fraction": 0.1})), 0.5)
    assert (config.learn_from, config.start, config.start_rate) == ("", None, 1.0)


def test_what_suits_a_long_training_is_left_out_of_a_short_one(parent: Run) -> None:
    assert parent.config.weight_average
    assert (config := thinned(parent, 0.5)).weight_average == 0
    assert (config.schedule, config.learning_rate) == ("cosine", parent.config.learning_rate / 10)


@pytest.mark.parametrize("layers", [SMALL.layers, TINY.layers])
def test_another_network_than_the_pruned_one_is_refused(parent: Run, layers: tuple[Layer, ...]) -> None:
    other = SMALL.model_copy(update={"layers": layers})
    config = parse_config({"architecture": other, "parent": f"{parent.id}@1", "filters_kept": 0.75})
    with pytest.raises(ConfigError, match=r"has other layers where it keeps 0\.75 of its filters"):
        first_network(store().create(config), dataset_spec("mnist-sample"))


def test_nothing_is_trained_where_no_filter_can_be_cut(parent: Run) -> None:
    with pytest.raises(PruningError, match="no filter to remove"):
        thinned(parent, 0.9)
    with pytest.raises(ConfigError, match="filters_kept: these are chosen among a parent's filters"):
        parse_config({"filters_kept": 0.5})
