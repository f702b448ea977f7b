from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnlab.analysis.tsne import aligned, neighbours, principal_components

LABELS = np.repeat([0, 1, 2], 40)


def clusters() -> Tensor:
    """Three clouds of 40 points, far apart in 20 dimensions."""
    draws = torch.Generator().manual_seed(0)
    middles = torch.randn(3, 20, generator=draws) * 10
    return middles[torch.tensor(LABELS)] + torch.randn(120, 20, generator=draws)


def own_neighbours(places: np.ndarray) -> float:
    """Share of points whose nearest neighbour is of their own cluster."""
    distances = np.linalg.norm(places[:, None] - places[None], axis=2) + np.eye(len(places)) * 1e9
    return float((LABELS[distances.argmin(1)] == LABELS).mean())


def test_principal_components_are_the_directions_of_largest_variance() -> None:
    features = torch.zeros(50, 4)
    features[:, 2] = torch.linspace(-5, 5, 50)
    features[:, 0] = torch.tensor([1.0, -1.0] * 25)
    places, share = principal_components(features, 2)
    assert np.abs(places[:, 0]) == pytest.approx(np.abs(features[:, 2].numpy()), abs=0.2)
    assert share == pytest.approx(1)
    assert own_neighbours(principal_components(clusters(), 3)[0]) == 1


def test_missing_directions_are_zero() -> None:
    places, _ = principal_components(torch.rand(6, 1), 3)
    assert places.shape == (6, 3)
    assert not places[:, 1:].any()


def test_a_turned_and_mirrored_layout_is_turned_back() -> None:
    places = np.random.default_rng(0).normal(size=(30, 2))
    turn = np.array([[0.6, 0.8], [0.8, -0.6]])  # a rotation and a reflection
    assert aligned(places @ turn + 5, places) == pytest.approx(places - places.mean(0))


@pytest.mark.parametrize(("dimensions", "exaggeration"), [(2, 1.0), (2, 4.0), (3, 1.0)])
def test_features_that_are_all_alike_lie_on_one_point(dimensions: int, exaggeration: float) -> None:
    alike = torch.full((40, 7), 0.5)
    places, share = principal_components(alike, dimensions)
    assert not places.any()
    assert places.shape == (40, dimensions)
    assert share == 0
    start = clusters().numpy()[:40, :dimensions]
    assert not aligned(places, start.astype(float)).any()
    for begin in (None, start):
        layouts = list(neighbours(alike, dimensions, exaggeration, begin))
        assert layouts[-1].progress == 1
        assert not layouts[-1].places.any()


@pytest.mark.parametrize(("dimensions", "exaggeration"), [(2, 1.0), (3, 4.0)])
def test_neighbours_stay_neighbours(dimensions: int, exaggeration: float) -> None:
    layouts = list(neighbours(clusters(), dimensions, exaggeration))
    assert [layout.progress for layout in layouts] == sorted(layout.progress for layout in layouts)
    assert (layouts[0].progress, layouts[-1].progress) == (0, 1)
    assert layouts[-1].places.shape == (120, dimensions)
    assert own_neighbours(layouts[-1].places) == 1


def test_a_layout_can_be_left_early_and_begins_where_it_is_told() -> None:
    start = np.random.default_rng(0).normal(size=(120, 2))
    steps = neighbours(clusters(), 2, start=start)
    assert next(steps).places == pytest.approx(start)
    assert next(steps).progress < 0.1


def test_too_few_images_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        next(neighbours(torch.rand(4, 3), 2))
