"""Runs that start from given weights: what they begin with, what is kept of them, and how they travel."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
import torch

from cnnlab.data.datasets import dataset_spec
from cnnlab.jobs.job import Job
from cnnlab.networks.layers import Conv2d
from cnnlab.pretrained import weights
from cnnlab.pretrained.weights import content_digest
from cnnlab.runs.ancestry import ancestors, inherited
from cnnlab.runs.archive import ArchiveError, pack, unpack
from cnnlab.runs.first_network import first_network
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import ConfigError, parse_config
from tests.samples import TINY

SMALL = {"architecture": TINY, "epochs": 1, "train_fraction": 0.05, "augmentation": "none"}


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def first(store: RunStore) -> Run:
    return trained(store, **SMALL)


def trained(store: RunStore, **fields: object) -> Run:
    job = Job.start(parse_config(fields), store, threads=1)
    job.join()
    assert job.state == "finished", job.error
    return job.run


def transferred(store: RunStore, first: Run, **fields: object) -> Run:
    return trained(store, **{**SMALL, "start": f"{first.id}@1", "learn_from": "linear1", "epochs": 2, **fields})


def test_the_first_layers_are_the_given_ones_and_only_the_others_are_kept_for_each_epoch(
    store: RunStore, first: Run
) -> None:
    run = transferred(store, first)
    given = first.weights(1)
    assert run.summary.started == ("conv1", "pool1", "flatten1", "linear1")
    assert all(torch.equal(run.weights(epoch)["conv1.weight"], given["conv1.weight"]) for epoch in (0, 1, 2))
    assert torch.equal(run.weights(0)["linear1.weight"], given["linear1.weight"])
    assert not torch.equal(run.weights(2)["linear1.weight"], given["linear1.weight"])
    again = transferred(store, first)  # frozen weights lie once for all runs
    assert again.summary.frozen == run.summary.frozen
    assert [path.stem for path in run.frozen_store.folder.iterdir()] == [run.summary.frozen]
    sizes = [path.stat().st_size for path in (run.folder / "weights").iterdir()]
    assert max(sizes) < (first.folder / "weights" / "epoch-001.safetensors").stat().st_size


def test_it_lives_without_the_run_that_it_started_from(store: RunStore, first: Run) -> None:
    run = transferred(store, first)
    store.delete(first.id)
    assert load_trained(run).epoch == 2
    job = Job.resume(run, epochs=1, threads=1)
    job.join()
    assert (job.state, len(job.history.epochs)) == ("finished", 3)


def test_the_weights_of_a_run_are_those_at_the_time(store: RunStore, first: Run) -> None:
    config = inherited(parse_config({**SMALL, "start": f"{first.id}@1"}), store)
    assert config.start
    assert config.start.digest == content_digest(first.weights(1))
    run = store.create(config)
    first.save_weights(1, {name: tensor + 1 for name, tensor in first.weights(1).items()})
    with pytest.raises(ConfigError, match="others than those the run was set up with"):
        first_network(run, dataset_spec("mnist-sample"))


def test_it_keeps_the_split_of_the_run_that_it_started_from(store: RunStore, first: Run) -> None:
    run = transferred(store, first, seed=9)
    assert run.config.held_out_by == first.config.held_out_by == 0
    assert [one.dataset for one in ancestors(run)] == ["mnist-sample"]
    assert store.origin(run) == store.open(first.id) or store.origin(run).id == first.id  # type: ignore[union-attr]


def test_a_layer_with_random_weights_is_not_frozen(store: RunStore, first: Run) -> None:
    longer = TINY.model_copy(update={"layers": (TINY.layers[0], Conv2d(out_channels=3), *TINY.layers[1:])})
    settings = {**SMALL, "architecture": longer, "start": f"{first.id}@1"}
    spec = dataset_spec("mnist-sample")
    run = store.create(inherited(parse_config({**settings, "learn_from": "conv2"}), store))
    assert first_network(run, spec)[1] == ("conv1",)
    frozen = store.create(inherited(parse_config({**settings, "learn_from": "linear1"}), store))
    with pytest.raises(ConfigError, match=r"conv2 would be frozen.*choose conv2"):
        first_network(frozen, spec)


def test_an_archive_brings_frozen_weights_once_and_checks_them(store: RunStore, first: Run, tmp_path: Path) -> None:
    runs = [transferred(store, first), transferred(store, first, seed=1)]
    file = BytesIO()
    pack(runs, file)
    elsewhere = RunStore(tmp_path / "elsewhere")
    assert len(unpack(file, elsewhere).added) == 2
    arrived = elsewhere.open(runs[0].id)
    assert content_digest(load_trained(arrived).network.state_dict()) == content_digest(runs[0].weights(2))
    assert [path.name for path in arrived.frozen_store.folder.iterdir()] == [f"{runs[0].summary.frozen}.safetensors"]


def test_an_archive_without_the_frozen_weights_is_refused(store: RunStore, first: Run, tmp_path: Path) -> None:
    run = transferred(store, first)
    named = run.summary.frozen
    run.write_summary(run.summary.model_copy(update={"frozen": ""}))
    file = BytesIO()
    pack([run], file)
    with pytest.raises(ArchiveError, match="other frozen layers"):
        unpack(file, RunStore(tmp_path / "elsewhere"))
    run.write_summary(run.summary.model_copy(update={"frozen": named}))
    run.frozen_store.path(named).unlink()
    weights._read.cache_clear()
    with pytest.raises(RunError, match="missing or damaged"):
        load_trained(run)


def test_stopped_before_its_features_are_computed_it_has_nothing_to_judge(store: RunStore, first: Run) -> None:
    config = parse_config({**SMALL, "start": f"{first.id}@1", "learn_from": "linear1", "train_fraction": 1.0})
    job = Job.start(config, store, threads=1)
    job.stop()
    job.join()
    assert (job.state, job.summary.test_accuracy) == ("stopped", None)
