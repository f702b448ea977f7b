"""What was made before the package had its rooms: an archive, an address and a design's link are read as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import torch

from cnnlab.jobs.job import Job
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.designs import from_link
from cnnlab.runs.archive import unpack
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import judge
from cnnlab.training.config import RunConfig
from cnnlab.training.config_link import from_query

MADE = Path(__file__).with_name("before")
ID = "20261128-204419-792729-b6184df5044f"
SETTINGS: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 32,
    "learning_rate": 0.02,
    "augmentation": "shift",
    "train_fraction": 0.2,
    "device": "cpu",
    "precision": "float32",
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    store = RunStore(tmp_path / "runs")
    with (MADE / "runs.zip").open("rb") as archive:
        assert unpack(archive, store).added == [ID]
    return store.open(ID)


@pytest.fixture(scope="module")
def network() -> Architecture:
    return Architecture.model_validate_json((MADE / "design.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def links() -> dict[str, str]:
    read: dict[str, str] = json.loads((MADE / "links.json").read_text(encoding="utf-8"))
    return read


def test_its_config_history_and_summary_are_read(run: Run, network: Architecture) -> None:
    assert run.config == RunConfig.model_validate({**SETTINGS, "architecture": network})
    history, summary = run.history(), run.summary
    assert [epoch["epoch"] for epoch in history.epochs] == [1, 2]
    assert history.epochs[-1]["validation_accuracy"] == summary.validation_accuracy
    assert (summary.status, summary.parameters) == ("finished", 763)
    assert history.steps[-1]["step"] == history.epochs[-1]["step"]


def test_its_weights_are_as_accurate_as_they_were(run: Run) -> None:
    images = sum(run.summary.support.values())
    assert judge(run).accuracy == pytest.approx(run.summary.test_accuracy, abs=1 / images)


def test_it_trains_on_for_another_epoch(run: Run) -> None:
    before = run.history()
    job = Job.resume(run, epochs=1, threads=1)
    job.join()
    assert job.state == "finished", job.error
    after = run.history()
    assert after.epochs[:2] == before.epochs
    assert [epoch["epoch"] for epoch in after.epochs] == [1, 2, 3]
    assert run.epochs() == [0, 1, 2, 3]
    (first, *_) = [step["learning_rate"] for step in after.steps if step["epoch"] > 2]
    assert 0.5 < first / (SETTINGS["learning_rate"] / 10) <= 1  # it falls from there along a cosine
    assert not all(map(torch.equal, run.weights(2).values(), run.weights(3).values()))


def test_an_address_asks_for_the_same_training(links: dict[str, str], run: Run) -> None:
    assert from_query(dict(parse_qsl(links["setup"]))) == run.config


def test_a_designs_link_has_the_same_layers(links: dict[str, str], network: Architecture) -> None:
    assert from_link(links["design"]).layers == network.layers
