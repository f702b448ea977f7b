from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from cnnlab.data.loading import load
from cnnlab.data.spec import DatasetError
from cnnlab.evaluation.evaluate import EVALUATION_BYTES
from cnnlab.jobs.job import Job
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.networks.layers import AdaptivePool2d, Conv2d, Flatten, Linear
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import judge, load_trained, test_split
from cnnlab.training.config import RunConfig
from tests.samples import TINY

test_split.__test__ = False  # type: ignore[attr-defined]  # a function of the package, not a test


def test_a_rebuilt_network_answers_as_the_trained_one_did(listed_run: Run) -> None:
    summary = listed_run.summary
    assert judge(listed_run).accuracy == summary.test_accuracy
    assert dict(zip(summary.classes, judge(listed_run).per_class, strict=True)) == summary.per_class


def test_every_epoch_can_be_rebuilt(finished_run: Run) -> None:
    images = test_split(finished_run).images[:5]
    answers = [load_trained(finished_run, epoch).probabilities(images) for epoch in finished_run.epochs()]
    assert len(answers) == 3
    assert not torch.equal(answers[0], answers[2])
    assert torch.equal(load_trained(finished_run).probabilities(images), answers[2])
    assert torch.allclose(answers[2].sum(1), torch.ones(5))


def test_an_older_runs_network_that_is_refused_today_is_told(tmp_path: Path) -> None:
    job = Job.start(RunConfig(architecture=TINY, epochs=1, train_fraction=0.02), RunStore(tmp_path))
    job.join()
    path = job.run.folder / "config.json"
    config = json.loads(path.read_text())
    features = 2 * 6 * 6  # that its network flattens to
    config["architecture"]["layers"].insert(-1, {"kind": "group-norm", "groups": features})
    path.write_text(json.dumps(config))
    with pytest.raises(RunError, match=r"network that cannot be built: Layer \d+ \(norm1\): .*the norm makes 0"):
        load_trained(Run(job.run.folder))


def test_a_run_without_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no weights yet"):
        load_trained(RunStore(tmp_path).create(RunConfig()))


def test_foreign_weights_are_refused(finished_run: Run, tmp_path: Path) -> None:
    copy = RunStore(tmp_path).create(finished_run.config)
    copy.write_summary(finished_run.summary)
    copy.save_weights(2, {"foreign": torch.ones(1)})
    with pytest.raises(RunError, match="do not fit its architecture"):
        load_trained(copy)


def test_another_test_set_must_have_the_same_shape_and_classes(finished_run: Run, real_data: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNNLAB_DATA", str(real_data))
        assert len(test_split(finished_run, "mnist")) == 10_000
        with pytest.raises(DatasetError, match="fashion-mnist has 10 classes"):
            test_split(finished_run, "fashion-mnist")


@pytest.fixture
def copy(finished_run: Run, tmp_path: Path) -> Run:
    """The finished run without its weights."""
    copy = RunStore(tmp_path).create(finished_run.config)
    copy.write_summary(finished_run.summary)
    return copy


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float, copy: Run, finished_run: Run) -> None:
    weights = finished_run.weights(2)
    name = next(name for name, tensor in weights.items() if tensor.is_floating_point())
    copy.save_weights(2, weights | {name: torch.full_like(weights[name], value)})
    with pytest.raises(RunError, match="not finite"):
        load_trained(copy)


def test_a_foreign_network_of_vast_maps_is_asked_about_few_images_at_once(copy: Run) -> None:
    layers = (Conv2d(out_channels=2048, kernel_size=1), AdaptivePool2d(), Flatten(), Linear(out_features="classes"))
    vast = Architecture(name="vast", title="Vast", layers=layers)  # 6 MB of maps for an image
    (copy.folder / "config.json").write_text(RunConfig(architecture=vast).model_dump_json())
    copy.save_weights(2, build(vast, (1, 28, 28), 10).state_dict())
    trained, asked = load_trained(copy), []
    trained.network.register_forward_pre_hook(lambda _, inputs: asked.append(len(inputs[0])))
    trained.answers(load("mnist-sample").test.part(slice(400)))
    assert max(asked) * 2049 * 28 * 28 * 4 <= EVALUATION_BYTES
    assert sum(asked) == 400


@pytest.mark.parametrize("kind", [torch.float16, torch.complex64, torch.float8_e4m3fn])
def test_weights_of_another_type_are_refused(kind: torch.dtype, copy: Run, finished_run: Run) -> None:
    copy.save_weights(2, {name: tensor.to(kind) for name, tensor in finished_run.weights(2).items()})
    with pytest.raises(RunError, match="do not fit its architecture"):
        load_trained(copy)


def test_a_network_far_larger_than_its_weights_is_not_built(copy: Run, finished_run: Run) -> None:
    layers = (Flatten(), *[Linear(out_features=65_536)] * 100, Linear(out_features="classes"))  # 1.7 TB
    vast = Architecture(name="vast", title="Vast", layers=layers)
    config = finished_run.config.model_copy(update={"architecture": vast})
    (copy.folder / "config.json").write_text(config.model_dump_json())
    copy.save_weights(2, finished_run.weights(2))
    with pytest.raises(RunError, match="do not fit its architecture"):
        load_trained(copy)
