"""Transfer: whose weights a network begins with, which of them learn, and what it learns."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from cnnlab.learn.repeats import train_and_judge
from cnnlab.learn.transfer import SOURCE, TARGET, Start, Terms, prepare, source, task, transfer
from cnnlab.training.run_data import network_for

pytestmark = pytest.mark.slow

TERMS = Terms(images=25, epochs=3, seeds=2)


def convolutions(network: nn.Sequential) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items() if name.startswith("conv")}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    assert one.keys() == other.keys()
    return all(torch.equal(tensor.cpu(), other[name].cpu()) for name, tensor in one.items())


@pytest.mark.parametrize("start", get_args(Start))
def test_a_start_decides_which_weights_there_are_and_which_of_them_learn(start: Start) -> None:
    config = TERMS.config(seed=1)
    data = task(TARGET, config)
    network = network_for(config, data.spec)
    drawn, head = convolutions(network), network.state_dict()["linear1.weight"].clone()
    prepare(network, start, seed=1)
    begun = convolutions(network)
    assert same(begun, convolutions(source(1)) if start.startswith("copied") else drawn)
    assert torch.equal(network.state_dict()["linear1.weight"], head)
    for _ in train_and_judge(network, data, config):
        pass
    assert same(convolutions(network), begun) == start.endswith("frozen")
    assert not torch.equal(network.state_dict()["linear1.weight"].cpu(), head)


def test_learning_on_from_a_source_leaves_the_source_as_it_is() -> None:
    before = convolutions(source(0))
    for _ in transfer(Terms(images=25, epochs=2, seeds=1)):
        pass
    assert same(before, convolutions(source(0)))


def test_source_and_target_have_no_digit_in_common() -> None:
    config = TERMS.config(seed=0)
    lower, upper = task(SOURCE, config), task(TARGET, config)
    assert lower.spec.classes == tuple("01234")
    assert upper.spec.classes == tuple("56789")
    for data in (lower, upper):
        assert data.train.labels.unique().tolist() == [0, 1, 2, 3, 4]
    assert len(upper.train) == TERMS.images
    assert len(upper.validation) == TERMS.judged_on
    seen = {image.numpy().tobytes() for image in lower.train.images}
    assert not any(image.numpy().tobytes() in seen for image in upper.train.images)


def test_every_start_is_tried_under_every_seed() -> None:
    *_, last = transfer(TERMS)
    assert list(last.accuracies) == list(get_args(Start))
    assert {len(values) for values in last.accuracies.values()} == {TERMS.seeds}


def test_copied_convolutions_do_better_than_random_ones_where_only_the_last_layer_learns() -> None:
    *_, last = transfer(Terms(images=50, epochs=15, seeds=2))
    copied, random = (last.accuracies[f"{kind} and frozen"] for kind in ("copied", "random"))
    assert all(one > other for one, other in zip(copied, random, strict=True))
