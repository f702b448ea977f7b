from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnlab.config import RunConfig
from cnnlab.data import DatasetError
from cnnlab.inference import judge, load_trained, test_split
from cnnlab.runs import Run, RunError, RunStore

test_split.__test__ = False  # type: ignore[attr-defined]  # a function of the package, not a test


def test_a_rebuilt_network_answers_as_the_trained_one_did(finished_run: Run) -> None:
    summary = finished_run.summary
    assert judge(finished_run).accuracy == summary.test_accuracy
    assert dict(zip(summary.classes, judge(finished_run).per_class, strict=True)) == summary.per_class


def test_every_epoch_can_be_rebuilt(finished_run: Run) -> None:
    images = test_split(finished_run).images[:5]
    answers = [load_trained(finished_run, epoch).probabilities(images) for epoch in finished_run.epochs()]
    assert len(answers) == 3
    assert not torch.equal(answers[0], answers[2])
    assert torch.equal(load_trained(finished_run).probabilities(images), answers[2])
    assert torch.allclose(answers[2].sum(1), torch.ones(5))


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
