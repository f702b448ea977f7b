from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor

from cnnlab.networks.build import build
from cnnlab.training.checkpoint import Checkpoint, CheckpointError
from cnnlab.training.config import RunConfig
from tests.samples import TINY
from tests.training.trainings import began, config, train, until, weights_of


@pytest.mark.parametrize("schedule", get_args(RunConfig.model_fields["schedule"].annotation))
@pytest.mark.parametrize("optimizer", get_args(RunConfig.model_fields["optimizer"].annotation))
def test_every_optimiser_runs_with_every_schedule(optimizer: str, schedule: str) -> None:
    settings = config(optimizer=optimizer, schedule=schedule, step_epochs=1, learning_rate=1e-3)
    before = weights_of(build(TINY, (1, 28, 28), 10))
    network, _ = train(settings)
    assert not torch.equal(weights_of(network), before)


def test_one_cycle_leaves_momentum_as_the_config_says() -> None:
    def after(momentum: float) -> Tensor:
        return weights_of(train(config(optimizer="sgd", momentum=momentum, learning_rate=1e-3))[0])

    assert not torch.equal(after(0.5), after(0.9))


def test_a_checkpoint_whose_tensors_have_other_shapes_is_refused() -> None:
    half = began(config())
    until(half, 1)
    kept = half.checkpoint()
    name = next(name for name in kept.tensors if name.endswith("exp_avg"))
    for forged in (kept.tensors[name][:1], kept.tensors[name].double()):
        with pytest.raises(CheckpointError, match="another shape or type"):
            began(config()).restore(Checkpoint(kept.tensors | {name: forged}, kept.progress))
