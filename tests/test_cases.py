"""Small inputs that real files taught, where their folder is present: each comes to what is right for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnlab.drawings.images import read_picture
from cnnlab.jobs.job import Job
from cnnlab.networks.architecture import ArchitectureError, summarise
from cnnlab.networks.designs import read_design
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import judge, load_trained, seen_by
from cnnlab.training.config import RunConfig, parse_config
from tests.conftest import ROOT
from tests.trainings import Shelf

pytestmark = pytest.mark.slow

ONE_LEFT_OVER = {"train_fraction": 0.05, "batch_size": 199}  # a last batch of one image
DIES: dict[str, object] = {
    "optimizer": "sgd",
    "momentum": 0,
    "nesterov": False,
    "schedule": "constant",
    "learning_rate": 3,
    "normalise": "unit",
    "augmentation": "none",
    "epochs": 3,
    "train_fraction": 0.2,
}


@pytest.fixture(scope="module")
def cases() -> Path:
    folder = ROOT.parent / "shared" / "cases"
    if not folder.is_dir():
        pytest.skip(f"no cases in {folder}")
    return folder


@pytest.fixture(scope="module")
def reader(shelf: None) -> Run:
    """The fastest network, which reads plain digits."""
    return Shelf.run(parse_config({"architecture": "quick", "epochs": 8}))


def config_of(design: Path, **fields: object) -> RunConfig:
    network = read_design(design.read_bytes()).model_dump()
    return parse_config({"architecture": network, "epochs": 1, **fields})


@pytest.mark.parametrize("name", ["inf-pool", "inf-pool2", "gn", "gn2"])
def test_a_network_that_learns_nothing_or_ends_the_process_is_refused_at_its_layer(
    cases: Path, name: str, tmp_path: Path
) -> None:
    config = config_of(cases / "designs" / f"{name}.json")
    with pytest.raises(ArchitectureError, match=r"^Layer \d+ \((max-)?(pool|groupnorm|norm)\d*\): "):
        summarise(config.architecture, (1, 28, 28), 10)
    job = Job.start(config, RunStore(tmp_path))
    job.join()
    assert (job.state, job.step) == ("failed", 0)
    assert "Layer " in job.error


@pytest.mark.parametrize("name", ["bn1", "bn2"])
def test_batch_norm_trains_where_a_last_batch_would_hold_one_image(cases: Path, name: str, tmp_path: Path) -> None:
    job = Job.start(config_of(cases / "designs" / f"{name}.json", **ONE_LEFT_OVER), RunStore(tmp_path))
    job.join()
    assert job.state == "finished", job.error


def test_a_network_that_died_is_judged(cases: Path, tmp_path: Path) -> None:
    job = Job.start(config_of(cases / "designs" / "tiny.json", **DIES), RunStore(tmp_path))
    job.join()
    assert job.state == "finished", job.error
    assert judge(job.run).accuracy == pytest.approx(0.1, abs=0.02)


def test_digits_are_read_in_whatever_form_their_picture_comes(cases: Path, reader: Run) -> None:
    trained = load_trained(reader)
    expected = json.loads((cases / "digits" / "expected.json").read_text(encoding="utf-8"))
    right = 0
    for name, digit in expected.items():
        picture = read_picture((cases / "digits" / name).read_bytes())
        best = int(trained.probabilities(seen_by(reader, picture).image).argmax())
        right += trained.classes[best] == digit
    assert len(expected) == 50
    assert right >= 48
