from __future__ import annotations

import torch

from cnnlab.data.loading import load
from cnnlab.training.config import RunConfig
from cnnlab.training.run_data import load_for
from tests.samples import lesson


def test_a_configs_lessons_are_among_its_training_images() -> None:
    config = RunConfig(lessons=(lesson("7"),), lesson_share=0.5, train_fraction=0.1)
    plain, mixed = load("mnist-sample", train_fraction=0.1), load_for(config)
    assert len(mixed.train) == 2 * len(plain.train)
    assert torch.equal(mixed.validation.images, plain.validation.images)


def test_fewer_training_images_leave_validation_as_it_is() -> None:
    whole, few = (load_for(RunConfig(train_fraction=share)) for share in (1.0, 0.1))
    assert torch.equal(whole.validation.images, few.validation.images)
