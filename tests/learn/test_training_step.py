from __future__ import annotations

from itertools import pairwise
from math import log

import pytest
import torch
import torch.nn.functional as F

from cnnlab.learn.optimisers import OPTIMISERS
from cnnlab.learn.training_step import IMAGES, batch_of, prepared, tiny_network, walk

RATE = 0.02


def test_a_step_begins_with_real_digits_and_the_same_ones_each_time() -> None:
    first, again = batch_of(), batch_of()
    assert first.images.shape == (IMAGES, 1, 28, 28)
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, batch_of(1).images)
    assert len(set(first.labels.tolist())) > 3


def test_what_goes_forward_is_what_the_network_gives() -> None:
    (step,) = walk("SGD", RATE, 1)
    network, images = tiny_network(), prepared(batch_of())
    assert torch.equal(step.maps["linear"], network(images))
    assert step.maps["pool"].shape == (IMAGES, 4, 13, 13)
    assert step.loss == pytest.approx(F.cross_entropy(network(images), batch_of().labels).item())
    label = step.labels[2]
    assert step.losses[2].item() == pytest.approx(-log(step.probabilities[2, label].item()), rel=1e-5)


def test_the_gradient_is_autograds_and_that_of_finite_differences() -> None:
    (step,) = walk("SGD", RATE, 1)
    network, batch = tiny_network(), batch_of()
    images = prepared(batch)
    expected = torch.autograd.grad(F.cross_entropy(network(images), batch.labels), list(network.parameters()))
    assert all(torch.equal(one, other) for one, other in zip(step.gradients.values(), expected, strict=True))
    network.double()
    weights, by = network.get_parameter("conv.weight").data, 1e-6
    for place in ((0, 0, 0, 0), (1, 0, 1, 1), (3, 0, 2, 0)):
        losses = []
        for moved in (by, -2 * by):
            weights[place] += moved
            losses.append(F.cross_entropy(network(images.double()), batch.labels).item())
        weights[place] += by
        slope = (losses[0] - losses[1]) / (2 * by)
        assert slope == pytest.approx(step.gradients["conv.weight"][place].item(), abs=1e-5)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_written_out_step_is_the_optimisers(optimiser: str) -> None:
    for step in walk(optimiser, RATE, 4):
        for name, before in step.before.items():
            assert torch.allclose(before + step.moves[name], step.after[name], rtol=1e-5, atol=1e-7)


def test_a_step_of_plain_sgd_is_exact() -> None:
    for step in walk("SGD", RATE, 3):
        for name, before in step.before.items():
            assert torch.equal(torch.add(before, step.gradients[name], alpha=-RATE), step.after[name])


def test_each_step_begins_where_the_one_before_ended() -> None:
    steps = walk("Adam", RATE, 5)
    for earlier, later in pairwise(steps):
        assert later.loss == pytest.approx(earlier.loss_after)
        assert all(torch.equal(later.before[name], after) for name, after in earlier.after.items())
    assert steps[-1].loss_after < steps[0].loss / 2


def test_fewer_steps_are_the_first_of_many() -> None:
    assert [step.loss for step in walk("Momentum", RATE, 2)] == [step.loss for step in walk("Momentum", RATE, 4)][:2]


def test_a_walk_ends_where_the_loss_is_no_number() -> None:
    steps = walk("Momentum", 1e6, 20)
    assert len(steps) < 20
    assert not torch.tensor(steps[-1].loss_after).isfinite()
