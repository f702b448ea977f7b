from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim import SGD, Adam, Optimizer, RMSprop

from cnnlab.learn.loss_surface import LOST, SURFACES, direction, paths
from cnnlab.learn.optimisers import OPTIMISERS
from cnnlab.learn.training_step import batch_of, prepared, tiny_network, walk

NAMES = list(OPTIMISERS)


def by_hand(name: str, place: nn.Parameter, rate: float) -> Optimizer:
    """As a reader would write it."""
    match name:
        case "Momentum":
            return SGD([place], lr=rate, momentum=0.9)
        case "RMSprop":
            return RMSprop([place], lr=rate)
        case "Adam":
            return Adam([place], lr=rate)
        case _:
            return SGD([place], lr=rate)


@pytest.mark.parametrize("surface", SURFACES)
def test_a_path_is_the_one_that_its_optimiser_takes_alone(surface: str) -> None:
    landscape, steps = SURFACES[surface], 15
    together = paths(landscape, NAMES, landscape.rate, steps, landscape.start)
    for name in NAMES:
        place = nn.Parameter(torch.tensor(landscape.start))
        optimizer, points = by_hand(name, place, landscape.rate), [place.detach().clone()]
        for _ in range(steps):
            optimizer.zero_grad()
            landscape.loss(place).backward()
            optimizer.step()
            points.append(place.detach().clone())
        assert together[name].steps == steps
        assert torch.allclose(together[name].points, torch.stack(points), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("surface", SURFACES)
def test_a_paths_losses_are_the_surfaces_at_its_points(surface: str) -> None:
    landscape = SURFACES[surface]
    way = paths(landscape, ["Adam"], landscape.rate, 5, landscape.start)["Adam"]
    assert torch.allclose(way.losses, landscape.loss(way.points), atol=1e-5)
    assert way.losses[-1] < way.losses[0]


@pytest.mark.parametrize("surface", SURFACES)
def test_a_surface_is_drawn_where_its_start_is_and_with_its_losses(surface: str) -> None:
    landscape = SURFACES[surface]
    x, y, losses = landscape.grid()
    assert x[0] <= landscape.start[0] <= x[-1]
    assert y[0] <= landscape.start[1] <= y[-1]
    for row, column in ((0, 0), (3, 17), (20, 5)):
        assert losses[row, column].item() == pytest.approx(
            landscape.loss(torch.stack([x[column], y[row]])).item(), rel=1e-4, abs=1e-6
        )
    assert losses.min() >= 0


@pytest.mark.parametrize(("rate", "is_lost"), [(0.078, False), (0.082, True)])
def test_plain_sgd_comes_down_the_valley_below_two_over_its_steepest_curvature(rate: float, is_lost: bool) -> None:
    valley = SURFACES["Narrow valley"]
    way = paths(valley, ["SGD"], rate, 400, valley.start)["SGD"]
    assert way.is_lost is is_lost
    assert bool(way.losses[-1] > way.losses[0]) is is_lost


def test_momentum_bears_nearly_twice_the_rate() -> None:
    valley = SURFACES["Narrow valley"]  # curvature 25: stable below 2 · (1 + 0.9) / 25 = 0.152
    lost = [paths(valley, ["Momentum"], rate, 400, valley.start)["Momentum"].is_lost for rate in (0.148, 0.156)]
    assert lost == [False, True]


def test_a_lost_path_ends_with_finite_numbers_and_leaves_the_others_alone() -> None:
    bend = SURFACES["Rosenbrock"]
    together = paths(bend, NAMES, 0.05, 60, bend.start)
    alone = paths(bend, ["Adam"], 0.05, 60, bend.start)
    assert together["SGD"].is_lost
    assert together["SGD"].steps < 60
    assert together["SGD"].points.isfinite().all()
    assert together["SGD"].losses[:-1].max() <= LOST * together["SGD"].losses[0]
    assert torch.allclose(together["Adam"].points, alone["Adam"].points, atol=1e-4)


def test_the_networks_surface_is_its_loss_along_two_directions() -> None:
    network, batch = tiny_network(), batch_of()
    middle = walk("Adam", 0.01, 60)[-1].after
    directions = [direction(middle, seed) for seed in (1, 2)]

    def loss(x: float, y: float) -> Tensor:
        weights = {name: middle[name] + x * directions[0][name] + y * directions[1][name] for name in middle}
        return F.cross_entropy(functional_call(network, weights, prepared(batch)), batch.labels)

    for x, y in ((0.0, 0.0), (0.7, -0.3), (-1.0, 1.0)):
        shown = SURFACES["Tiny network"].loss(torch.tensor([x, y]))
        assert torch.allclose(shown, loss(x, y), rtol=1e-4, atol=1e-6)


def test_a_direction_is_as_long_as_the_weights_filter_by_filter() -> None:
    weights = walk("SGD", 0.1, 1)[-1].after
    for name, drawn in direction(weights, seed=5).items():
        if name.endswith("bias"):
            assert not drawn.any()
        else:
            assert torch.allclose(drawn.flatten(1).norm(dim=1), weights[name].flatten(1).norm(dim=1), rtol=1e-4)
